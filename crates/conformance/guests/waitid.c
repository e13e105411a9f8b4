// waitid.c: id types, options, siginfo contents, WNOWAIT, errors.
//
// Calls: waitid
// Passes: host acrida
#include "process.h"

// In a group of its own, so that the group is not an orphaned one, in which SIGTSTP does nothing.
static pid_t child_waits_apart(void)
{
	pid_t pid = child_waits();
	setpgid(pid, pid);
	return pid;
}

static void display(const char *name, long result, const siginfo_t *info, pid_t pid)
{
	if (result < 0 || info->si_signo == 0) {
		report(name, "%s signo %d", outcome(result), info->si_signo);
		return;
	}
	int killed = info->si_code != CLD_EXITED;
	int code = info->si_code == CLD_DUMPED ? CLD_KILLED : info->si_code;
	char number[16];
	snprintf(number, sizeof number, "%d", info->si_status);
	report(name, "%s %s %s %s pid %s uid %s errno %d", outcome(result), signal_text(info->si_signo),
	       code_text(SIGCHLD, code), killed ? signal_text(info->si_status) : number,
	       info->si_pid == pid ? "ok" : "wrong", info->si_uid == getuid() ? "ok" : "wrong", info->si_errno);
}

static long call(long type, long id, siginfo_t *info, long options)
{
	if (info)
		memset(info, 0x55, sizeof *info);
	return raw(SYS_waitid, type, id, info, options, 0L);
}

CHECK(errors)
{
	siginfo_t info;
	report_result("no-children", call(P_ALL, 0, &info, WEXITED));
	report_result("no-options", call(P_ALL, 0, &info, 0));
	report_result("only-nohang", call(P_ALL, 0, &info, WNOHANG));
	report_result("only-nowait", call(P_ALL, 0, &info, WNOWAIT));
	report_result("unknown-option", call(P_ALL, 0, &info, WEXITED | 0x40));
	report_result("bad-type", call(99, 0, &info, WEXITED));
	report_result("pid-zero", call(P_PID, 0, &info, WEXITED));
	report_result("pid-negative", call(P_PID, -1, &info, WEXITED));
	report_result("group-negative", call(P_PGID, -1, &info, WEXITED));
	report_result("pidfd-negative", call(3, -1, &info, WEXITED));
	report_result("pidfd-closed", call(3, 9999, &info, WEXITED));
	report_result("pidfd-not-a-pidfd", call(3, 1, &info, WEXITED));
	report_result("not-a-child", call(P_PID, 1, &info, WEXITED));
	report_result("options-before-type", call(99, 0, &info, 0x40));
}

CHECK(bad_pointers)
{
	siginfo_t info;
	pid_t pid = child_exits(1);
	report_result("info-bad", raw(SYS_waitid, (long)P_PID, (long)pid, BAD, (long)WEXITED, 0L));
	report_result("info-bad-reaped", call(P_PID, pid, &info, WEXITED));
	pid = child_exits(1);
	report_result("rusage-bad", raw(SYS_waitid, (long)P_PID, (long)pid, &info, (long)WEXITED, BAD));
	report_result("rusage-bad-reaped", call(P_PID, pid, &info, WEXITED));
	pid = child_exits(1);
	report_result("info-null", raw(SYS_waitid, (long)P_PID, (long)pid, 0L, (long)WEXITED, 0L));
	struct rusage usage;
	memset(&usage, 0x55, sizeof usage);
	pid = child_exits(1);
	report_result("rusage", raw(SYS_waitid, (long)P_PID, (long)pid, &info, (long)WEXITED, &usage));
	report_flag("rusage-filled", usage.ru_utime.tv_sec == 0 && usage.ru_maxrss > 0);
}

CHECK(endings)
{
	siginfo_t info;
	pid_t pid = child_exits(200);
	display("exited", call(P_PID, pid, &info, WEXITED), &info, pid);
	pid = child_waits_apart();
	kill(pid, SIGTERM);
	display("killed", call(P_PID, pid, &info, WEXITED), &info, pid);
	pid = child_waits_apart();
	kill(pid, SIGQUIT);
	display("core-signal", call(P_ALL, 0, &info, WEXITED), &info, pid);
	pid = child_waits_apart();
	memset(&info, 0x55, sizeof info);
	display("nohang-running", call(P_PID, pid, &info, WEXITED | WNOHANG), &info, pid);
	report("nohang-info-cleared", "pid %d code %d status %d", info.si_pid, info.si_code, info.si_status);
	kill(pid, SIGKILL);
	display("sigkill", call(P_PID, pid, &info, WEXITED), &info, pid);
}

CHECK(nowait)
{
	siginfo_t info;
	pid_t pid = child_exits(3);
	display("nowait-1", call(P_PID, pid, &info, WEXITED | WNOWAIT), &info, pid);
	display("nowait-2", call(P_ALL, 0, &info, WEXITED | WNOWAIT), &info, pid);
	report_result("zombie-accepts-signals", folded(kill(pid, SIGTERM)));
	display("after-nowait", call(P_PID, pid, &info, WEXITED), &info, pid);
	display("gone", call(P_PID, pid, &info, WEXITED), &info, pid);
}

CHECK(stops)
{
	siginfo_t info;
	pid_t pid = child_waits_apart();
	kill(pid, SIGTSTP);
	display("stopped", call(P_PID, pid, &info, WSTOPPED | WNOWAIT), &info, pid);
	display("stopped-consumed", call(P_PID, pid, &info, WSTOPPED), &info, pid);
	display("stopped-no-more", call(P_PID, pid, &info, WSTOPPED | WNOHANG), &info, pid);
	kill(pid, SIGCONT);
	display("continued-nowait", call(P_PID, pid, &info, WCONTINUED | WNOWAIT), &info, pid);
	display("continued", call(P_PID, pid, &info, WCONTINUED | WSTOPPED | WEXITED), &info, pid);
	display("continued-no-more", call(P_PID, pid, &info, WCONTINUED | WSTOPPED | WEXITED | WNOHANG), &info, pid);
	kill(pid, SIGSTOP);
	display("stopped-again", call(P_PID, pid, &info, WSTOPPED | WNOWAIT), &info, pid);
	kill(pid, SIGKILL);
	display("killed-while-stopped", call(P_PID, pid, &info, WEXITED), &info, pid);
	// A zombie with only WSTOPPED: not an error while it can still be waited for with WEXITED.
	pid = child_exits(0);
	call(P_PID, pid, &info, WEXITED | WNOWAIT);
	display("zombie-only-stopped", call(P_PID, pid, &info, WSTOPPED | WNOHANG), &info, pid);
	display("zombie-reaped", call(P_PID, pid, &info, WEXITED), &info, pid);
}

CHECK(groups)
{
	siginfo_t info;
	pid_t ours = child_exits(1), other = start();
	if (other == 0) {
		setpgid(0, 0);
		_exit(2);
	}
	setpgid(other, other);
	display("group", call(P_PGID, other, &info, WEXITED), &info, other);
	display("group-empty", call(P_PGID, other, &info, WEXITED), &info, other);
	display("group-zero-is-own", call(P_PGID, 0, &info, WEXITED), &info, ours);
}
