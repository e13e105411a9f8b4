// pids.c: getpid, getppid, gettid, orphans and child subreapers.
//
// Calls: getpid getppid gettid prctl
// Passes: host acrida
#include "process.h"

CHECK(relations)
{
	pid_t self = getpid();
	report_flag("main-thread", raw(SYS_gettid) == raw(SYS_getpid));
	report_flag("libc-agrees", raw(SYS_getpid) == self && raw(SYS_getppid) == getppid());
	pid_t pid = start();
	if (pid == 0)
		_exit((getppid() == self) + 2 * (raw(SYS_getpid) == getpid()) + 4 * (raw(SYS_gettid) == getpid()));
	report("child", "%s", ending(pid));
	report_flag("own-pid-stays", getpid() == self);
}

static void *tids(void *arg)
{
	*(long *)arg = raw(SYS_gettid);
	return (void *)(raw(SYS_getpid) + raw(SYS_getppid));
}

CHECK(threads)
{
	pthread_t threads[2];
	long tid[2];
	void *sum[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, tids, &tid[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], &sum[i]);
	report_flag("tids-differ", tid[0] != tid[1] && tid[0] != getpid() && tid[1] != getpid());
	report_flag("pid-and-ppid-shared", (long)sum[0] == getpid() + getppid() && sum[0] == sum[1]);
}

// PR_SET_PDEATHSIG goes by the thread that forked: its end kills the child although the process lives on.
static void *fork_here(void *arg)
{
	int *ends = arg;
	char byte;
	pid_t pid = start();
	if (pid == 0) {
		write(ends[1], "r", 1);
		for (;;)
			pause();
	}
	read(ends[0], &byte, 1);
	return (void *)(long)pid;
}

CHECK(child_of_thread)
{
	int ends[2];
	void *pid;
	pthread_t thread;
	need(pipe(ends));
	pthread_create(&thread, NULL, fork_here, ends);
	pthread_join(thread, &pid);
	report("killed-with-its-thread", "%s", ending((long)pid));
}

// A grandchild whose parent ends; `new_parent` is what it sees then, written to the pipe by the grandchild.
static pid_t orphan_parent(bool wait_for_it)
{
	int ends[2], go[2];
	pid_t seen = -1;
	need(pipe(ends));
	need(pipe(go));
	pid_t middle = fork();
	if (middle == 0) {
		if (fork() == 0) {
			char byte;
			alarm(CHECK_SECONDS);
			read(go[0], &byte, 1);
			seen = getppid();
			write(ends[1], &seen, sizeof seen);
			_exit(17);
		}
		_exit(0);
	}
	ending(middle);
	write(go[1], "x", 1);
	read(ends[0], &seen, sizeof seen);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(go[i]);
	}
	if (wait_for_it) {
		int status;
		long pid = raw(SYS_wait4, -1L, &status, 0L, 0L);
		report("orphan-reaped-by-us", "%s", pid > 0 ? status_text(status) : outcome(pid));
	}
	return seen;
}

CHECK(subreaper)
{
	int value = -1;
	prctl(PR_GET_CHILD_SUBREAPER, &value);
	report("default", "%d", value);
	report_flag("orphan-not-ours", orphan_parent(false) != getpid());
	report_result("set", folded(prctl(PR_SET_CHILD_SUBREAPER, 5)));
	prctl(PR_GET_CHILD_SUBREAPER, &value);
	report("normalised", "%d", value);
	report_flag("orphan-is-ours", orphan_parent(true) == getpid());
	pid_t pid = start();
	if (pid == 0) {
		prctl(PR_GET_CHILD_SUBREAPER, &value);
		_exit(value);
	}
	report("not-inherited", "%s", ending(pid));
	report_result("get-null", raw(SYS_prctl, (long)PR_GET_CHILD_SUBREAPER, 0L));
	report_result("get-bad", raw(SYS_prctl, (long)PR_GET_CHILD_SUBREAPER, BAD));
	report_result("unset", folded(prctl(PR_SET_CHILD_SUBREAPER, 0)));
	report_result("nobody-left", folded(wait(NULL)));
}

// The nearest subreaper among the ancestors takes the orphan, not the first one that was set.
CHECK(nearest_subreaper)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = start();
	if (pid == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		_exit(orphan_parent(true) == getpid());
	}
	report("inner-takes-it", "%s", ending(pid));
	report_result("outer-has-nobody", folded(wait(NULL)));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

// When a process with threads loses one, children of that thread go to another thread, not to the reaper.
static void *fork_and_end(void *arg)
{
	int *ends = arg;
	pid_t self = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		alarm(CHECK_SECONDS);
		read(ends[0], &byte, 1);
		_exit(getppid() == self ? 3 : 4);
	}
	return (void *)(long)pid;
}

CHECK(thread_end_keeps_children)
{
	int ends[2];
	void *pid;
	pthread_t thread;
	need(pipe(ends));
	pthread_create(&thread, NULL, fork_and_end, ends);
	pthread_join(thread, &pid);
	write(ends[1], "x", 1);
	report("parent-stays", "%s", ending((long)pid));
}

// Orphans that are zombies already go to the reaper as well, and it is told.
CHECK(zombie_orphans)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t middle = start();
	if (middle == 0) {
		siginfo_t info;
		pid_t inner = fork();
		if (inner == 0)
			_exit(33);
		waitid(P_PID, inner, &info, WEXITED | WNOWAIT);
		_exit(0);
	}
	report("middle", "%s", ending(middle));
	int status;
	report_flag("zombie-handed-over", raw(SYS_wait4, -1L, &status, (long)WNOHANG, 0L) > 0);
	report("zombie-status", "%s", status_text(status));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}
