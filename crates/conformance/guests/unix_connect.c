// unix_connect.c: listeners, backlog, accept.
//
// Calls: listen accept accept4 connect
// Passes: host acrida
#include "sockets.h"
#include <pthread.h>

CHECK(listen_errors)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(listen(fd, 1));
	pair(SOCK_STREAM);
	show(listen(s[0], 1));
	fd = bound(SOCK_STREAM, "s");
	show(accept(fd, NULL, NULL));
	show(listen(fd, 1));
	show(listen(fd, 5));
	show(listen(fd, -1));
	show(listen(fd, 0));
	show(int_option(fd, SO_ACCEPTCONN));
	struct name name = path_name("s");
	show(connect(fd, AT(name)));
}

CHECK(accept_errors)
{
	int fd = listener(SOCK_STREAM, "s", 1);
	need(fcntl(fd, F_SETFL, O_NONBLOCK));
	show(accept(fd, NULL, NULL));
	show(accept4(fd, NULL, NULL, 1));
	show(accept4(fd, NULL, NULL, O_APPEND));
	show(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	pair(SOCK_STREAM);
	show(accept(s[0], NULL, NULL));
	int alone = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(accept(alone, NULL, NULL));
	char c;
	show(recv(fd, &c, 1, 0));
	show(send(fd, "x", 1, MSG_NOSIGNAL));
	show_peer_name("listener", fd);
	show_poll(fd);
}

CHECK(backlog)
{
	static const int backlogs[] = { 0, 1, 3 };
	for (int i = 0; i < 3; i++) {
		char path[8];
		int made = 0;
		snprintf(path, sizeof path, "l%d", i);
		int l = listener(SOCK_STREAM, path, backlogs[i]);
		struct name name = path_name(path);
		for (;;) {
			int fd = need(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
			if (connect(fd, AT(name)))
				break;
			made++;
		}
		say("backlog %d: %d connections, then %s", backlogs[i], made, errno_name(errno));
		show_poll(l);
	}
}

CHECK(backlog_blocks)
{
	struct name name = path_name("l");
	int l = listener(SOCK_STREAM, "l", 0);
	connected(SOCK_STREAM, "l");
	pid_t child = start();
	if (child == 0) {
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
		show(connect(fd, AT(name)));
		_exit(0);
	}
	wait_asleep(child);
	need(accept(l, NULL, NULL));
	reap("connecting", child);
	show_ok(accept(l, NULL, NULL));
}

CHECK(backlog_blocks_until_closed)
{
	struct name name = path_name("l");
	int l = listener(SOCK_STREAM, "l", 0);
	connected(SOCK_STREAM, "l");
	pid_t child = start();
	if (child == 0) {
		close(l);
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
		show(connect(fd, AT(name)));
		_exit(0);
	}
	wait_asleep(child);
	close(l);
	reap("connecting", child);
}

CHECK(backlog_time_limit)
{
	struct name name = path_name("l");
	struct timeval limit = { 0, 30000 };
	listener(SOCK_STREAM, "l", 0);
	connected(SOCK_STREAM, "l");
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
	show(connect(fd, AT(name)));
}

CHECK(names_and_data_before_accept)
{
	char buffer[8];
	struct sockaddr_un from;
	socklen_t len = sizeof from;
	int l = listener(SOCK_STREAM, "l", 5);
	int client = bound(SOCK_STREAM, "c");
	struct name name = path_name("l");
	show(connect(client, AT(name)));
	show(send(client, "early", 5, 0));
	show_poll(client);
	show_peer_name("client", client);
	int server = need(accept(l, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
	show_own_name("server", server);
	show(recv(server, buffer, 8, 0));
	int unnamed = connected(SOCK_STREAM, "l");
	len = sizeof from;
	memset(&from, 'x', sizeof from);
	show_ok(accept(l, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
	show_own_name("unnamed", unnamed);
}

CHECK(accept_address)
{
	char name[16];
	struct sockaddr_un from;
	int l = listener(SOCK_STREAM, "l", 5);
	socklen_t len = 1;
	connected(SOCK_STREAM, "l");
	show_ok(accept(l, (struct sockaddr *)name, &len));
	show(len);
	connected(SOCK_STREAM, "l");
	len = -1;
	show_ok(accept(l, (struct sockaddr *)&from, &len));
	connected(SOCK_STREAM, "l");
	show_ok(accept(l, (struct sockaddr *)&from, NULL));
	connected(SOCK_STREAM, "l");
	len = sizeof from;
	show_ok(accept(l, bad_pointer(), &len));
	connected(SOCK_STREAM, "l");
	show_ok(accept(l, NULL, bad_pointer()));
	need(fcntl(l, F_SETFL, O_NONBLOCK));
	show(accept(l, NULL, NULL));
}

CHECK(accept_flags)
{
	int l = listener(SOCK_STREAM, "l", 5);
	need(fcntl(l, F_SETFL, O_NONBLOCK));
	connected(SOCK_STREAM, "l");
	int fd = need(accept(l, NULL, NULL));
	say("%s %d", open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
	connected(SOCK_STREAM, "l");
	fd = need(accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	say("%s %d", open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
}

CHECK(accept_without_descriptors)
{
	int l = listener(SOCK_STREAM, "l", 5);
	connected(SOCK_STREAM, "l");
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 5;
	setrlimit(RLIMIT_NOFILE, &limit);
	show(accept(l, NULL, NULL));
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
	show_ok(accept4(l, NULL, NULL, 0));
}

CHECK(connect_again)
{
	listener(SOCK_STREAM, "l", 5);
	struct name name = path_name("l"), nowhere = path_name("nowhere");
	int fd = connected(SOCK_STREAM, "l");
	show(connect(fd, AT(name)));
	show(connect(fd, AT(nowhere)));
	pair(SOCK_STREAM);
	show(connect(s[0], AT(name)));
	show(listen(fd, 1));
}

CHECK(connect_after_refusal)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	int other = bound(SOCK_STREAM, "l");
	struct name name = path_name("l");
	show(connect(fd, AT(name)));
	show_poll(fd);
	need(listen(other, 1));
	show(connect(fd, AT(name)));
	show_poll(fd);
}

CHECK(client_gone_before_accept)
{
	char buffer[8];
	struct sockaddr_un from;
	socklen_t len = sizeof from;
	int l = listener(SOCK_STREAM, "l", 5);
	int client = connected(SOCK_STREAM, "l");
	show(send(client, "bye", 3, 0));
	close(client);
	show_poll(l);
	int server = need(accept(l, (struct sockaddr *)&from, &len));
	show_name("from", &from, len);
	show_poll(server);
	show(recv(server, buffer, 8, 0));
	show(recv(server, buffer, 8, 0));
	show(send(server, "x", 1, MSG_NOSIGNAL));
}

CHECK(listener_gone_before_accept)
{
	char buffer[8];
	int l = listener(SOCK_STREAM, "l", 5);
	int client = connected(SOCK_STREAM, "l");
	show(send(client, "hi", 2, 0));
	close(l);
	show_poll(client);
	show(recv(client, buffer, 8, 0));
	show(recv(client, buffer, 8, 0));
	show(send(client, "x", 1, MSG_NOSIGNAL));
	show_peer_name("client", client);
}

CHECK(listener_gone_nothing_sent)
{
	char buffer[8];
	int l = listener(SOCK_STREAM, "l", 5);
	int client = connected(SOCK_STREAM, "l");
	close(l);
	show_poll(client);
	show(int_option(client, SO_ERROR));
	show(recv(client, buffer, 8, 0));
	show(send(client, "x", 1, MSG_NOSIGNAL));
}

CHECK(listener_killed)
{
	char buffer[8];
	struct name name = path_name("l");
	int ready[2];
	need(pipe(ready));
	pid_t child = start();
	if (child == 0) {
		listener(SOCK_STREAM, "l", 5);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	need(read(ready[0], buffer, 1));
	int client = connected(SOCK_STREAM, "l");
	kill(child, SIGKILL);
	reap("listener", child);
	show_poll(client);
	show(recv(client, buffer, 8, 0));
	int other = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(other, AT(name)));
	show(bind(other, AT(name)));
}

CHECK(order_of_accept)
{
	char c;
	int l = listener(SOCK_STREAM, "l", 5), clients[3];
	for (int i = 0; i < 3; i++) {
		clients[i] = connected(SOCK_STREAM, "l");
		need(send(clients[i], &"abc"[i], 1, 0));
	}
	for (int i = 0; i < 3; i++) {
		int fd = need(accept(l, NULL, NULL));
		need(recv(fd, &c, 1, 0));
		say("%c", c);
	}
}

CHECK(accept_blocks)
{
	int l = listener(SOCK_STREAM, "l", 5);
	pid_t child = start();
	if (child == 0) {
		show_ok(accept(l, NULL, NULL));
		_exit(0);
	}
	wait_asleep(child);
	connected(SOCK_STREAM, "l");
	reap("acceptor", child);
	struct timeval limit = { 0, 30000 };
	show(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
	show(accept(l, NULL, NULL));
}

CHECK(two_acceptors)
{
	int l = listener(SOCK_STREAM, "l", 5), p[2];
	pid_t children[2];
	need(pipe(p));
	for (int i = 0; i < 2; i++) {
		children[i] = start();
		if (children[i] == 0) {
			if (accept(l, NULL, NULL) >= 0 && write(p[1], "x", 1) == 1)
				_exit(0);
			_exit(1);
		}
	}
	wait_asleep(children[0]);
	wait_asleep(children[1]);
	char c;
	connected(SOCK_STREAM, "l");
	show(read(p[0], &c, 1));
	connected(SOCK_STREAM, "l");
	show(read(p[0], &c, 1));
	reap("one", children[0]);
	reap("other", children[1]);
}

CHECK(inherited_settings)
{
	int l = bound(SOCK_STREAM, "l");
	show(set_option(l, SO_PASSCRED, 1));
	show(set_option(l, SO_RCVBUF, 10000));
	show(set_option(l, SO_SNDBUF, 10000));
	need(listen(l, 5));
	int client = connected(SOCK_STREAM, "l");
	int server = need(accept(l, NULL, NULL));
	show(int_option(server, SO_PASSCRED));
	show(int_option(server, SO_RCVBUF));
	show(int_option(server, SO_SNDBUF));
	show(int_option(server, SO_ACCEPTCONN));
	show(int_option(client, SO_PASSCRED));
}

// ---- two at once -----------------------------------------------------------

static struct name target;
static int shared_socket, outcomes[3];

static void *connect_shared(void *barrier)
{
	pthread_barrier_wait(barrier);
	int result = connect(shared_socket, AT(target));
	__atomic_add_fetch(&outcomes[result == 0 ? 0 : errno == EISCONN ? 1 : 2], 1, __ATOMIC_RELAXED);
	return NULL;
}

// One connection comes of it, whoever wins; the listener sees no other.
static void two_threads(int type)
{
	int accepted = 0;
	target = path_name("l");
	int l = listener(type, "l", 1000);
	need(fcntl(l, F_SETFL, O_NONBLOCK));
	memset(outcomes, 0, sizeof outcomes);
	for (int round = 0; round < 200; round++) {
		pthread_t threads[2];
		pthread_barrier_t barrier;
		pthread_barrier_init(&barrier, NULL, 2);
		shared_socket = need(socket(AF_UNIX, type, 0));
		for (int i = 0; i < 2; i++)
			pthread_create(&threads[i], NULL, connect_shared, &barrier);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		for (int fd; (fd = accept(l, NULL, NULL)) >= 0; close(fd))
			accepted++;
		close(shared_socket);
	}
	say("connected %d, EISCONN %d, else %d, accepted %d", outcomes[0], outcomes[1], outcomes[2], accepted);
	close(l);
	unlink("l");
}

CHECK(two_threads_connect_one_socket)
{
	two_threads(SOCK_STREAM);
	two_threads(SOCK_SEQPACKET);
}

// Both wait for room in the backlog; one of them gets it.
CHECK(two_threads_wait_to_connect)
{
	pthread_t threads[2];
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, 2);
	memset(outcomes, 0, sizeof outcomes);
	target = path_name("l");
	int l = listener(SOCK_STREAM, "l", 0);
	connected(SOCK_STREAM, "l");
	shared_socket = need(socket(AF_UNIX, SOCK_STREAM, 0));
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, connect_shared, &barrier);
	need(accept(l, NULL, NULL));
	need(accept(l, NULL, NULL));
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("connected %d, EISCONN %d, else %d", outcomes[0], outcomes[1], outcomes[2]);
}

// Each listens, and two threads connect them to each other: neither may, and nobody waits for ever.
static int both[2];
static struct name names[2];

static void *connect_listener(void *index)
{
	long i = (long)index;
	for (int round = 0; round < 500; round++)
		if (connect(both[i], AT(names[1 - i])) == 0 || errno != EINVAL)
			return (void *)1;
	return NULL;
}

CHECK(listeners_connect_to_each_other)
{
	pthread_t threads[2];
	int wrong = 0;
	for (int i = 0; i < 2; i++) {
		names[i] = path_name(i ? "b" : "a");
		both[i] = listener(SOCK_STREAM, i ? "b" : "a", 5);
	}
	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, connect_listener, (void *)i);
	for (int i = 0; i < 2; i++) {
		void *result;
		pthread_join(threads[i], &result);
		wrong += result != NULL;
	}
	show(wrong);
}
