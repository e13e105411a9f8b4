// restart.c: which blocking calls a handler with SA_RESTART restarts, which end with EINTR whatever the flag.
//
// Calls: rt_sigaction restart_syscall read write wait4 waitid poll ppoll select pselect6 epoll_wait nanosleep
// Calls: clock_nanosleep pause rt_sigtimedwait flock fcntl
// Passes: host acrida
#include "process.h"

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>

// A tick every two milliseconds; at the third one the handler makes the blocked call possible. A call that is not
// restarted ends before with EINTR; a call that comes late is finished by the same third tick.
static volatile sig_atomic_t tick;
static void (*volatile at_third)(void);
static int ends[2];

static void on_tick(int signo)
{
	(void)signo;
	if (++tick == 3 && at_third)
		at_third();
}

static void begin(int flags, void (*third)(void))
{
	tick = 0;
	at_third = third;
	handle(SIGALRM, on_tick, flags);
	ticks(1);
}

static void end(const char *name, long result)
{
	ticks(0);
	signal(SIGALRM, SIG_DFL);
	alarm(CHECK_SECONDS);
	report_result(name, result);
}

static void feed(void)
{
	write(ends[1], "x", 1);
}

static void drain(void)
{
	static char buffer[65536];
	read(ends[0], buffer, sizeof buffer);
}

static void fill(void)
{
	char block_of[4096] = {0};
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], block_of, sizeof block_of) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
}

CHECK(pipe_read)
{
	char byte;
	need(pipe(ends));
	begin(SA_RESTART, feed);
	end("restart", raw(SYS_read, (long)ends[0], &byte, 1L));
	begin(0, NULL);
	end("no-restart", raw(SYS_read, (long)ends[0], &byte, 1L));
}

CHECK(pipe_write)
{
	char byte = 0;
	need(pipe(ends));
	fill();
	begin(SA_RESTART, drain);
	end("restart", raw(SYS_write, (long)ends[1], &byte, 1L));
	fill();
	begin(0, NULL);
	end("no-restart", raw(SYS_write, (long)ends[1], &byte, 1L));
}

// A write of more than fits is partly done when the signal comes: it returns what it wrote, restart or not.
CHECK(partial_write)
{
	static char big[262144];
	need(pipe(ends));
	begin(SA_RESTART, NULL);
	end("restart", raw(SYS_write, (long)ends[1], big, (long)sizeof big));
	drain();
	begin(0, NULL);
	end("no-restart", raw(SYS_write, (long)ends[1], big, (long)sizeof big));
}

static pid_t victim;
static void kill_victim(void)
{
	kill(victim, SIGKILL);
}

static void start_victim(void)
{
	victim = start();
	if (victim == 0)
		for (;;)
			pause();
}

CHECK(wait_for_child)
{
	start_victim();
	begin(SA_RESTART, kill_victim);
	end("wait4-restart", raw(SYS_wait4, (long)victim, 0L, 0L, 0L) == victim ? 0 : -1);
	start_victim();
	begin(0, NULL);
	end("wait4-no-restart", raw(SYS_wait4, (long)victim, 0L, 0L, 0L));
	kill_victim();
	ending(victim);
	start_victim();
	begin(SA_RESTART, kill_victim);
	siginfo_t info;
	end("waitid-restart", raw(SYS_waitid, (long)P_PID, (long)victim, &info, (long)WEXITED, 0L));
	start_victim();
	begin(0, NULL);
	end("waitid-no-restart", raw(SYS_waitid, (long)P_PID, (long)victim, &info, (long)WEXITED, 0L));
	kill_victim();
	ending(victim);
}

CHECK(never_restarted)
{
	need(pipe(ends));
	struct pollfd wanted = {.fd = ends[0], .events = POLLIN};
	int set = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};
	epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
	fd_set reading;
	FD_ZERO(&reading);
	FD_SET(ends[0], &reading);
	struct timespec long_time = {1000, 0};
	unsigned long nothing = 0, usr1 = 1UL << (SIGUSR1 - 1);
	begin(SA_RESTART, NULL);
	end("poll", raw(SYS_poll, &wanted, 1L, -1L));
	begin(SA_RESTART, NULL);
	end("poll-timeout", raw(SYS_poll, &wanted, 1L, 1000000L));
	begin(SA_RESTART, NULL);
	end("ppoll", raw(SYS_ppoll, &wanted, 1L, 0L, 0L, 8L));
	begin(SA_RESTART, NULL);
	end("select", raw(SYS_select, (long)ends[0] + 1, &reading, 0L, 0L, 0L));
	begin(SA_RESTART, NULL);
	end("pselect6", raw(SYS_pselect6, (long)ends[0] + 1, &reading, 0L, 0L, 0L, 0L));
	begin(SA_RESTART, NULL);
	end("epoll_wait", raw(SYS_epoll_wait, (long)set, &event, 1L, -1L));
	begin(SA_RESTART, NULL);
	end("epoll_pwait2", raw(SYS_epoll_pwait2, (long)set, &event, 1L, &long_time, 0L, 8L));
	begin(SA_RESTART, NULL);
	end("pause", raw(SYS_pause));
	begin(SA_RESTART, NULL);
	end("rt_sigsuspend", raw(SYS_rt_sigsuspend, &nothing, 8L));
	begin(SA_RESTART, NULL);
	end("rt_sigtimedwait", raw(SYS_rt_sigtimedwait, &usr1, 0L, 0L, 8L));
	begin(SA_RESTART, NULL);
	end("nanosleep", raw(SYS_nanosleep, &long_time, 0L));
	begin(SA_RESTART, NULL);
	end("clock_nanosleep-absolute", ({
		    struct timespec when;
		    clock_gettime(CLOCK_MONOTONIC, &when);
		    when.tv_sec += 1000;
		    raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, (long)TIMER_ABSTIME, &when, 0L);
	    }));
}

// An ignored signal, or one whose default is to be ignored, does not even end these.
CHECK(ignored_signals_do_not_interrupt)
{
	struct timespec time = {0, 30000000}, left = {7, 7};
	signal(SIGALRM, SIG_IGN);
	ticks(1);
	long result = raw(SYS_nanosleep, &time, &left);
	struct pollfd nothing = {.fd = -1};
	long polled = raw(SYS_poll, &nothing, 1L, 30L);
	ticks(0);
	report("ignored", "nanosleep %s remaining untouched %d, poll %s", outcome(result), left.tv_sec == 7,
	       outcome(polled));
	signal(SIGALRM, SIG_DFL);
	alarm(CHECK_SECONDS);
}

// A stop and a continue are no handlers: poll and nanosleep go on with what was left.
CHECK(stop_and_continue)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	need(pipe(ends));
	pid_t pid = start();
	if (pid == 0) {
		struct timespec time = {0, 60000000};
		struct pollfd wanted = {.fd = ends[0], .events = POLLIN};
		write(ready[1], "r", 1);
		long slept = raw(SYS_nanosleep, &time, 0L);
		write(ready[1], "r", 1);
		long polled = raw(SYS_poll, &wanted, 1L, 5000L);
		write(ready[1], "r", 1);
		long was_read = raw(SYS_read, (long)ends[0], &byte, 1L);
		was_read = was_read == 1 ? raw(SYS_read, (long)ends[0], &byte, 1L) : -1;
		_exit(slept == 0 && polled == 1 && was_read == 1 ? 0 : 1);
	}
	for (int i = 0; i < 3; i++) {
		read(ready[0], &byte, 1);
		wait_asleep(pid);
		for (int k = 0; k < 3; k++) {
			int status;
			kill(pid, SIGSTOP);
			raw(SYS_wait4, (long)pid, &status, (long)WUNTRACED, 0L);
			kill(pid, SIGCONT);
		}
		if (i > 0)
			write(ends[1], "x", 1);
	}
	report("child", "%s", ending(pid));
}

static int lock_fd;
static void on_usr1(int signo)
{
	(void)signo;
}

// Locks wait restartably; the holder lets go at the third tick.
static pid_t holder;
static void release_holder(void)
{
	kill(holder, SIGKILL);
}

static void start_holder(int kind)
{
	int ready[2];
	char byte;
	need(pipe(ready));
	holder = start();
	if (holder == 0) {
		int fd = open("lock", O_RDWR | O_CREAT, 0600);
		struct flock whole = {.l_type = F_WRLCK};
		if (kind == 0)
			flock(fd, LOCK_EX);
		else
			fcntl(fd, F_SETLK, &whole);
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	close(ready[0]);
	close(ready[1]);
}

CHECK(locks)
{
	struct flock whole = {.l_type = F_WRLCK};
	lock_fd = open("lock", O_RDWR | O_CREAT, 0600);
	handle(SIGUSR1, on_usr1, 0);
	start_holder(0);
	begin(SA_RESTART, release_holder);
	end("flock-restart", raw(SYS_flock, (long)lock_fd, (long)LOCK_EX));
	ending(holder);
	flock(lock_fd, LOCK_UN);
	start_holder(0);
	begin(0, NULL);
	end("flock-no-restart", raw(SYS_flock, (long)lock_fd, (long)LOCK_EX));
	kill(holder, SIGKILL);
	ending(holder);
	start_holder(1);
	begin(SA_RESTART, release_holder);
	end("fcntl-restart", raw(SYS_fcntl, (long)lock_fd, (long)F_SETLKW, &whole));
	ending(holder);
	whole.l_type = F_UNLCK;
	fcntl(lock_fd, F_SETLK, &whole);
	whole.l_type = F_WRLCK;
	start_holder(1);
	begin(0, NULL);
	end("fcntl-no-restart", raw(SYS_fcntl, (long)lock_fd, (long)F_SETLKW, &whole));
	kill(holder, SIGKILL);
	ending(holder);
}

static void open_other_end(void)
{
	open("fifo", O_RDONLY | O_NONBLOCK);
}

CHECK(open_fifo)
{
	need(mkfifo("fifo", 0600));
	begin(SA_RESTART, open_other_end);
	end("restart", raw(SYS_open, "fifo", (long)O_WRONLY) >= 0 ? 0 : -1);
	close_from(3);
	begin(0, NULL);
	end("no-restart", raw(SYS_open, "fifo", (long)O_WRONLY));
}

// EINTR of an interrupted sleep tells what is left; a bad address for it turns into EFAULT.
CHECK(remaining_time)
{
	struct timespec time = {100, 0}, left = {0, 0};
	begin(0, NULL);
	end("nanosleep", raw(SYS_nanosleep, &time, &left));
	report_flag("remaining-plausible", left.tv_sec >= 10 && left.tv_sec <= 100);
	begin(0, NULL);
	end("nanosleep-bad-remaining", raw(SYS_nanosleep, &time, BAD));
	begin(0, NULL);
	left.tv_sec = 0;
	end("clock_nanosleep", raw(SYS_clock_nanosleep, (long)CLOCK_MONOTONIC, 0L, &time, &left));
	report_flag("remaining-plausible", left.tv_sec >= 10 && left.tv_sec <= 100);
	struct timespec when;
	clock_gettime(CLOCK_REALTIME, &when);
	when.tv_sec += 100;
	left.tv_sec = 7;
	begin(0, NULL);
	end("absolute", raw(SYS_clock_nanosleep, (long)CLOCK_REALTIME, (long)TIMER_ABSTIME, &when, &left));
	report("absolute-leaves-remaining", "%ld", left.tv_sec);
	struct timeval timeout = {100, 0};
	begin(0, NULL);
	end("select", raw(SYS_select, 0L, 0L, 0L, 0L, &timeout));
	report_flag("select-stores-remaining", timeout.tv_sec >= 10 && timeout.tv_sec <= 100);
}

// restart_syscall called by hand has nothing to restart.
CHECK(restart_syscall_by_hand)
{
	report_result("without-reason", raw(SYS_restart_syscall));
}
