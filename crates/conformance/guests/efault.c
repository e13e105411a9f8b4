// efault.c: a bad address in every pointer argument of every call that has one.
//
// Calls: every call with a pointer that is served here
// Passes: host acrida
//
// A row gives a call with good arguments. For each of its pointers it is made with that one bad, in three ways: memory that
// cannot be touched, an address that is the kernel's, and the last byte before memory that cannot be touched.
#include "check.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <termios.h>

enum { PLAIN = 50, FOLDER, PIPE_OUT, PIPE_IN, STREAM, DATAGRAM, EVENT, EPOLL, TIMER, SIGNAL, LISTENER, PTMX, OTHER };

struct argument {
	enum { END, VALUE, POINTER } kind;
	long value;
};
#define V(x) { VALUE, (long)(x) }
#define P(x) { POINTER, (long)(x) }
struct row {
	const char *name;
	long number;
	struct argument arguments[6];
};
#define CALL(id, ...) { #id, SYS_##id, { __VA_ARGS__ } }
#define CASE(name, id, ...) { name, SYS_##id, { __VA_ARGS__ } }

static char buffer[8192], zeros[256];
static struct iovec vector = { buffer, 8 };
static struct timespec short_time = { 0, 1 };
static unsigned long user1 = 1UL << (SIGUSR1 - 1);
static socklen_t length;
static const char name[] = "f", folder[] = ".", missing[] = "missing/name";

static void move(int fd, int to)
{
	need(fd);
	need(dup2(fd, to));
	if (fd != to)
		close(fd);
}

static void set_up(void)
{
	int pair[2];
	move(open(name, O_CREAT | O_RDWR, 0600), PLAIN);
	pwrite(PLAIN, "0123456789012345678901234567890123456789", 40, 0);
	move(open(".", O_RDONLY | O_DIRECTORY), FOLDER);
	need(pipe2(pair, O_NONBLOCK));
	move(pair[0], PIPE_OUT);
	move(pair[1], PIPE_IN);
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	move(pair[0], STREAM);
	move(pair[1], OTHER);
	move(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), DATAGRAM);
	move(eventfd(1, EFD_NONBLOCK), EVENT);
	move(epoll_create1(0), EPOLL);
	struct epoll_event event = { .events = EPOLLIN };
	need(epoll_ctl(EPOLL, EPOLL_CTL_ADD, EVENT, &event));
	move(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), TIMER);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	move(signalfd(-1, &set, SFD_NONBLOCK), SIGNAL);
	move(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), LISTENER);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	need(bind(LISTENER, (void *)&address, sizeof(sa_family_t)));
	need(listen(LISTENER, 5));
	move(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK), PTMX);
}

// The signal still waits: the next check unblocks it.
static void tear_down(void)
{
	signal(SIGUSR1, SIG_IGN);
}

// Whatever the call before has used up.
static void refill(void)
{
	lseek(PLAIN, 0, SEEK_SET);
	lseek(FOLDER, 0, SEEK_SET);
	while (read(PIPE_OUT, zeros, sizeof zeros) > 0)
		;
	write(PIPE_IN, "0123456789", 10);
	while (read(STREAM, zeros, sizeof zeros) > 0)
		;
	write(OTHER, "0123456789", 10);
	eventfd_write(EVENT, 1);
	length = 64;
	memset(zeros, 0, sizeof zeros);
	raise(SIGUSR1);
}

static const char *outcome(long result)
{
	static char text[8][24];
	static int next;
	char *mine = text[next++ % 8];
	if (result < 0 && result > -4096)
		return errno_name((int)-result);
	snprintf(mine, sizeof text[0], "%s", result ? "positive" : "0");
	return mine;
}

static long call(const struct row *row, int bad, void *address)
{
	long a[6] = { 0 };
	for (int i = 0; i < 6; i++)
		a[i] = i == bad ? (long)address : row->arguments[i].value;
	long result = syscall(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	result = result == -1 ? -errno : result;
	if (result > 2 && result < PLAIN)
		close((int)result);
	return result;
}

static void try_rows(const struct row *rows, size_t count)
{
	set_up();
	for (size_t i = 0; i < count; i++) {
		for (int k = 0; k < 6; k++) {
			if (rows[i].arguments[k].kind != POINTER)
				continue;
			const char *how[3];
			void *addresses[] = { bad_pointer(), (void *)0xffff800000000000, at_edge(1) };
			for (int way = 0; way < 3; way++) {
				refill();
				how[way] = outcome(call(&rows[i], k, addresses[way]));
			}
			say("%s, argument %d: %s %s %s", rows[i].name, k + 1, how[0], how[1], how[2]);
		}
	}
	tear_down();
}
#define TRY(rows) try_rows(rows, sizeof rows / sizeof *rows)

CHECK(descriptors)
{
	static const struct row rows[] = {
		CALL(read, V(PLAIN), P(buffer), V(8)),
		CASE("read of a pipe", read, V(PIPE_OUT), P(buffer), V(8)),
		CASE("read of a socket", read, V(STREAM), P(buffer), V(8)),
		CASE("read of an eventfd", read, V(EVENT), P(buffer), V(8)),
		CASE("read of a timerfd", read, V(TIMER), P(buffer), V(8)),
		CASE("read of a signalfd", read, V(SIGNAL), P(buffer), V(128)),
		CALL(write, V(PLAIN), P(buffer), V(8)),
		CASE("write to a pipe", write, V(PIPE_IN), P(buffer), V(8)),
		CASE("write to a socket", write, V(STREAM), P(buffer), V(8)),
		CASE("write to an eventfd", write, V(EVENT), P(buffer), V(8)),
		CALL(pread64, V(PLAIN), P(buffer), V(8), V(1)),
		CALL(pwrite64, V(PLAIN), P(buffer), V(8), V(1)),
		CALL(readv, V(PLAIN), P(&vector), V(1)),
		CALL(writev, V(PLAIN), P(&vector), V(1)),
		CALL(preadv, V(PLAIN), P(&vector), V(1), V(0), V(0)),
		CALL(pwritev, V(PLAIN), P(&vector), V(1), V(0), V(0)),
		CALL(preadv2, V(PLAIN), P(&vector), V(1), V(0), V(0), V(0)),
		CALL(pwritev2, V(PLAIN), P(&vector), V(1), V(0), V(0), V(0)),
		CALL(vmsplice, V(PIPE_IN), P(&vector), V(1), V(0)),
		CALL(sendfile, V(PIPE_IN), V(PLAIN), P(zeros), V(4)),
		CALL(splice, V(PLAIN), P(zeros), V(PIPE_IN), V(0), V(4), V(0)),
		CASE("splice out", splice, V(PIPE_OUT), V(0), V(PLAIN), P(zeros), V(4), V(0)),
		CALL(copy_file_range, V(PLAIN), P(zeros), V(PLAIN), P(zeros + 8), V(0), V(0)),
		CALL(pipe, P(zeros)),
		CALL(pipe2, P(zeros), V(0)),
		CALL(fstat, V(PLAIN), P(buffer)),
		CALL(fstatfs, V(PLAIN), P(buffer)),
		CALL(getdents, V(FOLDER), P(buffer), V(1024)),
		CALL(getdents64, V(FOLDER), P(buffer), V(1024)),
		CASE("F_GETLK", fcntl, V(PLAIN), V(F_GETLK), P(zeros)),
		CASE("F_SETLK", fcntl, V(PLAIN), V(F_SETLK), P(zeros)),
		CASE("F_OFD_GETLK", fcntl, V(PLAIN), V(F_OFD_GETLK), P(zeros)),
		CASE("F_GETOWN_EX", fcntl, V(PIPE_IN), V(F_GETOWN_EX), P(zeros)),
		CASE("F_SETOWN_EX", fcntl, V(PIPE_IN), V(F_SETOWN_EX), P(zeros)),
		CASE("F_GET_RW_HINT", fcntl, V(PLAIN), V(F_GET_RW_HINT), P(zeros)),
		CASE("F_SET_RW_HINT", fcntl, V(PLAIN), V(F_SET_RW_HINT), P(zeros)),
		CASE("FIONREAD", ioctl, V(PIPE_OUT), V(FIONREAD), P(zeros)),
		CASE("FIONREAD of a socket", ioctl, V(STREAM), V(FIONREAD), P(zeros)),
		CASE("FIONBIO", ioctl, V(PIPE_OUT), V(FIONBIO), P(zeros)),
		CASE("FIOASYNC", ioctl, V(PIPE_OUT), V(FIOASYNC), P(zeros)),
	};
	TRY(rows);
}

CHECK(paths)
{
	static struct { unsigned long flags, mode, resolve; } how = { O_RDONLY, 0, 0 };
	static const struct row rows[] = {
		CALL(open, P(name), V(O_RDONLY)),
		CALL(creat, P(name), V(0600)),
		CALL(openat, V(AT_FDCWD), P(name), V(O_RDONLY)),
		CALL(openat2, V(AT_FDCWD), P(name), P(&how), V(24)),
		CALL(stat, P(name), P(buffer)),
		CALL(lstat, P(name), P(buffer)),
		CALL(newfstatat, V(AT_FDCWD), P(name), P(buffer), V(0)),
		CALL(statx, V(AT_FDCWD), P(name), V(0), V(0x7ff), P(buffer)),
		CALL(statfs, P(name), P(buffer)),
		CALL(access, P(name), V(R_OK)),
		CALL(faccessat, V(AT_FDCWD), P(name), V(R_OK)),
		CALL(faccessat2, V(AT_FDCWD), P(name), V(R_OK), V(0)),
		CALL(chdir, P(folder)),
		CALL(chroot, P(missing)),
		CALL(mkdir, P(folder), V(0700)),
		CALL(mkdirat, V(AT_FDCWD), P(folder), V(0700)),
		CALL(rmdir, P(missing)),
		CALL(unlink, P(missing)),
		CALL(unlinkat, V(AT_FDCWD), P(missing), V(0)),
		CALL(rename, P(missing), P(missing)),
		CALL(renameat, V(AT_FDCWD), P(missing), V(AT_FDCWD), P(missing)),
		CALL(renameat2, V(AT_FDCWD), P(missing), V(AT_FDCWD), P(missing), V(0)),
		CALL(link, P(name), P(name)),
		CALL(linkat, V(AT_FDCWD), P(name), V(AT_FDCWD), P(name), V(0)),
		CALL(symlink, P(name), P(name)),
		CALL(symlinkat, P(name), V(AT_FDCWD), P(name)),
		CALL(readlink, P(name), P(buffer), V(10)),
		CASE("readlink of a link", readlink, P("/proc/self"), P(buffer), V(100)),
		CALL(readlinkat, V(AT_FDCWD), P("/proc/self"), P(buffer), V(100)),
		CALL(chmod, P(name), V(0600)),
		CALL(fchmodat, V(AT_FDCWD), P(name), V(0600)),
		CALL(chown, P(name), V(-1), V(-1)),
		CALL(lchown, P(name), V(-1), V(-1)),
		CALL(fchownat, V(AT_FDCWD), P(name), V(-1), V(-1), V(0)),
		CALL(truncate, P(name), V(40)),
		CALL(mknod, P(name), V(S_IFIFO), V(0)),
		CALL(mknodat, V(AT_FDCWD), P(name), V(S_IFIFO), V(0)),
		CALL(utime, P(name), P(zeros)),
		CALL(utimes, P(name), P(zeros)),
		CALL(futimesat, V(AT_FDCWD), P(name), P(zeros)),
		CALL(utimensat, V(AT_FDCWD), P(name), P(zeros), V(0)),
		CALL(setxattr, P(missing), P("user.a"), P("b"), V(1), V(0)),
		CALL(lsetxattr, P(missing), P("user.a"), P("b"), V(1), V(0)),
		CALL(fsetxattr, V(PLAIN), P("no-such.a"), P("b"), V(1), V(0)),
		CALL(getxattr, P(name), P("user.a"), P(buffer), V(10)),
		CALL(fgetxattr, V(PLAIN), P("user.a"), P(buffer), V(10)),
		CALL(listxattr, P(name), P(buffer), V(10)),
		CALL(removexattr, P(name), P("user.a")),
		CALL(execve, P(missing), P(zeros), P(zeros)),
		CALL(execveat, V(AT_FDCWD), P(missing), P(zeros), P(zeros), V(0)),
		CALL(getcwd, P(buffer), V(4096)),
		CALL(memfd_create, P(name), V(0)),
		CALL(umount2, P(missing), V(0)),
		CALL(inotify_add_watch, V(PLAIN), P(name), V(1)),
	};
	TRY(rows);
}

CHECK(waiting)
{
	static struct pollfd set = { EVENT, POLLIN, 0 };
	static struct { void *mask; size_t size; } mask = { &user1, 8 };
	static const struct row rows[] = {
		CALL(poll, P(&set), V(1), V(0)),
		CALL(ppoll, P(&set), V(1), P(&short_time), P(&user1), V(8)),
		CALL(select, V(1), P(zeros), P(zeros), P(zeros), P(zeros)),
		CALL(pselect6, V(1), P(zeros), P(zeros), P(zeros), P(&short_time), P(&mask)),
		CALL(epoll_wait, V(EPOLL), P(buffer), V(1), V(0)),
		CALL(epoll_pwait, V(EPOLL), P(buffer), V(1), V(0), P(&user1), V(8)),
		CALL(epoll_pwait2, V(EPOLL), P(buffer), V(1), P(zeros), P(&user1), V(8)),
		CASE("EPOLL_CTL_MOD", epoll_ctl, V(EPOLL), V(EPOLL_CTL_MOD), V(EVENT), P(zeros)),
		CALL(nanosleep, P(&short_time), P(zeros)),
		CALL(clock_nanosleep, V(CLOCK_MONOTONIC), V(0), P(&short_time), P(zeros)),
		CALL(wait4, V(-1), P(zeros), V(WNOHANG), P(buffer)),
		CALL(waitid, V(P_ALL), V(0), P(buffer), V(WEXITED | WNOHANG), P(buffer)),
		CASE("FUTEX_WAIT", futex, P(zeros), V(FUTEX_WAIT), V(1), P(&short_time)),
		CASE("FUTEX_WAKE", futex, P(zeros), V(FUTEX_WAKE), V(1)),
		CASE("FUTEX_WAKE_PRIVATE", futex, P(zeros), V(FUTEX_WAKE | FUTEX_PRIVATE_FLAG), V(1)),
		CASE("FUTEX_CMP_REQUEUE", futex, P(zeros), V(FUTEX_CMP_REQUEUE), V(0), V(0), P(zeros + 64), V(0)),
		CASE("FUTEX_TRYLOCK_PI", futex, P(zeros), V(FUTEX_TRYLOCK_PI), V(0)),
		CALL(set_robust_list, P(buffer), V(24)),
		CALL(get_robust_list, V(0), P(zeros), P(zeros + 8)),
		CALL(timerfd_settime, V(TIMER), V(0), P(zeros), P(buffer)),
		CALL(timerfd_gettime, V(TIMER), P(zeros)),
		CALL(timer_create, V(CLOCK_MONOTONIC), P(zeros), P(buffer)),
		CALL(timer_settime, V(77), V(0), P(zeros), P(buffer)),
		CALL(timer_gettime, V(77), P(buffer)),
	};
	TRY(rows);
}

CHECK(signals)
{
	static const struct row rows[] = {
		CALL(rt_sigaction, V(SIGUSR2), P(zeros), P(buffer), V(8)),
		CALL(rt_sigprocmask, V(SIG_BLOCK), P(&user1), P(buffer), V(8)),
		CALL(rt_sigpending, P(buffer), V(8)),
		CALL(rt_sigtimedwait, P(&user1), P(buffer), P(&short_time), V(8)),
		CALL(rt_sigqueueinfo, V(0x7fffffff), V(SIGUSR1), P(zeros)),
		CALL(rt_sigsuspend, P(bad_pointer), V(7)),
		CALL(sigaltstack, P(zeros), P(buffer)),
		CALL(signalfd4, V(SIGNAL), P(&user1), V(8), V(0)),
		CALL(pidfd_send_signal, V(PLAIN), V(0), P(zeros), V(0)),
	};
	TRY(rows);
	long result = syscall(SYS_rt_sigsuspend, bad_pointer(), 8);
	say("rt_sigsuspend = %s", outcome(result == -1 ? -errno : result));
}

CHECK(system)
{
	static const struct row rows[] = {
		CALL(gettimeofday, P(buffer), P(zeros)),
		CALL(time, P(zeros)),
		CALL(clock_gettime, V(CLOCK_REALTIME), P(buffer)),
		CALL(clock_getres, V(CLOCK_REALTIME), P(buffer)),
		CALL(clock_settime, V(99), P(zeros)),
		CALL(times, P(buffer)),
		CALL(getitimer, V(ITIMER_REAL), P(buffer)),
		CALL(setitimer, V(ITIMER_VIRTUAL), P(zeros), P(buffer)),
		CALL(getrusage, V(RUSAGE_SELF), P(buffer)),
		CALL(getrlimit, V(RLIMIT_CORE), P(buffer)),
		CALL(setrlimit, V(RLIMIT_CORE), P(zeros)),
		CALL(prlimit64, V(0), V(RLIMIT_CORE), P(zeros), P(buffer)),
		CALL(uname, P(buffer)),
		CALL(sysinfo, P(buffer)),
		CALL(getcpu, P(zeros), P(zeros)),
		CALL(getrandom, P(buffer), V(8), V(0)),
		CALL(sethostname, P(buffer), V(8)),
		CALL(getresuid, P(zeros), P(zeros + 4), P(zeros + 8)),
		CALL(getresgid, P(zeros), P(zeros + 4), P(zeros + 8)),
		CALL(getgroups, V(1000), P(buffer)),
		CALL(capget, P(zeros), P(buffer)),
		CALL(capset, P(zeros), P(buffer)),
		CALL(sched_getparam, V(0), P(buffer)),
		CALL(sched_setparam, V(0), P(zeros)),
		CALL(sched_setscheduler, V(0), V(SCHED_OTHER), P(zeros)),
		CALL(sched_rr_get_interval, V(0), P(buffer)),
		CALL(sched_getaffinity, V(0), V(128), P(buffer)),
		CALL(sched_getattr, V(0), P(buffer), V(48), V(0)),
		CALL(sched_setattr, V(0), P(zeros), V(0)),
		CALL(clone3, P(zeros), V(64)),
		CASE("PR_SET_NAME", prctl, V(PR_SET_NAME), P(name)),
		CASE("PR_GET_NAME", prctl, V(PR_GET_NAME), P(buffer)),
		CASE("PR_GET_PDEATHSIG", prctl, V(PR_GET_PDEATHSIG), P(zeros)),
		CASE("PR_GET_CHILD_SUBREAPER", prctl, V(PR_GET_CHILD_SUBREAPER), P(zeros)),
		CASE("ARCH_GET_FS", arch_prctl, V(0x1003), P(zeros)),
		CALL(process_vm_readv, V(0x7fffffff), P(&vector), V(1), P(&vector), V(1), V(0)),
		CALL(mincore, V(buffer), V(1), P(zeros)),
		CALL(shmctl, V(99), V(IPC_STAT), P(buffer)),
		CALL(semop, V(99), P(zeros), V(1)),
	};
	TRY(rows);
}

CHECK(sockets)
{
	static struct sockaddr_un abstract = { AF_UNIX, "" };
	static struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
	static struct mmsghdr messages = { .msg_hdr = { .msg_iov = &vector, .msg_iovlen = 1 } };
	static const struct row rows[] = {
		CALL(socketpair, V(AF_UNIX), V(SOCK_STREAM), V(0), P(zeros)),
		CALL(bind, V(DATAGRAM), P(&abstract), V(3)),
		CALL(connect, V(DATAGRAM), P(&abstract), V(3)),
		CALL(accept, V(LISTENER), P(buffer), P(&length)),
		CALL(accept4, V(LISTENER), P(buffer), P(&length), V(0)),
		CALL(getsockname, V(STREAM), P(buffer), P(&length)),
		CALL(getpeername, V(STREAM), P(buffer), P(&length)),
		CALL(sendto, V(STREAM), P(buffer), V(8), V(0), V(0), V(0)),
		CALL(recvfrom, V(STREAM), P(buffer), V(8), V(0), P(buffer), P(&length)),
		CALL(sendmsg, V(STREAM), P(&message), V(0)),
		CALL(recvmsg, V(STREAM), P(&message), V(0)),
		CALL(sendmmsg, V(STREAM), P(&messages), V(1), V(0)),
		CALL(recvmmsg, V(STREAM), P(&messages), V(1), V(0), P(&short_time)),
		CALL(setsockopt, V(STREAM), V(SOL_SOCKET), V(SO_RCVBUF), P(&length), V(4)),
		CALL(getsockopt, V(STREAM), V(SOL_SOCKET), V(SO_RCVBUF), P(buffer), P(&length)),
		CASE("SO_PEERCRED", getsockopt, V(STREAM), V(SOL_SOCKET), V(SO_PEERCRED), P(buffer), P(&length)),
	};
	TRY(rows);
}

// Pointers inside what the arguments point to.
CHECK(inside_messages)
{
	set_up();
	struct iovec vectors[2] = { { buffer, 4 }, { bad_pointer(), 4 } };
	refill();
	show(readv(PLAIN, vectors, 2));
	show(writev(PLAIN, vectors, 2));
	show(readv(PIPE_OUT, vectors, 2));
	show(writev(PIPE_IN, vectors, 2));
	refill();
	show(preadv(PLAIN, vectors + 1, 1, 0));
	show(vmsplice(PIPE_IN, vectors + 1, 1, 0));
	struct msghdr message = { .msg_iov = vectors + 1, .msg_iovlen = 1 };
	show(sendmsg(STREAM, &message, 0));
	show(recvmsg(STREAM, &message, 0));
	message.msg_iov = bad_pointer();
	show(sendmsg(STREAM, &message, 0));
	show(recvmsg(STREAM, &message, 0));
	message.msg_iov = vectors;
	message.msg_name = bad_pointer();
	message.msg_namelen = 16;
	show(sendmsg(STREAM, &message, 0));
	message.msg_name = NULL;
	message.msg_control = bad_pointer();
	message.msg_controllen = 64;
	show(sendmsg(STREAM, &message, 0));
	refill();
	show(recvmsg(STREAM, &message, 0));
	tear_down();
}

CHECK(terminals)
{
	static const struct row rows[] = {
		CASE("TCGETS", ioctl, V(PTMX), V(TCGETS), P(buffer)),
		CASE("TIOCGWINSZ", ioctl, V(PTMX), V(TIOCGWINSZ), P(buffer)),
		CASE("TIOCSWINSZ", ioctl, V(PTMX), V(TIOCSWINSZ), P(zeros)),
		CASE("TIOCGPTN", ioctl, V(PTMX), V(TIOCGPTN), P(buffer)),
		CASE("TIOCSPTLCK", ioctl, V(PTMX), V(TIOCSPTLCK), P(zeros)),
		CASE("TIOCGPTLCK", ioctl, V(PTMX), V(TIOCGPTLCK), P(buffer)),
		CASE("TIOCGPGRP", ioctl, V(PTMX), V(TIOCGPGRP), P(buffer)),
		CASE("TIOCSPGRP", ioctl, V(PTMX), V(TIOCSPGRP), P(zeros)),
		CASE("TIOCGSID", ioctl, V(PTMX), V(TIOCGSID), P(buffer)),
		CASE("TIOCINQ", ioctl, V(PTMX), V(TIOCINQ), P(buffer)),
		CASE("TIOCOUTQ", ioctl, V(PTMX), V(TIOCOUTQ), P(buffer)),
		CASE("TIOCPKT", ioctl, V(PTMX), V(TIOCPKT), P(zeros)),
		CASE("TIOCSTI", ioctl, V(PTMX), V(TIOCSTI), P(zeros)),
		CASE("TCSETS", ioctl, V(PTMX), V(TCSETS), P(buffer)),
	};
	TRY(rows);
}
