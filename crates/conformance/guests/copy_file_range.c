// copy_file_range.c: copying inside the kernel.
//
// Calls: copy_file_range
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char buffer[16384];

static int file(const char *name, const char *content)
{
	int fd = need(open(name, O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

CHECK(positions)
{
	int in = file("in", "0123456789"), out = file("out", "..........");
	show(copy_file_range(in, NULL, out, NULL, 3, 0));
	show(lseek(in, 0, SEEK_CUR));
	show(lseek(out, 0, SEEK_CUR));
	loff_t from = 8, to = 12;
	show(copy_file_range(in, &from, out, &to, 100, 0));
	show(from);
	show(to);
	show(lseek(in, 0, SEEK_CUR));
	show_bytes("out", buffer, pread(out, buffer, 100, 0));
	show(copy_file_range(in, &from, out, &to, 100, 0));
	show(copy_file_range(in, NULL, out, NULL, 0, 0));
	from = 1000;
	show(copy_file_range(in, &from, out, NULL, 10, 0));
}

CHECK(same_file)
{
	int fd = file("f", "0123456789"), other = open("f", O_RDWR);
	loff_t from = 0, to = 10;
	show(copy_file_range(fd, &from, fd, &to, 10, 0));
	show_bytes("file", buffer, pread(fd, buffer, 100, 0));
	from = 0, to = 5;
	show(copy_file_range(fd, &from, fd, &to, 10, 0));
	show(copy_file_range(fd, &from, other, &to, 6, 0));
	show(copy_file_range(fd, &from, other, &to, 5, 0));
	from = to = 0;
	show(copy_file_range(fd, &from, fd, &to, 5, 0));
}

CHECK(errors)
{
	int in = file("in", "0123456789"), out = file("out", ""), w = open("in", O_WRONLY), r = open("out", O_RDONLY), p[2];
	int appending = open("out", O_WRONLY | O_APPEND), d = open(".", O_RDONLY);
	loff_t at = -1;
	pipe(p);
	show(copy_file_range(w, NULL, out, NULL, 1, 0));
	show(copy_file_range(in, NULL, r, NULL, 1, 0));
	show(copy_file_range(in, NULL, appending, NULL, 1, 0));
	show(copy_file_range(d, NULL, out, NULL, 1, 0));
	show(copy_file_range(in, NULL, d, NULL, 1, 0));
	show(copy_file_range(p[0], NULL, out, NULL, 1, 0));
	show(copy_file_range(in, NULL, p[1], NULL, 1, 0));
	show(copy_file_range(99, NULL, out, NULL, 1, 0));
	show(copy_file_range(in, NULL, 99, NULL, 1, 0));
	show(copy_file_range(in, NULL, out, NULL, 1, 1));
	show(copy_file_range(99, NULL, out, NULL, 1, 1));
	show(copy_file_range(in, &at, out, NULL, 1, 0));
	show(copy_file_range(in, bad_pointer(), out, NULL, 1, 0));
	show(copy_file_range(in, NULL, out, bad_pointer(), 1, 0));
	at = LLONG_MAX;
	show(copy_file_range(in, NULL, out, &at, 1, 0));
	show(copy_file_range(open("/dev/zero", O_RDONLY), NULL, out, NULL, 1, 0));
}

CHECK(large)
{
	int in = file("in", ""), out = file("out", "");
	for (int i = 0; i < 20; i++) {
		memset(buffer, 'a' + i, 16384);
		write(in, buffer, 16384);
	}
	loff_t from = 0, to = 0;
	long total = 0, got;
	while ((got = copy_file_range(in, &from, out, &to, 1 << 20, 0)) > 0)
		total += got;
	show(total);
	bool same = true;
	char other[4096];
	for (long at = 0; at < total; at += 4096) {
		pread(in, buffer, 4096, at);
		pread(out, other, 4096, at);
		same = same && !memcmp(buffer, other, 4096);
	}
	say("same content: %d", same);
}

// What overlaps is judged by the bytes there are, not by those asked for.
CHECK(appending_a_file_to_itself)
{
	int fd = file("f", "0123456789");
	off_t from = 0, to = 10;
	show(copy_file_range(fd, &from, fd, &to, 1000, 0));
	from = 5, to = 10;
	show(copy_file_range(fd, &from, fd, &to, 1000, 0));
	show_bytes("file", buffer, pread(fd, buffer, 100, 0));
}
