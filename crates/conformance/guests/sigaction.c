// sigaction.c: rt_sigaction and rt_sigprocmask: arguments, what is stored, what can never be changed.
//
// Calls: rt_sigaction rt_sigprocmask rt_sigpending
// Passes: host acrida
#include "process.h"

// The kernel's own layout, without libc's restorer and conversions.
struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static void on_signal(int signo)
{
	(void)signo;
}

static long action(long signo, const void *set, void *old, long size)
{
	return raw(SYS_rt_sigaction, signo, set, old, size);
}

CHECK(action_errors)
{
	struct kernel_action ignore = {.handler = SIG_IGN}, old;
	report_result("signal-zero", action(0, NULL, &old, 8));
	report_result("signal-65", action(65, NULL, &old, 8));
	report_result("signal-negative", action(-1, NULL, &old, 8));
	report_result("size-4", action(SIGUSR1, NULL, &old, 4));
	report_result("size-16", action(SIGUSR1, NULL, &old, 16));
	report_result("size-before-signal", action(99, BAD, BAD, 4));
	report_result("bad-new", action(SIGUSR1, BAD, NULL, 8));
	report_result("bad-new-before-signal", action(99, BAD, NULL, 8));
	report_result("bad-old", action(SIGUSR1, NULL, BAD, 8));
	report_result("kill-change", action(SIGKILL, &ignore, NULL, 8));
	report_result("kill-default", action(SIGKILL, &(struct kernel_action){0}, NULL, 8));
	report_result("kill-query", action(SIGKILL, NULL, &old, 8));
	report_result("stop-change", action(SIGSTOP, &ignore, NULL, 8));
	report_result("stop-query", action(SIGSTOP, NULL, &old, 8));
	report_result("both-null", action(SIGUSR1, NULL, NULL, 8));
	// The change is made before the old action is stored.
	report_result("bad-old-with-new", action(SIGUSR1, &ignore, BAD, 8));
	action(SIGUSR1, NULL, &old, 8);
	report_flag("changed-anyway", old.handler == (void *)SIG_IGN);
}

CHECK(what_is_stored)
{
	struct kernel_action set = {.handler = on_signal,
				    .flags = SA_RESTART | SA_NODEFER | 0x04000000,
				    .restorer = (void *)0x1234},
			     old;
	set.mask = ~0UL;
	report_result("set", action(SIGUSR1, &set, NULL, 8));
	report_result("get", action(SIGUSR1, NULL, &old, 8));
	report("stored", "handler %s flags %#lx restorer %p mask %#lx",
	       old.handler == (void *)on_signal ? "same" : "other", old.flags, old.restorer, old.mask);
	set.flags = ~0UL;
	action(SIGUSR1, &set, NULL, 8);
	action(SIGUSR1, NULL, &old, 8);
	report("all-flags", "%#lx", old.flags);
	set.flags = 0x400 | SA_SIGINFO;
	action(SIGUSR1, &set, NULL, 8);
	action(SIGUSR1, NULL, &old, 8);
	report("unsupported-flag-cleared", "%#lx", old.flags);
	for (int signo = 32; signo <= 34; signo++)
		report("real-time", "%d %s", signo, outcome(action(signo, NULL, &old, 8)));
	report_result("last", action(64, &(struct kernel_action){.handler = SIG_IGN}, NULL, 8));
	action(64, &(struct kernel_action){0}, NULL, 8);
}

// Setting a signal to be ignored throws away what is pending, blocked or not; SIG_DFL does so where the default is to
// ignore.
CHECK(ignoring_drops_pending)
{
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGURG);
	block(SIG_BLOCK, SIGCHLD);
	handle(SIGURG, on_signal, 0);
	handle(SIGUSR1, on_signal, 0);
	raise(SIGUSR1);
	raise(SIGURG);
	report("pending", "%d %d", is_pending(SIGUSR1), is_pending(SIGURG));
	signal(SIGUSR1, SIG_DFL);
	signal(SIGURG, SIG_DFL);
	report("after-default", "%d %d", is_pending(SIGUSR1), is_pending(SIGURG));
	signal(SIGUSR1, SIG_IGN);
	report("after-ignore", "%d", is_pending(SIGUSR1));
	// A blocked signal that is ignored is queued all the same: it may be unblocked as another.
	raise(SIGUSR1);
	raise(SIGURG);
	report("sent-while-ignored-and-blocked", "%d %d", is_pending(SIGUSR1), is_pending(SIGURG));
	signal(SIGUSR1, SIG_IGN);
	report("ignored-again", "%d", is_pending(SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_UNBLOCK, SIGURG);
	block(SIG_UNBLOCK, SIGCHLD);
}

static long mask(long how, const void *set, void *old, long size)
{
	return raw(SYS_rt_sigprocmask, how, set, old, size);
}

CHECK(mask_errors)
{
	unsigned long none = 0, old = 0;
	report_result("how-3", mask(3, &none, &old, 8));
	report_result("how-negative", mask(-1, &none, &old, 8));
	report_result("how-ignored-without-set", mask(99, NULL, &old, 8));
	report_result("size-4", mask(SIG_BLOCK, &none, &old, 4));
	report_result("size-16", mask(SIG_BLOCK, &none, &old, 16));
	report_result("size-before-how", mask(99, BAD, &old, 4));
	report_result("bad-set", mask(SIG_BLOCK, BAD, &old, 8));
	report_result("bad-set-before-how", mask(99, BAD, &old, 8));
	report_result("bad-old", mask(SIG_BLOCK, NULL, BAD, 8));
	unsigned long usr1 = 1UL << (SIGUSR1 - 1);
	report_result("bad-old-with-set", mask(SIG_BLOCK, &usr1, BAD, 8));
	mask(0, NULL, &old, 8);
	report_flag("blocked-anyway", old & usr1);
	mask(SIG_UNBLOCK, &usr1, NULL, 8);
	report_result("both-null", mask(SIG_BLOCK, NULL, NULL, 8));
}

CHECK(mask_operations)
{
	unsigned long all = ~0UL, some = 0x6, old, none = 0;
	report_result("set-all", mask(SIG_SETMASK, &all, NULL, 8));
	mask(0, NULL, &old, 8);
	report("kill-and-stop-cannot-be-blocked", "%#lx", ~old);
	mask(SIG_SETMASK, &some, &old, 8);
	mask(SIG_BLOCK, &(unsigned long){0x10}, &old, 8);
	report("before-block", "%#lx", old);
	mask(SIG_UNBLOCK, &(unsigned long){0x2}, &old, 8);
	report("before-unblock", "%#lx", old);
	mask(SIG_SETMASK, &none, &old, 8);
	report("after-unblock", "%#lx", old);
	// One area for both: the new set is read before the old one is written.
	unsigned long both = 0x20;
	mask(SIG_SETMASK, &both, &both, 8);
	mask(SIG_SETMASK, &none, &old, 8);
	report("same-area", "old %#lx then %#lx", both, old);
}

CHECK(pending_errors)
{
	unsigned long set = ~0UL;
	report_result("size-9", raw(SYS_rt_sigpending, &set, 9L));
	report_result("size-8", raw(SYS_rt_sigpending, &set, 8L));
	report("none", "%#lx", set);
	set = ~0UL;
	report_result("size-4-is-accepted", raw(SYS_rt_sigpending, &set, 4L));
	report("half", "%#lx", set);
	report_result("bad", raw(SYS_rt_sigpending, BAD, 8L));
	report_result("null", raw(SYS_rt_sigpending, 0L, 8L));
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)SIGUSR1);
	kill(getpid(), SIGUSR2);
	raw(SYS_rt_sigpending, &set, 8L);
	report("thread-and-process-together", "%#lx", set);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_UNBLOCK, SIGUSR2);
}

static volatile sig_atomic_t runs;
static void count_runs(int signo)
{
	(void)signo;
	runs++;
}

// Unblocking delivers before the call returns.
CHECK(unblock_delivers)
{
	int right = 0;
	handle(SIGUSR1, count_runs, 0);
	for (int i = 0; i < 100; i++) {
		runs = 0;
		block(SIG_BLOCK, SIGUSR1);
		raise(SIGUSR1);
		raise(SIGUSR1);
		int before = runs;
		block(SIG_UNBLOCK, SIGUSR1);
		right += before == 0 && runs == 1;
	}
	report("times", "%d", right);
}

// The mask is the thread's: a new thread inherits its maker's.
static void *thread_mask(void *arg)
{
	(void)arg;
	int inherited = is_blocked(SIGUSR1);
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	return (void *)(long)inherited;
}

CHECK(mask_is_per_thread)
{
	pthread_t thread;
	void *inherited;
	block(SIG_BLOCK, SIGUSR1);
	pthread_create(&thread, NULL, thread_mask, NULL);
	pthread_join(thread, &inherited);
	report("inherited", "%ld, ours %d %d", (long)inherited, is_blocked(SIGUSR1), is_blocked(SIGUSR2));
	block(SIG_UNBLOCK, SIGUSR1);
}
