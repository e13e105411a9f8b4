// close_range.c: closing one descriptor and many.
//
// Calls: close close_range
// Passes: host acrida
#include "check.h"
#include <linux/close_range.h>
#include <pthread.h>

static void open_some(void)
{
	for (int i = 0; i < 8; i++)
		dup(0);
}

static void show_open(void)
{
	char list[256] = "", *end = list;
	for (int fd = 3; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFD);
		if (flags >= 0)
			end += sprintf(end, " %d%s", fd, flags ? "*" : "");
	}
	say("open (* close on exec):%s", list);
}

CHECK(close_once)
{
	show(dup(0));
	show(close(3));
	show(close(3));
	show(close(-1));
	show(close(INT_MAX));
	show(syscall(SYS_close, (1ul << 32) | 99));
}

CHECK(ranges)
{
	open_some();
	show_open();
	show(close_range(4, 5, 0));
	show_open();
	show(close_range(4, 5, 0));
	show(close_range(9, 9, 0));
	show_open();
	show(close_range(8, 7, 0));
	show(close_range(8, ~0u, 0));
	show_open();
	show(close_range(3, 7, 0));
	show_open();
	show(close_range(3, ~0u, 0));
}

CHECK(flags)
{
	open_some();
	show(close_range(5, 7, CLOSE_RANGE_CLOEXEC));
	show_open();
	show(close_range(5, 6, CLOSE_RANGE_UNSHARE));
	show_open();
	show(close_range(9, ~0u, CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE));
	show_open();
	show(close_range(3, 10, 1));
	show(close_range(3, 10, 8));
	show(close_range(10, 3, 8));
	show_open();
}

static void *unshare_and_close(void *unused UNUSED)
{
	show(close_range(3, ~0u, CLOSE_RANGE_UNSHARE));
	show_open();
	return NULL;
}

CHECK(unshare_in_a_thread)
{
	open_some();
	pthread_t thread;
	pthread_create(&thread, NULL, unshare_and_close, NULL);
	pthread_join(thread, NULL);
	show_open();
}

static void *close_shared(void *unused UNUSED)
{
	show(close_range(5, 6, 0));
	return NULL;
}

CHECK(threads_share_the_table)
{
	open_some();
	pthread_t thread;
	pthread_create(&thread, NULL, close_shared, NULL);
	pthread_join(thread, NULL);
	show_open();
}

CHECK(closing_wakes_the_other_end)
{
	int p[2];
	char c;
	pipe(p);
	show(close_range(p[1], p[1], 0));
	show(read(p[0], &c, 1));
}
