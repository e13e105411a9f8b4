// exit.c: exit, exit_group and _exit: codes, threads, what runs and what does not.
//
// Calls: exit exit_group
// Passes: host acrida
#include "process.h"

static void code(long value)
{
	char name[32];
	pid_t pid = start();
	if (pid == 0)
		raw(SYS_exit_group, value);
	snprintf(name, sizeof name, "exit-group(%ld)", value);
	report(name, "%s", ending(pid));
	pid = start();
	if (pid == 0)
		raw(SYS_exit, value);
	snprintf(name, sizeof name, "exit(%ld)", value);
	report(name, "%s", ending(pid));
}

CHECK(codes)
{
	code(0);
	code(255);
	code(256);
	code(-1);
	code(0x1234);
	code(0x7f);
}

static void *spin(void *arg)
{
	for (;;)
		(*(volatile unsigned long *)arg)++;
	return NULL;
}

static void *wait_in_read(void *arg)
{
	char byte;
	if (read(*(int *)arg, &byte, 1) < 0)
		return NULL;
	return NULL;
}

static void *exit_group_5(void *arg)
{
	(void)arg;
	raw(SYS_exit_group, 5L);
	return NULL;
}

static void *exit_thread_6(void *arg)
{
	(void)arg;
	raw(SYS_exit, 6L);
	return NULL;
}

CHECK(group_ends_all)
{
	pid_t pid = start();
	if (pid == 0) {
		static unsigned long counter;
		static int ends[2];
		pthread_t threads[3];
		if (pipe(ends))
			_exit(99);
		pthread_create(&threads[0], NULL, spin, &counter);
		pthread_create(&threads[1], NULL, wait_in_read, &ends[0]);
		pthread_create(&threads[2], NULL, exit_group_5, NULL);
		for (;;)
			pause();
	}
	report("group-from-thread", "%s", ending(pid));
}

CHECK(exit_of_thread_only)
{
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, exit_thread_6, NULL);
		pthread_join(thread, NULL);
		_exit(7);
	}
	report("exit-ends-one-thread", "%s", ending(pid));
}

// Main ends by exit(1): the process lives on and ends with the last thread's code.
static void *outlive(void *arg)
{
	int *ends = arg;
	char byte;
	if (read(ends[0], &byte, 1) != 1)
		_exit(98);
	raw(SYS_exit, 9L);
	return NULL;
}

CHECK(main_ends_first)
{
	int ends[2];
	if (pipe(ends))
		return;
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, outlive, ends);
		raw(SYS_exit, 1L);
	}
	// A zombie leader with a living thread is not yet waitable. It must be one before the thread ends: the last one's
	// code counts.
	wait_asleep(pid);
	report("zombie-leader-nohang", "%d", waitpid(pid, NULL, WNOHANG));
	report_result("zombie-leader-kill-0", folded(kill(pid, 0)));
	if (write(ends[1], "x", 1) != 1)
		return;
	report("main-ended-first", "%s", ending(pid));
	close(ends[0]);
	close(ends[1]);
}

static void at_exit_1(void)
{
	report("atexit", "first registered");
}
static void at_exit_2(void)
{
	report("atexit", "second registered");
}
static bool destructor_speaks;
__attribute__((destructor)) static void destructor(void)
{
	if (destructor_speaks)
		say("destructor ran");
}

CHECK(handlers)
{
	destructor_speaks = true;
	pid_t pid = start();
	if (pid == 0) {
		atexit(at_exit_1);
		atexit(at_exit_2);
		exit(300);
	}
	report("exit-300", "%s", ending(pid));
	pid = start();
	if (pid == 0) {
		atexit(at_exit_1);
		_exit(4);
	}
	report("underscore-exit", "%s", ending(pid));
	pid = start();
	if (pid == 0)
		quick_exit(2);
	report("quick-exit", "%s", ending(pid));
	pid = start();
	if (pid == 0)
		abort();
	report("abort", "%s", ending(pid));
	destructor_speaks = false;
}

// Ends of pipes close with the process, however it ends.
CHECK(pipes_close)
{
	for (int kind = 0; kind < 3; kind++) {
		int ends[2];
		char byte;
		if (pipe(ends))
			return;
		pid_t pid = start();
		if (pid == 0) {
			if (kind == 0)
				_exit(0);
			if (kind == 1)
				raise(SIGKILL);
			*(volatile int *)BAD = 1;
		}
		close(ends[1]);
		report_result("end-of-file-after-exit", folded(read(ends[0], &byte, 1)));
		report("pipe-child", "%s", ending(pid));
		close(ends[0]);
	}
}

// Two threads end the process at once with different codes: one of the two is reported.
static void *exit_group_barrier(void *arg)
{
	pthread_barrier_wait(arg);
	raw(SYS_exit_group, 21L);
	return NULL;
}

CHECK(race)
{
	int right = 0;
	for (int i = 0; i < 50; i++) {
		pid_t pid = start();
		if (pid == 0) {
			static pthread_barrier_t barrier;
			pthread_t thread;
			pthread_barrier_init(&barrier, NULL, 2);
			pthread_create(&thread, NULL, exit_group_barrier, &barrier);
			pthread_barrier_wait(&barrier);
			raw(SYS_exit_group, 22L);
		}
		const char *how = ending(pid);
		right += !strcmp(how, "exited 21") || !strcmp(how, "exited 22");
	}
	report("racing-exits", "%d", right);
}
