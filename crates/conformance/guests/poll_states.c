// poll_states.c: what poll and select say of pipes, FIFOs, counters, ptys, pidfds and sockets in every half-closed state.
//
// Calls: poll ppoll select pselect6
// Passes: host acrida
#include "process.h"
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <termios.h>

enum { READ, WRITE };
enum { ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP };

static void add_to(int fd, uint64_t count)
{
	if (write(fd, &count, 8) != 8)
		say("write to an eventfd = %s", errno_name(errno));
}

static void drain(int fd)
{
	uint64_t count;
	if (read(fd, &count, 8) != 8)
		say("read of an eventfd = %s", errno_name(errno));
}

// Everything asked by poll, nothing asked by ppoll, and the three sets of select and pselect6.
static void state(const char *what, int fd)
{
	struct pollfd all = { .fd = fd, .events = ALL }, none = { .fd = fd };
	struct timespec at_once = { 0, 0 };
	struct timeval now = { 0, 0 };
	fd_set sets[2][3];
	int ready[2];
	poll(&all, 1, 0);
	ppoll(&none, 1, &at_once, NULL);
	for (int i = 0; i < 6; i++) {
		FD_ZERO(&sets[i / 3][i % 3]);
		FD_SET(fd, &sets[i / 3][i % 3]);
	}
	ready[0] = select(fd + 1, &sets[0][0], &sets[0][1], &sets[0][2], &now);
	ready[1] = pselect(fd + 1, &sets[1][0], &sets[1][1], &sets[1][2], &at_once, NULL);
	char select_text[2][8];
	for (int i = 0; i < 2; i++)
		snprintf(select_text[i], 8, "%d%s%s%s", ready[i], FD_ISSET(fd, &sets[i][0]) ? "r" : "", FD_ISSET(fd, &sets[i][1]) ? "w" : "",
			 FD_ISSET(fd, &sets[i][2]) ? "x" : "");
	say("%s: %s; unasked: %s; select %s%s", what, all.revents ? poll_names((unsigned short)all.revents) : "nothing",
	    none.revents ? poll_names((unsigned short)none.revents) : "nothing", select_text[0],
	    strcmp(select_text[0], select_text[1]) ? " but pselect differs" : "");
}

CHECK(eventfd_states)
{
	int e = need(eventfd(0, EFD_NONBLOCK));
	int w = e;
	state("zero", w);
	state("zero again", w);
	add_to(e, 1);
	state("one", w);
	add_to(e, UINT64_MAX - 2);
	state("full", w);
	drain(e);
	state("drained", w);
}

CHECK(pipe_reader)
{
	int p[2];
	char bytes[8];
	need(pipe2(p, O_NONBLOCK));
	int w = p[READ];
	state("empty", w);
	write(p[WRITE], "abc", 3);
	state("data", w);
	write(p[WRITE], "d", 1);
	state("more data", w);
	read(p[READ], bytes, 2);
	state("part read", w);
	close(p[WRITE]);
	state("writer closed, data left", w);
	read(p[READ], bytes, 8);
	state("writer closed, empty", w);
	say("read = %ld", (long)read(p[READ], bytes, 8));
	state("after the end", w);
}

CHECK(pipe_writer)
{
	static char block[4096];
	int p[2];
	need(pipe2(p, O_NONBLOCK));
	int w = p[WRITE];
	state("empty", w);
	while (write(p[WRITE], block, sizeof block) > 0)
		;
	state("full", w);
	read(p[READ], block, 1);
	state("a byte read", w);
	read(p[READ], block, 4095);
	state("a page read", w);
	close(p[READ]);
	state("reader closed", w);
}

CHECK(pipe_writer_full_reader_closed)
{
	static char block[4096];
	int p[2];
	need(pipe2(p, O_NONBLOCK));
	while (write(p[WRITE], block, sizeof block) > 0)
		;
	int w = p[WRITE];
	state("full", w);
	close(p[READ]);
	state("reader closed", w);
}

CHECK(pipe_with_copies_of_an_end)
{
	int p[2];
	need(pipe2(p, O_NONBLOCK));
	int copy = dup(p[WRITE]);
	int w = p[READ];
	close(p[WRITE]);
	state("one writer left", w);
	close(copy);
	state("none left", w);
}

CHECK(pipe_packets)
{
	int p[2];
	char bytes[8];
	need(pipe2(p, O_NONBLOCK | O_DIRECT));
	int w = p[READ];
	write(p[WRITE], "ab", 2);
	write(p[WRITE], "cd", 2);
	state("two packets", w);
	read(p[READ], bytes, 1);
	state("one read in part", w);
	read(p[READ], bytes, 8);
	state("both read", w);
}

CHECK(fifo_states)
{
	char bytes[8];
	need(mkfifo("fifo", 0600));
	int r = need(open("fifo", O_RDONLY | O_NONBLOCK));
	int w = r;
	state("no writer yet", w);
	int out = need(open("fifo", O_WRONLY | O_NONBLOCK));
	int v = out;
	state("a writer", w);
	state("writer's end", v);
	write(out, "x", 1);
	state("data", w);
	close(out);
	state("writer gone, data left", w);
	read(r, bytes, 8);
	state("writer gone, empty", w);
	out = need(open("fifo", O_WRONLY | O_NONBLOCK));
	state("another writer", w);
	v = out;
	close(r);
	state("reader gone, writer's end", v);
	r = need(open("fifo", O_RDONLY | O_NONBLOCK));
	state("another reader, writer's end", v);
}

CHECK(fifo_both_ways)
{
	char bytes[8];
	need(mkfifo("fifo", 0600));
	int both = need(open("fifo", O_RDWR | O_NONBLOCK));
	int w = both;
	state("empty", w);
	write(both, "x", 1);
	state("data", w);
	read(both, bytes, 8);
	state("empty again", w);
	int r = need(open("fifo", O_RDONLY | O_NONBLOCK));
	close(r);
	state("a reader came and went", w);
}

// What is written to one end reaches the other by a thread of the kernel's: waits until it is there.
static void arrives(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	if (poll(&one, 1, 5000) != 1)
		say("nothing arrives");
}

CHECK(pty_master)
{
	int master, slave;
	char bytes[64];
	struct termios raw_mode;
	need(openpty(&master, &slave, NULL, NULL, NULL));
	tcgetattr(slave, &raw_mode);
	cfmakeraw(&raw_mode);
	tcsetattr(slave, TCSANOW, &raw_mode);
	int w = master;
	state("new", w);
	write(slave, "abc", 3);
	arrives(master);
	state("slave wrote", w);
	read(master, bytes, 2);
	state("part read", w);
	read(master, bytes, 8);
	state("read", w);
	close(slave);
	state("slave closed", w);
}

CHECK(pty_slave)
{
	int master, slave;
	char bytes[64];
	need(openpty(&master, &slave, NULL, NULL, NULL));
	struct termios mode;
	tcgetattr(slave, &mode);
	mode.c_lflag &= ~ECHO;
	tcsetattr(slave, TCSANOW, &mode);
	int w = slave;
	state("new", w);
	write(master, "ab", 2);
	state("no whole line", w);
	write(master, "c\n", 2);
	arrives(slave);
	state("a line", w);
	read(slave, bytes, 2);
	state("part read", w);
	read(slave, bytes, 64);
	state("read", w);
	write(master, "d\n", 2);
	close(master);
	state("master closed, data left", w);
	say("read = %ld", (long)read(slave, bytes, 64));
	state("read", w);
}

CHECK(pidfd_states)
{
	pid_t pid = start();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	int fd = need(syscall(SYS_pidfd_open, pid, 0));
	int w = fd;
	state("alive", w);
	kill(pid, SIGKILL);
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	state("dead", w);
	reap("child", pid);
	state("reaped", w);
}

CHECK(stream_pair)
{
	int s[2];
	char bytes[8];
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	int w = s[0];
	state("new", w);
	write(s[1], "abc", 3);
	state("data", w);
	read(s[0], bytes, 2);
	state("part read", w);
	shutdown(s[1], SHUT_WR);
	state("peer stopped writing", w);
	read(s[0], bytes, 8);
	state("and all is read", w);
	shutdown(s[0], SHUT_WR);
	state("both stopped writing", w);
	close(s[1]);
	state("peer closed", w);
}

CHECK(stream_pair_stops_reading)
{
	int s[2];
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	int w = s[0];
	state("new", w);
	shutdown(s[0], SHUT_RD);
	state("stopped reading", w);
	shutdown(s[1], SHUT_RD);
	state("peer stopped reading", w);
}

CHECK(datagram_pair)
{
	int s[2];
	char bytes[8];
	need(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
	int w = s[0];
	state("new", w);
	write(s[1], "abc", 3);
	state("data", w);
	read(s[0], bytes, 8);
	state("read", w);
	close(s[1]);
	state("peer closed", w);
}

CHECK(sockets_that_listen)
{
	struct sockaddr_un { unsigned short family; char path[108]; } address = { AF_UNIX, "socket" };
	int listener = need(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	state("new", listener);
	need(bind(listener, (struct sockaddr *)&address, sizeof address));
	state("bound", listener);
	need(listen(listener, 4));
	state("listening", listener);
	int client = need(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	state("client", client);
	need(connect(client, (struct sockaddr *)&address, sizeof address));
	state("somebody knocks", listener);
	state("client, connected", client);
	int server = need(accept(listener, NULL, NULL));
	state("let in", listener);
	close(listener);
	state("server, listener closed", server);
	close(client);
	state("server, client closed", server);
}

CHECK(seqpacket_pair)
{
	int s[2];
	char bytes[8];
	need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s));
	state("new", s[0]);
	write(s[1], "abc", 3);
	state("data", s[0]);
	shutdown(s[1], SHUT_WR);
	state("peer stopped writing", s[0]);
	read(s[0], bytes, 8);
	state("and all is read", s[0]);
	close(s[1]);
	state("peer closed", s[0]);
}

CHECK(sets_of_sets)
{
	int p[2], q[2];
	need(pipe(p));
	need(pipe(q));
	write(p[WRITE], "x", 1);
	close(q[WRITE]);
	struct pollfd fds[] = { { p[READ], POLLIN }, { -1, POLLIN }, { q[READ], 0 }, { 99, POLLIN }, { p[WRITE], POLLOUT }, { q[READ], POLLIN } };
	int ready = poll(fds, 6, 0);
	say("%d ready", ready);
	for (int i = 0; i < 6; i++)
		say("%d: %s", i, fds[i].revents ? poll_names((unsigned short)fds[i].revents) : "nothing");
}

CHECK(wakes_by_hang_up)
{
	int p[2];
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		close(p[WRITE]);
		struct pollfd one = { p[READ], 0 };
		int ready = poll(&one, 1, 5000);
		say("child: %d %s", ready, poll_names((unsigned short)one.revents));
		_exit(0);
	}
	wait_asleep(pid);
	close(p[WRITE]);
	reap("child", pid);
}

CHECK(select_wakes_by_error)
{
	static char block[4096];
	int p[2];
	need(pipe2(p, O_NONBLOCK));
	while (write(p[WRITE], block, sizeof block) > 0)
		;
	pid_t pid = start();
	if (pid == 0) {
		close(p[READ]);
		fd_set out;
		FD_ZERO(&out);
		FD_SET(p[WRITE], &out);
		struct timeval limit = { 5, 0 };
		int ready = select(p[WRITE] + 1, NULL, &out, NULL, &limit);
		say("child: %d %d", ready, FD_ISSET(p[WRITE], &out) != 0);
		_exit(0);
	}
	wait_asleep(pid);
	close(p[READ]);
	reap("child", pid);
}
