// openat2_races.c: a walk that may not leave its directory, while directories move out of it and back.
//
// Calls: openat2 rename
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <linux/openat2.h>
#include <pthread.h>

enum { WALKS = 2000, SECONDS = 2 };
static volatile int stop;
static int scope;

// "inside" in the directory that is the scope, "outside" in those above and beside it.
static void put(const char *path, const char *text)
{
	int fd = need(open(path, O_CREAT | O_WRONLY, 0644));
	need(write(fd, text, strlen(text)));
	close(fd);
}

static void tree(void)
{
	need(mkdir("scope", 0755));
	need(mkdir("scope/a", 0755));
	need(mkdir("scope/a/b", 0755));
	need(mkdir("scope/a/b/c", 0755));
	need(mkdir("scope/a/b/c/d", 0755));
	need(mkdir("out", 0755));
	put("scope/f", "inside");
	put("scope/a/g", "inside");
	put("f", "outside");
	put("out/f", "outside");
	put("out/g", "outside");
	scope = need(open("scope", O_PATH | O_DIRECTORY));
}

static int walk(const char *path, uint64_t resolve)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = resolve };
	return syscall(SYS_openat2, scope, path, &how, sizeof how);
}

// What is in the file, as one letter; 0 for an answer that a race explains.
static char answer(const char *path, uint64_t resolve)
{
	char text[8] = "";
	int fd = walk(path, resolve);
	if (fd < 0)
		return errno == ENOENT || errno == EXDEV || errno == EAGAIN ? 0 : '?';
	read(fd, text, sizeof text - 1);
	close(fd);
	return text[0];
}

static void *move_out_and_in(void *unused UNUSED)
{
	while (!stop) {
		rename("scope/a/b", "out/b");
		rename("out/b", "scope/a/b");
	}
	return NULL;
}

static int before(const struct timespec *start, int seconds)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec < seconds;
}

static void walks(const char *what, const char *path, uint64_t resolve)
{
	pthread_t thread;
	struct timespec start;
	int inside = 0, outside = 0, strange = 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	stop = 0;
	pthread_create(&thread, NULL, move_out_and_in, NULL);
	for (int i = 0; i < WALKS && before(&start, SECONDS); i++) {
		char letter = answer(path, resolve);
		outside += letter == 'o';
		strange += letter == '?';
	}
	stop = 1;
	pthread_join(thread, NULL);
	// Somebody else's rename may come between on the host.
	for (clock_gettime(CLOCK_MONOTONIC, &start); !inside && before(&start, SECONDS);)
		inside = answer(path, resolve) == 'i';
	say("%s: outside %d, other answers %d, at last inside %d", what, outside, strange, inside);
}

// Goes up and down for a while, where things move, before `end`.
static char *long_way(const char *end)
{
	static char path[PATH_MAX];
	strcpy(path, "a/b/c/d");
	for (int i = 0; i < 300; i++)
		strcat(path, "/../d");
	return strcat(path, end);
}

CHECK(beneath)
{
	tree();
	walks("below", long_way("/../../../../f"), RESOLVE_BENEATH);
	walks("beside", long_way("/../../../g"), RESOLVE_BENEATH);
}

CHECK(in_root)
{
	tree();
	walks("below", long_way("/../../../../f"), RESOLVE_IN_ROOT);
	walks("beside", long_way("/../../../g"), RESOLVE_IN_ROOT);
}
