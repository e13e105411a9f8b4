// ioctl.c: requests to files that do not know them, and the few that all know.
//
// Calls: ioctl
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <linux/fs.h>
#include <termios.h>

static void ask(const char *what, int fd)
{
	int value = -7;
	char memory[128];
	say("%s", what);
	show(ioctl(fd, TCGETS, memory));
	show(ioctl(fd, TIOCGWINSZ, memory));
	show(ioctl(fd, TIOCGPGRP, &value));
	show(ioctl(fd, TIOCSCTTY, 0));
	show(ioctl(fd, TIOCINQ, &value));
	show(value);
	show(ioctl(fd, TIOCOUTQ, &value));
	show(ioctl(fd, 0xdeadbeef, 0));
	show(ioctl(fd, 0, 0));
	show(isatty(fd));
}

CHECK(regular_file)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	write(fd, "0123456789", 10);
	lseek(fd, 4, SEEK_SET);
	ask("file", fd);
	lseek(fd, 15, SEEK_SET);
	int value;
	show(ioctl(fd, FIONREAD, &value));
	show(value);
	show(ioctl(fd, FIONREAD, bad_pointer()));
}

CHECK(directory)
{
	ask("directory", open(".", O_RDONLY));
}

CHECK(pipe_ends)
{
	int p[2];
	pipe(p);
	ask("read end", p[0]);
	ask("write end", p[1]);
}

CHECK(devices)
{
	ask("/dev/null", open("/dev/null", O_RDWR));
	ask("/dev/zero", open("/dev/zero", O_RDWR));
}

CHECK(bad_descriptors)
{
	show(ioctl(99, TCGETS, NULL));
	show(ioctl(-1, FIONREAD, bad_pointer()));
	show(ioctl(99, FIOCLEX));
}

CHECK(generic_requests)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), on = 1, off = 0, block = 0;
	show(ioctl(fd, FIOCLEX));
	show(fcntl(fd, F_GETFD));
	show(ioctl(fd, FIONCLEX, bad_pointer()));
	show(fcntl(fd, F_GETFD));
	show(ioctl(fd, FIONBIO, &on));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	show(ioctl(fd, FIONBIO, &off));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	show(ioctl(fd, FIONBIO, bad_pointer()));
	show(ioctl(fd, FIOASYNC, &on));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	show(ioctl(fd, FIOASYNC, bad_pointer()));
	show(ioctl(fd, FIGETBSZ, &block));
	show(block);
	show(ioctl(fd, FIGETBSZ, bad_pointer()));
	show(ioctl(open(".", O_RDONLY), FIGETBSZ, &block));
}

CHECK(fioasync_sets_a_flag)
{
	int p[2], on = 1, off = 0;
	pipe(p);
	show(ioctl(p[0], FIOASYNC, &on));
	say("%s", open_names(fcntl(p[0], F_GETFL)));
	show(ioctl(p[0], FIOASYNC, &off));
	say("%s", open_names(fcntl(p[0], F_GETFL)));
}

CHECK(request_is_32_bits)
{
	int p[2], value = -7;
	pipe(p);
	show(syscall(SYS_ioctl, p[0], 0xffffffff00000000ul | FIONREAD, &value));
	show(value);
}
