// sigwait.c: rt_sigsuspend and rt_sigtimedwait: taking signals without handlers, or with a mask for a moment.
//
// Calls: rt_sigsuspend rt_sigtimedwait
// Passes: host acrida
#include "process.h"

static volatile sig_atomic_t count, mask_inside;
static void on_signal(int signo)
{
	(void)signo;
	count++;
	mask_inside = is_blocked(SIGUSR1) + 2 * is_blocked(SIGUSR2);
}

static unsigned long bit(int signo)
{
	return 1UL << (signo - 1);
}

CHECK(suspend)
{
	unsigned long none = 0, usr1 = bit(SIGUSR1);
	count = 0;
	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR1);
	report_result("pending-ends-it", raw(SYS_rt_sigsuspend, &none, 8L));
	report("handler", "%d times, mask inside %d", count, mask_inside);
	report("mask-restored", "%d %d", is_blocked(SIGUSR1), is_blocked(SIGUSR2));
	raise(SIGUSR1);
	raise(SIGUSR2);
	// SIGUSR1 stays blocked inside: only SIGUSR2 is taken.
	report_result("other-blocked", raw(SYS_rt_sigsuspend, &usr1, 8L));
	report("handler", "%d times, mask inside %d, first still pending %d", count, mask_inside, is_pending(SIGUSR1));
	report_result("size", raw(SYS_rt_sigsuspend, &none, 4L));
	report_result("bad", raw(SYS_rt_sigsuspend, BAD, 8L));
	report_result("size-before-bad", raw(SYS_rt_sigsuspend, BAD, 4L));
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_UNBLOCK, SIGUSR2);
}

// Ignored signals do not end sigsuspend; a signal from outside does.
CHECK(suspend_from_outside)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		unsigned long none = 0;
		count = 0;
		handle(SIGUSR1, on_signal, 0);
		block(SIG_BLOCK, SIGUSR1);
		write(ready[1], "r", 1);
		long result = raw(SYS_rt_sigsuspend, &none, 8L);
		_exit(result == -EINTR && count == 1 ? 0 : 1);
	}
	read(ready[0], &byte, 1);
	wait_asleep(pid);
	kill(pid, SIGURG);
	kill(pid, SIGCHLD);
	kill(pid, SIGUSR1);
	report("child", "%s", ending(pid));
}

static long timed(unsigned long set, siginfo_t *info, long nanoseconds)
{
	struct timespec time = {0, nanoseconds};
	return raw(SYS_rt_sigtimedwait, &set, info, nanoseconds < 0 ? NULL : &time, 8L);
}

CHECK(timedwait)
{
	siginfo_t info;
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	report_result("nothing-zero-time", timed(bit(SIGUSR1), &info, 0));
	report_result("nothing-short-time", timed(bit(SIGUSR1), &info, 3000000));
	report_result("empty-set", timed(0, &info, 0));
	raise(SIGUSR2);
	raise(SIGUSR1);
	report_result("lowest-first", timed(bit(SIGUSR1) | bit(SIGUSR2), &info, 0));
	report("info", "%s %s", signal_text(info.si_signo), code_text(info.si_signo, info.si_code));
	report_result("then", timed(bit(SIGUSR1) | bit(SIGUSR2), NULL, -1));
	report_result("none-left", timed(bit(SIGUSR1) | bit(SIGUSR2), NULL, 0));
	struct timespec wrong = {0, 1000000000}, negative = {-1, 0};
	unsigned long set = bit(SIGUSR1);
	report_result("bad-nanoseconds", raw(SYS_rt_sigtimedwait, &set, &info, &wrong, 8L));
	report_result("negative", raw(SYS_rt_sigtimedwait, &set, &info, &negative, 8L));
	report_result("size", raw(SYS_rt_sigtimedwait, &set, &info, 0L, 4L));
	report_result("bad-set", raw(SYS_rt_sigtimedwait, BAD, &info, 0L, 8L));
	report_result("bad-time", raw(SYS_rt_sigtimedwait, &set, &info, BAD, 8L));
	raise(SIGUSR1);
	report_result("bad-info", raw(SYS_rt_sigtimedwait, &set, BAD, 0L, 8L));
	report_flag("taken-all-the-same", !is_pending(SIGUSR1));
	report_result("kill-and-stop-are-dropped-from-the-set", timed(bit(SIGKILL) | bit(SIGSTOP), &info, 0));
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_UNBLOCK, SIGUSR2);
}

// A signal that is waited for need not be blocked: the wait takes it before its handler would.
CHECK(timedwait_unblocked)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		siginfo_t info;
		count = 0;
		handle(SIGUSR1, on_signal, 0);
		write(ready[1], "r", 1);
		long result = timed(bit(SIGUSR1), &info, -1);
		_exit(result == SIGUSR1 && count == 0 ? 0 : 1);
	}
	read(ready[0], &byte, 1);
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	report("child", "%s", ending(pid));
}

CHECK(timedwait_interrupted)
{
	count = 0;
	handle(SIGALRM, on_signal, 0);
	ticks(1);
	report_result("by-handler", timed(bit(SIGUSR1), NULL, -1));
	report_result("by-handler-with-time", timed(bit(SIGUSR1), NULL, 900000000));
	ticks(0);
	signal(SIGALRM, SIG_DFL);
	alarm(CHECK_SECONDS);
}
