// inotify_limits.c: what happens at the limits of /proc/sys/fs/inotify, which only a world of its own may change.
//
// Run as `inotify_limits` in an empty directory, as root of a world. Prints what went wrong, or "ok".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int failed;
#define expect(condition) expect_(condition, #condition, __LINE__)
static void expect_(int holds, const char *what, int line)
{
	if (!holds) {
		failed++;
		printf("line %d: %s (errno %d)\n", line, what, errno);
	}
}

static int set_limit(const char *name, const char *value)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/sys/fs/inotify/%s", name);
	int fd = open(path, O_WRONLY);
	int result = write(fd, value, strlen(value)) == (ssize_t)strlen(value) ? 0 : errno;
	close(fd);
	return result;
}

static void make(const char *path)
{
	close(creat(path, 0644));
}

int main(void)
{
	make("a");
	make("b");
	make("c");
	int fd = inotify_init1(IN_NONBLOCK);
	expect(set_limit("max_user_watches", "2\n") == 0);
	expect(inotify_add_watch(fd, "a", IN_OPEN) == 1);
	expect(inotify_add_watch(fd, "b", IN_OPEN) == 2);
	expect(inotify_add_watch(fd, "c", IN_OPEN) == -1 && errno == ENOSPC);
	// Changing one costs nothing.
	expect(inotify_add_watch(fd, "b", IN_ACCESS) == 2);
	expect(inotify_rm_watch(fd, 1) == 0);
	// The number of the failed one was used up, as on Linux.
	expect(inotify_add_watch(fd, "c", IN_OPEN) == 4);
	int second = inotify_init1(IN_NONBLOCK);
	expect(inotify_add_watch(second, "a", IN_OPEN) == -1 && errno == ENOSPC);
	close(fd);
	expect(inotify_add_watch(second, "a", IN_OPEN) == 2);
	unlink("a");
	expect(inotify_add_watch(second, "b", IN_OPEN) == 3);
	expect(inotify_add_watch(second, "c", IN_OPEN) == 4);
	close(second);
	expect(set_limit("max_user_instances", "1\n") == 0);
	fd = inotify_init1(IN_NONBLOCK);
	expect(fd >= 0);
	expect(inotify_init1(0) == -1 && errno == EMFILE);
	close(fd);
	// The queue's length is taken when the instance is made.
	expect(set_limit("max_queued_events", "3\n") == 0);
	fd = inotify_init1(IN_NONBLOCK);
	expect(set_limit("max_queued_events", "100\n") == 0);
	expect(inotify_add_watch(fd, ".", IN_CREATE) == 1);
	const char *names[] = { "1", "2", "3", "4", "5" };
	for (int i = 0; i < 5; i++)
		make(names[i]);
	struct {
		struct inotify_event event;
		char name[16];
	} event;
	for (int i = 0; i < 3; i++)
		expect(read(fd, &event, sizeof event) == 32 && !strcmp(event.name, names[i]));
	expect(read(fd, &event, sizeof event) == 16 && event.event.wd == -1 && event.event.mask == IN_Q_OVERFLOW);
	expect(read(fd, &event, sizeof event) == -1 && errno == EAGAIN);
	make("6");
	expect(read(fd, &event, sizeof event) == 32 && !strcmp(event.name, "6"));
	expect(set_limit("max_user_watches", "-1\n") == EINVAL);
	printf("%s\n", failed ? "wrong" : "ok");
	return failed != 0;
}
