// flock.c: whole-file locks: owners, conversion, inheritance.
//
// Calls: flock
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <sys/file.h>

static int open_file(void)
{
	return need(open("f", O_CREAT | O_RDWR, 0644));
}

CHECK(conflicts)
{
	int a = open_file(), b = open_file(), c = open_file();
	show(flock(a, LOCK_SH));
	show(flock(b, LOCK_SH | LOCK_NB));
	show(flock(c, LOCK_EX | LOCK_NB));
	show(flock(a, LOCK_UN));
	show(flock(c, LOCK_EX | LOCK_NB));
	show(flock(b, LOCK_UN));
	show(flock(c, LOCK_EX | LOCK_NB));
	show(flock(a, LOCK_SH | LOCK_NB));
	show(flock(a, LOCK_UN));
	show(flock(a, LOCK_UN | LOCK_NB));
}

CHECK(arguments)
{
	int a = open_file(), p[2];
	pipe(p);
	show(flock(a, 0));
	show(flock(a, LOCK_NB));
	show(flock(a, LOCK_SH | LOCK_EX));
	show(flock(a, LOCK_SH | LOCK_UN));
	show(flock(a, LOCK_EX | LOCK_NB | 16));
	show(flock(a, -1));
	show(flock(a, 32));
	show(flock(a, 32 | LOCK_SH));
	show(flock(99, LOCK_SH));
	show(flock(99, 0));
	show(flock(-1, LOCK_SH | LOCK_EX));
	show(flock(p[0], LOCK_EX));
	show(flock(open(".", O_RDONLY), LOCK_EX));
	show(flock(open("/dev/null", O_RDONLY), LOCK_EX));
	show(flock(open("f", O_RDONLY), LOCK_EX | LOCK_NB));
	show(flock(open("f", O_WRONLY), LOCK_SH | LOCK_NB));
}

CHECK(copies_share_the_lock)
{
	int a = open_file(), copy = dup(a), b = open_file();
	show(flock(a, LOCK_EX));
	show(flock(copy, LOCK_SH | LOCK_NB));
	show(flock(b, LOCK_SH | LOCK_NB));
	show(flock(copy, LOCK_UN));
	show(flock(b, LOCK_EX | LOCK_NB));
}

CHECK(last_close_releases)
{
	int a = open_file(), copy = dup(a), b = open_file();
	show(flock(a, LOCK_EX));
	close(a);
	show(flock(b, LOCK_EX | LOCK_NB));
	close(copy);
	show(flock(b, LOCK_EX | LOCK_NB));
}

CHECK(fork_shares_the_lock)
{
	int a = open_file(), b = open_file();
	show(flock(a, LOCK_EX));
	IN_CHILD("child converts") {
		show(flock(a, LOCK_SH | LOCK_NB));
	}
	show(flock(b, LOCK_SH | LOCK_NB));
	show(flock(b, LOCK_UN));
	IN_CHILD("child unlocks") {
		show(flock(a, LOCK_UN));
	}
	show(flock(b, LOCK_EX | LOCK_NB));
}

CHECK(child_keeps_what_the_parent_closed)
{
	int a = open_file(), b = open_file(), stop[2];
	char c;
	pipe(stop);
	show(flock(a, LOCK_EX));
	pid_t pid = start();
	if (pid == 0) {
		close(stop[1]);
		read(stop[0], &c, 1);
		_exit(0);
	}
	close(a);
	show(flock(b, LOCK_EX | LOCK_NB));
	close(stop[1]);
	reap("child", pid);
	show(flock(b, LOCK_EX | LOCK_NB));
}

CHECK(conversion_is_not_atomic)
{
	int a = open_file(), b = open_file();
	show(flock(a, LOCK_SH));
	show(flock(b, LOCK_SH));
	show(flock(a, LOCK_EX | LOCK_NB));
	// The failed conversion has given up a's shared lock.
	show(flock(b, LOCK_EX | LOCK_NB));
	show(flock(a, LOCK_SH | LOCK_NB));
}

CHECK(independent_of_record_locks)
{
	int a = open_file(), b = open_file();
	struct flock lock = { .l_type = F_WRLCK };
	show(flock(a, LOCK_EX));
	show(fcntl(b, F_SETLK, &lock));
	show(fcntl(b, F_OFD_SETLK, &lock));
	IN_CHILD("child") {
		show(fcntl(open_file(), F_SETLK, &lock));
	}
}

CHECK(waiting)
{
	int a = open_file();
	show(flock(a, LOCK_EX));
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			close(a);
			_exit(flock(open_file(), i ? LOCK_SH : LOCK_EX) ? 1 : 0);
		}
	}
	for (int i = 0; i < 3; i++)
		wait_asleep(pids[i]);
	show(flock(a, LOCK_UN));
	for (int i = 0; i < 3; i++)
		reap("waiter", pids[i]);
}

CHECK(waiting_is_interrupted)
{
	int a = open_file();
	show(flock(a, LOCK_EX));
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		close(a);
		show(flock(open_file(), LOCK_SH));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("waiter", pid);
}

CHECK(killed_holder)
{
	int b = open_file(), ready[2];
	char c;
	pipe(ready);
	pid_t pid = start();
	if (pid == 0) {
		flock(open_file(), LOCK_EX);
		write(ready[1], "x", 1);
		pause();
	}
	read(ready[0], &c, 1);
	show(flock(b, LOCK_EX | LOCK_NB));
	kill(pid, SIGKILL);
	reap("holder", pid);
	show(flock(b, LOCK_EX | LOCK_NB));
}
