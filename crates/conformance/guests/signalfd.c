// signalfd.c: signals behind descriptors: what a read gives, whose signals are meant, masks, readiness, waiting.
//
// Calls: signalfd signalfd4 read poll select epoll_wait
// Passes: host acrida
#include "process.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static sigset_t set_of(int first, ...)
{
	sigset_t set;
	sigemptyset(&set);
	va_list args;
	va_start(args, first);
	for (int sig = first; sig; sig = va_arg(args, int))
		sigaddset(&set, sig);
	va_end(args);
	return set;
}

// Blocks the signals and makes a file for them.
static int file_for(sigset_t set, int flags)
{
	sigprocmask(SIG_BLOCK, &set, NULL);
	return need(signalfd(-1, &set, flags));
}

static const char *code_name(int code)
{
	switch (code) {
	case SI_USER: return "SI_USER";
	case SI_KERNEL: return "SI_KERNEL";
	case SI_QUEUE: return "SI_QUEUE";
	case SI_TIMER: return "SI_TIMER";
	case SI_TKILL: return "SI_TKILL";
	case CLD_EXITED: return "1";
	case CLD_KILLED: return "2";
	default: return "other";
	}
}

static void tell(const struct signalfd_siginfo *info, pid_t sender)
{
	say("%s %s errno %d, from %s, uid %u, int %d, ptr %lx, status %d, tid %u, overrun %u, fd %d, band %x, addr %lx",
	    signal_text(info->ssi_signo), code_name(info->ssi_code), info->ssi_errno,
	    info->ssi_pid == (uint32_t)sender ? "the sender" : info->ssi_pid ? "another" : "nobody",
	    info->ssi_uid, info->ssi_int, (long)info->ssi_ptr, info->ssi_status, info->ssi_tid, info->ssi_overrun,
	    info->ssi_fd, info->ssi_band, (long)info->ssi_addr);
}

static bool take(const char *what, int fd, pid_t sender)
{
	struct signalfd_siginfo info;
	memset(&info, 0x55, sizeof info);
	long result = read(fd, &info, sizeof info);
	if (result == sizeof info) {
		tell(&info, sender);
		return true;
	}
	say("%s: %s", what, result == -1 ? errno_name(errno) : "short");
	return false;
}

static void state(const char *what, int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLPRI | POLLRDHUP };
	int ready = poll(&one, 1, 0);
	say("%s: %d %s", what, ready, one.revents ? poll_names(one.revents) : "nothing");
}

CHECK(errors_in_order)
{
	sigset_t set = set_of(SIGUSR1, 0);
	for (int bit = 0; bit < 32; bit++) {
		long fd = raw(SYS_signalfd4, -1L, &set, 8L, 1L << bit);
		if (fd >= 0) {
			say("flag %#lx: ok %s %d", 1L << bit, open_names(fcntl(fd, F_GETFL)), fcntl(fd, F_GETFD));
			close(fd);
		} else if (fd != -EINVAL) {
			say("flag %#lx: %s", 1L << bit, outcome(fd));
		}
	}
	say("size before pointer: %s", outcome(raw(SYS_signalfd4, 999L, BAD, 7L, 1L)));
	say("size 16: %s", outcome(raw(SYS_signalfd4, -1L, &set, 16L, 0L)));
	say("pointer before flags: %s", outcome(raw(SYS_signalfd4, 999L, BAD, 8L, 1L)));
	say("null: %s", outcome(raw(SYS_signalfd4, -1L, 0L, 8L, 0L)));
	say("flags before descriptor: %s", outcome(raw(SYS_signalfd4, 999L, &set, 8L, 1L)));
	say("closed: %s", outcome(raw(SYS_signalfd4, 999L, &set, 8L, 0L)));
	say("below -1: %s", outcome(raw(SYS_signalfd4, -2L, &set, 8L, 0L)));
	say("not one: %s", outcome(raw(SYS_signalfd4, 0L, &set, 8L, 0L)));
	say("old call: %s", outcome_ok(raw(SYS_signalfd, -1L, &set, 8L)));
	say("old call: %s", outcome(raw(SYS_signalfd, -1L, &set, 4L)));
	int path = open(".", O_PATH);
	say("path: %s", outcome(raw(SYS_signalfd4, (long)path, &set, 8L, 0L)));
}

CHECK(a_new_one)
{
	int fd = file_for(set_of(SIGUSR1, 0), SFD_NONBLOCK);
	char byte[256];
	take("read", fd, 0);
	state("poll", fd);
	struct stat st;
	fstat(fd, &st);
	say("mode %o size %ld", st.st_mode, (long)st.st_size);
	char link[64] = "", path[64];
	sprintf(path, "/proc/self/fd/%d", fd);
	readlink(path, link, 63);
	say("%s", link);
	show(read(fd, byte, 127));
	show(read(fd, byte, 0));
	show(write(fd, byte, 128));
	show(lseek(fd, 5, SEEK_SET));
	show(pread(fd, byte, 128, 0));
	show(ioctl(fd, FIONREAD, byte));
	show(ftruncate(fd, 0));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
}

CHECK(what_each_sender_leaves)
{
	int fd = file_for(set_of(SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE, SIGRTMIN, SIGRTMIN + 1, SIGURG, 0), SFD_NONBLOCK);
	pid_t me = getpid();
	kill(me, SIGUSR1);
	take("kill", fd, me);
	raise(SIGUSR2);
	take("tgkill", fd, me);
	sigqueue(me, SIGRTMIN, (union sigval){ .sival_int = -5 });
	take("queue", fd, me);
	sigqueue(me, SIGRTMIN, (union sigval){ .sival_ptr = (void *)0x123456789abcL });
	take("queue a pointer", fd, me);
	pid_t pid = start();
	if (pid == 0)
		_exit(7);
	waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
	take("child", fd, pid);
	waitpid(pid, NULL, 0);
	int ends[2];
	pipe(ends);
	close(ends[0]);
	write(ends[1], "x", 1);
	take("pipe", fd, me);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 1000 } }, NULL);
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, PATIENCE_MS);
	take("alarm", fd, me);
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 9 };
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &(struct itimerspec){ .it_value = { 0, 1 } }, NULL);
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, PATIENCE_MS);
	take("timer", fd, me);
	siginfo_t made = { .si_signo = SIGUSR1, .si_code = -77, .si_errno = 3 };
	made.si_pid = 11;
	made.si_uid = 12;
	made.si_value.sival_int = 13;
	syscall(SYS_rt_sigqueueinfo, me, SIGUSR1, &made);
	take("made up", fd, me);
}

CHECK(order_and_number)
{
	int fd = file_for(set_of(SIGUSR1, SIGTERM, SIGHUP, SIGRTMIN, SIGRTMIN + 2, SIGSEGV, 0), SFD_NONBLOCK);
	pid_t me = getpid();
	for (int i = 0; i < 3; i++)
		sigqueue(me, SIGRTMIN + 2, (union sigval){ .sival_int = i });
	sigqueue(me, SIGRTMIN, (union sigval){ .sival_int = 7 });
	kill(me, SIGTERM);
	kill(me, SIGTERM);
	kill(me, SIGUSR1);
	kill(me, SIGHUP);
	kill(me, SIGSEGV);
	raise(SIGUSR1);
	struct signalfd_siginfo infos[4];
	// As many as fit, and no more.
	for (;;) {
		long result = read(fd, infos, sizeof infos - 1);
		if (result < 0) {
			say("%s", errno_name(errno));
			break;
		}
		say("%ld", result);
		for (int i = 0; i < result / (int)sizeof *infos; i++)
			tell(&infos[i], me);
	}
}

CHECK(blocking_and_several)
{
	int fd = file_for(set_of(SIGUSR1, SIGUSR2, 0), 0);
	pid_t me = getpid();
	raise(SIGUSR1);
	raise(SIGUSR2);
	// Only for the first is waited.
	struct signalfd_siginfo infos[4];
	show(read(fd, infos, sizeof infos));
	pid_t pid = start();
	if (pid == 0) {
		take("reader", fd, me);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR2);
	reap("reader", pid);
}

CHECK(unblocked_signals_take_their_way)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2, 0);
	int fd = need(signalfd(-1, &set, SFD_NONBLOCK));
	let_interrupt(SIGUSR1);
	raise(SIGUSR1);
	take("went to the handler", fd, getpid());
	signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	// What is blocked is kept even when it is ignored.
	raise(SIGUSR2);
	take("ignored but blocked", fd, getpid());
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);
	signal(SIGUSR2, SIG_IGN);
	take("setting it ignored forgets it", fd, getpid());
}

CHECK(kill_and_stop_are_left_out)
{
	sigset_t all;
	sigfillset(&all);
	int fd = need(signalfd(-1, &all, SFD_NONBLOCK));
	char path[64], text[512];
	sprintf(path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY);
	text[read(info, text, 511)] = 0;
	char *line = strstr(text, "sigmask");
	say("%s", line ? strtok(line, "\n") : "no line");
	sigset_t none = set_of(0);
	signalfd(fd, &none, 0);
	lseek(info, 0, SEEK_SET);
	text[read(info, text, 511)] = 0;
	line = strstr(text, "sigmask");
	say("%s", line ? strtok(line, "\n") : "no line");
	say("flags %s", strtok(strstr(text, "flags"), "\n") ? "there" : "no");
	pid_t pid = start();
	if (pid == 0) {
		sigset_t killers = set_of(SIGKILL, SIGSTOP, 0);
		int own = signalfd(-1, &killers, 0);
		struct signalfd_siginfo one;
		read(own, &one, sizeof one);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGKILL);
	reap("reader", pid);
}

CHECK(another_mask)
{
	int fd = file_for(set_of(SIGUSR1, SIGUSR2, 0), SFD_NONBLOCK);
	sigset_t second = set_of(SIGUSR2, 0);
	raise(SIGUSR1);
	state("wanted", fd);
	show(signalfd(fd, &second, 0) == fd);
	state("no longer wanted", fd);
	take("no longer wanted", fd, getpid());
	raise(SIGUSR2);
	state("wanted", fd);
	take("wanted", fd, getpid());
	// Flags are checked and otherwise ignored.
	show(signalfd(fd, &second, SFD_CLOEXEC) == fd);
	show(fcntl(fd, F_GETFD));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	// What is still pending would end the next check.
	signal(SIGUSR1, SIG_IGN);
}

CHECK(another_mask_wakes_a_reader)
{
	sigset_t both = set_of(SIGUSR1, SIGUSR2, 0), first = set_of(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &both, NULL);
	int fd = need(signalfd(-1, &first, 0));
	pid_t pid = start();
	if (pid == 0) {
		// Nobody tells the child of the parent's change: it finds this one when it is woken for the other.
		raise(SIGUSR2);
		take("reader", fd, getpid());
		_exit(0);
	}
	wait_asleep(pid);
	signalfd(fd, &both, 0);
	kill(pid, SIGUSR1);
	reap("reader", pid);
}

static void *read_one(void *argument)
{
	struct signalfd_siginfo info;
	return (void *)(long)(read(*(int *)argument, &info, sizeof info) == sizeof info ? info.ssi_signo : 0);
}

CHECK(another_mask_wakes_a_thread)
{
	sigset_t both = set_of(SIGUSR1, SIGUSR2, 0), first = set_of(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &both, NULL);
	int fd = need(signalfd(-1, &first, 0));
	kill(getpid(), SIGUSR2);
	pthread_t thread;
	pthread_create(&thread, NULL, read_one, &fd);
	for (int i = 0; i < 100; i++)
		sched_yield();
	signalfd(fd, &both, 0);
	void *got;
	pthread_join(thread, &got);
	say("%s", signal_text((long)got));
}

CHECK(own_signals_of_threads)
{
	int fd = file_for(set_of(SIGUSR1, SIGUSR2, 0), SFD_NONBLOCK);
	// A signal for this thread is not another's to read.
	raise(SIGUSR1);
	pthread_t thread;
	void *got;
	pthread_create(&thread, NULL, read_one, &fd);
	pthread_join(thread, &got);
	say("for one thread: %ld", (long)got);
	kill(getpid(), SIGUSR2);
	pthread_create(&thread, NULL, read_one, &fd);
	pthread_join(thread, &got);
	say("for the process: %s", signal_text((long)got));
	take("still there", fd, getpid());
	fcntl(fd, F_SETFL, 0);
	pthread_create(&thread, NULL, read_one, &fd);
	pthread_kill(thread, SIGUSR2);
	pthread_join(thread, &got);
	say("sent to the thread: %s", signal_text((long)got));
}

CHECK(whoever_reads_means_his_own)
{
	int fd = file_for(set_of(SIGUSR1, 0), SFD_NONBLOCK);
	raise(SIGUSR1);
	state("parent", fd);
	IN_CHILD("child") {
		state("pending signals are not inherited", fd);
		take("child", fd, getpid());
		kill(getppid(), 0);
		raise(SIGUSR1);
		state("its own", fd);
		take("its own", fd, getpid());
	}
	take("parent", fd, getpid());
}

CHECK(poll_wakes)
{
	int fd = file_for(set_of(SIGUSR1, SIGUSR2, 0), SFD_NONBLOCK);
	pid_t pid = start();
	if (pid == 0) {
		struct pollfd one = { .fd = fd, .events = POLLIN };
		int ready = poll(&one, 1, PATIENCE_MS);
		say("%d %s", ready, poll_names(one.revents));
		take("poller", fd, getppid());
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("poller", pid);
	pid = start();
	if (pid == 0) {
		fd_set set;
		FD_ZERO(&set);
		FD_SET(fd, &set);
		int ready = select(fd + 1, &set, NULL, NULL, NULL);
		say("%d %d", ready, FD_ISSET(fd, &set));
		_exit(0);
	}
	wait_asleep(pid);
	sigqueue(pid, SIGUSR2, (union sigval){ 0 });
	reap("selector", pid);
	pid = start();
	if (pid == 0) {
		struct epoll_event event = { .events = EPOLLIN };
		int set = epoll_create1(0);
		epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
		show(epoll_wait(set, &event, 1, PATIENCE_MS));
		take("epoll", fd, getppid());
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("epoll", pid);
}

CHECK(interrupted_by_another_signal)
{
	int fd = file_for(set_of(SIGUSR1, 0), 0);
	expect_steps();
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR2);
		take("reader", fd, 0);
		struct sigaction action = { .sa_handler = made_step, .sa_flags = SA_RESTART };
		sigaction(SIGHUP, &action, NULL);
		made_step(0);
		take("restarted", fd, getppid());
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR2);
	await_step();
	wait_asleep(pid);
	kill(pid, SIGHUP);
	await_step();
	kill(pid, SIGUSR1);
	reap("reader", pid);
}

CHECK(over_exec)
{
	int stays = file_for(set_of(SIGUSR1, 0), SFD_NONBLOCK);
	file_for(set_of(SIGUSR2, 0), SFD_NONBLOCK | SFD_CLOEXEC);
	(void)stays;
	IN_CHILD("program") {
		raise(SIGUSR1);
		become("read_after_exec", "");
	}
}
ROLE(read_after_exec)
{
	take("pending signals stay", 3, getpid());
	take("closed", 4, getpid());
}

CHECK(bad_buffers)
{
	int fd = file_for(set_of(SIGUSR1, SIGUSR2, SIGRTMIN, 0), SFD_NONBLOCK);
	raise(SIGUSR1);
	show(read(fd, bad_pointer(), 128));
	take("lost", fd, getpid());
	raise(SIGUSR1);
	raise(SIGUSR2);
	// The second does not fit: the first is given, the second is lost.
	char *edge = at_edge(200);
	show(read(fd, edge, 256));
	take("lost too", fd, getpid());
	raise(SIGUSR1);
	struct signalfd_siginfo info;
	struct iovec parts[] = { { &info, 50 }, { (char *)&info + 50, 78 } };
	memset(&info, 0, sizeof info);
	show(readv(fd, parts, 2));
	tell(&info, getpid());
}

CHECK(sigwait_and_signalfd_share)
{
	sigset_t set = set_of(SIGRTMIN, 0);
	int fd = file_for(set, SFD_NONBLOCK);
	for (int i = 0; i < 4; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	siginfo_t info;
	take("file", fd, getpid());
	sigwaitinfo(&set, &info);
	say("sigwaitinfo %d", info.si_value.sival_int);
	take("file", fd, getpid());
	sigwaitinfo(&set, &info);
	say("sigwaitinfo %d", info.si_value.sival_int);
	take("file", fd, getpid());
}

CHECK(sending_races_with_reading)
{
	int fd = file_for(set_of(SIGRTMIN, 0), 0);
	enum { SENT = 500 };
	pid_t reader = start();
	if (reader == 0) {
		long next = 0;
		struct signalfd_siginfo infos[7];
		while (next < SENT) {
			long result = read(fd, infos, sizeof infos);
			for (int i = 0; i < result / (int)sizeof *infos; i++)
				if (infos[i].ssi_int != next++)
					_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < SENT; i++)
		while (sigqueue(reader, SIGRTMIN, (union sigval){ .sival_int = i }) == -1)
			sched_yield();
	reap("reader", reader);
}

CHECK(children_end_while_polled)
{
	int fd = file_for(set_of(SIGCHLD, 0), SFD_NONBLOCK);
	enum { CHILDREN = 8 };
	for (int i = 0; i < CHILDREN; i++)
		if (start() == 0)
			_exit(i);
	int reaped = 0, sum = 0;
	while (reaped < CHILDREN) {
		struct pollfd one = { .fd = fd, .events = POLLIN };
		if (poll(&one, 1, PATIENCE_MS) != 1)
			break;
		struct signalfd_siginfo info;
		read(fd, &info, sizeof info);
		int status;
		while (waitpid(-1, &status, WNOHANG) > 0) {
			reaped++;
			sum += WEXITSTATUS(status);
		}
	}
	say("%d children, sum %d", reaped, sum);
}
