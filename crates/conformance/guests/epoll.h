// epoll.h: what the epoll guests share: names of events, short forms of epoll_ctl, and waits that say what they found.
#ifndef EPOLL_H
#define EPOLL_H

#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

#ifndef EPOLLURING_WAKE
#define EPOLLURING_WAKE (1u << 27)
#endif

enum { ALL_EVENTS = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND | EPOLLRDHUP };

UNUSED static const char *epoll_names(unsigned long events)
{
	static const struct flag flags[] = {
		FLAG(EPOLLIN), FLAG(EPOLLPRI), FLAG(EPOLLOUT), FLAG(EPOLLERR), FLAG(EPOLLHUP), FLAG(EPOLLRDNORM),
		FLAG(EPOLLRDBAND), FLAG(EPOLLWRNORM), FLAG(EPOLLWRBAND), FLAG(EPOLLMSG), FLAG(EPOLLRDHUP),
		FLAG(EPOLLEXCLUSIVE), FLAG(EPOLLWAKEUP), FLAG(EPOLLONESHOT), { 1u << 31, "EPOLLET" }, END_OF_FLAGS,
	};
	return flag_names(events, flags);
}

// A set; the check ends when there is none.
UNUSED static int new_set(void)
{
	return need(epoll_create1(EPOLL_CLOEXEC));
}

// epoll_ctl whose data is the descriptor.
UNUSED static int control(int set, int operation, int fd, unsigned events)
{
	struct epoll_event event = { .events = events, .data.u64 = fd };
	return epoll_ctl(set, operation, fd, &event);
}

UNUSED static int add(int set, int fd, unsigned events)
{
	return control(set, EPOLL_CTL_ADD, fd, events);
}

UNUSED static int mod(int set, int fd, unsigned events)
{
	return control(set, EPOLL_CTL_MOD, fd, events);
}

UNUSED static int del(int set, int fd)
{
	return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

// Names of descriptors in the order of their making, so that no number shows.
static struct {
	int fd;
	const char *name;
} named[64];
static int nr_named;

UNUSED static int name_fd(int fd, const char *name)
{
	for (int i = 0; i < nr_named; i++)
		if (named[i].fd == fd) {
			named[i].name = name;
			return fd;
		}
	named[nr_named].fd = fd;
	named[nr_named++].name = name;
	return fd;
}

UNUSED static const char *fd_name(uint64_t data)
{
	static char number[24];
	for (int i = 0; i < nr_named; i++)
		if ((uint64_t)named[i].fd == data)
			return named[i].name;
	snprintf(number, sizeof number, "%llu", (unsigned long long)data);
	return number;
}

// Waits for at most `max` events for `millis` and says them in order.
UNUSED static int wait_for(const char *what, int set, int max, int millis)
{
	struct epoll_event events[64];
	int count = epoll_wait(set, events, max, millis);
	char text[1024] = "", *end = text;
	if (count == -1) {
		say("%s: %s", what, errno_name(errno));
		return count;
	}
	for (int i = 0; i < count; i++)
		end += sprintf(end, "%s%s %s", i ? ", " : "", fd_name(events[i].data.u64), epoll_names(events[i].events));
	say("%s: %d%s%s", what, count, count ? ": " : "", text);
	return count;
}

// What is ready now.
UNUSED static int look(const char *what, int set)
{
	return wait_for(what, set, 64, 0);
}

UNUSED static int new_eventfd(const char *name, unsigned count)
{
	return name_fd(need(eventfd(count, EFD_NONBLOCK)), name);
}

UNUSED static void add_to(int fd, uint64_t count)
{
	if (write(fd, &count, 8) != 8)
		say("write to an eventfd = %s", errno_name(errno));
}

UNUSED static void drain(int fd)
{
	uint64_t count;
	if (read(fd, &count, 8) != 8)
		say("read of an eventfd = %s", errno_name(errno));
}

// A pipe that does not block, its ends named.
UNUSED static void new_pipe(int ends[2], const char *reader, const char *writer)
{
	need(pipe2(ends, O_NONBLOCK));
	name_fd(ends[0], reader);
	name_fd(ends[1], writer);
}

#endif
