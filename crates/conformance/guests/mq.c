// mq.c: POSIX message queues: names, rights, limits, order, waiting, polling, the text of the file.
//
// Calls: mq_open mq_unlink mq_timedsend mq_timedreceive mq_getsetattr poll read fstat
// Passes: host acrida
// Needs: root
#include "process.h"
#include <grp.h>
#include <mqueue.h>
#include <dirent.h>
#include <sys/mount.h>
#include <sys/statfs.h>

// Every queue of this program; nothing stays behind, however it ends.
static char names[64][40];
static int nr_names;
static pid_t first_process;

static void remove_all(void)
{
	if (getpid() == first_process)
		for (int i = 0; i < nr_names; i++)
			mq_unlink(names[i]);
}

static const char *name_of(const char *what)
{
	if (!first_process) {
		first_process = getpid();
		atexit(remove_all);
		int ends[2];
		pipe2(ends, O_CLOEXEC);
		if (fork() == 0) {
			char byte;
			setsid();
			close(ends[1]);
			for (int fd = 0; fd < 256; fd++)
				if (fd != ends[0])
					close(fd);
			while (read(ends[0], &byte, 1) == -1 && errno == EINTR)
				;
			// The names that the checks use.
			static const char *const all[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m" };
			for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
				char name[40];
				snprintf(name, sizeof name, "/acrida.%d.%s", first_process, all[i]);
				mq_unlink(name);
			}
			_exit(0);
		}
		fcntl(ends[1], F_DUPFD_CLOEXEC, 600);
		close(ends[0]);
		close(ends[1]);
	}
	char *name = names[nr_names++ % 64];
	snprintf(name, sizeof names[0], "/acrida.%d.%s", first_process, what);
	return name;
}

static mqd_t make(const char *what, long messages, long size, int flags)
{
	struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = size };
	const char *name = name_of(what);
	mq_unlink(name);
	return need(mq_open(name, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attr));
}

static void state(const char *what, mqd_t queue)
{
	struct mq_attr attr;
	struct pollfd set = { .fd = queue, .events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };
	if (mq_getattr(queue, &attr)) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	poll(&set, 1, 0);
	say("%s: flags %ld, %ld of %ld messages of %ld bytes, %s", what, attr.mq_flags, attr.mq_curmsgs, attr.mq_maxmsg, attr.mq_msgsize,
	    poll_names(set.revents));
}

static void take(mqd_t queue)
{
	char text[9000];
	unsigned priority = 12345;
	long length = mq_receive(queue, text, sizeof text, &priority);
	if (length < 0)
		say("take = %s", errno_name(errno));
	else
		say("take = %ld: priority %u \"%.*s\"", length, priority, (int)length, text);
}

CHECK(open_and_unlink)
{
	const char *name = name_of("a");
	show(mq_open(name, O_RDWR));
	show(mq_unlink(name));
	mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0666, NULL);
	show_ok(queue);
	state("default", queue);
	say("cloexec %d", fcntl(queue, F_GETFD));
	say("flags %s", open_names(fcntl(queue, F_GETFL)));
	struct stat st;
	fstat(queue, &st);
	say("%s mode %o size %ld nlink %ld uid %d", type_name(st.st_mode), st.st_mode & 07777, (long)st.st_size, (long)st.st_nlink, st.st_uid);
	show(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
	show_ok(mq_open(name, O_CREAT | O_RDONLY, 0600, NULL));
	show_ok(mq_open(name, O_WRONLY));
	show(mq_open(name, O_RDWR | O_WRONLY));
	show(mq_unlink(name));
	show(mq_unlink(name));
	show(mq_open(name, O_RDWR));
	show(mq_send(queue, "x", 1, 0));
	take(queue);
	fstat(queue, &st);
	say("unlinked: nlink %ld", (long)st.st_nlink);
	show(mq_close(queue));
	show(mq_close(queue));
}

static long raw_open(const char *name, int flags)
{
	return raw(SYS_mq_open, name, flags, 0600, NULL);
}

CHECK(names)
{
	char longest[300] = "";
	show(raw_open("", O_RDWR));
	show(raw_open("/x", O_RDWR));
	show(raw_open("x/y", O_CREAT | O_RDWR));
	show(raw_open(".", O_RDWR));
	show(raw_open("..", O_CREAT | O_RDWR));
	show(raw_open(BAD, O_RDWR));
	memset(longest, 'n', 255);
	show(raw_open(longest, O_RDWR));
	memset(longest, 'n', 256);
	show(raw_open(longest, O_RDWR));
	show(raw_open(longest, O_CREAT | O_RDWR));
	show(raw(SYS_mq_unlink, ""));
	show(raw(SYS_mq_unlink, "/x"));
	show(raw(SYS_mq_unlink, "."));
	show(raw(SYS_mq_unlink, longest));
	show(raw(SYS_mq_unlink, BAD));
	show(raw(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, BAD));
}

CHECK(limits)
{
	const char *name = name_of("b");
	static const long pairs[][2] = { { 0, 10 }, { 10, 0 }, { -1, 10 }, { 10, -1 }, { 11, 10 }, { 10, 8193 }, { 65537, 1 }, { 1, 16777217 },
					 { 1, 16777216 } };
	for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct mq_attr attr = { .mq_maxmsg = pairs[i][0], .mq_msgsize = pairs[i][1] };
		mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
		say("%ld messages of %ld bytes = %s", attr.mq_maxmsg, attr.mq_msgsize, queue == -1 ? errno_name(errno) : "ok");
		if (queue != -1) {
			mq_close(queue);
			mq_unlink(name);
		}
	}
	IN_CHILD("user")
	{
		need(setgroups(0, NULL));
		become_lone_user();
		for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
			struct mq_attr attr = { .mq_maxmsg = pairs[i][0], .mq_msgsize = pairs[i][1] };
			mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
			say("%ld messages of %ld bytes = %s", attr.mq_maxmsg, attr.mq_msgsize, queue == -1 ? errno_name(errno) : "ok");
			if (queue != -1) {
				mq_close(queue);
				mq_unlink(name);
			}
		}
		// What all queues of a user may take.
		struct rlimit limit = { 2000, 2000 };
		need(setrlimit(RLIMIT_MSGQUEUE, &limit));
		struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 104 };
		mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
		show_ok(queue);
		struct mq_attr small = { .mq_maxmsg = 1, .mq_msgsize = 1 };
		const char *other = name_of("c");
		show(mq_open(other, O_CREAT | O_RDWR, 0600, &small));
		mq_unlink(name);
		show(mq_open(other, O_CREAT | O_RDWR, 0600, &small));
		mq_close(queue);
		show_ok(mq_open(other, O_CREAT | O_RDWR, 0600, &small));
		mq_unlink(other);
		attr.mq_msgsize = 105;
		show(mq_open(name, O_CREAT | O_RDWR, 0600, &attr));
	}
}

CHECK(priorities)
{
	mqd_t queue = make("d", 10, 100, 0);
	show(mq_send(queue, "low", 3, 1));
	show(mq_send(queue, "high", 4, 9));
	show(mq_send(queue, "low too", 7, 1));
	show(mq_send(queue, "", 0, 9));
	show(mq_send(queue, "highest", 7, 32767));
	show(mq_send(queue, "x", 1, 32768));
	state("five", queue);
	for (int i = 0; i < 5; i++)
		take(queue);
	state("none", queue);
}

CHECK(sizes_and_errors)
{
	mqd_t queue = make("e", 2, 10, O_NONBLOCK);
	char text[20] = "0123456789abcdef";
	unsigned priority;
	show(mq_send(queue, text, 11, 0));
	show(mq_send(queue, text, 10, 0));
	show(mq_receive(queue, text, 9, &priority));
	show(mq_send(queue, text, 0, 0));
	show(mq_send(queue, text, 1, 0));
	show(mq_send(queue, text, 11, 0));
	state("full", queue);
	show(mq_receive(queue, text, 10, NULL));
	show(mq_receive(queue, text, 10, NULL));
	show(mq_receive(queue, text, 10, NULL));
	show(mq_receive(queue, text, 9, NULL));
	show(mq_send(queue, BAD, 1, 0));
	show(mq_send(queue, text, 3, 0));
	show(mq_receive(queue, BAD, 10, NULL));
	state("lost", queue);
	show(mq_send(queue, text, 3, 0));
	show(mq_receive(queue, text, 10, BAD));
	state("lost too", queue);
	show(mq_send(1, text, 1, 0));
	show(mq_send(999, text, 1, 0));
	show(mq_receive(999, text, 10, NULL));
	show(mq_send(999, text, 1, 40000));
	const char *name = name_of("e");
	mqd_t reads = need(mq_open(name, O_RDONLY)), writes = need(mq_open(name, O_WRONLY));
	show(mq_send(reads, text, 1, 0));
	show(mq_receive(writes, text, 10, NULL));
	show(mq_receive(writes, text, 1, NULL));
	show(write(queue, "x", 1));
	show(ftruncate(queue, 0));
	show(mmap(NULL, 4096, PROT_READ, MAP_SHARED, queue, 0) == MAP_FAILED ? -1 : 0);
	show(fsync(queue));
	struct timespec bad = { 0, 1000000000 }, past = { 1, 0 };
	show(mq_timedsend(queue, text, 1, 0, &bad));
	show(mq_timedsend(999, text, 1, 40000, &bad));
	show(raw(SYS_mq_timedsend, 999, text, 1, 40000, BAD));
	show(mq_timedreceive(queue, text, 10, NULL, &past));
	show(mq_timedreceive(queue, text, 10, NULL, &past));
	struct mq_attr blocks = { .mq_flags = 0 };
	show(mq_setattr(queue, &blocks, NULL));
	show(mq_timedreceive(queue, text, 10, NULL, &past));
	mq_send(queue, text, 1, 0);
	mq_send(queue, text, 1, 0);
	show(mq_timedsend(queue, text, 1, 0, &past));
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 20000000;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	show(mq_timedsend(queue, text, 1, 0, &soon));
}

CHECK(attributes)
{
	mqd_t queue = make("f", 3, 20, 0);
	mqd_t second = need(mq_open(name_of("f"), O_RDWR));
	mqd_t copy = dup(queue);
	struct mq_attr new = { .mq_flags = O_NONBLOCK, .mq_maxmsg = 9, .mq_msgsize = 9, .mq_curmsgs = 9 }, old;
	show(mq_setattr(queue, &new, &old));
	say("was %ld, %ld of %ld", old.mq_flags, old.mq_maxmsg, old.mq_msgsize);
	state("first", queue);
	state("copy", copy);
	state("opened apart", second);
	say("flags %s", open_names(fcntl(copy, F_GETFL)));
	new.mq_flags = O_NONBLOCK | O_APPEND;
	show(mq_setattr(queue, &new, NULL));
	new.mq_flags = 1;
	show(mq_setattr(999, &new, NULL));
	show(mq_setattr(queue, BAD, NULL));
	show(mq_getattr(queue, BAD));
	show(mq_getattr(999, &old));
	show(mq_getattr(1, &old));
	fcntl(second, F_SETFL, O_NONBLOCK);
	state("by F_SETFL", second);
}

CHECK(text)
{
	mqd_t queue = make("g", 3, 100, 0);
	char text[200];
	long length = read(queue, text, sizeof text);
	show_bytes("empty", text, length);
	show(read(queue, text, sizeof text));
	mq_send(queue, "12345", 5, 0);
	mq_send(queue, "123", 3, 7);
	show(lseek(queue, 0, SEEK_SET));
	length = read(queue, text, 12);
	show_bytes("part", text, length);
	length = read(queue, text, sizeof text);
	show_bytes("rest", text, length);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	show(mq_notify(queue, &event));
	length = pread(queue, text, sizeof text, 0);
	text[length > 0 ? length : 0] = 0;
	char *pid = strstr(text, "NOTIFY_PID:");
	say("notify %.*s, by me %d", 43, text, pid && atoi(pid + 11) == getpid());
	show(lseek(queue, 0, SEEK_END));
	show(pread(queue, text, 10, 79));
	show(pread(queue, BAD, 10, 0));
}

static pid_t taker(mqd_t queue)
{
	pid_t child = start();
	if (child == 0) {
		char text[100];
		unsigned priority;
		long length = mq_receive(queue, text, sizeof text, &priority);
		_exit(length < 0 ? (errno == EINTR ? 101 : 102) : priority);
	}
	wait_asleep(child);
	return child;
}

CHECK(waiting)
{
	mqd_t queue = make("h", 1, 100, 0);
	pid_t a = taker(queue), b = taker(queue);
	show(mq_send(queue, "x", 1, 1));
	reap("first", a);
	state("through", queue);
	show(mq_send(queue, "x", 1, 2));
	reap("second", b);
	show(mq_send(queue, "in", 2, 3));
	pid_t children[2];
	for (int i = 0; i < 2; i++) {
		children[i] = start();
		if (children[i] == 0)
			_exit(mq_send(queue, "waited", 6, 4 + i) ? 1 : 0);
		wait_asleep(children[i]);
	}
	state("full", queue);
	take(queue);
	reap("sender", children[0]);
	state("still full", queue);
	take(queue);
	reap("sender", children[1]);
	take(queue);
	state("empty", queue);
	a = taker(queue);
	kill(a, SIGKILL);
	reap("killed", a);
	show(mq_send(queue, "x", 1, 9));
	state("kept", queue);
}

CHECK(interrupted)
{
	mqd_t queue = make("i", 1, 100, 0);
	for (int restart = 0; restart < 2; restart++) {
		pid_t child = start();
		if (child == 0) {
			char text[100];
			handle(SIGUSR1, do_nothing, restart ? SA_RESTART : 0);
			long length = mq_receive(queue, text, sizeof text, NULL);
			_exit(length < 0 ? (errno == EINTR ? 101 : 102) : 7);
		}
		wait_asleep(child);
		kill(child, SIGUSR1);
		if (restart) {
			wait_asleep(child);
			mq_send(queue, "x", 1, 0);
		}
		reap(restart ? "with SA_RESTART" : "without", child);
	}
}

CHECK(polling)
{
	mqd_t queue = make("j", 1, 100, 0);
	pid_t child = start();
	if (child == 0) {
		struct pollfd set = { .fd = queue, .events = POLLIN };
		show(poll(&set, 1, PATIENCE_MS));
		say("%s", poll_names(set.revents));
		take(queue);
		_exit(0);
	}
	wait_asleep(child);
	need(mq_send(queue, "wake", 4, 0));
	reap("poller", child);
	mq_send(queue, "full", 4, 0);
	child = start();
	if (child == 0) {
		struct pollfd set = { .fd = queue, .events = POLLOUT };
		show(poll(&set, 1, PATIENCE_MS));
		say("%s", poll_names(set.revents));
		_exit(0);
	}
	wait_asleep(child);
	char text[100];
	need(mq_receive(queue, text, sizeof text, NULL));
	reap("poller", child);
}

CHECK(rights)
{
	const char *name = name_of("k");
	umask(0);
	mq_unlink(name);
	mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0604, NULL);
	show_ok(queue);
	IN_CHILD("stranger")
	{
		need(setgroups(0, NULL));
		need(setresgid(65534, 65534, 65534));
		need(setresuid(65534, 65534, 65534));
		show_ok(mq_open(name, O_RDONLY));
		show(mq_open(name, O_WRONLY));
		show(mq_open(name, O_RDWR));
		show(mq_open(name, O_RDWR | O_CREAT, 0600, NULL));
		show(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
		show(mq_unlink(name));
		show(mq_send(queue, "inherited", 9, 0));
		show(fchmod(queue, 0666));
	}
	show(fchmod(queue, 0606));
	show(fchown(queue, 65534, 65534));
	IN_CHILD("new owner")
	{
		need(setresuid(65534, 65534, 65534));
		show_ok(mq_open(name, O_RDWR));
		show(mq_unlink(name));
	}
}

CHECK(many_processes)
{
	mqd_t queue = make("l", 4, 100, 0);
	enum { EACH = 300 };
	pid_t children[4];
	volatile int *sum = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 4; i++) {
		children[i] = start();
		if (children[i] == 0) {
			char text[100];
			for (int n = 0; n < EACH; n++) {
				if (i < 2) {
					sprintf(text, "%d", n);
					if (mq_send(queue, text, strlen(text), n % 5))
						_exit(1);
				} else {
					long length = mq_receive(queue, text, sizeof text, NULL);
					if (length < 0)
						_exit(1);
					text[length] = 0;
					__atomic_fetch_add(sum, atoi(text), __ATOMIC_SEQ_CST);
				}
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		reap("process", children[i]);
	say("sum %d", *sum);
	state("end", queue);
}

CHECK(mounted)
{
	const char *name = name_of("m");
	mq_unlink(name);
	IN_CHILD("child")
	{
		char path[80], text[200];
		struct statfs fs;
		struct stat st;
		have_own_mounts();
		mkdir("m", 0777);
		show(mount("none", "m", "mqueue", 0, NULL));
		need(statfs("m", &fs));
		need(stat("m", &st));
		say("type %#lx, mode %o, nlink %ld", (long)fs.f_type, st.st_mode, (long)st.st_nlink);
		mqd_t queue = need(mq_open(name, O_CREAT | O_RDWR, 0640, NULL));
		snprintf(path, sizeof path, "m%s", name);
		need(stat(path, &st));
		say("%s mode %o size %ld", type_name(st.st_mode), st.st_mode & 07777, (long)st.st_size);
		mq_send(queue, "12345", 5, 0);
		int fd = need(open(path, O_RDONLY));
		long length = read(fd, text, sizeof text);
		show_bytes("text", text, length);
		struct pollfd set = { .fd = fd, .events = POLLIN | POLLOUT };
		show(poll(&set, 1, 0));
		say("%s", poll_names(set.revents));
		// An open file of the mount is a queue as good as any.
		static char large[9000];
		show(mq_receive(fd, large, sizeof large, NULL));
		int found = 0;
		DIR *directory = opendir("m");
		for (struct dirent *entry; (entry = readdir(directory));)
			found += !strcmp(entry->d_name, name + 1) && entry->d_type == DT_REG;
		closedir(directory);
		say("listed %d", found);
		show(chmod(path, 0600));
		show(mkdir("m/directory", 0777));
		show(symlink("x", "m/link"));
		show(rename(path, "m/other"));
		show(link(path, "m/other"));
		show(unlink(path));
		show(mq_open(name, O_RDWR));
		fd = show_ok(open(path, O_CREAT | O_EXCL | O_RDWR, 0644));
		struct mq_attr attr;
		show(mq_getattr(fd, &attr));
		say("%ld of %ld", attr.mq_maxmsg, attr.mq_msgsize);
		show_ok(mq_open(name, O_RDWR));
		show(truncate(path, 5));
		need(stat(path, &st));
		say("size %ld", (long)st.st_size);
		show(mq_unlink(name));
		show(stat(path, &st));
		show(umount2("m", MNT_DETACH));
	}
}
