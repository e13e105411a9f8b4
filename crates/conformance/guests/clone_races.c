// clone_races.c: what is told to all of a process or group while one of them makes another: nobody is missed.
//
// Calls: clone fork execve kill exit_group sched_setaffinity setpriority
// Passes: host acrida
#include "process.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

enum { rounds = 25, threads = 200 };

static void *sleep_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

// Makes threads until something ends it.
static void *make_threads(void *unused)
{
	pthread_attr_t small;
	pthread_t thread;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 32768);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < threads && !pthread_create(&thread, &small, sleep_on, NULL); i++)
		;
	return sleep_on(unused);
}

// How often a process that makes threads ended with `wanted` when one of its threads called `end`, at ever later moments.
static int ended_with(int wanted, void (*end)(void))
{
	int ended = 0;
	for (int i = 0; i < rounds; i++) {
		int begun[2], status;
		char byte;
		need(pipe(begun));
		pid_t pid = start();
		if (pid == 0) {
			pthread_t thread;
			pthread_create(&thread, NULL, make_threads, NULL);
			write(begun[1], "x", 1);
			for (volatile int spin = 0; spin < i * 20000; spin++)
				;
			end();
		}
		read(begun[0], &byte, 1);
		ended += waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == wanted;
		close(begun[0]);
		close(begun[1]);
	}
	return ended;
}

static void exec_true(void)
{
	execl("/bin/true", "true", NULL);
	_exit(9);
}

static void exit_with_three(void)
{
	_exit(3);
}

CHECK(exec_while_threads_are_made)
{
	say("ended: %d", ended_with(0, exec_true));
}

CHECK(exit_group_while_threads_are_made)
{
	say("ended: %d", ended_with(3, exit_with_three));
}

// All of a group have ended when the pipe that they hold has.
CHECK(group_signal_while_it_forks)
{
	int ended = 0;
	for (int i = 0; i < rounds; i++) {
		int held[2];
		need(pipe(held));
		pid_t leader = start();
		if (leader == 0) {
			setpgid(0, 0);
			close(held[0]);
			write(held[1], "x", 1);
			// Until it is told, but not without end where its parent gets no processor.
			for (int made = 0; made < 2000; made++) {
				pid_t child = fork();
				if (child == 0)
					sleep_on(NULL);
			}
			sleep_on(NULL);
		}
		close(held[1]);
		char byte;
		read(held[0], &byte, 1);
		for (volatile int spin = 0; spin < i * 20000; spin++)
			;
		need(kill(-leader, SIGTERM));
		ended += read(held[0], &byte, 1) == 0;
		close(held[0]);
		need(waitpid(leader, NULL, 0));
	}
	say("ended: %d", ended);
}

// A thread that counts: in a stopped process it does not.
static volatile long *counter;

static void *count(void *unused)
{
	for (;;)
		++*counter;
	return unused;
}

CHECK(stop_while_threads_are_made)
{
	int still = 0;
	for (int i = 0; i < rounds; i++) {
		counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		pid_t pid = start();
		if (pid == 0) {
			pthread_t thread;
			for (int made = 0; made < 8; made++)
				pthread_create(&thread, NULL, count, NULL);
			sleep_on(NULL);
		}
		while (!*counter)
			sched_yield();
		kill(pid, SIGSTOP);
		int status;
		need(waitpid(pid, &status, WUNTRACED));
		long before = *counter;
		give_it_a_chance();
		still += *counter == before;
		kill(pid, SIGKILL);
		need(waitpid(pid, &status, 0));
		munmap((void *)counter, 4096);
	}
	say("stood still: %d", still);
}

CHECK(scheduling_of_what_has_just_been_made)
{
	cpu_set_t mask;
	need(sched_getaffinity(0, sizeof mask, &mask));
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setaffinity_np(&attributes, sizeof mask, &mask);
	int done = 0;
	for (int i = 0; i < rounds; i++) {
		pthread_t thread;
		if (pthread_create(&thread, &attributes, (void *(*)(void *))pthread_self, NULL) == 0)
			done += !pthread_join(thread, NULL);
		pid_t pid = start();
		if (pid == 0)
			sleep_on(NULL);
		done += !setpriority(PRIO_PROCESS, pid, 5);
		done += !sched_setaffinity(pid, sizeof mask, &mask);
		kill(pid, SIGKILL);
		need(waitpid(pid, NULL, 0));
	}
	say("done: %d", done);
}
