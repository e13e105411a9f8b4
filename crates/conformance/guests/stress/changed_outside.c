// changed_outside.c: a file of the host that is read in small pieces while a program outside the world changes it.
//
// Run as `changed_outside FILE`. For each line on standard input: reads all of FILE through a descriptor that is opened for
// it, in one large piece, and then in small pieces through the one that was opened at the start; prints "same" or the first
// difference.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4 << 20, PIECE = 100, STEP = 50 };
static char whole[MOST], piece[PIECE];

static void compare(int fd, const char *path)
{
	int fresh = open(path, O_RDONLY);
	ssize_t size = read(fresh, whole, MOST);
	close(fresh);
	for (ssize_t at = 0; at < size + 3 * PIECE; at += STEP) {
		ssize_t left = size > at ? size - at : 0, wanted = left < PIECE ? left : PIECE;
		ssize_t got = pread(fd, piece, PIECE, at);
		if (got != wanted || memcmp(piece, whole + at, (size_t)got)) {
			printf("at %zd of %zd: %zd bytes for %zd\n", at, size, got, wanted);
			return;
		}
	}
	puts("same");
}

int main(int count, char **arguments)
{
	char line[80];
	int fd = count == 2 ? open(arguments[1], O_RDONLY) : -1;
	if (fd < 0)
		return 2;
	while (fgets(line, sizeof line, stdin)) {
		compare(fd, arguments[1]);
		fflush(stdout);
	}
	return 0;
}
