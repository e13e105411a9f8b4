// clone.c: which flags need which, and what each of them shares.
//
// Calls: clone
// Passes: host acrida
#include "process.h"

#include <linux/sched.h>

static char stack[8][65536] __attribute__((aligned(64)));
static void *top(int which)
{
	return stack[which] + sizeof stack[which];
}
static volatile int word, seen;
static int cell = -1;

static int return_42(void *arg)
{
	return 40 + *(int *)arg;
}
static int store(void *arg)
{
	(void)arg;
	word = 9;
	return 0;
}
static int close_cell(void *arg)
{
	(void)arg;
	return close(cell);
}
static int change_directory(void *arg)
{
	(void)arg;
	umask(0123);
	return chdir("/");
}
static int ignore_usr1(void *arg)
{
	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	return 0;
}
static int report_parent(void *arg)
{
	return getppid() == *(pid_t *)arg;
}
static int read_tid_word(void *arg)
{
	return *(volatile int *)arg == getpid();
}

CHECK(flag_errors)
{
	// Flags without the ones they need, in the order of the checks.
	report_result("thread-without-sighand", raw(SYS_clone, (long)CLONE_THREAD, 0L, 0L, 0L, 0L));
	report_result("thread-sighand-without-vm",
		      raw(SYS_clone, (long)(CLONE_THREAD | CLONE_SIGHAND), 0L, 0L, 0L, 0L));
	report_result("sighand-without-vm", raw(SYS_clone, (long)CLONE_SIGHAND, 0L, 0L, 0L, 0L));
	report_result("fs-with-newns", raw(SYS_clone, (long)(CLONE_FS | CLONE_NEWNS), 0L, 0L, 0L, 0L));
	report_result("fs-with-newuser", raw(SYS_clone, (long)(CLONE_FS | CLONE_NEWUSER), 0L, 0L, 0L, 0L));
	report_result("thread-with-newuser",
		      raw(SYS_clone, (long)(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER), 0L, 0L, 0L, 0L));
	report_result("newipc-with-sysvsem", raw(SYS_clone, (long)(CLONE_NEWIPC | CLONE_SYSVSEM), 0L, 0L, 0L, 0L));
	report_result("pidfd-with-parent-settid",
		      raw(SYS_clone, (long)(CLONE_PIDFD | CLONE_PARENT_SETTID), 0L, &seen, 0L, 0L));
	report_result("pidfd-with-detached", raw(SYS_clone, (long)(CLONE_PIDFD | CLONE_DETACHED), 0L, &seen, 0L, 0L));
}

CHECK(exit_value)
{
	int two = 2;
	pid_t pid = clone(return_42, top(0), SIGCHLD, &two);
	report("return-value", "%s", ending(pid));
}

CHECK(share_vm)
{
	word = 0;
	pid_t pid = clone(store, top(0), SIGCHLD, NULL);
	report("without-vm", "%s", ending(pid));
	report("without-vm-word", "%d", word);
	pid = clone(store, top(0), CLONE_VM | SIGCHLD, NULL);
	report("with-vm", "%s", ending(pid));
	report("with-vm-word", "%d", word);
}

CHECK(share_files)
{
	cell = dup(1);
	report("without-files", "%s", ending(clone(close_cell, top(0), SIGCHLD, NULL)));
	report_ok("without-files-still-open", folded(fcntl(cell, F_GETFD)));
	report("with-files", "%s", ending(clone(close_cell, top(0), CLONE_FILES | SIGCHLD, NULL)));
	report_result("with-files-closed-for-all", folded(fcntl(cell, F_GETFD)));
}

CHECK(share_fs)
{
	char path[PATH_MAX];
	mode_t before = umask(022);
	if (chdir("/tmp"))
		return;
	report("without-fs", "%s", ending(clone(change_directory, top(0), SIGCHLD, NULL)));
	report_flag("without-fs-cwd", getcwd(path, sizeof path) && !strcmp(path, "/tmp"));
	report("with-fs", "%s", ending(clone(change_directory, top(0), CLONE_FS | SIGCHLD, NULL)));
	report_flag("with-fs-cwd", getcwd(path, sizeof path) && !strcmp(path, "/"));
	report("with-fs-umask", "%04o", umask(before));
}

CHECK(share_sighand)
{
	struct sigaction action;
	report("without-sighand", "%s", ending(clone(ignore_usr1, top(0), CLONE_VM | SIGCHLD, NULL)));
	sigaction(SIGUSR1, NULL, &action);
	report_flag("without-sighand-default", action.sa_handler == SIG_DFL);
	report("with-sighand", "%s", ending(clone(ignore_usr1, top(0), CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL)));
	sigaction(SIGUSR1, NULL, &action);
	report_flag("with-sighand-ignored", action.sa_handler == SIG_IGN);
	signal(SIGUSR1, SIG_DFL);
}

CHECK(clear_sighand)
{
	struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
	handle(SIGUSR2, (void (*)(int))1, 0);
	handle(SIGHUP, (void (*)(int))(uintptr_t)store, 0);
	long pid = raw(SYS_clone3, &args, (long)sizeof args);
	if (pid == 0) {
		struct sigaction ignored, handled;
		sigaction(SIGUSR2, NULL, &ignored);
		sigaction(SIGHUP, NULL, &handled);
		_exit((ignored.sa_handler == SIG_IGN) + 2 * (handled.sa_handler == SIG_DFL));
	}
	report("clear-sighand-keeps-ignore", "%s", ending(pid));
	signal(SIGUSR2, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

// A child that reports with another signal, or with none, is a "clone" child: wait needs __WALL or __WCLONE.
CHECK(exit_signals)
{
	int zero = 0, status;
	block(SIG_BLOCK, SIGUSR1);
	pid_t pid = clone(return_42, top(0), SIGUSR1, &zero);
	siginfo_t info;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	long got = folded(sigwaitinfo(&set, &info));
	report("exit-signal-usr1", "%s %s status %d", outcome(got == SIGUSR1 ? 0 : got),
	       info.si_pid == pid ? "from child" : "?", info.si_status);
	report("exit-signal-code", "%d", info.si_code);
	report_result("plain-wait-refuses", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
	report_result("wclone-nohang",
		      raw(SYS_wait4, (long)pid, &status, (long)(__WCLONE | WNOHANG), 0L) == pid ? 0 : -1);
	pid = clone(return_42, top(0), 0, &zero);
	report_result("no-signal-plain-wait", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
	report_flag("no-signal-wall", raw(SYS_wait4, (long)pid, &status, (long)__WALL, 0L) == pid);
	pid = clone(return_42, top(0), SIGCHLD, &zero);
	report_result("wclone-refuses-normal", raw(SYS_wait4, (long)pid, &status, (long)__WCLONE, 0L));
	report("normal", "%s", ending(pid));
	block(SIG_UNBLOCK, SIGUSR1);
	// Numbers that are no signals make children that end without one.
	block(SIG_BLOCK, SIGCHLD);
	static const int none[] = {65, 100, 255};
	for (int i = 0; i < 3; i++) {
		pid = clone(return_42, top(0), none[i], &zero);
		report("no-such-signal", "%d %s", none[i], pid < 0 ? errno_name(errno) : "made");
		if (pid < 0)
			continue;
		report_result("plain-wait-refuses", raw(SYS_wait4, (long)pid, &status, 0L, 0L));
		report_flag("wclone", raw(SYS_wait4, (long)pid, &status, (long)__WCLONE, 0L) == pid);
		report("ended", "%d", WEXITSTATUS(status));
	}
	sigpending(&set);
	report_flag("no-sigchld", !sigismember(&set, SIGCHLD));
	block(SIG_UNBLOCK, SIGCHLD);
}

CHECK(tid_words)
{
	volatile int parent_word = 0, child_word = 0;
	long pid = raw(SYS_clone, (long)(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD), 0L, &parent_word,
		       &child_word, 0L);
	if (pid == 0)
		_exit(read_tid_word((void *)&child_word));
	report_flag("parent-settid", parent_word == pid);
	report("child-settid-only-in-child", "%s, parent sees %d", ending(pid), child_word);
	// A bad pointer is not an error of clone.
	pid = raw(SYS_clone, (long)(CLONE_PARENT_SETTID | SIGCHLD), 0L, BAD, 0L, 0L);
	if (pid == 0)
		_exit(4);
	report("parent-settid-bad-pointer", "%s", pid < 0 ? outcome(pid) : ending(pid));
	pid = raw(SYS_clone, (long)(CLONE_CHILD_SETTID | SIGCHLD), 0L, 0L, BAD, 0L);
	if (pid == 0)
		_exit(5);
	report("child-settid-bad-pointer", "%s", pid < 0 ? outcome(pid) : ending(pid));
}

CHECK(parent_flag)
{
	pid_t grandparent = getpid();
	int ends[2];
	if (pipe(ends))
		return;
	pid_t middle = start();
	if (middle == 0) {
		pid_t pid = clone(report_parent, top(1), CLONE_PARENT | SIGCHLD, &grandparent);
		if (write(ends[1], &pid, sizeof pid) != sizeof pid)
			_exit(1);
		_exit(raw(SYS_wait4, -1L, 0L, (long)__WALL, 0L) == -ECHILD ? 0 : 1);
	}
	pid_t sibling = 0;
	if (read(ends[0], &sibling, sizeof sibling) != sizeof sibling)
		return;
	report("parent-flag-child-is-ours", "%s", ending(sibling));
	report("parent-flag-not-middles", "%s", ending(middle));
	close(ends[0]);
	close(ends[1]);
}

CHECK(vfork_flag)
{
	word = 0;
	pid_t pid = clone(store, top(0), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	report("vfork-vm-ran-first", "%d", word);
	report("vfork-vm", "%s", ending(pid));
	int one = 1;
	pid = clone(return_42, top(0), CLONE_VFORK | SIGCHLD, &one);
	report("vfork-without-vm", "%s", ending(pid));
}

// CLONE_CHILD_CLEARTID: the word is cleared and a futex waiter woken when the child ends.
CHECK(clear_tid)
{
	static volatile int child_word;
	child_word = 77;
	pid_t pid = clone(store, top(0), CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &child_word);
	while (child_word == 77)
		raw(SYS_futex, &child_word, 0L, 77L, 0L, 0L, 0L);
	report("cleartid-word", "%d", child_word);
	report("cleartid", "%s", ending(pid));
}
