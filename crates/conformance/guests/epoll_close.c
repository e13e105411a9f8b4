// epoll_close.c: files that go while they are watched: numbers, copies, reuse, threads that wait meanwhile.
//
// Calls: epoll_ctl epoll_wait close dup dup2
// Passes: host acrida
#include "process.h"
#include "epoll.h"

CHECK(closed_file_leaves)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	close(e);
	look("closed", set);
	show(mod(set, e, EPOLLIN));
	show(del(set, e));
	e = new_eventfd("new e", 1);
	show(del(set, e));
	show(add(set, e, EPOLLIN));
	look("same number, new file", set);
}

CHECK(copy_keeps_it)
{
	int set = new_set(), e = new_eventfd("e", 1), copy = dup(e);
	need(add(set, e, EPOLLIN));
	close(e);
	look("number closed, copy open", set);
	show(mod(set, e, EPOLLIN | EPOLLET));
	show(del(set, e));
	show(del(set, copy));
	look("still told", set);
	close(copy);
	look("copy closed", set);
}

CHECK(number_reused_while_a_copy_lives)
{
	int set = new_set(), e = new_eventfd("first", 1), copy = dup(e);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 1001 };
	need(epoll_ctl(set, EPOLL_CTL_ADD, e, &event));
	close(e);
	int f = need(eventfd(1, EFD_NONBLOCK));
	say("%s number", f == e ? "same" : "another");
	event.data.u64 = 1002;
	show(mod(set, f, EPOLLIN));
	show(epoll_ctl(set, EPOLL_CTL_ADD, f, &event));
	look("both, under one number", set);
	show(del(set, f));
	look("the first", set);
	show(del(set, f));
	show(dup2(copy, f) == f);
	show(del(set, f));
	look("reached through its old number", set);
}

CHECK(two_numbers_of_one_file)
{
	int set = new_set(), e = new_eventfd("e", 0), copy = name_fd(dup(e), "copy");
	show(add(set, e, EPOLLIN));
	show(add(set, copy, EPOLLIN | EPOLLET));
	add_to(e, 1);
	look("both", set);
	look("the level one", set);
	show(mod(set, copy, EPOLLOUT));
	look("each its own interest", set);
	close(e);
	look("a number closed", set);
	close(copy);
	look("both closed", set);
}

CHECK(dup2_over_a_watched_number)
{
	int set = new_set(), e = new_eventfd("e", 1), other = new_eventfd("other", 1);
	need(add(set, e, EPOLLIN));
	show(dup2(other, e) == e);
	look("replaced", set);
	show(mod(set, e, EPOLLIN));
	show(add(set, e, EPOLLIN));
	look("the other, under the number", set);
}

CHECK(set_closed_first)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	close(set);
	set = new_set();
	show(mod(set, e, EPOLLIN));
	show(add(set, e, EPOLLIN));
	look("in a new set", set);
	add_to(e, 1);
	look("written", set);
}

CHECK(set_under_two_numbers)
{
	int set = new_set(), copy = dup(set), e = new_eventfd("e", 1);
	show(add(set, e, EPOLLIN));
	show(add(copy, e, EPOLLIN));
	close(set);
	look("through the copy", copy);
	show(del(copy, e));
	look("empty", copy);
}

CHECK(same_file_in_two_sets)
{
	int one = new_set(), two = new_set(), e = new_eventfd("e", 0);
	need(add(one, e, EPOLLIN | EPOLLET));
	need(add(two, e, EPOLLIN | EPOLLET));
	add_to(e, 1);
	look("one", one);
	look("two", two);
	look("one again", one);
	close(e);
	add_to(new_eventfd("f", 0), 1);
	look("one, closed", one);
	look("two, closed", two);
}

CHECK(a_call_in_flight_keeps_the_file)
{
	int set = new_set(), p[2];
	need(pipe(p));
	name_fd(p[0], "reader");
	need(add(set, p[0], EPOLLIN | EPOLLOUT));
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		close(p[1]);
		say("read = %ld", (long)read(p[0], &byte, 1));
		_exit(0);
	}
	wait_asleep(pid);
	close(p[0]);
	look("a child has it open", set);
	write(p[1], "x", 1);
	reap("reader", pid);
	look("closed everywhere", set);
}

CHECK(hang_up_then_close)
{
	int set = new_set(), p[2];
	new_pipe(p, "reader", "writer");
	need(add(set, p[0], EPOLLIN));
	need(add(set, p[1], EPOLLOUT));
	look("both ends", set);
	close(p[1]);
	look("writer closed", set);
	close(p[0]);
	look("both closed", set);
}

static void *wait_thread(void *argument)
{
	static __thread struct epoll_event events[8];
	int *set = argument;
	int count = epoll_wait(*set, events, 8, PATIENCE_MS);
	return (void *)(long)(count == -1 ? -errno : count);
}

static pid_t tid_of_thread;
static void *wait_and_tell(void *argument)
{
	__atomic_store_n(&tid_of_thread, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	return wait_thread(argument);
}

static pthread_t start_waiter(int *set)
{
	pthread_t thread;
	tid_of_thread = 0;
	pthread_create(&thread, NULL, wait_and_tell, set);
	while (!__atomic_load_n(&tid_of_thread, __ATOMIC_SEQ_CST))
		sched_yield();
	wait_asleep(tid_of_thread);
	return thread;
}

static void join(const char *what, pthread_t thread)
{
	void *result;
	pthread_join(thread, &result);
	long count = (long)result;
	say("%s: %s", what, count < 0 ? errno_name(-count) : count ? "events" : "none");
}

CHECK(set_closed_while_a_thread_waits)
{
	int set = new_set(), e = new_eventfd("e", 0), number = set;
	need(add(set, e, EPOLLIN));
	pthread_t thread = start_waiter(&set);
	close(number);
	show(epoll_wait(number, (void *)1, 1, 0));
	add_to(e, 1);
	join("the sleeper keeps the set", thread);
}

CHECK(set_replaced_while_a_thread_waits)
{
	int set = new_set(), e = new_eventfd("e", 0), other = new_eventfd("other", 1);
	need(add(set, e, EPOLLIN));
	int number = set;
	pthread_t thread = start_waiter(&set);
	int fresh = new_set();
	dup2(fresh, number);
	show(add(number, other, EPOLLIN));
	look("the new set", number);
	add_to(e, 1);
	join("the sleeper of the old one", thread);
}

CHECK(file_closed_while_a_thread_waits)
{
	int set = new_set(), e = new_eventfd("e", 0), f = new_eventfd("f", 0);
	need(add(set, e, EPOLLIN));
	need(add(set, f, EPOLLIN));
	pthread_t thread = start_waiter(&set);
	close(e);
	add_to(f, 1);
	join("told by the other", thread);
}

CHECK(added_while_a_thread_waits)
{
	int set = new_set(), e = new_eventfd("e", 1);
	pthread_t thread = start_waiter(&set);
	show(add(set, e, EPOLLIN));
	join("a ready file", thread);
	show(mod(set, e, EPOLLPRI));
	thread = start_waiter(&set);
	show(mod(set, e, EPOLLIN));
	join("an interest in what is", thread);
}

CHECK(races_of_close_and_wait)
{
	int set = new_set();
	long told = 0;
	pid_t pid = start();
	if (pid == 0) {
		struct epoll_event events[4];
		for (int i = 0; i < 3000; i++)
			epoll_wait(set, events, 4, 0);
		_exit(0);
	}
	for (int i = 0; i < 3000; i++) {
		int e = eventfd(1, 0);
		told += add(set, e, EPOLLIN) == 0;
		if (i & 1)
			del(set, e);
		close(e);
	}
	reap("waiter", pid);
	say("%ld added", told);
	look("empty", set);
}

static int shared_set;
static volatile bool stop_racing;
static void *race_with_control(void *argument)
{
	int fd = *(int *)argument;
	long done = 0;
	while (!stop_racing) {
		if (add(shared_set, fd, EPOLLIN | EPOLLET) == 0)
			done++;
		mod(shared_set, fd, EPOLLIN);
		del(shared_set, fd);
	}
	return (void *)(done > 0);
}

CHECK(races_of_control)
{
	shared_set = new_set();
	stop_racing = false;
	int e = new_eventfd("e", 1), f = new_eventfd("f", 1);
	int fds[] = { e, e, f };
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, race_with_control, &fds[i]);
	struct epoll_event events[4];
	for (int i = 0; i < 5000; i++) {
		int count = epoll_wait(shared_set, events, 4, 0);
		if (count < 0 || count > 2)
			say("epoll_wait = %d", count);
	}
	stop_racing = true;
	for (int i = 0; i < 3; i++) {
		void *done;
		pthread_join(threads[i], &done);
	}
	del(shared_set, e);
	del(shared_set, f);
	look("empty", shared_set);
}

static void *race_with_numbers(void *argument UNUSED)
{
	while (!stop_racing) {
		int copy = dup(shared_set);
		close(copy);
	}
	return NULL;
}

CHECK(races_of_numbers)
{
	stop_racing = false;
	shared_set = new_set();
	pthread_t thread;
	pthread_create(&thread, NULL, race_with_numbers, NULL);
	for (int i = 0; i < 3000; i++) {
		int e = eventfd(1, 0);
		add(shared_set, e, EPOLLIN);
		struct epoll_event event;
		epoll_wait(shared_set, &event, 1, 0);
		close(e);
	}
	stop_racing = true;
	pthread_join(thread, NULL);
	look("empty", shared_set);
}
