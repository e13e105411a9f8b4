// limits.c: what happens at the limits of descriptors, processes, file sizes, queued signals and address space.
//
// Calls: setrlimit dup open pipe fork clone write rt_sigqueueinfo mmap
// Passes: host acrida
// Needs: root
#include "check.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void limit(int resource, rlim_t soft)
{
	struct rlimit now;
	need(getrlimit(resource, &now));
	now.rlim_cur = soft;
	need(setrlimit(resource, &now));
}

CHECK(every_call_that_makes_a_descriptor)
{
	IN_CHILD("limited")
	{
		int pair[2], last;
		limit(RLIMIT_NOFILE, 10);
		while ((last = dup(0)) >= 0)
			;
		say("the table is full: %s", errno_name(errno));
		show(open("new", O_CREAT | O_RDWR, 0600));
		show(access("new", F_OK));
		show(openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
		show(open("missing", O_RDONLY));
		show(pipe(pair));
		show(dup2(0, 9));
		show(dup2(0, 10));
		show(dup3(0, 10, O_CLOEXEC));
		show(fcntl(0, F_DUPFD, 5));
		show(fcntl(0, F_DUPFD, 10));
		show(fcntl(0, F_DUPFD, 11));
		show(eventfd(0, 0));
		show(epoll_create1(0));
		show(timerfd_create(CLOCK_MONOTONIC, 0));
		sigset_t none;
		sigemptyset(&none);
		show(signalfd(-1, &none, 0));
		show(memfd_create("m", 0));
		show(socket(AF_UNIX, SOCK_STREAM, 0));
		show(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		show(syscall(SYS_pidfd_open, getpid(), 0));
		show(open("/dev/ptmx", O_RDWR));
		close(9);
		show(pipe(pair));
		show(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		show(open("new", O_CREAT | O_RDWR, 0600));
		limit(RLIMIT_NOFILE, 0);
		show(dup2(0, 0));
		show(dup(0));
		show(close(9));
		show(read(0, pair, 0));
	}
}

// What a message carries finds no room: the rest is cut off.
CHECK(descriptors_in_a_message)
{
	IN_CHILD("limited")
	{
		int pair[2];
		char byte = 'x', control[CMSG_SPACE(3 * sizeof(int))] = { 0 };
		struct iovec vector = { &byte, 1 };
		struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(3 * sizeof(int));
		memcpy(CMSG_DATA(header), (int[]){ 0, 1, 2 }, 3 * sizeof(int));
		show(sendmsg(pair[0], &message, 0));
		limit(RLIMIT_NOFILE, pair[1] + 2);
		memset(control, 0, sizeof control);
		message.msg_controllen = sizeof control;
		show(recvmsg(pair[1], &message, 0));
		say("cut off: %d, came: %d", !!(message.msg_flags & MSG_CTRUNC),
		    (int)((CMSG_FIRSTHDR(&message)->cmsg_len - CMSG_LEN(0)) / sizeof(int)));
	}
}

static void *end_at_once(void *nothing)
{
	return nothing;
}

CHECK(processes)
{
	IN_CHILD("user")
	{
		become_lone_user();
		limit(RLIMIT_NPROC, 4);
		int made = 0;
		pid_t pid;
		int hold[2];
		need(pipe(hold));
		while (made < 10 && (pid = fork()) != -1) {
			char byte;
			if (pid == 0) {
				close(hold[1]);
				alarm(CHECK_SECONDS);
				read(hold[0], &byte, 1);
				_exit(0);
			}
			made++;
		}
		say("children: %d, then %s", made, errno_name(errno));
		pthread_t thread;
		say("a thread: %s", errno_name(pthread_create(&thread, NULL, end_at_once, NULL)));
		say("vfork: %s", vfork() == -1 ? errno_name(errno) : (_exit(1), ""));
		close(hold[1]);
		while (wait(NULL) > 0)
			;
		pid = fork();
		if (pid == 0)
			_exit(0);
		say("after they ended: %s", pid == -1 ? errno_name(errno) : "ok");
		wait(NULL);
	}
}

static struct {
	const char *what;
	long result;
	int error;
} kept[16];
static int nr_kept;
// Output goes to a file as well: it waits until the limit is lifted.
#define keep(expression)                                                       \
	do {                                                                   \
		errno = 0;                                                     \
		kept[nr_kept].what = #expression;                              \
		kept[nr_kept].result = (expression);                           \
		kept[nr_kept++].error = errno;                                 \
	} while (0)

CHECK(file_size)
{
	signal(SIGXFSZ, SIG_IGN);
	int fd = need(open("f", O_CREAT | O_RDWR, 0600));
	char block[100] = { 0 };
	int ends[2], memory = need(memfd_create("memory", 0));
	loff_t end = 150;
	limit(RLIMIT_FSIZE, 150);
	keep(write(fd, block, 100));
	keep(write(fd, block, 100));
	keep(write(fd, block, 100));
	keep(write(fd, block, 0));
	keep(pwrite(fd, block, 10, 149));
	keep(pwrite(fd, block, 10, 150));
	keep(ftruncate(fd, 151));
	keep(ftruncate(fd, 150));
	keep(fallocate(fd, 0, 0, 200));
	// Even if the size would stay.
	keep(fallocate(memory, FALLOC_FL_KEEP_SIZE, 0, 151));
	keep(fallocate(memory, FALLOC_FL_KEEP_SIZE, 0, 150));
	// Even if there is nothing to copy.
	keep(copy_file_range(fd, NULL, fd, &end, 1, 0));
	// Pipes have no such limit.
	need(pipe(ends));
	keep(write(ends[1], block, sizeof block) + write(ends[1], block, sizeof block));
	pid_t pid = start();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_DFL);
		pwrite(fd, block, 10, 150);
		_exit(1);
	}
	int status;
	waitpid(pid, &status, 0);
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
	for (int i = 0; i < nr_kept; i++)
		say("%s = %ld, %s", kept[i].what, kept[i].result, errno_name(kept[i].error));
	say("default action: %s", WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : "none");
}

CHECK(queued_signals)
{
	IN_CHILD("user")
	{
		become_lone_user();
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		limit(RLIMIT_SIGPENDING, 3);
		union sigval value = { .sival_int = 7 };
		for (int i = 0; i < 5; i++)
			show(sigqueue(getpid(), SIGRTMIN, value));
		show(kill(getpid(), SIGUSR1));
		sigpending(&set);
		say("pending all the same: %d", sigismember(&set, SIGUSR1));
		timer_t timer;
		show(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	}
}

CHECK(address_space)
{
	IN_CHILD("limited")
	{
		limit(RLIMIT_AS, 1UL << 30);
		say("mmap = %s", mmap(NULL, 2UL << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno_name(errno) : "ok");
		say("mmap = %s", mmap(NULL, 1UL << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno_name(errno) : "ok");
		limit(RLIMIT_DATA, 0);
		say("brk moves: %d", sbrk(1 << 20) != (void *)-1);
	}
}
