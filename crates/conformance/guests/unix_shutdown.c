// unix_shutdown.c: half-closed and closed connections, and what poll says in each state.
//
// Calls: shutdown close poll send recv
// Passes: host acrida
#include "sockets.h"

static void show_both(const char *when)
{
	say("%s: own %s, peer %s", when, poll_names(poll_mask(s[0])), poll_names(poll_mask(s[1])));
}

static void halves(int type, int how)
{
	char c[4];
	signal(SIGPIPE, SIG_IGN);
	pair(type | SOCK_NONBLOCK);
	show(send(s[0], "abc", 3, 0));
	show(send(s[1], "xyz", 3, 0));
	show(shutdown(s[0], how));
	show_both("after shutdown");
	show(send(s[0], "d", 1, 0));
	show(send(s[1], "d", 1, 0));
	show(recv(s[0], c, 4, 0));
	show(recv(s[0], c, 4, 0));
	show(recv(s[0], c, 4, 0));
	show(recv(s[1], c, 4, 0));
	show(recv(s[1], c, 4, 0));
	show_both("drained");
	show(shutdown(s[0], how));
	show_peer_name("peer", s[0]);
	show(int_option(s[0], SO_ERROR));
	show(int_option(s[1], SO_ERROR));
}

CHECK(stream_read) { halves(SOCK_STREAM, SHUT_RD); }
CHECK(stream_write) { halves(SOCK_STREAM, SHUT_WR); }
CHECK(stream_both) { halves(SOCK_STREAM, SHUT_RDWR); }
CHECK(dgram_read) { halves(SOCK_DGRAM, SHUT_RD); }
CHECK(dgram_write) { halves(SOCK_DGRAM, SHUT_WR); }
CHECK(dgram_both) { halves(SOCK_DGRAM, SHUT_RDWR); }
CHECK(seqpacket_read) { halves(SOCK_SEQPACKET, SHUT_RD); }
CHECK(seqpacket_write) { halves(SOCK_SEQPACKET, SHUT_WR); }
CHECK(seqpacket_both) { halves(SOCK_SEQPACKET, SHUT_RDWR); }

CHECK(wrong_how)
{
	pair(SOCK_STREAM);
	show(shutdown(s[0], -1));
	show(shutdown(s[0], 3));
	show(shutdown(s[0], 99));
	show(shutdown(99, 99));
	show_both("unharmed");
}

CHECK(read_after_read_shut_with_data)
{
	char c[8];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[1], "abcdef", 6, 0));
	show(shutdown(s[0], SHUT_RD));
	show(recv(s[0], c, 3, 0));
	show(recv(s[0], c, 8, 0));
	show(recv(s[0], c, 8, 0));
}

static void closed(int type, int unread)
{
	char c[4];
	signal(SIGPIPE, SIG_IGN);
	pair(type | SOCK_NONBLOCK);
	if (unread)
		show(send(s[0], "abc", 3, 0));
	show(send(s[1], "xyz", 3, 0));
	close(s[1]);
	show_poll(s[0]);
	show(recv(s[0], c, 4, MSG_PEEK));
	show(recv(s[0], c, 4, 0));
	show_poll(s[0]);
	show(recv(s[0], c, 4, 0));
	show(recv(s[0], c, 4, 0));
	show_poll(s[0]);
	show(send(s[0], "d", 1, 0));
	show(send(s[0], "d", 1, 0));
	show(int_option(s[0], SO_ERROR));
	show_peer_name("peer", s[0]);
	show(int_ioctl(s[0], SIOCOUTQ));
}

CHECK(stream_closed) { closed(SOCK_STREAM, 0); }
CHECK(stream_closed_unread) { closed(SOCK_STREAM, 1); }
CHECK(dgram_closed) { closed(SOCK_DGRAM, 0); }
CHECK(dgram_closed_unread) { closed(SOCK_DGRAM, 1); }
CHECK(seqpacket_closed) { closed(SOCK_SEQPACKET, 0); }
CHECK(seqpacket_closed_unread) { closed(SOCK_SEQPACKET, 1); }

static void reset_then(int type, int what)
{
	char c[4];
	signal(SIGPIPE, SIG_IGN);
	pair(type | SOCK_NONBLOCK);
	show(send(s[0], "abc", 3, 0));
	close(s[1]);
	show_poll(s[0]);
	if (what == 0)
		show(send(s[0], "d", 1, 0));
	else if (what == 1)
		show(recv(s[0], c, 4, 0));
	else
		show(int_option(s[0], SO_ERROR));
	show_poll(s[0]);
	show(send(s[0], "d", 1, 0));
	show(recv(s[0], c, 4, 0));
	show(int_option(s[0], SO_ERROR));
}

CHECK(stream_reset_then_send) { reset_then(SOCK_STREAM, 0); }
CHECK(stream_reset_then_receive) { reset_then(SOCK_STREAM, 1); }
CHECK(stream_reset_then_ask) { reset_then(SOCK_STREAM, 2); }
CHECK(seqpacket_reset_then_send) { reset_then(SOCK_SEQPACKET, 0); }
CHECK(seqpacket_reset_then_receive) { reset_then(SOCK_SEQPACKET, 1); }
CHECK(seqpacket_reset_then_ask) { reset_then(SOCK_SEQPACKET, 2); }

static void killed(int type)
{
	char c[4];
	signal(SIGPIPE, SIG_IGN);
	pair(type);
	pid_t child = start();
	if (child == 0) {
		close(s[0]);
		if (send(s[1], "hi", 2, 0) != 2)
			_exit(1);
		for (;;)
			pause();
	}
	close(s[1]);
	wait_asleep(child);
	show(recv(s[0], c, 4, 0));
	show(send(s[0], "unread", 6, 0));
	kill(child, SIGKILL);
	reap("peer", child);
	show_poll(s[0]);
	show(recv(s[0], c, 4, MSG_DONTWAIT));
	show(recv(s[0], c, 4, MSG_DONTWAIT));
	show(send(s[0], "x", 1, MSG_DONTWAIT));
}

CHECK(stream_peer_killed) { killed(SOCK_STREAM); }
CHECK(dgram_peer_killed) { killed(SOCK_DGRAM); }
CHECK(seqpacket_peer_killed) { killed(SOCK_SEQPACKET); }

static void killed_asleep(int type, int sends)
{
	static char block[4000];
	signal(SIGPIPE, SIG_IGN);
	pair(type);
	pid_t child = start();
	if (child == 0) {
		close(s[0]);
		for (;;)
			if (sends)
				send(s[1], block, sizeof block, 0);
			else
				recv(s[1], block, sizeof block, 0);
	}
	close(s[1]);
	wait_asleep(child);
	kill(child, SIGKILL);
	reap("peer", child);
	show_poll(s[0]);
	show(send(s[0], "x", 1, MSG_DONTWAIT));
	long bytes = 0, got;
	while ((got = recv(s[0], block, sizeof block, MSG_DONTWAIT)) > 0)
		bytes += got;
	say("%ld bytes, then %s", bytes, got ? errno_name(errno) : "end");
	show_poll(s[0]);
}

CHECK(stream_killed_sending) { killed_asleep(SOCK_STREAM, 1); }
CHECK(stream_killed_receiving) { killed_asleep(SOCK_STREAM, 0); }
CHECK(dgram_killed_receiving) { killed_asleep(SOCK_DGRAM, 0); }
CHECK(seqpacket_killed_sending) { killed_asleep(SOCK_SEQPACKET, 1); }

CHECK(dup_keeps_it_open)
{
	char c;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	int copy = dup(s[1]);
	close(s[1]);
	show_poll(s[0]);
	show(send(s[0], "x", 1, 0));
	show(recv(copy, &c, 1, 0));
	close(copy);
	show_poll(s[0]);
	show(recv(s[0], &c, 1, 0));
}

CHECK(shutdown_wakes_reader)
{
	char c;
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		show(recv(s[0], &c, 1, 0));
		_exit(0);
	}
	wait_asleep(child);
	need(shutdown(s[0], SHUT_RD));
	reap("reader", child);
}

CHECK(shutdown_wakes_writer)
{
	static char block[1000000];
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		signal(SIGPIPE, SIG_IGN);
		show_ok(send(s[0], block, sizeof block, 0));
		show(send(s[0], block, 1, 0));
		_exit(0);
	}
	wait_asleep(child);
	need(shutdown(s[1], SHUT_RD));
	reap("writer", child);
}

CHECK(listener_shut)
{
	int l = listener(SOCK_STREAM, "l", 2), fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	struct name name = path_name("l");
	int waiting = connected(SOCK_STREAM, "l");
	show_poll(l);
	show(shutdown(l, SHUT_RD));
	show_poll(l);
	show(connect(fd, AT(name)));
	show_ok(accept(l, NULL, NULL));
	show(accept(l, NULL, NULL));
	show_poll(waiting);
	close(l);
	show(connect(fd, AT(name)));
}

CHECK(listener_shut_wakes_accept)
{
	int l = listener(SOCK_STREAM, "l", 2);
	pid_t child = start();
	if (child == 0) {
		show(accept(l, NULL, NULL));
		_exit(0);
	}
	wait_asleep(child);
	need(shutdown(l, SHUT_RDWR));
	reap("acceptor", child);
}
