// epoll_nested.c: sets in sets, poll and select on sets, circles, depths, numbers of ways.
//
// Calls: epoll_ctl epoll_wait poll select
// Passes: host acrida
#include "epoll.h"
#include <sys/select.h>

static const char *polled(int fd)
{
	struct pollfd set = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM | POLLRDHUP };
	poll(&set, 1, 0);
	return set.revents ? poll_names((unsigned short)set.revents) : "nothing";
}

CHECK(poll_on_a_set)
{
	int set = new_set(), e = new_eventfd("e", 0);
	say("empty: %s", polled(set));
	need(add(set, e, EPOLLIN));
	say("idle: %s", polled(set));
	add_to(e, 1);
	say("ready: %s", polled(set));
	say("again: %s", polled(set));
	look("the set itself", set);
	drain(e);
	say("drained: %s", polled(set));
}

CHECK(poll_on_a_set_with_edges)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN | EPOLLET));
	say("new: %s", polled(set));
	say("poll takes no edge: %s", polled(set));
	look("told", set);
	say("told: %s", polled(set));
	add_to(e, 1);
	say("another: %s", polled(set));
	drain(e);
	say("drained: %s", polled(set));
}

CHECK(poll_on_a_set_with_one_shots)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN | EPOLLONESHOT));
	say("new: %s", polled(set));
	look("told", set);
	say("mute: %s", polled(set));
	show(mod(set, e, EPOLLIN | EPOLLONESHOT));
	say("armed: %s", polled(set));
}

CHECK(select_on_a_set)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN));
	for (int round = 0; round < 2; round++) {
		fd_set in, out, except;
		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_ZERO(&except);
		FD_SET(set, &in);
		FD_SET(set, &out);
		FD_SET(set, &except);
		struct timeval none = { 0, 0 };
		int ready = select(set + 1, &in, &out, &except, &none);
		say("%d: in %d out %d except %d", ready, FD_ISSET(set, &in) != 0, FD_ISSET(set, &out) != 0, FD_ISSET(set, &except) != 0);
		add_to(e, 1);
	}
}

CHECK(set_in_a_set)
{
	int outer = new_set(), inner = name_fd(new_set(), "inner"), e = new_eventfd("e", 0);
	show(add(outer, inner, EPOLLIN));
	look("inner empty", outer);
	need(add(inner, e, EPOLLIN));
	look("idle", outer);
	add_to(e, 1);
	look("ready", outer);
	look("again", outer);
	look("inner", inner);
	look("outer after inner", outer);
	drain(e);
	look("drained", outer);
}

CHECK(interest_in_a_set)
{
	int outer = new_set(), inner = name_fd(new_set(), "inner"), e = new_eventfd("e", 1);
	need(add(inner, e, EPOLLIN));
	need(add(outer, inner, EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLPRI | EPOLLRDHUP | EPOLLWRNORM));
	look("all asked", outer);
	show(mod(outer, inner, EPOLLOUT));
	look("writing asked", outer);
	show(mod(outer, inner, EPOLLRDNORM));
	look("reading asked otherwise", outer);
}

CHECK(edge_set_in_a_set)
{
	int outer = new_set(), inner = name_fd(new_set(), "inner"), e = new_eventfd("e", 0);
	need(add(inner, e, EPOLLIN));
	need(add(outer, inner, EPOLLIN | EPOLLET));
	add_to(e, 1);
	look("written", outer);
	look("told", outer);
	add_to(e, 1);
	look("written again", outer);
	look("inner", inner);
	add_to(e, 1);
	look("written after inner was taken", outer);
}

CHECK(edge_in_an_edge)
{
	int outer = new_set(), inner = name_fd(new_set(), "inner"), e = new_eventfd("e", 0);
	need(add(inner, e, EPOLLIN | EPOLLET));
	need(add(outer, inner, EPOLLIN | EPOLLET));
	add_to(e, 1);
	look("written", outer);
	add_to(e, 1);
	look("written, inner not taken", outer);
	look("inner", inner);
	look("outer", outer);
	add_to(e, 1);
	look("written, inner taken", outer);
}

CHECK(three_levels)
{
	int a = new_set(), b = name_fd(new_set(), "b"), c = name_fd(new_set(), "c"), e = new_eventfd("e", 0);
	need(add(a, b, EPOLLIN));
	need(add(b, c, EPOLLIN));
	need(add(c, e, EPOLLIN));
	look("idle", a);
	add_to(e, 1);
	look("a", a);
	look("b", b);
	look("c", c);
	drain(e);
	look("a, drained", a);
	look("b, drained", b);
	close(c);
	add_to(e, 1);
	look("c closed", a);
}

CHECK(two_ways_to_a_file)
{
	int outer = new_set(), x = name_fd(new_set(), "x"), y = name_fd(new_set(), "y"), e = new_eventfd("e", 0);
	need(add(x, e, EPOLLIN));
	need(add(y, e, EPOLLIN));
	need(add(outer, x, EPOLLIN));
	need(add(outer, y, EPOLLIN));
	need(add(outer, e, EPOLLIN));
	add_to(e, 1);
	struct epoll_event events[4];
	show(epoll_wait(outer, events, 4, 0));
	drain(e);
	look("drained", outer);
}

CHECK(inner_set_is_watched_before_it_has_files)
{
	int outer = new_set(), inner = name_fd(new_set(), "inner"), e = new_eventfd("e", 1);
	need(add(outer, inner, EPOLLIN | EPOLLET));
	show(add(inner, e, EPOLLIN));
	look("added ready", outer);
	show(mod(inner, e, EPOLLIN));
	look("changed ready", outer);
	show(del(inner, e));
	look("deleted", outer);
}

CHECK(circles)
{
	int a = new_set(), b = new_set(), c = new_set();
	show(add(a, a, EPOLLIN));
	show(add(a, b, EPOLLIN));
	show(add(b, a, EPOLLIN));
	show(add(b, c, EPOLLIN));
	show(add(c, a, EPOLLIN));
	show(add(c, b, EPOLLIN));
	show(add(a, c, EPOLLIN));
	show(del(b, c));
	show(add(c, b, EPOLLIN));
	show(add(c, a, EPOLLIN));
	int copy = dup(a);
	show(add(a, copy, EPOLLIN));
	show(add(b, copy, EPOLLIN));
}

// A chain of `length` sets, each in the next; says where it ends.
static void grow_chain(const char *what, unsigned flags, bool downwards)
{
	int sets[16];
	for (int i = 0; i < 16; i++)
		sets[i] = new_set();
	for (int i = 0; i < 15; i++) {
		int result = downwards ? add(sets[i], sets[i + 1], flags) : add(sets[i + 1], sets[i], flags);
		if (result) {
			say("%s: link %d: %s", what, i + 1, errno_name(errno));
			break;
		}
	}
	for (int i = 0; i < 16; i++)
		close(sets[i]);
}

CHECK(depth)
{
	grow_chain("each in the next", EPOLLIN, false);
	grow_chain("the next in each", EPOLLIN, true);
	grow_chain("edges", EPOLLIN | EPOLLET, false);
}

CHECK(joining_chains)
{
	for (int below = 0; below < 6; below++) {
		char line[64] = "", *end = line;
		for (int above = 0; above < 6; above++) {
			int up[8], down[8];
			bool built = true;
			for (int i = 0; i <= above; i++)
				up[i] = new_set();
			for (int i = 0; i <= below; i++)
				down[i] = new_set();
			for (int i = 0; i < above; i++)
				built &= add(up[i], up[i + 1], EPOLLIN) == 0;
			for (int i = 0; i < below; i++)
				built &= add(down[i], down[i + 1], EPOLLIN) == 0;
			const char *mark = !built ? "-" : add(up[above], down[0], EPOLLIN) == 0 ? "y" : errno == ELOOP ? "L" : "I";
			end += sprintf(end, "%s", mark);
			for (int i = 0; i <= above; i++)
				close(up[i]);
			for (int i = 0; i <= below; i++)
				close(down[i]);
		}
		say("%d below: %s", below, line);
	}
}

CHECK(deepest_chain_works)
{
	int sets[5], e = new_eventfd("e", 0);
	for (int i = 0; i < 5; i++)
		sets[i] = name_fd(new_set(), "set");
	for (int i = 0; i < 4; i++)
		show(add(sets[i + 1], sets[i], EPOLLIN));
	show(add(sets[0], e, EPOLLIN));
	add_to(e, 1);
	look("the top", sets[4]);
	say("%s", polled(sets[4]));
	drain(e);
	look("drained", sets[4]);
}

static long add_many(const int *sets, long count, int fd)
{
	for (long i = 0; i < count; i++)
		if (add(sets[i], fd, EPOLLIN))
			return i;
	return count;
}

// How many sets, all in one set that `depth` more stand above, one file may be in.
static long ways_of_depth(int depth, long most)
{
	int *sets = calloc(most, sizeof *sets), tops[8];
	int e = eventfd(0, 0);
	for (int i = 0; i < depth; i++)
		tops[i] = need(epoll_create1(0));
	for (int i = 1; i < depth; i++)
		need(add(tops[i], tops[i - 1], EPOLLIN));
	long made = 0;
	for (; made < most; made++) {
		sets[made] = epoll_create1(0);
		if (sets[made] < 0 || (depth && add(tops[0], sets[made], EPOLLIN)))
			break;
	}
	long allowed = add_many(sets, made, e);
	int error = errno;
	for (long i = 0; i < made; i++)
		close(sets[i]);
	for (int i = 0; i < depth; i++)
		close(tops[i]);
	close(e);
	free(sets);
	say("%d above: %ld of %ld%s%s", depth, allowed, made, allowed < made ? ", then " : "", allowed < made ? errno_name(error) : "");
	return allowed;
}

CHECK(numbers_of_ways)
{
	ways_of_depth(0, 900);
	ways_of_depth(1, 600);
	ways_of_depth(2, 150);
	ways_of_depth(3, 80);
	ways_of_depth(4, 20);
}

CHECK(ways_through_a_link)
{
	// 11 sets that watch a file, all to be put into the bottom of a chain.
	int chain[4], e = new_eventfd("e", 0), many[11];
	for (int i = 0; i < 4; i++)
		chain[i] = new_set();
	for (int i = 0; i < 3; i++)
		need(add(chain[i + 1], chain[i], EPOLLIN));
	for (int i = 0; i < 11; i++) {
		many[i] = new_set();
		need(add(many[i], e, EPOLLIN));
	}
	int allowed = 0;
	while (allowed < 11 && add(chain[0], many[allowed], EPOLLIN) == 0)
		allowed++;
	say("%d, then %s", allowed, allowed < 11 ? errno_name(errno) : "no more");
	// What was refused left nothing behind.
	if (allowed < 11) {
		show(del(chain[0], many[allowed]));
		show(del(chain[0], many[0]));
		show(add(chain[0], many[allowed], EPOLLIN));
	}
}

CHECK(refused_links_leave_nothing)
{
	int a = new_set(), b = name_fd(new_set(), "b"), e = new_eventfd("e", 1);
	need(add(a, b, EPOLLIN));
	need(add(b, e, EPOLLIN));
	show(add(b, a, EPOLLIN));
	show(mod(b, a, EPOLLIN));
	show(del(b, a));
	look("a", a);
	show(del(a, b));
	show(add(b, a, EPOLLIN));
	look("b", b);
}

CHECK(closing_in_any_order)
{
	for (int order = 0; order < 6; order++) {
		int sets[2] = { new_set(), new_set() }, e = eventfd(1, 0);
		need(add(sets[0], sets[1], EPOLLIN));
		need(add(sets[1], e, EPOLLIN));
		int fds[3] = { sets[0], sets[1], e };
		static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
		char line[64] = "", *end = line;
		for (int i = 0; i < 3; i++) {
			close(fds[orders[order][i]]);
			struct epoll_event event;
			int count = epoll_wait(sets[0], &event, 1, 0);
			end += sprintf(end, "%s ", count < 0 ? errno_name(errno) : count ? "ready" : "idle");
		}
		say("%s", line);
	}
}

CHECK(waits_through_two_levels)
{
	int outer = new_set(), inner = name_fd(new_set(), "inner"), e = new_eventfd("e", 0);
	need(add(outer, inner, EPOLLIN));
	need(add(inner, e, EPOLLIN));
	pid_t pid = start();
	if (pid == 0) {
		wait_for("child", outer, 4, PATIENCE_MS);
		_exit(0);
	}
	wait_asleep(pid);
	add_to(e, 1);
	reap("child", pid);
}

CHECK(a_stale_ready_list_is_cleaned_by_poll)
{
	int set = new_set(), p[2];
	new_pipe(p, "reader", "writer");
	need(add(set, p[0], EPOLLIN));
	write(p[1], "x", 1);
	say("written: %s", polled(set));
	char byte;
	read(p[0], &byte, 1);
	say("read: %s", polled(set));
	look("the set", set);
	write(p[1], "x", 1);
	say("written: %s", polled(set));
	close(p[0]);
	say("closed: %s", polled(set));
}
