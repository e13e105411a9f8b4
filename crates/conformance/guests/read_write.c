// read_write.c: reading and writing regular files: positions, ends, wrong buffers, limits.
//
// Calls: read write pread64 pwrite64 fsync fdatasync
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char buffer[8192];

static int file(const char *content)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void show_file(int fd)
{
	show_bytes("file", buffer, pread(fd, buffer, sizeof buffer, 0));
}

CHECK(positions)
{
	int fd = file("0123456789");
	show(read(fd, buffer, 4));
	show(lseek(fd, 0, SEEK_CUR));
	show(pread(fd, buffer, 3, 7));
	show_bytes("tail", buffer, 3);
	show(lseek(fd, 0, SEEK_CUR));
	show(pwrite(fd, "XY", 2, 1));
	show(lseek(fd, 0, SEEK_CUR));
	show(write(fd, "ab", 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(read(fd, buffer, 100));
	show(read(fd, buffer, 100));
	show_file(fd);
}

CHECK(past_the_end)
{
	int fd = file("abc");
	show(lseek(fd, 10, SEEK_SET));
	show(read(fd, buffer, 1));
	show(lseek(fd, 0, SEEK_CUR));
	show(write(fd, "z", 1));
	show_file(fd);
	show(pread(fd, buffer, 10, 100));
	show(pread(fd, buffer, 10, 9));
	show(pwrite(fd, "far", 3, 5000));
	show(pread(fd, buffer, sizeof buffer, 0));
	show_bytes("with a hole", buffer, 5003);
}

CHECK(bad_buffers)
{
	int fd = file("0123456789");
	show(read(fd, bad_pointer(), 1));
	show(read(fd, NULL, 1));
	show(read(fd, read_only_pointer(), 1));
	show(lseek(fd, 0, SEEK_CUR));
	show(write(fd, bad_pointer(), 1));
	show(write(fd, NULL, 1));
	show(write(fd, (char *)-4096, 1));
	show(write(fd, (char *)0x7ffffffff000, 8192));
	show(read(fd, (char *)0x7ffffffff000, 8192));
	show(read(fd, buffer, -1));
	show(write(fd, buffer, -1));
	show(read(fd, bad_pointer(), -1));
	show(lseek(fd, 0, SEEK_CUR));
	show_file(fd);
}

CHECK(bad_buffer_at_the_end)
{
	int fd = file("abc");
	lseek(fd, 3, SEEK_SET);
	show(read(fd, bad_pointer(), 1));
	show(read(fd, NULL, 4096));
	show(pread(fd, bad_pointer(), 1, 50));
}

CHECK(read_into_the_edge)
{
	int fd = file("0123456789");
	char *edge = at_edge(4);
	long got = show(read(fd, edge, 10));
	if (got > 0)
		show_bytes("got", edge, got);
	show(lseek(fd, 0, SEEK_CUR));
	show(pread(fd, at_edge(2), 5, 8));
	show(pread(fd, at_edge(1), 5, 8));
}

CHECK(write_from_the_edge)
{
	int fd = file("..........");
	char *edge = at_edge(4);
	memcpy(edge, "abcd", 4);
	show(write(fd, edge, 8));
	show(lseek(fd, 0, SEEK_CUR));
	show_file(fd);
	show(pwrite(fd, edge, 8, 20));
	show_file(fd);
	edge = at_edge(4096);
	memset(edge, 'p', 4096);
	ftruncate(fd, 0);
	lseek(fd, 0, SEEK_SET);
	show(write(fd, edge, 8192));
	show(lseek(fd, 0, SEEK_CUR));
	struct stat st;
	fstat(fd, &st);
	say("size %ld", (long)st.st_size);
}

CHECK(zero_length)
{
	int fd = file("abc");
	show(read(fd, NULL, 0));
	show(read(fd, bad_pointer(), 0));
	show(write(fd, NULL, 0));
	show(write(fd, bad_pointer(), 0));
	show(read(fd, (char *)-1, 0));
	lseek(fd, 100, SEEK_SET);
	show(write(fd, "x", 0));
	struct stat st;
	fstat(fd, &st);
	say("size %ld", (long)st.st_size);
}

CHECK(bad_descriptors)
{
	show(read(-1, buffer, 1));
	show(read(99, buffer, 1));
	show(read(99, bad_pointer(), 1));
	show(write(-1, buffer, 1));
	show(write(1000000, buffer, 0));
	show(pread(99, buffer, 1, -1));
	show(pwrite(-1, buffer, 1, -1));
	show(read(INT_MAX, buffer, 1));
	show(read(INT_MIN, buffer, 1));
	show(syscall(SYS_read, 1ul << 32, buffer, 0));
	show(syscall(SYS_read, (1ul << 32) + 99, buffer, 0));
}

CHECK(bad_offsets)
{
	int fd = file("abc");
	show(pread(fd, buffer, 1, -1));
	show(pread(fd, buffer, 0, -1));
	show(pwrite(fd, buffer, 1, -1));
	show(pread(fd, buffer, 1, LLONG_MAX));
	show(pread(fd, buffer, 1, LLONG_MIN));
	show(pwrite(fd, buffer, 1, LLONG_MAX));
	show(pread(fd, buffer, 0, LLONG_MAX));
	show(pwrite(fd, bad_pointer(), 1, -1));
}

CHECK(directory)
{
	mkdir("d", 0777);
	int fd = open("d", O_RDONLY);
	show(read(fd, buffer, 1));
	show(read(fd, bad_pointer(), 1));
	show(read(fd, buffer, 0));
	show(write(fd, buffer, 1));
	show(pread(fd, buffer, 1, 0));
	show(pread(fd, buffer, 1, -1));
	show(readv(fd, &(struct iovec){ buffer, 1 }, 1));
	show(ftruncate(fd, 0));
	show(fsync(fd));
	show(fdatasync(fd));
}

CHECK(file_size_limit)
{
	IN_CHILD("SIGXFSZ ignored") {
		struct rlimit limit = { 8, 8 };
		setrlimit(RLIMIT_FSIZE, &limit);
		signal(SIGXFSZ, SIG_IGN);
		int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
		int out = dup(fd);
		long first = write(fd, "0123456789", 10), second = write(fd, "x", 1), empty = write(fd, "x", 0);
		long cut = ftruncate(out, 20), within = ftruncate(out, 8), at = pwrite(fd, "zz", 2, 7);
		// The limit holds for the harness's output file, too, which is why the child reports by its status.
		_exit((first == 8) | (second == -1) << 1 | (empty == 0) << 2 | (cut == -1) << 3 | (within == 0) << 4 |
		      (at == 1) << 5);
	}
	IN_CHILD("default action") {
		struct rlimit limit = { 8, 8 };
		setrlimit(RLIMIT_FSIZE, &limit);
		int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
		write(fd, "01234567", 8);
		write(fd, "8", 1);
	}
	IN_CHILD("ftruncate") {
		struct rlimit limit = { 8, 8 };
		setrlimit(RLIMIT_FSIZE, &limit);
		ftruncate(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644), 9);
	}
}

CHECK(shared_position)
{
	int fd = file("0123456789"), copy = dup(fd), other = open("f", O_RDONLY);
	show(read(copy, buffer, 3));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(other, 0, SEEK_CUR));
	IN_CHILD("child") {
		show(read(fd, buffer, 2));
	}
	show(lseek(copy, 0, SEEK_CUR));
	IN_CHILD("child writes") {
		show(write(fd, "__", 2));
	}
	show(write(copy, "--", 2));
	show_file(other);
}

CHECK(overlapping_buffer_of_own_mapping)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	ftruncate(fd, 8192);
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memcpy(map, "source", 6);
	show(pwrite(fd, map, 6, 4096));
	show_bytes("written from the mapping", map + 4096, 6);
	show(pread(fd, map + 100, 6, 4096));
	show_bytes("read into the mapping", map + 100, 6);
	show(pread(fd, map, 6, 0));
	show_bytes("onto itself", map, 6);
}

CHECK(the_last_position)
{
	int fd = need(memfd_create("file", 0));
	struct iovec vector = { buffer, 8 };
	show(lseek(fd, LONG_MAX, SEEK_SET));
	show(write(fd, "xx", 2));
	show(read(fd, buffer, 2));
	show(writev(fd, &vector, 1));
	show(read(fd, buffer, 0));
	show(pwritev(fd, &vector, 1, LONG_MAX - 1));
	show(preadv(fd, &vector, 1, LONG_MAX - 1));
	show(pread(fd, buffer, 8, LONG_MAX - 8));
}
