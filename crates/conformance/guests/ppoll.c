// ppoll.c: poll with a precise timeout and a signal mask.
//
// Calls: ppoll
// Passes: host acrida
#include "check.h"

static int p[2];
static volatile sig_atomic_t signals;
static void count(int sig UNUSED)
{
	signals++;
}

static long do_ppoll(struct pollfd *set, unsigned n, void *timeout, const void *mask, size_t size)
{
	return syscall(SYS_ppoll, set, n, timeout, mask, size);
}

CHECK(arguments)
{
	struct pollfd set = { .fd = -1 };
	struct timespec zero = { 0, 0 };
	uint64_t mask = 0;
	show(do_ppoll(&set, 1, &zero, NULL, 0));
	show(do_ppoll(&set, 1, &zero, NULL, 77));
	show(do_ppoll(&set, 1, &zero, &mask, 8));
	show(do_ppoll(&set, 1, &zero, &mask, 4));
	show(do_ppoll(&set, 1, &zero, &mask, 16));
	show(do_ppoll(&set, 1, &zero, bad_pointer(), 8));
	show(do_ppoll(&set, 1, &zero, bad_pointer(), 4));
	show(do_ppoll(&set, 1, bad_pointer(), NULL, 8));
	show(do_ppoll(bad_pointer(), 1, &zero, NULL, 8));
	show(do_ppoll(&set, 5000, &zero, NULL, 8));
	show(do_ppoll(&set, 1, &(struct timespec){ -1, 0 }, NULL, 8));
	show(do_ppoll(&set, 1, &(struct timespec){ 0, -1 }, NULL, 8));
	show(do_ppoll(&set, 1, &(struct timespec){ 0, 1000000000 }, NULL, 8));
	show(do_ppoll(&set, 1, &(struct timespec){ 0, 1 }, NULL, 8));
	show(do_ppoll(bad_pointer(), 5000, &(struct timespec){ -1, 0 }, bad_pointer(), 4));
}

CHECK(timeout_is_written_back)
{
	struct timespec timeout = { 0, 1000 };
	struct pollfd set = { .fd = -1 };
	show(do_ppoll(&set, 1, &timeout, NULL, 0));
	say("left %ld.%09ld", (long)timeout.tv_sec, timeout.tv_nsec);
	need(pipe(p));
	set = (struct pollfd){ .fd = p[1], .events = POLLOUT };
	timeout = (struct timespec){ 100, 0 };
	show(do_ppoll(&set, 1, &timeout, NULL, 0));
	say("some time left %d, not more than given %d", timeout.tv_sec >= 90, timeout.tv_sec <= 100);
	struct timespec *fixed = read_only_pointer();
	show(do_ppoll(&set, 1, fixed, NULL, 0));
}

CHECK(mask_holds_while_waiting)
{
	need(pipe(p));
	sigset_t blocked, before, now;
	struct sigaction action = { .sa_handler = count };
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signals = 0;
	kill(getpid(), SIGUSR1);
	show(signals);
	struct pollfd set = { .fd = p[0], .events = POLLIN };
	show(ppoll(&set, 1, NULL, &before));
	show(signals);
	sigprocmask(SIG_SETMASK, NULL, &now);
	show(sigismember(&now, SIGUSR1));
	// Ready at once: the pending signal is not taken.
	kill(getpid(), SIGUSR1);
	set = (struct pollfd){ .fd = p[1], .events = POLLOUT };
	long ready = ppoll(&set, 1, NULL, &before);
	show(ready);
	show(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	show(signals);
}

CHECK(pending_signal_and_zero_timeout)
{
	need(pipe(p));
	sigset_t blocked, before;
	struct sigaction action = { .sa_handler = count };
	struct timespec zero = { 0, 0 };
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signals = 0;
	kill(getpid(), SIGUSR1);
	struct pollfd set = { .fd = p[0], .events = POLLIN };
	show(ppoll(&set, 1, &zero, &before));
	show(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	show(signals);
}

CHECK(blocked_signal_does_not_interrupt)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		sigset_t mask;
		struct sigaction action = { .sa_handler = count };
		sigaction(SIGUSR1, &action, NULL);
		signals = 0;
		sigfillset(&mask);
		struct pollfd set = { .fd = p[0], .events = POLLIN };
		long ready = ppoll(&set, 1, NULL, &mask);
		show(ready);
		show(signals);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	wait_asleep(pid);
	write(p[1], "x", 1);
	reap("poller", pid);
}
