// sigqueue.c: rt_sigqueueinfo, rt_tgsigqueueinfo: values, order, what a sender may claim.
//
// Calls: rt_sigqueueinfo rt_tgsigqueueinfo
// Passes: host acrida
#include "process.h"

#define NOBODY 2000000000L

static siginfo_t seen[64];
static volatile sig_atomic_t count;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (count < 64)
		seen[count] = *info;
	count++;
}

static long queue(long pid, long signo, int code, int value)
{
	siginfo_t info;
	memset(&info, 0, sizeof info);
	info.si_signo = signo;
	info.si_code = code;
	info.si_pid = 12345;
	info.si_uid = 54321;
	info.si_value.sival_int = value;
	return raw(SYS_rt_sigqueueinfo, pid, signo, &info);
}

CHECK(errors)
{
	long self = getpid();
	report_result("signal-65", queue(self, 65, SI_QUEUE, 0));
	report_result("missing", queue(NOBODY, SIGUSR1, SI_QUEUE, 0));
	report_result("negative-pid", queue(-self, 0, SI_QUEUE, 0));
	report_result("zero-pid", queue(0, 0, SI_QUEUE, 0));
	report_result("probe", queue(self, 0, SI_QUEUE, 0));
	report_result("null", raw(SYS_rt_sigqueueinfo, self, (long)SIGUSR1, 0L));
	report_result("bad", raw(SYS_rt_sigqueueinfo, self, (long)SIGUSR1, BAD));
	report_result("bad-before-missing", raw(SYS_rt_sigqueueinfo, NOBODY, (long)SIGUSR1, BAD));
	// Codes of the kernel and of tkill may be claimed only towards oneself.
	pid_t pid = start();
	if (pid == 0)
		for (;;)
			pause();
	report_result("other-code-user", queue(pid, 0, SI_USER, 0));
	report_result("other-code-kernel", queue(pid, 0, SI_KERNEL, 0));
	report_result("other-code-tkill", queue(pid, 0, SI_TKILL, 0));
	report_result("other-code-queue", queue(pid, 0, SI_QUEUE, 0));
	report_result("other-code-timer", queue(pid, 0, SI_TIMER, 0));
	kill(pid, SIGKILL);
	report("other", "%s", ending(pid));
	siginfo_t info = {.si_code = SI_QUEUE};
	report_result("tg-zero-group", raw(SYS_rt_tgsigqueueinfo, 0L, self, 0L, &info));
	report_result("tg-zero-thread", raw(SYS_rt_tgsigqueueinfo, self, 0L, 0L, &info));
	report_result("tg-missing", raw(SYS_rt_tgsigqueueinfo, self, NOBODY, 0L, &info));
	report_result("tg-bad", raw(SYS_rt_tgsigqueueinfo, self, self, 0L, BAD));
	report_result("tg-probe", raw(SYS_rt_tgsigqueueinfo, self, self, 0L, &info));
}

CHECK(what_arrives)
{
	static const int codes[] = {SI_QUEUE, SI_USER, SI_KERNEL, SI_TKILL, SI_MESGQ, SI_ASYNCIO, 7};
	handle_info(SIGUSR1, on_signal, 0);
	for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
		count = 0;
		long result = queue(getpid(), SIGUSR1, codes[i], 1000 + i);
		report("code", "%d: %s, seen %d code %d pid %d uid %d value %d errno %d", codes[i], outcome(result),
		       count, seen[0].si_code, seen[0].si_pid, seen[0].si_uid, seen[0].si_value.sival_int,
		       seen[0].si_errno);
	}
	// The signal's number is the call's, not the block's.
	siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE, .si_errno = 5};
	count = 0;
	raw(SYS_rt_sigqueueinfo, (long)getpid(), (long)SIGUSR1, &info);
	report("number-from-the-call", "%s errno %d", signal_text(seen[0].si_signo), seen[0].si_errno);
}

CHECK(libc_sigqueue)
{
	handle_info(SIGUSR1, on_signal, 0);
	count = 0;
	union sigval value = {.sival_ptr = (void *)0x123456789abcdef0};
	report_result("sigqueue", folded(sigqueue(getpid(), SIGUSR1, value)));
	report_flag("whole-pointer", seen[0].si_value.sival_ptr == value.sival_ptr);
	report_flag("sender", seen[0].si_pid == getpid() && seen[0].si_uid == getuid());
	report("code", "%s", code_text(SIGUSR1, seen[0].si_code));
}

// Ordinary signals coalesce, the first one's contents stay; real-time ones queue in order.
CHECK(queueing)
{
	handle_info(SIGUSR1, on_signal, 0);
	handle_info(SIGRTMIN + 1, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGRTMIN + 1);
	count = 0;
	for (int i = 0; i < 5; i++)
		queue(getpid(), SIGUSR1, SI_QUEUE, i);
	block(SIG_UNBLOCK, SIGUSR1);
	report("ordinary", "%d times, value %d", count, seen[0].si_value.sival_int);
	count = 0;
	for (int i = 0; i < 5; i++)
		queue(getpid(), SIGRTMIN + 1, SI_QUEUE, i);
	kill(getpid(), SIGRTMIN + 1);
	block(SIG_UNBLOCK, SIGRTMIN + 1);
	char text[128] = "";
	for (int i = 0; i < count; i++)
		snprintf(text + strlen(text), 16, " %d/%d",
			 seen[i].si_code == SI_QUEUE ? seen[i].si_value.sival_int : -1, seen[i].si_code);
	report("real-time", "%d times:%s", count, text);
	signal(SIGRTMIN + 1, SIG_DFL);
}

// Lower numbers first, and within a number in order; thread signals before process signals.
CHECK(order)
{
	static const int sent[] = {7, 2, 5, 2, 7, 5};
	char text[256] = "";
	sigset_t all, old;
	sigfillset(&all);
	for (int i = 1; i < 10; i++)
		handle_info(SIGRTMIN + i, on_signal, 0);
	sigprocmask(SIG_BLOCK, &all, &old);
	count = 0;
	for (int i = 0; i < 6; i++)
		queue(getpid(), SIGRTMIN + sent[i], SI_QUEUE, i);
	raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)SIGRTMIN + 9);
	// Take them one after the other: handlers run nested otherwise, in reverse.
	for (siginfo_t info; count < 8 && sigwaitinfo(&all, &info) > 0; count++) {
		snprintf(text + strlen(text), 16, " +%d/%d", info.si_signo - SIGRTMIN,
			 info.si_code == SI_QUEUE ? info.si_value.sival_int : -1);
		if (count == 6)
			break;
	}
	report("taken", "%s", text);
	sigprocmask(SIG_SETMASK, &old, NULL);
	for (int i = 1; i < 10; i++)
		signal(SIGRTMIN + i, SIG_DFL);
}

// Unblocking several at once runs their handlers nested: the last one entered is the first to run its body.
CHECK(handlers_nest)
{
	char text[128] = "";
	sigset_t all, old;
	sigfillset(&all);
	for (int i = 1; i < 5; i++)
		handle_info(SIGRTMIN + i, on_signal, 0);
	sigprocmask(SIG_BLOCK, &all, &old);
	count = 0;
	for (int i = 1; i < 5; i++)
		queue(getpid(), SIGRTMIN + i, SI_QUEUE, i);
	sigprocmask(SIG_SETMASK, &old, NULL);
	for (int i = 0; i < count; i++)
		snprintf(text + strlen(text), 16, " +%d", seen[i].si_signo - SIGRTMIN);
	report("bodies", "%d:%s", count, text);
	for (int i = 1; i < 5; i++)
		signal(SIGRTMIN + i, SIG_DFL);
}
