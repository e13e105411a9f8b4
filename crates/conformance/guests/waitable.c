// waitable.c: the files that can be waited for, in every state, by poll, select and every mode of epoll.
//
// Calls: poll select epoll_wait timerfd_create signalfd4 inotify_init1 eventfd2 pidfd_open
// Passes: host acrida
#include "process.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static const char *epoll_names(uint32_t events)
{
	static const struct flag flags[] = {
		FLAG(EPOLLIN), FLAG(EPOLLPRI), FLAG(EPOLLOUT), FLAG(EPOLLERR), FLAG(EPOLLHUP), FLAG(EPOLLRDNORM),
		FLAG(EPOLLRDBAND), FLAG(EPOLLWRNORM), FLAG(EPOLLWRBAND), FLAG(EPOLLMSG), FLAG(EPOLLRDHUP), END_OF_FLAGS,
	};
	return events ? flag_names(events, flags) : "nothing";
}

// Every event but POLLNVAL.
enum { EVERYTHING = 0x3fff & ~POLLNVAL };

// Four sets of the file: level, edge, once, and one of the set with the level in it.
struct sets {
	int fd, level, edge, once, outer;
};

static int set_of(int fd, uint32_t mode)
{
	int set = need(epoll_create1(0));
	struct epoll_event event = { .events = EVERYTHING | mode };
	need(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	return set;
}

static struct sets sets_of(int fd)
{
	struct sets sets = { fd, set_of(fd, 0), set_of(fd, EPOLLET), set_of(fd, EPOLLONESHOT), 0 };
	sets.outer = set_of(sets.level, 0);
	return sets;
}

static const char *wait_on(int set)
{
	struct epoll_event event = { 0 };
	int ready = epoll_wait(set, &event, 1, 0);
	return ready < 0 ? errno_name(errno) : ready ? epoll_names(event.events) : "nothing";
}

static void state(const char *what, struct sets *sets)
{
	struct pollfd one = { .fd = sets->fd, .events = EVERYTHING };
	int ready = poll(&one, 1, 0);
	say("%s: poll %d %s", what, ready, one.revents ? poll_names(one.revents) : "nothing");
	fd_set in, out, except;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(sets->fd, &in);
	FD_SET(sets->fd, &out);
	FD_SET(sets->fd, &except);
	ready = select(sets->fd + 1, &in, &out, &except, &(struct timeval){ 0, 0 });
	say("%s: select %d%s%s%s", what, ready, FD_ISSET(sets->fd, &in) ? " in" : "", FD_ISSET(sets->fd, &out) ? " out" : "",
	    FD_ISSET(sets->fd, &except) ? " except" : "");
	say("%s: level %s", what, wait_on(sets->level));
	say("%s: edge %s", what, wait_on(sets->edge));
	say("%s: once %s", what, wait_on(sets->once));
	say("%s: outer %s", what, wait_on(sets->outer));
}

static void wait_ready(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	if (poll(&one, 1, PATIENCE_MS) != 1)
		say("not ready");
}

CHECK(a_timerfd)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct sets sets = sets_of(fd);
	state("new", &sets);
	struct itimerspec soon = { .it_value = { 0, 1 } }, never = { .it_value = { 1000, 0 } };
	timerfd_settime(fd, 0, &never, NULL);
	state("armed", &sets);
	timerfd_settime(fd, 0, &soon, NULL);
	wait_ready(sets.outer); // Told last: the others know by now.
	state("expired", &sets);
	state("again", &sets);
	uint64_t ticks;
	read(fd, &ticks, 8);
	state("read", &sets);
	timerfd_settime(fd, 0, &soon, NULL);
	wait_ready(sets.outer); // Told last: the others know by now.
	timerfd_settime(fd, 0, &never, NULL);
	state("set anew", &sets);
}

CHECK(a_signalfd)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct sets sets = sets_of(fd);
	state("new", &sets);
	raise(SIGUSR1);
	state("pending", &sets);
	state("again", &sets);
	raise(SIGUSR1);
	state("once more", &sets);
	struct signalfd_siginfo info;
	read(fd, &info, sizeof info);
	state("read", &sets);
	raise(SIGUSR1);
	sigset_t none;
	sigemptyset(&none);
	signalfd(fd, &none, 0);
	state("no longer wanted", &sets);
	signalfd(fd, &set, 0);
	state("wanted again", &sets);
	read(fd, &info, sizeof info);
}

CHECK(an_inotify)
{
	int fd = inotify_init1(IN_NONBLOCK);
	struct sets sets = sets_of(fd);
	state("new", &sets);
	inotify_add_watch(fd, ".", IN_CREATE);
	state("watching", &sets);
	close(creat("one", 0644));
	state("one event", &sets);
	state("again", &sets);
	close(creat("two", 0644));
	state("two events", &sets);
	char buffer[512];
	read(fd, buffer, 40);
	state("one read", &sets);
	read(fd, buffer, sizeof buffer);
	state("both read", &sets);
	inotify_rm_watch(fd, 1);
	state("watch removed", &sets);
}

CHECK(an_eventfd)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct sets sets = sets_of(fd);
	state("new", &sets);
	eventfd_write(fd, 1);
	state("one", &sets);
	state("again", &sets);
	eventfd_write(fd, UINT64_MAX - 2);
	state("full", &sets);
	eventfd_t value;
	eventfd_read(fd, &value);
	state("read", &sets);
}

CHECK(a_pidfd)
{
	int go[2];
	pipe(go);
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		close(go[1]);
		read(go[0], &byte, 1);
		_exit(3);
	}
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct sets sets = sets_of(fd);
	state("alive", &sets);
	close(go[1]);
	wait_ready(fd);
	state("ended", &sets);
	state("again", &sets);
	reap("child", pid);
	state("reaped", &sets);
}

CHECK(all_of_them_at_once)
{
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	int fds[] = { eventfd(0, 0), timerfd_create(CLOCK_MONOTONIC, 0), signalfd(-1, &mask, 0), inotify_init1(0) };
	int set = epoll_create1(0);
	for (int i = 0; i < 4; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
		epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event);
	}
	inotify_add_watch(fds[3], ".", IN_CREATE);
	struct epoll_event events[8];
	show(epoll_wait(set, events, 8, 0));
	eventfd_write(fds[0], 1);
	timerfd_settime(fds[1], 0, &(struct itimerspec){ .it_value = { 0, 1 } }, NULL);
	wait_ready(fds[1]);
	raise(SIGUSR1);
	close(creat("file", 0644));
	show(epoll_wait(set, events, 8, 0));
	int seen = 0;
	for (int i = 0; i < 4; i++)
		seen |= 1 << events[i].data.u32;
	say("each: %x", seen);
	// One at a time, each in turn.
	seen = 0;
	for (int i = 0; i < 4; i++) {
		epoll_wait(set, events, 1, 0);
		seen |= 1 << events[0].data.u32;
	}
	say("in turn: %x", seen);
	uint64_t value;
	struct signalfd_siginfo info;
	char buffer[512];
	read(fds[0], &value, 8);
	read(fds[1], &value, 8);
	read(fds[2], &info, sizeof info);
	read(fds[3], buffer, sizeof buffer);
	show(epoll_wait(set, events, 8, 0));
}
