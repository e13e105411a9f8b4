// fcntl_locks.c: POSIX record locks: conflicts, splitting and merging, owners, deadlock detection.
//
// Calls: fcntl(F_SETLK F_SETLKW F_GETLK)
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>

static int fd;
static pid_t parent;

static int set(int type, long start, long length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
	return fcntl(fd, F_SETLK, &lock);
}

static const char *type_of(int type)
{
	return type == F_RDLCK ? "F_RDLCK" : type == F_WRLCK ? "F_WRLCK" : type == F_UNLCK ? "F_UNLCK" : "other";
}

// Asks, from another process, what stands in the way of a write lock on [start, start + length).
static void ask(long from, long length)
{
	IN_CHILD("asker") {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = length };
		if (fcntl(fd, F_GETLK, &lock))
			say("F_GETLK = %s", errno_name(errno));
		else if (lock.l_type == F_UNLCK)
			say("[%ld,+%ld): free, start %ld len %ld", from, length, (long)lock.l_start, (long)lock.l_len);
		else
			say("[%ld,+%ld): %s whence %d start %ld len %ld, held by the parent: %d", from, length,
			    type_of(lock.l_type), lock.l_whence, (long)lock.l_start, (long)lock.l_len, lock.l_pid == parent);
	}
}

static void fresh(void)
{
	parent = getpid();
	fd = need(open("f", O_CREAT | O_RDWR, 0644));
	need(ftruncate(fd, 100));
}

CHECK(conflicts)
{
	fresh();
	show(set(F_RDLCK, 0, 10));
	show(set(F_WRLCK, 20, 10));
	ask(0, 100);
	ask(15, 5);
	ask(15, 6);
	ask(29, 1);
	IN_CHILD("other process") {
		show(set(F_RDLCK, 0, 10));
		show(set(F_WRLCK, 0, 10));
		show(set(F_RDLCK, 25, 1));
		show(set(F_WRLCK, 10, 10));
		show(set(F_WRLCK, 9, 11));
		show(set(F_UNLCK, 20, 10));
	}
	show(set(F_WRLCK, 0, 10));
	ask(0, 1);
}

CHECK(split_and_merge)
{
	fresh();
	show(set(F_WRLCK, 0, 30));
	show(set(F_UNLCK, 10, 10));
	ask(0, 100);
	ask(10, 10);
	ask(10, 11);
	show(set(F_WRLCK, 10, 10));
	ask(5, 1);
	show(set(F_RDLCK, 5, 5));
	ask(0, 5);
	ask(5, 5);
	ask(10, 1);
	show(set(F_WRLCK, 30, 0));
	ask(50, 1);
	show(set(F_UNLCK, 0, 0));
	ask(0, 0);
}

CHECK(ranges)
{
	fresh();
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = -5 };
	show(fcntl(fd, F_SETLK, &lock));
	ask(0, 100);
	lock.l_start = 4;
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 3 };
	show(fcntl(fd, F_SETLK, &lock));
	ask(80, 0);
	lseek(fd, 50, SEEK_SET);
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_CUR, .l_start = 2, .l_len = 1 };
	show(fcntl(fd, F_SETLK, &lock));
	ask(50, 10);
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = -1, .l_len = 1 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_CUR, .l_start = -51 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = LLONG_MAX, .l_len = 2 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = LLONG_MAX, .l_len = 1 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = SEEK_END, .l_start = LLONG_MAX };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK, .l_whence = 7 };
	show(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = 7 };
	show(fcntl(fd, F_SETLK, &lock));
	show(fcntl(fd, F_GETLK, &lock));
	lock = (struct flock){ .l_type = F_UNLCK };
	show(fcntl(fd, F_GETLK, &lock));
}

CHECK(errors)
{
	fresh();
	struct flock lock = { .l_type = F_RDLCK };
	int p[2], w = open("f", O_WRONLY), r = open("f", O_RDONLY);
	pipe(p);
	show(fcntl(w, F_SETLK, &lock));
	show(fcntl(w, F_GETLK, &lock));
	lock.l_type = F_WRLCK;
	show(fcntl(r, F_SETLK, &lock));
	show(fcntl(r, F_SETLKW, &lock));
	show(fcntl(fd, F_SETLK, NULL));
	show(fcntl(fd, F_SETLK, bad_pointer()));
	show(fcntl(fd, F_SETLKW, bad_pointer()));
	show(fcntl(fd, F_GETLK, bad_pointer()));
	show(fcntl(fd, F_GETLK, read_only_pointer()));
	show(fcntl(99, F_SETLK, bad_pointer()));
	show(fcntl(p[0], F_GETLK, &lock));
	lock = (struct flock){ .l_type = F_RDLCK };
	show(fcntl(p[0], F_SETLK, &lock));
	show(fcntl(open("/dev/null", O_RDWR), F_SETLK, &lock));
	show(fcntl(open(".", O_RDONLY), F_SETLK, &lock));
}

CHECK(any_close_releases)
{
	fresh();
	show(set(F_WRLCK, 0, 10));
	int other = open("f", O_RDONLY);
	ask(0, 10);
	show(close(other));
	ask(0, 10);
	show(set(F_WRLCK, 0, 10));
	int copy = dup(fd);
	close(copy);
	ask(0, 10);
	show(set(F_WRLCK, 0, 10));
	dup2(0, open("f", O_RDONLY));
	ask(0, 10);
}

CHECK(not_inherited_by_fork)
{
	fresh();
	show(set(F_WRLCK, 0, 10));
	IN_CHILD("child") {
		show(set(F_WRLCK, 0, 10));
		show(set(F_WRLCK, 50, 10));
		close(fd);
	}
	ask(0, 10);
	ask(50, 10);
}

CHECK(released_by_exit)
{
	fresh();
	int ready[2], stop[2];
	char c;
	pipe(ready);
	pipe(stop);
	pid_t pid = start();
	if (pid == 0) {
		set(F_WRLCK, 0, 10);
		close(stop[1]);
		write(ready[1], "x", 1);
		read(stop[0], &c, 1);
		_exit(0);
	}
	read(ready[0], &c, 1);
	show(set(F_RDLCK, 5, 1));
	struct flock lock = { .l_type = F_RDLCK };
	show(fcntl(fd, F_GETLK, &lock));
	say("held by the child: %d", lock.l_pid == pid);
	close(stop[1]);
	lock = (struct flock){ .l_type = F_WRLCK };
	show(fcntl(fd, F_SETLKW, &lock));
	reap("holder", pid);
}

CHECK(kept_over_exec)
{
	fresh();
	int ready[2], stop[2];
	char c;
	pipe(ready);
	pipe(stop);
	pid_t pid = start();
	if (pid == 0) {
		set(F_WRLCK, 0, 10);
		dup2(stop[0], 0);
		dup2(ready[1], 30);
		fcntl(stop[1], F_SETFD, FD_CLOEXEC);
		become("report_and_wait", NULL);
	}
	read(ready[0], &c, 1);
	show(set(F_RDLCK, 5, 1));
	close(stop[1]);
	reap("after exec", pid);
	show(set(F_RDLCK, 5, 1));
}

ROLE(report_and_wait)
{
	char c;
	write(30, "x", 1);
	read(0, &c, 1);
}

CHECK(deadlock)
{
	fresh();
	int ready[2];
	char c;
	pipe(ready);
	show(set(F_WRLCK, 0, 1));
	pid_t pid = start();
	if (pid == 0) {
		struct flock first = { .l_type = F_WRLCK, .l_start = 0, .l_len = 1 };
		set(F_WRLCK, 1, 1);
		write(ready[1], "x", 1);
		// The parent either waits for us already, and then this fails, or finds us waiting, and then it fails.
		int result = fcntl(fd, F_SETLKW, &first);
		_exit(result ? (errno == EDEADLK ? 1 : 99) : 0);
	}
	read(ready[0], &c, 1);
	wait_asleep(pid);
	struct flock second = { .l_type = F_WRLCK, .l_start = 1, .l_len = 1 };
	show(fcntl(fd, F_SETLKW, &second));
	show(set(F_UNLCK, 0, 1));
	reap("other side", pid);
}

CHECK(waiting_is_interrupted)
{
	fresh();
	show(set(F_WRLCK, 0, 1));
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
		show(fcntl(fd, F_SETLKW, &lock));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("waiter", pid);
}

CHECK(waiters_get_the_lock)
{
	fresh();
	show(set(F_WRLCK, 0, 1));
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			struct flock lock = { .l_type = i == 2 ? F_WRLCK : F_RDLCK, .l_len = 1 };
			_exit(fcntl(fd, F_SETLKW, &lock) ? 1 : 0);
		}
	}
	for (int i = 0; i < 3; i++)
		wait_asleep(pids[i]);
	show(set(F_UNLCK, 0, 1));
	for (int i = 0; i < 3; i++)
		reap("waiter", pids[i]);
	show(set(F_WRLCK, 0, 1));
}

CHECK(lock_of_unlinked_and_linked_names)
{
	fresh();
	link("f", "g");
	show(set(F_WRLCK, 0, 1));
	IN_CHILD("by the other name") {
		fd = open("g", O_RDWR);
		show(set(F_RDLCK, 0, 1));
	}
	unlink("f");
	unlink("g");
	ask(0, 1);
}

// Files that are only a mechanism have one inode between them, and every process of the host: a place of our own is locked.
CHECK(mechanisms_are_one_file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = getpid(), .l_len = 1 };
	uint64_t hint;
	int event = need(eventfd(0, 0)), set = need(epoll_create1(0));
	show(fcntl(event, F_SETLK, &lock));
	show(flock(event, LOCK_SH | LOCK_NB));
	show(fcntl(event, F_GETLEASE));
	show(fcntl(event, F_SETLEASE, F_RDLCK));
	// Its value is what any program of the machine has set last.
	show(fcntl(event, F_GET_RW_HINT, &hint));
	IN_CHILD("child") {
		show(fcntl(event, F_SETLK, &lock));
		show(fcntl(set, F_SETLK, &lock));
		show(fcntl(set, F_GETLK, &lock));
		say("held by the parent: %d", lock.l_pid == getppid());
	}
	show(close(set));
	IN_CHILD("child, after a close of the other one") {
		show(fcntl(event, F_SETLK, &lock));
	}
}
