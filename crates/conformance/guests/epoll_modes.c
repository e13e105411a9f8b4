// epoll_modes.c: level, edge and one-shot; changing an interest; order and fairness of the ready list.
//
// Calls: epoll_ctl epoll_wait
// Passes: host acrida
#include "epoll.h"

CHECK(level_stays)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN));
	look("empty", set);
	add_to(e, 2);
	look("once", set);
	look("twice", set);
	drain(e);
	look("drained", set);
}

CHECK(edge_is_told_once)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN | EPOLLET));
	look("empty", set);
	add_to(e, 1);
	look("once", set);
	look("twice", set);
	add_to(e, 1);
	look("another", set);
	add_to(e, 1);
	add_to(e, 1);
	look("two more are one", set);
	drain(e);
	look("drained", set);
	add_to(e, 1);
	drain(e);
	look("came and went", set);
}

CHECK(edge_of_both_directions)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN | EPOLLOUT | EPOLLET));
	look("new", set);
	look("again", set);
	add_to(e, 1);
	look("written", set);
	drain(e);
	look("drained", set);
	look("again", set);
}

CHECK(edge_after_a_short_read)
{
	int set = new_set(), p[2];
	char byte;
	new_pipe(p, "reader", "writer");
	need(add(set, p[0], EPOLLIN | EPOLLET));
	write(p[1], "abc", 3);
	look("written", set);
	read(p[0], &byte, 1);
	look("one read", set);
	write(p[1], "d", 1);
	look("written once more", set);
	read(p[0], &byte, 1);
	read(p[0], &byte, 1);
	read(p[0], &byte, 1);
	look("all read", set);
}

CHECK(edge_of_a_pipe_s_writer)
{
	static char block[65536];
	int set = new_set(), p[2];
	new_pipe(p, "reader", "writer");
	need(add(set, p[1], EPOLLOUT | EPOLLET));
	look("new", set);
	while (write(p[1], block, sizeof block) > 0)
		;
	look("full", set);
	read(p[0], block, 1);
	look("a byte read", set);
	read(p[0], block, 4095);
	look("a page read", set);
	read(p[0], block, 4096);
	look("two pages read", set);
}

CHECK(one_shot)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN | EPOLLONESHOT));
	look("once", set);
	look("mute", set);
	add_to(e, 1);
	look("written", set);
	show(mod(set, e, EPOLLIN | EPOLLONESHOT));
	look("armed", set);
	look("mute", set);
	show(mod(set, e, EPOLLIN));
	look("level", set);
	look("level again", set);
	show(add(set, e, EPOLLIN));
}

CHECK(one_shot_mutes_hang_ups)
{
	int set = new_set(), p[2];
	new_pipe(p, "reader", "writer");
	need(add(set, p[0], EPOLLIN | EPOLLONESHOT));
	write(p[1], "x", 1);
	look("written", set);
	close(p[1]);
	look("closed", set);
	show(mod(set, p[0], EPOLLONESHOT));
	look("armed for nothing", set);
	look("mute", set);
}

CHECK(one_shot_and_edge)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN | EPOLLONESHOT | EPOLLET));
	add_to(e, 1);
	look("once", set);
	add_to(e, 1);
	look("mute", set);
	show(mod(set, e, EPOLLIN | EPOLLONESHOT | EPOLLET));
	look("armed", set);
	look("mute", set);
}

CHECK(nothing_asked)
{
	int set = new_set(), e = new_eventfd("e", 1), p[2];
	need(add(set, e, 0));
	new_pipe(p, "reader", "writer");
	need(add(set, p[0], 0));
	look("ready for what nobody asked", set);
	write(p[1], "x", 1);
	look("written", set);
	close(p[1]);
	look("hang-up is told unasked", set);
}

CHECK(changing_asks_again)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN | EPOLLET));
	look("new", set);
	look("told", set);
	show(mod(set, e, EPOLLIN | EPOLLET));
	look("after a change", set);
	look("told", set);
	show(mod(set, e, EPOLLOUT | EPOLLET));
	look("after another", set);
	show(mod(set, e, EPOLLPRI));
	look("for nothing", set);
	show(mod(set, e, EPOLLIN | EPOLLOUT));
	look("for both", set);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 4242 };
	show(epoll_ctl(set, EPOLL_CTL_MOD, e, &event));
	look("other data", set);
}

CHECK(changed_while_ready)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	show(mod(set, e, EPOLLOUT));
	look("asked for writing", set);
	show(mod(set, e, EPOLLIN));
	drain(e);
	look("no longer ready", set);
	show(mod(set, e, EPOLLIN | EPOLLOUT | EPOLLET));
	show(mod(set, e, EPOLLIN | EPOLLET));
	look("ready for what is no longer asked", set);
	add_to(e, 1);
	look("written", set);
}

CHECK(deleted_while_ready)
{
	int set = new_set(), e = new_eventfd("e", 1), f = new_eventfd("f", 1);
	need(add(set, e, EPOLLIN));
	need(add(set, f, EPOLLIN));
	show(del(set, e));
	look("one left", set);
	show(add(set, e, EPOLLIN));
	look("back", set);
	show(del(set, e));
	show(del(set, f));
	look("none", set);
}

CHECK(order_of_arrival)
{
	int set = new_set(), a = new_eventfd("a", 0), b = new_eventfd("b", 0), c = new_eventfd("c", 0);
	need(add(set, a, EPOLLIN));
	need(add(set, b, EPOLLIN));
	need(add(set, c, EPOLLIN));
	add_to(c, 1);
	add_to(a, 1);
	add_to(b, 1);
	add_to(c, 1);
	look("c a b", set);
	look("same order", set);
	drain(a);
	look("without a", set);
	add_to(a, 1);
	look("a at the end", set);
}

CHECK(turns_are_taken)
{
	int set = new_set();
	static const char *names[] = { "a", "b", "c", "d", "e" };
	for (int i = 0; i < 5; i++)
		need(add(set, new_eventfd(names[i], 1), EPOLLIN));
	for (int i = 0; i < 6; i++)
		wait_for("one", set, 1, 0);
	for (int i = 0; i < 4; i++)
		wait_for("two", set, 2, 0);
	wait_for("four", set, 4, 0);
	wait_for("all", set, 64, 0);
	wait_for("three", set, 3, 0);
}

CHECK(turns_with_edges_between)
{
	int set = new_set(), a = new_eventfd("a", 1), b = new_eventfd("b", 1), c = new_eventfd("c", 1), d = new_eventfd("d", 1);
	need(add(set, a, EPOLLIN));
	need(add(set, b, EPOLLIN | EPOLLET));
	need(add(set, c, EPOLLIN));
	need(add(set, d, EPOLLIN | EPOLLONESHOT));
	wait_for("two", set, 2, 0);
	wait_for("two", set, 2, 0);
	wait_for("two", set, 2, 0);
	add_to(b, 1);
	wait_for("two", set, 2, 0);
	wait_for("two", set, 2, 0);
}

CHECK(order_of_adding)
{
	int set = new_set(), a = new_eventfd("a", 1), b = new_eventfd("b", 1), c = new_eventfd("c", 1);
	need(add(set, c, EPOLLIN));
	need(add(set, b, EPOLLIN));
	need(add(set, a, EPOLLIN));
	look("as added", set);
	show(mod(set, c, EPOLLIN | EPOLLOUT));
	look("a change moves nothing", set);
	show(del(set, b));
	show(add(set, b, EPOLLIN));
	look("b at the end", set);
}

CHECK(wakeup_flag_is_accepted)
{
	int set = new_set(), e = new_eventfd("e", 1);
	show(add(set, e, EPOLLIN | EPOLLWAKEUP));
	look("ready", set);
	show(mod(set, e, EPOLLIN | EPOLLWAKEUP | EPOLLET));
	look("ready", set);
	look("told", set);
}

CHECK(unknown_bits_are_ignored)
{
	int set = new_set(), e = new_eventfd("e", 1);
	show(add(set, e, EPOLLIN | 0x00100000));
	look("ready", set);
	show(mod(set, e, EPOLLIN | EPOLLURING_WAKE));
	look("ready", set);
}

CHECK(all_bits_of_the_data)
{
	int set = new_set(), e = new_eventfd("e", 1);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0xfedcba9876543210 }, got = { 0 };
	need(epoll_ctl(set, EPOLL_CTL_ADD, e, &event));
	show(epoll_wait(set, &got, 1, 0));
	say("%llx", (unsigned long long)got.data.u64);
	event.data.u64 = -1;
	need(epoll_ctl(set, EPOLL_CTL_MOD, e, &event));
	show(epoll_wait(set, &got, 1, 0));
	say("%llx", (unsigned long long)got.data.u64);
}

CHECK(only_what_is_told_is_written)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	unsigned char events[36];
	memset(events, 0x55, sizeof events);
	show(epoll_wait(set, (struct epoll_event *)events, 3, 0));
	int untouched = 0;
	for (unsigned i = 12; i < sizeof events; i++)
		untouched += events[i] == 0x55;
	say("%d bytes untouched", untouched);
}

CHECK(semaphore_level)
{
	int set = new_set(), e = name_fd(need(eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE)), "semaphore");
	need(add(set, e, EPOLLIN));
	look("two", set);
	drain(e);
	look("one", set);
	drain(e);
	look("none", set);
}

CHECK(many)
{
	int set = new_set(), fds[600];
	for (int i = 0; i < 600; i++) {
		fds[i] = need(eventfd(0, EFD_NONBLOCK));
		need(add(set, fds[i], EPOLLIN));
	}
	struct epoll_event events[600];
	for (int i = 599; i >= 0; i -= 3)
		add_to(fds[i], 1);
	int count = show(epoll_wait(set, events, 600, 0)), in_order = 0;
	for (int i = 0; i < count; i++)
		in_order += events[i].data.u64 == (uint64_t)fds[599 - 3 * i];
	say("%d in order of arrival", in_order);
	for (int i = 0; i < 600; i += 2)
		close(fds[i]);
	show(epoll_wait(set, events, 600, 0));
}
