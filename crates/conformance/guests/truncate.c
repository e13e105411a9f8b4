// truncate.c: cutting and growing files.
//
// Calls: truncate ftruncate
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char buffer[16384];

static int file(const char *content)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	return fd;
}

CHECK(sizes)
{
	int fd = file("0123456789");
	show(ftruncate(fd, 4));
	show_bytes("cut", buffer, pread(fd, buffer, 100, 0));
	show(ftruncate(fd, 8));
	show_bytes("grown with zeros", buffer, pread(fd, buffer, 100, 0));
	show(lseek(fd, 0, SEEK_CUR));
	show(write(fd, "x", 1));
	show_bytes("position stays", buffer, pread(fd, buffer, 100, 0));
	show(truncate("f", 0));
	show(pread(fd, buffer, 100, 0));
	show(truncate("f", 5000));
	show_bytes("all zeros", buffer, pread(fd, buffer, 10000, 0));
}

CHECK(cut_data_does_not_come_back)
{
	int fd = file("");
	memset(buffer, 'd', 12000);
	write(fd, buffer, 12000);
	ftruncate(fd, 5000);
	ftruncate(fd, 12000);
	show_bytes("after", buffer, pread(fd, buffer, 12000, 0));
	char *map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(map, 'm', 12288);
	ftruncate(fd, 100);
	ftruncate(fd, 4096);
	show_bytes("mapped", map, 4096);
	// Stored past the end, then the file grows over it: file systems differ in whether it shows.
	ftruncate(fd, 100);
	memset(map + 100, 'p', 100);
	ftruncate(fd, 200);
	show_bytes("past the end", map, 200);
}

CHECK(errors)
{
	int fd = file("abc"), r = open("f", O_RDONLY), p[2];
	pipe(p);
	mkdir("d", 0755);
	mkfifo("fifo", 0644);
	show(ftruncate(fd, -1));
	show(truncate("f", -1));
	show(truncate("missing", -1));
	show(truncate("missing", 0));
	show(truncate("d", 0));
	show(truncate("fifo", 0));
	show(truncate("f/", 0));
	show(truncate("", 0));
	show(truncate(bad_pointer(), 0));
	show(truncate("/dev/null", 0));
	show(ftruncate(r, 0));
	show(ftruncate(r, -1));
	show(ftruncate(p[1], 0));
	show(ftruncate(open("d", O_RDONLY), 0));
	show(ftruncate(open("/dev/null", O_RDWR), 0));
	show(ftruncate(99, 0));
	show(ftruncate(99, -1));
	show(truncate("f", LLONG_MAX));
	struct stat st;
	stat("f", &st);
	show(st.st_size);
}

CHECK(through_a_link)
{
	struct stat st;
	file("0123456789");
	symlink("f", "l");
	show(truncate("l", 3));
	stat("f", &st);
	show(st.st_size);
}

CHECK(sparse)
{
	struct stat st;
	int fd = file("");
	show(ftruncate(fd, 1l << 33));
	fstat(fd, &st);
	say("size %ld, blocks %ld", (long)st.st_size, (long)st.st_blocks);
	show(pwrite(fd, "end", 3, (1l << 33) - 3));
	show(pread(fd, buffer, 10, (1l << 33) - 5));
	show_bytes("tail", buffer, 5);
	show(pread(fd, buffer, 8, 1l << 32));
	show_bytes("middle", buffer, 8);
}

CHECK(append_after_cut)
{
	int fd = file("0123456789"), appending = open("f", O_WRONLY | O_APPEND);
	ftruncate(fd, 2);
	show(write(appending, "ab", 2));
	show_bytes("file", buffer, pread(fd, buffer, 100, 0));
}

// The limit is for files that grow.
// What is said goes to a file, which the limit is for as well: it is said afterwards.
CHECK(size_limit)
{
	struct rlimit limit = { 10, RLIM_INFINITY };
	int fd = file("");
	signal(SIGXFSZ, SIG_IGN);
	need(ftruncate(fd, 100));
	need(setrlimit(RLIMIT_FSIZE, &limit));
	struct {
		const char *call;
		int result, error;
	} results[6];
	int count = 0;
#define NOTE(expression)                                                                          \
	do {                                                                                      \
		errno = 0;                                                                        \
		results[count].result = (expression);                                             \
		results[count].error = errno;                                                     \
		results[count++].call = #expression;                                              \
	} while (0)
	NOTE(ftruncate(fd, 50));
	NOTE(truncate("f", 40));
	NOTE(ftruncate(fd, 60));
	NOTE(truncate("f", 60));
	NOTE(fallocate(fd, 0, 0, 20));
	NOTE(fallocate(fd, 0, 0, 60));
	limit.rlim_cur = RLIM_INFINITY;
	need(setrlimit(RLIMIT_FSIZE, &limit));
	for (int i = 0; i < count; i++)
		say("%s = %d %s", results[i].call, results[i].result, results[i].result ? errno_name(results[i].error) : "");
}
