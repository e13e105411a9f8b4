// wait4.c: options, whom it waits for, statuses, errors, ignored SIGCHLD.
//
// Calls: wait4
// Passes: host acrida
#include "process.h"

CHECK(errors)
{
	int status;
	report_result("no-children", raw(SYS_wait4, -1L, &status, 0L, 0L));
	report_result("no-children-nohang", raw(SYS_wait4, -1L, &status, (long)WNOHANG, 0L));
	report_result("not-a-child", raw(SYS_wait4, 1L, &status, 0L, 0L));
	report_result("itself", raw(SYS_wait4, (long)getpid(), &status, 0L, 0L));
	report_result("parent", raw(SYS_wait4, (long)getppid(), &status, 0L, 0L));
	report_result("missing-group", raw(SYS_wait4, -2000000000L, &status, 0L, 0L));
	report_result("int-min", raw(SYS_wait4, (long)INT_MIN, &status, 0L, 0L));
	report_result("unknown-option", raw(SYS_wait4, -1L, &status, 0x80L, 0L));
	report_result("wexited-not-allowed", raw(SYS_wait4, -1L, &status, (long)WEXITED, 0L));
	report_result("wnowait-not-allowed", raw(SYS_wait4, -1L, &status, (long)WNOWAIT, 0L));
	report_result("option-before-child", raw(SYS_wait4, (long)INT_MIN, &status, 0x80L, 0L));
}

CHECK(bad_pointers)
{
	struct rusage usage;
	int status;
	pid_t pid = child_exits(1);
	// The zombie is reaped even if the status cannot be stored.
	report_result("status-bad", raw(SYS_wait4, (long)pid, BAD, 0L, 0L));
	report_result("status-bad-reaped", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
	pid = child_exits(1);
	status = 0x5555;
	report_result("rusage-bad", raw(SYS_wait4, (long)pid, &status, 0L, BAD));
	report("rusage-bad-status", "0x%x", status);
	report_result("rusage-bad-reaped", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
	pid = child_exits(1);
	report_flag("null-pointers", raw(SYS_wait4, (long)pid, 0L, 0L, 0L) == pid);
	pid = child_exits(1);
	memset(&usage, 0xff, sizeof usage);
	report_flag("rusage-filled", raw(SYS_wait4, (long)pid, 0L, 0L, &usage) == pid && usage.ru_utime.tv_sec == 0 &&
					     usage.ru_maxrss > 0);
}

CHECK(nohang)
{
	int status = 0x5555;
	memset(&status, 0x55, sizeof status);
	struct rusage usage;
	memset(&usage, 0x55, sizeof usage);
	pid_t pid = child_waits();
	report_result("nohang-running", raw(SYS_wait4, (long)pid, &status, (long)WNOHANG, &usage));
	report("nohang-status-untouched", "0x%x", status);
	report_flag("nohang-rusage-untouched", usage.ru_maxrss == 0x5555555555555555);
	kill(pid, SIGTERM);
	report("terminated", "%s", ending(pid));
	report_result("second-wait", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
}

CHECK(by_group)
{
	int status;
	pid_t ours = child_exits(1), other = start();
	if (other == 0) {
		setpgid(0, 0);
		_exit(2);
	}
	setpgid(other, other);
	report_flag("zero-is-own-group", raw(SYS_wait4, 0L, &status, 0L, 0L) == ours && WEXITSTATUS(status) == 1);
	report_result("own-group-empty", raw(SYS_wait4, 0L, &status, 0L, 0L));
	report_flag("negative-is-group",
		    raw(SYS_wait4, (long)-other, &status, 0L, 0L) == other && WEXITSTATUS(status) == 2);
	report_result("group-empty", raw(SYS_wait4, (long)-other, &status, 0L, 0L));
}

CHECK(stops)
{
	int status = 0;
	pid_t pid = child_waits();
	kill(pid, SIGSTOP);
	report_flag("untraced-reports", raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L) == pid);
	report("untraced-status", "%s 0x%x", status_text(status), status);
	report_result("untraced-once", raw(SYS_wait4, (long)pid, &status, (long)(WUNTRACED | WNOHANG), 0L));
	kill(pid, SIGCONT);
	report_flag("continued-reports", raw(SYS_wait4, (long)pid, &status, (long)WCONTINUED, 0L) == pid);
	report("continued-status", "%s 0x%x", status_text(status), status);
	report_result("continued-once", raw(SYS_wait4, (long)pid, &status, (long)(WCONTINUED | WNOHANG), 0L));
	kill(pid, SIGSTOP);
	raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
	report_result("stopped-plain-nohang", raw(SYS_wait4, (long)pid, &status, (long)WNOHANG, 0L));
	kill(pid, SIGTERM);
	report_result("stopped-term-waits", raw(SYS_wait4, (long)pid, &status, (long)WNOHANG, 0L));
	kill(pid, SIGCONT);
	report("term-after-cont", "%s", ending(pid));
	pid = child_waits();
	kill(pid, SIGSTOP);
	raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
	kill(pid, SIGKILL);
	report("stopped-killed", "%s", ending(pid));
}

CHECK(clone_children)
{
	int status;
	pid_t pid = child_exits(3);
	report_result("wclone", raw(SYS_wait4, (long)pid, &status, (long)__WCLONE, 0L));
	report_flag("wall", raw(SYS_wait4, (long)pid, &status, (long)__WALL, 0L) == pid);
	pid = child_exits(3);
	report_flag("wnothread", raw(SYS_wait4, (long)pid, &status, (long)__WNOTHREAD, 0L) == pid);
}

// With SIGCHLD ignored children vanish; a wait lasts until all are gone and fails then.
CHECK(ignored)
{
	int ends[2];
	signal(SIGCHLD, SIG_IGN);
	if (pipe(ends))
		return;
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[1]);
	close(ends[0]);
	int status = 0x5555;
	report_result("ignored-waits-then-echild", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
	report("ignored-status-untouched", "0x%x", status);
	// Told of the end, the parent may still find the number for a moment.
	while (kill(pid, 0) == 0)
		sched_yield();
	report_result("ignored-kill-0", folded(kill(pid, 0)));
	signal(SIGCHLD, SIG_DFL);
	// A zombie that exists already stays when SIGCHLD becomes ignored.
	pid = child_exits(5);
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	signal(SIGCHLD, SIG_IGN);
	report("zombie-before-ignore", "%s", ending(pid));
	struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
	sigaction(SIGCHLD, &action, NULL);
	pid = child_exits(6);
	report("nocldwait", "%s", ending(pid));
	signal(SIGCHLD, SIG_DFL);
	pid = child_exits(7);
	report("default-reports", "%s", ending(pid));
}

static volatile sig_atomic_t seen_status;
static void reap_all(int signo)
{
	int status;
	(void)signo;
	while (waitpid(-1, &status, WNOHANG) > 0)
		seen_status = WEXITSTATUS(status);
}

CHECK(reaped_by_handler)
{
	int status;
	handle(SIGCHLD, reap_all, SA_RESTART);
	pid_t pid = child_exits(44);
	// The wait is either interrupted by the handler's reaping or finds nobody: never the status.
	report_result("handler-reaps-first", raw(SYS_wait4, (long)pid, &status, (long)__WCLONE, 0L));
	while (!seen_status)
		sched_yield();
	report("handler-status", "%d", seen_status);
	signal(SIGCHLD, SIG_DFL);
}

// Children of another thread of ours are ours.
static void *fork_in_thread(void *arg)
{
	*(pid_t *)arg = child_exits(12);
	return NULL;
}
static void *wait_in_thread(void *arg)
{
	return (void *)(long)raw(SYS_wait4, (long)*(pid_t *)arg, 0L, (long)(__WNOTHREAD | WNOHANG), 0L);
}

CHECK(threads)
{
	pthread_t thread;
	pid_t pid = 0;
	void *result;
	pthread_create(&thread, NULL, fork_in_thread, &pid);
	pthread_join(thread, NULL);
	report("child-of-ended-thread", "%s", ending(pid));
	pid = child_waits();
	pthread_create(&thread, NULL, wait_in_thread, &pid);
	pthread_join(thread, &result);
	report_result("wnothread-in-other-thread", (long)result);
	kill(pid, SIGKILL);
	report("killed", "%s", ending(pid));
}

// Whoever has reaped a child has its SIGCHLD already.
CHECK(signal_comes_first)
{
	int missing = 0;
	block(SIG_BLOCK, SIGCHLD);
	for (int round = 0; round < 100; round++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		while (waitpid(pid, &status, WNOHANG) == 0)
			;
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		missing += sigtimedwait(&set, NULL, &(struct timespec){0, 0}) != SIGCHLD;
	}
	report("missing", "%d", missing);
}
