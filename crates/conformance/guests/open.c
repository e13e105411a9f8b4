// open.c: access modes, creation flags, truncation, descriptor choice.
//
// Calls: open openat creat
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static void make(const char *name, const char *content)
{
	int fd = need(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	close(fd);
}

static void show_mode(const char *name)
{
	struct stat st;
	if (lstat(name, &st))
		say("%s: %s", name, errno_name(errno));
	else
		say("%s: %s %o size %ld", name, type_name(st.st_mode), st.st_mode & 07777, (long)st.st_size);
}

CHECK(exclusive)
{
	show(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
	show(open("f", O_RDWR | O_CREAT | O_EXCL, 0600));
	show(open("f", O_RDONLY | O_EXCL));
	mkdir("d", 0777);
	show(open("d", O_RDONLY | O_CREAT | O_EXCL, 0600));
	symlink("missing", "dangling");
	show(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
	show_mode("missing");
	show(open("dangling", O_RDWR | O_CREAT, 0600));
	show_mode("missing");
	show(open("/", O_CREAT | O_EXCL | O_RDWR, 0600));
	show(open(".", O_CREAT | O_EXCL | O_RDWR, 0600));
}

CHECK(modes_and_umask)
{
	static const mode_t masks[] = { 0, 022, 027, 077, 0777, 01777 };
	for (int i = 0; i < 6; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		umask(masks[i]);
		close(open(name, O_CREAT | O_WRONLY, 06777));
		show_mode(name);
	}
	umask(0);
	close(open("sticky", O_CREAT | O_WRONLY, 01666));
	show_mode("sticky");
	close(open("type", O_CREAT | O_WRONLY, S_IFDIR | 0644));
	show_mode("type");
	show(open("mode0", O_CREAT | O_RDWR, 0));
	show_mode("mode0");
}

CHECK(existing_keeps_its_mode)
{
	make("f", "abc");
	chmod("f", 0604);
	show(open("f", O_CREAT | O_WRONLY, 0777));
	show_mode("f");
	show(creat("f", 0777));
	show_mode("f");
}

CHECK(truncation)
{
	make("f", "0123456789");
	show(open("f", O_RDONLY));
	show_mode("f");
	show(open("f", O_WRONLY | O_TRUNC));
	show_mode("f");
	make("f", "0123456789");
	show(open("f", O_RDONLY | O_TRUNC));
	show_mode("f");
	make("f", "0123456789");
	show(open("f", O_CREAT | O_EXCL | O_TRUNC | O_WRONLY, 0644));
	show_mode("f");
	mkdir("d", 0777);
	show(open("d", O_RDONLY | O_TRUNC));
	show(open("d", O_WRONLY | O_TRUNC));
}

CHECK(directories)
{
	mkdir("d", 0777);
	make("f", "x");
	show(open("d", O_RDONLY));
	show(open("d", O_WRONLY));
	show(open("d", O_RDWR));
	show(open("d", O_RDONLY | O_CREAT, 0600));
	show(open("d", O_RDONLY | O_DIRECTORY));
	show(open("f", O_RDONLY | O_DIRECTORY));
	show(open("missing", O_RDONLY | O_DIRECTORY));
	show(open("missing", O_RDONLY | O_DIRECTORY | O_CREAT, 0600));
	show(open("d", O_RDONLY | O_DIRECTORY | O_CREAT, 0600));
	show(open("f", O_RDWR | O_DIRECTORY | O_TRUNC));
	show_mode("f");
	show_mode("missing");
	show(open(".", O_RDWR));
	show(open("..", O_RDONLY | O_DIRECTORY));
}

CHECK(trailing_slashes)
{
	mkdir("d", 0777);
	make("f", "x");
	symlink("d", "ld");
	symlink("f", "lf");
	symlink("missing", "lm");
	show(open("d/", O_RDONLY));
	show(open("d///", O_RDONLY));
	show(open("f/", O_RDONLY));
	show(open("f/.", O_RDONLY));
	show(open("f/x", O_RDONLY));
	show(open("f/..", O_RDONLY));
	show(open("missing/", O_RDONLY));
	show(open("missing/", O_RDWR | O_CREAT, 0644));
	show(open("d/", O_RDWR | O_CREAT, 0644));
	show(open("f/", O_RDWR | O_CREAT, 0644));
	show(open("ld/", O_RDONLY));
	show(open("ld/", O_RDONLY | O_NOFOLLOW));
	show(open("lf/", O_RDONLY));
	show(open("lm/", O_RDWR | O_CREAT, 0644));
	show(open("d/new/", O_RDWR | O_CREAT | O_EXCL, 0644));
	show(open("", O_RDONLY));
	show(open("", O_RDWR | O_CREAT, 0644));
	show(open("d//.//../f", O_RDONLY));
}

CHECK(append)
{
	char buffer[32];
	make("f", "start");
	int fd = show(open("f", O_RDWR | O_APPEND));
	show(lseek(fd, 0, SEEK_CUR));
	show(write(fd, "+a", 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 1, SEEK_SET));
	show(read(fd, buffer, 2));
	show(write(fd, "+b", 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(pwrite(fd, "+c", 2, 0));
	show(lseek(fd, 0, SEEK_CUR));
	show_bytes("file", buffer, pread(fd, buffer, sizeof buffer, 0));
	int other = open("f", O_RDWR);
	show(write(other, "AB", 2));
	show(lseek(other, 0, SEEK_CUR));
	show(ftruncate(fd, 3));
	show(write(fd, "!", 1));
	show_bytes("file", buffer, pread(fd, buffer, sizeof buffer, 0));
}

CHECK(access_mode_three)
{
	char c;
	make("f", "x");
	int fd = show(open("f", O_ACCMODE));
	show(read(fd, &c, 1));
	show(write(fd, &c, 1));
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
	show(ftruncate(fd, 0));
}

CHECK(access_by_mode)
{
	char c;
	make("f", "xyz");
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	show(read(w, &c, 1));
	show(write(r, &c, 1));
	show(read(w, bad_pointer(), 1));
	show(read(w, &c, 0));
	show(write(r, &c, 0));
	show(ftruncate(r, 0));
	show(ftruncate(w, 1));
	show(read(r, &c, 1));
	show(read(r, &c, 1));
	show(fchmod(r, 0600));
	show(fsync(r));
}

CHECK(lowest_descriptor)
{
	make("f", "");
	show(open("f", O_RDONLY));
	show(open("f", O_RDONLY));
	show(open("f", O_RDONLY));
	show(close(4));
	show(close(3));
	show(open("missing", O_RDONLY));
	show(open("f", O_RDONLY));
	show(open("f", O_RDONLY));
	show(open("f", O_RDONLY));
}

CHECK(descriptor_limit)
{
	make("f", "");
	struct rlimit before, now;
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = 5;
	setrlimit(RLIMIT_NOFILE, &now);
	show(open("f", O_RDONLY));
	show(open("f", O_RDONLY));
	show(open("f", O_RDONLY));
	show(open("missing", O_RDONLY));
	show(open(bad_pointer(), O_RDONLY));
	show(open("new", O_CREAT | O_RDWR, 0600));
	show_mode("new");
	show(open("f", O_WRONLY | O_TRUNC));
	setrlimit(RLIMIT_NOFILE, &before);
}

CHECK(status_flags)
{
	make("f", "x");
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR | O_APPEND, O_RDWR | O_NONBLOCK, O_RDONLY | O_SYNC,
				     O_RDONLY | O_DSYNC, O_RDWR | O_CREAT | O_TRUNC | O_NOCTTY, O_RDONLY | O_CLOEXEC,
				     O_RDONLY | O_NOFOLLOW, O_RDONLY | O_NOATIME, O_RDONLY | O_ASYNC };
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		int fd = open("f", flags[i], 0644);
		int got = fcntl(fd, F_GETFL);
		say("%s -> %s, large file bit %d, FD_CLOEXEC %d", open_names(flags[i]), open_names(got), !!(got & 0100000),
		    fcntl(fd, F_GETFD));
		close(fd);
	}
}

CHECK(unknown_flags_are_ignored)
{
	make("f", "x");
	int fd = show(open("f", O_RDONLY | 0x40000000));
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
	fd = show(open("f", O_RDONLY | (int)0x80000000));
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
	show(open("f", 020000000 | O_RDONLY));
}

CHECK(openat)
{
	mkdir("d", 0777);
	make("d/f", "x");
	make("f", "y");
	int d = open("d", O_RDONLY | O_DIRECTORY), f = open("f", O_RDONLY);
	char *absolute = realpath("f", NULL);
	show(openat(d, "f", O_RDONLY));
	show(openat(f, "f", O_RDONLY));
	show(openat(-1, "f", O_RDONLY));
	show(openat(200, "f", O_RDONLY));
	show_ok(openat(-1, absolute, O_RDONLY));
	show_ok(openat(f, absolute, O_RDONLY));
	show(openat(AT_FDCWD, "d/f", O_RDONLY));
	show(openat(d, "../f", O_RDONLY));
	show(openat(d, "", O_RDONLY));
	show(openat(-1, "", O_RDONLY));
	show(openat(d, NULL, O_RDONLY));
	show(openat(-1, NULL, O_RDONLY));
	show(openat(d, ".", O_RDONLY));
	show(openat(d, "new", O_CREAT | O_EXCL | O_WRONLY, 0600));
	show_mode("d/new");
}

CHECK(removed_directory)
{
	mkdir("d", 0777);
	int d = open("d", O_RDONLY);
	rmdir("d");
	show(openat(d, "f", O_CREAT | O_RDWR, 0600));
	show(openat(d, "f", O_RDONLY));
	show(openat(d, ".", O_RDONLY));
	show(mkdirat(d, "x", 0777));
	struct stat st;
	fstat(d, &st);
	say("links %d", (int)st.st_nlink);
}

CHECK(unlinked_file_lives)
{
	char buffer[8];
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	unlink("f");
	show(write(fd, "alive", 5));
	show(pread(fd, buffer, 8, 0));
	struct stat st;
	fstat(fd, &st);
	say("links %d size %ld", (int)st.st_nlink, (long)st.st_size);
	int again = open("f", O_CREAT | O_EXCL | O_RDWR, 0600);
	show(read(again, buffer, 8));
}
