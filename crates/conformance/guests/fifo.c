// fifo.c: named pipes: opening in all combinations, ends that come and go.
//
// Calls: mknod mkfifo open read write poll
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char buffer[64];

static void show_poll(const char *what, int fd)
{
	struct pollfd set = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
	int ready = poll(&set, 1, 0);
	say("%s: %d %s", what, ready, poll_names(set.revents));
}

static void make(void)
{
	need(mkfifo("p", 0644));
}

CHECK(nonblocking_open)
{
	make();
	show(open("p", O_WRONLY | O_NONBLOCK));
	int r = show(open("p", O_RDONLY | O_NONBLOCK));
	int w = show(open("p", O_WRONLY | O_NONBLOCK));
	show(read(r, buffer, 1));
	show(close(w));
	show(read(r, buffer, 1));
	show(close(r));
	show(open("p", O_WRONLY | O_NONBLOCK));
}

CHECK(read_write_open)
{
	make();
	int fd = show(open("p", O_RDWR));
	show(write(fd, "self", 4));
	show(read(fd, buffer, 10));
	show(open("p", O_WRONLY | O_NONBLOCK));
	show(open("p", O_WRONLY));
	show(open("p", O_RDONLY));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	show(open("p", O_RDWR | O_NONBLOCK));
}

CHECK(reader_waits_for_writer)
{
	make();
	pid_t pid = start();
	if (pid == 0) {
		int fd = open("p", O_RDONLY);
		say("reader opened %d", fd);
		show(read(fd, buffer, 10));
		show(read(fd, buffer, 10));
		_exit(0);
	}
	wait_asleep(pid);
	show(open("p", O_WRONLY | O_NONBLOCK | O_PATH));
	int w = open("p", O_WRONLY);
	write(w, "abc", 3);
	close(w);
	reap("reader", pid);
}

CHECK(writer_waits_for_reader)
{
	make();
	pid_t pid = start();
	if (pid == 0) {
		int fd = open("p", O_WRONLY);
		show(fd);
		_exit(write(fd, "x", 1) == 1 ? 0 : 1);
	}
	wait_asleep(pid);
	int r = open("p", O_RDONLY);
	reap("writer", pid);
	show(read(r, buffer, 10));
	show(read(r, buffer, 10));
}

CHECK(open_is_interrupted)
{
	make();
	for (int writer = 0; writer < 2; writer++) {
		pid_t pid = start();
		if (pid == 0) {
			let_interrupt(SIGUSR1);
			show(open("p", writer ? O_WRONLY : O_RDONLY));
			_exit(0);
		}
		wait_asleep(pid);
		kill(pid, SIGUSR1);
		reap(writer ? "writer" : "reader", pid);
	}
	show(open("p", O_WRONLY | O_NONBLOCK));
}

CHECK(brief_opener_lets_the_other_through)
{
	make();
	pid_t pid = start();
	if (pid == 0) {
		int fd = open("p", O_RDONLY);
		show(fd);
		show(read(fd, buffer, 1));
		_exit(0);
	}
	wait_asleep(pid);
	int w = open("p", O_WRONLY);
	close(w);
	reap("reader", pid);
}

CHECK(data_survives_the_writer_not_the_last_end)
{
	make();
	int r = open("p", O_RDONLY | O_NONBLOCK), w = open("p", O_WRONLY);
	show(write(w, "kept", 4));
	close(w);
	show(read(r, buffer, 2));
	int r2 = open("p", O_RDONLY | O_NONBLOCK);
	show(read(r2, buffer, 1));
	close(r);
	close(r2);
	r = open("p", O_RDONLY | O_NONBLOCK);
	show(read(r, buffer, 10));
}

CHECK(poll_states)
{
	make();
	int r = open("p", O_RDONLY | O_NONBLOCK);
	show_poll("reader that never saw a writer", r);
	int w = open("p", O_WRONLY);
	show_poll("reader with an idle writer", r);
	show_poll("writer", w);
	write(w, "x", 1);
	show_poll("reader with data", r);
	close(w);
	show_poll("reader with data, writer gone", r);
	read(r, buffer, 1);
	show_poll("reader, writer gone", r);
	w = open("p", O_WRONLY);
	show_poll("reader with a new writer", r);
	close(r);
	show_poll("writer without reader", w);
	r = open("p", O_RDONLY | O_NONBLOCK);
	show_poll("writer with a new reader", w);
	close(w);
	int late = open("p", O_RDONLY | O_NONBLOCK);
	show_poll("old reader after its writer", r);
	show_poll("reader that came after the writer left", late);
	int both = open("p", O_RDWR);
	show_poll("read and write end in one", both);
	write(both, "y", 1);
	show_poll("the same with data", both);
}

CHECK(broken_pipe)
{
	make();
	int r = open("p", O_RDONLY | O_NONBLOCK), w = open("p", O_WRONLY);
	close(r);
	IN_CHILD("writer") {
		write(w, "x", 1);
	}
	signal(SIGPIPE, SIG_IGN);
	show(write(w, "x", 1));
	r = open("p", O_RDONLY | O_NONBLOCK);
	show(write(w, "x", 1));
}

CHECK(metadata)
{
	struct stat st;
	make();
	int fd = open("p", O_RDWR);
	show(fstat(fd, &st));
	say("%s %o size %ld links %d", type_name(st.st_mode), st.st_mode & 07777, (long)st.st_size, (int)st.st_nlink);
	write(fd, "12345", 5);
	fstat(fd, &st);
	show(st.st_size);
	show(ftruncate(fd, 0));
	show(truncate("p", 0));
	show(open("p", O_RDWR | O_TRUNC));
	show(read(fd, buffer, 10));
	show(lseek(fd, 0, SEEK_SET));
	show(pread(fd, buffer, 1, 0));
	show(fchmod(fd, 0600));
	show(fcntl(fd, F_GETPIPE_SZ));
	show(unlink("p"));
	show(write(fd, "still", 5));
	show(read(fd, buffer, 10));
	show(open("p", O_RDWR));
}

CHECK(creation)
{
	struct stat st;
	umask(027);
	show(mkfifo("p", 0666));
	stat("p", &st);
	say("%o", st.st_mode & 07777);
	show(mkfifo("p", 0666));
	show(mkfifo("p/", 0666));
	show(mkfifo("q/", 0666));
	show(mkfifo("missing/q", 0666));
	show(mkfifo("p/q", 0666));
	show(mkfifo("", 0666));
	show(mkfifo(bad_pointer(), 0666));
	show(mknod("n", S_IFIFO | 0600, 77));
	show(open("p", O_RDONLY | O_DIRECTORY));
	show(open("p", O_CREAT | O_EXCL | O_RDWR, 0600));
	show(open("p", O_CREAT | O_RDWR, 0600));
	symlink("p", "l");
	show(mkfifo("l", 0666));
	show(open("l", O_RDWR | O_NOFOLLOW));
	show(open("l", O_RDWR));
}

CHECK(hard_links_are_one_pipe)
{
	make();
	link("p", "q");
	int r = open("p", O_RDONLY | O_NONBLOCK), w = open("q", O_WRONLY | O_NONBLOCK);
	show(w);
	show(write(w, "x", 1));
	show(read(r, buffer, 10));
	rename("q", "z");
	show(open("z", O_WRONLY | O_NONBLOCK));
}

CHECK(through_proc)
{
	char path[64];
	int p[2];
	pipe(p);
	snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
	int w = show(open(path, O_WRONLY | O_NONBLOCK));
	show(write(w, "abc", 3));
	int r = show(open(path, O_RDONLY | O_NONBLOCK));
	show(read(r, buffer, 10));
	show(read(r, buffer, 10));
	close(w);
	close(p[1]);
	show(read(r, buffer, 10));
	show(open(path, O_WRONLY | O_NONBLOCK));
}
