// clone3.c: size and content checks of its argument block, set_tid, pidfd, child stacks.
//
// Calls: clone3
// Passes: host acrida
#include "process.h"

#include <linux/sched.h>

static long call(struct clone_args *args, long size)
{
	long pid = raw(SYS_clone3, args, size);
	if (pid == 0)
		_exit(0);
	return pid;
}

// A failed call prints its errno; one that made a child is an ending.
static void attempt(const char *name, struct clone_args args)
{
	long pid = call(&args, sizeof args);
	report(name, "%s", pid < 0 ? outcome(pid) : ending(pid));
}

CHECK(sizes)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	struct {
		struct clone_args args;
		unsigned long tail;
	} longer = {.args = args};
	report_result("size-zero", call(&args, 0));
	report_result("size-63", call(&args, 63));
	long pid = call(&args, 64);
	report("size-64", "%s", pid < 0 ? outcome(pid) : ending(pid));
	report_result("size-over-page", call(&args, 4097));
	pid = call(&longer.args, sizeof longer);
	report("longer-zero-tail", "%s", pid < 0 ? outcome(pid) : ending(pid));
	longer.tail = 1;
	report_result("longer-nonzero-tail", call(&longer.args, sizeof longer));
	report_result("null", call(NULL, sizeof args));
	report_result("bad-pointer", call(BAD, sizeof args));
	report_result("null-size-zero", call(NULL, 0));
}

CHECK(contents)
{
	int number;
	pid_t tids[33] = {1};
	attempt("plain", (struct clone_args){.exit_signal = SIGCHLD});
	attempt("unknown-flag", (struct clone_args){.flags = 1ULL << 40, .exit_signal = SIGCHLD});
	attempt("csignal-bits-in-flags", (struct clone_args){.flags = SIGCHLD});
	attempt("detached", (struct clone_args){.flags = CLONE_DETACHED, .exit_signal = SIGCHLD});
	attempt("exit-signal-65", (struct clone_args){.exit_signal = 65});
	attempt("exit-signal-256", (struct clone_args){.exit_signal = 256});
	attempt("exit-signal-with-thread",
		(struct clone_args){.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD});
	attempt("exit-signal-with-parent", (struct clone_args){.flags = CLONE_PARENT, .exit_signal = SIGCHLD});
	attempt("thread-without-sighand", (struct clone_args){.flags = CLONE_THREAD});
	attempt("sighand-with-clear-sighand",
		(struct clone_args){.flags = CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD});
	attempt("stack-without-size", (struct clone_args){.stack = (uintptr_t)&number, .exit_signal = SIGCHLD});
	attempt("size-without-stack", (struct clone_args){.stack_size = 4096, .exit_signal = SIGCHLD});
	attempt("stack-outside-user-space",
		(struct clone_args){.stack = ~0UL - 8191, .stack_size = 4096, .exit_signal = SIGCHLD});
	attempt("set-tid-null-with-size", (struct clone_args){.set_tid_size = 1, .exit_signal = SIGCHLD});
	attempt("set-tid-without-size", (struct clone_args){.set_tid = (uintptr_t)tids, .exit_signal = SIGCHLD});
	attempt("set-tid-size-33",
		(struct clone_args){.set_tid = (uintptr_t)tids, .set_tid_size = 33, .exit_signal = SIGCHLD});
	attempt("set-tid-bad-pointer",
		(struct clone_args){.set_tid = (uintptr_t)BAD, .set_tid_size = 1, .exit_signal = SIGCHLD});
	attempt("set-tid-zero",
		(struct clone_args){.set_tid = (uintptr_t)(tids + 1), .set_tid_size = 1, .exit_signal = SIGCHLD});
	tids[0] = getpid();
	attempt("set-tid-in-use",
		(struct clone_args){.set_tid = (uintptr_t)tids, .set_tid_size = 1, .exit_signal = SIGCHLD});
	attempt("pidfd-bad-pointer",
		(struct clone_args){.flags = CLONE_PIDFD, .pidfd = (uintptr_t)BAD, .exit_signal = SIGCHLD});
	attempt("pidfd-same-as-parent-tid", (struct clone_args){.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
								.pidfd = (uintptr_t)&number,
								.parent_tid = (uintptr_t)&number,
								.exit_signal = SIGCHLD});
	attempt("cgroup-bad-fd",
		(struct clone_args){.flags = CLONE_INTO_CGROUP, .cgroup = 9999, .exit_signal = SIGCHLD});
	attempt("cgroup-over-int",
		(struct clone_args){.flags = CLONE_INTO_CGROUP, .cgroup = 1UL << 32, .exit_signal = SIGCHLD});
}

CHECK(pidfd)
{
	int fd = -1;
	struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD};
	long pid = call(&args, sizeof args);
	report_flag("pidfd-made", fd >= 0);
	report("pidfd-cloexec", "%d", fcntl(fd, F_GETFD));
	siginfo_t info = {0};
	report_result("pidfd-waitid", folded(waitid((idtype_t)3, fd, &info, WEXITED)));
	report_flag("pidfd-names-child", info.si_pid == pid);
	close(fd);
}

// The stack is given by its lowest address; the child starts at its top.
CHECK(stack_of_child)
{
	static char stack[65536] __attribute__((aligned(4096)));
	struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK,
				  .exit_signal = SIGCHLD,
				  .stack = (uintptr_t)stack,
				  .stack_size = sizeof stack};
	static volatile unsigned long child_stack;
	long pid;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %%rsp, %1\n\t"
			 "mov $60, %%eax\n\t"
			 "mov $6, %%edi\n\t"
			 "syscall\n\t"
			 "1:"
			 : "=a"(pid), "=m"(child_stack)
			 : "a"((long)SYS_clone3), "D"(&args), "S"(sizeof args)
			 : "rcx", "r11", "memory");
	report("stack-child", "%s", pid < 0 ? outcome(pid) : ending(pid));
	report_flag("stack-starts-at-top", child_stack == (uintptr_t)stack + sizeof stack);
}

// A refused call leaves no descriptor behind.
CHECK(pidfd_is_taken_back)
{
	int before = dup(0), taken = 0;
	close(before);
	struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)BAD, .exit_signal = SIGCHLD};
	report_result("bad-pointer", call(&args, sizeof args));
	pid_t used = getpid();
	args.pidfd = (uintptr_t)&taken;
	args.set_tid = (uintptr_t)&used;
	args.set_tid_size = 1;
	report_result("number-in-use", geteuid() == 0 ? call(&args, sizeof args) : -EEXIST);
	int after = dup(0);
	report_flag("same-next", after == before);
	close(after);
}
