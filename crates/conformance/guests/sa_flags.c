// sa_flags.c: SA_RESETHAND, SA_NODEFER, SA_NOCLDSTOP, SA_NOCLDWAIT, sa_mask, SA_SIGINFO: what each does to delivery.
//
// Calls: rt_sigaction rt_sigreturn
// Passes: host acrida
#include "process.h"

#include <ucontext.h>

static volatile sig_atomic_t depth, deepest, count, masked;
static void nest(int signo)
{
	count++;
	if (++depth > deepest)
		deepest = depth;
	if (count < 4)
		raise(signo);
	depth--;
}

static void run(const char *name, int flags)
{
	count = depth = deepest = 0;
	handle(SIGUSR1, nest, flags);
	raise(SIGUSR1);
	report(name, "%d times, %d deep", count, deepest);
	signal(SIGUSR1, SIG_DFL);
}

CHECK(nodefer)
{
	run("blocked-while-handled", 0);
	run("nodefer", SA_NODEFER);
}

CHECK(resethand)
{
	struct sigaction now;
	count = 0;
	handle(SIGUSR1, nest, SA_RESETHAND | SA_RESTART);
	IN_CHILD("second-time-kills")
	{
		count = 10;
		raise(SIGUSR1);
		sigaction(SIGUSR1, NULL, &now);
		// The flags stay as they were.
		report("now", "%s flags %#x", now.sa_handler == SIG_DFL ? "default" : "kept",
		       (unsigned)now.sa_flags & ~0x04000000u);
		raise(SIGUSR1);
		report("survived", "?");
	}
	// SA_RESETHAND alone leaves the signal blocked during the handler.
	IN_CHILD("inside")
	{
		count = 3;
		handle(SIGUSR1, nest, SA_RESETHAND);
		raise(SIGUSR1);
		report("after", "%d", count);
	}
	IN_CHILD("raised-inside")
	{
		count = 0;
		handle(SIGUSR1, nest, SA_RESETHAND);
		raise(SIGUSR1);
		report("survived", "?");
	}
	IN_CHILD("not-for-sigill-or-sigtrap-otherwise")
	{
		count = 10;
		handle(SIGTRAP, nest, SA_RESETHAND);
		raise(SIGTRAP);
		sigaction(SIGTRAP, NULL, &now);
		report("trap", "%s", now.sa_handler == SIG_DFL ? "default" : "kept");
	}
}

static void look_at_mask(int signo)
{
	sigset_t set;
	(void)signo;
	sigprocmask(SIG_SETMASK, NULL, &set);
	masked = 0;
	for (int i = 1; i < 32; i++)
		masked += sigismember(&set, i) == 1;
	masked = masked * 10 + sigismember(&set, SIGUSR1) + 2 * sigismember(&set, SIGUSR2) +
		 4 * (sigismember(&set, SIGKILL) == 1);
}

CHECK(mask_during_handler)
{
	struct sigaction action = {.sa_handler = look_at_mask};
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	report("own-signal", "%d", masked);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	report("and-sa_mask", "%d", masked);
	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	report("full-sa_mask", "%d", masked);
	action.sa_flags = SA_NODEFER;
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	report("nodefer", "%d", masked);
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	report("nodefer-but-in-sa_mask", "%d", masked);
	report("restored", "%d %d", is_blocked(SIGUSR1), is_blocked(SIGUSR2));
}

static volatile sig_atomic_t children;
static void on_child(int signo)
{
	(void)signo;
	children++;
}

static int stop_and_continue(int flags)
{
	int status;
	children = 0;
	handle(SIGCHLD, on_child, flags);
	pid_t pid = start();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	while (raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L) == -EINTR)
		;
	// The status may be there before the signal.
	while (!(flags & SA_NOCLDSTOP) && children < 1)
		sched_yield();
	kill(pid, SIGCONT);
	while (raw(SYS_wait4, (long)pid, &status, (long)WCONTINUED, 0L) == -EINTR)
		;
	while (!(flags & SA_NOCLDSTOP) && children < 2)
		sched_yield();
	int before_death = children;
	kill(pid, SIGKILL);
	ending(pid);
	return before_death * 10 + children;
}

CHECK(nocldstop)
{
	report("with", "%02d", stop_and_continue(SA_NOCLDSTOP));
	report("without", "%02d", stop_and_continue(0));
	signal(SIGCHLD, SIG_DFL);
}

CHECK(nocldwait)
{
	children = 0;
	handle(SIGCHLD, on_child, SA_NOCLDWAIT);
	pid_t pid = start();
	if (pid == 0)
		_exit(3);
	report("status", "%s", ending(pid));
	// On Linux the signal is sent all the same.
	while (!children)
		sched_yield();
	report("signals", "%d", children);
	signal(SIGCHLD, SIG_DFL);
}

// A handler without SA_SIGINFO gets the three arguments too; only the siginfo is not filled in.
static volatile sig_atomic_t three;
static void with_three(int signo, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	three = signo == SIGUSR1 && info && user->uc_mcontext.gregs[REG_RIP] != 0;
}

CHECK(arguments_without_siginfo)
{
	handle(SIGUSR1, (void (*)(int))(void *)with_three, 0);
	raise(SIGUSR1);
	report_flag("all-three", three);
}

// The stack a handler gets is aligned as a called function's, below the red zone.
static volatile uintptr_t frame;
__attribute__((noinline)) static void aligned(int signo)
{
	(void)signo;
	frame = (uintptr_t)__builtin_frame_address(0);
}

CHECK(stack_alignment)
{
	handle(SIGUSR1, aligned, 0);
	int right = 0;
	for (int i = 0; i < 16; i++) {
		long result;
		// Push i times eight bytes so that every alignment occurs.
		__asm__ volatile("mov %%rsp, %%r12\n\t"
				 "sub %%rbx, %%rsp\n\t"
				 "syscall\n\t"
				 "mov %%r12, %%rsp"
				 : "=a"(result)
				 : "a"((long)SYS_tgkill), "D"((long)getpid()), "S"((long)gettid()), "d"((long)SIGUSR1),
				   "b"(128L + 8 * i)
				 : "rcx", "r11", "r12", "memory");
		right += result == 0 && frame % 16 == 0;
	}
	report("aligned", "%d", right);
}
