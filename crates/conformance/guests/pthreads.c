// pthreads.c: threads as libc makes them: join, cancel, TLS, condition variables, barriers, orders of ending.
//
// Calls: clone futex exit set_robust_list tgkill
// Passes: host acrida
#include "process.h"

#include <semaphore.h>

static void *double_of(void *arg)
{
	return (void *)((long)arg * 2);
}

CHECK(create_and_join)
{
	enum { COUNT = 64 };
	pthread_t threads[COUNT];
	void *result;
	long sum = 0;
	for (long i = 0; i < COUNT; i++)
		need(-pthread_create(&threads[i], NULL, double_of, (void *)i));
	for (int i = 0; i < COUNT; i++) {
		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	report("sum", "%ld", sum);
	report_result("join-self", -pthread_join(pthread_self(), NULL));
	// One after the other: stacks and tids are reused.
	sum = 0;
	for (long i = 0; i < 300; i++) {
		pthread_create(&threads[0], NULL, double_of, (void *)i);
		pthread_join(threads[0], &result);
		sum += (long)result;
	}
	report("one-after-the-other", "%ld", sum);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter, turns;

static void *add(void *arg)
{
	for (long i = 0; i < (long)arg; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

CHECK(mutex_excludes)
{
	pthread_t threads[4];
	counter = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, add, (void *)20000L);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	report("counter", "%ld", counter);
	pthread_mutexattr_t kind;
	pthread_mutex_t checked;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checked, &kind);
	pthread_mutex_lock(&checked);
	report_result("errorcheck-relock", -pthread_mutex_lock(&checked));
	pthread_mutex_unlock(&checked);
	report_result("errorcheck-unlock", -pthread_mutex_unlock(&checked));
	struct timespec past = {1, 0};
	pthread_mutex_lock(&mutex);
	report_result("timedlock-past", -pthread_mutex_timedlock(&mutex, &past));
	report_result("clocklock-past", -pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &past));
	pthread_mutex_unlock(&mutex);
}

static void *take_turns(void *arg)
{
	long mine = (long)arg;
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turns % 3 != mine)
			pthread_cond_wait(&condition, &mutex);
		turns++;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

CHECK(condition_variable)
{
	pthread_t threads[3];
	turns = 0;
	for (long i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_turns, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	report("turns", "%ld", turns);
	struct timespec past = {1, 0};
	pthread_mutex_lock(&mutex);
	report_result("timedwait-past", -pthread_cond_timedwait(&condition, &mutex, &past));
	report_result("clockwait-past", -pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &past));
	report_result("mutex-held-behind", -pthread_mutex_trylock(&mutex));
	pthread_mutex_unlock(&mutex);
}

static pthread_barrier_t barrier;
static long last_ones;
static void *meet(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			__atomic_add_fetch(&last_ones, 1, __ATOMIC_RELAXED);
	return NULL;
}

CHECK(barrier_and_semaphore)
{
	pthread_t threads[4];
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, meet, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	report("serial-threads", "%ld", last_ones);
	sem_t semaphore;
	struct timespec past = {1, 0};
	sem_init(&semaphore, 0, 2);
	report_result("wait", folded(sem_wait(&semaphore)));
	report_result("trywait", folded(sem_trywait(&semaphore)));
	report_result("trywait-empty", folded(sem_trywait(&semaphore)));
	report_result("timedwait-past", folded(sem_timedwait(&semaphore, &past)));
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
CHECK(read_write_lock)
{
	report_result("read", -pthread_rwlock_rdlock(&rwlock));
	report_result("read-again", -pthread_rwlock_tryrdlock(&rwlock));
	report_result("write-while-read", -pthread_rwlock_trywrlock(&rwlock));
	pthread_rwlock_unlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	report_result("write", -pthread_rwlock_wrlock(&rwlock));
	report_result("read-while-write", -pthread_rwlock_tryrdlock(&rwlock));
	pthread_rwlock_unlock(&rwlock);
}

static __thread int own = 7;
static __thread char own_large[40000];
static pthread_key_t key;
static int destroyed;
static void on_destroy(void *value)
{
	__atomic_add_fetch(&destroyed, (int)(long)value, __ATOMIC_RELAXED);
	if ((long)value > 1)
		pthread_setspecific(key, (void *)((long)value - 1));
}

static void *use_tls(void *arg)
{
	int before = own;
	own = (int)(long)arg;
	own_large[39999] = (char)own;
	pthread_setspecific(key, (void *)3);
	sched_yield();
	return (void *)(long)(before * 100 + own + (own_large[39999] != (char)own));
}

CHECK(thread_local_storage)
{
	pthread_t threads[3];
	void *result;
	own = 50;
	pthread_key_create(&key, on_destroy);
	for (long i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, use_tls, (void *)(i + 1));
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &result);
		report("thread", "%ld", (long)result);
	}
	report("ours", "%d, destructors %d", own, destroyed);
	IN_CHILD("fork-copies")
	{
		report("own", "%d", own);
	}
}

static int cleaned;
static void clean(void *arg)
{
	cleaned += (int)(long)arg;
}

static void *be_cancelled(void *arg)
{
	pthread_cleanup_push(clean, (void *)1);
	pthread_cleanup_push(clean, (void *)10);
	if (arg) {
		char byte;
		read(*(int *)arg, &byte, 1);
	} else {
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
		for (;;)
			;
	}
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static volatile int entered;
static void *refuse_cancel(void *arg)
{
	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	entered = 1;
	for (int i = 0; i < 100; i++)
		sched_yield();
	pthread_testcancel();
	return (void *)5;
}

CHECK(cancellation)
{
	pthread_t thread;
	int ends[2];
	void *result;
	need(pipe(ends));
	pthread_create(&thread, NULL, be_cancelled, &ends[0]);
	report_result("cancel-blocked-in-read", -pthread_cancel(thread));
	pthread_join(thread, &result);
	report("result", "%s, cleaned %d", result == PTHREAD_CANCELED ? "cancelled" : "?", cleaned);
	cleaned = 0;
	pthread_create(&thread, NULL, be_cancelled, NULL);
	report_result("cancel-spinning", -pthread_cancel(thread));
	pthread_join(thread, &result);
	report("result", "%s", result == PTHREAD_CANCELED ? "cancelled" : "?");
	pthread_create(&thread, NULL, refuse_cancel, NULL);
	while (!entered)
		sched_yield();
	pthread_cancel(thread);
	pthread_join(thread, &result);
	report("disabled", "%ld", (long)result);
}

static pthread_t main_thread;
static void *outlive_main(void *arg)
{
	void *result;
	(void)arg;
	int error = pthread_join(main_thread, &result);
	say("main ended with %ld, join %s, we go on as pid %s", (long)result, outcome(-error),
	    getpid() != gettid() ? "of the leader" : "?");
	exit(6);
}

CHECK(main_ends_first)
{
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		main_thread = pthread_self();
		pthread_create(&thread, NULL, outlive_main, NULL);
		pthread_exit((void *)42);
	}
	report("process", "%s", ending(pid));
	pid = start();
	if (pid == 0)
		pthread_exit(NULL);
	report("last-thread-ends", "%s", ending(pid));
}

static void *detached(void *arg)
{
	write(*(int *)arg, "d", 1);
	return NULL;
}

CHECK(detached_threads)
{
	int ends[2];
	char byte;
	pthread_attr_t attributes;
	pthread_t thread;
	need(pipe(ends));
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	int right = 0;
	for (int i = 0; i < 50; i++) {
		pthread_create(&thread, &attributes, detached, &ends[1]);
		right += read(ends[0], &byte, 1);
	}
	report("fifty", "%d", right);
	report_result("stack-too-small", -pthread_attr_setstacksize(&attributes, 4096));
	report_result("stack-small", -pthread_attr_setstacksize(&attributes, 16384 + 65536));
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
	void *result = NULL;
	report_result("create-with-it", -pthread_create(&thread, &attributes, double_of, (void *)4));
	pthread_join(thread, &result);
	report("result", "%ld", (long)result);
}

static pid_t fork_from_thread;
static void *fork_here(void *arg)
{
	(void)arg;
	fork_from_thread = start();
	if (fork_from_thread == 0) {
		// Only this thread exists in the child; it is the leader there.
		int tasks_right = gettid() == getpid();
		pthread_t thread;
		void *result = NULL;
		pthread_create(&thread, NULL, double_of, (void *)2);
		pthread_join(thread, &result);
		_exit(tasks_right * 10 + (int)(long)result);
	}
	report("child", "%s", ending(fork_from_thread));
	return NULL;
}

static int order;
static void before_fork(void)
{
	order = order * 10 + 1;
}
static void after_fork_parent(void)
{
	order = order * 10 + 2;
}
static void after_fork_child(void)
{
	order = order * 10 + 3;
}

CHECK(fork_in_thread)
{
	pthread_t thread;
	pthread_create(&thread, NULL, fork_here, NULL);
	pthread_join(thread, NULL);
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
	pid_t pid = start();
	if (pid == 0)
		_exit(order);
	report("atfork", "parent %d, child %s", order, ending(pid));
}

static void *exhaust(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

// Many threads at once, all asleep, then all awake.
CHECK(two_hundred_threads)
{
	enum { COUNT = 200 };
	static pthread_t threads[COUNT];
	int made = 0, ended = 0;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 131072);
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < COUNT; i++)
		made += pthread_create(&threads[i], &attributes, exhaust, (void *)1) == 0;
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < COUNT; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		ended += (int)(long)result;
	}
	report("made", "%d ended %d", made, ended);
}
