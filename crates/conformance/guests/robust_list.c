// robust_list.c: locks of a thread that dies, get and set of the list, clear_child_tid.
//
// Calls: set_robust_list get_robust_list set_tid_address exit futex
// Passes: host acrida
#include "process.h"

#include <linux/futex.h>

struct lock {
	struct robust_list node;
	volatile unsigned word;
};

static long wait_while(volatile unsigned *word, unsigned value)
{
	struct timespec limit = {10, 0};
	return raw(SYS_futex, word, (long)FUTEX_WAIT, (long)value, &limit, 0L, 0L);
}

CHECK(arguments)
{
	static struct robust_list_head head;
	void *got = NULL;
	size_t length = 0;
	report_result("size-wrong", raw(SYS_set_robust_list, &head, 23L));
	report_result("size-zero", raw(SYS_set_robust_list, 0L, 0L));
	report_result("get-self", raw(SYS_get_robust_list, 0L, &got, &length));
	report("length", "%zu, head %s", length, got ? "set by libc" : "null");
	report_result("get-bad-head", raw(SYS_get_robust_list, 0L, BAD, &length));
	report_result("get-bad-length", raw(SYS_get_robust_list, 0L, &got, BAD));
	report_result("get-missing", raw(SYS_get_robust_list, 2000000000L, &got, &length));
	report_result("get-negative", raw(SYS_get_robust_list, -1L, &got, &length));
	// An address is not looked at before the thread ends.
	IN_CHILD("child")
	{
		report_result("set-bad", raw(SYS_set_robust_list, BAD, 24L));
		report_result("get", raw(SYS_get_robust_list, 0L, &got, &length));
		report_flag("same", got == BAD);
	}
}

static struct robust_list_head head;
static struct lock locks[3];

// Takes all locks the way libc does, with `pending` half taken, and ends.
static void *die_holding(void *arg)
{
	bool pending = arg != NULL;
	unsigned tid = gettid();
	head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
	head.list.next = &locks[0].node;
	locks[0].node.next = &locks[1].node;
	locks[1].node.next = pending ? &head.list : &locks[2].node;
	locks[2].node.next = &head.list;
	head.list_op_pending = pending ? &locks[2].node : NULL;
	raw(SYS_set_robust_list, &head, (long)sizeof head);
	locks[0].word = tid;
	locks[1].word = tid | FUTEX_WAITERS;
	locks[2].word = pending ? tid : 12345;
	return NULL;
}

static void show_words(const char *name)
{
	char text[128] = "";
	for (int i = 0; i < 3; i++) {
		unsigned word = locks[i].word;
		snprintf(text + strlen(text), 40, " %s%s%u", word & FUTEX_WAITERS ? "waiters|" : "",
			 word & FUTEX_OWNER_DIED ? "died|" : "", word & FUTEX_TID_MASK);
	}
	report(name, "%s", text);
}

CHECK(thread_dies)
{
	pthread_t thread;
	pthread_create(&thread, NULL, die_holding, NULL);
	pthread_join(thread, NULL);
	show_words("held-held-not-ours");
	pthread_create(&thread, NULL, die_holding, "pending");
	pthread_join(thread, NULL);
	show_words("pending-counts");
}

// Lists that are broken or endless do no harm.
static void *die_with_loop(void *arg)
{
	(void)arg;
	unsigned tid = gettid();
	head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
	head.list.next = &locks[0].node;
	locks[0].node.next = &locks[1].node;
	locks[1].node.next = &locks[0].node;
	head.list_op_pending = NULL;
	locks[0].word = locks[1].word = tid;
	locks[2].word = 0;
	raw(SYS_set_robust_list, &head, (long)sizeof head);
	return NULL;
}

static void *die_with_bad_pointer(void *arg)
{
	(void)arg;
	unsigned tid = gettid();
	head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
	head.list.next = &locks[0].node;
	locks[0].node.next = bad_pointer();
	head.list_op_pending = NULL;
	locks[0].word = tid;
	locks[1].word = tid;
	raw(SYS_set_robust_list, &head, (long)sizeof head);
	return NULL;
}

CHECK(broken_lists)
{
	pthread_t thread;
	pthread_create(&thread, NULL, die_with_loop, NULL);
	pthread_join(thread, NULL);
	show_words("loop");
	pthread_create(&thread, NULL, die_with_bad_pointer, NULL);
	pthread_join(thread, NULL);
	report_flag("before-bad-pointer", locks[0].word == FUTEX_OWNER_DIED);
	report_flag("behind-bad-pointer-untouched", (locks[1].word & FUTEX_TID_MASK) != 0);
}

// A waiter in another process is woken when the owner is killed.
CHECK(process_killed)
{
	struct shared {
		struct robust_list_head head;
		struct lock lock;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t owner = start();
	if (owner == 0) {
		shared->head.list.next = &shared->lock.node;
		shared->lock.node.next = &shared->head.list;
		shared->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
		raw(SYS_set_robust_list, &shared->head, (long)sizeof shared->head);
		shared->lock.word = gettid() | FUTEX_WAITERS;
		for (;;)
			pause();
	}
	while (!shared->lock.word)
		sched_yield();
	pid_t waiter = start();
	if (waiter == 0) {
		unsigned value;
		while (!((value = shared->lock.word) & FUTEX_OWNER_DIED))
			if (wait_while(&shared->lock.word, value) == -ETIMEDOUT)
				_exit(2);
		_exit(0);
	}
	wait_asleep(waiter);
	kill(owner, SIGKILL);
	report("owner", "%s", ending(owner));
	report("waiter", "%s", ending(waiter));
	report_flag("died-bit", shared->lock.word & FUTEX_OWNER_DIED);
}

// exec counts as the end of the locks as well.
ROLE(nothing)
{
}

CHECK(process_execs)
{
	struct shared {
		struct robust_list_head head;
		struct lock lock;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t owner = start();
	if (owner == 0) {
		shared->head.list.next = &shared->lock.node;
		shared->lock.node.next = &shared->head.list;
		shared->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
		raw(SYS_set_robust_list, &shared->head, (long)sizeof shared->head);
		shared->lock.word = gettid();
		become_role("nothing", NULL);
	}
	report("owner", "%s", ending(owner));
	report_flag("died-bit", shared->lock.word & FUTEX_OWNER_DIED);
}

static void *lock_and_end(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

CHECK(pthread_mutex)
{
	pthread_mutexattr_t attributes;
	pthread_mutex_t mutex;
	pthread_t thread;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attributes);
	pthread_create(&thread, NULL, lock_and_end, &mutex);
	pthread_join(thread, NULL);
	report_result("owner-dead", -pthread_mutex_lock(&mutex));
	report_result("consistent", -pthread_mutex_consistent(&mutex));
	report_result("unlock", -pthread_mutex_unlock(&mutex));
	report_result("lock", -pthread_mutex_lock(&mutex));
	report_result("unlock", -pthread_mutex_unlock(&mutex));
	pthread_create(&thread, NULL, lock_and_end, &mutex);
	pthread_join(thread, NULL);
	report_result("owner-dead", -pthread_mutex_lock(&mutex));
	report_result("unlock-without-consistent", -pthread_mutex_unlock(&mutex));
	report_result("not-recoverable", -pthread_mutex_lock(&mutex));
}

CHECK(pthread_mutex_between_processes)
{
	pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
	int ready[2];
	char byte;
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		pthread_mutex_lock(mutex);
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	report_result("trylock-held", -pthread_mutex_trylock(mutex));
	kill(pid, SIGKILL);
	report_result("lock-after-kill", -pthread_mutex_lock(mutex));
	pthread_mutex_consistent(mutex);
	report_result("unlock", -pthread_mutex_unlock(mutex));
	report("child", "%s", ending(pid));
}

static volatile int tid_word;
static void *set_address_and_end(void *arg)
{
	report_flag("returns-tid", raw(SYS_set_tid_address, arg) == gettid());
	raw(SYS_exit, 0L);
	return NULL;
}

// The word is cleared and one waiter woken when the thread ends; a bad address is ignored.
CHECK(set_tid_address)
{
	pthread_t thread;
	tid_word = 99;
	pthread_create(&thread, NULL, set_address_and_end, (void *)&tid_word);
	pthread_detach(thread);
	while (tid_word == 99)
		wait_while((volatile unsigned *)&tid_word, 99);
	report("cleared", "%d", tid_word);
	// The last user of an address space does not clear: nobody could see it but through shared memory.
	volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*shared = 5;
	IN_CHILD("process")
	{
		raw(SYS_set_tid_address, shared);
	}
	report("of-last-thread", "%d", *shared);
	IN_CHILD("bad")
	{
		report_flag("returns-tid", raw(SYS_set_tid_address, BAD) == gettid());
	}
}
