// open_path.c: O_PATH descriptors, what they allow and what they refuse.
//
// Calls: open openat fstat fchdir fcntl linkat readlinkat
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

static int file(void)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, "content", 7));
	close(fd);
	return need(open("f", O_PATH));
}

CHECK(data_calls_refused)
{
	char buffer[8];
	int fd = file();
	struct pollfd set = { .fd = fd, .events = POLLIN };
	show(read(fd, buffer, 1));
	show(read(fd, bad_pointer(), 0));
	show(write(fd, buffer, 1));
	show(pread(fd, buffer, 1, 0));
	show(pread(fd, buffer, 1, -1));
	show(readv(fd, NULL, 0));
	show(lseek(fd, 0, SEEK_SET));
	show(ftruncate(fd, 0));
	show(fsync(fd));
	show(fallocate(fd, 0, 0, 1));
	show(ioctl(fd, FIONREAD, buffer));
	show(ioctl(fd, FIOCLEX));
	show(flock(fd, LOCK_SH));
	show(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL));
	show(sendfile(1, fd, NULL, 1));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	show(poll(&set, 1, 0));
	say("revents %s", poll_names(set.revents));
}

CHECK(metadata_calls)
{
	struct stat st;
	struct statfs fs;
	int fd = file();
	show(fstat(fd, &st));
	say("size %ld", (long)st.st_size);
	show(fstatfs(fd, &fs));
	show(fchmod(fd, 0600));
	show(fchown(fd, -1, -1));
	show(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
	show(futimens(fd, NULL));
	show(utimensat(fd, "", NULL, AT_EMPTY_PATH));
	show(fgetxattr(fd, "user.a", NULL, 0));
	show(fsetxattr(fd, "user.a", "v", 1, 0));
	show(fchdir(fd));
	show(faccessat(fd, "", R_OK, AT_EMPTY_PATH));
	show(syscall(SYS_faccessat2, fd, "", W_OK, AT_EMPTY_PATH));
}

CHECK(descriptor_calls)
{
	int fd = file();
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
	show(fcntl(fd, F_SETFL, O_APPEND));
	show(fcntl(fd, F_GETFD));
	show(fcntl(fd, F_SETFD, FD_CLOEXEC));
	show(fcntl(fd, F_GETFD));
	show(fcntl(fd, F_DUPFD, 10));
	show(fcntl(fd, F_DUPFD_CLOEXEC, 10));
	show(fcntl(fd, F_GETOWN));
	show(fcntl(fd, F_GETPIPE_SZ));
	show(fcntl(fd, F_GET_SEALS));
	struct flock lock = { .l_type = F_RDLCK };
	show(fcntl(fd, F_SETLK, &lock));
	show(fcntl(fd, F_GETLK, bad_pointer()));
	show(fcntl(fd, 9999));
	show(dup(fd));
	show(dup2(fd, 20));
	say("flags of the copy %s", open_names(fcntl(20, F_GETFL)));
	show(close(fd));
}

CHECK(flags_kept_and_dropped)
{
	file();
	int fd = show(open("f", O_PATH | O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC));
	say("flags %s, FD_CLOEXEC %d", open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
	fd = show(open("f", O_PATH | O_TRUNC | O_CREAT | O_EXCL, 0600));
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
	struct stat st;
	fstat(fd, &st);
	say("size %ld", (long)st.st_size);
	show(open("missing", O_PATH | O_CREAT, 0600));
	show(open("f", O_PATH | O_DIRECTORY));
	show(open("f/", O_PATH));
	fd = show(open(".", O_PATH | O_DIRECTORY | O_NOFOLLOW));
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
}

CHECK(symlink_itself)
{
	char target[16];
	struct stat st;
	symlink("nowhere", "l");
	show(open("l", O_PATH));
	show(open("l", O_NOFOLLOW));
	int fd = show(open("l", O_PATH | O_NOFOLLOW));
	show(fstat(fd, &st));
	say("%s", type_name(st.st_mode));
	show(readlinkat(fd, "", target, sizeof target));
	show_bytes("target", target, 7);
	show(readlinkat(fd, "x", target, sizeof target));
	int plain = file();
	show(readlinkat(plain, "", target, sizeof target));
	show(open("l", O_PATH | O_NOFOLLOW | O_DIRECTORY));
	show(fchmodat(fd, "", 0600, 0));
	show(linkat(fd, "", AT_FDCWD, "hard", AT_EMPTY_PATH));
	show(readlink("hard", target, sizeof target));
}

CHECK(reopen_through_proc)
{
	char path[64], buffer[8];
	int fd = file();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int again = show(open(path, O_RDWR));
	show(read(again, buffer, 8));
	unlink("f");
	show(open(path, O_RDONLY));
	show(open(path, O_RDONLY | O_CREAT | O_EXCL, 0600));
	show(open(path, O_RDONLY | O_NOFOLLOW));
	show(open(path, O_PATH | O_NOFOLLOW));
	symlink("nowhere", "l");
	snprintf(path, sizeof path, "/proc/self/fd/%d", open("l", O_PATH | O_NOFOLLOW));
	show(open(path, O_RDONLY));
}

CHECK(as_base_of_at_calls)
{
	mkdir("d", 0777);
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	int d = show(open("d", O_PATH));
	show(openat(d, "f", O_RDONLY));
	show(openat(d, "new", O_CREAT | O_RDWR, 0600));
	show(mkdirat(d, "sub", 0777));
	show(unlinkat(d, "sub", AT_REMOVEDIR));
	show(syscall(SYS_getdents64, d, bad_pointer(), 4096));
	show(fchdir(d));
	show(access("f", F_OK));
	show(open("..", O_PATH));
}

CHECK(special_files_do_not_wake)
{
	mkfifo("p", 0644);
	show(open("p", O_PATH));
	show(open("p", O_WRONLY | O_NONBLOCK));
	show(open("/dev/null", O_PATH | O_RDWR));
}

CHECK(without_permission)
{
	IN_CHILD("other user") {
		close(open("f", O_CREAT | O_WRONLY, 0600));
		chmod(".", 0755);
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			say("setresuid: %s", errno_name(errno));
		int fd = show(open("f", O_PATH));
		show(open("f", O_RDONLY));
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		show(open(path, O_RDONLY));
	}
}
