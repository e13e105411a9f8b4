// poll.c: masks of every kind of file in every state; arguments; timeouts.
//
// Calls: poll
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

enum { ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP };
static int p[2];

static void state(const char *what, int fd, int events)
{
	struct pollfd set = { .fd = fd, .events = events, .revents = -1 };
	int ready = poll(&set, 1, 0);
	say("%s: %d %s", what, ready, set.revents ? poll_names((unsigned short)set.revents) : "nothing");
}

CHECK(pipe_states)
{
	static char block[65536];
	need(pipe2(p, O_NONBLOCK));
	state("empty, read end", p[0], ALL);
	state("empty, write end", p[1], ALL);
	write(p[1], "x", 1);
	state("data, read end", p[0], ALL);
	state("data, write end", p[1], ALL);
	write(p[1], block, 65536);
	state("almost full, write end", p[1], ALL);
	while (write(p[1], block, 1) > 0)
		;
	state("full, write end", p[1], ALL);
	state("full, read end", p[0], ALL);
	read(p[0], block, 4095);
	state("a page less a byte read, write end", p[1], ALL);
	read(p[0], block, 1);
	state("a page read, write end", p[1], ALL);
}

CHECK(pipe_writer_gone)
{
	need(pipe(p));
	write(p[1], "x", 1);
	close(p[1]);
	state("data left", p[0], ALL);
	state("data left, nothing asked", p[0], 0);
	char c;
	read(p[0], &c, 1);
	state("empty", p[0], ALL);
	state("empty, nothing asked", p[0], 0);
	state("empty, POLLIN asked", p[0], POLLIN);
}

CHECK(pipe_reader_gone)
{
	static char block[4096];
	need(pipe2(p, O_NONBLOCK));
	int q = dup(p[0]);
	while (write(p[1], block, 4096) > 0)
		;
	close(p[0]);
	state("full, a reader left", p[1], ALL);
	close(q);
	state("full, no reader", p[1], ALL);
	need(pipe(p));
	close(p[0]);
	state("empty, no reader", p[1], ALL);
	state("empty, no reader, nothing asked", p[1], 0);
	state("empty, no reader, POLLIN asked", p[1], POLLIN);
}

CHECK(wrong_direction)
{
	need(pipe(p));
	write(p[1], "x", 1);
	state("POLLOUT at the read end", p[0], POLLOUT);
	state("POLLIN at the write end", p[1], POLLIN);
}

CHECK(regular_files_and_directories)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	state("file", fd, ALL);
	state("file for reading", open("f", O_RDONLY), ALL);
	state("file for writing", open("f", O_WRONLY), ALL);
	state("directory", open(".", O_RDONLY), ALL);
	state("file, nothing asked", fd, 0);
	state("file, only POLLPRI", fd, POLLPRI);
	state("/dev/null", open("/dev/null", O_RDWR), ALL);
	state("/dev/zero", open("/dev/zero", O_RDWR), ALL);
	state("/dev/full", open("/dev/full", O_RDWR), ALL);
	state("/proc/self/status", open("/proc/self/status", O_RDONLY), ALL);
}

CHECK(bad_descriptors)
{
	state("closed", 99, ALL);
	state("closed, nothing asked", 99, 0);
	state("negative", -1, ALL);
	state("very negative", INT_MIN, ALL);
	state("very large", INT_MAX, ALL);
	need(pipe(p));
	struct pollfd set[] = {
		{ .fd = 99, .events = POLLIN }, { .fd = -1, .events = POLLIN, .revents = 77 }, { .fd = p[1], .events = POLLOUT },
		{ .fd = p[1], .events = POLLIN, .revents = 77 }, { .fd = p[1], .events = POLLOUT },
	};
	show(poll(set, 5, -1));
	for (int i = 0; i < 5; i++)
		say("%d: %s", i, set[i].revents ? poll_names(set[i].revents) : "nothing");
}

CHECK(arguments)
{
	struct pollfd set = { .fd = -1, .events = POLLIN };
	show(poll(NULL, 0, 0));
	show(poll(bad_pointer(), 0, 0));
	show(poll(NULL, 1, 0));
	show(poll(bad_pointer(), 1, 0));
	show(poll(read_only_pointer(), 1, 0));
	show(poll(at_edge(8), 2, 0));
	show(poll(&set, 1025, 0));
	show(poll(bad_pointer(), 1025, 0));
	show(poll(&set, -1, 0));
	show(poll(&set, 1, 1));
	show(poll(NULL, 0, 1));
	struct rlimit limit = { 4, 1024 };
	setrlimit(RLIMIT_NOFILE, &limit);
	struct pollfd sets[5] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	show(poll(sets, 4, 0));
	show(poll(sets, 5, 0));
	limit.rlim_cur = 1024;
	setrlimit(RLIMIT_NOFILE, &limit);
}

CHECK(only_revents_is_written)
{
	need(pipe(p));
	struct pollfd *set = at_edge(sizeof *set);
	*set = (struct pollfd){ .fd = p[1], .events = POLLOUT | 0x4000, .revents = -1 };
	show(poll(set, 1, 0));
	say("fd kept %d, events %#x, revents %s", set->fd == p[1], set->events, poll_names(set->revents));
}

CHECK(many)
{
	enum { PIPES = 200 };
	static struct pollfd set[2 * PIPES];
	int ends[PIPES][2];
	for (int i = 0; i < PIPES; i++) {
		need(pipe(ends[i]));
		if (i % 7 == 0)
			write(ends[i][1], "x", 1);
		if (i % 10 == 0)
			close(ends[i][1]);
		set[2 * i] = (struct pollfd){ .fd = ends[i][0], .events = POLLIN };
		set[2 * i + 1] = (struct pollfd){ .fd = ends[i][1], .events = POLLOUT };
	}
	show(poll(set, 2 * PIPES, -1));
	unsigned long sum = 0;
	for (int i = 0; i < 2 * PIPES; i++)
		sum = sum * 31 + set[i].revents;
	show(sum);
}

CHECK(wakes)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		struct pollfd set[] = { { .fd = p[0], .events = POLLIN }, { .fd = 99 } };
		set[1].fd = -1;
		show(poll(set, 2, -1));
		say("%s", poll_names(set[0].revents));
		_exit(0);
	}
	wait_asleep(pid);
	write(p[1], "x", 1);
	reap("poller", pid);
	pid = start();
	if (pid == 0) {
		close(p[1]);
		char c;
		read(p[0], &c, 1);
		struct pollfd set = { .fd = p[0], .events = 0 };
		show(poll(&set, 1, -1));
		say("%s", poll_names(set.revents));
		_exit(0);
	}
	wait_asleep(pid);
	close(p[1]);
	reap("poller", pid);
}

CHECK(write_end_wakes)
{
	static char block[4096];
	for (int how = 0; how < 2; how++) {
		need(pipe2(p, O_NONBLOCK));
		while (write(p[1], block, 4096) > 0)
			;
		pid_t pid = start();
		if (pid == 0) {
			close(p[0]);
			struct pollfd set = { .fd = p[1], .events = POLLOUT };
			show(poll(&set, 1, -1));
			say("%s", poll_names(set.revents));
			_exit(0);
		}
		wait_asleep(pid);
		if (how == 0)
			read(p[0], block, 4096);
		else
			close(p[0]);
		reap(how ? "reader left" : "room", pid);
		close(p[0]);
		close(p[1]);
	}
}

CHECK(interrupted)
{
	need(pipe(p));
	for (int restart = 0; restart < 2; restart++) {
		pid_t pid = start();
		if (pid == 0) {
			struct sigaction action = { .sa_handler = do_nothing, .sa_flags = restart ? SA_RESTART : 0 };
			sigaction(SIGUSR1, &action, NULL);
			struct pollfd set = { .fd = p[0], .events = POLLIN, .revents = 77 };
			show(poll(&set, 1, -1));
			show(set.revents);
			_exit(0);
		}
		wait_asleep(pid);
		kill(pid, SIGUSR1);
		reap("poller", pid);
	}
}

CHECK(same_descriptor_twice)
{
	need(pipe(p));
	write(p[1], "x", 1);
	struct pollfd set[] = { { .fd = p[0], .events = POLLIN }, { .fd = p[0], .events = POLLOUT }, { .fd = p[0] } };
	show(poll(set, 3, -1));
	for (int i = 0; i < 3; i++)
		say("%d: %s", i, set[i].revents ? poll_names(set[i].revents) : "nothing");
}
