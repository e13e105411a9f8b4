// getdents.c: reading directories: completeness, positions, small buffers, changes under way.
//
// Calls: getdents64 getdents lseek
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <dirent.h>

static char buffer[32768];

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// All names from the current position on, sorted (the order is the file system's own business).
static void list(int fd, size_t size)
{
	static char *names[4096];
	int n = 0, calls = 0;
	long length;
	while ((length = syscall(SYS_getdents64, fd, buffer, size)) > 0) {
		calls++;
		for (long at = 0; at < length;) {
			struct dirent64 *entry = (void *)(buffer + at);
			names[n++] = strdup(entry->d_name);
			at += entry->d_reclen;
		}
	}
	if (length < 0)
		say("getdents64 = %s", errno_name(errno));
	qsort(names, n, sizeof *names, compare);
	char text[2048], *end = text;
	*end = 0;
	for (int i = 0; i < n; i++) {
		if (n <= 40)
			end += sprintf(end, " %s", names[i]);
		free(names[i]);
	}
	if (n > 40)
		sprintf(end, " (not shown)");
	say("%d entries%s", n, text);
}

static void populate(int n)
{
	char name[32];
	mkdir("d", 0755);
	for (int i = 0; i < n; i++) {
		sprintf(name, "d/%03d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
}

CHECK(names_and_types)
{
	mkdir("d", 0755);
	mkdir("d/dir", 0755);
	close(open("d/file", O_CREAT | O_WRONLY, 0644));
	symlink("x", "d/link");
	mkfifo("d/fifo", 0644);
	mknod("d/sock", S_IFSOCK | 0644, 0);
	int fd = open("d", O_RDONLY), unordered = 0;
	long length = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
	static const char *wanted[] = { ".", "..", "dir", "file", "link", "fifo", "sock" };
	struct stat st;
	for (int i = 0; i < 7; i++) {
		for (long at = 0; at < length;) {
			struct dirent64 *entry = (void *)(buffer + at);
			if (!strcmp(entry->d_name, wanted[i])) {
				fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
				say("%s: type %d, record %d, inode as in stat %d", entry->d_name, entry->d_type, entry->d_reclen,
				    entry->d_ino == st.st_ino);
			}
			at += entry->d_reclen;
			unordered += entry->d_reclen % 8;
		}
	}
	show(unordered);
	show(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
}

CHECK(small_buffers)
{
	populate(50);
	int fd = open("d", O_RDONLY);
	show(syscall(SYS_getdents64, fd, buffer, 0));
	show(syscall(SYS_getdents64, fd, buffer, 10));
	show(syscall(SYS_getdents64, fd, buffer, 23));
	list(fd, 32);
	lseek(fd, 0, SEEK_SET);
	list(fd, 100);
	lseek(fd, 0, SEEK_SET);
	list(fd, sizeof buffer);
	show(syscall(SYS_getdents64, fd, buffer, 0));
	show(syscall(SYS_getdents64, fd, buffer, 1));
}

CHECK(rewind_and_seek)
{
	populate(20);
	int fd = open("d", O_RDONLY);
	list(fd, sizeof buffer);
	list(fd, sizeof buffer);
	show(lseek(fd, 0, SEEK_SET));
	list(fd, sizeof buffer);
	lseek(fd, 0, SEEK_SET);
	long length = syscall(SYS_getdents64, fd, buffer, 24 * 5);
	struct dirent64 *last = NULL;
	int n = 0;
	for (long at = 0; at < length; n++) {
		last = (void *)(buffer + at);
		at += last->d_reclen;
	}
	say("d_off of the last entry is the position: %d", last && last->d_off == lseek(fd, 0, SEEK_CUR));
	off_t here = lseek(fd, 0, SEEK_CUR);
	length = syscall(SYS_getdents64, fd, buffer, 24);
	char next[64];
	strcpy(next, ((struct dirent64 *)buffer)->d_name);
	lseek(fd, here, SEEK_SET);
	syscall(SYS_getdents64, fd, buffer, 24);
	say("the same entry again after seeking back: %d", !strcmp(next, ((struct dirent64 *)buffer)->d_name));
	show(lseek(fd, -1, SEEK_SET));
	show(lseek(fd, 0, 99));
}

CHECK(removal_while_reading)
{
	populate(300);
	int fd = open("d", O_RDONLY), removed = 0, seen = 0;
	long length;
	while ((length = syscall(SYS_getdents64, fd, buffer, 200)) > 0) {
		for (long at = 0; at < length;) {
			struct dirent64 *entry = (void *)(buffer + at);
			at += entry->d_reclen;
			if (entry->d_name[0] == '.')
				continue;
			seen++;
			removed += !unlinkat(fd, entry->d_name, 0);
		}
	}
	show(seen);
	show(removed);
	show(rmdir("d"));
}

CHECK(unlisted_names_come_once_at_most)
{
	populate(100);
	enum { MOST_ROUNDS = 500 };
	int fd = open("d", O_RDONLY), seen[100] = { 0 }, seen_new[MOST_ROUNDS] = { 0 }, round;
	long length = 1;
	char name[32];
	for (round = 0; round < MOST_ROUNDS && (length = syscall(SYS_getdents64, fd, buffer, 100)) > 0; round++) {
		for (long at = 0; at < length;) {
			struct dirent64 *entry = (void *)(buffer + at);
			at += entry->d_reclen;
			if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
				seen[atoi(entry->d_name)]++;
			else if (!strncmp(entry->d_name, "new", 3))
				seen_new[atoi(entry->d_name + 3)]++;
		}
		sprintf(name, "d/new%d", round);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	int once = 0;
	for (int i = 0; i < 100; i++)
		once += seen[i] == 1;
	say("old names seen exactly once: %d", once);
	int twice = 0;
	for (int i = 0; i < round; i++)
		twice += seen_new[i] > 1;
	// Whether a new name is listed at all is the file system's choice.
	say("an end: %d, new names seen twice: %d", length == 0, twice);
}

CHECK(errors)
{
	populate(3);
	int fd = open("d", O_RDONLY), file = open("d/000", O_RDONLY), p[2];
	pipe(p);
	show(syscall(SYS_getdents64, fd, bad_pointer(), 4096));
	show(syscall(SYS_getdents64, fd, NULL, 4096));
	show(syscall(SYS_getdents64, fd, bad_pointer(), 0));
	list(fd, sizeof buffer);
	show(syscall(SYS_getdents64, fd, bad_pointer(), 4096));
	show(syscall(SYS_getdents64, file, buffer, sizeof buffer));
	show(syscall(SYS_getdents64, p[0], buffer, sizeof buffer));
	show(syscall(SYS_getdents64, 0, buffer, sizeof buffer));
	show(syscall(SYS_getdents64, 99, buffer, sizeof buffer));
	show(syscall(SYS_getdents64, -1, bad_pointer(), 0));
}

CHECK(partly_bad_buffer)
{
	populate(10);
	int fd = open("d", O_RDONLY);
	char *edge = at_edge(60);
	long length = show(syscall(SYS_getdents64, fd, edge, 4096));
	int n = 0;
	for (long at = 0; at < length; n++)
		at += ((struct dirent64 *)(edge + at))->d_reclen;
	show(n);
	lseek(fd, 0, SEEK_SET);
	list(fd, sizeof buffer);
}

CHECK(empty_directory)
{
	mkdir("d", 0755);
	int fd = open("d", O_RDONLY);
	list(fd, sizeof buffer);
	list(fd, sizeof buffer);
}

CHECK(two_readers)
{
	populate(30);
	int a = open("d", O_RDONLY), b = open("d", O_RDONLY), copy = dup(a);
	long length = syscall(SYS_getdents64, a, buffer, 24 * 10), rest = 0;
	list(b, sizeof buffer);
	for (long more; (more = syscall(SYS_getdents64, copy, buffer, 4096)) > 0;)
		rest += more;
	show(length);
	show(rest);
	list(a, 4096);
}
