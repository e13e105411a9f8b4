// stat.c: stat, lstat, fstat, fstatat and their errors.
//
// Calls: stat lstat fstat newfstatat
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static void show_stat(const char *what, const struct stat *st)
{
	say("%s: %s %o links %d uid %d gid %d size %ld", what, type_name(st->st_mode), st->st_mode & 07777, (int)st->st_nlink,
	    (int)st->st_uid, (int)st->st_gid, S_ISDIR(st->st_mode) ? -1 : (long)st->st_size);
}

CHECK(types)
{
	struct stat st;
	close(open("f", O_CREAT | O_WRONLY, 0644));
	mkdir("d", 0751);
	mkfifo("p", 0600);
	symlink("some/target", "l");
	mknod("s", S_IFSOCK | 0640, 0);
	static const char *names[] = { "f", "d", "p", "l", "s" };
	for (int i = 0; i < 5; i++) {
		if (lstat(names[i], &st))
			say("%s: %s", names[i], errno_name(errno));
		else
			show_stat(names[i], &st);
	}
}

CHECK(links_followed_or_not)
{
	struct stat st;
	close(open("f", O_CREAT | O_WRONLY, 0644));
	mkdir("d", 0755);
	symlink("f", "lf");
	symlink("d", "ld");
	symlink("missing", "lm");
	show(stat("lf", &st));
	show_stat("lf", &st);
	show(lstat("lf", &st));
	show_stat("lf", &st);
	show(stat("lm", &st));
	show(lstat("lm", &st));
	show(lstat("ld/", &st));
	show_stat("ld/", &st);
	show(lstat("lf/", &st));
	show(lstat("lm/", &st));
	show(fstatat(AT_FDCWD, "lf", &st, AT_SYMLINK_NOFOLLOW));
	show_stat("lf", &st);
	show(fstatat(AT_FDCWD, "lf", &st, 0));
}

CHECK(directory_link_counts)
{
	struct stat st;
	mkdir("d", 0755);
	stat("d", &st);
	show(st.st_nlink);
	mkdir("d/a", 0755);
	mkdir("d/b", 0755);
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	stat("d", &st);
	show(st.st_nlink);
	rmdir("d/a");
	stat("d", &st);
	show(st.st_nlink);
	rename("d/b", "b");
	stat("d", &st);
	show(st.st_nlink);
	rename("b", "d/c");
	stat("d", &st);
	show(st.st_nlink);
}

CHECK(errors)
{
	struct stat st;
	static char name[300];
	memset(name, 'x', 256);
	close(open("f", O_CREAT | O_WRONLY, 0644));
	show(stat("missing", &st));
	show(stat("", &st));
	show(stat("f/", &st));
	show(stat("f/x", &st));
	show(stat(name, &st));
	show(stat(NULL, &st));
	show(stat(bad_pointer(), &st));
	show(syscall(SYS_stat, "f", NULL));
	show(syscall(SYS_stat, "f", bad_pointer()));
	show(syscall(SYS_stat, "f", read_only_pointer()));
	show(syscall(SYS_stat, "missing", bad_pointer()));
	show(syscall(SYS_stat, "f", at_edge(sizeof st - 1)));
	show(syscall(SYS_stat, "f", at_edge(sizeof st)));
	show(syscall(SYS_fstat, 99, bad_pointer()));
	show(syscall(SYS_fstat, 0, bad_pointer()));
	show(syscall(SYS_fstat, -1, &st));
	show(syscall(SYS_lstat, bad_pointer(), bad_pointer()));
}

CHECK(fstatat_flags)
{
	struct stat st;
	mkdir("d", 0755);
	int fd = open("f", O_CREAT | O_RDWR, 0604), d = open("d", O_RDONLY);
	show(fstatat(fd, "", &st, AT_EMPTY_PATH));
	show_stat("empty path", &st);
	show(fstatat(fd, "", &st, 0));
	show(syscall(SYS_newfstatat, fd, NULL, &st, AT_EMPTY_PATH));
	show(syscall(SYS_newfstatat, fd, NULL, &st, 0));
	show(fstatat(fd, "x", &st, AT_EMPTY_PATH));
	show(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	show_stat("working directory", &st);
	show(fstatat(99, "", &st, AT_EMPTY_PATH));
	show(fstatat(99, "f", &st, 0));
	show(fstatat(d, "../f", &st, 0));
	show(fstatat(fd, "f", &st, 0));
	show(fstatat(d, "f", &st, 0));
	show(fstatat(AT_FDCWD, "f", &st, 0x4000));
	show(fstatat(AT_FDCWD, "f", &st, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW));
	show(fstatat(AT_FDCWD, "f", &st, AT_SYMLINK_FOLLOW));
	show(fstatat(-1, "missing", &st, 0x4000));
}

CHECK(size_and_blocks)
{
	struct stat st;
	static char block[8192];
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	fstat(fd, &st);
	say("size %ld blocks %ld blksize %ld", (long)st.st_size, (long)st.st_blocks, (long)st.st_blksize);
	write(fd, block, 8192);
	fsync(fd);
	fstat(fd, &st);
	say("size %ld blocks %ld", (long)st.st_size, (long)st.st_blocks);
	pwrite(fd, "x", 1, 100000);
	fsync(fd);
	fstat(fd, &st);
	say("size %ld blocks %ld", (long)st.st_size, (long)st.st_blocks);
	ftruncate(fd, 4096);
	fsync(fd);
	fstat(fd, &st);
	say("size %ld blocks %ld", (long)st.st_size, (long)st.st_blocks);
}

CHECK(identity)
{
	struct stat a, b, c;
	close(open("f", O_CREAT | O_WRONLY, 0644));
	link("f", "g");
	close(open("h", O_CREAT | O_WRONLY, 0644));
	stat("f", &a);
	stat("g", &b);
	stat("h", &c);
	say("linked: same inode %d, same device %d, links %d", a.st_ino == b.st_ino, a.st_dev == b.st_dev, (int)a.st_nlink);
	say("other file: same inode %d, same device %d", a.st_ino == c.st_ino, a.st_dev == c.st_dev);
	rename("f", "moved");
	stat("moved", &b);
	say("renamed: same inode %d", a.st_ino == b.st_ino);
	mkdir("d", 0755);
	stat(".", &a);
	stat("d/..", &b);
	say("parent of a child: same inode %d", a.st_ino == b.st_ino);
	stat("/", &a);
	stat("/..", &b);
	say("above the root is the root: %d", a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

// Which of the three times did the last step move? Times are set far back before each step.
static void moved(const char *what, const char *name)
{
	struct stat st;
	stat(name, &st);
	struct timespec old = { 1001, 0 };
	say("%s: %s%s", what, later(st.st_atim, old) ? "accessed " : "", later(st.st_mtim, old) ? "modified" : "");
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	utimensat(AT_FDCWD, name, times, 0);
}

CHECK(times_moved_by_calls)
{
	char c;
	mkdir("d", 0755);
	int fd = open("d/f", O_CREAT | O_RDWR, 0644);
	moved("creation", "d/f");
	moved("creation, directory", "d");
	write(fd, "x", 1);
	moved("write", "d/f");
	moved("write, directory", "d");
	pread(fd, &c, 1, 0);
	moved("read", "d/f");
	pread(fd, &c, 1, 5);
	moved("read at the end", "d/f");
	write(fd, "", 0);
	moved("empty write", "d/f");
	fchmod(fd, 0600);
	moved("fchmod", "d/f");
	ftruncate(fd, 1);
	moved("ftruncate to the same size", "d/f");
	ftruncate(fd, 0);
	moved("ftruncate", "d/f");
	close(open("d/f", O_WRONLY | O_TRUNC));
	moved("O_TRUNC of an empty file", "d/f");
	truncate("d/f", 0);
	moved("truncate to the same size", "d/f");
	link("d/f", "d/g");
	moved("link", "d/f");
	moved("link, directory", "d");
	rename("d/g", "d/h");
	moved("rename, directory", "d");
	unlink("d/h");
	moved("unlink, directory", "d");
	mkdir("d/e", 0755);
	moved("mkdir, directory", "d");
	rmdir("d/e");
	moved("rmdir, directory", "d");
	close(open("d/f", O_CREAT | O_RDWR, 0644));
	moved("open of the existing, directory", "d");
}
