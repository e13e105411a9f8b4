// readv_writev.c: vectors: limits, order of checks, partial transfers, flags of the v2 calls.
//
// Calls: readv writev preadv pwritev preadv2 pwritev2
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char a[8], b[8];
static struct iovec many[1025];

static int file(const char *content)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	lseek(fd, 0, SEEK_SET);
	memset(a, '.', sizeof a);
	memset(b, '.', sizeof b);
	return fd;
}

static void show_file(int fd)
{
	char text[256];
	show_bytes("file", text, pread(fd, text, sizeof text, 0));
}

CHECK(scatter)
{
	int fd = file("0123456789");
	struct iovec v[] = { { a, 3 }, { NULL, 0 }, { b, 4 } };
	show(readv(fd, v, 3));
	show_bytes("a", a, 8);
	show_bytes("b", b, 8);
	show(readv(fd, v, 3));
	show_bytes("a", a, 8);
	show(readv(fd, v, 3));
	show(preadv(fd, v, 3, 5));
	show_bytes("b", b, 8);
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(gather)
{
	int fd = file("");
	struct iovec v[] = { { "one", 3 }, { "", 0 }, { "two", 3 }, { "three", 5 } };
	show(writev(fd, v, 4));
	show(lseek(fd, 0, SEEK_CUR));
	show(pwritev(fd, v, 2, 1));
	show(pwritev(fd, v, 2, -1));
	show(pwritev2(fd, v, 1, -1, 0));
	show(pwritev2(fd, v, 1, -2, 0));
	show(lseek(fd, 0, SEEK_CUR));
	show_file(fd);
}

CHECK(counts)
{
	int fd = file("x");
	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){ a, 0 };
	show(syscall(SYS_readv, fd, many, 0));
	show(syscall(SYS_readv, fd, NULL, 0));
	show(syscall(SYS_readv, fd, bad_pointer(), 0));
	show(syscall(SYS_readv, fd, many, 1024));
	show(syscall(SYS_readv, fd, many, 1025));
	show(syscall(SYS_readv, fd, many, -1));
	show(syscall(SYS_readv, fd, bad_pointer(), 1025));
	show(syscall(SYS_writev, fd, many, 1024));
	show(syscall(SYS_writev, fd, NULL, 0));
	show(syscall(SYS_writev, fd, NULL, 1));
	show(syscall(SYS_writev, fd, at_edge(16), 2));
	show(syscall(SYS_writev, 99, NULL, 1));
	show(syscall(SYS_readv, 99, NULL, 5000));
}

CHECK(lengths)
{
	int fd = file("0123456789");
	struct iovec negative[] = { { a, 2 }, { b, -1 } };
	struct iovec overflow[] = { { a, SSIZE_MAX }, { b, 8 } };
	show(readv(fd, negative, 2));
	show(writev(fd, negative, 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(writev(fd, overflow, 2));
	show(readv(fd, &(struct iovec){ NULL, 0 }, 1));
	show(readv(fd, &(struct iovec){ bad_pointer(), 0 }, 1));
	show(readv(fd, &(struct iovec){ (void *)-1, 0 }, 1));
	show(readv(fd, &(struct iovec){ (void *)-1, 1 }, 1));
	show(writev(fd, &(struct iovec){ (void *)0x7ffffffffff0, 0x1000 }, 1));
}

CHECK(bad_segment)
{
	int fd = file("0123456789");
	struct iovec second_bad[] = { { a, 4 }, { bad_pointer(), 4 } };
	struct iovec first_bad[] = { { bad_pointer(), 4 }, { b, 4 } };
	struct iovec empty_then_bad[] = { { a, 0 }, { bad_pointer(), 4 } };
	show(readv(fd, second_bad, 2));
	show_bytes("a", a, 8);
	show(lseek(fd, 0, SEEK_CUR));
	lseek(fd, 0, SEEK_SET);
	show(readv(fd, first_bad, 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(readv(fd, empty_then_bad, 2));
	show(writev(fd, second_bad, 2));
	show(lseek(fd, 0, SEEK_CUR));
	show(writev(fd, first_bad, 2));
	show_file(fd);
}

CHECK(access_modes)
{
	close(file("x"));
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	struct iovec v = { a, 1 };
	show(readv(w, &v, 1));
	show(writev(r, &v, 1));
	show(readv(w, NULL, 1));
	show(writev(r, NULL, -1));
	show(preadv(w, &v, 1, -1));
	show(preadv(99, &v, 1, -1));
}

CHECK(flags_of_preadv2)
{
	int fd = file("0123456789");
	struct iovec v = { a, 2 };
	show(preadv2(fd, &v, 1, 0, 0));
	show(preadv2(fd, &v, 1, -1, 0));
	show(preadv2(fd, &v, 1, -1, 0));
	show(lseek(fd, 0, SEEK_CUR));
	show(preadv2(fd, &v, 1, -2, 0));
	show(preadv2(fd, &v, 1, 0, RWF_HIPRI));
	show(preadv2(fd, &v, 1, 0, RWF_DSYNC));
	show(preadv2(fd, &v, 1, 0, RWF_SYNC));
	show(preadv2(fd, &v, 1, 0, 0x10000));
	show(preadv2(99, &v, 1, 0, 0x10000));
	show(preadv2(fd, NULL, 1, 0, 0x10000));
	show(preadv2(fd, &v, 0, 0, 0x10000));
}

CHECK(flags_of_pwritev2)
{
	int fd = file("0123456789");
	struct iovec v = { "AB", 2 };
	show(pwritev2(fd, &v, 1, 0, RWF_APPEND));
	show_file(fd);
	show(pwritev2(fd, &v, 1, -1, RWF_APPEND));
	show(lseek(fd, 0, SEEK_CUR));
	show(pwritev2(fd, &v, 1, 1, RWF_DSYNC));
	show(pwritev2(fd, &v, 1, 3, RWF_SYNC | RWF_DSYNC));
	show(pwritev2(fd, &v, 1, 0, 0x20));
	int appending = open("f", O_WRONLY | O_APPEND);
	show(pwritev2(appending, &v, 1, 0, 0x20));
	show(pwritev2(appending, &v, 1, 0, 0x20 | RWF_APPEND));
	show_file(fd);
}

CHECK(high_half_of_the_offset_is_ignored)
{
	int fd = file("0123456789");
	struct iovec v = { a, 1 };
	// On a 64-bit machine pos_l has the whole offset; pos_h is shifted out.
	show(syscall(SYS_preadv, fd, &v, 1, 3, 77));
	show_bytes("a", a, 1);
	show(syscall(SYS_preadv, fd, &v, 1, -1L, 0));
	show(syscall(SYS_preadv2, fd, &v, 1, -1L, 5, 0));
}
