// epoll_storm.c: threads that raise counters and threads that wait for them, on sets that change all the time.
//
// usage: epoll_storm [SECONDS [THREADS]]
//
// Half of the threads raise counters; the other half wait on one of several sets (level, edge, one-shot, exclusive, a set in
// a set), take what they are told of and count it. One more thread adds, changes and takes off other files in the same sets,
// and closes them. In the end all that was raised must have been taken: an event that nobody is told of stays in its
// counter, and the last waiters run out of time. Prints `ok` and the number of turns on standard error, or what was lost.
//
// Build: cc -O1 -pthread epoll_storm.c
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SETS = 5, COUNTERS = 6, PATIENCE_MS = 60000, MOST_THREADS = 64 };
enum { LEVEL, EDGE, ONE_SHOT, EXCLUSIVE, NESTED };

static int sets[SETS], inner, counters[SETS][COUNTERS];
static atomic_long raised[SETS], taken[SETS], turns;
static atomic_bool stop, raisers_done;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint32_t below(uint64_t *state, uint32_t bound)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 20) % bound;
}

static unsigned interest(int set)
{
	static const unsigned modes[SETS] = { 0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLET };
	return EPOLLIN | modes[set];
}

static int ctl(int set, int operation, int fd, unsigned events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };
	return epoll_ctl(set, operation, fd, &event);
}

static void *raise_counters(void *argument)
{
	uint64_t state = (uintptr_t)argument * 0x9e3779b97f4a7c15 | 1;
	while (!stop) {
		int set = below(&state, SETS), counter = below(&state, COUNTERS);
		uint64_t one = 1 + below(&state, 3);
		atomic_fetch_add(&raised[set], one);
		if (write(counters[set][counter], &one, 8) != 8)
			die("write");
		// Not so fast that the waiters never sleep.
		if (below(&state, 8) == 0)
			sched_yield();
		turns++;
	}
	return NULL;
}

// Takes one counter; one-shot interests are armed again, as their users must.
static void take(int set, int counter)
{
	uint64_t count;
	if (read(counters[set][counter], &count, 8) == 8)
		atomic_fetch_add(&taken[set], count);
	else if (errno != EAGAIN)
		die("read");
	if (set == ONE_SHOT && ctl(sets[set], EPOLL_CTL_MOD, counters[set][counter], interest(set), counter))
		die("epoll_ctl");
}

static bool all_taken(int set)
{
	return raisers_done && atomic_load(&raised[set]) == atomic_load(&taken[set]);
}

static void look(int set, int at, int max, int millis)
{
	struct epoll_event events[8];
	int count = epoll_wait(at, events, max, millis);
	if (count < 0 && errno != EINTR)
		die("epoll_wait");
	for (int i = 0; i < count; i++) {
		uint64_t data = events[i].data.u64;
		if (data == SETS * COUNTERS)
			look(set, inner, 8, 0);
		else if (data < COUNTERS)
			take(set, data);
	}
}

static void *wait_for_counters(void *argument)
{
	int number = (int)(uintptr_t)argument, set = number % SETS;
	while (!all_taken(set)) {
		look(set, sets[set], 1 + number % 4, 50);
		set = (set + (number & 1)) % SETS;
		if (stop && raisers_done)
			break;
	}
	return NULL;
}

// Other files come and go in the same sets: descriptors watched, changed, closed with and without being taken off.
static void *churn(void *argument)
{
	uint64_t state = (uintptr_t)argument | 0x5bd1e995;
	while (!stop) {
		int set = sets[below(&state, SETS)], fd = eventfd(below(&state, 2), EFD_NONBLOCK);
		if (fd < 0)
			die("eventfd");
		ctl(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, UINT64_MAX);
		int copy = below(&state, 2) ? dup(fd) : -1;
		ctl(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLET, UINT64_MAX);
		if (below(&state, 2))
			ctl(set, EPOLL_CTL_DEL, fd, 0, 0);
		close(fd);
		close(copy);
		if (below(&state, 64) == 0) {
			pid_t child = fork();
			if (child == 0)
				_exit(0);
			waitpid(child, NULL, 0);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 2, threads = argc > 2 ? atoi(argv[2]) : 8;
	if (threads < 2 || threads > MOST_THREADS)
		threads = 8;
	inner = epoll_create1(0);
	for (int set = 0; set < SETS; set++) {
		sets[set] = epoll_create1(0);
		for (int i = 0; i < COUNTERS; i++) {
			counters[set][i] = eventfd(0, EFD_NONBLOCK);
			if (ctl(set == NESTED ? inner : sets[set], EPOLL_CTL_ADD, counters[set][i], interest(set), i))
				die("epoll_ctl");
		}
	}
	if (ctl(sets[NESTED], EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLET, SETS * COUNTERS))
		die("epoll_ctl");
	pthread_t raisers[MOST_THREADS], waiters[MOST_THREADS], churner;
	for (int i = 0; i < threads / 2; i++)
		pthread_create(&raisers[i], NULL, raise_counters, (void *)(uintptr_t)(i + 1));
	for (int i = 0; i < threads - threads / 2; i++)
		pthread_create(&waiters[i], NULL, wait_for_counters, (void *)(uintptr_t)i);
	pthread_create(&churner, NULL, churn, NULL);
	sleep(seconds);
	stop = true;
	for (int i = 0; i < threads / 2; i++)
		pthread_join(raisers[i], NULL);
	pthread_join(churner, NULL);
	raisers_done = true;
	for (int i = 0; i < threads - threads / 2; i++)
		pthread_join(waiters[i], NULL);
	// What is left must be told of without another event.
	bool lost = false;
	for (int set = 0; set < SETS; set++) {
		struct timespec start, now;
		clock_gettime(CLOCK_MONOTONIC, &start);
		do {
			look(set, sets[set], 8, 100);
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while (!all_taken(set) && (now.tv_sec - start.tv_sec) * 1000 < PATIENCE_MS);
		if (!all_taken(set)) {
			printf("set %d: %ld raised, %ld taken\n", set, (long)raised[set], (long)taken[set]);
			lost = true;
		}
	}
	fprintf(stderr, "%ld turns\n", (long)turns);
	if (!lost)
		puts("ok");
	return lost;
}
