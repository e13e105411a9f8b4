// eventfd.c: counters: adding, taking, semaphores, limits, readiness, wake-ups.
//
// Calls: eventfd eventfd2 read write poll
// Passes: host acrida
#include "check.h"
#include <sys/eventfd.h>

static uint64_t value;

static void add(int fd, uint64_t count)
{
	long result = write(fd, &count, 8);
	say("add %lu = %s", count, result == 8 ? "8" : errno_name(errno));
}

static void take(int fd)
{
	value = 0;
	long result = read(fd, &value, 8);
	if (result == 8)
		say("take = %lu", value);
	else
		say("take = %s", errno_name(errno));
}

static void state(const char *what, int fd)
{
	struct pollfd set = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLPRI };
	poll(&set, 1, 0);
	say("%s: %s", what, set.revents ? poll_names(set.revents) : "nothing");
}

CHECK(counter)
{
	int fd = show(eventfd(0, EFD_NONBLOCK));
	state("zero", fd);
	take(fd);
	add(fd, 3);
	add(fd, 4);
	state("seven", fd);
	take(fd);
	take(fd);
	add(fd, 0);
	state("after adding nothing", fd);
	fd = eventfd(5, EFD_NONBLOCK);
	state("start value", fd);
	take(fd);
	fd = eventfd(UINT_MAX, EFD_NONBLOCK);
	take(fd);
}

CHECK(semaphore)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	take(fd);
	state("one left", fd);
	take(fd);
	take(fd);
	add(fd, 3);
	take(fd);
}

CHECK(limits)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	add(fd, UINT64_MAX);
	add(fd, UINT64_MAX - 1);
	state("full", fd);
	add(fd, 1);
	add(fd, 0);
	take(fd);
	add(fd, UINT64_MAX - 2);
	state("one below full", fd);
	add(fd, 1);
	add(fd, 1);
	state("full", fd);
}

CHECK(sizes_and_buffers)
{
	int fd = eventfd(1, EFD_NONBLOCK);
	char buffer[16];
	show(read(fd, buffer, 7));
	show(read(fd, buffer, 0));
	show(write(fd, buffer, 7));
	show(write(fd, buffer, 0));
	memset(buffer, 0, 16);
	show(read(fd, buffer, 16));
	show(read(fd, buffer, 4));
	buffer[0] = 2;
	show(write(fd, buffer, 16));
	show(write(fd, bad_pointer(), 8));
	show(read(fd, bad_pointer(), 8));
	take(fd);
	show(write(fd, at_edge(4), 8));
	show(pread(fd, buffer, 8, 0));
	show(lseek(fd, 0, SEEK_CUR));
	struct iovec v[] = { { buffer, 4 }, { buffer + 4, 4 } };
	memset(buffer, 0, 8);
	buffer[0] = 9;
	show(writev(fd, v, 2));
	show(readv(fd, v, 2));
}

CHECK(creation)
{
	show(eventfd(0, 0x10));
	show(syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
	say("%s, close on exec %d", open_names(fcntl(3, F_GETFL)), fcntl(3, F_GETFD));
	show(syscall(SYS_eventfd, 7));
	struct stat st;
	fstat(4, &st);
	say("mode %o size %ld", st.st_mode, (long)st.st_size);
	char target[64] = "";
	readlink("/proc/self/fd/4", target, 63);
	say("%s", target);
	show(ftruncate(4, 0));
	show(fsync(4));
	show(ioctl(4, FIONREAD, &value));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, 4, 0));
}

CHECK(shared_by_dup_and_fork)
{
	int fd = eventfd(0, EFD_NONBLOCK), copy = dup(fd);
	add(copy, 5);
	IN_CHILD("child") {
		take(fd);
		add(fd, 6);
	}
	take(copy);
}

CHECK(reader_wakes)
{
	int fd = eventfd(0, 0);
	pid_t pid = start();
	if (pid == 0) {
		take(fd);
		_exit(0);
	}
	wait_asleep(pid);
	eventfd_write(fd, 8);
	reap("reader", pid);
}

CHECK(writer_wakes)
{
	int fd = eventfd(0, 0);
	add(fd, UINT64_MAX - 1);
	pid_t pid = start();
	if (pid == 0) {
		uint64_t one = 1;
		_exit(write(fd, &one, 8) == 8 ? 0 : 1);
	}
	wait_asleep(pid);
	eventfd_read(fd, &value);
	reap("writer", pid);
	take(fd);
}

CHECK(interrupted)
{
	int fd = eventfd(0, 0);
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		take(fd);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("reader", pid);
}

CHECK(many_readers_of_a_semaphore)
{
	int fd = eventfd(0, EFD_SEMAPHORE);
	pid_t pids[4];
	for (int i = 0; i < 4; i++) {
		pids[i] = start();
		if (pids[i] == 0)
			_exit(eventfd_read(fd, &value) == 0 && value == 1 ? 0 : 1);
	}
	for (int i = 0; i < 4; i++)
		wait_asleep(pids[i]);
	eventfd_write(fd, 4);
	for (int i = 0; i < 4; i++)
		reap("reader", pids[i]);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	take(fd);
}
