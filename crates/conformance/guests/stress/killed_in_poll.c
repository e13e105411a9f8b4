// killed_in_poll.c: what a process that is killed from outside while it sleeps in poll leaves: nothing.
//
// Run as `killed_in_poll`; says "ready" when its child `victim` can be killed, then "ok" if the child's end of a pipe went
// with it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int sleeps(pid_t pid)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, sizeof text - 1);
	close(fd);
	text[length > 0 ? length : 0] = 0;
	char *state = strrchr(text, ')');
	return state && state[2] == 'S' && strstr(text, "(victim)");
}

int main(void)
{
	int ends[2], never[2], status;
	alarm(300);
	if (pipe(ends) || pipe(never))
		return 1;
	pid_t child = fork();
	if (child == 0) {
		struct pollfd entry = { never[0], POLLIN, 0 };
		close(ends[0]);
		prctl(PR_SET_NAME, "victim");
		poll(&entry, 1, -1);
		_exit(1);
	}
	close(ends[1]);
	while (!sleeps(child))
		;
	puts("ready");
	fflush(stdout);
	waitpid(child, &status, 0);
	struct pollfd entry = { ends[0], POLLIN, 0 };
	poll(&entry, 1, 60000);
	if (!WIFSIGNALED(status) || entry.revents != POLLHUP)
		printf("status %#x, events %#x\n", status, entry.revents);
	else
		puts("ok");
	return 0;
}
