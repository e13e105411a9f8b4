// unix_poll.c: readiness in every state, with poll and select.
//
// Calls: poll ppoll select epoll_wait
// Passes: host acrida
#include "sockets.h"
#include <sys/epoll.h>
#include <sys/select.h>

CHECK(fresh)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 3; t++) {
		int fd = need(socket(AF_UNIX, types[t], 0));
		say("type %d: %s", types[t], poll_names(poll_mask(fd)));
		char path[8];
		snprintf(path, sizeof path, "p%d", t);
		struct name name = path_name(path);
		need(bind(fd, AT(name)));
		say("bound: %s", poll_names(poll_mask(fd)));
		listen(fd, 1);
		say("listening: %s", poll_names(poll_mask(fd)));
		pair(types[t]);
		say("pair: %s", poll_names(poll_mask(s[0])));
		need(send(s[1], "x", 1, 0));
		say("readable: %s", poll_names(poll_mask(s[0])));
	}
}

CHECK(listener)
{
	int l = listener(SOCK_STREAM, "l", 5);
	show_poll(l);
	int fd = connected(SOCK_STREAM, "l");
	show_poll(l);
	show_poll(fd);
	int server = need(accept(l, NULL, NULL));
	show_poll(l);
	show_poll(server);
	close(fd);
	show_poll(server);
}

static void wait_for(short events, void (*act)(void))
{
	pid_t child = start();
	if (child == 0) {
		struct pollfd p = { s[0], events, 0 };
		int n = poll(&p, 1, PATIENCE_MS);
		say("woken %d: %s", n, poll_names(p.revents));
		_exit(0);
	}
	wait_asleep(child);
	act();
	reap("poller", child);
}

static void act_send(void) { need(send(s[1], "x", 1, 0)); }
static void act_shut_write(void) { need(shutdown(s[1], SHUT_WR)); }
static void act_shut_read(void) { need(shutdown(s[1], SHUT_RD)); }
static void act_shut_both(void) { need(shutdown(s[1], SHUT_RDWR)); }
static void act_drain(void)
{
	static char block[100000];
	while (recv(s[1], block, sizeof block, MSG_DONTWAIT) > 0)
		;
}
static void fill(void)
{
	static char block[4096];
	while (send(s[0], block, sizeof block, MSG_DONTWAIT) > 0)
		;
}

CHECK(stream_waits_for_data) { pair(SOCK_STREAM); wait_for(POLLIN, act_send); }
CHECK(dgram_waits_for_data) { pair(SOCK_DGRAM); wait_for(POLLIN, act_send); }
CHECK(seqpacket_waits_for_data) { pair(SOCK_SEQPACKET); wait_for(POLLIN, act_send); }
CHECK(stream_waits_for_end) { pair(SOCK_STREAM); wait_for(POLLIN | POLLRDHUP, act_shut_write); }
CHECK(waits_for_half_end_only) { pair(SOCK_STREAM); wait_for(POLLRDHUP, act_shut_write); }
CHECK(waits_for_hang_up) { pair(SOCK_STREAM); wait_for(0, act_shut_both); }
CHECK(seqpacket_waits_for_hang_up) { pair(SOCK_SEQPACKET); wait_for(0, act_shut_both); }
CHECK(stream_waits_for_room) { pair(SOCK_STREAM); fill(); wait_for(POLLOUT, act_drain); }
CHECK(dgram_waits_for_room) { pair(SOCK_DGRAM); fill(); wait_for(POLLOUT, act_drain); }
CHECK(seqpacket_waits_for_room) { pair(SOCK_SEQPACKET); fill(); wait_for(POLLOUT, act_drain); }
CHECK(full_and_peer_stops_reading) { pair(SOCK_STREAM); fill(); show_poll(s[0]); act_shut_read(); show_poll(s[0]); show_poll(s[1]); }

CHECK(waits_for_close)
{
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		close(s[1]);
		struct pollfd p = { s[0], POLLIN, 0 };
		int n = poll(&p, 1, PATIENCE_MS);
		say("woken %d: %s", n, poll_names(p.revents));
		_exit(0);
	}
	wait_asleep(child);
	close(s[1]);
	reap("poller", child);
}

CHECK(waits_for_connection)
{
	int l = listener(SOCK_STREAM, "l", 5);
	pid_t child = start();
	if (child == 0) {
		struct pollfd p = { l, POLLIN, 0 };
		int n = poll(&p, 1, PATIENCE_MS);
		say("woken %d: %s", n, poll_names(p.revents));
		_exit(0);
	}
	wait_asleep(child);
	connected(SOCK_STREAM, "l");
	reap("poller", child);
}

CHECK(queue_of_another)
{
	int b = bound(SOCK_DGRAM, "b");
	int a = connected(SOCK_DGRAM, "b");
	char c;
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	pid_t child = start();
	if (child == 0) {
		struct pollfd p = { a, POLLOUT, 0 };
		int n = poll(&p, 1, PATIENCE_MS);
		say("woken %d: %s", n, poll_names(p.revents));
		_exit(0);
	}
	wait_asleep(child);
	need(recv(b, &c, 1, 0));
	reap("poller", child);
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	show_poll(a);
	close(b);
	show_poll(a);
}

// A set registers once, when there still is room.
CHECK(queue_of_another_in_a_set)
{
	int b = bound(SOCK_DGRAM, "b");
	int a = connected(SOCK_DGRAM, "b"), set = need(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	char c;
	need(epoll_ctl(set, EPOLL_CTL_ADD, a, &event));
	show(epoll_wait(set, &event, 1, 0));
	show(epoll_wait(set, &event, 1, 0));
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	show_poll(a);
	pid_t child = start();
	if (child == 0) {
		show(epoll_wait(set, &event, 1, PATIENCE_MS));
		_exit(0);
	}
	wait_asleep(child);
	need(recv(b, &c, 1, 0));
	reap("waiter", child);
}

CHECK(writable_threshold)
{
	static char block[3000];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	int sent = 0;
	while (poll_mask(s[0]) & POLLOUT) {
		need(send(s[0], block, sizeof block, 0));
		sent++;
	}
	say("not writable after %d messages", sent);
	int more = 0;
	while (send(s[0], block, sizeof block, 0) == sizeof block)
		more++;
	say("%d more can be sent", more);
}

CHECK(select_sets)
{
	pair(SOCK_STREAM);
	fd_set r, w, e;
	struct timeval now = { 0, 0 };
	need(send(s[1], "x", 1, 0));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(s[0], &r);
	FD_SET(s[0], &w);
	FD_SET(s[0], &e);
	show(select(s[0] + 1, &r, &w, &e, &now));
	say("%d %d %d", FD_ISSET(s[0], &r), FD_ISSET(s[0], &w), FD_ISSET(s[0], &e));
	close(s[1]);
	FD_SET(s[0], &r);
	FD_SET(s[0], &w);
	FD_SET(s[0], &e);
	show(select(s[0] + 1, &r, &w, &e, &now));
	say("%d %d %d", FD_ISSET(s[0], &r), FD_ISSET(s[0], &w), FD_ISSET(s[0], &e));
}

CHECK(narrow_interest)
{
	pair(SOCK_STREAM);
	need(send(s[1], "x", 1, 0));
	struct pollfd p = { s[0], 0, 0 };
	show(poll(&p, 1, 0));
	p.events = POLLRDNORM;
	show(poll(&p, 1, 0));
	say("%s", poll_names(p.revents));
	p.events = POLLRDBAND | POLLPRI;
	show(poll(&p, 1, 0));
	p.events = POLLWRBAND;
	show(poll(&p, 1, 0));
	say("%s", poll_names(p.revents));
}
