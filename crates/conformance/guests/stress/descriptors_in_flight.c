// descriptors_in_flight.c: sockets in each other's queues, by the thousand and from many threads; nothing may be left.
//
// usage: descriptors_in_flight [SECONDS [THREADS]]
//
// First a chain: 50,000 sockets, each in the queue of the next; when the last one is closed all must go, in time that grows
// with their number, not with its square. Then threads that send sockets through sockets in cycles of all lengths, receive some
// of them and close everything, while others do the same. In the end the count of open files (/proc/sys/fs/file-nr) must be
// what it was: a set of sockets that nobody finds stays in it. Prints `ok`, or what was left.
//
// Build: cc -O1 -pthread descriptors_in_flight.c
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHAIN = 50000, CHAIN_SECONDS = 100, PATIENCE_SECONDS = 100, MOST_THREADS = 64, LONGEST = 12 };

static atomic_bool stop;
static atomic_long turns;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static time_t seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static long open_files(void)
{
	char text[64] = "";
	int fd = open("/proc/sys/fs/file-nr", O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		die("file-nr");
	close(fd);
	return atol(text);
}

static long send_fds(int socket, const int *fds, int count)
{
	_Alignas(8) char control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec iov = { "m", 1 };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = (struct cmsghdr *)control;
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Receives one message and closes what came with it.
static void receive(int socket)
{
	_Alignas(8) char control[CMSG_SPACE(4 * sizeof(int))];
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	if (recvmsg(socket, &header, MSG_DONTWAIT) <= 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
			close(((int *)CMSG_DATA(c))[i]);
}

static void release_one(void)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	close(pair[0]);
	close(pair[1]);
}

// The collector runs when sockets go.
static void wait_for(const char *what, long files)
{
	for (time_t end = seconds() + PATIENCE_SECONDS; open_files() != files; release_one()) {
		if (seconds() > end) {
			printf("%s: %ld files are open, %ld were\n", what, open_files(), files);
			exit(1);
		}
	}
}

static void chain(void)
{
	time_t start = seconds();
	int last = open("/dev/null", O_RDONLY);
	for (int i = 0; i < CHAIN; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) || send_fds(pair[0], &last, 1) != 1)
			die("chain");
		close(last);
		close(pair[0]);
		last = pair[1];
	}
	close(last);
	if (seconds() - start > CHAIN_SECONDS) {
		printf("a chain of %d took %ld s\n", CHAIN, (long)(seconds() - start));
		exit(1);
	}
}

static uint32_t below(uint64_t *state, uint32_t bound)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % bound;
}

static void *pass_around(void *seed)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	uint64_t state = (uintptr_t)seed;
	while (!stop) {
		int pairs[LONGEST][2], count = 1 + below(&state, LONGEST);
		for (int i = 0; i < count; i++)
			if (socketpair(AF_UNIX, types[below(&state, 3)], 0, pairs[i]))
				die("socketpair");
		// Each into the next one's queue, and a few across.
		for (int i = 0; i < count; i++)
			send_fds(pairs[i][0], &pairs[(i + 1) % count][1], 1);
		for (int i = below(&state, 4); i > 0; i--)
			send_fds(pairs[below(&state, count)][below(&state, 2)], pairs[below(&state, count)], 2);
		// The cycle may be opened again, while others' cycles are looked at.
		for (int i = below(&state, 4); i > 0; i--)
			receive(pairs[below(&state, count)][below(&state, 2)]);
		// Senders first, so that the rest is only in flight; or one pair after the other.
		bool by_end = below(&state, 2);
		for (int i = 0; i < 2 * count; i++)
			close(by_end ? pairs[i % count][i / count] : pairs[i / 2][i % 2]);
		turns++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long seconds_to_run = argc > 1 ? atol(argv[1]) : 5, threads = argc > 2 ? atol(argv[2]) : 8;
	pthread_t ids[MOST_THREADS];
	if (threads > MOST_THREADS)
		threads = MOST_THREADS;
	long files = open_files();
	chain();
	wait_for("chain", files);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, pass_around, (void *)(i + 1)))
			die("pthread_create");
	struct timespec span = { seconds_to_run, 0 };
	nanosleep(&span, NULL);
	stop = true;
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	wait_for("cycles", files);
	fprintf(stderr, "%ld turns\n", (long)turns);
	puts("ok");
	return 0;
}
