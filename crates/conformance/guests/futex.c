// futex.c: wait, wake, timeouts, bitsets, requeue, wake-op; arguments checked in Linux's order.
//
// Calls: futex
// Passes: host acrida
#include "process.h"

#include <linux/futex.h>

static volatile int word, other;

static long futex(volatile void *address, long operation, long value, const void *timeout, volatile void *second,
		  long third)
{
	return raw(SYS_futex, address, operation, value, timeout, second, third);
}

static const struct timespec short_time = {0, 5000000}, zero_time = {0, 0};

CHECK(wait_errors)
{
	word = 5;
	report_result("other-value", futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0));
	report_result("timeout", futex(&word, FUTEX_WAIT, 5, &short_time, NULL, 0));
	report_result("timeout-private", futex(&word, FUTEX_WAIT_PRIVATE, 5, &short_time, NULL, 0));
	report_result("timeout-zero", futex(&word, FUTEX_WAIT, 5, &zero_time, NULL, 0));
	report_result("unaligned", futex((char *)&word + 1, FUTEX_WAIT, 5, &zero_time, NULL, 0));
	report_result("bad-address", futex(BAD, FUTEX_WAIT, 5, &zero_time, NULL, 0));
	report_result("null-address", futex(NULL, FUTEX_WAIT, 5, &zero_time, NULL, 0));
	report_result("kernel-address", futex(BAD_KERNEL, FUTEX_WAIT, 5, &zero_time, NULL, 0));
	report_result("bad-timeout-pointer", futex(&word, FUTEX_WAIT, 5, BAD, NULL, 0));
	report_result("bad-timeout-other-value", futex(&word, FUTEX_WAIT, 4, BAD, NULL, 0));
	struct timespec wrong = {0, 1000000000}, negative = {-1, 0}, huge = {LONG_MAX, 999999999};
	report_result("nanoseconds-too-many", futex(&word, FUTEX_WAIT, 5, &wrong, NULL, 0));
	report_result("negative-seconds", futex(&word, FUTEX_WAIT, 5, &negative, NULL, 0));
	report_result("wrong-timeout-other-value", futex(&word, FUTEX_WAIT, 4, &wrong, NULL, 0));
	report_result("huge-timeout-other-value", futex(&word, FUTEX_WAIT, 4, &huge, NULL, 0));
	report_result("unknown-operation", futex(&word, 100, 5, NULL, NULL, 0));
	report_result("fd-operation", futex(&word, 2, 5, NULL, NULL, 0));
	report_result("realtime-flag-on-wake", futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
	report_result("realtime-flag-on-wait", futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 5, &zero_time, NULL, 0));
}

CHECK(wake_errors)
{
	report_result("nobody", futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	report_result("nobody-private", futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
	report_result("unaligned", futex((char *)&word + 2, FUTEX_WAKE, 1, NULL, NULL, 0));
	report_result("bad-address-shared", futex(BAD, FUTEX_WAKE, 1, NULL, NULL, 0));
	report_result("bad-address-private", futex(BAD, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	report_result("null-shared", futex(NULL, FUTEX_WAKE, 1, NULL, NULL, 0));
	report_result("null-private", futex(NULL, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	report_result("kernel-address", futex(BAD_KERNEL, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	report_result("bitset-zero", futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	/* What the operation does not use may be anything: a C library's syscall() passes what the registers hold. */
	report_result("unused-arguments", futex(&word, FUTEX_WAKE_PRIVATE, 1, BAD_KERNEL, BAD_KERNEL, -1));
	report_result("unused-arguments-bitset", futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, BAD_KERNEL, BAD_KERNEL, -1));
	report_result("wait-bitset-zero", futex(&word, FUTEX_WAIT_BITSET, word, &zero_time, NULL, 0));
}

// Read-only memory: waiting only reads, so it works on private mappings too.
// What an operation does not use may be anything: Rust's standard library leaves it as it was in the registers.
CHECK(unused_arguments)
{
	long trash = (long)0x80000000ffffffff;
	word = 0;
	report_result("wake", raw(SYS_futex, &word, (long)FUTEX_WAKE, 1L, trash, trash, trash));
	report_result("wake-private", raw(SYS_futex, &word, (long)FUTEX_WAKE_PRIVATE, 1L, trash, trash, trash));
	report_result("wake-bitset", raw(SYS_futex, &word, (long)FUTEX_WAKE_BITSET_PRIVATE, 1L, trash, trash, 1L));
	report_result("wait", raw(SYS_futex, &word, (long)FUTEX_WAIT, 0L, &short_time, trash, trash));
	report_result("wait-bitset", raw(SYS_futex, &word, (long)FUTEX_WAIT_BITSET_PRIVATE, 0L, &zero_time, trash, 1L));
}

CHECK(read_only)
{
	int *page = read_only_pointer();
	report_result("wait-shared", futex(page, FUTEX_WAIT, 0, &short_time, NULL, 0));
	report_result("wait-private", futex(page, FUTEX_WAIT_PRIVATE, 0, &short_time, NULL, 0));
	report_result("wake-op-writes",
		      futex(&word, FUTEX_WAKE_OP, 1, NULL, page, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0)));
}

CHECK(absolute_timeouts)
{
	struct timespec now;
	word = 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	report_result("bitset-past", futex(&word, FUTEX_WAIT_BITSET, 1, &zero_time, NULL, FUTEX_BITSET_MATCH_ANY));
	report_result("bitset-now", futex(&word, FUTEX_WAIT_BITSET, 1, &now, NULL, FUTEX_BITSET_MATCH_ANY));
	clock_gettime(CLOCK_REALTIME, &now);
	report_result("bitset-realtime", futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &now, NULL, 1));
	report_result("bitset-other-value", futex(&word, FUTEX_WAIT_BITSET, 2, &zero_time, NULL, 1));
	clock_gettime(CLOCK_MONOTONIC, &now);
	long before = now.tv_sec * 1000000000 + now.tv_nsec;
	long until = before + 30000000;
	struct timespec when = {until / 1000000000, until % 1000000000};
	report_result("bitset-in-30-ms", futex(&word, FUTEX_WAIT_BITSET, 1, &when, NULL, 1));
	clock_gettime(CLOCK_MONOTONIC, &now);
	report_flag("not-early", now.tv_sec * 1000000000 + now.tv_nsec >= until);
}

struct waiter {
	pthread_t thread;
	volatile int *address;
	int bits;
	volatile pid_t tid;
	long result;
	volatile int done;
};

static void *wait_on(void *arg)
{
	struct waiter *me = arg;
	me->tid = gettid();
	me->result = futex(me->address, FUTEX_WAIT_BITSET, *me->address, NULL, NULL, me->bits);
	me->done = 1;
	return NULL;
}

// Starts a waiter and returns when it is asleep in its futex call.
static void start_waiter(struct waiter *waiter, volatile int *address, int bits)
{
	*waiter = (struct waiter){.address = address, .bits = bits};
	pthread_create(&waiter->thread, NULL, wait_on, waiter);
	while (!waiter->tid)
		sched_yield();
	wait_asleep(waiter->tid);
}

static void join_all(const char *name, struct waiter *waiters, int count)
{
	char text[128] = "";
	for (int i = 0; i < count; i++) {
		pthread_join(waiters[i].thread, NULL);
		snprintf(text + strlen(text), 24, " %s", outcome(waiters[i].result));
	}
	report(name, "%s", text);
}

CHECK(wake_counts)
{
	struct waiter waiters[4];
	word = 0;
	for (int i = 0; i < 4; i++)
		start_waiter(&waiters[i], &word, -1);
	report_result("wake-zero-wakes-one", futex(&word, FUTEX_WAKE, 0, NULL, NULL, 0));
	report_result("wake-two", futex(&word, FUTEX_WAKE, 2, NULL, NULL, 0));
	report_result("wake-rest", futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	report_result("wake-none", futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	join_all("results", waiters, 4);
}

CHECK(wake_order)
{
	struct waiter waiters[3];
	word = 0;
	for (int i = 0; i < 3; i++)
		start_waiter(&waiters[i], &word, -1);
	for (int i = 0; i < 3; i++) {
		futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0);
		pthread_join(waiters[i].thread, NULL);
		report("first-in-first-out", "%d: %s", i, outcome(waiters[i].result));
	}
}

CHECK(bitsets)
{
	struct waiter waiters[3];
	word = 0;
	for (int i = 0; i < 3; i++)
		start_waiter(&waiters[i], &word, 1 << i);
	report_result("no-match", futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 8));
	report_result("second", futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2));
	pthread_join(waiters[1].thread, NULL);
	report("woken", "%d%d%d", waiters[0].done, waiters[1].done, waiters[2].done);
	report_result("both", futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 5));
	pthread_join(waiters[0].thread, NULL);
	pthread_join(waiters[2].thread, NULL);
	start_waiter(&waiters[0], &word, 4);
	report_result("plain-wake-matches-any", futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0));
	join_all("results", waiters, 1);
}

CHECK(requeue)
{
	struct waiter waiters[4];
	word = other = 0;
	for (int i = 0; i < 4; i++)
		start_waiter(&waiters[i], &word, -1);
	report_result("cmp-other-value", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1L, &other, 7));
	report_result("cmp-one-and-two", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2L, &other, 0));
	report_result("left-on-first", futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	report_result("moved", futex(&other, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	join_all("results", waiters, 4);
	for (int i = 0; i < 2; i++)
		start_waiter(&waiters[i], &word, -1);
	report_result("requeue-counts-only-woken", futex(&word, FUTEX_REQUEUE, 0, (void *)5L, &other, 0));
	report_result("moved", futex(&other, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	join_all("results", waiters, 2);
	start_waiter(&waiters[0], &word, -1);
	report_result("requeue-to-itself", futex(&word, FUTEX_REQUEUE, 0, (void *)5L, &word, 0));
	report_result("still-there", futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0));
	join_all("results", waiters, 1);
}

CHECK(requeue_errors)
{
	word = other = 0;
	report_result("negative-wake", futex(&word, FUTEX_CMP_REQUEUE, -1, (void *)1L, &other, 0));
	report_result("negative-requeue", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)-1L, &other, 0));
	report_result("unaligned-second", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1L, (char *)&other + 1, 0));
	report_result("bad-second", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1L, BAD, 0));
	report_result("bad-first", futex(BAD, FUTEX_CMP_REQUEUE, 1, (void *)1L, &other, 0));
	report_result("nobody", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1L, &other, 0));
}

CHECK(wake_op)
{
	struct {
		const char *name;
		int operation;
		int before;
	} cases[] = {
		{"set", FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 3), 3},
		{"add", FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_NE, 3), 3},
		{"or", FUTEX_OP(FUTEX_OP_OR, 5, FUTEX_OP_CMP_LT, 3), 2},
		{"andn", FUTEX_OP(FUTEX_OP_ANDN, 5, FUTEX_OP_CMP_GT, 3), 7},
		{"xor", FUTEX_OP(FUTEX_OP_XOR, 5, FUTEX_OP_CMP_LE, 3), 3},
		{"shifted", FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_GE, 3), 0},
		{"negative-argument", FUTEX_OP(FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_EQ, 0), 0},
		{"unknown-operation", FUTEX_OP(7, 1, FUTEX_OP_CMP_EQ, 0), 1},
		{"unknown-comparison", FUTEX_OP(FUTEX_OP_ADD, 1, 9, 0), 1},
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		other = cases[i].before;
		long result = futex(&word, FUTEX_WAKE_OP, 1, (void *)1L, &other, cases[i].operation);
		report(cases[i].name, "%s value %d", outcome(result), other);
	}
	report_result("bad-second", futex(&word, FUTEX_WAKE_OP, 1, (void *)1L, BAD, 0));
	report_result("bad-first", futex(BAD, FUTEX_WAKE_OP, 1, (void *)1L, &other, 0));
	report_result("unaligned-second", futex(&word, FUTEX_WAKE_OP, 1, (void *)1L, (char *)&other + 1, 0));
	struct waiter waiters[2];
	word = other = 0;
	start_waiter(&waiters[0], &word, -1);
	start_waiter(&waiters[1], &other, -1);
	report_result("wakes-both", futex(&word, FUTEX_WAKE_OP, 1, (void *)1L, &other,
					  FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)));
	join_all("results", waiters, 2);
}

// A shared futex is found by its page: through fork, through two mappings of a file, not through a private copy.
CHECK(between_processes)
{
	volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = start();
	if (pid == 0)
		_exit(futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
	long woken = 0;
	wait_asleep(pid);
	report_result("private-wake-misses", futex(shared, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	while (!woken)
		woken = futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0);
	report("shared", "%ld, %s", woken, ending(pid));
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	need(ftruncate(fd, 4096));
	volatile int *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	volatile int *b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct waiter waiter;
	start_waiter(&waiter, a, -1);
	report_result("two-mappings-of-a-file", futex(b, FUTEX_WAKE, 1, NULL, NULL, 0));
	join_all("results", &waiter, 1);
}

static volatile sig_atomic_t alarms;
static void on_alarm(int signo)
{
	(void)signo;
	alarms++;
}

CHECK(interrupted)
{
	struct timespec long_time = {100, 0};
	word = 0;
	handle(SIGALRM, on_alarm, 0);
	ticks(1);
	report_result("no-restart", futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
	report_result("no-restart-timeout", futex(&word, FUTEX_WAIT, 0, &long_time, NULL, 0));
	ticks(0);
	signal(SIGALRM, SIG_DFL);
	alarm(CHECK_SECONDS);
}

static void wake_after_three(int signo)
{
	(void)signo;
	if (++alarms == 3) {
		word = 1;
		futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

// With SA_RESTART the wait begins again: the changed value ends it with EAGAIN, unless the wake found it asleep.
CHECK(restarted)
{
	word = alarms = 0;
	handle(SIGALRM, wake_after_three, SA_RESTART);
	ticks(1);
	long result = futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0);
	ticks(0);
	report_flag("value-changed-in-handler", result == 0 || result == -EAGAIN);
	report("alarms", "%d", alarms >= 3);
	signal(SIGALRM, SIG_DFL);
	alarm(CHECK_SECONDS);
}

CHECK(unmapped_while_waiting)
{
	volatile int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct waiter waiter;
	start_waiter(&waiter, page, -1);
	// A private futex is its address: it can still be woken there.
	munmap((void *)page, 4096);
	page = mmap((void *)page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	report_result("woken-at-new-mapping", futex(page, FUTEX_WAKE, 1, NULL, NULL, 0));
	join_all("result", &waiter, 1);
}
