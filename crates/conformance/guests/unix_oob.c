// unix_oob.c: the urgent byte of a stream.
//
// Calls: send recv ioctl poll
// Passes: host acrida
#include "sockets.h"

#define show_mark(fd) say("at mark: %d", int_ioctl(fd, SIOCATMARK))

static void take(const char *what, int flags)
{
	char buffer[32];
	long got = recv(s[1], buffer, sizeof buffer, flags);
	if (got < 0)
		say("%s: %s", what, errno_name(errno));
	else
		show_bytes(what, buffer, got);
}

CHECK(one_byte)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "x", 1, MSG_OOB));
	show_poll(s[1]);
	show_mark(s[1]);
	show(int_ioctl(s[1], FIONREAD));
	take("plain", 0);
	take("urgent", MSG_OOB);
	take("urgent again", MSG_OOB);
	show_poll(s[1]);
}

CHECK(last_byte_is_urgent)
{
	struct message m;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "hello", 5, MSG_OOB));
	show(int_ioctl(s[1], FIONREAD));
	show_mark(s[1]);
	show(receive(s[1], &m, 1, 0, MSG_OOB));
	say("%c %s", m.data[0], msg_names(m.header.msg_flags));
	take("plain", 0);
	show_mark(s[1]);
	take("plain", 0);
	show_poll(s[1]);
}

CHECK(empty)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "", 0, MSG_OOB));
	take("nothing", MSG_OOB);
	show_mark(s[1]);
}

CHECK(read_stops_before)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "ab", 2, 0));
	show(send(s[0], "c", 1, MSG_OOB));
	show(send(s[0], "de", 2, 0));
	show(int_ioctl(s[1], FIONREAD));
	show_mark(s[1]);
	take("first", 0);
	show_mark(s[1]);
	show_poll(s[1]);
	take("second", 0);
	take("urgent, read past", MSG_OOB);
	show_mark(s[1]);
}

CHECK(urgent_first)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "ab", 2, 0));
	show(send(s[0], "c", 1, MSG_OOB));
	show(send(s[0], "de", 2, 0));
	take("urgent", MSG_OOB);
	show_poll(s[1]);
	show_mark(s[1]);
	take("first", 0);
	take("second", 0);
}

CHECK(second_replaces_first)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "a", 1, MSG_OOB));
	show(send(s[0], "b", 1, MSG_OOB));
	show(int_ioctl(s[1], FIONREAD));
	take("urgent", MSG_OOB);
	take("plain", 0);
	take("plain", 0);
}

CHECK(inline_data)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(set_option(s[1], SO_OOBINLINE, 1));
	show(send(s[0], "ab", 2, 0));
	show(send(s[0], "c", 1, MSG_OOB));
	show(send(s[0], "de", 2, 0));
	take("urgent", MSG_OOB);
	show(int_ioctl(s[1], FIONREAD));
	take("first", 0);
	show_mark(s[1]);
	show_poll(s[1]);
	take("second", 0);
	show_mark(s[1]);
}

CHECK(peek)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "ab", 2, 0));
	show(send(s[0], "c", 1, MSG_OOB));
	show(send(s[0], "de", 2, 0));
	take("urgent", MSG_OOB | MSG_PEEK);
	take("urgent", MSG_OOB | MSG_PEEK);
	take("plain", MSG_PEEK);
	take("plain", 0);
	take("plain", MSG_PEEK);
	take("urgent", MSG_OOB);
	take("plain", 0);
}

CHECK(end_after_urgent)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "a", 1, MSG_OOB));
	close(s[0]);
	show_poll(s[1]);
	take("plain", 0);
	take("urgent", MSG_OOB);
}

CHECK(urgent_taken_then_end)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "a", 1, MSG_OOB));
	take("urgent", MSG_OOB);
	show_poll(s[1]);
	show_mark(s[1]);
	close(s[0]);
	show_poll(s[1]);
	take("plain", 0);
	show_poll(s[1]);
}

CHECK(closed_with_urgent_unread)
{
	char c;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "a", 1, MSG_OOB));
	close(s[1]);
	show(recv(s[0], &c, 1, 0));
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "a", 1, MSG_OOB));
	take("urgent", MSG_OOB);
	close(s[1]);
	show(recv(s[0], &c, 1, 0));
}

CHECK(mark_moves)
{
	char c;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "ab", 2, MSG_OOB));
	show_mark(s[1]);
	show(recv(s[1], &c, 1, 0));
	show_mark(s[1]);
	show(send(s[0], "cd", 2, 0));
	show_mark(s[1]);
	take("plain", 0);
	show_mark(s[1]);
}

CHECK(charged)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "a", 1, MSG_OOB));
	show(int_ioctl(s[0], SIOCOUTQ));
	take("urgent", MSG_OOB);
	show(int_ioctl(s[0], SIOCOUTQ));
	take("plain", 0);
	show(int_ioctl(s[0], SIOCOUTQ));
}

CHECK(with_descriptor)
{
	struct message m;
	int in = 0, fds[2];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send_fds(s[0], "a", &in, 1, MSG_OOB));
	show(receive(s[1], &m, 8, 256, MSG_OOB));
	show_control("urgent", &m.header, fds);
	show(receive(s[1], &m, 8, 256, 0));
}

CHECK(unconnected)
{
	char c;
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(send(fd, "x", 1, MSG_OOB));
	show(recv(fd, &c, 1, MSG_OOB));
	show(int_ioctl(fd, SIOCATMARK));
	pair(SOCK_DGRAM);
	show(int_ioctl(s[0], SIOCATMARK));
	pair(SOCK_STREAM);
	close(s[1]);
	show(send(s[0], "x", 1, MSG_OOB | MSG_NOSIGNAL));
}

static volatile sig_atomic_t urgent;
static void on_urgent(int sig UNUSED)
{
	urgent++;
}

CHECK(sigurg)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	signal(SIGURG, on_urgent);
	urgent = 0;
	show(send(s[0], "a", 1, MSG_OOB));
	say("without owner: %d", (int)urgent);
	show(fcntl(s[1], F_SETOWN, getpid()));
	show(send(s[0], "b", 1, MSG_OOB));
	say("with owner: %d", (int)urgent);
	take("urgent", MSG_OOB);
}

CHECK(select_except)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	fd_set e;
	struct timeval now = { 0, 0 };
	FD_ZERO(&e);
	FD_SET(s[1], &e);
	show(select(s[1] + 1, NULL, NULL, &e, &now));
	show(send(s[0], "a", 1, MSG_OOB));
	FD_SET(s[1], &e);
	show(select(s[1] + 1, NULL, NULL, &e, &now));
}

CHECK(two_urgent_and_plain)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "abc", 3, MSG_OOB));
	show(send(s[0], "def", 3, MSG_OOB));
	show(send(s[0], "ghi", 3, 0));
	show(int_ioctl(s[1], FIONREAD));
	take("first", 0);
	show_mark(s[1]);
	take("second", 0);
	take("urgent", MSG_OOB);
	take("third", 0);
}

CHECK(taken_urgent_between)
{
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "ab", 2, MSG_OOB));
	take("urgent", MSG_OOB);
	show(send(s[0], "cd", 2, MSG_OOB));
	show(int_ioctl(s[1], FIONREAD));
	take("plain", 0);
	show_mark(s[1]);
	take("urgent", MSG_OOB);
	take("plain", 0);
	take("plain", 0);
}
