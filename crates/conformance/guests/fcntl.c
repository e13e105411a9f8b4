// fcntl.c: descriptor and status flags, owners, signals, pipe sizes, hints: everything but locks and leases.
//
// Calls: fcntl
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <pthread.h>

// <linux/fcntl.h> cannot be included beside <fcntl.h>, which does not have these yet.
enum { DUPFD_QUERY = 1024 + 3, CREATED_QUERY = 1024 + 4 };

static int p[2];

CHECK(descriptor_flags)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	show(fcntl(fd, F_GETFD));
	show(fcntl(fd, F_SETFD, FD_CLOEXEC));
	show(fcntl(fd, F_GETFD));
	show(fcntl(fd, F_SETFD, 0xfe));
	show(fcntl(fd, F_GETFD));
	show(fcntl(fd, F_SETFD, -1));
	show(fcntl(fd, F_GETFD));
	show(fcntl(99, F_GETFD));
	show(fcntl(99, F_SETFD, 0));
	show(fcntl(-1, F_GETFD));
}

CHECK(status_flags)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	static const int flags[] = { O_APPEND, O_NONBLOCK, O_APPEND | O_NONBLOCK, O_NOATIME, O_SYNC, O_DSYNC, O_WRONLY,
				     O_CREAT | O_TRUNC | O_EXCL, O_CLOEXEC, O_PATH, O_DIRECTORY, O_NOFOLLOW, 0 };
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		int result = fcntl(fd, F_SETFL, flags[i]);
		int error = errno;
		say("F_SETFL %s = %s, now %s", open_names(flags[i]), result ? errno_name(error) : "0",
		    open_names(fcntl(fd, F_GETFL)));
	}
	say("large file bit %d", !!(fcntl(fd, F_GETFL) & 0100000));
	show(fcntl(99, F_SETFL, 0));
	show(fcntl(99, F_GETFL));
}

CHECK(status_flags_of_a_pipe)
{
	pipe(p);
	show(fcntl(p[0], F_SETFL, O_ASYNC));
	say("%s", open_names(fcntl(p[0], F_GETFL)));
	show(fcntl(p[0], F_SETFL, O_DIRECT));
	say("%s", open_names(fcntl(p[0], F_GETFL)));
	show(fcntl(p[1], F_SETFL, O_DIRECT | O_NONBLOCK));
	say("%s", open_names(fcntl(p[1], F_GETFL)));
	show(fcntl(p[1], F_SETFL, O_APPEND));
	say("%s", open_names(fcntl(p[1], F_GETFL)));
	show(write(p[1], "x", 1));
}

CHECK(unknown_commands)
{
	pipe(p);
	show(fcntl(p[0], 9999));
	show(fcntl(p[0], -1));
	show(fcntl(p[0], 17));
	show(fcntl(p[0], 1024 + 100));
	show(fcntl(99, 9999));
}

/* The owner as the kernel gives it: minus a group's number looks like an error to syscall() when the number is below 4096. */
static long raw_owner(int fd)
{
	errno = 0;
	long owner = syscall(SYS_fcntl, fd, F_GETOWN, 0);

	return owner == -1 ? -errno : owner;
}

CHECK(owner)
{
	pipe(p);
	show(fcntl(p[0], F_GETOWN));
	show(fcntl(p[0], F_SETOWN, getpid()));
	say("owner is me: %d", fcntl(p[0], F_GETOWN) == getpid());
	show(fcntl(p[0], F_SETOWN, -getpgrp()));
	say("owner is my group: %d", raw_owner(p[0]) == -getpgrp());
	show(fcntl(p[0], F_SETOWN, 0));
	show(fcntl(p[0], F_GETOWN));
	show(fcntl(p[0], F_SETOWN, INT_MIN));
	show(fcntl(p[0], F_SETOWN, INT_MAX));
	show(fcntl(p[1], F_GETOWN));
	show(fcntl(99, F_GETOWN));
}

CHECK(owner_ex)
{
	pipe(p);
	struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = gettid() };
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	owner.pid = 0;
	show(fcntl(p[0], F_GETOWN_EX, &owner));
	say("type %d, me %d", owner.type, owner.pid == gettid());
	owner.type = 3;
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	owner = (struct f_owner_ex){ F_OWNER_PID, INT_MAX };
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	owner.pid = 0;
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	show(fcntl(p[0], F_SETOWN_EX, bad_pointer()));
	show(fcntl(p[0], F_GETOWN_EX, bad_pointer()));
	show(fcntl(p[0], F_GETOWN_EX, NULL));
	owner = (struct f_owner_ex){ F_OWNER_PGRP, getpgrp() };
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	say("F_GETOWN is minus the group: %d", raw_owner(p[0]) == -getpgrp());
}

CHECK(owner_signal)
{
	pipe(p);
	show(fcntl(p[0], F_GETSIG));
	show(fcntl(p[0], F_SETSIG, SIGUSR1));
	show(fcntl(p[0], F_GETSIG));
	show(fcntl(p[0], F_SETSIG, 64));
	show(fcntl(p[0], F_SETSIG, 65));
	show(fcntl(p[0], F_SETSIG, -1));
	show(fcntl(p[0], F_SETSIG, 0));
	show(fcntl(p[0], F_GETSIG));
}

static volatile sig_atomic_t got_signal, got_fd, got_code, got_band;
static void on_io(int sig, siginfo_t *info, void *context UNUSED)
{
	got_signal = sig;
	got_fd = info->si_fd;
	got_code = info->si_code;
	got_band = (int)info->si_band;
}

CHECK(asynchronous_pipe)
{
	struct sigaction action = { .sa_sigaction = on_io, .sa_flags = SA_SIGINFO };
	sigaction(SIGIO, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	char c;
	pipe(p);
	fcntl(p[0], F_SETOWN, getpid());
	fcntl(p[0], F_SETFL, O_ASYNC);
	got_signal = 0;
	show(write(p[1], "x", 1));
	say("signal %s", got_signal ? signal_name(got_signal) : "none");
	fcntl(p[0], F_SETSIG, SIGUSR1);
	got_signal = 0;
	show(write(p[1], "y", 1));
	say("signal %s, its fd is the read end %d, code %s, band %s", got_signal ? signal_name(got_signal) : "none",
	    got_fd == p[0], got_code == POLL_IN ? "POLL_IN" : "other", poll_names(got_band));
	fcntl(p[0], F_SETFL, 0);
	got_signal = 0;
	show(write(p[1], "z", 1));
	say("signal %s", got_signal ? signal_name(got_signal) : "none");
	fcntl(p[1], F_SETOWN, getpid());
	fcntl(p[1], F_SETFL, O_ASYNC);
	got_signal = 0;
	show(read(p[0], &c, 1));
	say("signal %s", got_signal ? signal_name(got_signal) : "none");
	fcntl(p[0], F_SETSIG, 0);
	fcntl(p[0], F_SETFL, O_ASYNC);
	fcntl(p[1], F_SETFL, 0);
	got_signal = 0;
	show(close(p[1]));
	say("signal %s", got_signal ? signal_name(got_signal) : "none");
}

CHECK(pipe_size)
{
	static char block[65536];
	pipe2(p, O_NONBLOCK);
	show(fcntl(p[0], F_GETPIPE_SZ));
	show(fcntl(p[0], F_SETPIPE_SZ, 1));
	show(fcntl(p[1], F_GETPIPE_SZ));
	show(fcntl(p[0], F_SETPIPE_SZ, 0));
	show(fcntl(p[0], F_SETPIPE_SZ, 4097));
	show(fcntl(p[0], F_SETPIPE_SZ, 5 * 4096));
	show(fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
	show(fcntl(p[0], F_SETPIPE_SZ, 65536));
	show(write(p[1], block, 10000));
	show(fcntl(p[0], F_SETPIPE_SZ, 4096));
	show(fcntl(p[0], F_SETPIPE_SZ, 8192));
	show(fcntl(p[0], F_SETPIPE_SZ, 16384));
	show(write(p[1], block, 10000));
	show(fcntl(p[0], F_GETPIPE_SZ));
	show(read(p[0], block, 65536));
	show(fcntl(p[0], F_SETPIPE_SZ, -1));
	show(fcntl(p[0], F_SETPIPE_SZ, 1u << 31));
	show(fcntl(0, F_GETPIPE_SZ));
	show(fcntl(open("f", O_CREAT | O_RDWR, 0644), F_SETPIPE_SZ, 4096));
}

CHECK(leases)
{
	int fd = open("f", O_CREAT | O_RDONLY, 0644);
	show(fcntl(fd, F_GETLEASE));
	show(fcntl(fd, F_SETLEASE, F_RDLCK));
	show(fcntl(fd, F_GETLEASE));
	show(fcntl(fd, F_SETLEASE, F_WRLCK));
	show(fcntl(fd, F_SETLEASE, F_UNLCK));
	show(fcntl(fd, F_GETLEASE));
	show(fcntl(fd, F_SETLEASE, 77));
	show(fcntl(open("f", O_RDWR), F_SETLEASE, F_RDLCK));
	pipe(p);
	show(fcntl(p[0], F_SETLEASE, F_RDLCK));
	show(fcntl(p[0], F_GETLEASE));
}

CHECK(same_open_file)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), copy = dup(fd), other = open("f", O_RDWR);
	show(syscall(SYS_fcntl, fd, DUPFD_QUERY, copy));
	show(syscall(SYS_fcntl, fd, DUPFD_QUERY, fd));
	show(syscall(SYS_fcntl, fd, DUPFD_QUERY, other));
	show(syscall(SYS_fcntl, fd, DUPFD_QUERY, 99));
	show(syscall(SYS_fcntl, 99, DUPFD_QUERY, fd));
}

CHECK(created_query)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), again = open("f", O_CREAT | O_RDWR, 0644);
	show(syscall(SYS_fcntl, fd, CREATED_QUERY, 0));
	show(syscall(SYS_fcntl, again, CREATED_QUERY, 0));
}

CHECK(write_hints)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	uint64_t hint = 77;
	show(fcntl(fd, F_GET_RW_HINT, &hint));
	show(hint);
	hint = RWH_WRITE_LIFE_LONG;
	show(fcntl(fd, F_SET_RW_HINT, &hint));
	hint = 0;
	show(fcntl(fd, F_GET_RW_HINT, &hint));
	show(hint);
	hint = 99;
	show(fcntl(fd, F_SET_RW_HINT, &hint));
	show(fcntl(fd, F_GET_RW_HINT, bad_pointer()));
	show(fcntl(fd, F_SET_RW_HINT, bad_pointer()));
}

static void set_direct(const char *what, int fd)
{
	say("%s: %s", what, fcntl(fd, F_SETFL, O_DIRECT | O_NONBLOCK) ? errno_name(errno) : open_names(fcntl(fd, F_GETFL)));
	close(fd);
}

CHECK(direct)
{
	need(pipe(p));
	set_direct("memfd", memfd_create("file", 0));
	set_direct("eventfd", syscall(SYS_eventfd2, 0, 0));
	set_direct("pipe", p[1]);
	set_direct("directory", open("/proc", O_RDONLY | O_DIRECTORY));
	set_direct("/proc", open("/proc/self/stat", O_RDONLY));
	show(open("/proc/self/stat", O_RDONLY | O_DIRECT));
	show_ok(open("/dev/shm", O_TMPFILE | O_RDWR | O_DIRECT, 0600));
}

CHECK(owner_that_is_gone)
{
	need(pipe(p));
	pid_t child = start();
	if (child == 0)
		pause();
	show(fcntl(p[0], F_SETOWN, child));
	say("owner is the child: %d", fcntl(p[0], F_GETOWN) == child);
	kill(child, SIGKILL);
	reap("child", child);
	show(fcntl(p[0], F_GETOWN));
}

static pid_t other_thread;

static void *be_a_thread(void *gate)
{
	char byte;
	other_thread = gettid();
	need(write(((int *)gate)[3], "t", 1));
	need(read(((int *)gate)[0], &byte, 1));
	return NULL;
}

// A number that is a thread's will do for a process's, and one that leads no group for a group's.
CHECK(owner_by_any_number)
{
	int gate[4];
	char byte;
	pthread_t thread;
	sigset_t io;
	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	sigprocmask(SIG_BLOCK, &io, NULL);
	need(pipe(p));
	need(pipe(gate));
	need(pipe(gate + 2));
	need(-pthread_create(&thread, NULL, be_a_thread, gate));
	need(read(gate[2], &byte, 1));
	show(fcntl(p[0], F_SETOWN, other_thread));
	say("owner %d", fcntl(p[0], F_GETOWN));
	show(fcntl(p[0], F_SETSIG, 0));
	show(fcntl(p[0], F_SETFL, O_ASYNC));
	need(write(p[1], "x", 1));
	struct timespec bound = { .tv_sec = 5 };
	say("told: %s", signal_name(sigtimedwait(&io, NULL, &bound)));
	struct f_owner_ex owner = { F_OWNER_PID, other_thread };
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	show(fcntl(p[0], F_GETOWN_EX, &owner));
	say("type %d, number %d", owner.type, owner.pid);
	show(fcntl(p[0], F_SETOWN, -other_thread));
	say("owner %d", fcntl(p[0], F_GETOWN));
	pid_t child = start();
	if (child == 0)
		pause();
	owner = (struct f_owner_ex){ F_OWNER_PGRP, child };
	show(fcntl(p[0], F_SETOWN_EX, &owner));
	say("owner %d", fcntl(p[0], F_GETOWN));
	need(kill(child, SIGKILL));
	reap("child", child);
	need(write(gate[1], "e", 1));
	pthread_join(thread, NULL);
}
