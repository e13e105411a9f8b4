// epoll_masks.c: what epoll says of every kind of file in every state, level and edge.
//
// Calls: epoll_wait
// Passes: host acrida
#include "process.h"
#include "epoll.h"

// A set that asks for everything of one file, and one that asks for edges only.
struct watch {
	int level, edge;
};

static struct watch watch(int fd)
{
	struct watch both = { new_set(), new_set() };
	need(add(both.level, fd, ALL_EVENTS));
	need(add(both.edge, fd, ALL_EVENTS | EPOLLET));
	return both;
}

static const char *told(int set)
{
	struct epoll_event event;
	int count = epoll_wait(set, &event, 1, 0);
	return count == 1 ? epoll_names(event.events) : count ? "failed" : "nothing";
}

static void state(const char *what, struct watch watched)
{
	say("%s: %s; edge: %s", what, told(watched.level), told(watched.edge));
}

#include "file_states.h"

CHECK(characters_devices)
{
	static const char *const paths[] = { "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full" };
	for (int i = 0; i < 5; i++) {
		int set = new_set(), fd = open(paths[i], O_RDWR);
		if (fd < 0)
			fd = open(paths[i], O_RDONLY);
		int result = add(set, fd, ALL_EVENTS);
		say("%s: %s %s", paths[i], result ? errno_name(errno) : "ok", result ? "" : told(set));
	}
}

CHECK(files_of_proc)
{
	static const char *const paths[] = { "/proc/self/status", "/proc/self/mounts", "/proc/self/mountinfo", "/proc/mounts",
					     "/proc/sys/kernel/hostname", "/proc/sys/kernel/pid_max", "/proc/self/maps" };
	// Others may mount something meanwhile.
	IN_CHILD("child") {
		have_own_mounts();
		for (int i = 0; i < 7; i++) {
			int set = new_set(), fd = need(open(paths[i], O_RDONLY));
			int result = add(set, fd, ALL_EVENTS);
			say("%s: %s %s", paths[i], result ? errno_name(errno) : "ok", result ? "" : told(set));
		}
	}
}

CHECK(memory_files)
{
	int set = new_set(), fd = need(memfd_create("m", 0));
	show(add(set, fd, EPOLLIN));
	int tmp = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	show(add(set, tmp, EPOLLIN));
}

// The same interest one event at a time: only what is asked is told, but hang-ups and errors are told unasked.
CHECK(each_event_alone)
{
	static const unsigned alone[] = { EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLRDNORM, EPOLLRDBAND, EPOLLWRNORM, EPOLLWRBAND, EPOLLRDHUP,
					  EPOLLMSG, EPOLLERR, EPOLLHUP };
	int p[2], q[2], s[2];
	need(pipe(p));
	need(pipe(q));
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	write(p[WRITE], "x", 1);
	close(p[WRITE]);
	close(q[READ]);
	shutdown(s[1], SHUT_WR);
	for (unsigned i = 0; i < sizeof alone / sizeof *alone; i++) {
		int set = new_set();
		char line[256];
		int length = snprintf(line, sizeof line, "%s:", epoll_names(alone[i]));
		int fds[] = { p[READ], q[WRITE], s[0] };
		for (int k = 0; k < 3; k++) {
			need(add(set, fds[k], alone[i]));
			length += snprintf(line + length, sizeof line - length, " %s", told(set));
			del(set, fds[k]);
		}
		say("%s", line);
		close(set);
	}
}
