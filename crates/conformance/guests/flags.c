// flags.c: processor flags that a program may set and that nobody expects, at system calls and signals.
//
// Calls: write kill rt_sigreturn
// Passes: host acrida
#include "process.h"

enum { FLAG_DF = 1 << 10, FLAG_NT = 1 << 14, FLAG_AC = 1 << 18 };

static volatile sig_atomic_t got;

static void on_signal(int sig UNUSED) { got++; }

static unsigned long flags(void)
{
	unsigned long value;
	__asm__ volatile("subq $128, %%rsp; pushfq; popq %0; addq $128, %%rsp" : "=r"(value));
	return value;
}

// One system call with `extra` flags set around it; gives those that are set after it.
static long call_with(unsigned long extra, long nr, long a, long b, long c, unsigned long *after)
{
	long result;
	unsigned long seen;
	__asm__ volatile("subq $128, %%rsp; pushfq; orq %[extra], (%%rsp); popfq; addq $128, %%rsp\n\t"
			 "syscall\n\t"
			 "subq $128, %%rsp; pushfq; movq (%%rsp), %[seen]; notq %[extra]; andq %[extra], (%%rsp); popfq; addq $128, %%rsp"
			 : "=a"(result), [seen] "=&r"(seen), [extra] "+r"(extra)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory", "cc");
	*after = seen & (FLAG_DF | FLAG_NT | FLAG_AC);
	return result;
}

static void around_calls(unsigned long extra)
{
	static const char text[] = "_unaligned text\n";
	unsigned long after;
	int pipes[2];
	char buffer[32];
	need(pipe(pipes));
	for (int i = 0; i < 20; i++) {
		long sent = call_with(extra, SYS_write, pipes[1], (long)(text + 1), sizeof text - 2, &after);
		long back = call_with(extra, SYS_read, pipes[0], (long)(buffer + 1), sizeof buffer - 1, &after);
		if (!i || sent != back || after != extra)
			say("write %ld read %ld flags kept %d", sent, back, after == extra);
	}
	got = 0;
	handle(SIGUSR1, on_signal, 0);
	long sent = call_with(extra, SYS_kill, getpid(), SIGUSR1, 0, &after);
	say("kill %ld flags kept %d signals %d", sent, after == extra, (int)got);
	say("clear again: %d", !(flags() & extra));
}

CHECK(direction) { around_calls(FLAG_DF); }
CHECK(nested_task) { around_calls(FLAG_NT); }
CHECK(alignment_check) { around_calls(FLAG_AC); }
CHECK(all_at_once) { around_calls(FLAG_DF | FLAG_NT | FLAG_AC); }

// Stops the timer in time: on a busy machine the next signal may be due before the interrupted code goes on.
static void on_alarm(int sig UNUSED)
{
	static const struct itimerval never;
	if (++got == 50)
		setitimer(ITIMER_REAL, &never, NULL);
}

// Signals while nothing but the flag is going on.
static void while_running(unsigned long extra)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } };
	got = 0;
	handle(SIGALRM, on_alarm, SA_RESTART);
	setitimer(ITIMER_REAL, &often, NULL);
	unsigned long lost = 0;
	while (got < 50) {
		unsigned long seen, mask = extra;
		__asm__ volatile("subq $128, %%rsp; pushfq; orq %[mask], (%%rsp); popfq\n\t"
				 "movl $20000, %%ecx\n"
				 "1: decl %%ecx; jnz 1b\n\t"
				 "pushfq; popq %[seen]; pushfq; notq %[mask]; andq %[mask], (%%rsp); popfq; addq $128, %%rsp"
				 : [seen] "=&r"(seen), [mask] "+r"(mask)
				 :
				 : "rcx", "memory", "cc");
		lost += (seen & extra) != extra;
	}
	say("lost %lu", lost);
}

CHECK(nested_task_and_timer) { while_running(FLAG_NT); }
CHECK(alignment_check_and_timer) { while_running(FLAG_AC); }
