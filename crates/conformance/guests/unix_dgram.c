// unix_dgram.c: messages with boundaries between named and unnamed sockets.
//
// Calls: sendto recvfrom connect send recv bind ioctl
// Passes: host acrida
#include "sockets.h"

CHECK(boundaries)
{
	char buffer[16];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(send(s[0], "hello", 5, 0));
	show(send(s[0], "", 0, 0));
	show(write(s[0], "world", 5));
	show(int_ioctl(s[1], FIONREAD));
	show(recv(s[1], buffer, 3, 0));
	show(recv(s[1], buffer, 16, 0));
	show_poll(s[1]);
	show(recv(s[1], buffer, 16, 0));
	show(recv(s[1], buffer, 16, 0));
}

CHECK(zero_length)
{
	char c;
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(write(s[0], NULL, 0));
	show(int_ioctl(s[1], FIONREAD));
	show(int_ioctl(s[0], SIOCOUTQ));
	show_poll(s[1]);
	show(read(s[1], &c, 0));
	show(recv(s[1], &c, 0, 0));
	show(recv(s[1], &c, 0, 0));
	show(send(s[0], "abc", 3, 0));
	show(read(s[1], &c, 0));
	show(recv(s[1], NULL, 0, MSG_TRUNC));
	show(recv(s[1], &c, 1, 0));
}

CHECK(from_a_name)
{
	char buffer[16];
	struct sockaddr_un from;
	socklen_t len = sizeof from;
	int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b"), c = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct name to_b = path_name("b");
	show(sendto(a, "1", 1, 0, AT(to_b)));
	show(sendto(c, "22", 2, 0, AT(to_b)));
	show(recvfrom(b, buffer, 16, 0, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
	len = sizeof from;
	memset(&from, 'x', sizeof from);
	show(recvfrom(b, buffer, 16, 0, (struct sockaddr *)&from, &len));
	show(len);
	say("family left as it was: %d", from.sun_family == 0x7878);
	len = 3;
	show(sendto(a, "1", 1, 0, AT(to_b)));
	show(recvfrom(b, buffer, 16, 0, (struct sockaddr *)&from, &len));
	show(len);
	show(sendto(a, "1", 1, 0, AT(to_b)));
	len = -1;
	show(recvfrom(b, buffer, 16, 0, (struct sockaddr *)&from, &len));
	show(recv(b, buffer, 16, MSG_DONTWAIT));
}

CHECK(sender_gone)
{
	char buffer[16];
	struct sockaddr_un from;
	socklen_t len = sizeof from;
	int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b");
	struct name to_b = path_name("b");
	show(sendto(a, "1", 1, 0, AT(to_b)));
	close(a);
	show(recvfrom(b, buffer, 16, 0, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
}

CHECK(connect_and_forget)
{
	char buffer[16];
	int a = need(socket(AF_UNIX, SOCK_DGRAM, 0)), b = bound(SOCK_DGRAM, "b"), c = bound(SOCK_DGRAM, "c");
	struct name to_b = path_name("b"), to_c = path_name("c");
	show(send(a, "x", 1, 0));
	show(connect(a, AT(to_b)));
	show_peer_name("peer", a);
	show(send(a, "1", 1, 0));
	show(connect(a, AT(to_c)));
	show_peer_name("peer", a);
	show(send(a, "2", 1, 0));
	show(sendto(a, "3", 1, 0, AT(to_b)));
	show(recv(b, buffer, 16, MSG_DONTWAIT));
	show(recv(b, buffer, 16, MSG_DONTWAIT));
	show(recv(c, buffer, 16, MSG_DONTWAIT));
	struct sockaddr_un none = { .sun_family = AF_UNSPEC };
	show(connect(a, (struct sockaddr *)&none, sizeof(sa_family_t)));
	show_peer_name("peer", a);
	show(send(a, "x", 1, 0));
	show(connect(a, (struct sockaddr *)&none, 1));
	show(connect(a, (struct sockaddr *)&none, sizeof none));
	show_poll(a);
}

CHECK(connected_hears_only_its_peer)
{
	char buffer[16];
	int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b"), c = bound(SOCK_DGRAM, "c");
	struct name to_a = path_name("a"), to_b = path_name("b");
	show(sendto(c, "early", 5, 0, AT(to_a)));
	show(connect(a, AT(to_b)));
	show(sendto(c, "x", 1, 0, AT(to_a)));
	show(connect(c, AT(to_a)));
	show(sendto(b, "from b", 6, 0, AT(to_a)));
	show(connect(b, AT(to_a)));
	show(send(b, "again", 5, 0));
	show(sendto(a, "self", 4, 0, AT(to_a)));
	show(recv(a, buffer, 16, MSG_DONTWAIT));
	show(recv(a, buffer, 16, MSG_DONTWAIT));
	show(recv(a, buffer, 16, MSG_DONTWAIT));
	show(recv(a, buffer, 16, MSG_DONTWAIT));
}

CHECK(reconnecting_throws_away_what_strangers_sent)
{
	char buffer[16];
	int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b");
	bound(SOCK_DGRAM, "c");
	struct name to_a = path_name("a"), to_b = path_name("b"), to_c = path_name("c");
	need(connect(a, AT(to_b)));
	need(connect(b, AT(to_a)));
	show(send(b, "b", 1, 0));
	show(connect(a, AT(to_c)));
	show(recv(a, buffer, 16, MSG_DONTWAIT));
	show(int_option(b, SO_ERROR));
	show(send(b, "b", 1, 0));
	show_peer_name("b's peer", b);
}

CHECK(to_itself)
{
	char buffer[16];
	int a = bound(SOCK_DGRAM, "a");
	struct name to_a = path_name("a");
	show(sendto(a, "me", 2, 0, AT(to_a)));
	show(recv(a, buffer, 16, 0));
	show(connect(a, AT(to_a)));
	int sent = 0;
	while (sent < 100 && send(a, "x", 1, MSG_DONTWAIT) == 1)
		sent++;
	say("%d to itself", sent);
	show_poll(a);
}

CHECK(peer_gone)
{
	int a = need(socket(AF_UNIX, SOCK_DGRAM, 0)), b = bound(SOCK_DGRAM, "b");
	struct name to_b = path_name("b");
	show(connect(a, AT(to_b)));
	close(b);
	show_poll(a);
	show(send(a, "x", 1, 0));
	show(send(a, "x", 1, 0));
	show_peer_name("peer", a);
	show(sendto(a, "x", 1, 0, AT(to_b)));
	show(connect(a, AT(to_b)));
}

CHECK(no_such_name)
{
	int a = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct name nowhere = path_name("nowhere"), abstract = abstract_name("nobody");
	show(sendto(a, "x", 1, 0, AT(nowhere)));
	show(connect(a, AT(nowhere)));
	show(sendto(a, "x", 1, 0, AT(abstract)));
	close(need(open("file", O_CREAT | O_RDWR, 0600)));
	struct name file = path_name("file");
	show(sendto(a, "x", 1, 0, AT(file)));
	bound(SOCK_STREAM, "stream");
	struct name stream = path_name("stream");
	show(sendto(a, "x", 1, 0, AT(stream)));
	show(connect(a, AT(stream)));
	struct sockaddr_un none = { .sun_family = AF_UNIX };
	show(sendto(a, "x", 1, 0, (struct sockaddr *)&none, 2));
	show(sendto(a, "x", 1, 0, (struct sockaddr *)&none, 1));
	none.sun_family = AF_INET;
	show(sendto(a, "x", 1, 0, (struct sockaddr *)&none, sizeof none));
}

CHECK(listen_and_accept)
{
	int a = bound(SOCK_DGRAM, "a");
	show(listen(a, 1));
	show(accept(a, NULL, NULL));
}

CHECK(too_long)
{
	static char block[300000];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	int size = int_option(s[0], SO_SNDBUF);
	say("send buffer %d", size);
	show(send(s[0], block, size - 32, 0));
	show(recv(s[1], block, sizeof block, 0));
	show(send(s[0], block, size - 31, 0));
	show(send(s[0], block, sizeof block, 0));
	show(set_option(s[0], SO_SNDBUF, 4096));
	show(send(s[0], block, 8192 - 32, 0));
	show(send(s[0], block, 8192 - 31, 0));
}

CHECK(charge)
{
	static char block[150000];
	static const int sizes[] = { 0, 1, 64, 192, 256, 384, 400, 448, 700, 1000, 1700, 3776, 3777, 7000, 7872, 7873, 16064, 16065, 20000,
				     32768, 40000, 65536, 100000, 131072 };
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		pair(SOCK_DGRAM | SOCK_NONBLOCK);
		long sent = send(s[0], block, sizes[i], 0);
		say("%d bytes: sent %ld, charged %d, readable %d", sizes[i], sent, int_ioctl(s[0], SIOCOUTQ), int_ioctl(s[1], FIONREAD));
		close(s[0]);
		close(s[1]);
	}
}

CHECK(fill_a_pair)
{
	static char block[100000];
	static const int sizes[] = { 0, 1, 100, 1000, 4096, 30000, 100000 };
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		pair(SOCK_DGRAM | SOCK_NONBLOCK);
		int sent = 0;
		while (sent < 1000 && send(s[0], block, sizes[i], 0) == sizes[i])
			sent++;
		say("%d of %d bytes, then %s", sent, sizes[i], errno_name(errno));
		show_poll(s[0]);
		close(s[0]);
		close(s[1]);
	}
}

CHECK(queue_length)
{
	int b = bound(SOCK_DGRAM, "b"), sent = 0, others = 0;
	struct name to_b = path_name("b");
	char c;
	int a = connected(SOCK_DGRAM, "b"), d = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	while (sent < 100 && send(a, "x", 1, MSG_DONTWAIT) == 1)
		sent++;
	say("%d connected, then %s", sent, errno_name(errno));
	show_poll(a);
	while (others < 100 && sendto(d, "x", 1, MSG_DONTWAIT, AT(to_b)) == 1)
		others++;
	say("%d unconnected, then %s", others, errno_name(errno));
	show_poll(d);
	show(recv(b, &c, 1, 0));
	show_poll(a);
	show(send(a, "x", 1, MSG_DONTWAIT));
	show_poll(a);
}

CHECK(full_queue_blocks_until_read)
{
	int b = bound(SOCK_DGRAM, "b");
	char c;
	int a = connected(SOCK_DGRAM, "b");
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	pid_t child = start();
	if (child == 0) {
		show(send(a, "y", 1, 0));
		_exit(0);
	}
	wait_asleep(child);
	need(recv(b, &c, 1, 0));
	reap("sender", child);
}

CHECK(full_queue_and_its_owner_dies)
{
	int b = bound(SOCK_DGRAM, "b");
	int a = connected(SOCK_DGRAM, "b");
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	pid_t child = start();
	if (child == 0) {
		close(b);
		show(send(a, "y", 1, 0));
		_exit(0);
	}
	wait_asleep(child);
	close(b);
	reap("sender", child);
}

CHECK(full_queue_is_shut)
{
	int b = bound(SOCK_DGRAM, "b");
	int a = connected(SOCK_DGRAM, "b");
	signal(SIGPIPE, SIG_IGN);
	while (send(a, "x", 1, MSG_DONTWAIT) == 1)
		;
	pid_t child = start();
	if (child == 0) {
		show(send(a, "y", 1, 0));
		_exit(0);
	}
	wait_asleep(child);
	need(shutdown(b, SHUT_RD));
	// Only room in the queue wakes the sender.
	char c;
	need(recv(b, &c, 1, 0));
	reap("sender", child);
	show(send(a, "y", 1, 0));
}

CHECK(bad_buffers)
{
	char buffer[8];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(send(s[0], bad_pointer(), 4, 0));
	show(recv(s[1], buffer, 8, 0));
	show(int_ioctl(s[0], SIOCOUTQ));
	show(send(s[0], "abcd", 4, 0));
	show(recv(s[1], bad_pointer(), 4, 0));
	show(recv(s[1], buffer, 8, 0));
	show(send(s[0], "abcd", 4, 0));
	show(recv(s[1], bad_pointer(), 4, MSG_PEEK));
	show(recv(s[1], buffer, 8, 0));
}

CHECK(errors_in_order)
{
	static char block[300000];
	int a = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct name nowhere = path_name("nowhere");
	signal(SIGPIPE, SIG_IGN);
	show(send(a, block, sizeof block, 0));
	show(sendto(a, block, sizeof block, 0, AT(nowhere)));
	bound(SOCK_DGRAM, "b");
	struct name to_b = path_name("b");
	show(sendto(a, block, sizeof block, 0, AT(to_b)));
	show(shutdown(a, SHUT_WR));
	show(sendto(a, block, 1, 0, AT(to_b)));
	show(sendto(a, block, 1, 0, AT(nowhere)));
	show(sendto(a, block, sizeof block, 0, AT(to_b)));
	show(sendto(a, bad_pointer(), 1, 0, AT(to_b)));
	show(send(a, block, 1, 0));
	show(send(a, block, 1, MSG_OOB));
	show(recv(a, block, 1, MSG_OOB | MSG_DONTWAIT));
}

CHECK(vectors)
{
	char a[3], b[4];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	struct iovec out[] = { { "abc", 3 }, { NULL, 0 }, { "defgh", 5 } };
	struct iovec in[] = { { a, 3 }, { b, 4 } };
	show(writev(s[0], out, 3));
	show(readv(s[1], in, 2));
	show_bytes("b", b, 4);
	show(writev(s[0], out, 0));
	show(readv(s[1], in, 2));
	out[1] = (struct iovec){ bad_pointer(), 4 };
	show(writev(s[0], out, 3));
	show(readv(s[1], in, 2));
}
