// splice.c: moving data between pipes and files without copying; tee and vmsplice.
//
// Calls: splice tee vmsplice
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <pthread.h>
#include <sys/socket.h>
#include <termios.h>

static char buffer[1 << 17];
static int p[2], q[2];

static int file(const char *name, const char *content)
{
	int fd = need(open(name, O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void pipes(void)
{
	need(pipe2(p, O_NONBLOCK));
	need(pipe2(q, O_NONBLOCK));
}

static int queued(int fd)
{
	int bytes = -1;
	ioctl(fd, FIONREAD, &bytes);
	return bytes;
}

CHECK(file_to_pipe)
{
	pipes();
	int in = file("in", "0123456789");
	show(splice(in, NULL, p[1], NULL, 4, 0));
	show(lseek(in, 0, SEEK_CUR));
	loff_t at = 7;
	show(splice(in, &at, p[1], NULL, 100, 0));
	show(at);
	show(lseek(in, 0, SEEK_CUR));
	show(splice(in, &at, p[1], NULL, 100, 0));
	show_bytes("pipe", buffer, read(p[0], buffer, 100));
	show(splice(in, NULL, p[1], NULL, 0, 0));
}

CHECK(pipe_to_file)
{
	pipes();
	int out = file("out", "..........");
	write(p[1], "abcdef", 6);
	show(splice(p[0], NULL, out, NULL, 2, 0));
	show(lseek(out, 0, SEEK_CUR));
	loff_t at = 5;
	show(splice(p[0], NULL, out, &at, 100, 0));
	show(at);
	show_bytes("file", buffer, pread(out, buffer, 100, 0));
	show(splice(p[0], NULL, out, NULL, 1, 0));
	close(p[1]);
	show(splice(p[0], NULL, out, NULL, 1, 0));
	int appending = open("out", O_WRONLY | O_APPEND);
	write(q[1], "x", 1);
	show(splice(q[0], NULL, appending, NULL, 1, 0));
}

CHECK(pipe_to_pipe)
{
	pipes();
	write(p[1], "abcdef", 6);
	show(splice(p[0], NULL, q[1], NULL, 4, 0));
	show(queued(p[0]));
	show(splice(p[0], NULL, q[1], NULL, 4, 0));
	show_bytes("moved", buffer, read(q[0], buffer, 100));
	show(splice(p[0], NULL, q[1], NULL, 4, 0));
	show(splice(p[0], NULL, p[1], NULL, 4, 0));
	while (write(q[1], buffer, 4096) > 0)
		;
	write(p[1], "x", 1);
	show(splice(p[0], NULL, q[1], NULL, 4, 0));
	show(queued(p[0]));
}

CHECK(errors)
{
	pipes();
	int in = file("in", "0123456789"), other = file("other", ""), w = open("in", O_WRONLY), r = open("in", O_RDONLY);
	loff_t at = 0, negative = -1, last = LLONG_MAX;
	write(p[1], "abc", 3);
	show(splice(in, NULL, other, NULL, 1, 0));
	show(splice(p[0], &at, q[1], NULL, 1, 0));
	show(splice(p[0], NULL, q[1], &at, 1, 0));
	show(splice(in, NULL, q[1], &at, 1, 0));
	show(splice(w, NULL, q[1], NULL, 1, 0));
	show(splice(p[0], NULL, r, NULL, 1, 0));
	show(splice(p[1], NULL, q[1], NULL, 1, 0));
	show(splice(p[0], NULL, q[0], NULL, 1, 0));
	show(splice(99, NULL, q[1], NULL, 1, 0));
	show(splice(p[0], NULL, 99, NULL, 1, 0));
	show(splice(99, NULL, 99, NULL, 0, 0));
	show(splice(99, NULL, 99, NULL, 0, 0x100));
	show(splice(p[0], NULL, q[1], NULL, 1, 0x100));
	show(splice(in, &negative, q[1], NULL, 1, 0));
	show(splice(in, &last, q[1], NULL, 1, 0));
	show(splice(p[0], NULL, other, &last, 1, 0));
	show(splice(in, bad_pointer(), q[1], NULL, 1, 0));
	show(splice(p[0], NULL, in, bad_pointer(), 1, 0));
	show(splice(in, read_only_pointer(), q[1], NULL, 2, 0));
	show(queued(q[0]));
	show(splice(open(".", O_RDONLY), NULL, q[1], NULL, 1, 0));
	show(splice(open("/dev/zero", O_RDONLY), NULL, q[1], NULL, 5, 0));
	show(splice(p[0], NULL, open("/dev/null", O_WRONLY), NULL, 1, 0));
	show(queued(p[0]));
	close(q[0]);
	signal(SIGPIPE, SIG_IGN);
	show(splice(in, NULL, q[1], NULL, 1, 0));
	show(splice(p[0], NULL, q[1], NULL, 1, 0));
	show(queued(p[0]));
}

CHECK(nonblocking)
{
	need(pipe(p));
	int in = file("in", "0123456789");
	show(splice(p[0], NULL, in, NULL, 1, SPLICE_F_NONBLOCK));
	need(pipe(q));
	show(splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	show(splice(p[0], NULL, in, NULL, 1, 0));
	show(splice(p[0], NULL, q[1], NULL, 1, 0));
	show(splice(in, NULL, q[1], NULL, 1, SPLICE_F_MOVE | SPLICE_F_MORE | SPLICE_F_NONBLOCK));
}

CHECK(blocking)
{
	need(pipe(p));
	int out = file("out", "");
	pid_t pid = start();
	if (pid == 0) {
		close(p[1]);
		show(splice(p[0], NULL, out, NULL, 100, 0));
		_exit(0);
	}
	wait_asleep(pid);
	write(p[1], "abc", 3);
	reap("splicer", pid);
	show_bytes("file", buffer, pread(out, buffer, 10, 0));
}

CHECK(tee_cases)
{
	pipes();
	write(p[1], "abcdef", 6);
	show(tee(p[0], q[1], 4, 0));
	show(tee(p[0], q[1], 4, 0));
	show(queued(p[0]));
	show_bytes("copy", buffer, read(q[0], buffer, 100));
	show_bytes("original", buffer, read(p[0], buffer, 100));
	show(tee(p[0], q[1], 4, 0));
	show(tee(p[0], q[1], 4, SPLICE_F_NONBLOCK));
	show(tee(p[0], q[1], 0, 0));
	show(tee(p[0], p[1], 4, 0));
	show(tee(file("f", "x"), q[1], 4, 0));
	show(tee(p[0], file("f", "x"), 4, 0));
	show(tee(p[1], q[1], 4, 0));
	show(tee(p[0], q[0], 4, 0));
	show(tee(99, q[1], 4, 0));
	show(tee(99, 99, 0, 0));
	show(tee(p[0], q[1], 4, 0x100));
	close(p[1]);
	show(tee(p[0], q[1], 4, 0));
	close(q[0]);
	signal(SIGPIPE, SIG_IGN);
	show(tee(p[0], q[1], 4, 0));
}

CHECK(vmsplice_cases)
{
	pipes();
	struct iovec v[] = { { "abc", 3 }, { "defg", 4 } }, bad = { bad_pointer(), 4 };
	show(vmsplice(p[1], v, 2, 0));
	show_bytes("pipe", buffer, read(p[0], buffer, 100));
	show(vmsplice(p[1], &bad, 1, 0));
	show(vmsplice(p[1], v, 0, 0));
	show(vmsplice(p[1], bad_pointer(), 1, 0));
	show(vmsplice(p[1], v, 1025, 0));
	show(vmsplice(p[1], v, 1, 0x100));
	show(vmsplice(99, v, 1, 0));
	show(vmsplice(file("f", ""), v, 1, 0));
	write(p[1], "out", 3);
	struct iovec in = { buffer, 100 };
	show(vmsplice(p[0], &in, 1, 0));
	show_bytes("taken", buffer, 3);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	show(vmsplice(p[1], v, 1, 0));
}

CHECK(spliced_pages_are_references)
{
	pipes();
	int in = file("in", "");
	memset(buffer, 'o', 8192);
	write(in, buffer, 8192);
	loff_t at = 0;
	show(splice(in, &at, p[1], NULL, 8192, 0));
	pwrite(in, "NEW", 3, 0);
	show(tee(p[0], q[1], 8192, 0));
	show(read(p[0], buffer, 8192));
	show_bytes("read", buffer, 8);
	pwrite(in, "AGAIN", 5, 0);
	show(read(q[0], buffer, 8192));
	show_bytes("read from the copy", buffer, 8);
}

static volatile pid_t splicer;

static void *splice_blocking(void *ends)
{
	int *end = ends;
	splicer = gettid();
	splice(end[0], NULL, end[1], NULL, 4096, 0);
	return NULL;
}

static void poll_while_it_waits(int in, int out, int polled, int events)
{
	int ends[2] = { in, out };
	struct pollfd entry = { .fd = polled, .events = events };
	IN_CHILD("splicing child") {
		pthread_t thread;
		pthread_create(&thread, NULL, splice_blocking, ends);
		while (!splicer)
			sched_yield();
		wait_asleep(splicer);
		show(poll(&entry, 1, 0));
		say("%s", poll_names(entry.revents));
	}
}

// A poll of the pipe does not wait for the other file.
CHECK(poll_beside_a_splice_that_waits)
{
	int sockets[2], ends[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	need(fcntl(sockets[0], F_SETFL, O_NONBLOCK));
	while (write(sockets[0], buffer, 4096) > 0)
		;
	need(fcntl(sockets[0], F_SETFL, 0));
	need(pipe(ends));
	need(write(ends[1], buffer, 4096));
	poll_while_it_waits(ends[0], sockets[0], ends[1], POLLOUT);
	need(pipe(ends));
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	poll_while_it_waits(sockets[0], ends[1], ends[0], POLLIN);
}

static void nothing(int sig UNUSED)
{
}

// A stream is waited for as its own read or write waits: for so long, until a signal, until there is something.
CHECK(waits_for_a_stream_as_its_calls_do)
{
	struct sigaction action = { .sa_handler = nothing };
	struct timeval soon = { .tv_usec = 20000 }, never = { 0 };
	int sockets[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	need(pipe(p));
	sigaction(SIGUSR1, &action, NULL);
	for (int timed = 1; timed >= 0; timed--) {
		setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, timed ? &soon : &never, sizeof soon);
		if (timed)
			show(splice(sockets[0], NULL, p[1], NULL, 4096, 0));
		setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, timed ? &(struct timeval){ .tv_sec = 60 } : &never, sizeof soon);
		action.sa_flags = timed ? SA_RESTART : 0;
		sigaction(SIGUSR1, &action, NULL);
		pid_t parent = getpid(), child = start();
		if (child == 0) {
			wait_asleep(parent);
			kill(parent, SIGUSR1);
			_exit(0);
		}
		show(splice(sockets[0], NULL, p[1], NULL, 4096, 0));
		reap("who signals", child);
		child = start();
		if (child == 0) {
			wait_asleep(parent);
			write(sockets[1], "later", 5);
			_exit(0);
		}
		show(splice(sockets[0], NULL, p[1], NULL, 4096, 0));
		reap("who writes", child);
		show(read(p[0], buffer, 10));
	}
	show(shutdown(sockets[1], SHUT_WR));
	show(splice(sockets[0], NULL, p[1], NULL, 4096, 0));
	show(splice(sockets[0], NULL, p[1], NULL, 4096, SPLICE_F_NONBLOCK));
}

// What has no room yet takes all of it in the end.
static void all_of_it(const char *what, int out, int drain)
{
	enum { LENGTH = 65536 };
	need(pipe(p));
	need(write(p[1], buffer, LENGTH));
	pid_t parent = getpid(), child = start();
	if (child == 0) {
		wait_asleep(parent);
		ssize_t sum = 0, got;
		while (sum < LENGTH && (got = read(drain, buffer, 1000)) > 0)
			sum += got;
		_exit(sum != LENGTH);
	}
	ssize_t moved = 0, step;
	while (moved < LENGTH && (step = splice(p[0], NULL, out, NULL, LENGTH - moved, 0)) > 0)
		moved += step;
	say("%s: %zd moved, %d left", what, moved, queued(p[0]));
	reap(what, child);
}

CHECK(waits_for_room)
{
	int sockets[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	need(setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)));
	all_of_it("socket", sockets[0], sockets[1]);
	struct termios raw;
	int master = need(posix_openpt(O_RDWR | O_NOCTTY));
	need(unlockpt(master));
	int slave = need(open(ptsname(master), O_RDWR | O_NOCTTY));
	need(tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	need(tcsetattr(slave, TCSANOW, &raw));
	all_of_it("terminal", slave, master);
	struct timeval soon = { .tv_usec = 20000 };
	setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
	while (send(sockets[0], buffer, 4096, MSG_DONTWAIT) > 0)
		;
	need(write(p[1], buffer, 4096));
	show(splice(p[0], NULL, sockets[0], NULL, 4096, 0));
	show(queued(p[0]));
	show(close(sockets[1]));
	signal(SIGPIPE, SIG_IGN);
	show(splice(p[0], NULL, sockets[0], NULL, 4096, 0));
}

CHECK(an_error_does_not_touch_the_offset)
{
	pipes();
	int fd = file("out", "");
	show(splice(p[0], NULL, fd, read_only_pointer(), 10, SPLICE_F_NONBLOCK));
}
