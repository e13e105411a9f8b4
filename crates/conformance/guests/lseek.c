// lseek.c: positions by every whence, holes, overflow.
//
// Calls: lseek
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static int file(void)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, "0123456789", 10));
	return fd;
}

CHECK(whence)
{
	int fd = file();
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 3, SEEK_SET));
	show(lseek(fd, 2, SEEK_CUR));
	show(lseek(fd, -4, SEEK_CUR));
	show(lseek(fd, -2, SEEK_END));
	show(lseek(fd, 100, SEEK_END));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 0, 5));
	show(lseek(fd, 0, -1));
	show(lseek(fd, 0, 1000));
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(refused_positions)
{
	int fd = file();
	lseek(fd, 5, SEEK_SET);
	show(lseek(fd, -1, SEEK_SET));
	show(lseek(fd, -6, SEEK_CUR));
	show(lseek(fd, -11, SEEK_END));
	show(lseek(fd, LLONG_MIN, SEEK_SET));
	show(lseek(fd, LLONG_MAX, SEEK_CUR));
	show(lseek(fd, LLONG_MAX, SEEK_END));
	show(lseek(fd, LLONG_MAX, SEEK_SET));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, -5, SEEK_CUR));
}

CHECK(holes)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	ftruncate(fd, 1 << 20);
	pwrite(fd, "a", 1, 256 << 10);
	pwrite(fd, "b", 1, 768 << 10);
	fsync(fd);
	show(lseek(fd, 0, SEEK_DATA));
	show(lseek(fd, 0, SEEK_HOLE));
	show(lseek(fd, 256 << 10, SEEK_DATA));
	show(lseek(fd, (256 << 10) + 7, SEEK_DATA));
	show(lseek(fd, 256 << 10, SEEK_HOLE));
	show(lseek(fd, (256 << 10) + 4096, SEEK_DATA));
	show(lseek(fd, 768 << 10, SEEK_HOLE));
	show(lseek(fd, (768 << 10) + 4096, SEEK_DATA));
	show(lseek(fd, (1 << 20) - 1, SEEK_HOLE));
	show(lseek(fd, 1 << 20, SEEK_HOLE));
	show(lseek(fd, 1 << 20, SEEK_DATA));
	show(lseek(fd, -1, SEEK_DATA));
	show(lseek(fd, -1, SEEK_HOLE));
}

CHECK(hole_at_the_end_is_virtual)
{
	int fd = file();
	show(lseek(fd, 0, SEEK_HOLE));
	show(lseek(fd, 9, SEEK_HOLE));
	show(lseek(fd, 10, SEEK_HOLE));
	show(lseek(fd, 0, SEEK_DATA));
	show(lseek(fd, 9, SEEK_DATA));
	show(lseek(fd, 10, SEEK_DATA));
	ftruncate(fd, 0);
	show(lseek(fd, 0, SEEK_DATA));
	show(lseek(fd, 0, SEEK_HOLE));
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(what_cannot_seek)
{
	int p[2];
	pipe(p);
	show(lseek(p[0], 0, SEEK_SET));
	show(lseek(p[0], 0, 99));
	mkfifo("p", 0644);
	show(lseek(open("p", O_RDWR), 0, SEEK_CUR));
	show(lseek(99, 0, SEEK_SET));
	show(lseek(99, 0, 99));
	show(lseek(-1, 0, 99));
}

CHECK(devices)
{
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
	show(lseek(null, 100, SEEK_SET));
	show(lseek(null, 0, SEEK_CUR));
	show(lseek(null, -5, SEEK_SET));
	show(lseek(zero, 100, SEEK_SET));
	show(lseek(full, 100, SEEK_END));
	int urandom = open("/dev/urandom", O_RDONLY);
	show(lseek(urandom, 100, SEEK_SET));
	show(lseek(urandom, 0, SEEK_CUR));
}

CHECK(opened_files_have_own_positions)
{
	int fd = file(), other = open("f", O_RDONLY), copy = dup(fd);
	lseek(fd, 4, SEEK_SET);
	show(lseek(other, 0, SEEK_CUR));
	show(lseek(copy, 0, SEEK_CUR));
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(lseek(open(path, O_RDONLY), 0, SEEK_CUR));
}
