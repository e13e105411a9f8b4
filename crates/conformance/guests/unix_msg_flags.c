// unix_msg_flags.c: flags of sends and receives.
//
// Calls: send recv sendmsg recvmsg recvfrom
// Passes: host acrida
#include "sockets.h"

CHECK(peek)
{
	char buffer[16];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "abc", 3, 0));
	show(send(s[0], "def", 3, 0));
	show(recv(s[1], buffer, 2, MSG_PEEK));
	show(recv(s[1], buffer, 16, MSG_PEEK));
	show_bytes("all", buffer, 6);
	show(int_ioctl(s[1], FIONREAD));
	show(recv(s[1], buffer, 4, 0));
	show(recv(s[1], buffer, 16, MSG_PEEK));
	show_bytes("rest", buffer, 2);
	show(recv(s[1], buffer, 16, MSG_PEEK | MSG_WAITALL));
	close(s[0]);
	show(recv(s[1], buffer, 16, 0));
	show(recv(s[1], buffer, 16, MSG_PEEK));
}

CHECK(truncated_stream)
{
	char buffer[16];
	struct message m;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "abcdef", 6, 0));
	show(recv(s[1], buffer, 2, MSG_TRUNC));
	show(receive(s[1], &m, 2, 0, 0));
	show_control("message", &m.header, NULL);
	show(recv(s[1], NULL, 16, MSG_TRUNC));
	show(int_ioctl(s[1], FIONREAD));
}

CHECK(truncated_datagram)
{
	char buffer[16];
	struct message m;
	static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 2; t++) {
		pair(types[t] | SOCK_NONBLOCK);
		show(send(s[0], "abcdef", 6, 0));
		show(recv(s[1], buffer, 2, MSG_PEEK | MSG_TRUNC));
		show(recv(s[1], buffer, 2, MSG_PEEK));
		show(receive(s[1], &m, 2, 0, 0));
		show_control("cut", &m.header, NULL);
		show(send(s[0], "abcdef", 6, 0));
		show(receive(s[1], &m, 2, 0, MSG_TRUNC));
		show_control("cut", &m.header, NULL);
		show(send(s[0], "abcdef", 6, 0));
		show(receive(s[1], &m, 6, 0, MSG_TRUNC));
		show_control("whole", &m.header, NULL);
	}
}

CHECK(flags_that_mean_nothing)
{
	static const int flags[] = { MSG_DONTROUTE, MSG_CONFIRM, MSG_MORE, MSG_EOR, MSG_CTRUNC, MSG_TRUNC, MSG_WAITALL, MSG_FASTOPEN,
				     MSG_ZEROCOPY, MSG_SYN, MSG_FIN, MSG_RST, MSG_ERRQUEUE, MSG_PROXY, (int)0x80000000u, MSG_CMSG_CLOEXEC,
				     MSG_WAITFORONE };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char c;
	for (int t = 0; t < 3; t++)
		for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
			pair(types[t] | SOCK_NONBLOCK);
			long sent = send(s[0], "x", 1, flags[i]);
			say("type %d send %#x: %s", types[t], flags[i], sent < 0 ? errno_name(errno) : "sent");
			if (sent < 0)
				need(send(s[0], "x", 1, 0));
			long got = recv(s[1], &c, 1, flags[i]);
			say("type %d receive %#x: %s", types[t], flags[i], got < 0 ? errno_name(errno) : "got");
			close(s[0]);
			close(s[1]);
		}
}

CHECK(flags_told)
{
	struct message m;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	need(send(s[0], "abc", 3, MSG_EOR));
	show(receive(s[1], &m, 1, 64, MSG_CMSG_CLOEXEC));
	say("%s", msg_names(m.header.msg_flags));
	show(receive(s[1], &m, 1, 64, MSG_PEEK));
	say("%s", msg_names(m.header.msg_flags));
	show(receive(s[1], &m, 16, 64, MSG_DONTWAIT | MSG_WAITALL));
	say("%s", msg_names(m.header.msg_flags));
}

CHECK(message_header)
{
	struct message m;
	struct iovec iov = { "m", 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_un nobody = { .sun_family = AF_UNIX };
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(sendmsg(s[0], NULL, 0));
	show(sendmsg(s[0], bad_pointer(), 0));
	show(recvmsg(s[1], NULL, 0));
	h.msg_namelen = 5;
	show(sendmsg(s[0], &h, 0));
	h.msg_name = &nobody;
	h.msg_namelen = 0;
	show(sendmsg(s[0], &h, 0));
	h.msg_namelen = 300;
	show(sendmsg(s[0], &h, 0));
	h.msg_namelen = -1;
	show(sendmsg(s[0], &h, 0));
	h.msg_name = NULL;
	show(sendmsg(s[0], &h, 0));
	h.msg_namelen = 0;
	h.msg_iov = NULL;
	show(sendmsg(s[0], &h, 0));
	h.msg_iov = bad_pointer();
	show(sendmsg(s[0], &h, 0));
	h.msg_iov = &iov;
	h.msg_flags = MSG_OOB | MSG_DONTWAIT;
	show(sendmsg(s[0], &h, 0));
	memset(&m, 0, sizeof m);
	m.iov = (struct iovec){ m.data, 16 };
	m.header = (struct msghdr){ &m.from, -1, &m.iov, 1, NULL, 0, 0 };
	show(recvmsg(s[1], &m.header, 0));
	m.header.msg_namelen = sizeof m.from;
	m.header.msg_controllen = 100;
	m.header.msg_flags = 0x1234;
	show(recvmsg(s[1], &m.header, 0));
	say("name length %d, control %zu, flags %s", m.header.msg_namelen, m.header.msg_controllen, msg_names(m.header.msg_flags));
}

CHECK(name_cut)
{
	struct message m;
	int a = bound(SOCK_DGRAM, "sender"), b = bound(SOCK_DGRAM, "b");
	struct name to_b = path_name("b");
	for (int room = 0; room <= 12; room += 3) {
		need(sendto(a, "x", 1, 0, AT(to_b)));
		memset(&m, '#', sizeof m);
		m.iov = (struct iovec){ m.data, 16 };
		m.header = (struct msghdr){ &m.from, room, &m.iov, 1, NULL, 0, 0 };
		show(recvmsg(b, &m.header, 0));
		say("room %d: length %d", room, m.header.msg_namelen);
		show_bytes("name", m.from.sun_path, 12);
	}
}

CHECK(error_queue)
{
	struct message m;
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	need(send(s[0], "abc", 3, 0));
	show(receive(s[1], &m, 16, 64, MSG_ERRQUEUE));
}
