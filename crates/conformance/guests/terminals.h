// terminals.h: pseudo-terminals whose two ends are compared byte by byte.
//
// Linux passes what is written to one end on to the other by a worker, in as many pieces as the discipline made of it. A look
// that finds nothing first waits for that worker (n_tty_poll, n_tty_read): when a look has found nothing, all that was
// written before has arrived, was echoed and has raised its signals.
#ifndef TERMINALS_H
#define TERMINALS_H

#include "check.h"
#include <termios.h>

static int master, slave;

UNUSED static void open_terminal(int flags)
{
	int unlock = 0, number;
	char path[32];
	master = need(open("/dev/ptmx", O_RDWR | O_NOCTTY | flags));
	need(ioctl(master, TIOCSPTLCK, &unlock));
	need(ioctl(master, TIOCGPTN, &number));
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	slave = need(open(path, O_RDWR | O_NOCTTY | flags));
}

// Whether `fd` has something to read now.
static bool has_input(int fd)
{
	struct pollfd set = { fd, POLLIN, 0 };
	return poll(&set, 1, 0) == 1 && set.revents & POLLIN;
}

// Everything that was written to the other end, and not read yet, up to `size` bytes.
static long read_all(int fd, char *bytes, long size)
{
	long total = 0, got;
	while (total < size && has_input(fd) && (got = read(fd, bytes + total, size - total)) > 0)
		total += got;
	return total;
}

#endif
