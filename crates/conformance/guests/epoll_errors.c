// epoll_errors.c: arguments of the epoll calls, and the order in which they are checked.
//
// Calls: epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait2
// Passes: host acrida
#include "epoll.h"

CHECK(create)
{
	show(syscall(SYS_epoll_create, 0));
	show(syscall(SYS_epoll_create, -1));
	show(syscall(SYS_epoll_create, 1));
	show(syscall(SYS_epoll_create, INT_MAX));
	show(syscall(SYS_epoll_create1, 0));
	show(syscall(SYS_epoll_create1, EPOLL_CLOEXEC));
	show(syscall(SYS_epoll_create1, 1));
	show(syscall(SYS_epoll_create1, EPOLL_CLOEXEC | O_NONBLOCK));
	show(syscall(SYS_epoll_create1, -1));
	for (int fd = 3; fd < 7; fd++)
		say("%d: %s, close on exec %d", fd, open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
}

CHECK(create_without_room)
{
	IN_CHILD("child") {
		struct rlimit limit = { 3, 3 };
		setrlimit(RLIMIT_NOFILE, &limit);
		show(epoll_create1(0));
		show(epoll_create1(1));
		show(epoll_create(0));
	}
}

CHECK(as_a_file)
{
	int set = new_set();
	char buffer[16], target[64] = "";
	struct stat st;
	show(read(set, buffer, 16));
	show(write(set, buffer, 16));
	show(lseek(set, 5, SEEK_SET));
	show(lseek(set, 0, SEEK_CUR));
	show(pread(set, buffer, 16, 0));
	show(ftruncate(set, 0));
	show(fsync(set));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, set, 0));
	show(ioctl(set, FIONREAD, buffer));
	show(ioctl(set, TCGETS, buffer));
	fstat(set, &st);
	say("mode %o, size %ld, links %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", set);
	readlink(path, target, 63);
	say("%s", target);
	show(open(path, O_RDWR));
	show(fcntl(set, F_SETFL, O_NONBLOCK));
	say("%s", open_names(fcntl(set, F_GETFL)));
}

CHECK(bad_descriptors)
{
	int set = new_set(), fd = new_eventfd("e", 0);
	int path = open(".", O_PATH);
	show(add(-1, fd, EPOLLIN));
	show(add(99, fd, EPOLLIN));
	show(add(set, -1, EPOLLIN));
	show(add(set, 99, EPOLLIN));
	show(add(99, 98, EPOLLIN));
	show(add(path, fd, EPOLLIN));
	show(add(set, path, EPOLLIN));
	show(del(set, 99));
	show(mod(set, 99, EPOLLIN));
	show(epoll_wait(99, NULL, 0, 0));
	show(epoll_wait(path, (void *)8, 1, 0));
}

CHECK(bad_targets)
{
	int set = new_set(), fd = new_eventfd("e", 0);
	int file = open("file", O_RDWR | O_CREAT, 0600), dir = open(".", O_RDONLY), null = open("/dev/null", O_RDWR);
	show(add(set, file, EPOLLIN));
	show(add(set, dir, EPOLLIN));
	show(add(set, null, EPOLLIN));
	show(mod(set, file, EPOLLIN));
	show(del(set, file));
	show(add(set, set, EPOLLIN));
	show(mod(set, set, EPOLLIN));
	show(del(set, set));
	show(add(fd, set, EPOLLIN));
	show(add(fd, fd, EPOLLIN));
	show(add(file, fd, EPOLLIN));
	show(add(fd, file, EPOLLIN));
	show(add(file, file, EPOLLIN));
	int copy = dup(set);
	show(add(set, copy, EPOLLIN));
}

CHECK(bad_operations)
{
	int set = new_set(), fd = new_eventfd("e", 0);
	show(control(set, 0, fd, EPOLLIN));
	show(control(set, 4, fd, EPOLLIN));
	show(control(set, -1, fd, EPOLLIN));
	show(epoll_ctl(set, 4, fd, NULL));
	show(control(set, 4, 99, EPOLLIN));
	show(epoll_ctl(99, 4, fd, bad_pointer()));
	show(control(set, 4, set, EPOLLIN));
	show(mod(set, fd, EPOLLIN));
	show(del(set, fd));
	show(add(set, fd, EPOLLIN));
	show(add(set, fd, EPOLLIN));
	show(add(set, fd, 0));
	show(control(set, 4, fd, EPOLLIN));
	show(mod(set, fd, 0));
	show(del(set, fd));
	show(del(set, fd));
}

CHECK(bad_event_pointers)
{
	int set = new_set(), fd = new_eventfd("e", 1);
	show(epoll_ctl(set, EPOLL_CTL_ADD, fd, NULL));
	show(epoll_ctl(set, EPOLL_CTL_ADD, fd, bad_pointer()));
	show(epoll_ctl(99, EPOLL_CTL_ADD, fd, bad_pointer()));
	show(epoll_ctl(set, EPOLL_CTL_ADD, fd, at_edge(11)));
	struct epoll_event *event = at_edge(12);
	event->events = EPOLLIN;
	show(epoll_ctl(set, EPOLL_CTL_ADD, fd, event));
	show(epoll_ctl(set, EPOLL_CTL_MOD, fd, bad_pointer()));
	show(epoll_ctl(set, EPOLL_CTL_DEL, fd, bad_pointer()));
	show(epoll_ctl(99, EPOLL_CTL_DEL, fd, bad_pointer()));
	show(epoll_ctl(set, EPOLL_CTL_ADD, fd, read_only_pointer()));
}

CHECK(bad_waits)
{
	int set = new_set(), fd = new_eventfd("e", 1);
	// Far below the end of user space, so that the longest array fits below it.
	static struct epoll_event events[4];
	need(add(set, fd, EPOLLIN));
	show(epoll_wait(set, events, 0, 0));
	show(epoll_wait(set, events, -1, 0));
	show(epoll_wait(set, events, INT_MIN, 0));
	show(epoll_wait(set, events, INT_MAX, 0));
	show(epoll_wait(set, events, INT_MAX / 12, 0));
	show(epoll_wait(set, events, INT_MAX / 12 + 1, 0));
	show(epoll_wait(set, bad_pointer(), 0, 0));
	show(epoll_wait(set, bad_pointer(), 1, 0));
	show(epoll_wait(set, NULL, 1, 0));
	show(epoll_wait(set, (void *)-4096, 1, 0));
	show(epoll_wait(set, (void *)-4096, 0, 0));
	show(epoll_wait(fd, events, 1, 0));
	show(epoll_wait(fd, events, 0, 0));
	show(epoll_wait(fd, (void *)-4096, 1, 0));
	show(epoll_wait(99, events, 0, 0));
	show(epoll_wait(99, (void *)-4096, 1, 0));
	look("still there", set);
}

CHECK(bad_buffer_loses_nothing)
{
	int set = new_set(), a = new_eventfd("a", 1), b = new_eventfd("b", 1);
	need(add(set, a, EPOLLIN | EPOLLET));
	need(add(set, b, EPOLLIN | EPOLLONESHOT));
	struct epoll_event *edge = at_edge(12);
	show(epoll_wait(set, bad_pointer(), 2, 0));
	show(epoll_wait(set, edge, 2, 0));
	say("%s", fd_name(edge->data.u64));
	look("the other", set);
	look("none", set);
}

CHECK(bad_buffer_with_nothing_ready)
{
	int set = new_set(), fd = new_eventfd("e", 0);
	need(add(set, fd, EPOLLIN));
	show(epoll_wait(set, bad_pointer(), 1, 0));
	show(epoll_wait(set, read_only_pointer(), 1, 0));
	add_to(fd, 1);
	show(epoll_wait(set, read_only_pointer(), 1, 0));
}

CHECK(exclusive_arguments)
{
	int set = new_set(), inner = new_set(), fd = new_eventfd("e", 0);
	static const unsigned extra[] = {
		EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLET, EPOLLWAKEUP, EPOLLONESHOT, EPOLLPRI, EPOLLRDNORM, EPOLLRDHUP,
		EPOLLRDBAND, EPOLLWRNORM, EPOLLMSG, 0,
	};
	for (unsigned i = 0; i < sizeof extra / sizeof *extra; i++) {
		int result = add(set, fd, EPOLLEXCLUSIVE | extra[i]);
		say("%s: %s", epoll_names(extra[i]), result ? errno_name(errno) : "ok");
		del(set, fd);
	}
	show(add(set, inner, EPOLLIN | EPOLLEXCLUSIVE));
	show(add(set, fd, EPOLLIN | EPOLLEXCLUSIVE));
	show(mod(set, fd, EPOLLIN));
	show(mod(set, fd, EPOLLIN | EPOLLEXCLUSIVE));
	show(del(set, fd));
	show(add(set, fd, EPOLLIN));
	show(mod(set, fd, EPOLLIN | EPOLLEXCLUSIVE));
	show(mod(set, inner, EPOLLIN | EPOLLEXCLUSIVE));
	show(del(set, fd));
	show(mod(set, fd, EPOLLIN | EPOLLEXCLUSIVE));
}

CHECK(order_of_checks)
{
	int set = new_set(), fd = new_eventfd("e", 0), file = open("file", O_RDWR | O_CREAT, 0600);
	show(epoll_ctl(fd, EPOLL_CTL_ADD, file, NULL));
	show(add(fd, file, EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI));
	show(add(fd, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI));
	show(add(set, file, EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI));
	need(add(set, fd, EPOLLIN));
	show(add(set, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLPRI));
	show(add(set, fd, EPOLLIN | EPOLLEXCLUSIVE));
	show(control(set, 9, fd, EPOLLEXCLUSIVE | EPOLLPRI));
}

CHECK(timeouts)
{
	int set = new_set();
	struct epoll_event event;
	struct timespec bad[] = { { 0, -1 }, { 0, 1000000000 }, { -1, 0 }, { 0, 0 }, { 0, 1000000 } };
	for (unsigned i = 0; i < 5; i++) {
		long result = syscall(SYS_epoll_pwait2, set, &event, 1, &bad[i], NULL, 8);
		say("%ld.%ld: %s", (long)bad[i].tv_sec, bad[i].tv_nsec, result == -1 ? errno_name(errno) : "none");
	}
	show(syscall(SYS_epoll_pwait2, set, &event, 1, bad_pointer(), NULL, 8));
	show(syscall(SYS_epoll_pwait2, 99, &event, 0, &bad[0], NULL, 8));
	show(syscall(SYS_epoll_pwait2, 99, &event, 0, bad_pointer(), NULL, 8));
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	show(epoll_wait(set, &event, 1, 20));
	clock_gettime(CLOCK_MONOTONIC, &after);
	long nanos = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
	say("%s", nanos >= 20000000 ? "not early" : "early");
}

CHECK(signal_masks)
{
	int set = new_set();
	struct epoll_event event;
	sigset_t none;
	sigemptyset(&none);
	show(syscall(SYS_epoll_pwait, set, &event, 1, 0, &none, 8));
	show(syscall(SYS_epoll_pwait, set, &event, 1, 0, &none, 7));
	show(syscall(SYS_epoll_pwait, set, &event, 1, 0, &none, 16));
	show(syscall(SYS_epoll_pwait, set, &event, 1, 0, NULL, 7));
	show(syscall(SYS_epoll_pwait, set, &event, 1, 0, bad_pointer(), 8));
	show(syscall(SYS_epoll_pwait, set, &event, 1, 0, bad_pointer(), 7));
	show(syscall(SYS_epoll_pwait, 99, &event, 0, 0, bad_pointer(), 8));
	show(syscall(SYS_epoll_pwait, 99, &event, 0, 0, &none, 8));
	show(syscall(SYS_epoll_pwait2, set, &event, 1, bad_pointer(), &none, 7));
}

CHECK(busy_poll_parameters)
{
	struct {
		uint32_t usecs;
		uint16_t budget;
		uint8_t prefer, pad;
	} parameters = { 64, 16, 1, 0 };
	const unsigned long set_cmd = 0x40088a01, get_cmd = 0x80088a02;
	int set = new_set();
	show(ioctl(set, get_cmd, &parameters));
	say("%u %u %u", parameters.usecs, parameters.budget, parameters.prefer);
	parameters.usecs = 64, parameters.budget = 16, parameters.prefer = 1;
	show(ioctl(set, set_cmd, &parameters));
	memset(&parameters, 0, sizeof parameters);
	show(ioctl(set, get_cmd, &parameters));
	say("%u %u %u", parameters.usecs, parameters.budget, parameters.prefer);
	parameters.pad = 1;
	show(ioctl(set, set_cmd, &parameters));
	parameters.pad = 0, parameters.prefer = 2;
	show(ioctl(set, set_cmd, &parameters));
	parameters.prefer = 0, parameters.usecs = 1u << 31;
	show(ioctl(set, set_cmd, &parameters));
	show(ioctl(set, set_cmd, bad_pointer()));
	show(ioctl(set, get_cmd, bad_pointer()));
}
