// small_reads.c: files read in many small pieces, and changed meanwhile.
//
// Calls: read pread64 lseek
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <pthread.h>

enum { MANY = 40, MEBI = 1 << 20 };
static char data[3 * MEBI], got[3 * MEBI];

// Never zero, and different at every place.
static char at(size_t offset)
{
	return (char)(1 + (offset * 7 + offset / 251) % 250);
}

static int file_of(size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		data[i] = at(i);
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, data, bytes));
	need(lseek(fd, 0, SEEK_SET));
	return fd;
}

// Reads `pieces` pieces; how many bytes came, or -1 if one was not the file's.
static long read_on(int fd, int pieces, size_t bytes)
{
	long sum = 0;
	while (pieces--) {
		off_t from = lseek(fd, 0, SEEK_CUR);
		ssize_t n = read(fd, got, bytes);
		if (n < 0 || memcmp(got, data + from, (size_t)n))
			return -1;
		sum += n;
	}
	return sum;
}

CHECK(byte_by_byte)
{
	int fd = file_of(70001);
	long sum = 0;
	char byte;
	while (read(fd, &byte, 1) == 1)
		sum += byte == at((size_t)sum) ? 1 : 1000000;
	show(sum);
	show(read(fd, &byte, 1));
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(in_pieces)
{
	static const size_t sizes[] = { 7, 512, 4095, 4096, 5000, 16384, 16385 };
	int fd = file_of(sizeof data);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		lseek(fd, 0, SEEK_SET);
		show(read_on(fd, 200, sizes[i]));
	}
	// Across 2 MiB.
	lseek(fd, 2 * MEBI - 100 * 37 - 5, SEEK_SET);
	show(read_on(fd, 200, 37));
	lseek(fd, (off_t)sizeof data - 1000, SEEK_SET);
	show(read_on(fd, 30, 37));
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(zeros)
{
	int fd = file_of(20000);
	memset(data + 3000, 0, 9000);
	pwrite(fd, data + 3000, 9000, 3000);
	show(read_on(fd, 210, 100));
	lseek(fd, 0, SEEK_SET);
	show(read_on(fd, 20001, 1));
}

CHECK(cut)
{
	int fd = file_of(20000), other = need(open("f", O_WRONLY));
	show(read_on(fd, MANY, 100));
	need(ftruncate(other, 4150));
	show(read(fd, got, 100));
	show(read(fd, got, 100));
	lseek(fd, 4100, SEEK_SET);
	show(read(fd, got, 100));
	lseek(fd, 0, SEEK_SET);
	show(read_on(fd, MANY, 100));
	need(truncate("f", 4096));
	lseek(fd, 4000, SEEK_SET);
	show(read(fd, got, 100));
	lseek(fd, 0, SEEK_SET);
	show(read_on(fd, MANY, 100));
	need(ftruncate(fd, 0));
	show(read(fd, got, 100));
	lseek(fd, 0, SEEK_SET);
	show(read(fd, got, 100));
}

CHECK(cut_and_grown)
{
	int fd = file_of(20000);
	show(read_on(fd, MANY, 100));
	need(ftruncate(fd, 5000));
	need(ftruncate(fd, 9000));
	lseek(fd, 4980, SEEK_SET);
	show_bytes("over the cut", got, read(fd, got, 40));
	lseek(fd, 8990, SEEK_SET);
	show_bytes("at the end", got, read(fd, got, 40));
}

CHECK(appended)
{
	int fd = file_of(5000), other = need(open("f", O_WRONLY | O_APPEND));
	show(read_on(fd, 60, 100));
	for (int i = 0; i < 30; i++) {
		memset(data + 5000 + 10 * i, 'a' + i % 26, 10);
		write(other, data + 5000 + 10 * i, 10);
		if (read_on(fd, 3, 7) != 10)
			say("round %d", i);
	}
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(overwritten)
{
	int fd = file_of(20000), other = need(open("f", O_RDWR));
	char *map = mmap(NULL, 20000, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	show(read_on(fd, MANY, 100));
	for (int i = 0; i < MANY; i++) {
		memset(data + 4000 + 100 * i, 'A' + i % 26, 100);
		if (i & 1)
			pwrite(other, data + 4000 + 100 * i, 100, 4000 + 100 * i);
		else
			memcpy(map + 4000 + 100 * i, data + 4000 + 100 * i, 100);
		if (read_on(fd, 1, 100) != 100)
			say("old bytes in round %d", i);
	}
	// Through the descriptor itself the position moves.
	memset(data + 8000, 'w', 300);
	show(write(fd, data + 8000, 300));
	show(read_on(fd, MANY, 100));
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(changed_by_a_child)
{
	int fd = file_of(20000);
	show(read_on(fd, MANY, 100));
	IN_CHILD("writer") {
		int own = open("f", O_WRONLY);
		memset(data + 4000, 'c', 50);
		pwrite(own, data + 4000, 50, 4000);
		ftruncate(own, 4120);
	}
	memset(data + 4000, 'c', 50);
	show(read_on(fd, 3, 50));
	IN_CHILD("grower") {
		int own = open("f", O_WRONLY | O_APPEND);
		write(own, "grown", 5);
	}
	show_bytes("appended", got, read(fd, got, 100));
}

CHECK(without_a_name)
{
	int fd = file_of(9000);
	show(read_on(fd, MANY, 100));
	unlink("f");
	show(read_on(fd, 10, 100));
	close(fd);
	fd = file_of(9000);
	show(read_on(fd, MANY, 100));
	int new = need(open("new", O_CREAT | O_RDWR, 0644));
	write(new, "another file", 12);
	rename("new", "f");
	show(read_on(fd, 10, 100));
	struct stat st;
	fstat(fd, &st);
	show(st.st_nlink);
	show(read(open("f", O_RDONLY), got, 100));
}

CHECK(position_is_shared)
{
	int fd = file_of(20000), copy = dup(fd), p[2];
	char token = 0;
	show(read_on(fd, MANY, 10));
	show(read_on(copy, 3, 10));
	show(lseek(fd, 0, SEEK_CUR));
	pipe(p);
	IN_CHILD("reader") {
		show(read_on(fd, MANY, 10));
		lseek(copy, 5, SEEK_CUR);
		write(p[1], &token, 1);
	}
	read(p[0], &token, 1);
	show(lseek(copy, 0, SEEK_CUR));
	show(read_on(fd, 5, 10));
	// Pieces read at places of their own leave it alone.
	for (int i = 0; i < MANY; i++)
		if (pread(fd, got, 50, 100 * i) != 50 || memcmp(got, data + 100 * i, 50))
			say("piece %d", i);
	show(lseek(fd, 0, SEEK_CUR));
}

ROLE(reader)
{
	int fd = atoi(argv[0]);
	long sum = 0;
	ssize_t n;
	while ((n = read(fd, got, 10)) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum += (unsigned char)got[i];
	show(sum);
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(over_exec)
{
	int fd = file_of(5000);
	char number[16];
	snprintf(number, sizeof number, "%d", fd);
	show(read_on(fd, MANY, 100));
	IN_CHILD("program")
		become("reader", number);
	show(lseek(fd, 0, SEEK_CUR));
	show(read(fd, got, 1));
	lseek(fd, 0, SEEK_SET);
	pid_t child = vfork();
	if (child == 0) {
		char *argv[] = { guest_arguments[0], EXEC_ROLE, "reader", "over_exec", number, NULL };
		execv("/proc/self/exe", argv);
		_exit(122);
	}
	reap("after vfork", child);
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(seeks)
{
	int fd = file_of(20000);
	show(read_on(fd, MANY, 100));
	show(lseek(fd, 10, SEEK_SET));
	show(lseek(fd, -5, SEEK_CUR));
	show(lseek(fd, -6, SEEK_CUR));
	show(lseek(fd, -1, SEEK_SET));
	show(lseek(fd, -100, SEEK_END));
	show(lseek(fd, -20001, SEEK_END));
	show(lseek(fd, LLONG_MAX, SEEK_SET));
	show(lseek(fd, LLONG_MAX, SEEK_CUR));
	show(lseek(fd, 3, SEEK_DATA));
	show(lseek(fd, 3, SEEK_HOLE));
	show(lseek(fd, 30000, SEEK_DATA));
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 5, 77));
	show(lseek(fd, 1L << 33, SEEK_SET));
	show(read(fd, got, 10));
	show(lseek(fd, 19990, SEEK_SET));
	show(read_on(fd, 2, 8));
}

CHECK(appending_descriptor)
{
	int fd = file_of(9000);
	close(fd);
	fd = need(open("f", O_RDWR | O_APPEND));
	show(read_on(fd, MANY, 100));
	show(write(fd, "end", 3));
	show(lseek(fd, 0, SEEK_CUR));
	show(pwrite(fd, "more", 4, 0));
	show(lseek(fd, 0, SEEK_CUR));
	lseek(fd, 100, SEEK_SET);
	show(read_on(fd, MANY, 100));
	fcntl(fd, F_SETFL, 0);
	show(write(fd, data + 4100, 100));
	show(read_on(fd, 3, 100));
	struct iovec iov = { "last", 4 };
	show(pwritev2(fd, &iov, 1, -1, RWF_APPEND));
	show(lseek(fd, 0, SEEK_CUR));
	struct stat st;
	fstat(fd, &st);
	show(st.st_size);
}

CHECK(bad_addresses)
{
	int fd = file_of(20000);
	show(read_on(fd, MANY, 100));
	show(read(fd, bad_pointer(), 100));
	show(read(fd, read_only_pointer(), 100));
	show(read(fd, at_edge(30), 100));
	show(read(fd, (void *)-1L, 100));
	show(lseek(fd, 0, SEEK_CUR));
	show(read(fd, NULL, 0));
	show(read_on(fd, 3, 100));
}

CHECK(many_files)
{
	enum { FILES = 40 };
	int fds[FILES];
	char name[16];
	file_of(9000);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "f%d", i);
		fds[i] = need(open(name, O_CREAT | O_RDWR, 0644));
		write(fds[i], data, 9000);
		lseek(fds[i], 0, SEEK_SET);
	}
	long sum = 0;
	for (int round = 0; round < 60; round++)
		for (int i = 0; i < FILES; i++)
			sum += read_on(fds[i], 1, 100);
	show(sum);
}

// Whether a read sets the access time that lies before the last change.
CHECK(access_time)
{
	int fd = file_of(20000);
	struct timespec old[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st;
	show(read_on(fd, MANY, 100));
	futimens(fd, old);
	show(read_on(fd, 1, 100));
	fstat(fd, &st);
	show(st.st_atime > 1000);
	utimensat(AT_FDCWD, "f", old, 0);
	show(read_on(fd, 1, 100));
	fstat(fd, &st);
	show(st.st_atime > 1000);
}

static int shared;
static long taken[256];

static void *take_bytes(void *unused UNUSED)
{
	unsigned char byte;
	long sum = 0;
	while (read(shared, &byte, 1) == 1) {
		__atomic_fetch_add(&taken[byte], 1, __ATOMIC_RELAXED);
		sum++;
	}
	return (void *)sum;
}

// Every byte of the file goes to one of the threads.
CHECK(threads_share_a_position)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	long expected[256] = { 0 }, sum = 0;
	shared = file_of(20000);
	for (int i = 0; i < 20000; i++)
		expected[(unsigned char)data[i]]++;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, take_bytes, NULL);
	for (int i = 0; i < THREADS; i++) {
		void *part;
		pthread_join(threads[i], &part);
		sum += (long)part;
	}
	show(sum);
	show(memcmp(taken, expected, sizeof expected));
}

static void *read_until_closed(void *result)
{
	char piece[100];
	for (;;) {
		ssize_t n = pread(shared, piece, sizeof piece, 300);
		if (n < 0)
			return *(int *)result = errno, NULL;
		if (n != sizeof piece || memcmp(piece, data + 300, sizeof piece))
			return *(int *)result = -1, NULL;
	}
}

CHECK(closed_while_read)
{
	for (int round = 0; round < 5; round++) {
		int result = 0;
		pthread_t thread;
		shared = file_of(9000);
		long warm = read_on(shared, MANY, 100);
		pthread_create(&thread, NULL, read_until_closed, &result);
		for (int i = 0; i < round * 5; i++)
			sched_yield();
		close(shared);
		pthread_join(thread, NULL);
		if (warm != 4000 || result != EBADF)
			say("round %d: %ld, %s", round, warm, result == -1 ? "other bytes" : errno_name(result));
	}
}

// What is read is the file's bytes, or zeros while it is being cut.
CHECK(cut_while_read)
{
	int fd = file_of(8192), status;
	long odd = 0;
	pid_t child = start();
	if (child == 0) {
		int own = open("f", O_WRONLY);
		for (int i = 0; i < 1000; i++) {
			ftruncate(own, 5000 - i % 700);
			pwrite(own, data, 8192, 0);
		}
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		for (int i = 0; i < 50; i++) {
			ssize_t n = pread(fd, got, 300, 4500);
			for (ssize_t k = 0; k < n; k++)
				odd += got[k] && got[k] != data[4500 + k];
		}
	}
	show(odd);
	show(pread(fd, got, 300, 4500));
	show(memcmp(got, data + 4500, 300));
}
