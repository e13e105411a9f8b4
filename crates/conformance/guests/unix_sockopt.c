// unix_sockopt.c: options of local sockets.
//
// Calls: getsockopt setsockopt
// Passes: host acrida
#include "sockets.h"
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

CHECK(defaults)
{
	static const struct {
		int option;
		const char *name;
	} options[] = { FLAG(SO_TYPE), FLAG(SO_DOMAIN), FLAG(SO_PROTOCOL), FLAG(SO_ERROR), FLAG(SO_ACCEPTCONN), FLAG(SO_SNDBUF), FLAG(SO_RCVBUF),
			FLAG(SO_SNDLOWAT), FLAG(SO_RCVLOWAT), FLAG(SO_DEBUG), FLAG(SO_REUSEADDR), FLAG(SO_REUSEPORT), FLAG(SO_KEEPALIVE),
			FLAG(SO_BROADCAST), FLAG(SO_DONTROUTE), FLAG(SO_OOBINLINE), FLAG(SO_PRIORITY), FLAG(SO_PASSCRED), FLAG(SO_PASSSEC),
			FLAG(SO_TIMESTAMP), FLAG(SO_PEEK_OFF), FLAG(SO_MARK), FLAG(SO_RXQ_OVFL), FLAG(SO_LOCK_FILTER), FLAG(SO_ZEROCOPY),
			FLAG(SO_NO_CHECK), FLAG(SO_BUSY_POLL), FLAG(SO_INCOMING_CPU), { 77777, "unknown" }, { -1, "negative" },
			{ 83, "SO_PASSRIGHTS" }, { 72, "SO_BUF_LOCK" }, { 44, "SO_LOCK_FILTER" }, { 62, "SO_BINDTOIFINDEX" } };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 3; t++) {
		int fd = need(socket(AF_UNIX, types[t], 0));
		for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
			int value = int_option(fd, options[i].option);
			if (options[i].option == SO_INCOMING_CPU)
				continue;
			say("type %d %s: %d", types[t], options[i].name, value);
		}
	}
}

CHECK(set_and_get)
{
	static const struct {
		int option;
		const char *name;
	} options[] = { FLAG(SO_TYPE), FLAG(SO_DOMAIN), FLAG(SO_PROTOCOL), FLAG(SO_ERROR), FLAG(SO_ACCEPTCONN),
			FLAG(SO_SNDLOWAT), FLAG(SO_RCVLOWAT), FLAG(SO_DEBUG), FLAG(SO_REUSEADDR), FLAG(SO_REUSEPORT), FLAG(SO_KEEPALIVE),
			FLAG(SO_BROADCAST), FLAG(SO_DONTROUTE), FLAG(SO_OOBINLINE), FLAG(SO_PRIORITY), FLAG(SO_PASSCRED), FLAG(SO_PASSSEC),
			FLAG(SO_TIMESTAMP), FLAG(SO_PEEK_OFF), FLAG(SO_ZEROCOPY), { 77777, "unknown" } };
	pair(SOCK_STREAM);
	for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
		int result = set_option(s[0], options[i].option, 5) ? -errno : 0;
		say("%s = 5: %d, then %d", options[i].name, result, int_option(s[0], options[i].option));
		result = set_option(s[0], options[i].option, 0) ? -errno : 0;
		say("%s = 0: %d, then %d", options[i].name, result, int_option(s[0], options[i].option));
		result = set_option(s[0], options[i].option, -1) ? -errno : 0;
		say("%s = -1: %d, then %d", options[i].name, result, int_option(s[0], options[i].option));
	}
}

CHECK(buffers)
{
	static const int sizes[] = { -1, 0, 1, 1000, 2304, 4000, 5000, 100000, 212992, 1000000, 0x7fffffff };
	pair(SOCK_STREAM);
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		set_option(s[0], SO_SNDBUF, sizes[i]);
		set_option(s[0], SO_RCVBUF, sizes[i]);
		say("%d: send %d, receive %d", sizes[i], int_option(s[0], SO_SNDBUF), int_option(s[0], SO_RCVBUF));
	}
	IN_CHILD("force") {
		show(set_option(s[0], SO_SNDBUFFORCE, 1000000));
		show(int_option(s[0], SO_SNDBUF));
		show(set_option(s[0], SO_RCVBUFFORCE, -1));
		show(int_option(s[0], SO_RCVBUF));
		if (geteuid() == 0 && (setgid(1000) || setuid(1000)))
			_exit(1);
		show(set_option(s[0], SO_SNDBUFFORCE, 1000000));
	}
}

CHECK(lengths)
{
	int value = 0;
	long wide = 0;
	pair(SOCK_STREAM);
	show(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &value, 3));
	show(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &value, 0));
	show(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &value, -1));
	show(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &wide, 8));
	show(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, NULL, 4));
	show(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, bad_pointer(), 4));
	show(setsockopt(s[0], SOL_SOCKET, 77777, bad_pointer(), 4));
	show(setsockopt(s[0], SOL_SOCKET, 77777, &value, 1));
	for (int room = -1; room <= 9; room++) {
		socklen_t len = room;
		wide = -1;
		int result = getsockopt(s[0], SOL_SOCKET, SO_TYPE, &wide, &len);
		say("room %d: %s, length %d, value %lx", room, result ? errno_name(errno) : "0", (int)len, wide);
	}
	socklen_t len = 4;
	show(getsockopt(s[0], SOL_SOCKET, SO_TYPE, bad_pointer(), &len));
	show(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, NULL));
	show(getsockopt(s[0], SOL_SOCKET, 77777, &value, NULL));
}

CHECK(other_levels)
{
	int value = 1;
	socklen_t len = sizeof value;
	pair(SOCK_STREAM);
	show(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, sizeof value));
	show(getsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, &len));
	show(setsockopt(s[0], IPPROTO_IP, IP_TTL, &value, sizeof value));
	show(getsockopt(s[0], -1, 1, &value, &len));
	show(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &value, -1));
}

CHECK(time_limits)
{
	struct timeval t = { 1, 500000 }, got;
	socklen_t len = sizeof got;
	pair(SOCK_STREAM);
	show(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	say("%ld.%06ld %u", (long)got.tv_sec, (long)got.tv_usec, len);
	show(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
	show(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len));
	say("%ld.%06ld", (long)got.tv_sec, (long)got.tv_usec);
	t.tv_usec = 1000000;
	show(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
	t = (struct timeval){ -1, 0 };
	show(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
	show(getsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &got, &len));
	say("%ld.%06ld", (long)got.tv_sec, (long)got.tv_usec);
	t = (struct timeval){ 0, 0 };
	show(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
	show(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, 8));
	show(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, 4));
	len = 8;
	show(getsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &got, &len));
	show(len);
}

CHECK(linger)
{
	struct linger l = { 1, 5 }, got;
	socklen_t len = sizeof got;
	pair(SOCK_STREAM);
	show(getsockopt(s[0], SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d", got.l_onoff, got.l_linger);
	show(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, sizeof l));
	show(getsockopt(s[0], SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d", got.l_onoff, got.l_linger);
	l.l_onoff = 0;
	l.l_linger = 9;
	show(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, sizeof l));
	show(getsockopt(s[0], SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d", got.l_onoff, got.l_linger);
	show(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &l, 4));
}

CHECK(peek_offset)
{
	char buffer[16];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(set_option(s[1], SO_PEEK_OFF, 2));
	show(int_option(s[1], SO_PEEK_OFF));
	show(send(s[0], "abcdef", 6, 0));
	show(send(s[0], "ghij", 4, 0));
	show(recv(s[1], buffer, 2, MSG_PEEK));
	show_bytes("peek", buffer, 2);
	show(int_option(s[1], SO_PEEK_OFF));
	show(recv(s[1], buffer, 16, MSG_PEEK));
	show_bytes("peek", buffer, 6);
	show(int_option(s[1], SO_PEEK_OFF));
	show(recv(s[1], buffer, 16, MSG_PEEK));
	show(recv(s[1], buffer, 3, 0));
	show_bytes("read", buffer, 3);
	show(int_option(s[1], SO_PEEK_OFF));
	show(send(s[0], "kl", 2, 0));
	show(recv(s[1], buffer, 16, MSG_PEEK));
	show_bytes("peek", buffer, 2);
	show(recv(s[1], buffer, 16, 0));
	show(int_option(s[1], SO_PEEK_OFF));
	show(set_option(s[1], SO_PEEK_OFF, -1));
	show(int_option(s[1], SO_PEEK_OFF));
}

CHECK(peek_offset_of_datagrams)
{
	char buffer[16];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(set_option(s[1], SO_PEEK_OFF, 2));
	show(send(s[0], "abcdef", 6, 0));
	show(send(s[0], "ghij", 4, 0));
	for (int i = 0; i < 4; i++) {
		long got = show(recv(s[1], buffer, 3, MSG_PEEK));
		if (got > 0)
			show_bytes("peek", buffer, got);
		show(int_option(s[1], SO_PEEK_OFF));
	}
	show(recv(s[1], buffer, 16, 0));
	show(int_option(s[1], SO_PEEK_OFF));
	show(recv(s[1], buffer, 16, MSG_PEEK));
	pair(SOCK_SEQPACKET);
	show(set_option(s[1], SO_PEEK_OFF, 2));
}

CHECK(error_is_told_once)
{
	pair(SOCK_STREAM);
	need(send(s[0], "x", 1, 0));
	close(s[1]);
	show(int_option(s[0], SO_ERROR));
	show(int_option(s[0], SO_ERROR));
}

CHECK(memory)
{
	unsigned info[9] = { 0 };
	socklen_t len = sizeof info;
	pair(SOCK_STREAM);
	need(send(s[0], "x", 1, 0));
	show(getsockopt(s[0], SOL_SOCKET, 55, info, &len));
	say("length %u, receive %u of %u, send %u of %u", len, info[0], info[1], info[2], info[3]);
	long cookie = 0;
	len = sizeof cookie;
	show(getsockopt(s[0], SOL_SOCKET, 57, &cookie, &len));
	say("cookie %d", cookie != 0);
}

// Options that need a right, and the lock of a filter.
CHECK(rights)
{
	IN_CHILD("user")
	{
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0)), number;
		if (geteuid() == 0)
			need(setresuid(1000, 1000, 1000));
		static const struct {
			int option, value;
		} settings[] = { { SO_PRIORITY, 6 }, { SO_PRIORITY, 7 },   { SO_PRIORITY, -1 },    { SO_DEBUG, 0 },	   { SO_DEBUG, 1 },
				 { SO_BUSY_POLL, 7 }, { SO_BUSY_POLL, -1 }, { SO_LOCK_FILTER, 0 }, { SO_LOCK_FILTER, 1 }, { SO_LOCK_FILTER, 0 },
				 { SO_DETACH_FILTER, 0 } };
		for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++) {
			say("%d to %d", settings[i].option, settings[i].value);
			show(setsockopt(fd, SOL_SOCKET, settings[i].option, &settings[i].value, sizeof(int)));
			if (settings[i].option != SO_DETACH_FILTER) {
				socklen_t length = sizeof number;
				show(getsockopt(fd, SOL_SOCKET, settings[i].option, &number, &length));
				say("now %d", number);
			}
		}
	}
}

CHECK(groups_of_the_peer)
{
	IN_CHILD("child")
	{
		int pair[2];
		gid_t groups[4] = { 5, 6, 7, 8 };
		if (geteuid() == 0)
			need(setgroups(3, groups));
		need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		for (socklen_t room = 0; room <= 16; room += 4) {
			socklen_t length = room;
			show(getsockopt(pair[0], SOL_SOCKET, SO_PEERGROUPS, groups, &length));
			say("%u of %u", length, room);
		}
	}
}
