// inotify.c: what programs are told of files and directories: every kind of event, watches and their flags, the queue.
//
// Calls: inotify_init inotify_init1 inotify_add_watch inotify_rm_watch read poll ioctl
// Passes: host acrida Places: disk tmpfs
#include "process.h"

#include <pthread.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

static const char *event_names(uint32_t mask)
{
	static const struct flag flags[] = {
		FLAG(IN_ACCESS), FLAG(IN_MODIFY), FLAG(IN_ATTRIB), FLAG(IN_CLOSE_WRITE), FLAG(IN_CLOSE_NOWRITE), FLAG(IN_OPEN),
		FLAG(IN_MOVED_FROM), FLAG(IN_MOVED_TO), FLAG(IN_CREATE), FLAG(IN_DELETE), FLAG(IN_DELETE_SELF),
		FLAG(IN_MOVE_SELF), FLAG(IN_UNMOUNT), FLAG(IN_Q_OVERFLOW), FLAG(IN_IGNORED), FLAG(IN_ISDIR), END_OF_FLAGS,
	};
	return flag_names(mask, flags);
}

static uint32_t first_cookie;

// Reads and prints everything that is there. Cookies are numbered from the first of a check.
static void drain(const char *what, int fd)
{
	char buffer[8192] __attribute__((aligned(8)));
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	for (;;) {
		long got = read(fd, buffer, sizeof buffer);
		if (got <= 0) {
			if (errno != EAGAIN)
				say("%s: %s", what, errno_name(errno));
			break;
		}
		for (char *at = buffer; at < buffer + got;) {
			struct inotify_event *event = (struct inotify_event *)at;
			if (event->cookie && !first_cookie)
				first_cookie = event->cookie;
			say("%s: wd %d %s%s%s (%u)%s", what, event->wd, event_names(event->mask), event->len ? " " : "",
			    event->len ? event->name : "", event->len,
			    !event->cookie ? "" : event->cookie == first_cookie ? " cookie" : " another cookie");
			at += sizeof *event + event->len;
		}
	}
	fcntl(fd, F_SETFL, flags);
	first_cookie = 0;
}

static int watch(int fd, const char *path, uint32_t mask)
{
	return need(inotify_add_watch(fd, path, mask));
}

static int new(void)
{
	return need(inotify_init1(IN_NONBLOCK));
}

static int make(const char *path, const char *text)
{
	int fd = need(open(path, O_RDWR | O_CREAT, 0644));
	write(fd, text, strlen(text));
	return fd;
}

CHECK(init_flags)
{
	for (int bit = 0; bit < 32; bit++) {
		long fd = raw(SYS_inotify_init1, 1L << bit);
		if (fd >= 0) {
			say("flag %#lx: ok %s %d", 1L << bit, open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
			close(fd);
		} else if (fd != -EINVAL) {
			say("flag %#lx: %s", 1L << bit, outcome(fd));
		}
	}
	int fd = show(raw(SYS_inotify_init));
	struct stat st;
	fstat(fd, &st);
	say("mode %o size %ld", st.st_mode, (long)st.st_size);
	char path[64], link[64] = "", buffer[64];
	sprintf(path, "/proc/self/fd/%d", fd);
	readlink(path, link, 63);
	say("%s %s", link, open_names(fcntl(fd, F_GETFL)));
	show(write(fd, "x", 1));
	show(lseek(fd, 3, SEEK_SET));
	show(pread(fd, buffer, 64, 0));
	show(ioctl(fd, TCGETS, buffer));
	show(ioctl(fd, FIONREAD, bad_pointer()));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
}

CHECK(add_watch_errors_in_order)
{
	int fd = new(), pipes[2];
	pipe(pipes);
	say("no mask: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, ".", 0L)));
	say("unknown bits: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, ".", 0x1000L | IN_OPEN)));
	say("mask before descriptor: %s", outcome(raw(SYS_inotify_add_watch, 999L, BAD, 0L)));
	say("closed: %s", outcome(raw(SYS_inotify_add_watch, 999L, BAD, (long)(IN_MASK_ADD | IN_MASK_CREATE))));
	say("both: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, BAD, (long)(IN_MASK_ADD | IN_MASK_CREATE))));
	say("not one: %s", outcome(raw(SYS_inotify_add_watch, (long)pipes[0], BAD, (long)IN_OPEN)));
	say("bad path: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, BAD, (long)IN_OPEN)));
	say("empty path: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "", (long)IN_OPEN)));
	say("nothing there: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "none", (long)IN_OPEN)));
	close(make("file", ""));
	say("not a directory: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "file", (long)(IN_OPEN | IN_ONLYDIR))));
	say("below a file: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "file/x", (long)IN_OPEN)));
	say("only flags: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "file", (long)IN_ONESHOT)));
	symlink("loop", "loop");
	say("loop: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "loop", (long)IN_OPEN)));
	say("the link itself: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "loop", (long)(IN_OPEN | IN_DONT_FOLLOW))));
	say("first: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, ".", (long)(IN_OPEN | IN_MASK_CREATE))));
	say("again: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, ".", (long)(IN_OPEN | IN_MASK_CREATE))));
	say("rm closed: %s", outcome(raw(SYS_inotify_rm_watch, 999L, 1L)));
	say("rm not one: %s", outcome(raw(SYS_inotify_rm_watch, (long)pipes[0], 1L)));
	say("rm none: %s", outcome(raw(SYS_inotify_rm_watch, (long)fd, 77L)));
	say("rm 0: %s", outcome(raw(SYS_inotify_rm_watch, (long)fd, 0L)));
	say("rm -1: %s", outcome(raw(SYS_inotify_rm_watch, (long)fd, -1L)));
	IN_CHILD("another user") {
		mkdir("secret", 0700);
		chmod("file", 0);
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		say("not readable: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "file", (long)IN_OPEN)));
		say("not searchable: %s", outcome(raw(SYS_inotify_add_watch, (long)fd, "secret/x", (long)IN_OPEN)));
	}
}

CHECK(reading_and_writing)
{
	int fd = new();
	close(make("file", "hello"));
	watch(fd, "file", IN_ALL_EVENTS);
	watch(fd, ".", IN_ALL_EVENTS);
	char byte[16];
	int file = open("file", O_RDWR);
	drain("open", fd);
	read(file, byte, 2);
	read(file, byte, 2);
	drain("two reads are one", fd);
	read(file, byte, 0);
	lseek(file, 0, SEEK_END);
	read(file, byte, 1);
	drain("nothing read", fd);
	write(file, "x", 1);
	pwrite(file, "y", 1, 0);
	drain("writes", fd);
	write(file, "", 0);
	drain("nothing written", fd);
	struct iovec v = { byte, 3 };
	preadv(file, &v, 1, 0);
	writev(file, &v, 1);
	drain("vectors", fd);
	ftruncate(file, 1);
	drain("ftruncate", fd);
	fsync(file);
	lseek(file, 0, SEEK_SET);
	drain("fsync", fd);
	close(dup(file));
	drain("a copy closed", fd);
	close(file);
	drain("closed", fd);
	file = open("file", O_RDONLY);
	close(file);
	drain("read only", fd);
	file = open("file", O_PATH);
	close(file);
	drain("path only", fd);
	open("file", O_RDWR | O_EXCL | O_CREAT, 0644);
	open("nothing", O_RDWR);
	drain("failed opens", fd);
}

CHECK(creating_and_truncating)
{
	int fd = new();
	watch(fd, ".", IN_ALL_EVENTS);
	int file = open("new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	drain("create", fd);
	close(file);
	drain("close", fd);
	file = open("new", O_WRONLY | O_TRUNC);
	drain("truncate an empty one", fd);
	write(file, "hello", 5);
	close(file);
	drain("written", fd);
	close(open("new", O_RDWR | O_CREAT | O_TRUNC, 0644));
	drain("truncate", fd);
	truncate("new", 100);
	drain("truncate by name", fd);
	truncate("new", 100);
	drain("no change", fd);
	file = open("new", O_RDWR);
	posix_fallocate(file, 0, 4096);
	drain("fallocate", fd);
	close(file);
	drain("close", fd);
	creat("other", 0600);
	drain("creat", fd);
}

CHECK(names_come_and_go)
{
	int fd = new();
	watch(fd, ".", IN_ALL_EVENTS);
	mkdir("dir", 0755);
	drain("mkdir", fd);
	mkdir("dir", 0755);
	drain("once more", fd);
	mknod("fifo", S_IFIFO | 0644, 0);
	mknod("plain", S_IFREG | 0644, 0);
	drain("mknod", fd);
	symlink("dir", "link");
	drain("symlink", fd);
	link("plain", "second");
	drain("link", fd);
	unlink("second");
	drain("unlink one of two", fd);
	unlink("plain");
	unlink("fifo");
	unlink("link");
	drain("unlink", fd);
	rmdir("dir");
	drain("rmdir", fd);
	unlink("none");
	drain("nothing", fd);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	bind(s, (struct sockaddr *)&name, sizeof name);
	drain("bind", fd);
	unlink("socket");
	drain("unlink a socket", fd);
}

CHECK(attributes)
{
	int fd = new();
	close(make("file", "hello"));
	mkdir("dir", 0755);
	watch(fd, "file", IN_ALL_EVENTS);
	watch(fd, ".", IN_ALL_EVENTS);
	chmod("file", 0600);
	drain("chmod", fd);
	chmod("file", 0600);
	drain("chmod to the same", fd);
	chown("file", getuid(), getgid());
	drain("chown", fd);
	chown("file", -1, -1);
	drain("chown nothing", fd);
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	utimensat(AT_FDCWD, "file", times, 0);
	drain("both times", fd);
	times[1].tv_nsec = UTIME_OMIT;
	utimensat(AT_FDCWD, "file", times, 0);
	drain("atime", fd);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = 0;
	utimensat(AT_FDCWD, "file", times, 0);
	drain("mtime", fd);
	utimensat(AT_FDCWD, "file", NULL, 0);
	drain("now", fd);
	if (setxattr("file", "user.x", "1", 1, 0) == 0) {
		drain("setxattr", fd);
		removexattr("file", "user.x");
		drain("removexattr", fd);
	} else {
		say("no extended attributes");
	}
	chmod("dir", 0700);
	drain("a directory", fd);
	int dir = open("dir", O_RDONLY);
	fchmod(dir, 0755);
	drain("through a descriptor", fd);
	link("file", "file2");
	drain("another name", fd);
	unlink("file");
	drain("first name gone", fd);
}

CHECK(reading_directories)
{
	int fd = new();
	mkdir("dir", 0755);
	close(make("dir/file", ""));
	watch(fd, "dir", IN_ALL_EVENTS);
	watch(fd, ".", IN_ALL_EVENTS);
	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	drain("open", fd);
	char buffer[4096];
	syscall(SYS_getdents64, dir, buffer, sizeof buffer);
	drain("first read", fd);
	syscall(SYS_getdents64, dir, buffer, sizeof buffer);
	drain("at the end", fd);
	fchdir(dir);
	drain("chdir", fd);
	close(dir);
	drain("close", fd);
	struct stat st;
	stat(".", &st);
	access("file", R_OK);
	drain("stat", fd);
}

CHECK(renames)
{
	int fd = new();
	mkdir("a", 0755);
	mkdir("b", 0755);
	close(make("a/file", ""));
	watch(fd, "a", IN_ALL_EVENTS);
	watch(fd, "b", IN_ALL_EVENTS);
	watch(fd, "a/file", IN_ALL_EVENTS);
	rename("a/file", "a/new");
	drain("in a directory", fd);
	rename("a/new", "b/moved");
	drain("to another", fd);
	rename("b/moved", "outside");
	drain("out", fd);
	rename("outside", "a/file");
	drain("in", fd);
	rename("a/file", "a/file");
	drain("to itself", fd);
	close(make("a/one", ""));
	drain("make", fd);
	renameat2(AT_FDCWD, "a/file", AT_FDCWD, "a/one", RENAME_EXCHANGE);
	drain("exchange", fd);
	renameat2(AT_FDCWD, "a/file", AT_FDCWD, "a/one", RENAME_NOREPLACE);
	drain("refused", fd);
	rename("a", "b/a");
	drain("a directory moved", fd);
	close(make("b/a/two", ""));
	drain("watched where it is now", fd);
}

CHECK(rename_over_another)
{
	int fd = new();
	close(make("one", ""));
	close(make("two", ""));
	watch(fd, ".", IN_ALL_EVENTS);
	watch(fd, "one", IN_ALL_EVENTS);
	watch(fd, "two", IN_ALL_EVENTS);
	rename("one", "two");
	drain("replaced", fd);
	mkdir("d1", 0755);
	mkdir("d2", 0755);
	drain("mkdir", fd);
	watch(fd, "d2", IN_ALL_EVENTS);
	rename("d1", "d2");
	drain("directory replaced", fd);
	close(make("three", ""));
	watch(fd, "three", IN_ALL_EVENTS);
	int open_one = open("three", O_RDONLY);
	drain("made", fd);
	rename("two", "three");
	drain("replaced while open", fd);
	close(open_one);
	drain("closed", fd);
}

CHECK(the_end_of_a_file)
{
	int fd = new();
	close(make("file", ""));
	watch(fd, "file", IN_ALL_EVENTS);
	watch(fd, ".", IN_ALL_EVENTS);
	unlink("file");
	drain("not open", fd);
	int file = make("file", "hello");
	watch(fd, "file", IN_ALL_EVENTS);
	drain("made", fd);
	unlink("file");
	drain("open", fd);
	char byte;
	pread(file, &byte, 1, 0);
	drain("still read", fd);
	close(file);
	drain("closed", fd);
	close(make("file", ""));
	link("file", "second");
	int wd = watch(fd, "file", IN_DELETE_SELF);
	drain("two names", fd);
	unlink("file");
	drain("one name", fd);
	unlink("second");
	drain("no name", fd);
	show(inotify_rm_watch(fd, wd));
}

CHECK(the_end_of_a_directory)
{
	int fd = new();
	mkdir("dir", 0755);
	mkdir("dir/sub", 0755);
	watch(fd, "dir", IN_ALL_EVENTS);
	watch(fd, "dir/sub", IN_ALL_EVENTS);
	rmdir("dir");
	drain("not empty", fd);
	rmdir("dir/sub");
	drain("sub", fd);
	rmdir("dir");
	drain("dir", fd);
	// A later one of the same name is another.
	mkdir("dir", 0755);
	close(make("dir/file", ""));
	drain("another", fd);
	say("wd %d", watch(fd, "dir", IN_CREATE));
}

// A directory that somebody uses goes when he is done with it.
CHECK(the_end_of_a_directory_in_use)
{
	int in = new();
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	mkdir("d/f", 0755);
	watch(in, "d/e", IN_ALL_EVENTS & ~IN_OPEN & ~IN_CLOSE);
	watch(in, "d/f", IN_DELETE_SELF);
	int held = need(open("d/e", O_PATH));
	need(chdir("d/f"));
	show(rmdir("../e"));
	show(rmdir("../f"));
	drain("removed", in);
	close(held);
	drain("closed", in);
	need(chdir("../.."));
	drain("left", in);
	mkdir("d/g", 0755);
	mkdir("d/h", 0755);
	watch(in, "d/h", IN_DELETE_SELF);
	held = need(open("d/h", O_RDONLY | O_DIRECTORY));
	show(rename("d/g", "d/h"));
	drain("renamed over", in);
	close(held);
	drain("closed", in);
	mkdir("d/i", 0755);
	watch(in, "d/i", IN_DELETE_SELF);
	held = make("d/i/f", "text");
	show(unlink("d/i/f"));
	show(rmdir("d/i"));
	drain("with an open file", in);
	close(held);
	drain("without", in);
}

CHECK(masks_and_numbers)
{
	int fd = new();
	close(make("file", ""));
	close(make("other", ""));
	say("%d", watch(fd, "file", IN_OPEN));
	say("%d", watch(fd, "other", IN_OPEN));
	say("%d", watch(fd, "file", IN_CLOSE_NOWRITE));
	close(open("file", O_RDONLY));
	drain("replaced", fd);
	say("%d", watch(fd, "file", IN_OPEN | IN_MASK_ADD));
	close(open("file", O_RDONLY));
	drain("added", fd);
	show(inotify_rm_watch(fd, 1));
	drain("removed", fd);
	show(inotify_rm_watch(fd, 1));
	close(open("file", O_RDONLY));
	drain("no longer watched", fd);
	say("%d", watch(fd, "file", IN_OPEN));
	link("file", "name");
	say("another name, the same watch: %d", watch(fd, "name", IN_OPEN));
	int second = new();
	say("another instance: %d", watch(second, "file", IN_OPEN));
	close(open("name", O_RDONLY));
	drain("one", fd);
	drain("two", second);
	close(second);
	close(open("name", O_RDONLY));
	drain("one", fd);
}

CHECK(oneshot)
{
	int fd = new();
	close(make("file", ""));
	watch(fd, "file", IN_OPEN | IN_CLOSE | IN_ONESHOT);
	close(open("file", O_RDONLY));
	drain("once", fd);
	close(open("file", O_RDONLY));
	drain("never again", fd);
	say("%d", watch(fd, "file", IN_OPEN | IN_ONESHOT));
	watch(fd, "file", IN_OPEN);
	close(open("file", O_RDONLY));
	close(open("file", O_RDONLY));
	drain("the flag is gone with the mask", fd);
	watch(fd, "file", IN_ONESHOT | IN_MASK_ADD);
	close(open("file", O_RDONLY));
	drain("and added", fd);
}

CHECK(excl_unlink)
{
	int fd = new();
	int file = make("file", "hello");
	watch(fd, ".", IN_ALL_EVENTS | IN_EXCL_UNLINK);
	unlink("file");
	drain("unlinked", fd);
	write(file, "x", 1);
	close(file);
	drain("no name, no event", fd);
	watch(fd, ".", IN_ALL_EVENTS);
	file = make("file", "hello");
	unlink("file");
	drain("unlinked", fd);
	write(file, "x", 1);
	close(file);
	drain("with the old name", fd);
}

CHECK(isdir_and_onlydir)
{
	int fd = new();
	mkdir("dir", 0755);
	symlink("dir", "link");
	say("%d", watch(fd, "dir", IN_OPEN | IN_ONLYDIR));
	say("%d", watch(fd, "link", IN_OPEN | IN_ONLYDIR));
	show(inotify_add_watch(fd, "link", IN_OPEN | IN_ONLYDIR | IN_DONT_FOLLOW));
	watch(fd, "link", IN_ATTRIB | IN_DELETE_SELF | IN_DONT_FOLLOW);
	close(open("dir", O_RDONLY));
	drain("open", fd);
	unlink("link");
	drain("the link itself", fd);
}

CHECK(queue_and_sizes)
{
	int fd = new(), bytes;
	char buffer[512];
	watch(fd, ".", IN_CREATE);
	show(ioctl(fd, FIONREAD, &bytes));
	say("%d bytes", bytes);
	close(make("a", ""));
	close(make("fifteen-letters", ""));
	close(make("sixteen-letters-", ""));
	ioctl(fd, FIONREAD, &bytes);
	say("%d bytes", bytes);
	show(read(fd, buffer, 0));
	show(read(fd, buffer, 16));
	show(read(fd, buffer, 31));
	show(read(fd, buffer, 33));
	show(read(fd, buffer, 79));
	ioctl(fd, FIONREAD, &bytes);
	say("%d bytes", bytes);
	show(read(fd, bad_pointer(), 512));
	show(read(fd, buffer, 512));
	show(read(fd, buffer, 0));
	close(make("b", ""));
	close(make("c", ""));
	show(read(fd, at_edge(40), 64));
	drain("lost", fd);
	close(make("d", ""));
	close(make("e", ""));
	struct iovec v[] = { { buffer, 40 }, { buffer + 40, 60 } };
	show(readv(fd, v, 2));
	drain("left", fd);
}

CHECK(coalescing)
{
	int fd = new();
	int a = make("a", ""), b = make("b", "");
	watch(fd, ".", IN_MODIFY | IN_ATTRIB);
	for (int i = 0; i < 3; i++)
		write(a, "x", 1);
	write(b, "x", 1);
	write(a, "x", 1);
	chmod("a", 0600);
	chmod("a", 0644);
	write(a, "x", 1);
	drain("only neighbours", fd);
	write(a, "x", 1);
	drain("read", fd);
	write(a, "x", 1);
	drain("and again", fd);
}

static int limit(const char *name)
{
	char path[64], text[32] = "";
	sprintf(path, "/proc/sys/fs/inotify/%s", name);
	int fd = open(path, O_RDONLY);
	read(fd, text, sizeof text - 1);
	close(fd);
	return atoi(text);
}

CHECK(too_many_instances)
{
	// A user who has no others.
	IN_CHILD("a user of his own") {
		int most = limit("max_user_instances");
		struct rlimit room = { most + 64, most + 64 };
		need(setrlimit(RLIMIT_NOFILE, &room));
		become_lone_user();
		int got = 0, last = -1;
		while (got <= most && (last = inotify_init1(0)) >= 0)
			got++;
		say("%s %s", got == most ? "the limit" : "another number", last < 0 ? errno_name(errno) : "?");
		close(3);
		show_ok(inotify_init1(0));
		show(inotify_init1(0));
	}
}

CHECK(overflow)
{
	int most = limit("max_queued_events"), fd = new(), events = 0, overflows = 0;
	close(make("file", ""));
	watch(fd, "file", IN_OPEN | IN_CLOSE);
	// Two events each, of which none repeats the last.
	for (int i = 0; i < most / 2 + 10; i++)
		close(open("file", O_RDONLY));
	char buffer[4096] __attribute__((aligned(8)));
	long got;
	struct inotify_event last = { 0 };
	while ((got = read(fd, buffer, sizeof buffer)) > 0)
		for (char *at = buffer; at < buffer + got; at += sizeof last) {
			memcpy(&last, at, sizeof last);
			events++;
			overflows += (last.mask & IN_Q_OVERFLOW) != 0;
		}
	say("as many as allowed and one: %d, overflows %d", events == most + 1, overflows);
	say("last: wd %d %s %u %u", last.wd, event_names(last.mask), last.cookie, last.len);
	close(open("file", O_RDONLY));
	drain("goes on", fd);
}

static void state(const char *what, int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLPRI | POLLRDHUP | POLLWRNORM };
	int ready = poll(&one, 1, 0);
	say("%s: %d %s", what, ready, one.revents ? poll_names(one.revents) : "nothing");
}

CHECK(readiness)
{
	int fd = new();
	close(make("file", ""));
	watch(fd, "file", IN_OPEN);
	state("nothing happened", fd);
	int file = open("file", O_RDONLY);
	state("opened", fd);
	drain("read", fd);
	state("read", fd);
	unlink("file");
	close(file);
	state("gone", fd);
	drain("gone", fd);
	state("read", fd);
}

CHECK(waiting)
{
	int fd = need(inotify_init1(0));
	close(make("file", ""));
	watch(fd, "file", IN_OPEN);
	for (int kind = 0; kind < 2; kind++) {
		pid_t pid = start();
		if (pid == 0) {
			struct inotify_event event;
			struct pollfd one = { .fd = fd, .events = POLLIN };
			if (kind)
				say("poll %d", poll(&one, 1, -1));
			long got = read(fd, &event, sizeof event);
			say("%ld %s", got, event_names(event.mask));
			_exit(0);
		}
		wait_asleep(pid);
		close(open("file", O_RDONLY));
		reap("reader", pid);
	}
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		struct inotify_event event;
		show(read(fd, &event, sizeof event));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("reader", pid);
	// Removing a watch is an event, too.
	pid = start();
	if (pid == 0) {
		struct inotify_event event;
		read(fd, &event, sizeof event);
		say("%s", event_names(event.mask));
		_exit(0);
	}
	wait_asleep(pid);
	inotify_rm_watch(fd, 1);
	reap("reader", pid);
}

CHECK(sigio)
{
	int fd = new();
	close(make("file", ""));
	watch(fd, "file", IN_OPEN);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fcntl(fd, F_SETOWN, getpid());
	show(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	close(open("file", O_RDONLY));
	siginfo_t info;
	struct timespec time = { 5, 0 };
	show(sigtimedwait(&set, &info, &time) == SIGIO);
	drain("read", fd);
}

CHECK(over_fork_and_exec)
{
	int fd = need(inotify_init1(IN_NONBLOCK));
	close(make("file", ""));
	watch(fd, "file", IN_ALL_EVENTS);
	IN_CHILD("child")
		close(open("file", O_RDONLY));
	drain("the child's doing", fd);
	IN_CHILD("child")
		inotify_rm_watch(fd, 1);
	drain("removed by the child", fd);
}

CHECK(copies_between_files)
{
	int fd = new();
	int from = make("from", "hello world"), to = make("to", "");
	watch(fd, "from", IN_ACCESS | IN_MODIFY);
	lseek(from, 0, SEEK_SET);
	show(sendfile(to, from, NULL, 5));
	drain("sendfile", fd);
	off_t at = 0, there = 0;
	show(copy_file_range(from, &at, to, &there, 5, 0));
	drain("copy_file_range", fd);
	int ends[2];
	pipe(ends);
	lseek(from, 0, SEEK_SET);
	show(splice(from, NULL, ends[1], NULL, 5, 0));
	drain("splice out", fd);
	lseek(from, 0, SEEK_SET);
	show(splice(ends[0], NULL, from, NULL, 5, 0));
	drain("splice in", fd);
}

CHECK(tmpfile_and_fifo)
{
	int fd = new();
	mkfifo("fifo", 0644);
	watch(fd, ".", IN_ALL_EVENTS);
	int fifo = open("fifo", O_RDWR);
	write(fifo, "x", 1);
	char byte;
	read(fifo, &byte, 1);
	close(fifo);
	drain("fifo", fd);
	watch(fd, ".", IN_CREATE | IN_DELETE | IN_MOVE);
	int file = open(".", O_TMPFILE | O_RDWR, 0644);
	write(file, "x", 1);
	char path[64];
	sprintf(path, "/proc/self/fd/%d", file);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	close(file);
	drain("a name later", fd);
}

CHECK(fdinfo)
{
	int fd = new();
	close(make("one", ""));
	close(make("two", ""));
	struct stat st[2];
	stat("one", &st[0]);
	stat("two", &st[1]);
	watch(fd, "one", IN_OPEN | IN_ONESHOT);
	watch(fd, "two", IN_ALL_EVENTS | IN_EXCL_UNLINK);
	char path[64], text[4096];
	sprintf(path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY);
	text[read(info, text, sizeof text - 1)] = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned wd, dev, mask, ignored;
		unsigned long ino;
		if (sscanf(line, "inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:%x", &wd, &ino, &dev, &mask, &ignored) == 5)
			say("wd %u, ino %s, mask %x, ignored %x", wd, wd <= 2 && ino == st[wd - 1].st_ino ? "right" : "wrong", mask, ignored);
		else if (!strncmp(line, "flags", 5) || !strncmp(line, "pos", 3))
			say("%s", line);
	}
}

CHECK(unmounting)
{
	mkdir("mnt", 0755);
	IN_CHILD("mounter") {
		have_own_mounts();
		need(mount("none", "mnt", "tmpfs", 0, NULL));
		int fd = new();
		close(make("mnt/file", ""));
		watch(fd, "mnt/file", IN_ALL_EVENTS);
		show(umount("mnt"));
		drain("unmounted", fd);
		show(inotify_rm_watch(fd, 1));
	}
}

static volatile bool stop;

static void *change_files(void *argument)
{
	long which = (long)argument;
	char name[16];
	sprintf(name, "file%ld", which);
	while (!stop) {
		close(open(name, O_RDWR | O_CREAT, 0644));
		unlink(name);
	}
	return NULL;
}

CHECK(watches_come_and_go_while_files_do)
{
	stop = false;
	pthread_t threads[2];
	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, change_files, (void *)i);
	bool wrong = false;
	char buffer[8192] __attribute__((aligned(8)));
	for (int round = 0; round < 50; round++) {
		int fd = new();
		int wd = inotify_add_watch(fd, ".", IN_ALL_EVENTS);
		inotify_add_watch(fd, "file0", IN_ALL_EVENTS | IN_ONESHOT);
		inotify_add_watch(fd, "file1", IN_ALL_EVENTS);
		if (round % 2)
			inotify_rm_watch(fd, wd);
		for (int i = 0; i < 3; i++) {
			long got = read(fd, buffer, sizeof buffer);
			for (char *at = buffer; got > 0 && at < buffer + got;) {
				struct inotify_event *event = (struct inotify_event *)at;
				wrong |= event->wd < 1 || event->wd > 3 || event->len % 16;
				at += sizeof *event + event->len;
			}
		}
		close(fd);
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("wrong: %d", wrong);
}
