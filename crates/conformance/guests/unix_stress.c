// unix_stress.c: many threads and processes at once; what must hold afterwards.
//
// Calls: socketpair sendmsg recvmsg connect accept close
// Passes: host acrida
#include "sockets.h"
#include <pthread.h>

enum { THREADS = 8 };

static void run_threads(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, body, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

// Travels with every message: its reader sees the end only when every message is gone.
static int witness[2];

static void *pass_in_cycles(void *index)
{
	for (int round = 0; round < 60; round++) {
		int a[2], b[2], fds[3];
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, a) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b))
			continue;
		fds[0] = b[1], fds[1] = a[0], fds[2] = witness[1];
		char c[CMSG_SPACE(sizeof fds)] __attribute__((aligned(8))) = { 0 };
		struct iovec iov = { "m", 1 };
		struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c, .msg_controllen = sizeof c };
		struct cmsghdr *m = (struct cmsghdr *)c;
		*m = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fds), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(m), fds, sizeof fds);
		sendmsg(a[0], &h, 0);
		fds[0] = a[1], fds[1] = b[0];
		memcpy(CMSG_DATA(m), fds, sizeof fds);
		sendmsg(b[0], &h, 0);
		if ((round + (long)index) % 3 == 0) {
			char room[256] __attribute__((aligned(8)));
			struct msghdr r = { .msg_iov = &(struct iovec){ room, 1 }, .msg_iovlen = 1, .msg_control = room + 8, .msg_controllen = 240 };
			if (recvmsg(a[1], &r, MSG_DONTWAIT) > 0)
				for (struct cmsghdr *k = CMSG_FIRSTHDR(&r); k; k = CMSG_NXTHDR(&r, k))
					for (size_t i = 0; i < (k->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
						close(((int *)CMSG_DATA(k))[i]);
		}
		close(a[0]);
		close(b[1]);
		close(a[1]);
		close(b[0]);
	}
	return NULL;
}

CHECK(cycles_in_flight)
{
	need(pipe(witness));
	run_threads(pass_in_cycles);
	close(witness[1]);
	// The collector runs some time after a release.
	struct pollfd end = { witness[0], POLLIN, 0 };
	for (int i = 0; i < 100 && poll(&end, 1, 100) == 0; i++) {
		pair(SOCK_STREAM);
		close(s[0]);
		close(s[1]);
	}
	say("nothing is left in flight: %s", poll_names(end.revents));
}

static struct name meeting;
static int connected_all;

static void *connect_and_talk(void *unused UNUSED)
{
	for (int round = 0; round < 50; round++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		char c = 0;
		if (connect(fd, AT(meeting)) == 0 && send(fd, "?", 1, MSG_NOSIGNAL) == 1 && recv(fd, &c, 1, 0) == 1 && c == '!')
			__atomic_add_fetch(&connected_all, 1, __ATOMIC_RELAXED);
		close(fd);
	}
	return NULL;
}

CHECK(many_connections)
{
	meeting = path_name("l");
	int l = listener(SOCK_STREAM, "l", 3);
	pid_t child = start();
	if (child == 0) {
		int n = 0;
		char c;
		for (; n < THREADS * 50; n++) {
			int fd = accept(l, NULL, NULL);
			if (fd < 0 || recv(fd, &c, 1, 0) != 1 || send(fd, "!", 1, MSG_NOSIGNAL) != 1)
				break;
			close(fd);
		}
		_exit(n == THREADS * 50 ? 0 : 1);
	}
	run_threads(connect_and_talk);
	show(connected_all);
	reap("server", child);
}

static void *send_many(void *index)
{
	char text[2] = { 'a' + (long)index, 0 };
	for (int i = 0; i < 500; i++)
		if (send(s[0], text, 1, 0) != 1)
			return NULL;
	return NULL;
}

CHECK(many_writers_one_reader)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 3; t++) {
		pair(types[t]);
		pid_t child = start();
		if (child == 0) {
			close(s[0]);
			int counts[THREADS] = { 0 }, total = 0;
			char c;
			while (total < THREADS * 500 && recv(s[1], &c, 1, 0) == 1) {
				counts[(unsigned)(c - 'a') % THREADS]++;
				total++;
			}
			int wrong = 0;
			for (int i = 0; i < THREADS; i++)
				wrong += counts[i] != 500;
			say("total %d, wrong %d", total, wrong);
			_exit(0);
		}
		run_threads(send_many);
		reap("reader", child);
		close(s[0]);
		close(s[1]);
	}
}

static void *bind_and_close(void *index)
{
	for (int round = 0; round < 60; round++) {
		struct name name = abstract_name(round % 2 ? "one" : "two");
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0), other = socket(AF_UNIX, SOCK_DGRAM, 0);
		bind(fd, AT(name));
		connect(other, AT(name));
		send(other, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		send(other, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(other);
	}
	return index;
}

CHECK(names_come_and_go)
{
	run_threads(bind_and_close);
	struct name name = abstract_name("one");
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	show(bind(fd, AT(name)));
}

CHECK(killed_in_any_state)
{
	int wrong = 0;
	signal(SIGPIPE, SIG_IGN);
	for (int round = 0; round < 30; round++) {
		static char block[70000];
		pair(round % 3 == 0 ? SOCK_STREAM : round % 3 == 1 ? SOCK_DGRAM : SOCK_SEQPACKET);
		pid_t child = start();
		if (child == 0) {
			close(s[0]);
			for (int i = 0;; i++) {
				send(s[1], block, 1 + i * 97 % 5000, MSG_DONTWAIT);
				recv(s[1], block, 3000, MSG_DONTWAIT);
			}
		}
		close(s[1]);
		for (int i = 0; i < 200 + round * 10; i++) {
			send(s[0], block, 100, MSG_DONTWAIT);
			recv(s[0], block, sizeof block, MSG_DONTWAIT);
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		long got;
		int limit = 0;
		while (((got = recv(s[0], block, sizeof block, MSG_DONTWAIT)) > 0 || (got == -1 && errno == ECONNRESET)) && limit++ < 10000)
			;
		if (round % 3 == 1)
			wrong += !(got == -1 && errno == EAGAIN) || !(send(s[0], "x", 1, 0) == -1 && (errno == ECONNREFUSED));
		else
			wrong += got != 0 || !(send(s[0], "x", 1, 0) == -1 && errno == EPIPE);
		close(s[0]);
	}
	show(wrong);
}
