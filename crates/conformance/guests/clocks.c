// clocks.c: the clocks, CPU time, and sleeping by them.
//
// Calls: nanosleep clock_nanosleep clock_gettime clock_getres clock_settime gettimeofday time times
// Passes: host acrida
#include "process.h"

#include <sys/times.h>

static long nanoseconds(long clock)
{
	struct timespec now = {0, 0};
	raw(SYS_clock_gettime, clock, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

CHECK(nanosleep_arguments)
{
	struct timespec time = {0, 0}, left = {7, 7};
	report_result("zero", raw(SYS_nanosleep, &time, 0L));
	time = (struct timespec){0, 1000000000};
	report_result("nanoseconds", raw(SYS_nanosleep, &time, 0L));
	time = (struct timespec){0, -1};
	report_result("nanoseconds-negative", raw(SYS_nanosleep, &time, 0L));
	time = (struct timespec){-1, 0};
	report_result("seconds-negative", raw(SYS_nanosleep, &time, 0L));
	report_result("null", raw(SYS_nanosleep, 0L, 0L));
	report_result("bad", raw(SYS_nanosleep, BAD, 0L));
	time = (struct timespec){0, 1000};
	report_result("remaining-not-touched-on-success", raw(SYS_nanosleep, &time, &left));
	report("left", "%ld %ld", left.tv_sec, left.tv_nsec);
	report_result("bad-remaining-not-touched", raw(SYS_nanosleep, &time, BAD));
	long before = nanoseconds(CLOCK_MONOTONIC);
	time.tv_nsec = 20000000;
	raw(SYS_nanosleep, &time, 0L);
	report_flag("not-early", nanoseconds(CLOCK_MONOTONIC) - before >= 20000000);
}

CHECK(clock_nanosleep_arguments)
{
	struct timespec time = {0, 1000};
	static const long clocks[] = {CLOCK_REALTIME,
				      CLOCK_MONOTONIC,
				      CLOCK_PROCESS_CPUTIME_ID,
				      CLOCK_THREAD_CPUTIME_ID,
				      CLOCK_MONOTONIC_RAW,
				      CLOCK_REALTIME_COARSE,
				      CLOCK_MONOTONIC_COARSE,
				      CLOCK_BOOTTIME,
				      CLOCK_TAI,
				      12,
				      99,
				      -1};
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		// On a CPU clock a sleeping process would wait for ever.
		if (clocks[i] == CLOCK_PROCESS_CPUTIME_ID)
			continue;
		report("clock", "%ld %s", clocks[i], outcome(raw(SYS_clock_nanosleep, clocks[i], 0L, &time, 0L)));
	}
	time = (struct timespec){0, 1000000000};
	report_result("nanoseconds", raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, 0L, &time, 0L));
	report_result("bad", raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, 0L, BAD, 0L));
	report_result("bad-on-wrong-clock", raw(SYS_clock_nanosleep, 99L, 0L, BAD, 0L));
	time = (struct timespec){1, 0};
	report_result("absolute-past", raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, (long)TIMER_ABSTIME, &time, 0L));
	time = (struct timespec){-1, 0};
	report_result("absolute-negative",
		      raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, (long)TIMER_ABSTIME, &time, 0L));
	time = (struct timespec){0, 1000};
	report_result("unknown-flag", raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, 8L, &time, 0L));
	long until = nanoseconds(CLOCK_MONOTONIC) + 20000000;
	time = (struct timespec){until / 1000000000, until % 1000000000};
	report_result("absolute", raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, (long)TIMER_ABSTIME, &time, 0L));
	report_flag("not-early", nanoseconds(CLOCK_MONOTONIC) >= until);
}

CHECK(clocks)
{
	struct timespec now;
	for (long clock = 0; clock < 13; clock++) {
		long result = raw(SYS_clock_gettime, clock, &now);
		report("gettime", "%ld %s %s", clock, outcome(result),
		       result < 0				      ? ""
		       : now.tv_nsec >= 0 && now.tv_nsec < 1000000000 ? "sane"
								      : "?");
	}
	report_result("gettime-99", raw(SYS_clock_gettime, 99L, &now));
	report_result("gettime-negative-missing-pid", raw(SYS_clock_gettime, (long)(int)(~389387264u << 3 | 2), &now));
	report_result("gettime-bad", raw(SYS_clock_gettime, (long)CLOCK_MONOTONIC, BAD));
	report_result("gettime-bad-clock-first", raw(SYS_clock_gettime, 99L, BAD));
	for (long clock = 0; clock < 12; clock++) {
		struct timespec resolution = {9, 9};
		long result = raw(SYS_clock_getres, clock, &resolution);
		int coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
		report("getres", "%ld %s %s", clock, outcome(result),
		       result < 0		 ? ""
		       : coarse			 ? "coarse"
		       : resolution.tv_nsec == 1 ? "1 ns"
						 : "?");
	}
	report_result("getres-null", raw(SYS_clock_getres, (long)CLOCK_MONOTONIC, 0L));
	report_result("getres-bad", raw(SYS_clock_getres, (long)CLOCK_MONOTONIC, BAD));
	report_result("getres-99", raw(SYS_clock_getres, 99L, 0L));
	report_result("settime-monotonic", raw(SYS_clock_settime, (long)CLOCK_MONOTONIC, &now));
	report_result("settime-bad", raw(SYS_clock_settime, (long)CLOCK_REALTIME, BAD));
	now = (struct timespec){0, 1000000000};
	report_result("settime-nanoseconds", raw(SYS_clock_settime, (long)CLOCK_REALTIME, &now));
	report_result("settime-99", raw(SYS_clock_settime, 99L, &now));
}

CHECK(clocks_agree)
{
	int right = 1;
	long last = 0;
	for (int i = 0; i < 1000; i++) {
		long now = nanoseconds(CLOCK_MONOTONIC);
		right &= now >= last;
		last = now;
	}
	report_flag("monotonic-never-back", right);
	struct timeval day;
	struct timespec libc;
	long a = nanoseconds(CLOCK_REALTIME) / 1000;
	gettimeofday(&day, NULL);
	long b = day.tv_sec * 1000000L + day.tv_usec;
	long c = nanoseconds(CLOCK_REALTIME) / 1000;
	report_flag("gettimeofday-between", a <= b && b <= c);
	// Its second begins with a tick, up to one later than that of the fine clock.
	struct timespec coarse, fine;
	raw(SYS_clock_gettime, (long)CLOCK_REALTIME_COARSE, &coarse);
	long d = raw(SYS_time, 0L);
	raw(SYS_clock_gettime, (long)CLOCK_REALTIME, &fine);
	report_flag("time-agrees", coarse.tv_sec <= d && d <= fine.tv_sec);
	a = nanoseconds(CLOCK_MONOTONIC);
	clock_gettime(CLOCK_MONOTONIC, &libc);
	b = libc.tv_sec * 1000000000 + libc.tv_nsec;
	report_flag("vdso-agrees-with-call", a <= b && b <= nanoseconds(CLOCK_MONOTONIC));
	report_flag("boottime-not-behind", nanoseconds(CLOCK_BOOTTIME) >= a);
	report_result("time-bad", raw(SYS_time, BAD));
	report_result("gettimeofday-bad", raw(SYS_gettimeofday, BAD, 0L));
	report_result("gettimeofday-bad-zone", raw(SYS_gettimeofday, 0L, BAD));
	report_result("gettimeofday-nothing", raw(SYS_gettimeofday, 0L, 0L));
}

CHECK(cpu_time)
{
	struct tms before, after;
	volatile unsigned long spin = 0;
	// The process first: what it has used since then includes all the thread has used since its own reading.
	long start_process = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), start_thread = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	report_flag("times", times(&before) > 0);
	while (nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start_thread < 50000000)
		for (int i = 0; i < 1000; i++)
			spin = spin + 1;
	report_flag("process-counts-thread", nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start_process >= 50000000);
	times(&after);
	report_flag("ticks", after.tms_utime + after.tms_stime - before.tms_utime - before.tms_stime >= 3);
	report_result("times-bad", raw(SYS_times, BAD));
	report_ok("times-null", raw(SYS_times, 0L));
	struct timespec time = {0, 50000000};
	start_thread = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
	nanosleep(&time, NULL);
	report_flag("sleep-costs-nothing", nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start_thread < 25000000);
	clockid_t clock;
	report_result("clock_getcpuclockid", -clock_getcpuclockid(getpid(), &clock));
	report_flag("same-clock", nanoseconds(clock) >= start_thread);
}
