// file_states.h: pipes, FIFOs, counters, ptys, pidfds and sockets, led through every half-closed state.
//
// The guest that includes this has defined `struct watch`, watch(), which begins to look at a descriptor, and state(), which
// says what is seen of it.
#ifndef ACRIDA_GUEST_FILE_STATES_H
#define ACRIDA_GUEST_FILE_STATES_H

#include "epoll.h"
#include "process.h"
#include <pty.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <termios.h>

enum { READ, WRITE };

CHECK(eventfd_states)
{
	int e = need(eventfd(0, EFD_NONBLOCK));
	struct watch w = watch(e);
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
	struct watch w = watch(p[READ]);
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
	struct watch w = watch(p[WRITE]);
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
	struct watch w = watch(p[WRITE]);
	state("full", w);
	close(p[READ]);
	state("reader closed", w);
}

CHECK(pipe_with_copies_of_an_end)
{
	int p[2];
	need(pipe2(p, O_NONBLOCK));
	int copy = dup(p[WRITE]);
	struct watch w = watch(p[READ]);
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
	struct watch w = watch(p[READ]);
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
	struct watch w = watch(r);
	state("no writer yet", w);
	int out = need(open("fifo", O_WRONLY | O_NONBLOCK));
	struct watch v = watch(out);
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
	v = watch(out);
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
	struct watch w = watch(both);
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
	if (poll(&one, 1, PATIENCE_MS) != 1)
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
	struct watch w = watch(master);
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
	struct watch w = watch(slave);
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
	struct watch w = watch(fd);
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
	struct watch w = watch(s[0]);
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
	struct watch w = watch(s[0]);
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
	struct watch w = watch(s[0]);
	state("new", w);
	write(s[1], "abc", 3);
	state("data", w);
	read(s[0], bytes, 8);
	state("read", w);
	close(s[1]);
	state("peer closed", w);
}

#endif
