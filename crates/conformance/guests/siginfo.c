// siginfo.c: what a handler is told, by source of the signal.
//
// Calls: rt_sigaction kill tgkill sigqueue timer_create setitimer write
// Passes: host acrida
#include "process.h"

#include <ucontext.h>

static siginfo_t seen;
static volatile sig_atomic_t count;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)context;
	seen = *info;
	seen.si_errno += signo != info->si_signo ? 1000 : 0;
	count++;
}

static const char *from(pid_t pid)
{
	return pid == 0 ? "kernel" : pid == getpid() ? "us" : "another";
}

static void sender(const char *name)
{
	report(name, "%d times %s %s errno %d from %s uid %s", count, signal_text(seen.si_signo),
	       code_text(seen.si_signo, seen.si_code), seen.si_errno, from(seen.si_pid),
	       seen.si_uid == getuid() ? "ours" : "other");
	count = 0;
	memset(&seen, 0, sizeof seen);
}

CHECK(senders)
{
	handle_info(SIGUSR1, on_signal, 0);
	kill(getpid(), SIGUSR1);
	sender("kill");
	raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)SIGUSR1);
	sender("tgkill");
	raw(SYS_tkill, (long)gettid(), (long)SIGUSR1);
	sender("tkill");
	raise(SIGUSR1);
	sender("raise");
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77});
	report("value", "%d", seen.si_value.sival_int);
	sender("sigqueue");
	pthread_kill(pthread_self(), SIGUSR1);
	sender("pthread_kill");
	killpg(getpgrp(), 0);
	pid_t pid = start();
	if (pid == 0) {
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	while (!count)
		sched_yield();
	report_flag("pid-of-child", seen.si_pid == pid);
	sender("child-kill");
	ending(pid);
	// Unused parts are zero.
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	block(SIG_BLOCK, SIGUSR1);
	siginfo_t info;
	memset(&info, 0x55, sizeof info);
	kill(getpid(), SIGUSR1);
	raw(SYS_rt_sigtimedwait, &set, &info, 0L, 8L);
	int other = 0;
	for (size_t i = 24; i < sizeof info; i++)
		other += ((unsigned char *)&info)[i] != 0;
	report("bytes-behind-not-zero", "%d", other);
	block(SIG_UNBLOCK, SIGUSR1);
}

CHECK(other_user)
{
	if (geteuid() != 0) {
		say("needs root");
		return;
	}
	handle_info(SIGUSR1, on_signal, 0);
	pid_t pid = start();
	if (pid == 0) {
		// Only the real uid is told.
		setresuid(1234, 0, 0);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	while (!count)
		sched_yield();
	report("real-uid", "%d", seen.si_uid);
	ending(pid);
}

CHECK(timers)
{
	handle_info(SIGALRM, on_signal, 0);
	struct itimerval soon = {{0, 0}, {0, 1000}};
	count = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!count)
		sched_yield();
	sender("itimer-real");
	alarm(CHECK_SECONDS);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4321};
	struct itimerspec when = {.it_value = {0, 1000000}};
	timer_t timer;
	handle_info(SIGUSR1, on_signal, 0);
	need(timer_create(CLOCK_MONOTONIC, &event, &timer));
	timer_settime(timer, 0, &when, NULL);
	while (!count)
		sched_yield();
	report("posix-timer", "%s value %d overrun %d id %s", code_text(SIGUSR1, seen.si_code), seen.si_value.sival_int,
	       seen.si_overrun, seen.si_timerid == (int)(long)timer ? "same" : "other");
	timer_delete(timer);
	signal(SIGALRM, SIG_DFL);
}

CHECK(children)
{
	handle_info(SIGCHLD, on_signal, 0);
	for (int kind = 0; kind < 3; kind++) {
		static const char *const names[] = {"exited", "killed", "core"};
		count = 0;
		pid_t pid = start();
		if (pid == 0) {
			if (kind == 0)
				_exit(129);
			kill(getpid(), kind == 1 ? SIGTERM : SIGABRT);
		}
		while (!count)
			sched_yield();
		int code = seen.si_code == CLD_DUMPED ? CLD_KILLED : seen.si_code;
		report(names[kind], "%s status %d pid %s uid %s times %s", code_text(SIGCHLD, code), seen.si_status,
		       seen.si_pid == pid ? "child" : "other", seen.si_uid == getuid() ? "ours" : "other",
		       seen.si_utime >= 0 && seen.si_utime < 100 ? "small" : "large");
		ending(pid);
	}
	count = 0;
	pid_t pid = start();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	while (count < 1)
		sched_yield();
	report("stopped", "%s %s", code_text(SIGCHLD, seen.si_code), signal_text(seen.si_status));
	kill(pid, SIGCONT);
	while (count < 2)
		sched_yield();
	report("continued", "%s %s", code_text(SIGCHLD, seen.si_code), signal_text(seen.si_status));
	kill(pid, SIGKILL);
	ending(pid);
}

CHECK(pipe_signal)
{
	int ends[2];
	handle_info(SIGPIPE, on_signal, 0);
	need(pipe(ends));
	close(ends[0]);
	count = 0;
	report_result("write", folded(write(ends[1], "x", 1)));
	sender("sigpipe");
}

static sigjmp_buf back;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	ucontext_t *user = context;
	seen = *info;
	seen.si_errno = user->uc_mcontext.gregs[REG_TRAPNO] * 100 + user->uc_mcontext.gregs[REG_ERR];
	siglongjmp(back, 1);
}

CHECK(faults)
{
	volatile char *none = bad_pointer(), *read_only = read_only_pointer();
	handle_info(SIGSEGV, on_fault, 0);
	if (!sigsetjmp(back, 1))
		none[5] = 1;
	report("write-to-none", "%s at +%ld trap and error %d", code_text(SIGSEGV, seen.si_code),
	       (long)((char *)seen.si_addr - none), seen.si_errno);
	if (!sigsetjmp(back, 1))
		(void)none[7];
	report("read-from-none", "%s at +%ld trap and error %d", code_text(SIGSEGV, seen.si_code),
	       (long)((char *)seen.si_addr - none), seen.si_errno);
	if (!sigsetjmp(back, 1))
		read_only[3] = 1;
	report("write-to-read-only", "%s at +%ld trap and error %d", code_text(SIGSEGV, seen.si_code),
	       (long)((char *)seen.si_addr - read_only), seen.si_errno);
	if (!sigsetjmp(back, 1))
		*(volatile char *)16 = 1;
	report("null-page", "%s at %ld trap and error %d", code_text(SIGSEGV, seen.si_code), (long)seen.si_addr,
	       seen.si_errno);
	if (!sigsetjmp(back, 1))
		*(volatile char *)BAD_NONCANONICAL = 1;
	report("non-canonical", "%s at %ld trap and error %d", code_text(SIGSEGV, seen.si_code), (long)seen.si_addr,
	       seen.si_errno);
	if (!sigsetjmp(back, 1))
		*(volatile char *)BAD_KERNEL = 1;
	report("kernel-address", "%s trap and error %d", code_text(SIGSEGV, seen.si_code), seen.si_errno);
	if (!sigsetjmp(back, 1))
		((void (*)(void))none)();
	report("jump-to-none", "%s at +%ld", code_text(SIGSEGV, seen.si_code), (long)((char *)seen.si_addr - none));
	if (!sigsetjmp(back, 1))
		((void (*)(void))read_only)();
	report("jump-to-no-exec", "%s at +%ld", code_text(SIGSEGV, seen.si_code),
	       (long)((char *)seen.si_addr - read_only));
}

// What a handler may change in the context takes effect when it returns.
static void skip_instruction(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	ucontext_t *user = context;
	seen = *info;
	user->uc_mcontext.gregs[REG_RIP] += 2;
	user->uc_mcontext.gregs[REG_RAX] = 1234;
}

CHECK(handler_changes_context)
{
	long rax;
	handle_info(SIGILL, skip_instruction, 0);
	__asm__ volatile("xor %%eax, %%eax\n\tud2" : "=a"(rax));
	report("ud2", "%s rax %ld", code_text(SIGILL, seen.si_code), rax);
	signal(SIGILL, SIG_DFL);
	handle_info(SIGFPE, skip_instruction, 0);
	long rdx = 0;
	__asm__ volatile("idiv %%ecx" : "=a"(rax), "+d"(rdx) : "a"(1), "c"(0) : "cc");
	report("division", "%s rax %ld", code_text(SIGFPE, seen.si_code), rax);
	signal(SIGFPE, SIG_DFL);
	handle_info(SIGTRAP, on_signal, 0);
	count = 0;
	__asm__ volatile("int3");
	report("int3", "%d %s", count, code_text(SIGTRAP, seen.si_code));
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; pushfq; andq $~0x100, (%%rsp); popfq" ::
				 : "memory", "cc");
	report("single-step", "%s %s", count > 1 ? "some" : "none", code_text(SIGTRAP, seen.si_code));
	signal(SIGTRAP, SIG_DFL);
}

// An orphan that is a zombie when it gets a new parent tells it who it was.
CHECK(adopted_zombie)
{
	IN_CHILD("subreaper")
	{
		siginfo_t info;
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGCHLD);
		if (geteuid() == 0)
			need(setresuid(1000, 1000, 1000));
		uid_t user = getuid();
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		block(SIG_BLOCK, SIGCHLD);
		pid_t pid = fork();
		if (pid == 0) {
			if (fork() == 0)
				_exit(7);
			waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
			_exit(0);
		}
		int status;
		waitpid(pid, &status, 0);
		report("signal", "%s", signal_text(sigtimedwait(&set, &info, &(struct timespec){10, 0})));
		report_flag("user", info.si_uid == user);
		pid = wait(&status);
		report("orphan", "%s", status_text(status));
	}
}
