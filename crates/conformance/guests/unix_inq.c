// unix_inq.c: SO_INQ, how much is left after a read.
//
// Calls: setsockopt getsockopt recvmsg
// Passes: host acrida
#include "sockets.h"

#ifndef SO_INQ
#define SO_INQ 84
#endif

// The message's bytes, flags and what it says is left, in the order it says things.
static void show_left(const char *what, int fd, size_t room, size_t control, int flags)
{
	struct message m;
	long got = receive(fd, &m, room, control, flags);
	if (got < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	say("%s: %ld bytes, flags %s, control %zu", what, got, msg_names(m.header.msg_flags), m.header.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m.header); c; c = CMSG_NXTHDR(&m.header, c)) {
		int left = -77;
		memcpy(&left, CMSG_DATA(c), sizeof left);
		if (c->cmsg_type == SO_INQ)
			say("%s: level %d, length %zu, %d left", what, c->cmsg_level, c->cmsg_len, left);
		else
			say("%s: type %d", what, c->cmsg_type);
		if (c->cmsg_type == SCM_RIGHTS)
			close(left);
	}
}

CHECK(option)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	static const int values[] = { 0, 1, 2, -1 };
	for (int t = 0; t < 3; t++) {
		pair(types[t]);
		say("type %d: %d", types[t], int_option(s[0], SO_INQ));
		for (int v = 0; v < 4; v++) {
			int result = set_option(s[0], SO_INQ, values[v]) ? -errno : 0;
			say("%d: %d, then %d", values[v], result, int_option(s[0], SO_INQ));
		}
		long wide = 1;
		show(setsockopt(s[0], SOL_SOCKET, SO_INQ, &wide, 8));
		show(setsockopt(s[0], SOL_SOCKET, SO_INQ, &wide, 3));
		show(setsockopt(s[0], SOL_SOCKET, SO_INQ, bad_pointer(), 4));
		show(setsockopt(s[0], SOL_SOCKET, SO_INQ, bad_pointer(), 3));
		close(s[0]);
		close(s[1]);
	}
}

CHECK(left)
{
	pair(SOCK_STREAM);
	show(set_option(s[1], SO_INQ, 1));
	need(send(s[0], "abcdef", 6, 0));
	need(send(s[0], "ghij", 4, 0));
	show_left("peeked", s[1], 3, 1024, MSG_PEEK);
	show_left("one", s[1], 1, 1024, 0);
	show_left("two", s[1], 2, 1024, MSG_DONTWAIT);
	show_left("none", s[1], 0, 1024, 0);
	show_left("no control", s[1], 1, 0, 0);
	show_left("little control", s[1], 1, CMSG_LEN(0), 0);
	show_left("less", s[1], 1, CMSG_LEN(2), 0);
	show_left("rest", s[1], 100, 1024, 0);
	show_left("empty", s[1], 1, 1024, MSG_DONTWAIT);
	close(s[0]);
	show_left("end", s[1], 1, 1024, 0);
}

CHECK(among_others)
{
	int in = 0;
	pair(SOCK_STREAM);
	show(set_option(s[1], SO_INQ, 1));
	show(set_option(s[1], SO_PASSCRED, 1));
	show(set_option(s[1], SO_TIMESTAMP, 1));
	need(send_fds(s[0], "ab", &in, 1, 0));
	show_left("files", s[1], 1, 1024, 0);
	show_left("rest", s[1], 1, 1024, 0);
	show(set_option(s[1], SO_INQ, 0));
	need(send(s[0], "c", 1, 0));
	show_left("off", s[1], 1, 1024, 0);
}

CHECK(urgent)
{
	pair(SOCK_STREAM);
	show(set_option(s[1], SO_INQ, 1));
	need(send(s[0], "ab", 2, 0));
	need(send(s[0], "c", 1, MSG_OOB));
	show_left("before", s[1], 1, 1024, 0);
	show_left("mark", s[1], 10, 1024, 0);
	show_left("urgent", s[1], 1, 1024, MSG_OOB);
	show_left("after", s[1], 1, 1024, MSG_DONTWAIT);
}

CHECK(inherited)
{
	int listening = listener(SOCK_STREAM, "inq", 5);
	show(set_option(listening, SO_INQ, 1));
	int one = connected(SOCK_STREAM, "inq"), other = need(accept(listening, NULL, NULL));
	need(send(one, "ab", 2, 0));
	show_left("accepted", other, 1, 1024, 0);
}
