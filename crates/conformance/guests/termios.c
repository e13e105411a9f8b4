// termios.c: modes of a terminal and what each does to the bytes.
//
// Calls: ioctl read write
// Passes: host acrida
#include "terminals.h"

static struct termios usual;
static char text[4096];

static void open_pair(void)
{
	open_terminal(O_NONBLOCK);
	need(tcgetattr(slave, &usual));
}

static void set(struct termios modes)
{
	need(tcsetattr(slave, TCSAFLUSH, &modes));
	while (read(master, text, sizeof text) > 0)
		;
}

// What has come: line by line where the terminal keeps lines, otherwise in one piece.
static void show_arrived(const char *what, int fd)
{
	struct termios modes;
	need(tcgetattr(slave, &modes));
	bool lines = fd == slave && modes.c_lflag & ICANON;
	if (!has_input(fd))
		say("%s: nothing", what);
	while (has_input(fd)) {
		long got = lines ? read(fd, text, sizeof text) : read_all(fd, text, sizeof text);
		show_bytes(what, text, got);
		if (got <= 0)
			break;
	}
}

static void type(const char *what, struct termios modes, const char *bytes)
{
	char label[64];
	set(modes);
	write(master, bytes, strlen(bytes));
	snprintf(label, sizeof label, "%s, read", what);
	show_arrived(label, slave);
	snprintf(label, sizeof label, "%s, echo", what);
	show_arrived(label, master);
}

static void print(const char *what, struct termios modes, const char *bytes)
{
	set(modes);
	write(slave, bytes, strlen(bytes));
	show_arrived(what, master);
}

CHECK(defaults)
{
	open_pair();
	say("iflag %#o oflag %#o cflag %#o lflag %#o line %d", usual.c_iflag, usual.c_oflag, usual.c_cflag, usual.c_lflag, usual.c_line);
	show_bytes("characters", usual.c_cc, 19);
	say("speeds %#o %#o", cfgetispeed(&usual), cfgetospeed(&usual));
}

CHECK(setting)
{
	open_pair();
	struct termios modes = usual;
	memset(&modes.c_iflag, 0xff, sizeof modes.c_iflag);
	modes.c_oflag = modes.c_lflag = ~0u;
	show(tcsetattr(slave, TCSANOW, &modes));
	tcgetattr(slave, &modes);
	say("iflag %#o oflag %#o lflag %#o", modes.c_iflag, modes.c_oflag, modes.c_lflag);
	modes = usual;
	modes.c_cflag = B9600 | CS7 | PARENB | CLOCAL;
	show(tcsetattr(slave, TCSADRAIN, &modes));
	tcgetattr(slave, &modes);
	say("cflag %#o, speed %#o", modes.c_cflag, cfgetospeed(&modes));
	modes = usual;
	modes.c_line = 7;
	show(ioctl(slave, TCSETS, &modes));
	tcgetattr(slave, &modes);
	say("line %d", modes.c_line);
	int discipline = 77;
	show(ioctl(slave, TIOCGETD, &discipline));
	say("discipline %d", discipline);
	discipline = 77;
	show(ioctl(slave, TIOCSETD, &discipline));
	show(tcflush(slave, 9));
	show(tcflow(slave, 9));
	show(tcsendbreak(slave, 0));
	show(tcdrain(slave));
	show(ioctl(slave, 0x54ff, 0));
	show(tcgetattr(master, &modes));
	say("through the master: lflag %#o", modes.c_lflag);
}

CHECK(input_modes)
{
	open_pair();
	struct termios m = usual;
	m.c_iflag = 0;
	type("no flags", m, "a\r\n");
	m.c_iflag = ICRNL;
	type("ICRNL", m, "a\rb\n");
	m.c_iflag = INLCR;
	type("INLCR", m, "a\nb\004");
	m.c_iflag = IGNCR;
	type("IGNCR", m, "a\rb\n");
	m.c_iflag = ISTRIP;
	type("ISTRIP", m, "\341b\n");
	m.c_iflag = ICRNL | IUCLC;
	m.c_lflag |= IEXTEN;
	type("IUCLC", m, "ABc\n");
	m.c_iflag = ICRNL | IXON | IXANY;
	type("IXANY", m, "\023a\n");
	m.c_iflag = ICRNL | IXON;
	type("IXON", m, "\023\021a\n");
}

CHECK(output_modes)
{
	open_pair();
	struct termios m = usual;
	print("usual", m, "a\nb\rc\td");
	m.c_oflag = 0;
	print("no flags", m, "a\nb\r");
	m.c_oflag = OPOST;
	print("OPOST", m, "a\nb\r");
	m.c_oflag = OPOST | OCRNL;
	print("OCRNL", m, "a\rb");
	m.c_oflag = OPOST | ONOCR;
	print("ONOCR", m, "\ra\rb");
	m.c_oflag = OPOST | ONLRET | ONLCR;
	print("ONLRET", m, "a\nb");
	m.c_oflag = OPOST | OLCUC;
	print("OLCUC", m, "aBc");
	m.c_oflag = OPOST | XTABS;
	print("XTABS", m, "ab\tc\t\td");
}

CHECK(echo_modes)
{
	open_pair();
	struct termios m = usual;
	m.c_lflag &= ~ECHO;
	type("no echo", m, "ab\177c\n");
	m.c_lflag |= ECHONL;
	type("ECHONL", m, "ab\n");
	m = usual;
	m.c_lflag &= ~ECHOE;
	type("without ECHOE", m, "ab\177c\n");
	m = usual;
	m.c_lflag |= ECHOPRT;
	type("ECHOPRT", m, "abc\177\177d\n");
	m = usual;
	m.c_lflag &= ~ECHOKE;
	type("without ECHOKE", m, "abc\025d\n");
	m.c_lflag &= ~ECHOK;
	type("without ECHOK", m, "abc\025d\n");
	m = usual;
	m.c_lflag &= ~ECHOCTL;
	type("without ECHOCTL", m, "a\001b\n");
	type("ECHOCTL", usual, "a\001b\177\177\n");
	type("tabs erased", usual, "a\tb\177\177\177c\n");
	type("reprint", usual, "ab\022c\n");
}

CHECK(canonical_characters)
{
	open_pair();
	struct termios m = usual;
	m.c_cc[VEOL] = ';';
	m.c_cc[VEOL2] = '!';
	type("VEOL", m, "one;two!");
	m.c_cc[VERASE] = 'x';
	type("VERASE", m, "abxc\n");
	m.c_cc[VERASE] = _POSIX_VDISABLE;
	type("VERASE off", m, "a\177b\n");
	m = usual;
	m.c_lflag &= ~ISIG;
	type("without ISIG", m, "a\003b\n");
	m.c_lflag &= ~IEXTEN;
	type("without IEXTEN", m, "a\026b\027c\n");
	m.c_lflag &= ~ICANON;
	m.c_cc[VMIN] = 1;
	m.c_cc[VTIME] = 0;
	type("without ICANON", m, "a\177\004");
	char line[5000];
	memset(line, 'l', sizeof line);
	line[4998] = '\n';
	line[4999] = 0;
	set(usual);
	write(master, line, strlen(line));
	show_arrived("a long line", slave);
}

CHECK(from_one_mode_to_the_other)
{
	open_pair();
	struct termios m = usual;
	set(m);
	write(master, "half", 4);
	show(has_input(slave));
	m.c_lflag &= ~ICANON;
	m.c_cc[VMIN] = 1;
	need(tcsetattr(slave, TCSANOW, &m));
	show_arrived("a half line becomes readable", slave);
	write(master, "raw", 3);
	show(has_input(slave));
	m.c_lflag |= ICANON;
	need(tcsetattr(slave, TCSANOW, &m));
	show_arrived("bytes become a line", slave);
	write(master, "x\n", 2);
	show_arrived("then lines", slave);
}
