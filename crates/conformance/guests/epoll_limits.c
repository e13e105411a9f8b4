// epoll_limits.c: max_user_watches, and what /proc shows of a set.
//
// Calls: epoll_ctl
// Passes: host acrida
#include "epoll.h"
#include <pthread.h>
#include <sys/sysmacros.h>

static const char *limit_path = "/proc/sys/fs/epoll/max_user_watches";

static unsigned long read_limit(void)
{
	char text[32] = "";
	int fd = open(limit_path, O_RDONLY);
	read(fd, text, sizeof text - 1);
	close(fd);
	return strtoul(text, NULL, 10);
}

static int write_limit(const char *text)
{
	int fd = open(limit_path, O_WRONLY);
	int result = fd < 0 ? -1 : (int)write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

CHECK(limit_is_shown)
{
	struct stat st;
	need(stat(limit_path, &st));
	say("mode %o", st.st_mode);
	say("%s", read_limit() > 1000 ? "plenty" : "few");
}

// The limit is everybody's: it must stay far above what others on the host watch, so this user watches as much.
enum { FULL_SETS = 25, WATCHES_EACH = 800 };
static void watch_plenty(void)
{
	int numbers[WATCHES_EACH];
	int fd = need(eventfd(0, 0));
	for (int i = 0; i < WATCHES_EACH; i++)
		numbers[i] = need(dup(fd));
	for (int i = 0; i < FULL_SETS; i++) {
		int set = new_set();
		for (int k = 0; k < WATCHES_EACH; k++)
			need(add(set, numbers[k], EPOLLIN));
	}
}

// Leaves room for so many watches more.
static void leave_room(int guard, int room)
{
	char text[32];
	snprintf(text, sizeof text, "%d", FULL_SETS * WATCHES_EACH + room);
	need(lseek(guard, 0, SEEK_SET));
	need(write(guard, text, strlen(text)));
}

CHECK(limit_refuses)
{
	IN_CHILD("child") {
		int guard = open(limit_path, O_WRONLY);
		unsigned long before = read_limit();
		char text[32];
		if (guard < 0) {
			say("open = %s", errno_name(errno));
			_exit(0);
		}
		// A user that watches nothing else.
		need(setresuid(lone_user(), 0, 0));
		watch_plenty();
		int set = new_set(), e = new_eventfd("e", 0), other = new_set();
		leave_room(guard, 3);
		int copies[5];
		for (int i = 0; i < 5; i++) {
			copies[i] = dup(e);
			show(add(i & 1 ? other : set, copies[i], EPOLLIN));
		}
		show(add(set, copies[0], EPOLLIN));
		show(mod(set, copies[0], EPOLLIN));
		show(del(set, copies[0]));
		show(add(set, copies[3], EPOLLIN));
		show(add(set, copies[4], EPOLLIN));
		show(add(set, set, EPOLLIN));
		close(other);
		show(add(set, copies[4], EPOLLIN));
		leave_room(guard, 0);
		show(add(set, copies[0], EPOLLIN));
		show(del(set, copies[4]));
		show(add(set, copies[4], EPOLLIN));
		snprintf(text, sizeof text, "%lu", before);
		lseek(guard, 0, SEEK_SET);
		need(write(guard, text, strlen(text)));
		show(add(set, copies[4], EPOLLIN));
	}
}

CHECK(limit_values)
{
	unsigned long before = read_limit();
	char text[32];
	show(write_limit("-1"));
	show(write_limit("many"));
	show(write_limit("9223372036854775807"));
	say("%lu", read_limit());
	show(write_limit("123456\n"));
	say("%lu", read_limit());
	snprintf(text, sizeof text, "%lu", before);
	write_limit(text);
}

// The lines of /proc/self/fdinfo/FD that begin with `key`.
static void show_info(int fd)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int file = need(open(path, O_RDONLY));
	long length = read(file, text, sizeof text - 1);
	close(file);
	text[length < 0 ? 0 : length] = 0;
	char *rest = text, *line;
	while ((line = strsep(&rest, "\n")) && *line) {
		int tfd;
		unsigned events, sdev;
		unsigned long long data;
		long long pos;
		unsigned long ino;
		if (sscanf(line, "tfd: %d events: %x data: %llx  pos:%lli ino:%lx sdev:%x", &tfd, &events, &data, &pos, &ino, &sdev) == 6) {
			struct stat st;
			bool is_right = fstat(tfd, &st) == 0 && st.st_ino == ino && st.st_dev == makedev(sdev >> 20, sdev & 0xfffff);
			*strstr(line, " ino:") = 0;
			say("%s (%s)", line, is_right ? "its inode" : "another inode");
		} else if (!strncmp(line, "mnt_id:", 7) || !strncmp(line, "ino:", 4)) {
			*strchr(line, ':') = 0;
			say("%s", line);
		} else {
			say("%s", line);
		}
	}
}

CHECK(fdinfo)
{
	int set = new_set(), e = new_eventfd("e", 0);
	show_info(set);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 0xabcdef0123456789 };
	need(epoll_ctl(set, EPOLL_CTL_ADD, e, &event));
	show_info(set);
	show(mod(set, e, EPOLLOUT | EPOLLONESHOT));
	show_info(set);
	look("told", set);
	show_info(set);
	show(mod(set, e, EPOLLIN | EPOLLWAKEUP));
	show_info(set);
	show(mod(set, e, 0));
	show_info(set);
	show(del(set, e));
	show(add(set, e, EPOLLIN | EPOLLEXCLUSIVE));
	show_info(set);
	int high = fcntl(e, F_DUPFD, 200);
	close(e);
	need(dup2(high, e));
	show_info(set);
}

CHECK(fdinfo_of_a_pipe)
{
	int set = new_set(), p[2];
	need(pipe(p));
	need(add(set, p[0], EPOLLIN));
	show_info(set);
	close(p[0]);
	show_info(set);
}

CHECK(fdinfo_of_a_nested_set)
{
	int set = new_set(), inner = new_set();
	need(add(set, inner, EPOLLIN));
	show_info(set);
	show_info(inner);
}

CHECK(fdinfo_of_two_numbers)
{
	int set = new_set(), e = new_eventfd("e", 0), f = dup(e);
	need(add(set, f, EPOLLIN));
	need(add(set, e, EPOLLOUT));
	show_info(set);
}

static volatile bool stop_looking;
static void *churn(void *argument)
{
	int set = *(int *)argument;
	while (!stop_looking) {
		int e = eventfd(0, 0);
		add(set, e, EPOLLIN);
		close(e);
	}
	return NULL;
}

CHECK(fdinfo_while_it_changes)
{
	int set = new_set();
	stop_looking = false;
	pthread_t thread;
	pthread_create(&thread, NULL, churn, &set);
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", set);
	int looked = 0;
	for (int i = 0; i < 300; i++) {
		int file = need(open(path, O_RDONLY));
		looked += read(file, text, sizeof text) >= 10;
		close(file);
	}
	stop_looking = true;
	pthread_join(thread, NULL);
	say("looked: %d", looked);
}
