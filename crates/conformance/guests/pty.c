// pty.c: pseudo-terminals: opening, echo and lines, signals, packets, hang-up, sizes, readiness.
//
// Calls: open read write ioctl poll fcntl
// Passes: host acrida
#include "terminals.h"

static int caught_by;
static char text[8192];

static void open_pair(void)
{
	open_terminal(0);
}

static void show_ready(const char *who, int fd)
{
	struct pollfd set = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };
	poll(&set, 1, 0);
	say("%s: %s", who, poll_names(set.revents));
}

// Bytes take a moment from one end to the other.
static void await_input(int fd)
{
	struct pollfd set = { fd, POLLIN, 0 };
	poll(&set, 1, PATIENCE_MS);
}

// One read, of what comes.
static void show_read(const char *who, int fd)
{
	await_input(fd);
	long got = read(fd, text, sizeof text);
	if (got < 0)
		say("%s: %s", who, errno_name(errno));
	else
		show_bytes(who, text, got);
}

// All that was written to the slave, and the echo of all that was typed if the slave has no line left to read.
static void show_output(const char *who)
{
	has_input(slave);
	show_bytes(who, text, read_all(master, text, sizeof text));
}

static void raw_mode(void)
{
	struct termios modes;
	tcgetattr(slave, &modes);
	cfmakeraw(&modes);
	tcsetattr(slave, TCSANOW, &modes);
}

CHECK(opening)
{
	int number, locked = 7, unlock = 0;
	char path[32];
	master = need(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	need(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	show(ioctl(master, TIOCGPTLCK, &locked));
	say("locked %d", locked);
	show(open(path, O_RDWR | O_NOCTTY));
	show(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	show(ioctl(master, TIOCSPTLCK, &unlock));
	show(slave = open(path, O_RDWR | O_NOCTTY));
	show(isatty(master));
	show(isatty(slave));
	struct stat status;
	fstat(slave, &status);
	say("%s, major %d", type_name(status.st_mode), (int)(status.st_rdev >> 8));
	show(lseek(master, 0, SEEK_CUR));
	show(lseek(slave, 0, SEEK_CUR));
	close(slave);
	close(master);
	// The number is free, and may be somebody else's by now.
	int again = open(path, O_RDWR | O_NOCTTY);
	for (int tries = 0; tries < 100 && (again >= 0 || errno == EIO); tries++) {
		close(again);
		master = need(open("/dev/ptmx", O_RDWR | O_NOCTTY));
		need(ioctl(master, TIOCGPTN, &number));
		snprintf(path, sizeof path, "/dev/pts/%d", number);
		close(master);
		again = open(path, O_RDWR | O_NOCTTY);
	}
	show(again);
}

CHECK(exclusive)
{
	int is;
	char path[64];
	open_pair();
	snprintf(path, sizeof path, "/proc/self/fd/%d", slave);
	show(ioctl(slave, TIOCEXCL));
	show(ioctl(slave, TIOCGEXCL, &is));
	say("exclusive %d", is);
	show(ioctl(slave, TIOCNXCL));
	show(ioctl(slave, TIOCGEXCL, &is));
	say("exclusive %d", is);
}

CHECK(lines_and_echo)
{
	open_pair();
	show_ready("master", master);
	show_ready("slave", slave);
	show(write(master, "ab", 2));
	show_output("echo");
	show_ready("slave, half a line", slave);
	show(write(master, "c\n", 2));
	await_input(slave);
	show_ready("slave, a line", slave);
	show(read(slave, text, 2));
	show_read("rest of the line", slave);
	show_output("echo");
	show(write(master, "one\ntwo\n", 8));
	show_read("first line", slave);
	show_read("second line", slave);
	show_output("echo");
	show(write(master, "xyz\177\n", 5));
	show_read("erased", slave);
	show_output("echo");
	show(write(master, "a b c\027d\n", 8));
	show_read("word erased", slave);
	show_output("echo");
	show(write(master, "gone\025kept\n", 10));
	show_read("line killed", slave);
	show_output("echo");
	show(write(master, "\026\003\n", 3));
	show_read("literal", slave);
	show_output("echo");
	show(write(master, "half\004", 5));
	show_read("half a line", slave);
	show(write(master, "\004", 1));
	show_read("end of file", slave);
	show(write(slave, "out\n", 4));
	show_output("output");
	int count;
	show(write(master, "12345\n", 6));
	await_input(slave);
	show(ioctl(slave, FIONREAD, &count));
	say("count %d", count);
	show(tcflush(slave, TCIFLUSH));
	show(ioctl(slave, FIONREAD, &count));
	say("count %d", count);
}

CHECK(raw)
{
	open_pair();
	raw_mode();
	show(write(master, "a\003\004\n", 4));
	show_read("bytes", slave);
	show(write(slave, "\n\r", 2));
	show_read("output", master);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	show(read(slave, text, 10));
	show(write(slave, text, 0));
	struct termios modes;
	tcgetattr(slave, &modes);
	modes.c_cc[VMIN] = 3;
	modes.c_cc[VTIME] = 0;
	show(tcsetattr(slave, TCSANOW, &modes));
	fcntl(slave, F_SETFL, 0);
	write(master, "abc", 3);
	await_input(slave);
	show_ready("three of three bytes", slave);
	show(read(slave, text, 10));
	modes.c_cc[VMIN] = 0;
	modes.c_cc[VTIME] = 1;
	show(tcsetattr(slave, TCSANOW, &modes));
	show(read(slave, text, 10));
}

// A session of its own, whose terminal is the pair's.
static void take_terminal(void)
{
	setsid();
	need(ioctl(slave, TIOCSCTTY, 0));
}

static volatile int caught;
static void note(int sig)
{
	caught = sig;
}

static void show_caught(const char *what)
{
	struct timespec now, end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (!caught && now.tv_sec < end.tv_sec + PATIENCE_MS / 1000);
	say("%s: %s", what, caught ? signal_name(caught) : "nothing");
	caught = 0;
}

CHECK(signals_from_the_keyboard)
{
	open_pair();
	IN_CHILD("session")
	{
		take_terminal();
		signal(SIGINT, note);
		signal(SIGQUIT, note);
		signal(SIGTSTP, note);
		signal(SIGWINCH, note);
		write(master, "ab", 2);
		show_output("echo");
		write(master, "\003", 1);
		show_caught("interrupt");
		show_output("echo");
		write(master, "\034", 1);
		show_caught("quit");
		show_output("echo");
		write(master, "\032", 1);
		show_caught("stop");
		show_output("echo");
		show_ready("input is thrown away", slave);
		struct winsize size = { 10, 20, 0, 0 };
		show(ioctl(master, TIOCSWINSZ, &size));
		show_caught("size");
		memset(&size, 0, sizeof size);
		show(ioctl(slave, TIOCGWINSZ, &size));
		say("%d rows, %d columns", size.ws_row, size.ws_col);
		show(ioctl(master, TIOCSIG, SIGINT));
		show_caught("from the master");
		show(ioctl(master, TIOCSIG, SIGHUP));
	}
}

CHECK(controlling_terminal)
{
	open_pair();
	pid_t group;
	show(ioctl(slave, TIOCGPGRP, &group));
	show(ioctl(slave, TIOCGSID, &group));
	show(ioctl(slave, TIOCNOTTY));
	IN_CHILD("session")
	{
		setsid();
		show(open("/dev/tty", O_RDWR));
		show(ioctl(slave, TIOCSCTTY, 0));
		show_ok(open("/dev/tty", O_RDWR));
		show(tcgetpgrp(slave) == getpid());
		show(tcgetsid(slave) == getpid());
		show(tcgetpgrp(master) == getpid());
		show(ioctl(slave, TIOCSCTTY, 0));
		show(tcsetpgrp(slave, 0x7ffffff));
		show(tcsetpgrp(slave, -1));
		show(tcsetpgrp(slave, 1));
		IN_CHILD("background")
		{
			setpgid(0, 0);
			signal(SIGTTIN, SIG_IGN);
			show(read(slave, text, 1));
			signal(SIGTTOU, SIG_IGN);
			show(tcsetpgrp(slave, getpid()));
			signal(SIGTTOU, SIG_DFL);
			show(tcgetpgrp(slave) == getpid());
		}
		signal(SIGTTOU, SIG_IGN);
		show(tcsetpgrp(slave, getpid()));
		signal(SIGHUP, note);
		show(ioctl(slave, TIOCNOTTY));
		show_caught("given up");
		show(open("/dev/tty", O_RDWR));
	}
	IN_CHILD("thief")
	{
		take_terminal();
		IN_CHILD("another session")
		{
			setsid();
			show(ioctl(slave, TIOCSCTTY, 0));
		}
	}
}

CHECK(hang_up)
{
	open_pair();
	write(slave, "last", 4);
	close(slave);
	show_ready("master alone", master);
	show_read("what was written", master);
	show_read("then", master);
	close(master);
	open_pair();
	pid_t session = start();
	if (session == 0) {
		signal(SIGHUP, note);
		take_terminal();
		write(master, "typed\n", 6);
		close(master);
		show_caught("master closed");
		show_ready("slave alone", slave);
		show(read(slave, text, 10));
		show(write(slave, "x", 1));
		struct termios modes;
		show(tcgetattr(slave, &modes));
		_exit(0);
	}
	close(master);
	reap("session", session);
}

CHECK(packets)
{
	int on = 1;
	open_pair();
	show(ioctl(master, TIOCPKT, &on));
	on = 0;
	show(ioctl(master, TIOCGPKT, &on));
	say("on %d", on);
	write(slave, "data", 4);
	show_read("data", master);
	tcflush(slave, TCIOFLUSH);
	show_ready("flushed", master);
	show_read("flushed", master);
	tcflow(slave, TCOOFF);
	show_read("stopped", master);
	tcflow(slave, TCOON);
	show_read("started", master);
	struct termios modes;
	tcgetattr(slave, &modes);
	modes.c_iflag &= ~IXON;
	tcsetattr(slave, TCSANOW, &modes);
	show_read("no flow control", master);
}

CHECK(input_by_hand)
{
	open_pair();
	raw_mode();
	show(ioctl(slave, TIOCSTI, "x"));
	show_read("put in", slave);
	show(ioctl(slave, TIOCSTI, NULL));
}

CHECK(sigio)
{
	open_pair();
	raw_mode();
	signal(SIGIO, note);
	show(fcntl(slave, F_SETOWN, getpid()));
	show(fcntl(slave, F_SETFL, O_RDWR | O_ASYNC));
	write(master, "x", 1);
	show_caught("input");
	show(fcntl(slave, F_SETFL, O_RDWR));
	show(fcntl(master, F_SETOWN, getpid()));
	show(fcntl(master, F_SETFL, O_RDWR | O_ASYNC));
	write(slave, "x", 1);
	show_caught("output");
}

CHECK(stopped_output)
{
	open_pair();
	fcntl(slave, F_SETFL, O_NONBLOCK);
	show(tcflow(slave, TCOOFF));
	show(write(slave, "held", 4));
	show_ready("slave stopped", slave);
	show(tcflow(slave, TCOON));
	show_ready("slave started", slave);
	show(write(slave, "free", 4));
	show_output("output");
}

CHECK(splice_and_vectors)
{
	open_pair();
	raw_mode();
	struct iovec vectors[2] = { { "ab", 2 }, { "cd", 2 } };
	show(writev(master, vectors, 2));
	char one[2], two[8];
	struct iovec into[2] = { { one, 2 }, { two, 8 } };
	show(readv(slave, into, 2));
	show(pread(slave, text, 1, 0));
	show(pwrite(master, "x", 1, 0));
	show((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, slave, 0));
	show(ftruncate(slave, 0));
	show(fsync(slave));
}

// What outlives the session's leader keeps the terminal as a file.
CHECK(survivor_of_the_session)
{
	int ready[2], go[2];
	char byte;
	open_pair();
	need(pipe(ready));
	need(pipe(go));
	IN_CHILD("leader")
	{
		close(master);
		take_terminal();
		if (fork() == 0) {
			signal(SIGHUP, SIG_IGN);
			write(ready[1], "r", 1);
			read(go[0], &byte, 1);
			// The leader has ended, so its session has lost the terminal.
			say("controlling terminal %s", open("/dev/tty", O_RDWR) < 0 ? errno_name(errno) : "open");
			show(write(slave, "late\n", 5));
			_exit(0);
		}
		read(ready[0], &byte, 1);
	}
	write(go[1], "g", 1);
	// Told when the survivor has said all it has to say.
	close(ready[1]);
	read(ready[0], &byte, 1);
	show_output("survivor");
}

static void pass_on(int sig UNUSED)
{
	write(caught_by, "h", 1);
	_exit(0);
}

// A terminal that hangs up tells its leader; the foreground group is told by the leader's end.
CHECK(foreground_hears_later)
{
	int ready[2], heard[2];
	char byte;
	open_pair();
	need(pipe(ready));
	need(pipe(heard));
	caught_by = heard[1];
	pid_t leader = start();
	if (leader == 0) {
		signal(SIGHUP, SIG_IGN);
		take_terminal();
		pid_t pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			alarm(CHECK_SECONDS);
			signal(SIGHUP, pass_on);
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(slave, getpid());
			close(master);
			write(ready[1], "r", 1);
			for (;;)
				pause();
		}
		close(master);
		for (;;)
			pause();
	}
	close(slave);
	read(ready[0], &byte, 1);
	close(master);
	struct pollfd set = { heard[0], POLLIN, 0 };
	show(poll(&set, 1, 50));
	kill(leader, SIGKILL);
	reap("leader", leader);
	show(poll(&set, 1, PATIENCE_MS));
	show_read("heard", heard[0]);
}

// Who types without looking loses echoes.
CHECK(echo_is_bounded)
{
	static char line[4096];
	memset(line, 'x', sizeof line);
	open_pair();
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (long typed = 0, tries = 0; typed < 1 << 20 && tries < 20000; tries++) {
		long taken = write(master, line, sizeof line);
		if (taken > 0)
			typed += taken;
		else
			sched_yield();
	}
	long echoed = 0, got;
	while ((got = read(master, text, sizeof text)) > 0 || (got < 0 && errno == EAGAIN && echoed == 0))
		echoed += got > 0 ? got : 0;
	say("echo kept within 128 KiB: %s", echoed <= 128 << 10 ? "yes" : "no");
}
