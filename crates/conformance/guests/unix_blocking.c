// unix_blocking.c: calls that sleep: what wakes them, what interrupts them.
//
// Calls: send recv connect accept setsockopt
// Passes: host acrida
#include "sockets.h"

static void interrupted(const char *what, int flags, void (*call)(void))
{
	pid_t child = start();
	if (child == 0) {
		struct sigaction action = { .sa_handler = do_nothing, .sa_flags = flags };
		sigaction(SIGUSR1, &action, NULL);
		call();
		_exit(0);
	}
	wait_asleep(child);
	kill(child, SIGUSR1);
	if (flags & SA_RESTART) {
		wait_asleep(child);
		static char sink[100000];
		send(s[1], "x", 1, MSG_DONTWAIT);
		while (recv(s[1], sink, sizeof sink, MSG_DONTWAIT) > 0)
			;
	}
	reap(what, child);
}

static char block[1000000];
static void call_recv(void)
{
	char c;
	show(recv(s[0], &c, 1, 0));
}
static void call_recv_limited(void)
{
	char c;
	struct timeval limit = { 5, 0 };
	setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	show(recv(s[0], &c, 1, 0));
}
static void call_waitall(void)
{
	char buffer[8];
	show(recv(s[0], buffer, 8, MSG_WAITALL));
}
static void call_send(void)
{
	while (send(s[0], block, 4096, MSG_DONTWAIT) > 0)
		;
	show(send(s[0], block, 1, 0));
}
static void call_big_send(void)
{
	long sent = send(s[0], block, sizeof block, 0);
	say("%s", sent < 0 ? errno_name(errno) : sent < (long)sizeof block ? "part" : "all");
}
static void call_accept(void)
{
	int l = listener(SOCK_STREAM, "l", 1);
	show(accept(l, NULL, NULL));
}
static void call_connect(void)
{
	struct name name = path_name("m");
	listener(SOCK_STREAM, "m", 0);
	connected(SOCK_STREAM, "m");
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(fd, AT(name)));
}

CHECK(recv_interrupted) { pair(SOCK_STREAM); interrupted("receiver", 0, call_recv); }
CHECK(recv_restarts) { pair(SOCK_STREAM); interrupted("receiver", SA_RESTART, call_recv); }
CHECK(dgram_recv_restarts) { pair(SOCK_DGRAM); interrupted("receiver", SA_RESTART, call_recv); }
CHECK(limited_recv_never_restarts) { pair(SOCK_STREAM); interrupted("receiver", 0, call_recv_limited); }
CHECK(send_interrupted) { pair(SOCK_STREAM); interrupted("sender", 0, call_send); }
CHECK(dgram_send_interrupted) { pair(SOCK_DGRAM); interrupted("sender", 0, call_send); }
CHECK(send_restarts) { pair(SOCK_STREAM); interrupted("sender", SA_RESTART, call_send); }
CHECK(big_send_interrupted) { pair(SOCK_STREAM); interrupted("sender", 0, call_big_send); }
CHECK(accept_interrupted) { pair(SOCK_STREAM); interrupted("acceptor", 0, call_accept); }
CHECK(connect_interrupted) { pair(SOCK_STREAM); interrupted("connecting", 0, call_connect); }

CHECK(waitall_interrupted)
{
	pair(SOCK_STREAM);
	need(send(s[1], "abc", 3, 0));
	interrupted("receiver", 0, call_waitall);
}

CHECK(time_limit_of_receive)
{
	char c;
	struct timeval limit = { 0, 20000 };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 3; t++) {
		pair(types[t]);
		need(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
		show(recv(s[0], &c, 1, 0));
		show(read(s[0], &c, 1));
		need(send(s[1], "x", 1, 0));
		show(recv(s[0], &c, 1, 0));
	}
	pair(SOCK_STREAM);
	need(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
	need(send(s[1], "ab", 2, 0));
	char buffer[8];
	show(recv(s[0], buffer, 8, MSG_WAITALL));
}

CHECK(time_limit_of_send)
{
	struct timeval limit = { 0, 20000 };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 3; t++) {
		pair(types[t]);
		need(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
		long sent;
		while ((sent = send(s[0], block, 4096, 0)) > 0)
			;
		say("%s", errno_name(errno));
	}
	pair(SOCK_STREAM);
	need(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
	long sent = send(s[0], block, sizeof block, 0);
	say("%d", sent > 0 && sent < (long)sizeof block);
}

CHECK(close_of_a_socket_somebody_reads)
{
	char c;
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		close(s[1]);
		show(recv(s[0], &c, 1, 0));
		_exit(0);
	}
	wait_asleep(child);
	close(s[0]);
	need(send(s[1], "x", 1, 0));
	reap("reader", child);
}

CHECK(writer_wakes_by_half)
{
	static char sink[400000];
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		close(s[1]);
		show(send(s[0], block, 700000, 0));
		_exit(0);
	}
	close(s[0]);
	long bytes = 0, got;
	wait_asleep(child);
	while ((got = recv(s[1], sink, sizeof sink, 0)) > 0)
		bytes += got;
	show(bytes);
	reap("writer", child);
}

CHECK(two_readers_share)
{
	int p[2];
	char c;
	pid_t children[2];
	pair(SOCK_DGRAM);
	need(pipe(p));
	for (int i = 0; i < 2; i++) {
		children[i] = start();
		if (children[i] == 0)
			_exit(recv(s[1], &c, 1, 0) == 1 && write(p[1], &c, 1) == 1 ? 0 : 1);
	}
	wait_asleep(children[0]);
	wait_asleep(children[1]);
	need(send(s[0], "a", 1, 0));
	show(read(p[0], &c, 1));
	need(send(s[0], "b", 1, 0));
	show(read(p[0], &c, 1));
	reap("one", children[0]);
	reap("other", children[1]);
}
