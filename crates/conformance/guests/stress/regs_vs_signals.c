// regs_vs_signals.c: system calls in several threads with every register watched, under a hail of signals.
//
// usage: regs_vs_signals [SECONDS [THREADS [verbose]]]
//
// Each thread makes getppid, read and write calls (and none at all for a while) with known values in all general, flag,
// vector, mask and x87 registers and in the red zone, and compares behind each. A 10 kHz timer per thread and a thread
// that only sends signals interrupt it at any instruction; the handlers ruin all registers, make calls, nest and use
// the alternate stack. Prints `ok`, or the first difference found. The windows this is for: before `syscall`, between
// the end of a call and the restore of registers, while a signal frame is built.
//
// Build: cc -O1 -pthread regs_vs_signals.c
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../registers.h"

enum { MAX_THREADS = 16, CALLS_PER_FILL = 16, STACK_SIZE = 262144 };

struct worker {
	pthread_t thread;
	atomic_int tid;
	unsigned long calls;
	int ends[2];
};

static struct worker workers[MAX_THREADS];
static int nr_workers = 3;
static atomic_bool stop;
static atomic_flag told = ATOMIC_FLAG_INIT;

static void tell(const char *what, const char *difference)
{
	if (!atomic_flag_test_and_set(&told)) {
		char line[256];
		int length = snprintf(line, sizeof line, "%s: %s\n", what, difference);
		write(1, line, length);
		_exit(1);
	}
	for (;;)
		pause();
}

// A handler of the usual kind: calls, an error in errno, one more level.
static void ordinary_handler(int signo)
{
	int saved = errno;
	syscall(SYS_getppid);
	close(-1);
	if (signo == SIGUSR2)
		raise(SIGURG);
	errno = saved;
}

static long call(const char *name, long number, long a, long b, long c)
{
	registers_in.general[RAX] = number;
	registers_in.general[RDI] = a;
	registers_in.general[RSI] = b;
	registers_in.general[RDX] = c;
	registers_syscall();
	const char *difference = registers_difference(REGISTERS_DIRECTION);
	if (difference)
		tell(name, difference);
	return registers_out.general[RAX];
}

static void expect(const char *name, long result, long expected)
{
	char text[64];
	if (result != expected) {
		snprintf(text, sizeof text, "result %ld instead of %ld", result, expected);
		tell(name, text);
	}
}

static void *work(void *arg)
{
	struct worker *me = arg;
	uint64_t seed = 0x9e3779b97f4a7c15ULL * (me - workers + 1);
	char byte = 0, *stack_area = malloc(STACK_SIZE);
	stack_t stack = {.ss_sp = stack_area, .ss_size = STACK_SIZE};
	sigaltstack(&stack, NULL);
	long parent = getppid();
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	struct itimerspec when = {{0, 100000}, {0, 100000}};
	timer_t timer;
	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &when, NULL))
		tell("timer", "not available");
	atomic_store(&me->tid, gettid());
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		registers_fill(&seed);
		for (int i = 0; i < CALLS_PER_FILL; i += 4) {
			expect("getppid", call("getppid", SYS_getppid, 1, 2, 3), parent);
			expect("write", call("write", SYS_write, me->ends[1], (long)"x", 1), 1);
			expect("read", call("read", SYS_read, me->ends[0], (long)&byte, 1), 1);
			expect("bad write", call("bad write", SYS_write, me->ends[1], 16, 1), -EFAULT);
		}
		me->calls += CALLS_PER_FILL;
		if (registers_random(&seed) % 64 == 0) {
			registers_stop = 0;
			registers_handled = -3;
			registers_spin();
			if (registers_out.general[RAX] != registers_in.general[RAX])
				tell("no call", "rax changed");
			const char *difference = registers_difference(0);
			if (difference)
				tell("no call", difference);
		}
	}
	timer_delete(timer);
	return NULL;
}

// Sends to one thread after the other as fast as it can.
static void *shoot(void *arg)
{
	uint64_t seed = 42;
	(void)arg;
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		// None of them is SA_NODEFER: a kernel slower than this loop would nest its handlers without end.
		static const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGIO};
		struct worker *victim = &workers[registers_random(&seed) % nr_workers];
		int tid = atomic_load(&victim->tid);
		if (tid)
			syscall(SYS_tgkill, getpid(), tid, signals[registers_random(&seed) % 4]);
		if (registers_random(&seed) % 8 == 0)
			sched_yield();
	}
	return NULL;
}

static void handle(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags | SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(signo, &action, NULL);
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 2;
	nr_workers = argc > 2 ? atoi(argv[2]) : 3;
	if (seconds < 1 || nr_workers < 1 || nr_workers > MAX_THREADS)
		return 2;
	alarm(seconds + 300);
	handle(SIGRTMIN, registers_ruin, 0);
	handle(SIGUSR1, registers_ruin, SA_ONSTACK);
	handle(SIGUSR2, ordinary_handler, SA_ONSTACK);
	handle(SIGURG, ordinary_handler, SA_NODEFER);
	handle(SIGIO, registers_ruin, 0);
	handle(SIGHUP, ordinary_handler, 0);
	// The sender and main take none of them.
	sigset_t set, old;
	sigfillset(&set);
	sigdelset(&set, SIGALRM);
	for (int i = 0; i < nr_workers; i++) {
		if (pipe(workers[i].ends))
			return 3;
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	pthread_t shooter;
	pthread_sigmask(SIG_BLOCK, &set, &old);
	pthread_create(&shooter, NULL, shoot, NULL);
	struct timespec time = {seconds, 0};
	nanosleep(&time, NULL);
	atomic_store(&stop, true);
	unsigned long calls = 0;
	pthread_join(shooter, NULL);
	for (int i = 0; i < nr_workers; i++) {
		pthread_join(workers[i].thread, NULL);
		calls += workers[i].calls;
	}
	if (argc > 3)
		fprintf(stderr, "%lu calls\n", calls);
	puts("ok");
	return 0;
}
