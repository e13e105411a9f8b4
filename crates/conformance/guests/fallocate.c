// fallocate.c: reserving, punching and zeroing ranges.
//
// Calls: fallocate
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char buffer[20000];

static int file(size_t size)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	memset(buffer, 'd', size);
	need(write(fd, buffer, size));
	return fd;
}

static void size_of(int fd)
{
	struct stat st;
	fstat(fd, &st);
	say("size %ld", (long)st.st_size);
}

CHECK(extend)
{
	int fd = file(10);
	show(fallocate(fd, 0, 0, 5));
	size_of(fd);
	show(fallocate(fd, 0, 5, 10000));
	size_of(fd);
	show_bytes("file", buffer, pread(fd, buffer, sizeof buffer, 0));
	show(fallocate(fd, FALLOC_FL_KEEP_SIZE, 20000, 10000));
	size_of(fd);
}

CHECK(punch)
{
	int fd = file(16384);
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10000, 100));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16000, 100000));
	size_of(fd);
	show_bytes("file", buffer, pread(fd, buffer, sizeof buffer, 0));
	fsync(fd);
	show(lseek(fd, 0, SEEK_HOLE));
	show(lseek(fd, 4096, SEEK_DATA));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));
	show(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096));
}

CHECK(other_modes)
{
	int fd = file(16384);
	show(fallocate(fd, FALLOC_FL_ZERO_RANGE, 100, 100));
	show_bytes("file", buffer, pread(fd, buffer, 300, 0));
	show(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
	size_of(fd);
	show(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096));
	size_of(fd);
	show(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	show(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	show(fallocate(fd, 0x1000, 0, 4096));
}

CHECK(errors)
{
	int fd = file(10), r = open("f", O_RDONLY), p[2];
	pipe(p);
	mkfifo("fifo", 0644);
	show(fallocate(fd, 0, -1, 10));
	show(fallocate(fd, 0, 0, 0));
	show(fallocate(fd, 0, 0, -1));
	show(fallocate(fd, 0, LLONG_MAX, 1));
	show(fallocate(fd, 0, LLONG_MAX - 10, LLONG_MAX));
	show(fallocate(r, 0, 0, 10));
	show(fallocate(r, 0, 0, 0));
	show(fallocate(p[1], 0, 0, 10));
	show(fallocate(open("fifo", O_RDWR), 0, 0, 10));
	show(fallocate(open(".", O_RDONLY), 0, 0, 10));
	show(fallocate(open("/dev/null", O_RDWR), 0, 0, 10));
	show(fallocate(99, 0, -1, 10));
	show(fallocate(99, 0x1000, 0, 10));
	int appending = open("f", O_WRONLY | O_APPEND);
	show(fallocate(appending, 0, 0, 100));
	show(fallocate(appending, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5));
	show_bytes("file", buffer, pread(fd, buffer, 20, 0));
}

CHECK(hint_calls)
{
	int fd = file(10), p[2];
	pipe(p);
	show(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	show(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
	show(posix_fadvise(fd, -5, 10, POSIX_FADV_RANDOM));
	show(posix_fadvise(fd, 0, 0, 77));
	show(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL));
	show(posix_fadvise(p[0], 0, 0, 77));
	show(posix_fadvise(99, 0, 0, 77));
	show(readahead(fd, 0, 10));
	show(readahead(p[0], 0, 10));
	show(readahead(99, 0, 10));
	show(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	show(sync_file_range(fd, 0, -1, SYNC_FILE_RANGE_WRITE));
	show(sync_file_range(fd, 0, 0, 77));
	show(sync_file_range(p[0], 0, 0, 0));
	// Of a file system with nothing to write: the disk's may have gigabytes of others.
	show(syncfs(need(memfd_create("m", 0))));
	show(syncfs(99));
}
