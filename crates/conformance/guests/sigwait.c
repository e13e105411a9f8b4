// sigwait.c: rt_sigsuspend, rt_sigtimedwait and signalfd: taking signals without handlers, or with a mask for a moment.
//
// Calls: rt_sigsuspend rt_sigtimedwait signalfd signalfd4 read poll
// Passes: host acrida
#include "process.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>

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

CHECK(signalfd_errors)
{
	unsigned long set = bit(SIGUSR1);
	report_result("flags", raw(SYS_signalfd4, -1L, &set, 8L, 1L));
	report_result("size", raw(SYS_signalfd4, -1L, &set, 4L, 0L));
	report_result("bad-set", raw(SYS_signalfd4, -1L, BAD, 8L, 0L));
	report_result("size-before-bad", raw(SYS_signalfd4, -1L, BAD, 9L, 0L));
	report_result("closed-fd", raw(SYS_signalfd4, 999L, &set, 8L, 0L));
	report_result("minus-two", raw(SYS_signalfd4, -2L, &set, 8L, 0L));
	report_result("not-a-signalfd", raw(SYS_signalfd4, 1L, &set, 8L, 0L));
	report_result("flags-before-fd", raw(SYS_signalfd4, 999L, &set, 8L, 1L));
	int fd = signalfd(-1, &(sigset_t){0}, SFD_CLOEXEC | SFD_NONBLOCK);
	report("flags-of-it", "%d %s", fcntl(fd, F_GETFD), open_names(fcntl(fd, F_GETFL)));
	struct signalfd_siginfo info;
	report_result("read-nothing", folded(read(fd, &info, sizeof info)));
	report_result("read-too-small", folded(read(fd, &info, sizeof info - 1)));
	report_result("write", folded(write(fd, &info, sizeof info)));
	report_result("lseek", folded(lseek(fd, 0, SEEK_SET)));
}

CHECK(signalfd_read)
{
	sigset_t set;
	struct signalfd_siginfo infos[4];
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	report("empty", "%s", poll_text(fd, POLLIN, 0));
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 11});
	sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 12});
	kill(getpid(), SIGUSR1);
	report("ready", "%s", poll_text(fd, POLLIN, 0));
	long got = folded(read(fd, infos, sizeof infos[0] * 2 + 5));
	report("two-whole-ones", "%s", outcome(got));
	for (int i = 0; i < 2; i++)
		report("info", "%s code %d value %d pid %s uid %s", signal_text(infos[i].ssi_signo), infos[i].ssi_code,
		       infos[i].ssi_int, infos[i].ssi_pid == (unsigned)getpid() ? "ours" : "?",
		       infos[i].ssi_uid == getuid() ? "ours" : "?");
	got = folded(read(fd, infos, sizeof infos));
	report("third", "%s value %d", outcome(got), infos[0].ssi_int);
	report_result("no-more", folded(read(fd, infos, sizeof infos)));
	// A changed set counts for the same descriptor.
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	report_flag("change", signalfd(fd, &set, 0) == fd);
	kill(getpid(), SIGUSR1);
	report_result("old-signal", folded(read(fd, infos, sizeof infos)));
	siginfo_t drop;
	timed(bit(SIGUSR1), &drop, 0);
	kill(getpid(), SIGRTMIN);
	report_result("bad-buffer", raw(SYS_read, (long)fd, BAD, 128L));
	timed(bit(SIGRTMIN), &drop, 0);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

CHECK(signalfd_bad_buffer)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	raise(SIGUSR1);
	report_result("read", raw(SYS_read, (long)fd, BAD, 128L));
	report_flag("signal-lost", !is_pending(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

// Readers see the signals of the reading process, not of the one that made the descriptor.
CHECK(signalfd_over_fork)
{
	sigset_t set;
	struct signalfd_siginfo info;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	raise(SIGUSR1);
	IN_CHILD("child")
	{
		report_result("has-none", folded(read(fd, &info, sizeof info)));
		kill(getpid(), SIGUSR1);
		report_result("own", folded(read(fd, &info, sizeof info)));
		report_flag("from-itself", info.ssi_pid == (unsigned)getpid());
	}
	report_result("parent-has-its-own", folded(read(fd, &info, sizeof info)));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

CHECK(signalfd_blocking_and_epoll)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		sigset_t set;
		struct signalfd_siginfo info;
		struct epoll_event event = {.events = EPOLLIN};
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		int fd = signalfd(-1, &set, 0), poller = epoll_create1(0);
		epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
		write(ready[1], "r", 1);
		long got = read(fd, &info, sizeof info);
		write(ready[1], "r", 1);
		long events = epoll_wait(poller, &event, 1, 10000);
		_exit((got == sizeof info) + 2 * (events == 1) + 4 * (read(fd, &info, sizeof info) == sizeof info));
	}
	for (int i = 0; i < 2; i++) {
		read(ready[0], &byte, 1);
		wait_asleep(pid);
		kill(pid, SIGUSR1);
	}
	report("child", "%s", ending(pid));
}
