// sigaltstack.c: alternate signal stacks: arguments, use, what is allowed while on one.
//
// Calls: sigaltstack rt_sigreturn
// Passes: host acrida
#include "process.h"

#include <ucontext.h>

static char area[131072] __attribute__((aligned(4096)));
static volatile int on_area, flags_seen, nested_result;
static volatile long changed_result;

static int within(const void *pointer)
{
	return (char *)pointer >= area && (char *)pointer < area + sizeof area;
}

static void look(int signo)
{
	(void)signo;
	int here;
	stack_t now;
	on_area = within(&here);
	sigaltstack(NULL, &now);
	flags_seen = now.ss_flags;
}

static long set(void *base, long flags, size_t size)
{
	stack_t stack;
	memset(&stack, 0, sizeof stack);
	stack.ss_sp = base;
	stack.ss_flags = flags;
	stack.ss_size = size;
	return raw(SYS_sigaltstack, &stack, 0L);
}

CHECK(arguments)
{
	stack_t old;
	memset(&old, 0x55, sizeof old);
	report_result("get", raw(SYS_sigaltstack, 0L, &old));
	report("none", "%p flags %d size %zu", old.ss_sp, old.ss_flags, old.ss_size);
	report_result("both-null", raw(SYS_sigaltstack, 0L, 0L));
	report_result("bad-new", raw(SYS_sigaltstack, BAD, &old));
	report_result("bad-old", raw(SYS_sigaltstack, 0L, BAD));
	report_result("unknown-flags", set(area, 8, 65536));
	report_result("flag-disable-and-onstack", set(area, SS_DISABLE | SS_ONSTACK, 65536));
	report_result("too-small", set(area, 0, 2047));
	report_result("size-zero", set(area, 0, 0));
	report_result("null-base", set(NULL, 0, 65536));
	report_result("onstack-flag-is-accepted", set(area, SS_ONSTACK, 65536));
	raw(SYS_sigaltstack, 0L, &old);
	report("then", "%s flags %d size %zu", within(old.ss_sp) ? "area" : "?", old.ss_flags, old.ss_size);
	report_result("disable", set(area, SS_DISABLE, 1));
	raw(SYS_sigaltstack, 0L, &old);
	report("disabled", "%p flags %d size %zu", old.ss_sp, old.ss_flags, old.ss_size);
	// The new one counts even if the old one cannot be stored.
	stack_t stack = {.ss_sp = area, .ss_size = 65536};
	report_result("bad-old-with-new", raw(SYS_sigaltstack, &stack, BAD));
	raw(SYS_sigaltstack, 0L, &old);
	report_flag("set-anyway", within(old.ss_sp));
	set(NULL, SS_DISABLE, 0);
}

CHECK(use)
{
	set(area, 0, sizeof area);
	handle(SIGUSR1, look, SA_ONSTACK);
	raise(SIGUSR1);
	report("with-flag", "on area %d flags %d", on_area, flags_seen);
	handle(SIGUSR1, look, 0);
	raise(SIGUSR1);
	report("without-flag", "on area %d flags %d", on_area, flags_seen);
	set(NULL, SS_DISABLE, 0);
	handle(SIGUSR1, look, SA_ONSTACK);
	raise(SIGUSR1);
	report("disabled", "on area %d flags %d", on_area, flags_seen);
}

static void change_while_on(int signo)
{
	(void)signo;
	static char second[65536];
	changed_result = set(second, 0, sizeof second);
	nested_result = set(NULL, SS_DISABLE, 0);
}

CHECK(change_while_on_it)
{
	set(area, 0, sizeof area);
	handle(SIGUSR1, change_while_on, SA_ONSTACK);
	raise(SIGUSR1);
	report("set", "%s disable %s", outcome(changed_result), outcome(nested_result));
	stack_t old;
	sigaltstack(NULL, &old);
	report_flag("unchanged", within(old.ss_sp));
	set(NULL, SS_DISABLE, 0);
}

static volatile uintptr_t first_frame, second_frame;
static void inner(int signo)
{
	int here;
	(void)signo;
	second_frame = (uintptr_t)&here;
}
static void outer(int signo)
{
	int here;
	(void)signo;
	first_frame = (uintptr_t)&here;
	raise(SIGUSR2);
}

// A second signal goes on below the first, on the same stack.
CHECK(nested)
{
	set(area, 0, sizeof area);
	handle(SIGUSR1, outer, SA_ONSTACK);
	handle(SIGUSR2, inner, SA_ONSTACK);
	raise(SIGUSR1);
	report("both-on-area", "%d %d, inner below %d", within((void *)first_frame), within((void *)second_frame),
	       second_frame < first_frame);
	set(NULL, SS_DISABLE, 0);
	handle(SIGUSR2, inner, 0);
	set(area, 0, sizeof area);
	raise(SIGUSR1);
	report("inner-without-flag-stays", "%d", within((void *)second_frame));
	set(NULL, SS_DISABLE, 0);
}

// SS_AUTODISARM: the setting is gone inside the handler and back behind it.
static void look_and_set(int signo)
{
	look(signo);
	static char second[65536];
	changed_result = set(second, 0, sizeof second);
}

CHECK(autodisarm)
{
	report_result("set", set(area, 1L << 31, sizeof area));
	stack_t old;
	sigaltstack(NULL, &old);
	report("flags", "%#x", old.ss_flags);
	handle(SIGUSR1, look_and_set, SA_ONSTACK);
	raise(SIGUSR1);
	report("inside", "on area %d flags %#x set %s", on_area, flags_seen, outcome(changed_result));
	sigaltstack(NULL, &old);
	report("behind", "%s flags %#x", within(old.ss_sp) ? "area" : "other", old.ss_flags);
	set(NULL, SS_DISABLE, 0);
}

// The frame's own copy of the setting is restored by sigreturn, if it is a valid one.
static void edit_frame(int signo, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	(void)signo;
	(void)info;
	user->uc_stack.ss_size = 70000;
}

CHECK(sigreturn_restores)
{
	set(area, 0, sizeof area);
	handle_info(SIGUSR1, edit_frame, 0);
	raise(SIGUSR1);
	stack_t old;
	sigaltstack(NULL, &old);
	report("size", "%zu", old.ss_size);
	set(NULL, SS_DISABLE, 0);
}

// A stack overflow is survivable with an alternate stack, and death without.
static sigjmp_buf back;
static void on_overflow(int signo)
{
	(void)signo;
	int here;
	on_area = within(&here);
	siglongjmp(back, 1);
}

static int volatile sink;
__attribute__((noinline)) static int recurse(int depth)
{
	volatile char frame[4096];
	frame[0] = depth;
	sink += frame[0];
	return depth == INT_MAX ? 0 : recurse(depth + 1) + frame[0];
}

CHECK(overflow)
{
	IN_CHILD("with")
	{
		struct rlimit small = {1 << 20, 1 << 20};
		setrlimit(RLIMIT_STACK, &small);
		set(area, 0, sizeof area);
		handle(SIGSEGV, on_overflow, SA_ONSTACK);
		if (!sigsetjmp(back, 1))
			recurse(0);
		report("survived", "on area %d", on_area);
	}
	IN_CHILD("without")
	{
		struct rlimit small = {1 << 20, 1 << 20};
		setrlimit(RLIMIT_STACK, &small);
		handle(SIGSEGV, on_overflow, 0);
		if (!sigsetjmp(back, 1))
			recurse(0);
		report("survived", "?");
	}
}

// An unusable alternate stack: the signal becomes a deadly SIGSEGV.
CHECK(bad_stack)
{
	IN_CHILD("unmapped")
	{
		report_result("set", set(BAD, 0, 65536));
		handle(SIGUSR1, look, SA_ONSTACK);
		raise(SIGUSR1);
		report("survived", "?");
	}
	IN_CHILD("segv-handler-on-it-too")
	{
		set(BAD, 0, 65536);
		handle(SIGUSR1, look, SA_ONSTACK);
		handle(SIGSEGV, look, SA_ONSTACK);
		raise(SIGUSR1);
		report("survived", "?");
	}
	IN_CHILD("segv-handler-on-good-stack")
	{
		set(BAD, 0, 65536);
		handle(SIGUSR1, look, SA_ONSTACK);
		handle(SIGSEGV, on_overflow, 0);
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
		report("survived-through", "SIGSEGV");
	}
}

static void *thread_setting(void *arg)
{
	stack_t old;
	(void)arg;
	sigaltstack(NULL, &old);
	return (void *)(long)old.ss_flags;
}

CHECK(threads_and_fork)
{
	pthread_t thread;
	void *flags;
	set(area, 0, sizeof area);
	pthread_create(&thread, NULL, thread_setting, NULL);
	pthread_join(thread, &flags);
	report("new-thread-has-none", "%ld", (long)flags);
	IN_CHILD("fork")
	{
		report("fork-inherits", "%ld", (long)thread_setting(NULL));
	}
	set(NULL, SS_DISABLE, 0);
}
