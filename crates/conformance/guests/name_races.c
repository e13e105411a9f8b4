// name_races.c: names that are looked up, made, moved and removed by several threads at once.
//
// Calls: rename unlink mkdir stat openat getcwd
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <pthread.h>

enum { ROUNDS = 20000, SECONDS = 2 };
static volatile int stop;
static int surprises;

// Stops early on a slow machine.
static int goes_on(int round)
{
	static struct timespec start;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (round == 0)
		start = now;
	return round < ROUNDS && now.tv_sec - start.tv_sec < SECONDS && !stop;
}

static void *move_to_and_fro(void *unused UNUSED)
{
	for (int i = 0; goes_on(i); i++) {
		rename("d", "e");
		rename("e", "d");
	}
	stop = 1;
	return NULL;
}

static void *look_both_up(void *unused UNUSED)
{
	struct stat st;
	while (!stop) {
		stat("d", &st);
		stat("e", &st);
	}
	return NULL;
}

static void together(void *(*first)(void *), void *(*second)(void *))
{
	pthread_t threads[2];
	stop = surprises = 0;
	pthread_create(&threads[0], NULL, first, NULL);
	pthread_create(&threads[1], NULL, second, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

CHECK(a_directory_that_moves_stays_alive)
{
	char here[PATH_MAX];
	need(mkdir("d", 0755));
	int dir = need(open("d", O_RDONLY | O_DIRECTORY));
	together(move_to_and_fro, look_both_up);
	show(mkdir("d/x", 0755));
	show_ok(openat(dir, "y", O_CREAT | O_RDWR, 0600));
	show(fchdir(dir));
	say("getcwd: %s", getcwd(here, sizeof here) ? strrchr(here, '/') : errno_name(errno));
	show(access("x", F_OK));
	show(access("../d/y", F_OK));
}

static void *replace(void *unused UNUSED)
{
	for (int i = 0; goes_on(i); i++) {
		close(open("new", O_CREAT | O_WRONLY, 0600));
		surprises += rename("new", "t") != 0;
	}
	stop = 1;
	return NULL;
}

static void *make_and_remove(void *unused UNUSED)
{
	while (!stop) {
		close(open("t", O_CREAT | O_WRONLY, 0600));
		unlink("t");
	}
	return NULL;
}

CHECK(rename_does_not_see_its_target_change)
{
	together(replace, make_and_remove);
	show(surprises);
}

static void *replace_always(void *unused UNUSED)
{
	for (int i = 0; goes_on(i); i++) {
		close(open("new", O_CREAT | O_WRONLY, 0600));
		rename("new", "t");
	}
	stop = 1;
	return NULL;
}

// The name is there from before the loop on, and nobody else takes it away for good.
static void *remove_and_make(void *unused UNUSED)
{
	while (!stop) {
		close(open("t", O_CREAT | O_WRONLY, 0600));
		surprises += unlink("t") != 0;
	}
	return NULL;
}

CHECK(unlink_finds_what_is_being_replaced)
{
	together(replace_always, remove_and_make);
	show(surprises);
}

static void *move_between(void *unused UNUSED)
{
	for (int i = 0; goes_on(i); i++) {
		rename("a/f", "b/f");
		rename("b/f", "a/f");
		rename("a/d", "b/d");
		rename("b/d", "a/d");
	}
	stop = 1;
	return NULL;
}

static void *move_back(void *unused UNUSED)
{
	while (!stop) {
		rename("b/f", "a/f");
		rename("a/f", "b/f");
		renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE);
	}
	return NULL;
}

CHECK(moves_both_ways)
{
	need(mkdir("a", 0755));
	need(mkdir("b", 0755));
	need(mkdir("a/d", 0755));
	close(open("a/f", O_CREAT | O_WRONLY, 0600));
	together(move_between, move_back);
	show(access("a/f", F_OK) + access("b/f", F_OK));
	show(access("a/d", F_OK) + access("b/d", F_OK));
	show(rmdir(access("a/d", F_OK) ? "b/d" : "a/d"));
}

static int top;
static char deep[PATH_MAX];

// The working directory is never below `x` while `x` is in `z`.
static void *move_one_then_the_other(void *unused UNUSED)
{
	for (int i = 0; goes_on(i); i++) {
		renameat(top, deep, top, "y/b");
		renameat(top, "x", top, "z/x");
		renameat(top, "z/x", top, "x");
		renameat(top, "y/b", top, deep);
	}
	stop = 1;
	return NULL;
}

static void *ask_where(void *unused UNUSED)
{
	char here[PATH_MAX];
	while (!stop)
		if (!getcwd(here, sizeof here) || strstr(here, "/z/x/"))
			surprises++;
	return NULL;
}

CHECK(getcwd_is_of_one_moment)
{
	top = need(open(".", O_PATH));
	need(mkdir("y", 0755));
	need(mkdir("z", 0755));
	strcpy(deep, "x");
	need(mkdir(deep, 0755));
	for (int i = 0; i < 200; i++) {
		strcat(deep, "/d");
		need(mkdir(deep, 0755));
	}
	strcat(deep, "/b");
	need(mkdir(deep, 0755));
	need(chdir(deep));
	together(move_one_then_the_other, ask_where);
	show(surprises);
}
