// killed_sleepers.c: sleepers that the host kills leave what they waited for. Whoever runs this kills the process named
// "victim" at each line "ready".
//
// killed_sleepers ROUNDS
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
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct letter {
	long kind;
	char text[1024];
};
static int ends[2], sockets[2], id, lock_fd;
static mqd_t queue;

static void fail(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

// Until the process sleeps; the alarm bounds it.
static void wait_asleep(pid_t pid)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	for (char state = 0; state != 'S' && state != 'D';) {
		int fd = open(path, O_RDONLY);
		ssize_t length = read(fd, text, sizeof text - 1);
		close(fd);
		if (length <= 0)
			fail(path);
		text[length] = 0;
		state = strrchr(text, ')')[2];
		sched_yield();
	}
}

static pid_t victim(void (*sleeps)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "victim");
		alarm(300);
		sleeps();
		_exit(1);
	}
	return pid;
}

// One sleeper dies, as the host's SIGKILL does it; what it slept on has to work for others.
static void kill_one(const char *what, void (*sleeps)(void))
{
	int status;
	pid_t pid = victim(sleeps);
	wait_asleep(pid);
	puts("ready");
	fflush(stdout);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail(what);
}

static void in_semop(void)
{
	struct sembuf less = {0, -1, SEM_UNDO};
	semop(id, &less, 1);
}
static void in_msgsnd(void)
{
	struct letter letter = {2, "from the dead"};
	msgsnd(id, &letter, sizeof letter.text, 0);
}
static void in_msgrcv(void)
{
	struct letter letter;
	msgrcv(id, &letter, sizeof letter.text, 0, 0);
}
static void in_mq_send(void)
{
	mq_send(queue, "dead", 5, 0);
}
static void in_mq_receive(void)
{
	char text[64];
	mq_receive(queue, text, sizeof text, NULL);
}
static void in_read(void)
{
	char byte;
	if (read(ends[0], &byte, 1) == 1)
		_exit(2);
}
// Into the pipe, which somebody else reads and writes before the next step.
static void in_splice_from(void)
{
	splice(sockets[0], NULL, ends[1], NULL, 4096, 0);
}
static void in_splice_to(void)
{
	splice(ends[0], NULL, sockets[1], NULL, 4096, 0);
}
static void in_poll(void)
{
	struct pollfd many[16];
	for (int i = 0; i < 16; i++)
		many[i] = (struct pollfd){ends[0], POLLIN, 0};
	poll(many, 16, -1);
}
static void in_epoll(void)
{
	int set = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};
	epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
	epoll_wait(set, &event, 1, -1);
}
static void in_flock(void)
{
	int fd = open("/tmp/locked", O_RDWR);
	flock(fd, LOCK_EX);
}
static void in_wait(void)
{
	// The child is none that is to be killed.
	prctl(PR_SET_NAME, "other");
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	prctl(PR_SET_NAME, "victim");
	wait(NULL);
}
static void in_vfork_wait(void)
{
	if (vfork() == 0)
		for (;;)
			pause();
}
static void *reader(void *unused)
{
	in_read();
	return unused;
}
static void in_threads(void)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	in_poll();
}

static void pipe_works(const char *what)
{
	char byte = 0;
	if (write(ends[1], "p", 1) != 1 || read(ends[0], &byte, 1) != 1 || byte != 'p')
		fail(what);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	alarm(300 + 10 * rounds);
	if (pipe(ends))
		fail("pipe");
	while (rounds-- > 0) {
		struct letter letter = {1, "a"};
		struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 64};
		char text[64];

		id = semget(IPC_PRIVATE, 1, 0600);
		kill_one("semop", in_semop);
		if (semctl(id, 0, GETNCNT) != 0)
			fail("a dead sleeper is counted");
		struct sembuf more = {0, 1, 0}, less = {0, -1, IPC_NOWAIT};
		if (semop(id, &more, 1) || semctl(id, 0, GETVAL) != 1 || semop(id, &less, 1))
			fail("semop after a death");
		semctl(id, 0, IPC_RMID);

		id = msgget(IPC_PRIVATE, 0600);
		kill_one("msgrcv", in_msgrcv);
		if (msgsnd(id, &letter, sizeof letter.text, 0))
			fail("msgsnd");
		if (msgrcv(id, &letter, sizeof letter.text, 0, IPC_NOWAIT) != sizeof letter.text)
			fail("a message went to the dead");
		while (msgsnd(id, &letter, sizeof letter.text, IPC_NOWAIT) == 0)
			;
		kill_one("msgsnd", in_msgsnd);
		while (msgrcv(id, &letter, sizeof letter.text, 0, IPC_NOWAIT) > 0)
			if (letter.kind != 1)
				fail("a message from the dead");
		msgctl(id, IPC_RMID, NULL);

		queue = mq_open("/killed", O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
		kill_one("mq_receive", in_mq_receive);
		attr.mq_flags = O_NONBLOCK;
		mq_setattr(queue, &attr, NULL);
		if (mq_send(queue, "mine", 5, 0) || mq_receive(queue, text, sizeof text, NULL) != 5)
			fail("a queued message went to the dead");
		if (mq_send(queue, "mine", 5, 0))
			fail("mq_send");
		attr.mq_flags = 0;
		mq_setattr(queue, &attr, NULL);
		kill_one("mq_send", in_mq_send);
		attr.mq_flags = O_NONBLOCK;
		mq_setattr(queue, &attr, NULL);
		if (mq_receive(queue, text, sizeof text, NULL) != 5 || strcmp(text, "mine"))
			fail("mq_receive");
		if (mq_receive(queue, text, sizeof text, NULL) != -1 || errno != EAGAIN)
			fail("a queued message from the dead");
		mq_close(queue);
		mq_unlink("/killed");

		kill_one("read", in_read);
		pipe_works("pipe after a reader's death");
		kill_one("poll", in_poll);
		pipe_works("pipe after a poller's death");
		kill_one("epoll", in_epoll);
		pipe_works("pipe after an epoll set's death");
		kill_one("threads", in_threads);
		pipe_works("pipe after the death of a process with threads");
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
			fail("socketpair");
		kill_one("splice out of a socket", in_splice_from);
		pipe_works("pipe after a splicer's death");
		while (send(sockets[1], text, sizeof text, MSG_DONTWAIT) > 0)
			;
		if (write(ends[1], "p", 1) != 1)
			fail("write");
		kill_one("splice into a socket", in_splice_to);
		if (read(ends[0], text, 1) != 1 || text[0] != 'p')
			fail("a byte in a pipe went to the dead");
		pipe_works("pipe after another splicer's death");
		close(sockets[0]);
		close(sockets[1]);
		kill_one("wait", in_wait);
		kill_one("vfork", in_vfork_wait);

		lock_fd = open("/tmp/locked", O_RDWR | O_CREAT, 0600);
		if (flock(lock_fd, LOCK_EX))
			fail("flock");
		kill_one("flock", in_flock);
		flock(lock_fd, LOCK_UN);
		int other = open("/tmp/locked", O_RDWR);
		if (flock(other, LOCK_EX | LOCK_NB))
			fail("a lock went to the dead");
		close(other);
		close(lock_fd);
	}
	puts("ok");
	return 0;
}
