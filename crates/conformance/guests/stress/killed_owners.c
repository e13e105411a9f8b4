// killed_owners.c: workers that are in the kernel most of the time, on objects that all of them share. Whoever runs this
// kills a process named "victim" at each line "ready"; after DEATHS of them everything must still work.
//
// killed_owners DEATHS
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { WORKERS = 6 };
static int ends[2], events, sockets[2], semaphores, messages;

static void fail(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void work(unsigned seed)
{
	char bytes[512] = "", name[64];
	for (unsigned turn = seed;; turn = turn * 1664525 + 1013904223) {
		struct sembuf both[] = {{0, 1, IPC_NOWAIT}, {0, -1, IPC_NOWAIT}};
		uint64_t one = 1;
		switch (turn >> 16 & 7) {
		case 0:
			for (int i = 0; i < 64; i++)
				if (write(ends[1], bytes, 1 + i) > 0 && read(ends[0], bytes, 64) < 0)
					break;
			break;
		case 1:
			for (int i = 0; i < 64; i++)
				if (write(events, &one, 8) < 0 || read(events, &one, 8) < 0)
					break;
			break;
		case 2:
			for (int i = 0; i < 64; i++)
				semop(semaphores, both, 2);
			break;
		case 3:
			for (int i = 0; i < 16; i++)
				if (send(sockets[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
					recv(sockets[1], bytes, sizeof bytes, MSG_DONTWAIT);
			break;
		case 4:
			snprintf(name, sizeof name, "/tmp/f%u", turn >> 20 & 15);
			close(open(name, O_CREAT | O_RDWR, 0600));
			rename(name, "/tmp/g");
			unlink(name);
			break;
		case 5: {
			void *at = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			mprotect(at, 4096, PROT_READ);
			munmap(at, 65536);
			break;
		}
		case 6: {
			struct { long kind; char text[64]; } letter = {1, ""};
			if (msgsnd(messages, &letter, 64, IPC_NOWAIT) == 0)
				msgrcv(messages, &letter, 64, 0, IPC_NOWAIT);
			break;
		}
		case 7: {
			struct pollfd many[] = {{ends[0], POLLIN, 0}, {events, POLLIN, 0}, {sockets[1], POLLIN, 0}};
			poll(many, 3, turn >> 24 & 1);
			kill(getppid(), 0);
			break;
		}
		}
	}
}

static pid_t start_worker(unsigned seed)
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "victim");
		alarm(0);
		work(seed);
	}
	return pid;
}

// New objects of every kind, by whoever is left.
static void everything_works(void)
{
	char byte = 0;
	int fresh[2];
	uint64_t one = 1;
	if (pipe(fresh) || write(fresh[1], "x", 1) != 1 || read(fresh[0], &byte, 1) != 1 || byte != 'x')
		fail("a new pipe");
	int counter = eventfd(0, 0);
	if (write(counter, &one, 8) != 8 || read(counter, &one, 8) != 8 || one != 1)
		fail("a new eventfd");
	int set = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf up = {0, 1, 0};
	if (semop(set, &up, 1) || semctl(set, 0, GETVAL) != 1 || semctl(set, 0, IPC_RMID))
		fail("a new semaphore");
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(7);
		int status;
		if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
			fail("a new process");
	}
	if (mkdir("/tmp/d", 0700) || rmdir("/tmp/d"))
		fail("a new directory");
	if (system("true | cat"))
		fail("a new program");
}

int main(int argc, char **argv)
{
	int deaths = argc > 1 ? atoi(argv[1]) : 100;
	alarm(300 + deaths / 10);
	if (pipe2(ends, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		fail("pipe, socketpair");
	events = eventfd(0, EFD_NONBLOCK);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	messages = msgget(IPC_PRIVATE, 0600);
	pid_t workers[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		workers[i] = start_worker(i * 77777 + 1);
	for (int dead = 0; dead < deaths; dead++) {
		puts("ready");
		fflush(stdout);
		int status, i = 0;
		pid_t pid = wait(&status);
		while (i < WORKERS && workers[i] != pid)
			i++;
		if (i == WORKERS || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail("a worker's end");
		workers[i] = start_worker(dead * 99991 + i);
	}
	for (int i = 0; i < WORKERS; i++)
		kill(workers[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	everything_works();
	semctl(semaphores, 0, IPC_RMID);
	msgctl(messages, IPC_RMID, NULL);
	puts("ok");
	return 0;
}
