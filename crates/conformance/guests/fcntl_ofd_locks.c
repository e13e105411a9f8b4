// fcntl_ofd_locks.c: record locks that belong to the open file.
//
// Calls: fcntl(F_OFD_SETLK F_OFD_SETLKW F_OFD_GETLK)
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static int set(int fd, int command, int type, long from, long length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length };
	return fcntl(fd, command, &lock);
}

static int open_file(void)
{
	return need(open("f", O_CREAT | O_RDWR, 0644));
}

static void ask(const char *who, int fd, int command)
{
	struct flock lock = { .l_type = F_WRLCK };
	if (fcntl(fd, command, &lock))
		say("%s: %s", who, errno_name(errno));
	else if (lock.l_type == F_UNLCK)
		say("%s: free", who);
	else
		say("%s: type %d start %ld len %ld pid %s", who, lock.l_type, (long)lock.l_start, (long)lock.l_len,
		    lock.l_pid == -1 ? "-1" : lock.l_pid == getpid() ? "own" : "other");
}

CHECK(between_open_files_of_one_process)
{
	int a = open_file(), b = open_file(), copy = dup(a);
	show(set(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	show(set(b, F_OFD_SETLK, F_RDLCK, 5, 1));
	show(set(copy, F_OFD_SETLK, F_RDLCK, 5, 1));
	ask("the other file", b, F_OFD_GETLK);
	ask("the same file", copy, F_OFD_GETLK);
	ask("the process", a, F_GETLK);
	show(set(b, F_OFD_SETLK, F_RDLCK, 5, 1));
	show(set(b, F_OFD_SETLK, F_UNLCK, 0, 10));
	show(set(a, F_OFD_SETLK, F_UNLCK, 0, 10));
	show(set(b, F_OFD_SETLK, F_WRLCK, 0, 10));
}

CHECK(against_posix_locks)
{
	int a = open_file(), b = open_file();
	show(set(a, F_SETLK, F_WRLCK, 0, 10));
	show(set(a, F_OFD_SETLK, F_WRLCK, 0, 10));
	show(set(b, F_OFD_SETLK, F_WRLCK, 0, 10));
	ask("seen from an open file", b, F_OFD_GETLK);
	show(set(a, F_SETLK, F_UNLCK, 0, 10));
	show(set(b, F_OFD_SETLK, F_WRLCK, 0, 10));
	show(set(a, F_SETLK, F_RDLCK, 0, 10));
}

CHECK(released_by_the_last_close_only)
{
	int a = open_file(), b = open_file(), copy = dup(a), third = open_file();
	show(set(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	close(third);
	close(a);
	show(set(b, F_OFD_SETLK, F_WRLCK, 0, 0));
	close(copy);
	show(set(b, F_OFD_SETLK, F_WRLCK, 0, 0));
}

CHECK(inherited_by_fork)
{
	int a = open_file(), b = open_file();
	int stop[2];
	char c;
	pipe(stop);
	show(set(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	pid_t pid = start();
	if (pid == 0) {
		close(stop[1]);
		read(stop[0], &c, 1);
		_exit(set(a, F_OFD_SETLK, F_RDLCK, 0, 0) ? 1 : 0);
	}
	close(a);
	show(set(b, F_OFD_SETLK, F_RDLCK, 0, 0));
	close(stop[1]);
	reap("child", pid);
	show(set(b, F_OFD_SETLK, F_WRLCK, 0, 0));
}

CHECK(pid_must_be_zero)
{
	int a = open_file();
	struct flock lock = { .l_type = F_RDLCK, .l_pid = 1 };
	show(fcntl(a, F_OFD_SETLK, &lock));
	show(fcntl(a, F_OFD_GETLK, &lock));
	show(fcntl(a, F_OFD_SETLKW, &lock));
	show(fcntl(a, F_SETLK, &lock));
	show(fcntl(a, F_OFD_SETLK, bad_pointer()));
	show(fcntl(a, F_OFD_GETLK, bad_pointer()));
}

CHECK(query_of_own_kind)
{
	int a = open_file(), b = open_file();
	show(set(a, F_OFD_SETLK, F_RDLCK, 3, 4));
	struct flock lock = { .l_type = F_UNLCK };
	show(fcntl(b, F_OFD_GETLK, &lock));
	say("type %d start %ld len %ld", lock.l_type, (long)lock.l_start, (long)lock.l_len);
	lock = (struct flock){ .l_type = F_RDLCK };
	show(fcntl(b, F_OFD_GETLK, &lock));
	say("type %d", lock.l_type);
}

CHECK(waiting)
{
	int a = open_file(), b = open_file();
	show(set(a, F_OFD_SETLK, F_WRLCK, 0, 0));
	pid_t pid = start();
	if (pid == 0) {
		close(a);
		show(set(b, F_OFD_SETLKW, F_WRLCK, 0, 0));
		_exit(0);
	}
	wait_asleep(pid);
	close(a);
	reap("waiter", pid);
}

CHECK(no_deadlock_detection)
{
	int a = open_file(), b = open_file();
	show(set(a, F_OFD_SETLK, F_WRLCK, 0, 1));
	show(set(b, F_OFD_SETLK, F_WRLCK, 1, 1));
	pid_t pid = start();
	if (pid == 0) {
		_exit(set(a, F_OFD_SETLKW, F_WRLCK, 1, 1) ? 1 : 0);
	}
	wait_asleep(pid);
	let_interrupt(SIGUSR1);
	pid_t breaker = start();
	if (breaker == 0) {
		wait_asleep(getppid());
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	show(set(b, F_OFD_SETLKW, F_WRLCK, 0, 1));
	reap("breaker", breaker);
	show(set(b, F_OFD_SETLK, F_UNLCK, 1, 1));
	reap("waiter", pid);
}
