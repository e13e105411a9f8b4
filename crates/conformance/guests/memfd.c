// memfd.c: anonymous files and their seals.
//
// Calls: memfd_create fcntl(F_ADD_SEALS F_GET_SEALS)
// Passes: host acrida
#include "check.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 0x10u
#endif

static const struct flag seals[] = {
	FLAG(F_SEAL_SEAL), FLAG(F_SEAL_SHRINK), FLAG(F_SEAL_GROW), FLAG(F_SEAL_WRITE), FLAG(F_SEAL_FUTURE_WRITE), END_OF_FLAGS,
};

static void show_seals(int fd)
{
	int got = fcntl(fd, F_GET_SEALS);
	say("seals %s", got < 0 ? errno_name(errno) : flag_names(got, seals));
}

static int sealable(size_t size)
{
	int fd = need(memfd_create("m", MFD_ALLOW_SEALING));
	need(ftruncate(fd, size));
	return fd;
}

CHECK(creation)
{
	static char name[300];
	memset(name, 'n', 250);
	show(memfd_create("a", 0));
	show(memfd_create("", 0));
	show(memfd_create("with/slash", 0));
	name[249] = 0;
	show(memfd_create(name, 0));
	name[249] = 'n';
	show(memfd_create(name, 0));
	show(memfd_create(NULL, 0));
	show(memfd_create(bad_pointer(), 0));
	show(memfd_create("a", 0x800));
	show(memfd_create(bad_pointer(), 0x800));
	int fd = show(memfd_create("c", MFD_CLOEXEC));
	show(fcntl(fd, F_GETFD));
	say("large file bit %d, %s", !!(fcntl(fd, F_GETFL) & 0100000), open_names(fcntl(fd, F_GETFL)));
}

CHECK(a_file_without_a_name)
{
	struct stat st;
	char target[64] = "", text[8];
	int fd = memfd_create("some name", 0);
	fstat(fd, &st);
	say("%s %o links %d size %ld uid %d", type_name(st.st_mode), st.st_mode & 07777, (int)st.st_nlink, (long)st.st_size,
	    (int)st.st_uid);
	readlink("/proc/self/fd/3", target, 63);
	say("%s", target);
	show(write(fd, "hello", 5));
	show(pread(fd, text, 5, 0));
	show(lseek(fd, 0, SEEK_END));
	int again = show(open("/proc/self/fd/3", O_RDONLY));
	show(read(again, text, 5));
	show(write(again, "x", 1));
	show(fchmod(fd, 0400));
	show(linkat(AT_FDCWD, "/proc/self/fd/3", AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	IN_CHILD("child") {
		memcpy(map, "child", 5);
	}
	show_bytes("map", map, 5);
}

CHECK(without_sealing)
{
	int fd = memfd_create("m", 0);
	show_seals(fd);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	int p[2];
	pipe(p);
	show(fcntl(p[0], F_GET_SEALS));
	show(fcntl(p[0], F_ADD_SEALS, F_SEAL_GROW));
	show(fcntl(open("f", O_CREAT | O_RDWR, 0644), F_GET_SEALS));
	show(fcntl(99, F_GET_SEALS));
}

CHECK(size_seals)
{
	int fd = sealable(4096);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	show(ftruncate(fd, 100));
	show(ftruncate(fd, 4096));
	show(ftruncate(fd, 8192));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	show(ftruncate(fd, 10000));
	show(pwrite(fd, "x", 1, 8191));
	show(pwrite(fd, "xy", 2, 8191));
	show(pwrite(fd, "x", 1, 9000));
	show(fallocate(fd, 0, 0, 10000));
	show(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10000));
	show(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8192));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	show_seals(fd);
	show(open("/proc/self/fd/3", O_RDWR | O_TRUNC));
}

CHECK(write_seal)
{
	int fd = sealable(4096);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(map, 4096);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	show_seals(fd);
	show(write(fd, "x", 1));
	show(write(fd, "", 0));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	show(ftruncate(fd, 0));
	show(ftruncate(fd, 8192));
	show_ok(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	show_ok(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	show_ok(map);
	if (map != MAP_FAILED)
		show(mprotect(map, 4096, PROT_READ | PROT_WRITE));
}

CHECK(future_write_seal)
{
	int fd = sealable(4096);
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	map[0] = 'o';
	say("the old mapping writes: %c", map[0]);
	show(write(fd, "x", 1));
	show_ok(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	show(ftruncate(fd, 8192));
}

CHECK(seal_of_seals)
{
	int fd = sealable(10);
	show_seals(fd);
	show(fcntl(fd, F_ADD_SEALS, 0));
	show(fcntl(fd, F_ADD_SEALS, 0x1000));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	show(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	show(fcntl(fd, F_ADD_SEALS, 0));
	show_seals(fd);
	int r = open("/proc/self/fd/3", O_RDONLY);
	show(fcntl(r, F_GET_SEALS));
	fd = sealable(10);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	r = open(path, O_RDONLY);
	show(fcntl(r, F_ADD_SEALS, F_SEAL_GROW));
	show_seals(dup(fd));
}

CHECK(exec_flags)
{
	struct stat st;
	int fd = show(memfd_create("x", MFD_NOEXEC_SEAL));
	fstat(fd, &st);
	say("%o", st.st_mode & 07777);
	show(fcntl(fd, F_GET_SEALS));
	show(fchmod(fd, 0755));
	show(fchmod(fd, 0644));
	fd = show(memfd_create("x", MFD_EXEC));
	fstat(fd, &st);
	say("%o", st.st_mode & 07777);
	show(memfd_create("x", MFD_EXEC | MFD_NOEXEC_SEAL));
}

CHECK(executed)
{
	static char block[65536];
	int from = open("/proc/self/exe", O_RDONLY), fd = memfd_create("program", MFD_CLOEXEC);
	for (ssize_t n; (n = read(from, block, sizeof block)) > 0;)
		write(fd, block, n);
	IN_CHILD("program") {
		char *argv[] = { "program", EXEC_ROLE, "hello", (char *)current_check, NULL };
		char *environment[] = { NULL };
		show(syscall(SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH));
	}
}

ROLE(hello)
{
	say("hello from a memfd");
}
