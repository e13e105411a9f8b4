// unix_inflight.c: descriptors in flight: how many a user may have, and what nobody can receive.
//
// Calls: sendmsg recvmsg close
// Passes: host acrida
// Needs: root
#include "sockets.h"
#include <grp.h>
#include <pthread.h>

// A user without privileges whom nobody else is.
static void become_nobody_else(void)
{
	need(setgroups(0, NULL));
	uid_t uid = 1000000 + getpid() % 1000000;
	need(setresuid(uid, uid, uid));
}

static void allow_descriptors(int count)
{
	struct rlimit limit = { count, count };
	need(setrlimit(RLIMIT_NOFILE, &limit));
}

// How many descriptors of standard input can be put on the queue before something refuses.
static int fill(int socket, int each)
{
	static const int fds[64];
	int sent = 0;
	while (sent < 2000 && send_fds(socket, "m", fds, each, MSG_DONTWAIT) == 1)
		sent += each;
	return sent;
}

CHECK(as_many_as_may_be_open)
{
	IN_CHILD("one at a time") {
		become_nobody_else();
		allow_descriptors(20);
		pair(SOCK_STREAM);
		show(fill(s[0], 1));
		say("%s", errno_name(errno));
	}
	IN_CHILD("seven at a time") {
		become_nobody_else();
		allow_descriptors(20);
		pair(SOCK_STREAM);
		show(fill(s[0], 7));
		say("%s", errno_name(errno));
	}
	IN_CHILD("datagrams to itself") {
		become_nobody_else();
		allow_descriptors(8);
		struct message m;
		pair(SOCK_DGRAM);
		show(fill(s[0], 1));
		say("%s", errno_name(errno));
		show(receive(s[1], &m, 16, 1024, 0));
		show(send_fds(s[0], "m", (int[]){ 0 }, 1, 0));
		show(send_fds(s[0], "m", (int[]){ 0 }, 1, 0));
		show(send(s[0], "plain", 5, 0));
	}
}

CHECK(the_count_is_of_the_user)
{
	IN_CHILD("two processes") {
		become_nobody_else();
		allow_descriptors(10);
		pair(SOCK_STREAM);
		IN_CHILD("the other") {
			show(fill(s[0], 1));
		}
		show(send_fds(s[0], "m", (int[]){ 0 }, 1, 0));
		// The queue goes, and its messages with it.
		close(s[0]);
		close(s[1]);
		pair(SOCK_STREAM);
		show(fill(s[0], 1));
	}
}

CHECK(what_comes_back)
{
	IN_CHILD("user") {
		struct message m;
		become_nobody_else();
		allow_descriptors(10);
		pair(SOCK_STREAM);
		show(fill(s[0], 1));
		show(receive(s[1], &m, 16, 1024, MSG_PEEK));
		say("a look changes nothing: %s", send_fds(s[0], "m", (int[]){ 0 }, 1, 0) < 0 ? errno_name(errno) : "sent");
		show(recv(s[1], m.data, 1, 0));
		say("read without its descriptor: %s", send_fds(s[0], "m", (int[]){ 0 }, 1, 0) < 0 ? errno_name(errno) : "sent");
		say("and no more: %s", send_fds(s[0], "m", (int[]){ 0 }, 1, 0) < 0 ? errno_name(errno) : "sent");
		int other[2];
		need(socketpair(AF_UNIX, SOCK_DGRAM, 0, other));
		say("through another socket: %s", send_fds(other[0], "m", (int[]){ 0 }, 1, 0) < 0 ? errno_name(errno) : "sent");
		show(send(s[0], "m", 1, 0));
		show(send_fds(s[0], "m", NULL, 0, 0));
	}
}

CHECK(what_is_refused_first)
{
	IN_CHILD("user") {
		become_nobody_else();
		allow_descriptors(10);
		pair(SOCK_STREAM);
		show(fill(s[0], 1));
		show(send_fds(s[0], "m", (int[]){ 99 }, 1, 0));
		struct iovec iov = { bad_pointer(), 1 };
		_Alignas(8) char control[CMSG_SPACE(sizeof(int))] = { 0 };
		struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		*(struct cmsghdr *)control = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		show(sendmsg(s[0], &h, 0));
		int dead[2];
		need(socketpair(AF_UNIX, SOCK_STREAM, 0, dead));
		close(dead[1]);
		show(send_fds(dead[0], "m", (int[]){ 0 }, 1, MSG_NOSIGNAL));
		int alone = need(socket(AF_UNIX, SOCK_STREAM, 0));
		show(send_fds(alone, "m", (int[]){ 0 }, 1, MSG_NOSIGNAL));
		int unconnected = need(socket(AF_UNIX, SOCK_DGRAM, 0));
		show(send_fds(unconnected, "m", (int[]){ 0 }, 1, MSG_NOSIGNAL));
	}
}

CHECK(privilege_lifts_the_limit)
{
	IN_CHILD("root") {
		allow_descriptors(10);
		pair(SOCK_STREAM);
		say("more than the limit: %d", fill(s[0], 1) > 20);
	}
}

// ---- what nobody can receive ----------------------------------------------

static int witness[2];

static int pair_in_flight(void)
{
	int a[2];
	need(socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
	int fds[2] = { a[1], witness[1] };
	need(send_fds(a[0], "c", fds, 2, 0));
	close(a[0]);
	return a[1];
}

static void release_one(void)
{
	int a[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	close(a[0]);
	close(a[1]);
}

// The witness travels with all that is to go; waits for its end, releasing sockets meanwhile.
static void everything_goes(const char *what)
{
	struct pollfd end = { witness[0], POLLIN, 0 };
	close(witness[1]);
	for (int i = 0; i < 5000 && poll(&end, 1, 1) == 0; i++)
		release_one();
	say("%s: %s", what, poll_names(end.revents));
	close(witness[0]);
}

CHECK(many_cycles)
{
	need(pipe(witness));
	for (int i = 0; i < 2000; i++)
		close(pair_in_flight());
	everything_goes("2000 sockets, each in its own queue");
}

// Each cycle lies in the queue of the next one.
CHECK(cycles_behind_cycles)
{
	need(pipe(witness));
	int last = pair_in_flight();
	for (int i = 0; i < 200; i++) {
		int a[2];
		need(socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
		int fds[3] = { a[1], witness[1], last };
		need(send_fds(a[0], "c", fds, 3, 0));
		close(last);
		close(a[0]);
		last = a[1];
	}
	struct pollfd end = { witness[0], POLLIN, 0 };
	release_one();
	say("reachable: %d", poll(&end, 1, 0));
	close(last);
	everything_goes("200 cycles in a row");
}

CHECK(a_ring)
{
	need(pipe(witness));
	int first[2], last;
	need(socketpair(AF_UNIX, SOCK_DGRAM, 0, first));
	last = first[1];
	for (int i = 0; i < 5000; i++) {
		int a[2];
		need(socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
		int fds[2] = { last, witness[1] };
		need(send_fds(a[0], "c", fds, 2, 0));
		if (last != first[1])
			close(last);
		close(a[0]);
		last = a[1];
	}
	need(send_fds(first[0], "c", &last, 1, 0));
	close(last);
	close(first[0]);
	close(first[1]);
	everything_goes("5000 sockets in a ring");
}

CHECK(live_cycles_stay)
{
	struct message m;
	int fds[2];
	need(pipe(witness));
	int live = pair_in_flight();
	for (int i = 0; i < 300; i++)
		close(pair_in_flight());
	for (int i = 0; i < 300; i++)
		release_one();
	show(receive(live, &m, 16, 1024, 0));
	show_control("live", &m.header, fds);
	close(fds[0]);
	close(fds[1]);
	close(live);
	everything_goes("the others");
}

CHECK(through_a_connection_not_accepted)
{
	need(pipe(witness));
	for (int i = 0; i < 20; i++) {
		char name[8];
		snprintf(name, sizeof name, "l%d", i);
		int l = listener(SOCK_SEQPACKET, name, 5);
		int a = connected(SOCK_SEQPACKET, name), b = connected(SOCK_SEQPACKET, name);
		int fds[2] = { l, witness[1] };
		need(send_fds(a, "m", fds, 2, 0));
		need(send_fds(b, "m", &a, 1, 0));
		close(l);
		close(a);
		close(b);
	}
	everything_goes("20 listeners in their own queues");
}

// As above, but the cycle is closed by accepting.
CHECK(accepted_connections_in_flight)
{
	need(pipe(witness));
	for (int i = 0; i < 20; i++) {
		char name[8];
		snprintf(name, sizeof name, "l%d", i);
		int l = listener(SOCK_STREAM, name, 5);
		int a = connected(SOCK_STREAM, name);
		int fds[2] = { a, witness[1] };
		need(send_fds(a, "m", fds, 2, 0));
		int b = need(accept(l, NULL, NULL));
		need(send_fds(b, "m", &b, 1, 0));
		close(l);
		close(a);
		close(b);
	}
	everything_goes("20 connections in each other's queues");
}

// Each socket in the queue of the next; the write end of a pipe in the first tells when all are gone.
static void chain(int length)
{
	need(pipe(witness));
	int last = witness[1];
	for (int i = 0; i < length; i++) {
		int a[2];
		need(socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
		need(send_fds(a[0], "m", &last, 1, 0));
		close(last);
		close(a[0]);
		last = a[1];
	}
	close(last);
	struct pollfd end = { witness[0], POLLIN, 0 };
	show(poll(&end, 1, PATIENCE_MS));
	say("%d: %s", length, poll_names(end.revents));
	close(witness[0]);
}

CHECK(a_chain_of_5000) { chain(5000); }

// With a live cycle in flight, no end of a socket can know that there is nothing to find.
CHECK(a_chain_beside_a_live_cycle)
{
	need(pipe(witness));
	int live = pair_in_flight(), kept[2] = { witness[0], witness[1] };
	chain(1000);
	witness[0] = kept[0], witness[1] = kept[1];
	close(live);
	everything_goes("the cycle");
}
