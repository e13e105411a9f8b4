// default_actions.c: what every signal does by default, to a process and to one of its threads; stop and continue.
//
// Calls: kill wait4 rt_sigprocmask
// Passes: host acrida
#include "process.h"

// In a group of its own under a parent in the same session: its group is not orphaned, terminal stops work.
static pid_t start_pausing(void)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		setpgid(0, 0);
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

CHECK(every_signal)
{
	for (int signo = 1; signo <= 64; signo++) {
		int status = 0;
		pid_t pid = start_pausing();
		kill(pid, signo);
		// What does nothing leaves the process alive for SIGKILL; what stops is seen first.
		if (signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH || signo == SIGCONT)
			kill(pid, SIGKILL);
		raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
		report("signal", "%d %s: %s", signo, signal_text(signo), status_text(status));
		if (WIFSTOPPED(status)) {
			kill(pid, SIGKILL);
			ending(pid);
		}
	}
}

static void *raise_here(void *arg)
{
	raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)(intptr_t)arg);
	return NULL;
}

// A deadly signal to one thread ends all; a stop stops all.
CHECK(thread_takes_all)
{
	const int signals[] = {SIGTERM, SIGSEGV, SIGRTMIN, SIGPIPE};
	for (unsigned i = 0; i < 4; i++) {
		IN_CHILD("child")
		{
			pthread_t thread;
			pthread_create(&thread, NULL, raise_here, (void *)(intptr_t)signals[i]);
			pthread_join(thread, NULL);
			report("survived", "?");
		}
	}
}

// Orphaned groups do not stop from terminal signals, but from SIGSTOP.
CHECK(orphaned_group)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		setsid();
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	kill(pid, SIGTSTP);
	kill(pid, SIGTTIN);
	kill(pid, SIGTTOU);
	kill(pid, SIGTERM);
	int status;
	raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
	report("terminal-stops-ignored", "%s", status_text(status));
}

CHECK(stop_and_continue)
{
	int status;
	pid_t pid = start_pausing();
	kill(pid, SIGSTOP);
	raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
	report("stop", "%s", status_text(status));
	kill(pid, SIGSTOP);
	report_result("second-stop-is-not-reported",
		      raw(SYS_wait4, (long)pid, &status, (long)(WUNTRACED | WNOHANG), 0L));
	kill(pid, SIGCONT);
	raw(SYS_wait4, (long)pid, &status, (long)WCONTINUED, 0L);
	report("continue", "%s", status_text(status));
	kill(pid, SIGCONT);
	report_result("continue-of-running-is-not-reported",
		      raw(SYS_wait4, (long)pid, &status, (long)(WCONTINUED | WNOHANG), 0L));
	kill(pid, SIGTSTP);
	raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
	report("tstp", "%s", status_text(status));
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	report("term-waits-for-continue", "%s", ending(pid));
}

// SIGCONT throws away pending stops, a stop throws away a pending SIGCONT.
static volatile sig_atomic_t continued;
static void on_continue(int signo)
{
	(void)signo;
	continued++;
}

CHECK(stop_and_continue_cancel)
{
	IN_CHILD("child")
	{
		setpgid(0, 0);
		handle(SIGCONT, on_continue, 0);
		block(SIG_BLOCK, SIGTSTP);
		block(SIG_BLOCK, SIGCONT);
		kill(getpid(), SIGTSTP);
		int before = is_pending(SIGTSTP);
		kill(getpid(), SIGCONT);
		report("stop-pending", "%d then %d, continue pending %d", before, is_pending(SIGTSTP),
		       is_pending(SIGCONT));
		kill(getpid(), SIGTSTP);
		report("continue-pending", "%d, stop pending %d", is_pending(SIGCONT), is_pending(SIGTSTP));
		kill(getpid(), SIGCONT);
		block(SIG_UNBLOCK, SIGTSTP);
		block(SIG_UNBLOCK, SIGCONT);
		report("handled", "%d", continued);
	}
}

// SIGCONT continues even if it is blocked or ignored.
CHECK(blocked_continue)
{
	for (int kind = 0; kind < 2; kind++) {
		int ready[2], status;
		char byte;
		need(pipe(ready));
		pid_t pid = start();
		if (pid == 0) {
			if (kind == 0)
				block(SIG_BLOCK, SIGCONT);
			else
				signal(SIGCONT, SIG_IGN);
			write(ready[1], "r", 1);
			raw(SYS_kill, (long)getpid(), (long)SIGSTOP);
			_exit(4 + is_pending(SIGCONT));
		}
		read(ready[0], &byte, 1);
		raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
		kill(pid, SIGCONT);
		report(kind == 0 ? "blocked" : "ignored", "%s", ending(pid));
	}
}

// All threads stop: a counter of another thread stands still while the process is stopped.
static volatile unsigned long *counter;
static void *count_up(void *arg)
{
	for (;;)
		(*(volatile unsigned long *)arg)++;
	return NULL;
}

CHECK(all_threads_stop)
{
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = start();
	if (pid == 0) {
		pthread_t threads[2];
		for (int i = 0; i < 2; i++)
			pthread_create(&threads[i], NULL, count_up, (void *)&counter[i * 8]);
		for (;;)
			pause();
	}
	while (!counter[0] || !counter[8])
		sched_yield();
	int status;
	kill(pid, SIGSTOP);
	raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
	unsigned long a = counter[0], b = counter[8];
	give_it_a_chance();
	report("stand-still", "%d", a == counter[0] && b == counter[8]);
	kill(pid, SIGCONT);
	while (counter[0] == a || counter[8] == b)
		sched_yield();
	kill(pid, SIGKILL);
	report("child", "%s", ending(pid));
}

// A fault whose signal is blocked or ignored ends the process all the same; one sent by kill does not.
CHECK(forced_signals)
{
	IN_CHILD("blocked-fault")
	{
		block(SIG_BLOCK, SIGSEGV);
		*(volatile int *)BAD = 1;
	}
	IN_CHILD("ignored-fault")
	{
		signal(SIGSEGV, SIG_IGN);
		*(volatile int *)BAD = 1;
	}
	IN_CHILD("blocked-illegal")
	{
		block(SIG_BLOCK, SIGILL);
		__asm__ volatile("ud2");
	}
	IN_CHILD("blocked-but-sent")
	{
		block(SIG_BLOCK, SIGSEGV);
		raise(SIGSEGV);
		report("survived", "pending %d", is_pending(SIGSEGV));
	}
	IN_CHILD("ignored-but-sent")
	{
		signal(SIGSEGV, SIG_IGN);
		raise(SIGSEGV);
		report("survived", "pending %d", is_pending(SIGSEGV));
	}
	IN_CHILD("fault-in-its-own-handler")
	{
		handle(SIGSEGV, (void (*)(int))BAD, 0);
		*(volatile int *)BAD = 1;
	}
	IN_CHILD("halt")
	{
		__asm__ volatile("hlt");
	}
	IN_CHILD("division")
	{
		__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx" ::: "eax", "ecx", "edx", "cc");
	}
	IN_CHILD("breakpoint")
	{
		__asm__ volatile("int3");
	}
	IN_CHILD("bus")
	{
		int fd = open("file", O_RDWR | O_CREAT, 0600);
		char *page = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
		(void)*(volatile char *)page;
	}
	IN_CHILD("bad-stack-pointer")
	{
		handle(SIGUSR1, on_continue, 0);
		pid_t self = getpid();
		__asm__ volatile("xor %%esp, %%esp; syscall" ::"a"((long)SYS_kill), "D"((long)self), "S"((long)SIGUSR1)
				 : "memory");
	}
}
