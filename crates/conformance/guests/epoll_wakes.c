// epoll_wakes.c: how many of the threads that wait are woken by one event: level, edge, one-shot and exclusive, on one
// set, on a set each, and through sets in sets.
//
// Calls: epoll_wait epoll_ctl
// Passes: host acrida
#include "process.h"
#include "epoll.h"

enum { MOST = 8 };

static struct waiter {
	pthread_t thread;
	pid_t tid;
	int set;
	int told;
} waiters[MOST];
static int nr_waiters, hold[2];

// Waits for one event, counts it, and then sleeps until everybody may go.
static void *wait_once(void *argument)
{
	struct waiter *waiter = argument;
	struct epoll_event event;
	char byte;
	__atomic_store_n(&waiter->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	int count = epoll_wait(waiter->set, &event, 1, -1);
	if (count > 0)
		__atomic_add_fetch(&waiter->told, 1, __ATOMIC_SEQ_CST);
	(void)!read(hold[0], &byte, 1);
	return NULL;
}

// Sleepers on sets[0 % nr_sets], sets[1 % nr_sets]...
static void begin(int count, const int *sets, int nr_sets)
{
	let_interrupt(SIGUSR1);
	need(pipe(hold));
	nr_waiters = count;
	for (int i = 0; i < count; i++) {
		waiters[i] = (struct waiter){ .set = sets[i % nr_sets] };
		need(-pthread_create(&waiters[i].thread, NULL, wait_once, &waiters[i]));
		while (!__atomic_load_n(&waiters[i].tid, __ATOMIC_SEQ_CST))
			sched_yield();
		// One after the other, so that they are on the queue in order.
		wait_asleep(waiters[i].tid);
	}
}

// Whoever is woken wakes the next before it sleeps itself, the last to come first: a round sees one of them at least asleep.
static void settle(void)
{
	for (int round = 0; round <= nr_waiters; round++)
		for (int i = 0; i < nr_waiters; i++)
			wait_asleep(waiters[i].tid);
}

static void count_told(const char *what)
{
	int told = 0;
	settle();
	for (int i = 0; i < nr_waiters; i++)
		told += __atomic_load_n(&waiters[i].told, __ATOMIC_SEQ_CST);
	say("%s: %d of %d", what, told, nr_waiters);
}

static void end(void)
{
	close(hold[1]);
	for (int i = 0; i < nr_waiters; i++) {
		// Until it is out of the wait: a signal may come before it sleeps.
		while (pthread_tryjoin_np(waiters[i].thread, NULL) == EBUSY) {
			pthread_kill(waiters[i].thread, SIGUSR1);
			sched_yield();
		}
	}
	close(hold[0]);
}

static const int counts[] = { 1, 2, 8 };
#define FOR_COUNTS for (int c_ = 0, n = counts[0]; c_ < 3; n = counts[++c_ % 3])

static const char *label(const char *what, int n)
{
	static char text[128];
	snprintf(text, sizeof text, "%s, %d waiting", what, n);
	return text;
}

// `n` threads on one set that watches one counter.
static void one_set(const char *what, unsigned events)
{
	FOR_COUNTS {
		int set = new_set(), e = need(eventfd(0, EFD_NONBLOCK));
		need(add(set, e, events));
		begin(n, &set, 1);
		add_to(e, 1);
		count_told(label(what, n));
		add_to(e, 1);
		count_told(label("once more", n));
		end();
		close(e);
		close(set);
	}
}

CHECK(one_set_level)
{
	one_set("level", EPOLLIN);
}

CHECK(one_set_edge)
{
	one_set("edge", EPOLLIN | EPOLLET);
}

CHECK(one_set_one_shot)
{
	one_set("one shot", EPOLLIN | EPOLLONESHOT);
}

CHECK(one_set_exclusive)
{
	one_set("exclusive", EPOLLIN | EPOLLEXCLUSIVE);
}

CHECK(one_set_exclusive_edge)
{
	one_set("exclusive edge", EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
}

// `n` threads, each on a set of its own, that all watch one counter.
static void set_each(const char *what, unsigned events)
{
	FOR_COUNTS {
		int sets[MOST], e = need(eventfd(0, EFD_NONBLOCK));
		for (int i = 0; i < n; i++) {
			sets[i] = new_set();
			need(add(sets[i], e, events));
		}
		begin(n, sets, n);
		add_to(e, 1);
		count_told(label(what, n));
		add_to(e, 1);
		count_told(label("once more", n));
		end();
		close(e);
		for (int i = 0; i < n; i++)
			close(sets[i]);
	}
}

CHECK(set_each_level)
{
	set_each("level", EPOLLIN);
}

CHECK(set_each_edge)
{
	set_each("edge", EPOLLIN | EPOLLET);
}

CHECK(set_each_exclusive)
{
	set_each("exclusive", EPOLLIN | EPOLLEXCLUSIVE);
}

CHECK(set_each_exclusive_edge)
{
	set_each("exclusive edge", EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
}

CHECK(exclusive_beside_others)
{
	int sets[4], e = need(eventfd(0, EFD_NONBLOCK));
	for (int i = 0; i < 4; i++) {
		sets[i] = new_set();
		need(add(sets[i], e, i < 2 ? EPOLLIN : EPOLLIN | EPOLLEXCLUSIVE));
	}
	begin(4, sets, 4);
	add_to(e, 1);
	count_told("two shared, two exclusive");
	say("shared: %d %d", waiters[0].told, waiters[1].told);
	end();
}

CHECK(exclusive_order)
{
	int sets[4], e = need(eventfd(0, EFD_NONBLOCK));
	for (int i = 0; i < 4; i++) {
		sets[i] = new_set();
		need(add(sets[i], e, EPOLLIN | EPOLLEXCLUSIVE));
	}
	begin(4, sets, 4);
	for (int i = 0; i < 4; i++) {
		add_to(e, 1);
		settle();
		say("%d %d %d %d", waiters[0].told, waiters[1].told, waiters[2].told, waiters[3].told);
	}
	end();
}

CHECK(exclusive_passes_sets_without_sleepers)
{
	int sets[3], e = need(eventfd(0, EFD_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		sets[i] = new_set();
		need(add(sets[i], e, EPOLLIN | EPOLLEXCLUSIVE));
	}
	// Only the last one's set is waited for.
	begin(1, &sets[2], 1);
	add_to(e, 1);
	count_told("behind two idle sets");
	look("the first has it too", sets[0]);
	look("and the second", sets[1]);
	end();
}

CHECK(exclusive_for_the_other_direction)
{
	int sets[2], p[2];
	new_pipe(p, "reader", "writer");
	sets[0] = new_set(), sets[1] = new_set();
	need(add(sets[0], p[0], EPOLLOUT | EPOLLEXCLUSIVE));
	need(add(sets[1], p[0], EPOLLIN | EPOLLEXCLUSIVE));
	begin(2, sets, 2);
	write(p[1], "x", 1);
	count_told("one waits to write");
	say("%d %d", waiters[0].told, waiters[1].told);
	end();
}

CHECK(exclusive_hang_up_wakes_all)
{
	int sets[MOST], p[2];
	new_pipe(p, "reader", "writer");
	for (int i = 0; i < MOST; i++) {
		sets[i] = new_set();
		need(add(sets[i], p[0], EPOLLIN | EPOLLEXCLUSIVE));
	}
	begin(MOST, sets, MOST);
	close(p[1]);
	count_told("writer closed");
	end();
}

// One counter, an inner set, and `n` threads on one outer set.
static void nested_one(const char *what, unsigned inner_events, unsigned outer_events)
{
	FOR_COUNTS {
		int inner = new_set(), outer = new_set(), e = need(eventfd(0, EFD_NONBLOCK));
		need(add(inner, e, inner_events));
		need(add(outer, inner, outer_events));
		begin(n, &outer, 1);
		add_to(e, 1);
		count_told(label(what, n));
		add_to(e, 1);
		count_told(label("once more", n));
		end();
		close(e);
		close(inner);
		close(outer);
	}
}

CHECK(nested_level_level)
{
	nested_one("level in level", EPOLLIN, EPOLLIN);
}

CHECK(nested_edge_level)
{
	nested_one("edge in level", EPOLLIN | EPOLLET, EPOLLIN);
}

CHECK(nested_level_edge)
{
	nested_one("level in edge", EPOLLIN, EPOLLIN | EPOLLET);
}

CHECK(nested_edge_edge)
{
	nested_one("edge in edge", EPOLLIN | EPOLLET, EPOLLIN | EPOLLET);
}

CHECK(nested_exclusive)
{
	nested_one("exclusive in level", EPOLLIN | EPOLLEXCLUSIVE, EPOLLIN);
	nested_one("exclusive in edge", EPOLLIN | EPOLLEXCLUSIVE, EPOLLIN | EPOLLET);
}

// One counter, an inner set, and `n` outer sets with a thread each.
static void nested_each(const char *what, unsigned inner_events, unsigned outer_events)
{
	FOR_COUNTS {
		int inner = new_set(), outer[MOST], e = need(eventfd(0, EFD_NONBLOCK));
		need(add(inner, e, inner_events));
		for (int i = 0; i < n; i++) {
			outer[i] = new_set();
			need(add(outer[i], inner, outer_events));
		}
		begin(n, outer, n);
		add_to(e, 1);
		count_told(label(what, n));
		end();
		close(e);
		close(inner);
		for (int i = 0; i < n; i++)
			close(outer[i]);
	}
}

CHECK(nested_each_level)
{
	nested_each("level in level each", EPOLLIN, EPOLLIN);
}

CHECK(nested_each_edge)
{
	nested_each("edge in edge each", EPOLLIN | EPOLLET, EPOLLIN | EPOLLET);
}

// An inner set for each thread, all watching one counter exclusively.
CHECK(nested_exclusive_each)
{
	FOR_COUNTS {
		int inner[MOST], outer[MOST], e = need(eventfd(0, EFD_NONBLOCK));
		for (int i = 0; i < n; i++) {
			inner[i] = new_set(), outer[i] = new_set();
			need(add(inner[i], e, EPOLLIN | EPOLLEXCLUSIVE));
			need(add(outer[i], inner[i], EPOLLIN));
		}
		begin(n, outer, n);
		add_to(e, 1);
		count_told(label("exclusive in level each", n));
		end();
		close(e);
		for (int i = 0; i < n; i++)
			close(inner[i]), close(outer[i]);
	}
}

// Threads on the inner set and on the outer one.
CHECK(inner_and_outer)
{
	static const struct {
		const char *name;
		unsigned inner, outer;
	} kinds[] = {
		{ "level, level", EPOLLIN, EPOLLIN },
		{ "edge, level", EPOLLIN | EPOLLET, EPOLLIN },
	};
	for (int k = 0; k < 2; k++) {
		int sets[2], e = need(eventfd(0, EFD_NONBLOCK));
		sets[0] = new_set(), sets[1] = new_set();
		need(add(sets[0], e, kinds[k].inner));
		need(add(sets[1], sets[0], kinds[k].outer));
		begin(1, &sets[0], 1);
		add_to(e, 1);
		count_told(kinds[k].name);
		say("outer: %s", epoll_wait(sets[1], &(struct epoll_event){ 0 }, 1, 0) ? "told" : "not told");
		end();
		close(e), close(sets[0]), close(sets[1]);
	}
}

CHECK(two_files_wake_two)
{
	int set = new_set(), a = need(eventfd(0, EFD_NONBLOCK)), b = need(eventfd(0, EFD_NONBLOCK));
	need(add(set, a, EPOLLIN | EPOLLET));
	need(add(set, b, EPOLLIN | EPOLLET));
	begin(4, &set, 1);
	add_to(a, 1);
	add_to(b, 1);
	count_told("two edges, four waiting");
	end();
}

CHECK(control_wakes_one)
{
	int set = new_set(), e = need(eventfd(1, EFD_NONBLOCK));
	begin(4, &set, 1);
	show(add(set, e, EPOLLIN | EPOLLET));
	count_told("added ready");
	show(mod(set, e, EPOLLIN | EPOLLET));
	count_told("changed ready");
	show(mod(set, e, EPOLLIN | EPOLLONESHOT));
	count_told("changed to one shot");
	show(mod(set, e, EPOLLIN));
	count_told("changed to level");
	end();
}

CHECK(pollers_of_a_set)
{
	int set = new_set(), e = need(eventfd(0, EFD_NONBLOCK));
	need(add(set, e, EPOLLIN));
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			struct pollfd poller = { .fd = set, .events = POLLIN };
			int ready = poll(&poller, 1, PATIENCE_MS);
			_exit(ready == 1 && poller.revents == POLLIN ? 0 : 1);
		}
		wait_asleep(pids[i]);
	}
	add_to(e, 1);
	for (int i = 0; i < 3; i++)
		reap("poller", pids[i]);
}
