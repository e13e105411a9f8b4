// killed_at_exit.c: children that end at once. Whoever runs this kills a process named "victim" at each line "ready", at a random
// moment; wherever in its end that is, the parent is told of it.
//
// killed_at_exit CHILDREN
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	int children = argc > 1 ? atoi(argv[1]) : 1000, killed = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_NAME, "parent");
	for (int i = 0; i < children; i++) {
		// The child lives about as long as it takes to find it.
		long life = 200 + i * 37 % 1500;
		pid_t child = fork();
		if (child == 0) {
			prctl(PR_SET_NAME, "victim");
			puts("ready");
			for (long end = microseconds() + life; microseconds() < end;)
				;
			_exit(3);
		}
		int status = -1;
		alarm(20);
		if (child < 0 || waitpid(child, &status, 0) != child) {
			printf("failed: child %d of %d\n", i, children);
			return 1;
		}
		alarm(0);
		if (status != 3 << 8 && status != SIGKILL) {
			printf("failed: status %x\n", status);
			return 1;
		}
		killed += status == SIGKILL;
	}
	// Neither all nor none: else no kill came near the end.
	printf(killed > 0 && killed < children ? "ok\n" : "failed: %d of %d killed\n", killed, children);
	return 0;
}
