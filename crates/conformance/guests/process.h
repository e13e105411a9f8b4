// Helpers shared by the process, signal, timer and memory guests.
//
// Raw system calls (negative errno as the kernel gives it, so that a leaked ERESTART* shows), names for
// statuses and signals, and bounded waiting. Nothing here prints a pid, an address or a time.
#ifndef ACRIDA_GUEST_PROCESS_H
#define ACRIDA_GUEST_PROCESS_H

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

#include "check.h"

// One line `name: text` of the current check.
#define report(name, format, ...) say("%s: " format, name, ##__VA_ARGS__)

// The system call itself: its result, or the negative errno.
UNUSED __attribute__((noinline)) static long raw(long number, ...)
{
	va_list args;
	va_start(args, number);
	register long rdi __asm__("rdi") = va_arg(args, long);
	register long rsi __asm__("rsi") = va_arg(args, long);
	register long rdx __asm__("rdx") = va_arg(args, long);
	register long r10 __asm__("r10") = va_arg(args, long);
	register long r8 __asm__("r8") = va_arg(args, long);
	register long r9 __asm__("r9") = va_arg(args, long);
	va_end(args);
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "r"(rdi), "r"(rsi), "r"(rdx), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

// A ring of small buffers, so that one report can name several results.
UNUSED static char *text_slot(void)
{
	static char slots[16][64];
	static unsigned next;
	return slots[next++ % 16];
}

// A raw result as text: the number, or the errno's name with a minus.
UNUSED static const char *outcome(long result)
{
	char *text = text_slot();
	if (result < 0 && result > -4096) {
		const char *name = strerrorname_np((int)-result);
		if (name)
			snprintf(text, 64, "-%s", name);
		else
			snprintf(text, 64, "-errno(%ld)", -result);
	} else {
		snprintf(text, 64, "%ld", result);
	}
	return text;
}

// The same for calls whose good result is a pid, an address or another number that varies.
UNUSED static const char *outcome_ok(long result)
{
	return result < 0 && result > -4096 ? outcome(result) : "ok";
}

// For libc wrappers: fold -1 and errno into a raw result.
UNUSED static long folded(long result)
{
	return result == -1 ? -(long)errno : result;
}

#define report_result(name, result) report(name, "%s", outcome(result))
#define report_ok(name, result) report(name, "%s", outcome_ok(result))
#define report_flag(name, truth) report(name, "%s", (truth) ? "yes" : "no")

UNUSED static const char *signal_text(int number)
{
	char *text = text_slot();
	if (number >= 32 && number <= 64)
		snprintf(text, 64, "RT%d", number);
	else
		snprintf(text, 64, "%s", signal_name(number));
	return text;
}

// A wait status as text; whether a core was dumped depends on the host's limits and is left out.
UNUSED static const char *status_text(int status)
{
	char *text = text_slot();
	if (WIFEXITED(status))
		snprintf(text, 64, "exited %d", WEXITSTATUS(status));
	else if (WIFSTOPPED(status))
		snprintf(text, 64, "stopped %s", signal_text(WSTOPSIG(status)));
	else if (WIFCONTINUED(status))
		snprintf(text, 64, "continued");
	else if (WIFSIGNALED(status))
		snprintf(text, 64, "killed %s", signal_text(WTERMSIG(status)));
	else
		snprintf(text, 64, "status(0x%x)", status);
	return text;
}

// Wait for one child and describe how it ended.
UNUSED static const char *ending(pid_t pid)
{
	int status = 0;
	long got;
	do
		got = raw(SYS_wait4, (long)pid, &status, 0L, 0L);
	while (got == -EINTR);
	if (got < 0)
		return outcome(got);
	return got == pid ? status_text(status) : "another child";
}

// "how many: events" of a poll of one descriptor.
UNUSED static const char *poll_text(int fd, short events, int milliseconds)
{
	struct pollfd wanted = {.fd = fd, .events = events};
	char *text = text_slot();
	long result = folded(poll(&wanted, 1, milliseconds));
	snprintf(text, 64, "%s: %s", outcome(result), poll_names(wanted.revents));
	return text;
}

UNUSED static const char *code_text(int signo, int code)
{
	switch (code) {
	case SI_USER:
		return "SI_USER";
	case SI_QUEUE:
		return "SI_QUEUE";
	case SI_TIMER:
		return "SI_TIMER";
	case SI_TKILL:
		return "SI_TKILL";
	case SI_KERNEL:
		return "SI_KERNEL";
	}
	if (signo == SIGCHLD) {
		static const char *const names[] = {"?",	   "CLD_EXITED",  "CLD_KILLED",	  "CLD_DUMPED",
						    "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
		if (code >= 1 && code <= 6)
			return names[code];
	}
	if (signo == SIGSEGV && code == SEGV_MAPERR)
		return "SEGV_MAPERR";
	if (signo == SIGSEGV && code == SEGV_ACCERR)
		return "SEGV_ACCERR";
	if (signo == SIGBUS && code == BUS_ADRERR)
		return "BUS_ADRERR";
	if (signo == SIGBUS && code == BUS_ADRALN)
		return "BUS_ADRALN";
	if (signo == SIGFPE && code == FPE_INTDIV)
		return "FPE_INTDIV";
	if (signo == SIGFPE && code == FPE_FLTDIV)
		return "FPE_FLTDIV";
	if (signo == SIGFPE && code == FPE_FLTINV)
		return "FPE_FLTINV";
	if (signo == SIGILL && code == ILL_ILLOPN)
		return "ILL_ILLOPN";
	if (signo == SIGTRAP && code == TRAP_BRKPT)
		return "TRAP_BRKPT";
	if (signo == SIGTRAP && code == TRAP_TRACE)
		return "TRAP_TRACE";
	char *text = text_slot();
	snprintf(text, 64, "code(%d)", code);
	return text;
}

#define BAD bad_pointer()
#define BAD_KERNEL ((void *)0xffff888000000000UL)
#define BAD_NONCANONICAL ((void *)0x0000900000000000UL)

// The process ends by SIGKILL after `seconds`, whatever it does with its alarm and its signals. For children: the timer
// stays for life.
UNUSED static void bounded(int seconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec when = {.it_value = {.tv_sec = seconds}};
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &when, NULL) != 0)
		alarm(seconds);
}

UNUSED static void handle(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	sigemptyset(&action.sa_mask);
	if (sigaction(signo, &action, NULL) != 0)
		report("handle", "sigaction %s", signal_text(signo));
}

UNUSED static void handle_info(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
	sigemptyset(&action.sa_mask);
	if (sigaction(signo, &action, NULL) != 0)
		report("handle", "sigaction %s", signal_text(signo));
}

UNUSED static void block(int how, int signo)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(how, &set, NULL);
}

UNUSED static int is_pending(int signo)
{
	sigset_t set;
	return sigpending(&set) == 0 && sigismember(&set, signo) == 1;
}

UNUSED static int is_blocked(int signo)
{
	sigset_t set;
	return sigprocmask(SIG_SETMASK, NULL, &set) == 0 && sigismember(&set, signo) == 1;
}

// SIGALRM every two milliseconds: a signal aimed at a call that blocks can come too early only once.
UNUSED static void ticks(int on)
{
	struct itimerval every = {{0, on ? 2000 : 0}, {0, on ? 2000 : 0}};
	setitimer(ITIMER_REAL, &every, NULL);
}

// execve of this program as ROLE(role), with the strings that follow up to NULL. Not by way of /proc/self/exe, which
// is gone when the leader of the threads has ended.
__attribute__((sentinel)) UNUSED static void become_role(const char *role, ...)
{
	char *argv[16] = {guest_arguments[0], EXEC_ROLE, (char *)role, (char *)current_check};
	int count = 4;
	va_list args;
	va_start(args, role);
	while (count < 15 && (argv[count] = va_arg(args, char *)))
		count++;
	va_end(args);
	execv(argv[0], argv);
	say("execv = %s", errno_name(errno));
	_exit(122);
}

UNUSED static pid_t child_exits(int code)
{
	pid_t pid = start();
	if (pid == 0)
		_exit(code);
	return pid;
}

UNUSED static pid_t child_waits(void)
{
	pid_t pid = start();
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

#endif
