// timers.c: alarm, interval timers and POSIX timers.
//
// Calls: alarm setitimer getitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
// Passes: host acrida
#include "process.h"

static volatile sig_atomic_t count, last_overrun;
static volatile pid_t taker;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	last_overrun = info->si_overrun;
	taker = gettid();
	count++;
}

static void await(int wanted)
{
	while (count < wanted)
		sched_yield();
}

CHECK(alarms)
{
	alarm(0);
	report("none-before", "%u", alarm(50));
	report("replaces", "%u", alarm(10));
	report("cancels", "%u", alarm(0));
	report("none", "%u", alarm(0));
	struct itimerval value = {{0, 0}, {7, 400000}};
	setitimer(ITIMER_REAL, &value, NULL);
	report("rounds", "%u", alarm(0));
	value.it_value = (struct timeval){7, 900000};
	setitimer(ITIMER_REAL, &value, NULL);
	report("rounds-up", "%u", alarm(0));
	value.it_value = (struct timeval){0, 490000};
	setitimer(ITIMER_REAL, &value, NULL);
	report("never-zero-while-armed", "%u", alarm(1000));
	getitimer(ITIMER_REAL, &value);
	report_flag("same-timer-as-itimer", value.it_value.tv_sec >= 900 && value.it_value.tv_sec <= 1000);
	alarm(CHECK_SECONDS);
}

CHECK(itimer_errors)
{
	struct itimerval value = {{0, 0}, {100, 0}};
	report_result("which-3", raw(SYS_setitimer, 3L, &value, 0L));
	report_result("which-negative", raw(SYS_getitimer, -1L, &value));
	report_result("get-bad", raw(SYS_getitimer, (long)ITIMER_VIRTUAL, BAD));
	report_result("get-null", raw(SYS_getitimer, (long)ITIMER_VIRTUAL, 0L));
	report_result("set-bad", raw(SYS_setitimer, (long)ITIMER_VIRTUAL, BAD, 0L));
	report_result("set-bad-which-3", raw(SYS_setitimer, 3L, BAD, 0L));
	value.it_value.tv_usec = 1000000;
	report_result("microseconds-too-many", raw(SYS_setitimer, (long)ITIMER_VIRTUAL, &value, 0L));
	value.it_value = (struct timeval){-1, 0};
	report_result("negative", raw(SYS_setitimer, (long)ITIMER_VIRTUAL, &value, 0L));
	value = (struct itimerval){{0, 1000000}, {1, 0}};
	report_result("interval-too-many", raw(SYS_setitimer, (long)ITIMER_VIRTUAL, &value, 0L));
	value = (struct itimerval){{0, 0}, {100, 0}};
	report_result("old-bad", raw(SYS_setitimer, (long)ITIMER_VIRTUAL, &value, BAD));
	getitimer(ITIMER_VIRTUAL, &value);
	report_flag("armed-anyway", value.it_value.tv_sec >= 99);
	// A null pointer as the new value disarms: an old mistake that stays.
	report_result("null-disarms", raw(SYS_setitimer, (long)ITIMER_VIRTUAL, 0L, &value));
	report_flag("old-value", value.it_value.tv_sec >= 99);
	getitimer(ITIMER_VIRTUAL, &value);
	report("now", "%ld %ld", value.it_value.tv_sec, value.it_value.tv_usec);
}

CHECK(itimer_kinds)
{
	static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
	static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
	for (int i = 0; i < 3; i++) {
		IN_CHILD("child")
		{
			struct itimerval value = {{0, 3000}, {0, 3000}}, left;
			bounded(CHECK_SECONDS);
			handle_info(signals[i], on_signal, 0);
			setitimer(kinds[i], &value, NULL);
			while (count < 3)
				getppid();
			getitimer(kinds[i], &left);
			report("repeats", "%d interval %ld left %s", i, left.it_interval.tv_usec,
			       left.it_value.tv_sec == 0 ? "below a second" : "?");
			value = (struct itimerval){{0, 0}, {0, 0}};
			setitimer(kinds[i], &value, &left);
			getitimer(kinds[i], &left);
			report("disarmed", "%ld %ld %ld", left.it_value.tv_sec, left.it_value.tv_usec,
			       left.it_interval.tv_usec);
			count = 0;
			value = (struct itimerval){{0, 0}, {0, 1}};
			setitimer(kinds[i], &value, NULL);
			while (count < 1)
				getppid();
			getitimer(kinds[i], &left);
			report("once", "%ld %ld", left.it_value.tv_sec, left.it_value.tv_usec);
		}
	}
	IN_CHILD("default-action")
	{
		struct itimerval value = {{0, 0}, {0, 1000}};
		bounded(CHECK_SECONDS);
		setitimer(ITIMER_PROF, &value, NULL);
		for (;;)
			getppid();
	}
}

// Virtual time stands still in a sleep.
CHECK(virtual_time)
{
	struct itimerval value = {{0, 0}, {50, 0}}, before, after;
	struct timespec sleep_time = {0, 100000000};
	setitimer(ITIMER_VIRTUAL, &value, NULL);
	getitimer(ITIMER_VIRTUAL, &before);
	nanosleep(&sleep_time, NULL);
	getitimer(ITIMER_VIRTUAL, &after);
	long passed = (before.it_value.tv_sec - after.it_value.tv_sec) * 1000000 + before.it_value.tv_usec -
		      after.it_value.tv_usec;
	report_flag("hardly-moves", passed < 50000);
	value.it_value.tv_sec = 0;
	setitimer(ITIMER_VIRTUAL, &value, NULL);
}

static struct sigevent event_of(int notify, int signo)
{
	return (struct sigevent){.sigev_notify = notify, .sigev_signo = signo};
}

// The kernel's own number, not libc's handle.
static long create(long clock, struct sigevent *event)
{
	int id = -1;
	long result = raw(SYS_timer_create, clock, event, &id);
	return result < 0 ? result : id;
}

CHECK(create_errors)
{
	int id;
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	report_result("clock", create(99, &event));
	report_result("clock-negative", create(-1, &event));
	report_result("clock-monotonic-raw", create(CLOCK_MONOTONIC_RAW, &event));
	report_result("clock-coarse", create(CLOCK_REALTIME_COARSE, &event));
	event = event_of(SIGEV_SIGNAL, 65);
	report_result("signal-65", create(CLOCK_MONOTONIC, &event));
	event = event_of(SIGEV_SIGNAL, 0);
	report_result("signal-0", create(CLOCK_MONOTONIC, &event));
	event = event_of(77, SIGUSR1);
	report_result("notify", create(CLOCK_MONOTONIC, &event));
	event = event_of(SIGEV_THREAD_ID, SIGUSR1);
	event._sigev_un._tid = 1;
	report_result("tid-of-another", create(CLOCK_MONOTONIC, &event));
	event = event_of(SIGEV_SIGNAL, SIGUSR1);
	report_result("bad-event", raw(SYS_timer_create, (long)CLOCK_MONOTONIC, BAD, &id));
	report_result("bad-id", raw(SYS_timer_create, (long)CLOCK_MONOTONIC, &event, BAD));
	event = event_of(SIGEV_NONE, 99);
	long made = create(CLOCK_MONOTONIC, &event);
	report_ok("none-ignores-signal", made);
	report_result("delete", raw(SYS_timer_delete, made));
	report_result("delete-again", raw(SYS_timer_delete, made));
	report_result("delete-negative", raw(SYS_timer_delete, -1L));
	struct itimerspec value;
	report_result("gettime-deleted", raw(SYS_timer_gettime, made, &value));
	report_result("settime-deleted", raw(SYS_timer_settime, made, 0L, &value, 0L));
	report_result("overrun-deleted", raw(SYS_timer_getoverrun, made));
	report_result("settime-bad-before-missing", raw(SYS_timer_settime, made, 0L, BAD, 0L));
	report_result("settime-null-before-missing", raw(SYS_timer_settime, made, 0L, 0L, 0L));
}

CHECK(settime)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	long timer = create(CLOCK_MONOTONIC, &event);
	struct itimerspec value = {{0, 0}, {100, 0}}, old;
	report_result("set", raw(SYS_timer_settime, timer, 0L, &value, 0L));
	report_result("get", raw(SYS_timer_gettime, timer, &old));
	report_flag("left", old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
	value = (struct itimerspec){{5, 7}, {50, 0}};
	report_result("set-again", raw(SYS_timer_settime, timer, 0L, &value, &old));
	report_flag("old", old.it_value.tv_sec == 99);
	raw(SYS_timer_gettime, timer, &old);
	report("interval", "%ld %ld", old.it_interval.tv_sec, old.it_interval.tv_nsec);
	value = (struct itimerspec){{5, 7}, {0, 0}};
	report_result("disarm", raw(SYS_timer_settime, timer, 0L, &value, 0L));
	raw(SYS_timer_gettime, timer, &old);
	report("disarmed", "%ld %ld interval %ld", old.it_value.tv_sec, old.it_value.tv_nsec, old.it_interval.tv_sec);
	value.it_value.tv_nsec = 1000000000;
	report_result("nanoseconds", raw(SYS_timer_settime, timer, 0L, &value, 0L));
	value.it_value = (struct timespec){-1, 0};
	report_result("negative", raw(SYS_timer_settime, timer, 0L, &value, 0L));
	value = (struct itimerspec){{0, 1000000000}, {1, 0}};
	report_result("interval-nanoseconds", raw(SYS_timer_settime, timer, 0L, &value, 0L));
	report_result("bad-old", raw(SYS_timer_settime, timer, 0L, &(struct itimerspec){{0, 0}, {60, 0}}, BAD));
	raw(SYS_timer_gettime, timer, &old);
	report_flag("armed-anyway", old.it_value.tv_sec >= 59);
	report_result("get-bad", raw(SYS_timer_gettime, timer, BAD));
	// One second past the start of the clock lies in the past: expired at once.
	value = (struct itimerspec){{0, 0}, {1, 0}};
	report_result("absolute-past", raw(SYS_timer_settime, timer, (long)TIMER_ABSTIME, &value, 0L));
	raw(SYS_timer_gettime, timer, &old);
	report_flag("expired", old.it_value.tv_sec == 0);
	raw(SYS_timer_delete, timer);
}

CHECK(signals)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	struct itimerspec value = {{0, 2000000}, {0, 2000000}};
	handle_info(SIGUSR1, on_signal, 0);
	count = 0;
	long timer = create(CLOCK_MONOTONIC, &event);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	await(3);
	raw(SYS_timer_delete, timer);
	report("periodic", "%d", count >= 3);
	// No event block: SIGALRM with the timer's number as value.
	count = 0;
	handle_info(SIGALRM, on_signal, 0);
	alarm(0);
	timer = create(CLOCK_REALTIME, NULL);
	value.it_interval.tv_nsec = 0;
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	await(1);
	report("default-is-sigalrm", "%d", count);
	raw(SYS_timer_delete, timer);
	signal(SIGALRM, SIG_DFL);
	alarm(CHECK_SECONDS);
	// An absolute time on the realtime clock that is near.
	count = 0;
	timer = create(CLOCK_REALTIME, &event);
	clock_gettime(CLOCK_REALTIME, &value.it_value);
	value.it_value.tv_nsec += 3000000;
	if (value.it_value.tv_nsec >= 1000000000) {
		value.it_value.tv_sec++;
		value.it_value.tv_nsec -= 1000000000;
	}
	raw(SYS_timer_settime, timer, (long)TIMER_ABSTIME, &value, 0L);
	await(1);
	report("absolute", "%d", count);
	raw(SYS_timer_delete, timer);
}

// Periods that pass while the signal is pending count as overruns of the one signal.
CHECK(overrun)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGRTMIN);
	struct itimerspec value = {{0, 1000000}, {0, 1000000}};
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	long timer = create(CLOCK_MONOTONIC, &event);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	struct timespec time = {0, 20000000};
	nanosleep(&time, NULL);
	value = (struct itimerspec){{0, 0}, {0, 0}};
	sigwaitinfo(&set, &info);
	long overrun = raw(SYS_timer_getoverrun, timer);
	report("missed-some", "%d, same as in the signal %d", overrun >= 10, info.si_overrun == overrun);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	struct timespec none = {0, 0};
	while (sigtimedwait(&set, &info, &none) > 0)
		;
	raw(SYS_timer_delete, timer);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

// Deleting a timer takes its pending signal away.
CHECK(delete_with_pending_signal)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	struct itimerspec value = {{0, 0}, {0, 1}};
	block(SIG_BLOCK, SIGUSR1);
	long timer = create(CLOCK_MONOTONIC, &event);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	while (!is_pending(SIGUSR1))
		sched_yield();
	raw(SYS_timer_delete, timer);
	signal(SIGUSR1, SIG_IGN);
	block(SIG_UNBLOCK, SIGUSR1);
	report("deleted", "ok");
}

static volatile pid_t thread_id;
static volatile int leave;
static void *wait_for_signal(void *arg)
{
	(void)arg;
	thread_id = gettid();
	while (!leave)
		sched_yield();
	return NULL;
}

CHECK(to_a_thread)
{
	pthread_t thread;
	handle_info(SIGUSR2, on_signal, 0);
	count = leave = 0;
	pthread_create(&thread, NULL, wait_for_signal, NULL);
	while (!thread_id)
		sched_yield();
	struct sigevent event = event_of(SIGEV_THREAD_ID, SIGUSR2);
	struct itimerspec value = {{0, 0}, {0, 1000000}};
	event._sigev_un._tid = thread_id;
	long timer = create(CLOCK_MONOTONIC, &event);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	await(1);
	report_flag("taken-by-it", taker == thread_id);
	leave = 1;
	pthread_join(thread, NULL);
	count = 0;
	// The thread is gone: the timer runs on without effect.
	report_result("after-its-end", raw(SYS_timer_settime, timer, 0L, &value, 0L));
	raw(SYS_timer_delete, timer);
}

static void on_thread_event(union sigval value)
{
	__atomic_store_n((int *)value.sival_ptr, 1, __ATOMIC_SEQ_CST);
}

CHECK(libc_thread_events)
{
	int done = 0;
	timer_t timer;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread_event, .sigev_value.sival_ptr = &done};
	struct itimerspec value = {{0, 0}, {0, 1000000}};
	need(timer_create(CLOCK_MONOTONIC, &event, &timer));
	timer_settime(timer, 0, &value, NULL);
	while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		sched_yield();
	report("function-ran", "%d", done);
	timer_delete(timer);
}

CHECK(cpu_clock_timer)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	struct itimerspec value = {{0, 0}, {0, 5000000}};
	handle_info(SIGUSR1, on_signal, 0);
	count = 0;
	long timer = create(CLOCK_PROCESS_CPUTIME_ID, &event);
	report_ok("create", timer);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	while (!count)
		getppid();
	report("fired", "%d", count);
	raw(SYS_timer_delete, timer);
	count = 0;
	timer = create(CLOCK_THREAD_CPUTIME_ID, &event);
	raw(SYS_timer_settime, timer, 0L, &value, 0L);
	while (!count)
		getppid();
	report("thread-clock-fired", "%d", count);
	raw(SYS_timer_delete, timer);
}

CHECK(proc_listing)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_ptr = (void *)0x1234 };
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	event.sigev_notify = SIGEV_NONE;
	timer_create(CLOCK_REALTIME, &event, &timer);
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGRTMIN + 2;
	event._sigev_un._tid = gettid();
	timer_create(CLOCK_BOOTTIME, &event, &timer);
	FILE *file = fopen("/proc/self/timers", "r");
	char line[256], first[64] = "";
	int number, base = -1;
	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "ID: %d", &number) == 1) {
			base = base < 0 ? number : base;
			report("timer", "%d", number - base);
		} else if (sscanf(line, "notify: %60[a-z/].%d", first, &number) == 2) {
			report("notify", "%s, this process: %d", first, number == getpid());
		} else {
			report("line", "%s", line);
		}
	}
}

// A timer has one signal. One of an older setting is dropped when it would be taken, unless the timer expired again.
CHECK(one_signal)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	struct itimerspec soon = {{0, 0}, {0, 1}}, late = {{0, 0}, {100, 0}}, never = {{0, 0}, {0, 0}};
	const struct itimerspec *settings[] = {&soon, &late, &never};
	const struct timespec now = {0, 0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	block(SIG_BLOCK, SIGUSR1);
	for (int second = 0; second < 3; second++) {
		long timer = create(CLOCK_MONOTONIC, &event);
		int taken = 0;
		raw(SYS_timer_settime, timer, 0L, &soon, 0L);
		while (!is_pending(SIGUSR1))
			sched_yield();
		raw(SYS_timer_settime, timer, 0L, settings[second], 0L);
		if (second == 0)
			while (raw(SYS_timer_gettime, timer, &late) == 0 && late.it_value.tv_nsec)
				sched_yield();
		late.it_value.tv_sec = 100;
		report_flag("pending", is_pending(SIGUSR1));
		while (sigtimedwait(&set, NULL, &now) > 0)
			taken++;
		report("taken", "%d", taken);
		report_flag("pending-still", is_pending(SIGUSR1));
		raw(SYS_timer_delete, timer);
	}
	long timer = create(CLOCK_MONOTONIC, &event);
	raw(SYS_timer_settime, timer, 0L, &soon, 0L);
	while (!is_pending(SIGUSR1))
		sched_yield();
	raw(SYS_timer_delete, timer);
	report("deleted", "%s", outcome(folded(sigtimedwait(&set, NULL, &now))));
}

// What is ignored is not sent, and is sent at once when it no longer is.
CHECK(ignored)
{
	struct sigevent event = event_of(SIGEV_SIGNAL, SIGUSR1);
	struct itimerspec often = {{0, 490000}, {0, 1}}, left;
	signal(SIGUSR1, SIG_IGN);
	long timer = create(CLOCK_MONOTONIC, &event);
	struct timespec begin, now;
	raw(SYS_timer_settime, timer, 0L, &often, 0L);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec < 5000000);
	raw(SYS_timer_gettime, timer, &left);
	report_flag("runs", left.it_value.tv_sec == 0 && left.it_value.tv_nsec > 0);
	report_flag("pending", is_pending(SIGUSR1));
	count = 0;
	handle_info(SIGUSR1, on_signal, 0);
	report_flag("sent-at-once", count >= 1);
	block(SIG_BLOCK, SIGUSR1);
	raw(SYS_timer_settime, timer, 0L, &often, 0L);
	while (!is_pending(SIGUSR1))
		sched_yield();
	signal(SIGUSR1, SIG_IGN);
	report_flag("flushed", !is_pending(SIGUSR1));
	handle_info(SIGUSR1, on_signal, 0);
	report_flag("sent-again", is_pending(SIGUSR1));
	raw(SYS_timer_delete, timer);
	signal(SIGUSR1, SIG_IGN);
	block(SIG_UNBLOCK, SIGUSR1);
}
