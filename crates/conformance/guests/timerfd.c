// timerfd.c: timers behind descriptors: clocks, points and spans of time, periods, expiries counted, readiness.
//
// Calls: timerfd_create timerfd_settime timerfd_gettime read poll ioctl
// Passes: host acrida
#include "process.h"

#include <pthread.h>
#include <sys/timerfd.h>

// linux/timerfd.h cannot be included together with fcntl.h.
#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

enum { MS = 1000000 };

static struct itimerspec spec(long value, long interval)
{
	return (struct itimerspec){
		.it_value = { value / 1000000000, value % 1000000000 },
		.it_interval = { interval / 1000000000, interval % 1000000000 },
	};
}

static long nanos(struct timespec time)
{
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

static long now(int clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return nanos(time);
}

static int set(int fd, int flags, long value, long interval)
{
	struct itimerspec new = spec(value, interval);
	return timerfd_settime(fd, flags, &new, NULL);
}

static void take(const char *what, int fd)
{
	uint64_t ticks = 0;
	long result = read(fd, &ticks, 8);
	if (result == 8)
		say("%s: %lu", what, ticks);
	else
		say("%s: %s", what, result == -1 ? errno_name(errno) : "short");
}

static void state(const char *what, int fd, int timeout)
{
	struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLPRI | POLLRDHUP };
	int ready = poll(&one, 1, timeout);
	say("%s: %d %s", what, ready, one.revents ? poll_names(one.revents) : "nothing");
}

CHECK(create_errors)
{
	for (long clock = -1; clock < 16; clock++) {
		long fd = raw(SYS_timerfd_create, clock, 0L);
		say("clock %ld: %s", clock, fd >= 0 ? "ok" : outcome(fd));
		if (fd >= 0)
			close(fd);
	}
	for (int bit = 0; bit < 32; bit++) {
		long fd = raw(SYS_timerfd_create, (long)CLOCK_MONOTONIC, 1L << bit);
		if (fd >= 0) {
			say("flag %#lx: ok %s %d", 1L << bit, open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
			close(fd);
		} else if (fd != -EINVAL) {
			say("flag %#lx: %s", 1L << bit, outcome(fd));
		}
	}
	IN_CHILD("no room") {
		struct rlimit limit = { 3, 3 };
		setrlimit(RLIMIT_NOFILE, &limit);
		say("no room: %s", outcome(raw(SYS_timerfd_create, (long)CLOCK_MONOTONIC, 0L)));
	}
}

CHECK(settime_errors_in_order)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec good = spec(0, 0), bad = { { 0, 1000000000 }, { 0, 0 } };
	say("value: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &bad, 0L)));
	bad = (struct itimerspec){ { 0, 0 }, { 0, -1 } };
	say("nanoseconds below 0: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &bad, 0L)));
	bad = (struct itimerspec){ { -1, 0 }, { 0, 0 } };
	say("interval below 0: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &bad, 0L)));
	say("null: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, 0L, 0L)));
	say("bad pointer before all: %s", outcome(raw(SYS_timerfd_settime, 999L, 0xffL, BAD, BAD)));
	say("flags before descriptor: %s", outcome(raw(SYS_timerfd_settime, 999L, 4L, &good, 0L)));
	say("value before descriptor: %s", outcome(raw(SYS_timerfd_settime, 999L, 0L, &bad, 0L)));
	say("closed: %s", outcome(raw(SYS_timerfd_settime, 999L, 0L, &good, 0L)));
	say("not one: %s", outcome(raw(SYS_timerfd_settime, 0L, 0L, &good, 0L)));
	int path = open(".", O_PATH);
	say("path: %s", outcome(raw(SYS_timerfd_settime, (long)path, 0L, &good, 0L)));
	for (long flags = 0; flags < 8; flags++)
		say("flags %ld: %s", flags, outcome(raw(SYS_timerfd_settime, (long)fd, flags, &good, 0L)));
	// Set before the old value is found to have no place.
	good = spec(1000L * 1000 * MS, 0);
	say("old value: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &good, BAD)));
	struct itimerspec left;
	timerfd_gettime(fd, &left);
	say("was set: %d", nanos(left.it_value) > 0);
	say("gettime null: %s", outcome(raw(SYS_timerfd_gettime, (long)fd, 0L)));
	say("gettime closed: %s", outcome(raw(SYS_timerfd_gettime, 999L, BAD)));
	say("gettime not one: %s", outcome(raw(SYS_timerfd_gettime, 0L, BAD)));
}

CHECK(alarm_clocks_need_a_capability)
{
	int fd = timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_NONBLOCK);
	say("as we are: %s", fd >= 0 ? "ok" : errno_name(errno));
	IN_CHILD("another user") {
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		say("boottime: %s", outcome(raw(SYS_timerfd_create, (long)CLOCK_BOOTTIME_ALARM, 0L)));
		say("realtime: %s", outcome(raw(SYS_timerfd_create, (long)CLOCK_REALTIME_ALARM, 0L)));
		say("wrong flags first: %s", outcome(raw(SYS_timerfd_create, (long)CLOCK_REALTIME_ALARM, 1L)));
		struct itimerspec new = spec(MS, 0);
		say("inherited: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &new, 0L)));
		say("wrong flags: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 8L, &new, 0L)));
		say("gettime: %s", outcome(raw(SYS_timerfd_gettime, (long)fd, &new)));
	}
}

CHECK(a_new_one)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec left = spec(7, 7);
	show(timerfd_gettime(fd, &left));
	say("%ld %ld", nanos(left.it_value), nanos(left.it_interval));
	take("read", fd);
	state("poll", fd, 0);
	struct stat st;
	fstat(fd, &st);
	say("mode %o size %ld links %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
	char link[64] = "", path[64];
	sprintf(path, "/proc/self/fd/%d", fd);
	readlink(path, link, 63);
	say("%s", link);
	show(lseek(fd, 5, SEEK_SET));
	show(lseek(fd, -5, SEEK_END));
	char byte[8];
	show(pread(fd, byte, 8, 0));
	show(write(fd, byte, 8));
	show(ftruncate(fd, 0));
	show(fsync(fd));
	show(ioctl(fd, FIONREAD, byte));
	show(ioctl(fd, TCGETS, byte));
	show(fcntl(fd, F_SETFL, O_ASYNC));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
}

CHECK(read_sizes)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	char buffer[64];
	show(read(fd, buffer, 7));
	show(read(fd, buffer, 0));
	show(read(fd, buffer, 8));
	set(fd, 0, 1, 0);
	state("expired", fd, PATIENCE_MS);
	show(read(fd, buffer, 7));
	show(read(fd, buffer, 64));
	set(fd, 0, 1, 0);
	state("expired", fd, PATIENCE_MS);
	show(read(fd, bad_pointer(), 8));
	take("lost", fd);
	set(fd, 0, 1, 0);
	state("expired", fd, PATIENCE_MS);
	show(read(fd, at_edge(4), 8));
	take("lost too", fd);
	set(fd, 0, 1, 0);
	state("expired", fd, PATIENCE_MS);
	struct iovec halves[] = { { buffer, 4 }, { buffer + 4, 4 } };
	memset(buffer, 0, 8);
	show(readv(fd, halves, 2));
	show_bytes("halves", buffer, 8);
}

CHECK(spans_on_each_clock)
{
	int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM };
	for (unsigned i = 0; i < 5; i++) {
		int fd = timerfd_create(clocks[i], 0);
		if (fd < 0)
			continue;
		long before = now(CLOCK_MONOTONIC);
		set(fd, 0, 10 * MS, 0);
		take("waited", fd);
		say("clock %d: %s", clocks[i], now(CLOCK_MONOTONIC) - before >= 10 * MS ? "not early" : "early");
		fcntl(fd, F_SETFL, O_NONBLOCK);
		take("again", fd);
	}
}

CHECK(points_on_each_clock)
{
	int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	for (unsigned i = 0; i < 3; i++) {
		int fd = timerfd_create(clocks[i], 0);
		long until = now(clocks[i]) + 10 * MS;
		set(fd, TFD_TIMER_ABSTIME, until, 0);
		struct itimerspec left;
		timerfd_gettime(fd, &left);
		say("left is a span: %d", nanos(left.it_value) <= 10 * MS);
		take("waited", fd);
		say("clock %d: %s", clocks[i], now(clocks[i]) >= until ? "not early" : "early");
	}
}

CHECK(a_point_that_has_passed)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	set(fd, TFD_TIMER_ABSTIME, 1, 0);
	state("at once", fd, PATIENCE_MS);
	take("once", fd);
	take("then", fd);
	struct itimerspec left;
	timerfd_gettime(fd, &left);
	say("left %ld", nanos(left.it_value));
	// With a period, each that passed since counts.
	set(fd, TFD_TIMER_ABSTIME, now(CLOCK_MONOTONIC) - 1000L * MS, 100L * MS);
	state("at once", fd, PATIENCE_MS);
	uint64_t ticks = 0;
	read(fd, &ticks, 8);
	say("ten or a little more: %d", ticks >= 10 && ticks < 1000);
	timerfd_gettime(fd, &left);
	say("left in the period: %d", nanos(left.it_value) > 0 && nanos(left.it_value) <= 100 * MS);
}

CHECK(nothing_disarms_and_keeps_the_period)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec left;
	set(fd, 0, 1000L * 1000 * MS, 5 * MS);
	set(fd, 0, 0, 7 * MS);
	timerfd_gettime(fd, &left);
	say("%ld %ld", nanos(left.it_value), nanos(left.it_interval));
	state("disarmed", fd, 20);
	set(fd, 0, 1, 0);
	state("expired", fd, PATIENCE_MS);
	set(fd, 0, 0, 0);
	state("its expiry is forgotten", fd, 0);
	take("read", fd);
	set(fd, 0, 1, 0);
	state("expired", fd, PATIENCE_MS);
	set(fd, 0, 1000L * 1000 * MS, 0);
	take("set anew", fd);
}

CHECK(old_value)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec new = spec(1000L * 1000 * MS, 3 * MS), old = spec(9, 9);
	timerfd_settime(fd, 0, &new, &old);
	say("first: %ld %ld", nanos(old.it_value), nanos(old.it_interval));
	new = spec(1, 0);
	timerfd_settime(fd, 0, &new, &old);
	say("second: %d %ld", nanos(old.it_value) > 900L * 1000 * MS, nanos(old.it_interval));
	state("expired", fd, PATIENCE_MS);
	timerfd_settime(fd, 0, &new, &old);
	say("expired: %ld %ld", nanos(old.it_value), nanos(old.it_interval));
	// Of a period the old value is what is left of it, whether it was read or not.
	new = spec(1, 1000L * 1000 * MS);
	timerfd_settime(fd, 0, &new, NULL);
	state("expired", fd, PATIENCE_MS);
	timerfd_settime(fd, 0, &new, &old);
	say("period: %d %d", nanos(old.it_value) > 900L * 1000 * MS, nanos(old.it_interval) == 1000L * 1000 * MS);
}

CHECK(gettime_begins_the_next_period)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec left;
	set(fd, 0, 1, 1000L * 1000 * MS);
	state("expired", fd, PATIENCE_MS);
	timerfd_gettime(fd, &left);
	say("left: %d", nanos(left.it_value) > 900L * 1000 * MS);
	state("still readable", fd, 0);
	take("one", fd);
	timerfd_gettime(fd, &left);
	say("left: %d", nanos(left.it_value) > 900L * 1000 * MS);
}

CHECK(periods_are_counted)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	long before = now(CLOCK_MONOTONIC);
	set(fd, 0, 2 * MS, 2 * MS);
	struct timespec time = { 0, 30 * MS };
	nanosleep(&time, NULL);
	uint64_t ticks = 0, more = 0;
	show(read(fd, &ticks, 8));
	long passed = now(CLOCK_MONOTONIC) - before;
	say("one for each period: %d", ticks >= 14 && (long)ticks <= passed / (2 * MS));
	nanosleep(&time, NULL);
	read(fd, &more, 8);
	passed = now(CLOCK_MONOTONIC) - before;
	say("none is lost: %d", (long)(ticks + more) <= passed / (2 * MS) && (long)(ticks + more) >= 28);
}

CHECK(blocked_reader_is_woken)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	pid_t pid = start();
	if (pid == 0) {
		take("reader", fd);
		_exit(0);
	}
	wait_asleep(pid);
	set(fd, 0, MS, 0);
	reap("reader", pid);
}

CHECK(reader_of_a_disarmed_one_sleeps_on)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	set(fd, 0, 1000L * 1000 * MS, 0);
	pid_t pid = start();
	if (pid == 0) {
		take("reader", fd);
		_exit(0);
	}
	wait_asleep(pid);
	set(fd, 0, 0, 0);
	struct timespec time = { 0, 10 * MS };
	nanosleep(&time, NULL);
	show(waitpid(pid, NULL, WNOHANG));
	set(fd, TFD_TIMER_ABSTIME, 1, 0);
	reap("reader", pid);
}

CHECK(interrupted_and_restarted)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	expect_steps();
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		take("interrupted", fd);
		struct sigaction action = { .sa_handler = made_step, .sa_flags = SA_RESTART };
		sigaction(SIGUSR1, &action, NULL);
		made_step(0);
		take("restarted", fd);
		_exit(0);
	}
	wait_asleep(pid);
	for (int i = 0; i < 2; i++) {
		kill(pid, SIGUSR1);
		await_step();
		wait_asleep(pid);
	}
	set(fd, 0, MS, 0);
	reap("reader", pid);
}

CHECK(only_one_of_several_readers_gets_it)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), results[2];
	pipe(results);
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			uint64_t ticks = 0;
			read(fd, &ticks, 8);
			char text = '0' + (char)ticks;
			write(results[1], &text, 1);
			_exit(0);
		}
		wait_asleep(pids[i]);
	}
	char text[4] = "";
	for (int i = 0; i < 3; i++) {
		set(fd, 0, MS, 0);
		read(results[0], text + i, 1);
		fcntl(results[0], F_SETFL, O_NONBLOCK);
		char more;
		show(read(results[0], &more, 1));
		fcntl(results[0], F_SETFL, 0);
	}
	say("%s", text);
	for (int i = 0; i < 3; i++)
		reap("reader", pids[i]);
}

CHECK(shared_by_dup_and_fork)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), copy = dup(fd);
	set(fd, 0, 1, 0);
	state("copy", copy, PATIENCE_MS);
	IN_CHILD("child")
		take("child", fd);
	take("parent", copy);
	IN_CHILD("child")
		set(fd, 0, 1, 0);
	close(fd);
	state("set by the child", copy, PATIENCE_MS);
	take("copy", copy);
}

CHECK(over_exec)
{
	int stays = timerfd_create(CLOCK_MONOTONIC, 0), goes = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	set(stays, 0, MS, 0);
	set(goes, 0, MS, 0);
	IN_CHILD("program")
		become("read_both", "");
}
ROLE(read_both)
{
	take("stays", 3);
	take("goes", 4);
}

static void show_info(const char *what, int fd)
{
	char path[64], text[1024], *line;
	sprintf(path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY);
	ssize_t length = read(info, text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	close(info);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "mnt_id", 6) && strncmp(line, "ino", 3))
			say("%s: %s", what, line);
}

CHECK(fdinfo)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	show_info("new", fd);
	set(fd, TFD_TIMER_ABSTIME, 1, 0);
	state("expired", fd, PATIENCE_MS);
	show_info("expired", fd);
	take("read", fd);
	show_info("read", fd);
	fd = timerfd_create(CLOCK_REALTIME, 0);
	set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 0, 3 * MS);
	show_info("cancel on set", fd);
}

CHECK(set_ticks)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t ticks = 5;
	// Only with CONFIG_CHECKPOINT_RESTORE.
	if (ioctl(fd, TFD_IOC_SET_TICKS, &ticks) == -1) {
		say("%s", errno_name(errno));
		return;
	}
	state("five", fd, 0);
	take("five", fd);
	ticks = 0;
	show(ioctl(fd, TFD_IOC_SET_TICKS, &ticks));
	show(ioctl(fd, TFD_IOC_SET_TICKS, bad_pointer()));
	ticks = 7;
	set(fd, 0, 1000L * 1000 * MS, 0);
	show(ioctl(fd, TFD_IOC_SET_TICKS, &ticks));
	take("seven", fd);
	struct itimerspec left;
	timerfd_gettime(fd, &left);
	say("still armed: %d", nanos(left.it_value) > 900L * 1000 * MS);
}

CHECK(cancel_on_set_without_a_step)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	show(set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, now(CLOCK_REALTIME) + 1000L * 1000 * MS, 0));
	take("nothing happened", fd);
	state("nothing", fd, 0);
	show(set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 1, 0));
	state("expired", fd, PATIENCE_MS);
	take("one", fd);
	show(set(fd, TFD_TIMER_CANCEL_ON_SET, 1, 0));
	state("a span", fd, PATIENCE_MS);
}

CHECK(very_far_points)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec far = { { 0, 0 }, { LONG_MAX, 999999999 } }, left;
	say("far: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &far, 0L)));
	state("not yet", fd, 0);
	timerfd_gettime(fd, &left);
	say("years: %d", left.it_value.tv_sec > 9000000000L);
	say("far: %s", outcome(raw(SYS_timerfd_settime, (long)fd, (long)TFD_TIMER_ABSTIME, &far, 0L)));
	state("not yet", fd, 0);
	far = (struct itimerspec){ { LONG_MAX, 0 }, { 0, 1 } };
	say("period: %s", outcome(raw(SYS_timerfd_settime, (long)fd, 0L, &far, 0L)));
	state("expired", fd, PATIENCE_MS);
	take("one", fd);
	state("not again", fd, 0);
}

static void *set_and_reset(void *argument)
{
	int fd = *(int *)argument;
	for (int i = 0; i < 2000; i++)
		set(fd, 0, i % 3 ? 1 : 0, i % 2 ? 1000 : 0);
	return NULL;
}

CHECK(setting_races_with_reading)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, set_and_reset, &fd);
	bool wrong = false;
	for (int i = 0; i < 2000; i++) {
		uint64_t ticks = 0;
		long result = read(fd, &ticks, 8);
		wrong |= result == 8 ? ticks == 0 : errno != EAGAIN;
		struct pollfd one = { .fd = fd, .events = POLLIN };
		poll(&one, 1, 0);
		wrong |= (one.revents & ~POLLIN) != 0;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("wrong: %d", wrong);
	set(fd, 0, 1, 0);
	state("still works", fd, PATIENCE_MS);
	take("read", fd);
}

CHECK(closing_an_armed_one)
{
	for (int i = 0; i < 200; i++) {
		int fd = timerfd_create(CLOCK_MONOTONIC, 0);
		set(fd, 0, 1 + i % 7 * 10000, 1000);
		close(fd);
	}
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	set(fd, 0, MS, 0);
	take("the next", fd);
}

CHECK(poll_wakes_and_several_pollers_see_it)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			struct pollfd one = { .fd = fd, .events = POLLIN };
			_exit(poll(&one, 1, PATIENCE_MS) == 1 && one.revents == POLLIN ? 0 : 1);
		}
		wait_asleep(pids[i]);
	}
	set(fd, 0, MS, 0);
	for (int i = 0; i < 3; i++)
		reap("poller", pids[i]);
	take("then", fd);
}
