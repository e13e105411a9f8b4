// unix_stream.c: connected streams: bytes in order, without boundaries.
//
// Calls: send recv sendto recvfrom read write readv writev ioctl
// Passes: host acrida
#include "sockets.h"

CHECK(no_boundaries)
{
	char buffer[64];
	pair(SOCK_STREAM);
	show(send(s[0], "hello", 5, 0));
	show(write(s[0], "world", 5));
	show(read(s[1], buffer, 3));
	show_bytes("first", buffer, 3);
	show(recv(s[1], buffer, sizeof buffer, 0));
	show_bytes("rest", buffer, 7);
	show(recv(s[1], buffer, sizeof buffer, MSG_DONTWAIT));
}

CHECK(both_directions)
{
	char buffer[8];
	pair(SOCK_STREAM);
	show(send(s[0], "a", 1, 0));
	show(send(s[1], "bc", 2, 0));
	show(recv(s[0], buffer, 8, 0));
	show(recv(s[1], buffer, 8, 0));
}

CHECK(zero_length)
{
	char buffer[8];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "", 0, 0));
	show(write(s[0], NULL, 0));
	show(send(s[0], bad_pointer(), 0, 0));
	show(int_ioctl(s[1], FIONREAD));
	show(read(s[1], buffer, 0));
	show(recv(s[1], buffer, 0, 0));
	show(recv(s[1], NULL, 0, MSG_PEEK));
	show_poll(s[1]);
	show(send(s[0], "x", 1, 0));
	show(recv(s[1], buffer, 0, 0));
	show(recv(s[1], buffer, 8, 0));
	close(s[0]);
	show(recv(s[1], buffer, 0, 0));
}

CHECK(vectors)
{
	char a[3], b[10];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	struct iovec out[] = { { "abc", 3 }, { NULL, 0 }, { "defgh", 5 } };
	struct iovec in[] = { { a, 3 }, { b, 10 } };
	show(writev(s[0], out, 3));
	show(readv(s[1], in, 2));
	show_bytes("a", a, 3);
	show_bytes("b", b, 5);
	out[1] = (struct iovec){ bad_pointer(), 4 };
	show(writev(s[0], out, 3));
	show(int_ioctl(s[1], FIONREAD));
	show(readv(s[1], in, 2));
	show(writev(s[0], out, 0));
	show(writev(s[0], out, -1));
	show(writev(s[0], NULL, 1));
	struct msghdr header = { .msg_iov = out, .msg_iovlen = 1 };
	show(sendmsg(s[0], &header, 0));
	header.msg_iovlen = 1025;
	show(sendmsg(s[0], &header, 0));
	show(recvmsg(s[1], &header, 0));
	header.msg_iovlen = 0;
	show(sendmsg(s[0], &header, 0));
}

CHECK(bad_buffers)
{
	char buffer[16];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], bad_pointer(), 4, 0));
	show(int_ioctl(s[1], FIONREAD));
	show(recv(s[1], bad_pointer(), 4, 0));
	show(send(s[0], "abcd", 4, 0));
	show(recv(s[1], bad_pointer(), 4, 0));
	show(recv(s[1], read_only_pointer(), 2, 0));
	show(int_ioctl(s[1], FIONREAD));
	char *edge = at_edge(2);
	show(recv(s[1], edge, 4, 0));
	show(int_ioctl(s[1], FIONREAD));
	show(recv(s[1], buffer, 16, 0));
	show(send(s[0], edge, 4, 0));
	show(int_ioctl(s[1], FIONREAD));
}

CHECK(send_crosses_bad_page)
{
	char *page = at_edge(4096);
	memset(page, 'p', 4096);
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], page, 8192, 0));
	show(int_ioctl(s[1], FIONREAD));
	char *pages = mmap(NULL, 200 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(mprotect(pages + 30 * 4096, 4096, PROT_NONE));
	show(send(s[0], pages, 100 * 4096, 0));
	show(int_ioctl(s[1], FIONREAD));
}

CHECK(unconnected)
{
	char c;
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	signal(SIGPIPE, SIG_IGN);
	show(send(fd, "x", 1, 0));
	show(write(fd, "x", 1));
	show(write(fd, "", 0));
	show(send(fd, "", 0, 0));
	show(recv(fd, &c, 1, 0));
	show(read(fd, &c, 1));
	show(read(fd, &c, 0));
	show(recv(fd, &c, 0, 0));
	show(recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT));
	show_peer_name("peer", fd);
	show_own_name("own", fd);
	show(shutdown(fd, SHUT_RDWR));
	show(send(fd, "x", 1, MSG_NOSIGNAL));
	show(recv(fd, &c, 1, 0));
	show(int_ioctl(fd, FIONREAD));
	show(int_ioctl(fd, SIOCOUTQ));
	show_poll(fd);
}

CHECK(send_to_a_name)
{
	struct name name = path_name("nowhere");
	pair(SOCK_STREAM);
	int alone = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(sendto(s[0], "x", 1, 0, AT(name)));
	show(sendto(alone, "x", 1, 0, AT(name)));
	show(sendto(s[0], "x", 1, 0, (struct sockaddr *)&name.un, 0));
	show(sendto(s[0], "x", 1, 0, bad_pointer(), 10));
	show(sendto(s[0], "x", 1, 0, (struct sockaddr *)&name.un, 129));
	show(sendto(s[0], "x", 1, 0, (struct sockaddr *)&name.un, -1));
	show(sendto(s[0], "x", 1, 0, NULL, 10));
}

CHECK(receive_from_whom)
{
	char c;
	struct sockaddr_un from;
	socklen_t len = sizeof from;
	pair(SOCK_STREAM);
	show(send(s[0], "xyz", 3, 0));
	memset(&from, 'x', sizeof from);
	show(recvfrom(s[1], &c, 1, 0, (struct sockaddr *)&from, &len));
	show(len);
	len = -1;
	show(recvfrom(s[1], &c, 1, 0, (struct sockaddr *)&from, &len));
	show(recvfrom(s[1], &c, 1, 0, (struct sockaddr *)&from, NULL));
	show(int_ioctl(s[1], FIONREAD));
	int l = listener(SOCK_STREAM, "l", 1);
	int client = bound(SOCK_STREAM, "client");
	struct name name = path_name("l");
	need(connect(client, AT(name)));
	int server = need(accept(l, NULL, NULL));
	show(send(client, "x", 1, 0));
	len = sizeof from;
	show(recvfrom(server, &c, 1, 0, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
	show(send(server, "x", 1, 0));
	len = sizeof from;
	show(recvfrom(client, &c, 1, 0, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
}

CHECK(charge_of_one_message)
{
	static char block[200000];
	static const int sizes[] = { 1, 64, 100, 192, 256, 384, 400, 600, 700, 1000, 1700, 1729, 3000, 3700, 3776, 3777, 4096,
				     5000, 8192, 20000, 32768, 36544, 36545, 65536, 100000 };
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		pair(SOCK_STREAM | SOCK_NONBLOCK);
		long sent = send(s[0], block, sizes[i], 0);
		say("%d bytes: sent %ld, charged %d, readable %d", sizes[i], sent, int_ioctl(s[0], SIOCOUTQ), int_ioctl(s[1], FIONREAD));
		close(s[0]);
		close(s[1]);
	}
}

CHECK(fill)
{
	static char block[300000];
	static const int sizes[] = { 1, 100, 1000, 4096, 10000, 65536, 300000 };
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		pair(SOCK_STREAM | SOCK_NONBLOCK);
		long bytes = 0, calls = 0, sent;
		while ((sent = send(s[0], block, sizes[i], 0)) > 0) {
			bytes += sent;
			calls++;
		}
		say("pieces of %d: %ld bytes in %ld calls, then %s", sizes[i], bytes, calls, errno_name(errno));
		say("queued %d, charged %d", int_ioctl(s[1], FIONREAD), int_ioctl(s[0], SIOCOUTQ));
		show_poll(s[0]);
		close(s[0]);
		close(s[1]);
	}
}

CHECK(room_comes_back)
{
	static char block[65536];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	while (send(s[0], block, 4096, 0) > 0)
		;
	show_poll(s[0]);
	show(recv(s[1], block, 1, 0));
	show(send(s[0], block, 1, 0));
	show(recv(s[1], block, 4095, 0));
	show(send(s[0], block, 1, 0));
	long taken = 0;
	while (!(poll_mask(s[0]) & POLLOUT) && recv(s[1], block, 4096, 0) == 4096)
		taken++;
	say("writable after %ld more reads", taken);
}

CHECK(charge_falls_by_message)
{
	static char block[10000];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], block, 1000, 0));
	show(send(s[0], block, 10000, 0));
	int all = int_ioctl(s[0], SIOCOUTQ);
	show(recv(s[1], block, 999, 0));
	say("falls %d", all - int_ioctl(s[0], SIOCOUTQ));
	show(recv(s[1], block, 1, 0));
	say("falls %d", all - int_ioctl(s[0], SIOCOUTQ));
	show(recv(s[1], block, 9000, 0));
	say("falls %d", all - int_ioctl(s[0], SIOCOUTQ));
	show(recv(s[1], block, 1000, 0));
	show(int_ioctl(s[0], SIOCOUTQ));
}

CHECK(small_send_buffer)
{
	static char block[100000];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(set_option(s[0], SO_SNDBUF, 1));
	show(int_option(s[0], SO_SNDBUF));
	show(send(s[0], block, sizeof block, 0));
	show(send(s[0], block, 1, 0));
	show(int_ioctl(s[1], FIONREAD));
	show_poll(s[0]);
}

CHECK(receive_buffer_does_not_matter)
{
	static char block[100000];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(set_option(s[1], SO_RCVBUF, 1));
	show(int_option(s[1], SO_RCVBUF));
	show(send(s[0], block, sizeof block, 0));
}

CHECK(queue_commands)
{
	pair(SOCK_STREAM);
	show(int_ioctl(s[0], SIOCOUTQ));
	show(int_ioctl(s[0], FIONREAD));
	show(send(s[1], "abc", 3, 0));
	show(int_ioctl(s[0], FIONREAD));
	show(ioctl(s[0], FIONREAD, bad_pointer()));
	show(ioctl(s[0], SIOCOUTQ, NULL));
	int l = listener(SOCK_STREAM, "l", 1);
	show(int_ioctl(l, FIONREAD));
	show(int_ioctl(l, SIOCOUTQ));
	show(int_ioctl(l, SIOCATMARK));
}

CHECK(big_transfer)
{
	enum { TOTAL = 3000000 };
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		close(s[1]);
		static unsigned char out[70001];
		long sent = 0;
		for (int round = 0; sent < TOTAL; round++) {
			long want = TOTAL - sent < (long)sizeof out ? TOTAL - sent : (long)sizeof out;
			for (long i = 0; i < want; i++)
				out[i] = (sent + i) * 7 >> 3;
			long got = write(s[0], out, want);
			if (got != want)
				_exit(1);
			sent += got;
		}
		_exit(0);
	}
	close(s[0]);
	static unsigned char in[40000];
	long at = 0, wrong = 0, got;
	while ((got = read(s[1], in, 1 + at % sizeof in)) > 0) {
		for (long i = 0; i < got; i++)
			wrong += in[i] != (unsigned char)((at + i) * 7 >> 3);
		at += got;
	}
	say("%ld bytes, %ld wrong, then %ld", at, wrong, got);
	reap("writer", child);
}

CHECK(waitall)
{
	char buffer[8];
	pair(SOCK_STREAM);
	show(send(s[0], "abc", 3, 0));
	show(recv(s[1], buffer, 8, MSG_WAITALL | MSG_DONTWAIT));
	show(send(s[0], "abc", 3, 0));
	pid_t child = start();
	if (child == 0) {
		show(recv(s[1], buffer, 8, MSG_WAITALL));
		show_bytes("got", buffer, 8);
		_exit(0);
	}
	wait_asleep(child);
	need(send(s[0], "de", 2, 0));
	wait_asleep(child);
	need(send(s[0], "fghij", 5, 0));
	reap("receiver", child);
	show(recv(s[1], buffer, 8, 0));
	show(send(s[0], "abc", 3, 0));
	close(s[0]);
	show(recv(s[1], buffer, 8, MSG_WAITALL));
	show(recv(s[1], buffer, 8, MSG_WAITALL));
}

CHECK(low_water_mark)
{
	char buffer[8];
	pair(SOCK_STREAM);
	show(set_option(s[1], SO_RCVLOWAT, 4));
	show(send(s[0], "abc", 3, 0));
	show_poll(s[1]);
	show(recv(s[1], buffer, 8, MSG_DONTWAIT));
	show(send(s[0], "abc", 3, 0));
	pid_t child = start();
	if (child == 0) {
		show(recv(s[1], buffer, 8, 0));
		_exit(0);
	}
	wait_asleep(child);
	need(send(s[0], "d", 1, 0));
	reap("receiver", child);
}

CHECK(sigpipe)
{
	pair(SOCK_STREAM);
	close(s[1]);
	IN_CHILD("write") {
		show(write(s[0], "x", 1));
	}
	IN_CHILD("no signal") {
		show(send(s[0], "x", 1, MSG_NOSIGNAL));
	}
	IN_CHILD("nothing to write") {
		show(write(s[0], "x", 0));
	}
	signal(SIGPIPE, SIG_IGN);
	show(send(s[0], "x", 1, 0));
	show(send(s[0], "", 0, 0));
	show(send(s[0], bad_pointer(), 1, 0));
}
