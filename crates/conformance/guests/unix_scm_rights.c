// unix_scm_rights.c: descriptors in messages.
//
// Calls: sendmsg recvmsg
// Passes: host acrida
#include "sockets.h"

static int fds[8];

CHECK(one_descriptor)
{
	struct message m;
	int p[2];
	char c = 0;
	pair(SOCK_STREAM);
	need(pipe(p));
	show(send_fds(s[0], "m", p, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
	need(write(p[1], "z", 1));
	show(read(fds[0], &c, 1));
	say("%c, new number %d, flags %d", c, fds[0] != p[0], fcntl(fds[0], F_GETFD));
}

CHECK(shares_the_open_file)
{
	struct message m;
	pair(SOCK_DGRAM);
	int fd = need(open("file", O_CREAT | O_RDWR, 0600));
	need(write(fd, "0123456789", 10));
	need(lseek(fd, 0, SEEK_SET));
	show(send_fds(s[0], "m", &fd, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
	char c;
	need(read(fds[0], &c, 1));
	show(lseek(fd, 0, SEEK_CUR));
	show(fcntl(fds[0], F_SETFL, O_APPEND));
	say("%s", open_names(fcntl(fd, F_GETFL)));
}

CHECK(close_on_exec)
{
	struct message m;
	int in = 0;
	pair(SOCK_STREAM);
	show(send_fds(s[0], "m", &in, 1, 0));
	show(receive(s[1], &m, 16, 1024, MSG_CMSG_CLOEXEC));
	show_control("got", &m.header, fds);
	show(fcntl(fds[0], F_GETFD));
	int cloexec = need(open("/dev/null", O_RDONLY | O_CLOEXEC));
	show(send_fds(s[0], "m", &cloexec, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
	show(fcntl(fds[0], F_GETFD));
}

CHECK(sender_closes_first)
{
	struct message m;
	int p[2];
	char c;
	pair(SOCK_STREAM);
	need(pipe(p));
	need(write(p[1], "kept", 4));
	show(send_fds(s[0], "m", p, 2, 0));
	close(p[0]);
	close(p[1]);
	close(s[0]);
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
	show(read(fds[0], &c, 1));
}

CHECK(never_received)
{
	int p[2];
	char c;
	pair(SOCK_STREAM);
	need(pipe(p));
	show(send_fds(s[0], "m", p + 1, 1, 0));
	close(p[1]);
	need(fcntl(p[0], F_SETFL, O_NONBLOCK));
	show(read(p[0], &c, 1));
	close(s[1]);
	show(read(p[0], &c, 1));
}

CHECK(received_without_room)
{
	struct message m;
	int p[2];
	char c;
	pair(SOCK_STREAM);
	need(pipe2(p, O_NONBLOCK));
	show(send_fds(s[0], "m", p + 1, 1, 0));
	close(p[1]);
	show(receive(s[1], &m, 16, 0, 0));
	show_control("no room", &m.header, NULL);
	show(read(p[0], &c, 1));
	need(pipe2(p, O_NONBLOCK));
	show(send_fds(s[0], "m", p + 1, 1, 0));
	close(p[1]);
	show(read(s[1], &c, 1));
	show(read(p[0], &c, 1));
}

CHECK(room_for_some)
{
	struct message m;
	int three[3] = { 0, 1, 2 };
	for (int control = 0; control <= 40; control += 4) {
		pair(SOCK_STREAM);
		need(send_fds(s[0], "m", three, 3, 0));
		receive(s[1], &m, 16, control, 0);
		say("room %d", control);
		int count = show_control("got", &m.header, fds);
		for (int i = 0; i < count; i++)
			close(fds[i]);
		close(s[0]);
		close(s[1]);
	}
}

// Ancillary data that cannot be written is lost, not the message; and no descriptor works whose number was not told.
CHECK(room_that_cannot_be_written)
{
	int three[3] = { 0, 1, 2 };
	char data[16];
	struct iovec iov = { data, sizeof data };
	struct {
		const char *what;
		void *at;
	} rooms[] = {
		{ "nothing", bad_pointer() },      { "read only", read_only_pointer() }, { "half a header", at_edge(8) },
		{ "a header", at_edge(16) },       { "half a number", at_edge(18) },     { "a number", at_edge(20) },
		{ "two numbers", at_edge(24) },    { "all", at_edge(32) },
	};
	for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		pair(SOCK_STREAM);
		need(send_fds(s[0], "text", three, 3, 0));
		int before = lowest_free();
		struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = rooms[i].at, .msg_controllen = 64 };
		say("%s", rooms[i].what);
		show(recvmsg(s[1], &h, 0));
		say("flags %s, control %zu, %d descriptors", msg_names(h.msg_flags), h.msg_controllen, lowest_free() - before);
		show(recv(s[1], data, sizeof data, MSG_DONTWAIT));
		close_range(3, ~0U, 0);
	}
}

CHECK(no_numbers_left)
{
	struct message m;
	int three[3] = { 0, 1, 2 };
	pair(SOCK_STREAM);
	need(send_fds(s[0], "m", three, 3, 0));
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 6;
	setrlimit(RLIMIT_NOFILE, &limit);
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
	show(recv(s[1], m.data, 1, MSG_DONTWAIT));
}

CHECK(bad_descriptors)
{
	int bad[2] = { 0, 99 };
	pair(SOCK_STREAM);
	show(send_fds(s[0], "m", bad, 2, 0));
	bad[1] = -1;
	show(send_fds(s[0], "m", bad, 2, 0));
	show(send_fds(s[0], "m", bad, 0, 0));
	show(int_ioctl(s[1], FIONREAD));
	int path = need(open(".", O_PATH));
	show(send_fds(s[0], "m", &path, 1, 0));
}

CHECK(how_many)
{
	static int many[300];
	struct message m;
	pair(SOCK_STREAM);
	show(send_fds(s[0], "m", many, 253, 0));
	show(send_fds(s[0], "m", many, 254, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	say("%zu %s", m.header.msg_controllen, msg_names(m.header.msg_flags));
}

CHECK(malformed_control)
{
	_Alignas(8) char control[64] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct iovec iov = { "m", 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 24 };
	static const struct {
		size_t len, controllen;
		int level, type;
	} cases[] = {
		{ 20, 24, SOL_SOCKET, SCM_RIGHTS }, { 15, 24, SOL_SOCKET, SCM_RIGHTS }, { 0, 24, SOL_SOCKET, SCM_RIGHTS },
		{ 16, 24, SOL_SOCKET, SCM_RIGHTS }, { 17, 24, SOL_SOCKET, SCM_RIGHTS }, { 19, 24, SOL_SOCKET, SCM_RIGHTS },
		{ 25, 24, SOL_SOCKET, SCM_RIGHTS }, { 20, 20, SOL_SOCKET, SCM_RIGHTS }, { 20, 15, SOL_SOCKET, SCM_RIGHTS },
		{ 20, 24, SOL_SOCKET, 99 },         { 20, 24, 77, SCM_RIGHTS },         { 20, 24, SOL_SOCKET, SCM_CREDENTIALS },
		{ 28, 32, SOL_SOCKET, SCM_CREDENTIALS }, { 20, 24, SOL_SOCKET, SCM_PIDFD }, { 20, 1 << 20, SOL_SOCKET, SCM_RIGHTS },
		{ (size_t)-1, 24, SOL_SOCKET, SCM_RIGHTS }, { 20, 24, SOL_SOCKET, 3 },
	};
	pair(SOCK_STREAM);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		c->cmsg_len = cases[i].len;
		c->cmsg_level = cases[i].level;
		c->cmsg_type = cases[i].type;
		h.msg_controllen = cases[i].controllen;
		long result = sendmsg(s[0], &h, 0);
		say("case %u: %s", i, result < 0 ? errno_name(errno) : "sent");
	}
	h.msg_controllen = 24;
	h.msg_control = bad_pointer();
	show(sendmsg(s[0], &h, 0));
	h.msg_control = NULL;
	show(sendmsg(s[0], &h, 0));
}

CHECK(two_pieces)
{
	struct message m;
	_Alignas(8) char control[64] = { 0 };
	struct iovec iov = { "m", 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 48 };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		c->cmsg_len = 20;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		if ((char *)c != control)
			break;
	}
	pair(SOCK_STREAM);
	show(sendmsg(s[0], &h, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, NULL);
}

CHECK(stream_stops_at_descriptors)
{
	struct message m;
	int in = 0;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "aa", 2, 0));
	show(send_fds(s[0], "bb", &in, 1, 0));
	show(send(s[0], "cc", 2, 0));
	show(send_fds(s[0], "dd", &in, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("first", &m.header, NULL);
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("second", &m.header, NULL);
	show(receive(s[1], &m, 16, 1024, 0));
}

CHECK(stream_waitall_and_descriptors)
{
	struct message m;
	int in = 0;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send_fds(s[0], "aa", &in, 1, 0));
	show(send(s[0], "bb", 2, 0));
	show(receive(s[1], &m, 4, 1024, MSG_WAITALL));
	show_control("first", &m.header, NULL);
}

CHECK(part_of_a_message_with_descriptors)
{
	struct message m;
	int in = 0;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send_fds(s[0], "abcd", &in, 1, 0));
	show(send(s[0], "ef", 2, 0));
	show(receive(s[1], &m, 2, 1024, 0));
	show_control("first", &m.header, NULL);
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("second", &m.header, NULL);
	show_bytes("bytes", m.data, 4);
}

CHECK(no_bytes_no_descriptors)
{
	struct message m;
	int in = 0;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send_fds(s[0], "", &in, 1, 0));
	show(receive(s[1], &m, 2, 1024, 0));
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(send_fds(s[0], "", &in, 1, 0));
	show(receive(s[1], &m, 2, 1024, 0));
	show_control("datagram", &m.header, NULL);
}

CHECK(peek_makes_copies)
{
	struct message m;
	int in = 0, first[2], second[2];
	pair(SOCK_STREAM);
	show(send_fds(s[0], "m", &in, 1, 0));
	show(receive(s[1], &m, 16, 1024, MSG_PEEK));
	show_control("peek", &m.header, first);
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("take", &m.header, second);
	say("two numbers: %d", first[0] != second[0]);
	pair(SOCK_DGRAM);
	show(send_fds(s[0], "m", &in, 1, 0));
	show(receive(s[1], &m, 16, 1024, MSG_PEEK));
	show_control("peek", &m.header, first);
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("take", &m.header, second);
}

CHECK(large_stream_message)
{
	static char block[200000];
	struct message m;
	int in = 0;
	pair(SOCK_STREAM);
	memset(block, 'b', sizeof block - 1);
	pid_t child = start();
	if (child == 0) {
		_exit(send_fds(s[0], block, &in, 1, 0) == sizeof block - 1 ? 0 : 1);
	}
	close(s[0]);
	show(receive(s[1], &m, 100, 1024, 0));
	show_control("first", &m.header, NULL);
	show(receive(s[1], &m, 100, 1024, 0));
	show_control("second", &m.header, NULL);
	long bytes = 0, got;
	while ((got = recv(s[1], block, sizeof block, 0)) > 0)
		bytes += got;
	show(bytes);
	reap("sender", child);
}

CHECK(socket_through_itself)
{
	struct message m;
	pair(SOCK_STREAM);
	show(send_fds(s[0], "m", s, 2, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
	show(send(fds[0], "x", 1, 0));
	show(recv(fds[1], m.data, 1, 0));
}

CHECK(to_another_process)
{
	struct message m;
	int p[2];
	char c;
	pair(SOCK_SEQPACKET);
	pid_t child = start();
	if (child == 0) {
		close(s[0]);
		receive(s[1], &m, 16, 1024, 0);
		show_control("child", &m.header, fds);
		_exit(write(fds[0], "!", 1) == 1 ? 0 : 1);
	}
	close(s[1]);
	need(pipe(p));
	need(send_fds(s[0], "m", p + 1, 1, 0));
	close(p[1]);
	show(read(p[0], &c, 1));
	show(read(p[0], &c, 1));
	reap("child", child);
}

CHECK(receiver_killed_with_descriptors_queued)
{
	int p[2];
	char c;
	pair(SOCK_STREAM);
	pid_t child = start();
	if (child == 0) {
		close(s[0]);
		for (;;)
			pause();
	}
	close(s[1]);
	need(pipe(p));
	show(send_fds(s[0], "m", p + 1, 1, 0));
	close(p[1]);
	wait_asleep(child);
	kill(child, SIGKILL);
	reap("child", child);
	struct pollfd hup = { p[0], POLLIN, 0 };
	show(poll(&hup, 1, PATIENCE_MS));
	show(read(p[0], &c, 1));
}

// A cycle of sockets in flight that nobody can reach: the pipe in it must be closed all the same.
static void cycle(int sockets)
{
	int chain[8][2], p[2];
	need(pipe(p));
	for (int i = 0; i < sockets; i++)
		need(socketpair(AF_UNIX, SOCK_DGRAM, 0, chain[i]));
	need(send_fds(chain[0][0], "p", p + 1, 1, 0));
	for (int i = 0; i < sockets; i++)
		need(send_fds(chain[i][0], "c", &chain[(i + 1) % sockets][1], 1, 0));
	for (int i = 0; i < sockets; i++) {
		close(chain[i][0]);
		close(chain[i][1]);
	}
	close(p[1]);
	// The collector runs when a unix socket is released.
	pair(SOCK_STREAM);
	close(s[0]);
	close(s[1]);
	struct pollfd hup = { p[0], POLLIN, 0 };
	show(poll(&hup, 1, PATIENCE_MS));
	say("%s", poll_names(hup.revents));
}

CHECK(cycle_of_one) { cycle(1); }
CHECK(cycle_of_two) { cycle(2); }
CHECK(cycle_of_five) { cycle(5); }

CHECK(cycle_through_a_listener)
{
	int p[2];
	need(pipe(p));
	int l = listener(SOCK_STREAM, "l", 5);
	int a = connected(SOCK_STREAM, "l");
	int both[2] = { l, p[1] };
	need(send_fds(a, "m", both, 2, 0));
	close(p[1]);
	close(l);
	close(a);
	pair(SOCK_STREAM);
	close(s[0]);
	close(s[1]);
	struct pollfd hup = { p[0], POLLIN, 0 };
	show(poll(&hup, 1, PATIENCE_MS));
	say("%s", poll_names(hup.revents));
}

CHECK(a_reachable_cycle_lives)
{
	struct message m;
	int other[2], p[2];
	need(pipe(p));
	pair(SOCK_DGRAM);
	need(socketpair(AF_UNIX, SOCK_DGRAM, 0, other));
	need(send_fds(s[0], "1", &other[1], 1, 0));
	int both[2] = { s[1], p[1] };
	need(send_fds(other[0], "2", both, 2, 0));
	close(p[1]);
	close(other[1]);
	close(other[0]);
	close(s[0]);
	int again[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, again));
	close(again[0]);
	close(again[1]);
	struct pollfd hup = { p[0], POLLIN, 0 };
	show(poll(&hup, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("first", &m.header, fds);
	show(receive(fds[0], &m, 16, 1024, 0));
	show_control("second", &m.header, fds);
	close(fds[1]);
	show(poll(&hup, 1, PATIENCE_MS));
}

// A thousand sockets, each in the queue of the next; the write end of a pipe in the first tells when all are gone.
static void end_of_a_chain(const char *how, int close_last, int killed)
{
	int p[2];
	need(pipe(p));
	pid_t child = need(fork());
	if (child == 0) {
		close(p[0]);
		int last = p[1];
		for (int i = 0; i < 1000; i++) {
			int link[2];
			need(socketpair(AF_UNIX, SOCK_DGRAM, 0, link));
			need(send_fds(link[0], "m", &last, 1, 0));
			close(last);
			close(link[0]);
			last = link[1];
		}
		if (close_last)
			close(last);
		if (killed)
			raise(SIGKILL);
		_exit(0);
	}
	close(p[1]);
	struct pollfd hup = { p[0], POLLIN, 0 };
	int ready = poll(&hup, 1, PATIENCE_MS);
	int status = need(waitpid(child, &(int){ 0 }, 0)) == child;
	say("%s: %d %s, reaped %d", how, ready, poll_names(hup.revents), status);
	close(p[0]);
}

CHECK(a_long_chain_ends)
{
	end_of_a_chain("close", 1, 0);
	end_of_a_chain("exit", 0, 0);
	end_of_a_chain("SIGKILL", 0, 1);
}
