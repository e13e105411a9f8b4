// pidfd.c: pidfd_open, pidfd_send_signal, pidfd_getfd, poll and waitid on them.
//
// Calls: pidfd_open pidfd_send_signal pidfd_getfd waitid poll
// Passes: host acrida
#include "process.h"

#include <sys/epoll.h>

static int pidfd_of(pid_t pid)
{
	return raw(SYS_pidfd_open, (long)pid, 0L);
}

CHECK(open_errors)
{
	report_result("zero", raw(SYS_pidfd_open, 0L, 0L));
	report_result("negative", raw(SYS_pidfd_open, -1L, 0L));
	report_result("missing", raw(SYS_pidfd_open, 2000000000L, 0L));
	report_result("unknown-flag", raw(SYS_pidfd_open, (long)getpid(), 0x10000L));
	report_result("unknown-flag-and-zero", raw(SYS_pidfd_open, 0L, 0x10000L));
	report_ok("self", raw(SYS_pidfd_open, (long)getpid(), 0L));
	report_ok("nonblock", raw(SYS_pidfd_open, (long)getpid(), (long)O_NONBLOCK));
	struct rlimit limit = {3, 20000}, old;
	getrlimit(RLIMIT_NOFILE, &old);
	limit.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	report_result("no-descriptors", raw(SYS_pidfd_open, (long)getpid(), 0L));
	setrlimit(RLIMIT_NOFILE, &old);
}

CHECK(descriptor)
{
	int fd = pidfd_of(getpid());
	char byte;
	report("flags", "%d %s", fcntl(fd, F_GETFD), open_names(fcntl(fd, F_GETFL)));
	report_result("read", folded(read(fd, &byte, 1)));
	report_result("write", folded(write(fd, &byte, 1)));
	report_result("lseek", folded(lseek(fd, 0, SEEK_CUR)));
	report_result("mmap", folded((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0)));
	report("poll", "%s", poll_text(fd, POLLIN | POLLOUT, 0));
}

CHECK(thread_is_not_a_process)
{
	pid_t pid = start();
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	report_ok("zombie-can-be-opened", raw(SYS_pidfd_open, (long)pid, 0L));
	ending(pid);
	report_result("reaped-cannot", raw(SYS_pidfd_open, (long)pid, 0L));
}

CHECK(poll_exit)
{
	pid_t pid = child_waits();
	int fd = pidfd_of(pid), set = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = 7};
	report_result("epoll-add", folded(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event)));
	report("alive", "%s", poll_text(fd, POLLIN, 0));
	report_result("alive-waitid-nohang", folded(waitid((idtype_t)3, fd, &(siginfo_t){0}, WEXITED | WNOHANG)));
	kill(pid, SIGKILL);
	report("ended", "%s", poll_text(fd, POLLIN, PATIENCE_MS));
	report("epoll", "%d", epoll_wait(set, &event, 1, PATIENCE_MS));
	siginfo_t info = {0};
	report_result("waitid-nowait", folded(waitid((idtype_t)3, fd, &info, WEXITED | WNOWAIT)));
	report("status", "%s", signal_text(info.si_status));
	report_result("waitid", folded(waitid((idtype_t)3, fd, &info, WEXITED)));
	report_result("waitid-again", folded(waitid((idtype_t)3, fd, &info, WEXITED)));
	report("reaped", "%s", poll_text(fd, POLLIN, 0));
	report_result("signal-after-reaping", raw(SYS_pidfd_send_signal, (long)fd, 0L, 0L, 0L));
}

static void *wait_in_poll(void *arg)
{
	struct pollfd wanted = {.fd = *(int *)arg, .events = POLLIN};
	long ready = poll(&wanted, 1, PATIENCE_MS);
	return (void *)(ready * 100 + wanted.revents);
}

CHECK(poll_blocks_until_exit)
{
	pid_t pid = child_waits();
	int fd = pidfd_of(pid);
	pthread_t threads[2];
	void *result[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, wait_in_poll, &fd);
	kill(pid, SIGTERM);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], &result[i]);
	report("both", "%ld %ld", (long)result[0], (long)result[1]);
	report("child", "%s", ending(pid));
}

CHECK(nonblocking_waitid)
{
	pid_t pid = child_waits();
	int fd = raw(SYS_pidfd_open, (long)pid, (long)O_NONBLOCK);
	siginfo_t info;
	report_result("waitid", folded(waitid((idtype_t)3, fd, &info, WEXITED)));
	report_result("waitid-nohang", folded(waitid((idtype_t)3, fd, &info, WEXITED | WNOHANG)));
	kill(pid, SIGKILL);
	struct pollfd wanted = {.fd = fd, .events = POLLIN};
	poll(&wanted, 1, PATIENCE_MS);
	report_result("ended", folded(waitid((idtype_t)3, fd, &info, WEXITED)));
}

CHECK(not_our_child)
{
	siginfo_t info;
	int self = pidfd_of(getpid()), parent = pidfd_of(getppid() ? getppid() : 1);
	report_result("self", folded(waitid((idtype_t)3, self, &info, WEXITED)));
	report_result("parent", folded(waitid((idtype_t)3, parent, &info, WEXITED)));
}

static siginfo_t seen;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	seen = *info;
}

CHECK(send_signal)
{
	int fd = pidfd_of(getpid());
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE, .si_value.sival_int = 42};
	handle_info(SIGUSR1, on_signal, 0);
	report_result("no-info", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGUSR1, 0L, 0L));
	report("seen", "%s %s", code_text(SIGUSR1, seen.si_code), seen.si_pid == getpid() ? "from us" : "from ?");
	report_result("info", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGUSR1, &info, 0L));
	report("seen", "%s value %d", code_text(SIGUSR1, seen.si_code), seen.si_value.sival_int);
	info.si_signo = SIGUSR2;
	report_result("info-of-other-signal", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGUSR1, &info, 0L));
	report_result("bad-info", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGUSR1, BAD, 0L));
	report_result("unknown-flags", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGUSR1, 0L, 0x100L));
	report_result("signal-65", raw(SYS_pidfd_send_signal, (long)fd, 65L, 0L, 0L));
	report_result("probe", raw(SYS_pidfd_send_signal, (long)fd, 0L, 0L, 0L));
	report_result("not-a-pidfd", raw(SYS_pidfd_send_signal, 1L, 0L, 0L, 0L));
	report_result("closed", raw(SYS_pidfd_send_signal, 999L, 0L, 0L, 0L));
	report_result("flags-before-fd", raw(SYS_pidfd_send_signal, 999L, 0L, 0L, 0x100L));
	pid_t pid = child_waits();
	fd = pidfd_of(pid);
	info = (siginfo_t){.si_signo = SIGTERM, .si_code = SI_USER};
	report_result("other-claims-user", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGTERM, &info, 0L));
	report_result("other", raw(SYS_pidfd_send_signal, (long)fd, (long)SIGTERM, 0L, 0L));
	report("child", "%s", ending(pid));
}

CHECK(getfd)
{
	int ends[2], ready[2];
	char byte;
	need(pipe(ends));
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		int own[2];
		need(pipe(own));
		dup2(own[0], 50);
		write(own[1], "hello", 5);
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	int fd = pidfd_of(pid);
	int taken = raw(SYS_pidfd_getfd, (long)fd, 50L, 0L);
	char text[8] = "";
	report_ok("getfd", taken);
	report("reads", "%zd %s", read(taken, text, 5), text);
	report("cloexec", "%d", fcntl(taken, F_GETFD));
	report_result("closed-there", raw(SYS_pidfd_getfd, (long)fd, 51L, 0L));
	report_result("flags", raw(SYS_pidfd_getfd, (long)fd, 50L, 1L));
	report_result("not-a-pidfd", raw(SYS_pidfd_getfd, 1L, 50L, 0L));
	report_result("closed-pidfd", raw(SYS_pidfd_getfd, 999L, 50L, 0L));
	kill(pid, SIGKILL);
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	report_result("zombie", raw(SYS_pidfd_getfd, (long)fd, 50L, 0L));
	report("child", "%s", ending(pid));
	report_result("reaped", raw(SYS_pidfd_getfd, (long)fd, 50L, 0L));
}

// Only who may look into a process may take from it.
CHECK(getfd_of_others)
{
	pid_t pid = child_waits();
	IN_CHILD("other-user")
	{
		if (geteuid() == 0) {
			need(setresgid(1000, 1000, 1000));
			need(setresuid(1000, 1000, 1000));
		}
		int fd = pidfd_of(pid);
		report_result("of-root", geteuid() == 0 ? -EPERM : raw(SYS_pidfd_getfd, (long)fd, 1L, 0L));
		prctl(PR_SET_DUMPABLE, 1);
		pid_t own = child_waits();
		report_ok("of-ones-own", raw(SYS_pidfd_getfd, (long)pidfd_of(own), 1L, 0L));
		kill(own, SIGKILL);
		report("own", "%s", ending(own));
	}
	kill(pid, SIGKILL);
	report("child", "%s", ending(pid));
}
