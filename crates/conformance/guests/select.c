// select.c: descriptor sets: which bits mean what, sizes, errors.
//
// Calls: select pselect6
// Passes: host acrida
#include "check.h"
#include <sys/select.h>

static int p[2];

static const char *members(const fd_set *set, int n)
{
	static char texts[4][256];
	static int next;
	char *text = texts[next++ % 4], *end = text;
	*text = 0;
	for (int fd = 0; fd < n; fd++)
		if (FD_ISSET(fd, set))
			end += sprintf(end, " %d", fd);
	return text;
}

static void try(const char *what, int r, int w)
{
	fd_set in, out, except;
	struct timeval zero = { 0, 0 };
	FD_ZERO(&in);
	FD_SET(r, &in);
	FD_SET(w, &in);
	out = except = in;
	int n = (r > w ? r : w) + 1;
	long ready = select(n, &in, &out, &except, &zero);
	say("%s: %ld, in%s, out%s, except%s", what, ready, members(&in, n), members(&out, n), members(&except, n));
}

CHECK(pipe_states)
{
	static char block[4096];
	need(pipe2(p, O_NONBLOCK));
	try("empty", p[0], p[1]);
	write(p[1], "x", 1);
	try("data", p[0], p[1]);
	while (write(p[1], block, 4096) > 0)
		;
	try("full", p[0], p[1]);
	close(p[1]);
	try("writer gone, data left", p[0], p[0]);
	while (read(p[0], block, 4096) > 0)
		;
	try("writer gone, empty", p[0], p[0]);
	need(pipe(p));
	close(p[0]);
	try("reader gone", p[1], p[1]);
}

CHECK(files_are_ready)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), directory = open(".", O_RDONLY);
	try("file and directory", fd, directory);
	try("/dev/null and /dev/zero", open("/dev/null", O_RDONLY), open("/dev/zero", O_RDWR));
}

CHECK(closed_descriptors)
{
	fd_set set;
	struct timeval zero = { 0, 0 };
	need(pipe(p));
	FD_ZERO(&set);
	FD_SET(20, &set);
	show(select(21, &set, NULL, NULL, &zero));
	say("the set keeps:%s", members(&set, 64));
	show(select(20, &set, NULL, NULL, &zero));
	FD_ZERO(&set);
	FD_SET(p[1], &set);
	FD_SET(20, &set);
	show(select(21, NULL, &set, NULL, &zero));
	FD_ZERO(&set);
	FD_SET(1000, &set);
	// Beyond the table's size bits are not looked at.
	show(select(1001, &set, NULL, NULL, &zero));
	show(select(64, NULL, NULL, NULL, &zero));
}

CHECK(arguments)
{
	struct timeval zero = { 0, 0 };
	fd_set set;
	FD_ZERO(&set);
	show(select(-1, NULL, NULL, NULL, &zero));
	show(select(0, NULL, NULL, NULL, &zero));
	show(select(0, bad_pointer(), bad_pointer(), bad_pointer(), &zero));
	show(select(1, bad_pointer(), NULL, NULL, &zero));
	show(select(1, NULL, bad_pointer(), NULL, &zero));
	show(select(1, NULL, NULL, bad_pointer(), &zero));
	show(select(1, read_only_pointer(), NULL, NULL, &zero));
	show(syscall(SYS_select, 0, NULL, NULL, NULL, bad_pointer()));
	show(syscall(SYS_select, -1, NULL, NULL, NULL, bad_pointer()));
	show(syscall(SYS_select, 0, NULL, NULL, NULL, &(struct timeval){ -1, 0 }));
	show(syscall(SYS_select, 0, NULL, NULL, NULL, &(struct timeval){ 0, -1 }));
	// Microseconds may carry into the seconds.
	need(pipe(p));
	FD_SET(p[1], &set);
	show(syscall(SYS_select, p[1] + 1, NULL, &set, NULL, &(struct timeval){ 0, 1000001 }));
	show(syscall(SYS_select, INT_MAX, NULL, NULL, NULL, &zero));
	show(syscall(SYS_select, 3, at_edge(8), NULL, NULL, &zero));
	show(syscall(SYS_select, 3, at_edge(4), NULL, NULL, &zero));
}

CHECK(timeout_is_written_back)
{
	need(pipe(p));
	struct timeval timeout = { 0, 500 };
	fd_set set;
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	show(select(p[0] + 1, &set, NULL, NULL, &timeout));
	say("left %ld.%06ld, members%s", (long)timeout.tv_sec, (long)timeout.tv_usec, members(&set, 64));
	timeout = (struct timeval){ 100, 0 };
	FD_SET(p[1], &set);
	show(select(p[1] + 1, NULL, &set, NULL, &timeout));
	say("time left: %d", timeout.tv_sec >= 90 && timeout.tv_sec <= 100);
	show(syscall(SYS_select, 0, NULL, NULL, NULL, read_only_pointer()));
}

CHECK(whole_words_are_written)
{
	need(pipe(p));
	uint64_t *words = at_edge(16);
	struct timeval zero = { 0, 0 };
	words[0] = 1ull << p[1] | 1ull << 50;
	words[1] = -1;
	show(syscall(SYS_select, p[1] + 1, NULL, words, NULL, &zero));
	say("%#lx %#lx", words[0], words[1]);
}

CHECK(interrupted_keeps_the_sets)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		fd_set set;
		struct timeval timeout = { 100, 0 };
		FD_ZERO(&set);
		FD_SET(p[0], &set);
		let_interrupt(SIGUSR1);
		show(select(p[0] + 1, &set, NULL, NULL, &timeout));
		say("members%s, time left %d", members(&set, 64), timeout.tv_sec >= 80);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("selecter", pid);
}

CHECK(wakes)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		fd_set set;
		FD_ZERO(&set);
		FD_SET(p[0], &set);
		show(select(p[0] + 1, &set, NULL, NULL, NULL));
		_exit(0);
	}
	wait_asleep(pid);
	write(p[1], "x", 1);
	reap("selecter", pid);
}

CHECK(pselect_mask)
{
	struct {
		const void *mask;
		size_t size;
	} pair;
	uint64_t mask = 0;
	struct timespec zero = { 0, 0 };
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, NULL));
	pair.mask = &mask, pair.size = 8;
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &pair));
	pair.size = 4;
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &pair));
	pair.mask = NULL;
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &pair));
	pair.mask = bad_pointer(), pair.size = 8;
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &pair));
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, bad_pointer()));
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, bad_pointer(), NULL));
	show(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &(struct timespec){ 0, 1000000000 }, NULL));
	show(syscall(SYS_pselect6, -1, NULL, NULL, NULL, &(struct timespec){ 0, -1 }, bad_pointer()));
}

// A descriptor that is good for nothing is open all the same.
CHECK(path_descriptors)
{
	int fd = need(open("/", O_PATH));
	struct timeval now = { 0 };
	fd_set in, out, except;
	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = except = in;
	show(select(fd + 1, &in, &out, &except, &now));
	say("%d %d %d", FD_ISSET(fd, &in), FD_ISSET(fd, &out), FD_ISSET(fd, &except));
	close(fd);
	show(select(fd + 1, &in, NULL, NULL, &now));
}
