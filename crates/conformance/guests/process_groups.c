// process_groups.c: setpgid, getpgid, setsid, getsid; who may move whom.
//
// Calls: setpgid getpgid getpgrp setsid getsid
// Passes: host acrida
#include "process.h"

#define NOBODY 2000000000L

ROLE(wait_for_byte)
{
	char byte;
	write(atoi(argv[1]), "r", 1);
	read(atoi(argv[0]), &byte, 1);
	_exit(0);
}

CHECK(getters)
{
	report_flag("getpgrp", raw(SYS_getpgrp) == raw(SYS_getpgid, 0L));
	report_flag("getpgid-self", raw(SYS_getpgid, (long)getpid()) == getpgrp());
	report_flag("getsid-self", raw(SYS_getsid, 0L) == raw(SYS_getsid, (long)getpid()));
	report_result("getpgid-missing", raw(SYS_getpgid, NOBODY));
	report_result("getpgid-negative", raw(SYS_getpgid, -1L));
	report_result("getsid-missing", raw(SYS_getsid, NOBODY));
	report_result("getsid-negative", raw(SYS_getsid, -1L));
	pid_t pid = start();
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	report_flag("getpgid-of-zombie", raw(SYS_getpgid, (long)pid) == getpgrp());
	report_flag("getsid-of-zombie", raw(SYS_getsid, (long)pid) == getsid(0));
	report("zombie", "%s", ending(pid));
	report_result("getpgid-reaped", raw(SYS_getpgid, (long)pid));
}

CHECK(setpgid_errors)
{
	report_result("pgid-negative", raw(SYS_setpgid, 0L, -1L));
	report_result("pid-missing", raw(SYS_setpgid, NOBODY, 0L));
	report_result("pid-negative", raw(SYS_setpgid, -5L, 0L));
	report_result("pid-is-parent", raw(SYS_setpgid, (long)getppid(), 0L));
	report_result("negative-before-missing", raw(SYS_setpgid, NOBODY, -1L));
	pid_t pid = start();
	if (pid == 0) {
		report_result("group-missing", raw(SYS_setpgid, 0L, NOBODY));
		setpgid(0, 0);
		report_result("again", raw(SYS_setpgid, 0L, 0L));

		_exit(0);
	}
	report("child", "%s", ending(pid));
}

CHECK(setpgid_of_children)
{
	int go[2];
	need(pipe(go));
	pid_t a = start();
	if (a == 0) {
		char byte;
		read(go[0], &byte, 1);
		_exit(getpgrp() == getpid());
	}
	pid_t b = start();
	if (b == 0) {
		char byte;
		read(go[0], &byte, 1);
		_exit(getpgrp() != getpid());
	}
	report_result("own-group-for-child", raw(SYS_setpgid, (long)a, 0L));
	report_flag("seen", getpgid(a) == a);
	report_result("second-joins-first", raw(SYS_setpgid, (long)b, (long)a));
	report_flag("joined", getpgid(b) == a);
	report_result("group-of-plain-pid", raw(SYS_setpgid, (long)a, (long)b));
	report_result("back-to-ours", raw(SYS_setpgid, (long)b, (long)getpgrp()));
	write(go[1], "xx", 2);
	report("a", "%s", ending(a));
	report("b", "%s", ending(b));
	report_result("reaped", raw(SYS_setpgid, (long)a, 0L));
}

// After the child's execve its parent may not move it any more.
CHECK(after_exec)
{
	int go[2], ready[2];
	char byte, in[16], out[16];
	need(pipe(go));
	need(pipe(ready));
	snprintf(in, sizeof in, "%d", go[0]);
	snprintf(out, sizeof out, "%d", ready[1]);
	pid_t pid = start();
	if (pid == 0)
		become_role("wait_for_byte", in, out, NULL);
	read(ready[0], &byte, 1);
	report_result("eacces", raw(SYS_setpgid, (long)pid, 0L));
	report_result("own-group-is-no-exception", raw(SYS_setpgid, (long)pid, (long)getpgrp()));
	write(go[1], "x", 1);
	report("child", "%s", ending(pid));
}

// A zombie child can still be moved: it has not called execve.
CHECK(zombie)
{
	siginfo_t info;
	pid_t pid = start();
	if (pid == 0)
		_exit(0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	report_result("move-zombie", raw(SYS_setpgid, (long)pid, 0L));
	report_flag("moved", getpgid(pid) == pid);
	report_flag("wait-by-its-group", raw(SYS_wait4, (long)-pid, 0L, 0L, 0L) == pid);
}

CHECK(sessions)
{
	int go[2], ready[2];
	char byte;
	need(pipe(go));
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		report_flag("setsid", raw(SYS_setsid) == getpid());
		report_flag("leads-all", getsid(0) == getpid() && getpgrp() == getpid());
		report_result("setsid-twice", raw(SYS_setsid));
		report_result("leader-cannot-move", raw(SYS_setpgid, 0L, 0L));
		pid_t inner = start();
		if (inner == 0) {
			report_flag("inherited", getsid(0) == getppid());
			report_result("session-leaders-parent", raw(SYS_setpgid, (long)getppid(), 0L));
			_exit(0);
		}
		report("inner", "%s", ending(inner));
		write(ready[1], "r", 1);
		read(go[0], &byte, 1);
		_exit(0);
	}
	read(ready[0], &byte, 1);
	report_flag("getsid-of-child", raw(SYS_getsid, (long)pid) == pid);
	report_result("parent-cannot-move-leader", raw(SYS_setpgid, (long)pid, (long)getpgrp()));
	report_result("parent-cannot-join", raw(SYS_setpgid, 0L, (long)pid));
	write(go[1], "x", 1);
	report("leader", "%s", ending(pid));
}

// A group leader cannot make a session, not even when the group's number lives on only in a member.
CHECK(setsid_of_group_leader)
{
	pid_t pid = start();
	if (pid == 0) {
		setpgid(0, 0);
		report_result("leader", raw(SYS_setsid));
		_exit(0);
	}
	report("child", "%s", ending(pid));
	pid = start();
	if (pid == 0) {
		int go[2];
		char byte;
		need(pipe(go));
		pid_t parent_group = getpgrp();
		setpgid(0, 0);
		pid_t member = start();
		if (member == 0) {
			read(go[0], &byte, 1);
			_exit(0);
		}
		report_result("leaves-its-group", raw(SYS_setpgid, 0L, (long)parent_group));
		report_result("group-with-our-number", raw(SYS_setsid));
		write(go[1], "x", 1);
		report("member", "%s", ending(member));
		report_flag("group-gone", raw(SYS_setsid) == getpid());
		_exit(0);
	}
	report("second", "%s", ending(pid));
}

// Threads share the group and the session.
static void *move_group(void *arg)
{
	(void)arg;
	return (void *)raw(SYS_setpgid, 0L, 0L);
}

CHECK(from_thread)
{
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		void *result;
		pthread_create(&thread, NULL, move_group, NULL);
		pthread_join(thread, &result);
		report_result("setpgid-in-thread", (long)result);
		_exit(getpgrp() == getpid());
	}
	report("seen-by-main", "%s", ending(pid));
}

// When a group with a stopped member becomes orphaned, the group gets SIGHUP and then SIGCONT.
CHECK(orphaned_stopped_group)
{
	int out[2];
	need(pipe(out));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t middle = start();
	if (middle == 0) {
		pid_t inner = fork();
		if (inner == 0) {
			alarm(CHECK_SECONDS);
			for (;;)
				pause();
		}
		setpgid(inner, inner);
		kill(inner, SIGSTOP);
		siginfo_t info;
		waitid(P_PID, inner, &info, WSTOPPED | WNOWAIT);
		_exit(0);
	}
	// We take over `inner`; we are of another group in the same session, so its group stays attached.
	report("middle", "%s", ending(middle));
	int status;
	pid_t inner = raw(SYS_wait4, -1L, &status, (long)WUNTRACED, 0L);
	report("attached-group-stays-stopped", "%s", status_text(status));
	kill(inner, SIGKILL);
	report("inner", "%s", ending(inner));

	pid_t leader = start();
	if (leader == 0) {
		setsid();
		middle = fork();
		if (middle == 0) {
			pid_t stopped = fork();
			if (stopped == 0) {
				alarm(CHECK_SECONDS);
				for (;;)
					pause();
			}
			setpgid(stopped, stopped);
			kill(stopped, SIGSTOP);
			raw(SYS_wait4, (long)stopped, &status, (long)WUNTRACED, 0L);
			_exit(0);
		}
		_exit(0);
	}
	// The session's members vanish; the stopped one falls to us, a foreign session: orphaned, SIGHUP ends it.
	report("leader", "%s", ending(leader));
	int hup = 0;
	for (;;) {
		long pid = raw(SYS_wait4, -1L, &status, 0L, 0L);
		if (pid < 0)
			break;
		if (WIFSIGNALED(status))
			hup = WTERMSIG(status);
	}
	report("orphaned-group-gets", "%s", signal_text(hup));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}
