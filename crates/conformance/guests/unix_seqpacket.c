// unix_seqpacket.c: connections that keep message boundaries.
//
// Calls: send recv sendmsg recvmsg connect accept
// Passes: host acrida
#include "sockets.h"

CHECK(boundaries)
{
	struct message m;
	pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
	show(send(s[0], "hello", 5, 0));
	show(send(s[0], "world", 5, MSG_EOR));
	show(int_ioctl(s[1], FIONREAD));
	show(receive(s[1], &m, 3, 0, 0));
	show_control("cut", &m.header, NULL);
	show(receive(s[1], &m, 16, 0, 0));
	show_control("whole", &m.header, NULL);
	show(m.header.msg_namelen);
	show(receive(s[1], &m, 16, 0, 0));
}

CHECK(empty_message)
{
	char c;
	pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
	show(send(s[0], "", 0, 0));
	show_poll(s[1]);
	show(recv(s[1], &c, 1, 0));
	show(recv(s[1], &c, 1, 0));
	show(write(s[0], "", 0));
	show(recv(s[1], &c, 1, 0));
}

CHECK(unconnected)
{
	char c;
	int fd = need(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	struct name nowhere = path_name("nowhere");
	show(send(fd, "x", 1, 0));
	show(recv(fd, &c, 1, 0));
	show(recv(fd, &c, 1, MSG_DONTWAIT));
	show(read(fd, &c, 0));
	show(sendto(fd, "x", 1, 0, AT(nowhere)));
	show(connect(fd, AT(nowhere)));
	show_poll(fd);
}

CHECK(send_to_a_name)
{
	char c;
	struct name nowhere = path_name("nowhere");
	pair(SOCK_SEQPACKET);
	show(sendto(s[0], "x", 1, 0, AT(nowhere)));
	show(recv(s[1], &c, 1, MSG_DONTWAIT));
}

CHECK(connection)
{
	char buffer[8];
	struct sockaddr_un from;
	socklen_t len = sizeof from;
	int l = listener(SOCK_SEQPACKET, "l", 1);
	int client = bound(SOCK_SEQPACKET, "client");
	struct name name = path_name("l");
	show(connect(client, AT(name)));
	int server = need(accept(l, NULL, NULL));
	show_own_name("server", server);
	show_peer_name("server", server);
	show(send(client, "hello", 5, 0));
	show(recvfrom(server, buffer, 8, 0, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
	show(connect(client, AT(name)));
	show(listen(client, 1));
	show(accept(client, NULL, NULL));
	show(connect(l, AT(name)));
	show(recv(l, buffer, 8, MSG_DONTWAIT));
	show(send(l, buffer, 8, MSG_DONTWAIT));
	int stream = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(stream, AT(name)));
}

CHECK(no_queue_limit_but_the_buffer)
{
	static char block[50000];
	static const int sizes[] = { 1, 1000, 50000 };
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
		int sent = 0;
		while (sent < 1000 && send(s[0], block, sizes[i], 0) == sizes[i])
			sent++;
		say("%d of %d bytes, then %s", sent, sizes[i], errno_name(errno));
		show_poll(s[0]);
		close(s[0]);
		close(s[1]);
	}
}

CHECK(too_long)
{
	static char block[300000];
	pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
	int size = int_option(s[0], SO_SNDBUF);
	show(send(s[0], block, size - 31, 0));
	show(send(s[0], block, size - 32, 0));
	show(recv(s[1], block, sizeof block, MSG_TRUNC));
}

CHECK(peer_closed)
{
	char c;
	pair(SOCK_SEQPACKET);
	close(s[1]);
	IN_CHILD("send") {
		show(send(s[0], "x", 1, 0));
	}
	show(send(s[0], "x", 1, MSG_NOSIGNAL));
	show(recv(s[0], &c, 1, 0));
	show_peer_name("peer", s[0]);
}

CHECK(urgent)
{
	char c;
	pair(SOCK_SEQPACKET);
	show(send(s[0], "x", 1, MSG_OOB));
	show(recv(s[1], &c, 1, MSG_OOB | MSG_DONTWAIT));
}
