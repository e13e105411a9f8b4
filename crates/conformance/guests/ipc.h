// ipc.h: System V objects that never outlive the guest: each is noted when it is made, and removed when the program
// ends in whatever way, by a child that waits for the end of a pipe.
#ifndef IPC_H
#define IPC_H

#include "process.h"

#include <grp.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { MAX_OBJECTS = 512 };
struct noted {
	int kind; // 1 segment, 2 semaphores, 3 queue
	int id;
};
static struct noted *noted;
static int *nr_noted;

static void remove_noted(void)
{
	for (int i = 0; i < *nr_noted; i++) {
		int id = noted[i].id;
		if (noted[i].kind == 1)
			shmctl(id, IPC_RMID, NULL);
		else if (noted[i].kind == 2)
			semctl(id, 0, IPC_RMID);
		else if (noted[i].kind == 3)
			msgctl(id, IPC_RMID, NULL);
		noted[i].kind = 0;
	}
	*nr_noted = 0;
}

// What a line of /proc/sysvipc that holds our pid once is longer by than it should be: there are columns for five digits.
UNUSED static size_t pid_overflow(void)
{
	int digits = snprintf(NULL, 0, "%d", getpid());
	return digits > 5 ? digits - 5 : 0;
}

static pid_t ipc_owner;
static void at_end(void)
{
	if (getpid() == ipc_owner)
		remove_noted();
}

// In front of every check that makes objects, once per program.
UNUSED static void ipc_start(void)
{
	if (noted)
		return;
	noted = mmap(NULL, MAX_OBJECTS * sizeof *noted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	nr_noted = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ipc_owner = getpid();
	atexit(at_end);
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		return;
	if (fork() == 0) {
		// Ends with the last process of the program: each holds the writing end (moved where close_from does not reach).
		char byte;
		setsid();
		close(ends[1]);
		for (int fd = 0; fd < 256; fd++)
			if (fd != ends[0])
				close(fd);
		while (read(ends[0], &byte, 1) == -1 && errno == EINTR)
			;
		remove_noted();
		_exit(0);
	}
	fcntl(ends[1], F_DUPFD_CLOEXEC, 600);
	close(ends[0]);
	close(ends[1]);
}

static int note(int kind, int id)
{
	ipc_start();
	if (id >= 0) {
		int slot = __atomic_fetch_add(nr_noted, 1, __ATOMIC_SEQ_CST);
		if (slot < MAX_OBJECTS)
			noted[slot] = (struct noted){ kind, id };
	}
	return id;
}

UNUSED static int new_shm(key_t key, size_t size, int flags)
{
	ipc_start();
	return note(1, shmget(key, size, flags));
}

UNUSED static int new_sem(key_t key, int count, int flags)
{
	ipc_start();
	return note(2, semget(key, count, flags));
}

UNUSED static int new_msg(key_t key, int flags)
{
	ipc_start();
	return note(3, msgget(key, flags));
}

// A key that nobody else uses.
UNUSED static key_t a_key(int which)
{
	ipc_start();
	return (key_t)(0x41000000u | ((unsigned)ipc_owner & 0xffff) << 8 | (unsigned)which);
}

// In the child: an ordinary user.
UNUSED static void become_user(uid_t uid)
{
	need(setgroups(0, NULL));
	need(setresgid(uid, uid, uid));
	need(setresuid(uid, uid, uid));
}


// A flag that processes share.
UNUSED static volatile int *shared_int(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

// Waits (bounded by the alarm) until `*flag` is `value`.
UNUSED static void wait_for(volatile int *flag, int value)
{
	while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) != value)
		sched_yield();
}

#endif
