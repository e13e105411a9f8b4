// locust.c: locust and demofs, which only acrida has: their files, how they can be waited for, and how they end.
//
// Run as `locust` in an empty directory, as root of a world. Prints what went wrong, or "ok".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int checks, failed;
#define expect(condition) expect_(condition, #condition, __LINE__)
static void expect_(int holds, const char *what, int line)
{
	checks++;
	if (!holds) {
		failed++;
		printf("line %d: %s (errno %d)\n", line, what, errno);
		fflush(stdout);
	}
}

static pid_t start(void)
{
	fflush(stdout);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		alarm(200);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(121);
	}
	return pid;
}

static int end_of(pid_t pid)
{
	int status = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int is_there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static int events(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };
	return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static void make(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	expect(fd >= 0);
	expect(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

// A child that opens `path`, tells that it did, and waits to be told (or killed).
struct holder {
	pid_t pid;
	int go;
};

static struct holder hold(const char *path, int flags)
{
	int ready[2], go[2];
	if (pipe(ready) || pipe(go))
		abort();
	pid_t pid = start();
	if (pid == 0) {
		close(go[1]);
		int fd = open(path, flags, 0644);
		char byte = fd >= 0 ? 'y' : 'n';
		write(ready[1], &byte, 1);
		read(go[0], &byte, 1);
		_exit(0);
	}
	char byte = 0;
	close(ready[1]);
	close(go[0]);
	read(ready[0], &byte, 1);
	close(ready[0]);
	expect(byte == 'y');
	return (struct holder){ pid, go[1] };
}

static void readiness(void)
{
	int writer = open("l/file", O_RDWR | O_CREAT, 0644), reader = open("l/file", O_RDONLY);
	expect(writer >= 0 && reader >= 0);
	expect(events(writer) == POLLOUT);
	expect(events(reader) == POLLOUT);
	expect(write(writer, "hello", 5) == 5);
	expect(events(writer) == POLLOUT);
	expect(events(reader) == (POLLIN | POLLOUT));
	char text[16];
	expect(read(reader, text, 3) == 3);
	expect(events(reader) == (POLLIN | POLLOUT));
	expect(read(reader, text, 16) == 2);
	expect(events(reader) == POLLOUT);
	expect(pread(reader, text, 16, 0) == 5);
	expect(events(reader) == POLLOUT);
	expect(lseek(reader, 1, SEEK_SET) == 1);
	expect(events(reader) == (POLLIN | POLLOUT));
	expect(ftruncate(writer, 0) == 0);
	expect(events(reader) == POLLOUT);
	expect(truncate("l/file", 10) == 0);
	expect(events(reader) == (POLLIN | POLLOUT));
	expect(link("l/file", "l/second") == -1 && errno == EPERM);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
	expect(map != MAP_FAILED);
	map[0] = 'x';
	expect(pread(reader, text, 1, 0) == 1 && text[0] == 'x');
	munmap(map, 4096);
	close(writer);
	close(reader);
	expect(is_there("l/file"));
	unlink("l/file");
}

static void waiting_with_epoll(void)
{
	int set = epoll_create1(0), writer = open("l/file", O_RDWR | O_CREAT, 0644), reader = open("l/file", O_RDONLY);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	expect(epoll_ctl(set, EPOLL_CTL_ADD, reader, &event) == 0);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	write(writer, "a", 1);
	expect(epoll_wait(set, &got, 1, 0) == 1 && got.events == EPOLLIN);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	write(writer, "b", 1);
	expect(epoll_wait(set, &got, 1, 0) == 1);
	char text[8];
	read(reader, text, 8);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	event.events = EPOLLIN;
	expect(epoll_ctl(set, EPOLL_CTL_MOD, reader, &event) == 0);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	expect(lseek(reader, 0, SEEK_SET) == 0);
	expect(epoll_wait(set, &got, 1, 0) == 1);
	expect(ftruncate(writer, 0) == 0);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	pid_t pid = start();
	if (pid == 0) {
		int own = open("l/file", O_WRONLY);
		_exit(write(own, "later", 5) == 5 ? 0 : 1);
	}
	expect(epoll_wait(set, &got, 1, 60000) == 1 && got.events == EPOLLIN);
	expect(end_of(pid) == 0);
	close(reader);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	close(writer);
	close(set);
	unlink("l/file");
}

static void room(void)
{
	expect(mkdir("small", 0755) == 0);
	expect(mount("none", "small", "locust", 0, "size=8k") == 0);
	int one = open("small/one", O_RDWR | O_CREAT, 0644), two = open("small/two", O_RDWR | O_CREAT, 0644);
	static char page[4096];
	expect(events(one) == POLLOUT);
	expect(write(one, page, 4096) == 4096);
	expect(events(two) == POLLOUT);
	expect(write(one, page, 4096) == 4096);
	expect(events(one) == 0 && events(two) == 0);
	expect(write(two, page, 1) == -1 && errno == ENOSPC);
	int set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLOUT }, got;
	expect(epoll_ctl(set, EPOLL_CTL_ADD, two, &event) == 0);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	pid_t pid = start();
	if (pid == 0)
		_exit(truncate("small/one", 0));
	expect(epoll_wait(set, &got, 1, 60000) == 1 && got.events == EPOLLOUT);
	expect(end_of(pid) == 0);
	expect(write(two, page, 1) == 1);
	close(set);
	close(one);
	close(two);
	expect(umount("small") == 0);
}

// ---- the end of a file ------------------------------------------------------

static void ends_with_its_openers(void)
{
	for (int how = 0; how < 4; how++) {
		struct holder first = hold("l/file", O_RDWR | O_CREAT), second = hold("l/file", O_RDONLY);
		struct holder both[] = { first, second };
		for (int i = 0; i < 2; i++) {
			expect(is_there("l/file"));
			if (how == 0)
				write(both[i].go, "x", 1);
			else
				kill(both[i].pid, how == 1 ? SIGTERM : how == 2 ? SIGSEGV : SIGKILL);
			end_of(both[i].pid);
			close(both[i].go);
		}
		expect(!is_there("l/file"));
	}
}

static void closing_is_not_the_end(void)
{
	pid_t pid = start();
	if (pid == 0) {
		make("l/file", "hello");
		expect(is_there("l/file"));
		_exit(failed);
	}
	expect(end_of(pid) == 0);
	expect(!is_there("l/file"));
}

static void a_thread_is_no_process(void);

static void *open_and_end(void *path)
{
	close(open(path, O_RDWR | O_CREAT, 0644));
	return NULL;
}

static void a_thread_is_no_process(void)
{
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, open_and_end, "l/file");
		pthread_join(thread, NULL);
		expect(is_there("l/file"));
		// The first thread may end first.
		_exit(failed);
	}
	expect(end_of(pid) == 0);
	expect(!is_there("l/file"));
}

static void exec_is_an_end(const char *self)
{
	for (int cloexec = 0; cloexec < 2; cloexec++) {
		int ready[2], go[2];
		pipe(ready);
		pipe(go);
		pid_t pid = start();
		if (pid == 0) {
			int fd = open("l/file", O_RDWR | O_CREAT | (cloexec ? O_CLOEXEC : 0), 0644);
			(void)fd;
			dup2(ready[1], 100);
			dup2(go[0], 101);
			execl(self, self, "wait", NULL);
			_exit(1);
		}
		char byte;
		read(ready[0], &byte, 1);
		expect(is_there("l/file") == !cloexec);
		write(go[1], "x", 1);
		expect(end_of(pid) == 0);
		expect(!is_there("l/file"));
		for (int i = 0; i < 2; i++) {
			close(ready[i]);
			close(go[i]);
		}
	}
}

static void who_inherits_keeps_it(void)
{
	int go[2], ready[2];
	pipe(go);
	pipe(ready);
	pid_t pid = start();
	if (pid == 0) {
		int fd = open("l/file", O_RDWR | O_CREAT, 0644);
		fflush(stdout);
		if (fork() == 0) {
			char byte;
			close(go[1]);
			read(go[0], &byte, 1);
			expect(write(fd, "x", 1) == 1);
			_exit(0);
		}
		write(ready[1], "x", 1);
		_exit(0);
	}
	char byte;
	close(ready[1]);
	read(ready[0], &byte, 1);
	expect(end_of(pid) == 0);
	expect(is_there("l/file"));
	// The grandchild is nobody's here: its end shows by the file's.
	int watch = inotify_init1(0);
	expect(inotify_add_watch(watch, "l", IN_DELETE) == 1);
	close(go[0]);
	close(go[1]);
	close(ready[0]);
	struct pollfd one = { .fd = watch, .events = POLLIN };
	expect(poll(&one, 1, 60000) == 1);
	expect(!is_there("l/file"));
	close(watch);
}

static void epoll_sets_hold_nothing(void)
{
	// The child's open files are in a set that it shares with us.
	int set = epoll_create1(0);
	for (int how = 0; how < 2; how++) {
		pid_t pid = start();
		if (pid == 0) {
			for (int i = 0; i < 3; i++) {
				int fd = open("l/file", O_RDWR | O_CREAT, 0644);
				struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
				if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
					_exit(1);
			}
			if (how)
				raise(SIGKILL);
			_exit(0);
		}
		int status = end_of(pid);
		expect(how ? WIFSIGNALED(status) : status == 0);
		expect(!is_there("l/file"));
		struct epoll_event got[4];
		expect(epoll_wait(set, got, 4, 0) == 0);
	}
	// The set goes first, or last.
	struct holder holder = hold("l/file", O_RDWR | O_CREAT);
	int fd = open("l/file", O_RDWR);
	struct epoll_event event = { .events = EPOLLOUT }, got;
	expect(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
	kill(holder.pid, SIGKILL);
	end_of(holder.pid);
	close(holder.go);
	expect(is_there("l/file"));
	expect(epoll_wait(set, &got, 1, 0) == 1);
	close(fd);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	close(set);
	unlink("l/file");
}

static void names_move(void)
{
	expect(mkdir("l/dir", 0755) == 0);
	struct holder holder = hold("l/dir/file", O_RDWR | O_CREAT);
	expect(rename("l/dir/file", "l/moved") == 0);
	expect(rmdir("l/dir") == 0);
	kill(holder.pid, SIGKILL);
	end_of(holder.pid);
	close(holder.go);
	expect(!is_there("l/moved"));
	expect(mknod("l/plain", S_IFREG | 0644, 0) == 0);
	expect(is_there("l/plain"));
	holder = hold("l/plain", O_RDONLY);
	// A later file of the name is another.
	expect(unlink("l/plain") == 0);
	make("l/plain", "new");
	kill(holder.pid, SIGKILL);
	end_of(holder.pid);
	close(holder.go);
	expect(is_there("l/plain"));
	expect(unlink("l/plain") == 0);
}

// `tail -f` with nothing but epoll.
static void tail(void)
{
	enum { LINES = 300 };
	make("l/log", "");
	pid_t writer = start();
	if (writer == 0) {
		int fd = open("l/log", O_WRONLY | O_APPEND);
		for (int i = 0; i < LINES; i++) {
			char line[32];
			int length = sprintf(line, "line %d\n", i);
			if (write(fd, line, length) != length)
				_exit(1);
			if (i % 16 == 0)
				sched_yield();
		}
		_exit(0);
	}
	int fd = open("l/log", O_RDONLY), set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN }, got;
	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	FILE *seen = tmpfile();
	int lines = 0;
	while (lines < LINES && epoll_wait(set, &got, 1, 60000) == 1) {
		char text[512];
		ssize_t length = read(fd, text, sizeof text);
		fwrite(text, 1, length, seen);
		for (ssize_t i = 0; i < length; i++)
			lines += text[i] == '\n';
	}
	expect(lines == LINES);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	expect(end_of(writer) == 0);
	rewind(seen);
	for (int i = 0; i < LINES; i++) {
		int number = -1;
		if (fscanf(seen, "line %d\n", &number) != 1 || number != i) {
			expect(!"every line in order");
			break;
		}
	}
	fclose(seen);
	close(set);
	close(fd);
	unlink("l/log");
}

// Processes that open, write, poll and die in any way, at any time.
static void swarm(void)
{
	enum { ROUNDS = 12, PROCESSES = 6 };
	int set = epoll_create1(0);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pids[PROCESSES];
		for (int i = 0; i < PROCESSES; i++) {
			pids[i] = start();
			if (pids[i])
				continue;
			srand(round * 100 + i);
			for (int step = 0; step < 60; step++) {
				char name[16];
				sprintf(name, "l/f%d", rand() % 4);
				int fd = open(name, O_RDWR | O_CREAT | (rand() % 2 ? O_CLOEXEC : 0), 0644);
				struct epoll_event event = { .events = EPOLLIN }, got;
				if (fd < 0)
					continue;
				epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
				write(fd, "x", 1);
				epoll_wait(set, &got, 1, 0);
				if (rand() % 3 == 0)
					unlink(name);
				if (rand() % 2)
					close(fd);
				if (step > 20 && rand() % 30 == 0)
					raise(SIGKILL);
			}
			_exit(0);
		}
		for (int i = 0; i < PROCESSES; i++) {
			if (i % 2)
				kill(pids[i], SIGKILL);
			end_of(pids[i]);
		}
		for (int i = 0; i < 4; i++) {
			char name[16];
			sprintf(name, "l/f%d", i);
			expect(!is_there(name));
		}
	}
	struct epoll_event got;
	expect(epoll_wait(set, &got, 1, 0) == 0);
	close(set);
}

// ---- demofs -----------------------------------------------------------------

static void indices(unsigned *in, unsigned *out)
{
	char text[64] = "";
	int fd = open("d/debug", O_RDONLY);
	read(fd, text, 63);
	close(fd);
	expect(sscanf(text, "in=%u out=%u\n", in, out) == 2);
}

static int set_indices(const char *text)
{
	int fd = open("d/debug", O_WRONLY);
	int result = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
	close(fd);
	return result;
}

static void kfifo(void)
{
	expect(mkdir("d", 0755) == 0);
	expect(mount("none", "d", "demofs", 0, NULL) == 0);
	int one = open("d/kfifo", O_RDWR), two = open("d/kfifo", O_RDWR);
	unsigned in, out;
	char big[1 << 16], text[128];
	for (unsigned i = 0; i < sizeof big; i++)
		big[i] = i % 251;
	expect(one >= 0 && two >= 0);
	expect(events(one) == POLLOUT);
	expect(read(one, text, 10) == 0);
	expect(write(one, big, sizeof big) == 64);
	expect(events(two) == POLLIN);
	expect(write(two, big, 1) == -1 && errno == ENOSPC);
	expect(read(two, text, 10) == 10 && !memcmp(text, big, 10));
	indices(&in, &out);
	expect(in == 64 && out == 10);
	expect(events(two) == (POLLIN | POLLOUT));
	expect(write(two, big + 64, sizeof big - 64) == 10);
	expect(read(one, text, sizeof text) == 64 && !memcmp(text, big + 10, 64));
	expect(read(one, text, sizeof text) == 0);
	// Across the wrap, in steps of every length.
	for (unsigned step = 1; step <= 64; step++) {
		expect(set_indices("4294967290 4294967290\n") == 0);
		for (unsigned done = 0; done < 200; done += step) {
			expect(write(one, big + done, step) == (ssize_t)step);
			expect(read(two, text, sizeof text) == (ssize_t)step && !memcmp(text, big + done, step));
		}
		indices(&in, &out);
		expect(in == out && in < 1000);
	}
	expect(set_indices("in=4294967295 out=4294967291") == 0);
	expect(events(one) == (POLLIN | POLLOUT));
	expect(write(one, big, sizeof big) == 60);
	indices(&in, &out);
	expect(in == 59 && out == 4294967291u);
	expect(set_indices("65 0") == EINVAL);
	expect(set_indices("0 1") == EINVAL);
	expect(set_indices("1") == EINVAL);
	expect(set_indices("x") == EINVAL);
	indices(&in, &out);
	expect(in == 59 && out == 4294967291u);
	expect(set_indices("0 0") == 0);
	int set = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN }, got;
	epoll_ctl(set, EPOLL_CTL_ADD, one, &event);
	expect(epoll_wait(set, &got, 1, 0) == 0);
	pid_t pid = start();
	if (pid == 0)
		_exit(write(two, "hello", 5) == 5 ? 0 : 1);
	expect(epoll_wait(set, &got, 1, 60000) == 1);
	expect(end_of(pid) == 0);
	expect(read(one, text, sizeof text) == 5 && !memcmp(text, "hello", 5));
	expect(creat("d/other", 0644) == -1 && errno == EACCES);
	expect(mkdir("d/other", 0755) == -1 && errno == EPERM);
	expect(unlink("d/kfifo") == -1 && errno == EPERM);
	close(set);
	close(one);
	close(two);
	expect(umount("d") == 0);
}

int main(int argc, char **argv)
{
	char byte;
	if (argc > 1) {
		// What exec_is_an_end runs.
		write(100, "x", 1);
		read(101, &byte, 1);
		return 0;
	}
	alarm(500);
	char self[4096] = "";
	readlink("/proc/self/exe", self, sizeof self - 1);
	expect(mkdir("l", 0755) == 0);
	expect(mount("none", "l", "locust", 0, NULL) == 0);
	readiness();
	waiting_with_epoll();
	room();
	ends_with_its_openers();
	closing_is_not_the_end();
	a_thread_is_no_process();
	exec_is_an_end(self);
	who_inherits_keeps_it();
	epoll_sets_hold_nothing();
	names_move();
	tail();
	swarm();
	kfifo();
	expect(umount("l") == 0);
	printf("%d checks, %d failed\n%s\n", checks, failed, failed ? "wrong" : "ok");
	return failed != 0;
}
