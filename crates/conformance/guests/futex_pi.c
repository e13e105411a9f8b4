// futex_pi.c: priority-inheritance futexes: the word's bits, owners, errors.
//
// Calls: futex
// Passes: host acrida
#include "process.h"

#include <linux/futex.h>

static volatile unsigned word;
static const struct timespec zero_time = {0, 0};

static long futex(volatile void *address, long operation, long value, const void *timeout)
{
	return raw(SYS_futex, address, operation, value, timeout, 0L, 0L);
}

CHECK(uncontended)
{
	word = 0;
	report_result("lock", futex(&word, FUTEX_LOCK_PI, 0, NULL));
	report_flag("word-is-tid", word == (unsigned)gettid());
	report_result("lock-again", futex(&word, FUTEX_LOCK_PI, 0, NULL));
	report_result("trylock-again", futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	report_result("unlock", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	report("word", "%u", word);
	report_result("unlock-again", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	report_result("trylock", futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	report_result("unlock", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
}

CHECK(errors)
{
	word = 2000000000 & FUTEX_TID_MASK;
	report_result("owner-missing", futex(&word, FUTEX_LOCK_PI, 0, NULL));
	report_result("trylock-owner-missing", futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	report_result("unlock-not-owner", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	report_result("lock-bad", futex(BAD, FUTEX_LOCK_PI, 0, NULL));
	report_result("unlock-bad", futex(BAD, FUTEX_UNLOCK_PI, 0, NULL));
	report_result("lock-unaligned", futex((char *)&word + 1, FUTEX_LOCK_PI, 0, NULL));
	report_result("bad-timeout", futex(&word, FUTEX_LOCK_PI, 0, BAD));
	word = 0;
	report_result("free-with-expired-timeout", futex(&word, FUTEX_LOCK_PI, 0, &zero_time));
	report_result("unlock", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
}

static volatile pid_t waiter_tid;
static void *lock_and_unlock(void *arg)
{
	long *results = arg;
	waiter_tid = gettid();
	results[0] = futex(&word, FUTEX_LOCK_PI, 0, NULL);
	results[1] = word & FUTEX_TID_MASK;
	results[2] = futex(&word, FUTEX_UNLOCK_PI, 0, NULL);
	return NULL;
}

CHECK(contended)
{
	pthread_t thread;
	long results[3];
	word = 0;
	waiter_tid = 0;
	futex(&word, FUTEX_LOCK_PI, 0, NULL);
	pthread_create(&thread, NULL, lock_and_unlock, results);
	while (!(word & FUTEX_WAITERS))
		sched_yield();
	report_flag("waiters-bit-and-owner", (word & FUTEX_TID_MASK) == (unsigned)gettid());
	report_result("unlock", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
	pthread_join(thread, NULL);
	report("waiter", "%s owner %s unlock %s", outcome(results[0]), results[1] == waiter_tid ? "itself" : "?",
	       outcome(results[2]));
	report("word", "%u", word);
}

static void *lock_with_timeout(void *arg)
{
	struct timespec when;
	clock_gettime(CLOCK_REALTIME, &when);
	*(long *)arg = futex(&word, FUTEX_LOCK_PI, 0, &when);
	return NULL;
}

CHECK(timeout)
{
	pthread_t thread;
	long result;
	word = 0;
	futex(&word, FUTEX_LOCK_PI, 0, NULL);
	pthread_create(&thread, NULL, lock_with_timeout, &result);
	pthread_join(thread, NULL);
	report_result("waiter", result);
	report_result("unlock", futex(&word, FUTEX_UNLOCK_PI, 0, NULL));
}

CHECK(mutexes)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t mutex;
	pthread_mutexattr_init(&attributes);
	report_result("protocol", -pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
	report_result("init", -pthread_mutex_init(&mutex, &attributes));
	report_result("lock", -pthread_mutex_lock(&mutex));
	report_result("trylock", -pthread_mutex_trylock(&mutex));
	report_result("unlock", -pthread_mutex_unlock(&mutex));
}

static volatile int locked;
static void *wait_for_dead_leader(void *leader)
{
	while (!locked)
		sched_yield();
	pthread_join(*(pthread_t *)leader, NULL);
	wait_ended(getpid());
	report_result("lock", futex(&word, FUTEX_LOCK_PI, 0, NULL));
	report_result("trylock", futex(&word, FUTEX_TRYLOCK_PI, 0, NULL));
	_exit(0);
}

// A leader that ended with threads left has no lock any more.
CHECK(dead_leader)
{
	pid_t pid = start();
	if (pid == 0) {
		static pthread_t leader, thread;
		leader = pthread_self();
		word = 0;
		pthread_create(&thread, NULL, wait_for_dead_leader, &leader);
		report_result("leader", futex(&word, FUTEX_LOCK_PI, 0, NULL));
		locked = 1;
		pthread_exit(NULL);
	}
	report("process", "%s", ending(pid));
}
