// openat2.c: the strict open: struct sizes, refused flags, RESOLVE_*.
//
// Calls: openat2
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <linux/openat2.h>

static struct open_how how;

// A scoped ".." is refused with EAGAIN when anything was renamed or mounted meanwhile, by anybody on the machine.
static long do_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	long fd;
	int tries = 0;
	how = (struct open_how){ .flags = flags, .mode = mode, .resolve = resolve };
	do
		fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN && resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) && ++tries < 10000);
	return fd;
}

static void tree(void)
{
	mkdir("d", 0777);
	mkdir("d/e", 0777);
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	symlink("f", "d/lf");
	symlink("..", "d/up");
	symlink("/", "d/root");
	symlink("e", "d/le");
}

CHECK(sizes)
{
	struct {
		struct open_how how;
		uint64_t more[2];
	} big = { .how = { .flags = O_RDONLY } };
	tree();
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, sizeof big.how));
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, 0));
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, sizeof big.how - 1));
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, sizeof big));
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, sizeof big - 3));
	big.more[1] = 1;
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, sizeof big));
	show(syscall(SYS_openat2, AT_FDCWD, "d", &big, 5000));
	show(syscall(SYS_openat2, AT_FDCWD, "d", NULL, sizeof big.how));
	show(syscall(SYS_openat2, AT_FDCWD, "d", bad_pointer(), sizeof big.how));
	show(syscall(SYS_openat2, AT_FDCWD, "d", bad_pointer(), 3));
	show(syscall(SYS_openat2, AT_FDCWD, NULL, &big.how, sizeof big.how));
	show(syscall(SYS_openat2, AT_FDCWD, "d", at_edge(24), 32));
}

CHECK(strict_flags)
{
	tree();
	show(do_openat2(AT_FDCWD, "d", 0x40000000, 0, 0));
	show(do_openat2(AT_FDCWD, "d", 1ull << 40, 0, 0));
	show(do_openat2(AT_FDCWD, "d/f", O_RDONLY, 0600, 0));
	show(do_openat2(AT_FDCWD, "d/n", O_RDWR | O_CREAT, 010000, 0));
	show(do_openat2(AT_FDCWD, "d/n", O_RDWR | O_CREAT, 07777, 0));
	show(do_openat2(AT_FDCWD, "d/n", O_RDWR | O_CREAT, 1ull << 33, 0));
	show(do_openat2(AT_FDCWD, "d/f", O_PATH | O_RDWR, 0, 0));
	show(do_openat2(AT_FDCWD, "d/f", O_PATH | O_CLOEXEC, 0, 0));
	show(do_openat2(AT_FDCWD, "d", O_TMPFILE | O_RDWR, 0600, 0));
	show(do_openat2(AT_FDCWD, "d", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600, 0));
	show(do_openat2(AT_FDCWD, "d/f", O_RDONLY, 0, 1ull << 20));
	show(do_openat2(AT_FDCWD, "d/f", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	int fd = show(do_openat2(AT_FDCWD, "d/f", O_RDONLY, 0, 0));
	say("large file bit %d", !!(fcntl(fd, F_GETFL) & 0100000));
	fd = show(do_openat2(AT_FDCWD, "d/f", O_RDONLY | 0100000, 0, 0));
	say("large file bit %d", !!(fcntl(fd, F_GETFL) & 0100000));
}

CHECK(beneath)
{
	tree();
	int d = need(open("d", O_PATH));
	show(do_openat2(d, "f", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "lf", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "..", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "e/../f", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "e/../../d/f", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "up", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "root", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "/", O_RDONLY, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "up", O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH));
	show(do_openat2(d, "new", O_CREAT | O_RDWR, 0600, RESOLVE_BENEATH));
	show(do_openat2(d, "../new", O_CREAT | O_RDWR, 0600, RESOLVE_BENEATH));
}

CHECK(in_root)
{
	tree();
	int d = need(open("d", O_PATH));
	show(do_openat2(d, "/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
	show(do_openat2(d, "..", O_RDONLY, 0, RESOLVE_IN_ROOT));
	show(do_openat2(d, "../../../f", O_RDONLY, 0, RESOLVE_IN_ROOT));
	show(do_openat2(d, "root/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
	show(do_openat2(d, "up/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
	show(do_openat2(d, "/missing", O_RDONLY, 0, RESOLVE_IN_ROOT));
}

CHECK(no_symlinks)
{
	tree();
	show(do_openat2(AT_FDCWD, "d/f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	show(do_openat2(AT_FDCWD, "d/lf", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	show(do_openat2(AT_FDCWD, "d/le/../f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	show(do_openat2(AT_FDCWD, "d/lf", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
	show(do_openat2(AT_FDCWD, "d/lf", O_RDONLY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
	show(do_openat2(AT_FDCWD, "/proc/self/fd", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
}

CHECK(no_magic_links)
{
	tree();
	int fd = need(open("d/f", O_RDONLY));
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(do_openat2(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	show(do_openat2(AT_FDCWD, path, O_RDONLY, 0, 0));
	show(do_openat2(AT_FDCWD, "/proc/self/fd", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	show(do_openat2(AT_FDCWD, "/proc/self/cwd", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	show(do_openat2(AT_FDCWD, "d/lf", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
}

CHECK(no_mount_crossing)
{
	show(do_openat2(AT_FDCWD, ".", O_RDONLY, 0, RESOLVE_NO_XDEV));
	show(do_openat2(AT_FDCWD, "/proc/self", O_PATH, 0, RESOLVE_NO_XDEV));
	int proc = need(open("/proc", O_PATH));
	show(do_openat2(proc, "self/status", O_RDONLY, 0, RESOLVE_NO_XDEV));
	show(do_openat2(proc, "..", O_RDONLY, 0, RESOLVE_NO_XDEV));
}
