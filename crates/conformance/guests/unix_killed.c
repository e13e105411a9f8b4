// unix_killed.c: either end of a socket is killed, in any state: what the other end gets, and that nothing is left.
//
// Calls: connect accept sendmsg recvmsg poll sendfile
// Passes: host acrida
//
// The victim is killed by the check itself. With KILL_FROM_OUTSIDE set it is whoever reads the output who kills it, when a
// line says so: under acrida that is a death of the host process, of which the kernel in it learns nothing.
#include "sockets.h"
#include <sys/sendfile.h>

static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
static const char *const type_names[] = { "stream", "seqpacket", "datagram" };

// The reading end of a pipe whose writing end the victim has, or its messages.
static int witness[2];

static pid_t victim(void)
{
	pid_t child = start();
	if (child == 0) {
		prctl(PR_SET_NAME, "victim");
		close(witness[0]);
	}
	return child;
}

static void kill_it(pid_t child)
{
	int status;
	if (getenv("KILL_FROM_OUTSIDE"))
		say("kill");
	else
		kill(child, SIGKILL);
	need(waitpid(child, &status, 0));
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		say("the victim ended by itself: %#x", status);
}

static void watch(void)
{
	need(pipe(witness));
}

static void nothing_is_left(const char *what)
{
	struct pollfd end = { witness[0], POLLIN, 0 };
	close(witness[1]);
	poll(&end, 1, PATIENCE_MS);
	say("%s: %s", what, end.revents == POLLHUP ? "nothing is left" : "something is left");
	close(witness[0]);
}

// Everything that can be asked of the survivor.
static void survivor(const char *what, int fd)
{
	static char block[1 << 17];
	long got, bytes = 0, messages = 0;
	say("%s: poll %s", what, poll_names(poll_mask(fd)));
	while ((got = recv(fd, block, sizeof block, MSG_DONTWAIT)) > 0) {
		bytes += got;
		messages++;
	}
	say("%s: %s messages, bytes %ld", what, messages ? "some" : "no", bytes);
	say("%s: recv %s", what, got ? errno_name(errno) : "0");
	got = recv(fd, block, 1, MSG_DONTWAIT);
	say("%s: recv again %s", what, got ? errno_name(errno) : "0");
	got = send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	say("%s: send %s", what, got == 1 ? "1" : errno_name(errno));
	got = send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	say("%s: send again %s", what, got == 1 ? "1" : errno_name(errno));
	say("%s: error %d, poll %s", what, int_option(fd, SO_ERROR), poll_names(poll_mask(fd)));
	close(fd);
}

#define EACH_TYPE(first, last) for (int t = first; t <= last; t++)

// ---- what somebody does with an end ---------------------------------------

__attribute__((noreturn)) static int idle(int fd UNUSED)
{
	for (;;)
		pause();
}
static int receive_one(int fd)
{
	char c;
	return recv(fd, &c, 1, 0);
}
static int send_all(int fd)
{
	static char block[1000];
	while (send(fd, block, sizeof block, MSG_NOSIGNAL) > 0)
		;
	return -1;
}
static int send_a_large_one(int fd)
{
	static char block[1 << 20];
	return send(fd, block, sizeof block, 0);
}
static int send_a_file(int fd)
{
	int file = need(open("file", O_CREAT | O_RDWR, 0600));
	need(ftruncate(file, 8 << 20));
	return sendfile(fd, file, NULL, 8 << 20);
}
static int wait_for_events(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	poll(&p, 1, -1);
	say("told of %s", poll_names(p.revents));
	return 0;
}
static int send_two(int fd)
{
	send(fd, "abc", 3, 0);
	send(fd, "def", 3, 0);
	return idle(fd);
}
static int forget_the_witness(int fd)
{
	close(witness[1]);
	return idle(fd);
}
static int send_the_end_itself(int fd)
{
	int both[2] = { fd, witness[1] };
	send_fds(fd, "m", both, 2, 0);
	return idle(fd);
}

// ---- connected ------------------------------------------------------------

// A victim that has s[1] and is killed in what it does with it; the other end is s[0].
static pid_t victim_with_an_end(int t, int (*does)(int))
{
	watch();
	pair(types[t]);
	pid_t child = victim();
	if (child == 0) {
		close(s[0]);
		does(s[1]);
		_exit(1);
	}
	close(s[1]);
	return child;
}

static void something_came(void)
{
	struct pollfd p = { s[0], POLLIN, 0 };
	poll(&p, 1, PATIENCE_MS);
}

static void kill_asleep(pid_t child)
{
	wait_asleep(child);
	kill_it(child);
}

static void kill_and_look(int t, pid_t child)
{
	kill_asleep(child);
	survivor(type_names[t], s[0]);
	nothing_is_left(type_names[t]);
}

CHECK(idle)
{
	EACH_TYPE(0, 2)
		kill_and_look(t, victim_with_an_end(t, idle));
}

CHECK(blocked_in_recv)
{
	EACH_TYPE(0, 2)
		kill_and_look(t, victim_with_an_end(t, receive_one));
}

CHECK(blocked_in_send)
{
	EACH_TYPE(0, 2) {
		pid_t child = victim_with_an_end(t, send_all);
		something_came();
		kill_and_look(t, child);
	}
}

CHECK(blocked_in_a_large_send)
{
	pid_t child = victim_with_an_end(0, send_a_large_one);
	something_came();
	kill_and_look(0, child);
}

CHECK(blocked_in_sendfile)
{
	pid_t child = victim_with_an_end(0, send_a_file);
	something_came();
	kill_asleep(child);
	char block[4096];
	long got;
	while ((got = recv(s[0], block, sizeof block, 0)) > 0)
		;
	show(got);
	nothing_is_left("stream");
}

CHECK(blocked_in_poll)
{
	EACH_TYPE(0, 2)
		kill_and_look(t, victim_with_an_end(t, wait_for_events));
}

CHECK(data_queued_to_the_survivor)
{
	EACH_TYPE(0, 2) {
		pid_t child = victim_with_an_end(t, send_two);
		char c[3];
		need(recv(s[0], c, 3, MSG_PEEK | MSG_WAITALL));
		kill_and_look(t, child);
	}
}

CHECK(data_queued_to_the_victim)
{
	EACH_TYPE(0, 2) {
		pid_t child = victim_with_an_end(t, idle);
		need(send(s[0], "abc", 3, 0));
		kill_and_look(t, child);
	}
}

// ---- descriptors in flight ------------------------------------------------

CHECK(descriptors_queued_to_the_victim)
{
	EACH_TYPE(0, 2) {
		pid_t child = victim_with_an_end(t, forget_the_witness);
		need(send_fds(s[0], "m", witness + 1, 1, 0));
		kill_asleep(child);
		nothing_is_left(type_names[t]);
		survivor(type_names[t], s[0]);
	}
}

CHECK(descriptors_queued_to_the_survivor)
{
	EACH_TYPE(0, 2) {
		struct message m;
		int fds[4];
		pid_t child = victim_with_an_end(t, send_the_end_itself);
		char c;
		need(recv(s[0], &c, 1, MSG_PEEK));
		kill_asleep(child);
		show(receive(s[0], &m, 16, 1024, 0));
		show_control(type_names[t], &m.header, fds);
		// The victim's end lives on in the descriptor.
		show(send(fds[0], "y", 1, MSG_NOSIGNAL));
		close(fds[0]);
		close(fds[1]);
		survivor(type_names[t], s[0]);
		nothing_is_left(type_names[t]);
	}
}

CHECK(cycle_in_flight)
{
	watch();
	pid_t child = victim();
	if (child == 0) {
		pair(SOCK_STREAM);
		int three[3] = { s[0], s[1], witness[1] };
		send_fds(s[0], "m", three, 3, 0);
		send_fds(s[1], "m", three, 3, 0);
		idle(s[0]);
	}
	kill_asleep(child);
	// The collector runs when a socket goes.
	pair(SOCK_STREAM);
	close(s[0]);
	close(s[1]);
	nothing_is_left("cycle");
}

// ---- connections ----------------------------------------------------------

CHECK(blocked_in_connect)
{
	EACH_TYPE(0, 1) {
		watch();
		int l = listener(types[t], "l", 0), first = connected(types[t], "l");
		pid_t child = victim();
		if (child == 0) {
			close(l);
			connected(types[t], "l");
		}
		kill_asleep(child);
		// Whoever waits next gets the room that the victim waited for.
		int other = need(socket(AF_UNIX, types[t] | SOCK_NONBLOCK, 0));
		struct name name = path_name("l");
		show(connect(other, AT(name)));
		int a = need(accept(l, NULL, NULL));
		show(connect(other, AT(name)));
		show_poll(l);
		close(a);
		close(first);
		close(other);
		close(l);
		unlink("l");
		nothing_is_left(type_names[t]);
	}
}

CHECK(waiting_in_the_backlog)
{
	EACH_TYPE(0, 1) {
		watch();
		int l = listener(types[t], "l", 5);
		pid_t child = victim();
		if (child == 0) {
			close(l);
			int c = connected(types[t], "l");
			send(c, "abc", 3, 0);
			send_fds(c, "d", witness + 1, 1, 0);
			char byte;
			recv(c, &byte, 1, 0);
		}
		struct pollfd p = { l, POLLIN, 0 };
		poll(&p, 1, PATIENCE_MS);
		kill_asleep(child);
		show_poll(l);
		int a = need(accept(l, NULL, NULL));
		survivor(type_names[t], a);
		close(l);
		unlink("l");
		nothing_is_left(type_names[t]);
	}
}

CHECK(listener_with_a_backlog)
{
	EACH_TYPE(0, 1) {
		watch();
		expect_steps();
		pid_t child = victim();
		if (child == 0) {
			listener(types[t], "l", 0);
			made_step(0);
			idle(-1);
		}
		await_step();
		int queued = connected(types[t], "l");
		need(send_fds(queued, "m", witness + 1, 1, 0));
		// A third process waits for room.
		pid_t waits = start();
		if (waits == 0) {
			int fd = socket(AF_UNIX, types[t], 0);
			struct name name = path_name("l");
			int result = connect(fd, AT(name));
			say("%s: waiting connect = %s", type_names[t], result ? errno_name(errno) : "0");
			_exit(0);
		}
		wait_asleep(waits);
		kill_asleep(child);
		reap("waiting", waits);
		survivor(type_names[t], queued);
		int fd = need(socket(AF_UNIX, types[t], 0));
		struct name name = path_name("l");
		show(connect(fd, AT(name)));
		show(bind(fd, AT(name)));
		unlink("l");
		show(bind(fd, AT(name)));
		unlink("l");
		nothing_is_left(type_names[t]);
	}
}

CHECK(blocked_in_accept)
{
	EACH_TYPE(0, 1) {
		watch();
		int l = listener(types[t], "l", 5);
		pid_t child = victim();
		if (child == 0)
			accept(l, NULL, NULL);
		kill_asleep(child);
		// The listener is shared: it goes on.
		int c = connected(types[t], "l"), a = need(accept(l, NULL, NULL));
		show(send(c, "x", 1, 0));
		show_poll(a);
		close(a);
		close(c);
		close(l);
		unlink("l");
		nothing_is_left(type_names[t]);
	}
}

// ---- names ----------------------------------------------------------------

CHECK(bound_datagram_socket)
{
	watch();
	expect_steps();
	pid_t child = victim();
	if (child == 0) {
		bound(SOCK_DGRAM, "d");
		made_step(0);
		idle(-1);
	}
	await_step();
	int to = connected(SOCK_DGRAM, "d"), by_name = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct name name = path_name("d");
	need(send_fds(to, "m", witness + 1, 1, 0));
	show(sendto(by_name, "m", 1, 0, AT(name)));
	// A third process waits for room in the queue.
	while (send(to, "m", 1, MSG_DONTWAIT) == 1)
		;
	pid_t waits = start();
	if (waits == 0) {
		long result = send(to, "m", 1, 0);
		say("waiting send = %s", result < 0 ? errno_name(errno) : "sent");
		_exit(0);
	}
	wait_asleep(waits);
	kill_it(child);
	reap("waiting", waits);
	show(sendto(by_name, "m", 1, 0, AT(name)));
	survivor("connected", to);
	show(bind(by_name, AT(name)));
	unlink("d");
	show(bind(by_name, AT(name)));
	nothing_is_left("datagram");
}

CHECK(abstract_name)
{
	watch();
	struct name name = abstract_name("a");
	expect_steps();
	pid_t child = victim();
	if (child == 0) {
		int l = socket(AF_UNIX, SOCK_STREAM, 0);
		bind(l, AT(name));
		listen(l, 1);
		made_step(0);
		idle(-1);
	}
	await_step();
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0)), other = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(bind(other, AT(name)));
	show(connect(fd, AT(name)));
	kill_asleep(child);
	survivor("connected", fd);
	show(bind(other, AT(name)));
	nothing_is_left("abstract");
}

// ---- a third process sees it ----------------------------------------------

static void somebody_blocks(const char *how, int (*block)(int))
{
	EACH_TYPE(0, 1) {
		pid_t child = victim_with_an_end(t, idle);
		pid_t waits = start();
		if (waits == 0) {
			long result = block(s[0]);
			say("%s, %s: %s", how, type_names[t], result < 0 ? errno_name(errno) : result ? "something" : "0");
			_exit(0);
		}
		wait_asleep(waits);
		kill_asleep(child);
		reap("survivor", waits);
		close(s[0]);
		nothing_is_left(type_names[t]);
	}
}

CHECK(survivor_blocked_in_recv) { somebody_blocks("recv", receive_one); }
CHECK(survivor_blocked_in_send) { somebody_blocks("send", send_all); }
CHECK(survivor_blocked_in_poll) { somebody_blocks("poll", wait_for_events); }
