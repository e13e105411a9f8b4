// sendmmsg.c: several messages in one call.
//
// Calls: sendmmsg recvmmsg
// Passes: host acrida
#define _GNU_SOURCE
#include "sockets.h"

static struct mmsghdr v[8];
static struct iovec iov[8];
static char data[8][16];

static void prepare(int count, const char *text)
{
	memset(v, 0, sizeof v);
	for (int i = 0; i < count; i++) {
		memset(data[i], 0, sizeof data[i]);
		if (text)
			strcpy(data[i], text);
		iov[i] = (struct iovec){ data[i], text ? strlen(text) + i : sizeof data[i] };
		v[i].msg_hdr.msg_iov = &iov[i];
		v[i].msg_hdr.msg_iovlen = 1;
		v[i].msg_len = 77;
	}
}

static void show_lengths(const char *what, int count)
{
	for (int i = 0; i < count; i++)
		say("%s %d: %u %s", what, i, v[i].msg_len, msg_names(v[i].msg_hdr.msg_flags));
}

CHECK(datagrams)
{
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	prepare(4, "abc");
	show(sendmmsg(s[0], v, 4, 0));
	show_lengths("sent", 4);
	prepare(6, NULL);
	show(recvmmsg(s[1], v, 6, 0, NULL));
	show_lengths("got", 6);
	show(recvmmsg(s[1], v, 6, 0, NULL));
}

CHECK(stream)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	prepare(3, "abc");
	show(sendmmsg(s[0], v, 3, 0));
	prepare(3, NULL);
	show(recvmmsg(s[1], v, 3, 0, NULL));
	show_lengths("got", 3);
}

CHECK(counts)
{
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	prepare(2, "abc");
	show(sendmmsg(s[0], v, 0, 0));
	show(sendmmsg(s[0], NULL, 0, 0));
	show(sendmmsg(s[0], NULL, 1, 0));
	show(recvmmsg(s[1], v, 0, 0, NULL));
	show(recvmmsg(s[1], NULL, 1, 0, NULL));
	show(sendmmsg(99, v, 1, 0));
	show(sendmmsg(0, v, 1, 0));
}

CHECK(second_fails)
{
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	prepare(3, "abc");
	iov[1].iov_base = bad_pointer();
	show(sendmmsg(s[0], v, 3, 0));
	show_lengths("sent", 3);
	show(sendmmsg(s[0], v + 1, 2, 0));
	prepare(3, NULL);
	show(recvmmsg(s[1], v, 3, 0, NULL));
}

CHECK(second_receive_fails)
{
	char c;
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	prepare(3, "abc");
	need(sendmmsg(s[0], v, 3, 0));
	prepare(3, NULL);
	iov[1].iov_base = bad_pointer();
	show(recvmmsg(s[1], v, 3, 0, NULL));
	show(int_option(s[1], SO_ERROR));
	show(recv(s[1], &c, 1, 0));
	show(recv(s[1], &c, 1, 0));
}

CHECK(until_full)
{
	static struct mmsghdr many[600];
	static struct iovec one = { "x", 1 };
	for (int i = 0; i < 600; i++)
		many[i].msg_hdr = (struct msghdr){ .msg_iov = &one, .msg_iovlen = 1 };
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(sendmmsg(s[0], many, 600, 0));
	show(sendmmsg(s[0], many, 600, 0));
}

CHECK(wait_for_one)
{
	pair(SOCK_DGRAM);
	prepare(2, "abc");
	need(sendmmsg(s[0], v, 2, 0));
	prepare(4, NULL);
	show(recvmmsg(s[1], v, 4, MSG_WAITFORONE, NULL));
	struct timespec zero = { 0, 0 }, wrong = { 0, 1000000000 }, negative = { -1, 0 }, little = { 0, 20000000 };
	prepare(2, "abc");
	need(sendmmsg(s[0], v, 2, 0));
	prepare(4, NULL);
	show(recvmmsg(s[1], v, 4, 0, &zero));
	show(recvmmsg(s[1], v, 4, MSG_WAITFORONE, &little));
	say("time left is told: %d", little.tv_nsec < 20000000);
	show(recvmmsg(s[1], v, 4, 0, &wrong));
	show(recvmmsg(s[1], v, 4, 0, &negative));
	show(recvmmsg(s[1], v, 4, 0, bad_pointer()));
	show(recvmmsg(s[1], v, 4, MSG_DONTWAIT, NULL));
}

CHECK(ends_behind_the_urgent_byte)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	need(send(s[0], "ab!", 3, MSG_OOB));
	prepare(3, NULL);
	show(recvmmsg(s[1], v, 3, MSG_OOB, NULL));
	show_lengths("got", 1);
	show(int_option(s[1], SO_ERROR));
	show(recv(s[1], data[0], sizeof data[0], 0));
}

// The name is looked at before the number of pieces.
CHECK(order_of_errors)
{
	struct msghdr h = { .msg_name = bad_pointer(), .msg_namelen = 4, .msg_iov = iov, .msg_iovlen = 1025 };
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(sendmsg(s[0], &h, 0));
	h.msg_namelen = 0;
	show(sendmsg(s[0], &h, 0));
	h.msg_name = NULL;
	show(sendmsg(s[0], &h, 0));
	show(recvmsg(s[0], &h, 0));
	h.msg_name = bad_pointer();
	h.msg_namelen = -1;
	show(sendmsg(s[0], &h, 0));
	show(recvmsg(s[0], &h, 0));
	h.msg_iovlen = 1;
	h.msg_control = bad_pointer();
	h.msg_controllen = 24;
	h.msg_iov = bad_pointer();
	h.msg_namelen = 4;
	show(sendmsg(s[0], &h, 0));
	// Then the length, the bytes, and last whom they are for.
	static char big[400000];
	int alone = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	show(send(alone, big, sizeof big, MSG_DONTWAIT));
	show(send(alone, bad_pointer(), 1, MSG_DONTWAIT));
	show(send(s[0], big, sizeof big, MSG_DONTWAIT));
	struct name missing = path_name("missing");
	show(sendto(alone, big, sizeof big, MSG_DONTWAIT, AT(missing)));
	show(sendto(alone, bad_pointer(), 1, MSG_DONTWAIT, AT(missing)));
}

CHECK(names_and_descriptors)
{
	struct message m[2];
	int in = 0;
	struct mmsghdr both[2] = { 0 };
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	need(send_fds(s[0], "a", &in, 1, 0));
	need(send(s[0], "bc", 2, 0));
	for (int i = 0; i < 2; i++) {
		memset(&m[i], 0, sizeof m[i]);
		m[i].iov = (struct iovec){ m[i].data, 16 };
		both[i].msg_hdr = (struct msghdr){ &m[i].from, sizeof m[i].from, &m[i].iov, 1, m[i].control, 256, 0 };
	}
	show(recvmmsg(s[1], both, 2, 0, NULL));
	show_control("first", &both[0].msg_hdr, NULL);
	show_control("second", &both[1].msg_hdr, NULL);
	say("%d %d", both[0].msg_hdr.msg_namelen, both[1].msg_hdr.msg_namelen);
}

CHECK(peer_gone)
{
	pair(SOCK_STREAM);
	signal(SIGPIPE, SIG_IGN);
	prepare(2, "abc");
	need(sendmmsg(s[0], v, 2, 0));
	close(s[0]);
	prepare(4, NULL);
	show(recvmmsg(s[1], v, 4, 0, NULL));
	show_lengths("got", 4);
	show(sendmmsg(s[1], v, 2, 0));
}
