// dup.c: copies of descriptors.
//
// Calls: dup dup2 dup3 fcntl
// Passes: host acrida
#include "check.h"

static int p[2];

CHECK(lowest_free)
{
	show(dup(0));
	show(dup(0));
	show(dup(0));
	close(3);
	show(dup(0));
	show(dup(-1));
	show(dup(77));
	show(dup(INT_MAX));
}

CHECK(dup2_cases)
{
	pipe(p);
	show(dup2(p[0], 20));
	show(dup2(p[0], 20));
	show(dup2(p[0], p[0]));
	show(dup2(99, 99));
	show(dup2(99, 5));
	show(dup2(p[0], -1));
	show(dup2(-1, 5));
	show(dup2(-1, -1));
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	show_ok(dup2(p[0], limit.rlim_cur));
	show_ok(dup2(p[0], limit.rlim_cur - 1));
	show_ok(close(limit.rlim_cur - 1));
	show(dup2(p[0], INT_MAX));
	show(dup2(99, INT_MAX));
}

CHECK(dup3_cases)
{
	pipe(p);
	show(dup3(p[0], 30, 0));
	show(fcntl(30, F_GETFD));
	show(dup3(p[0], 30, O_CLOEXEC));
	show(fcntl(30, F_GETFD));
	show(dup3(p[0], p[0], 0));
	show(dup3(p[0], p[0], O_CLOEXEC));
	show(dup3(99, 99, 0));
	show(dup3(99, 5, 0));
	show(dup3(p[0], 30, O_NONBLOCK));
	show(dup3(99, 99, O_NONBLOCK));
	show(dup3(p[0], -1, 0));
	show(dup3(p[0], INT_MAX, O_CLOEXEC));
}

CHECK(close_on_exec_is_not_copied)
{
	pipe2(p, O_CLOEXEC);
	show(fcntl(dup(p[0]), F_GETFD));
	show(fcntl(dup2(p[0], 9), F_GETFD));
	show(fcntl(fcntl(p[0], F_DUPFD, 0), F_GETFD));
	show(fcntl(fcntl(p[0], F_DUPFD_CLOEXEC, 0), F_GETFD));
	show(dup2(p[0], p[0]));
	show(fcntl(p[0], F_GETFD));
}

CHECK(status_flags_are_shared)
{
	pipe(p);
	int copy = dup(p[0]);
	fcntl(copy, F_SETFL, O_NONBLOCK);
	say("%s", open_names(fcntl(p[0], F_GETFL)));
	char c;
	show(read(p[0], &c, 1));
}

CHECK(dup2_closes_the_target)
{
	char c;
	pipe(p);
	int victim[2];
	pipe(victim);
	show(dup2(p[0], victim[1]));
	show(read(victim[0], &c, 1));
	show(write(p[1], "x", 1));
	show(read(victim[1], &c, 1));
}

CHECK(fcntl_dupfd)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	pipe(p);
	show(fcntl(p[0], F_DUPFD, 0));
	show(fcntl(p[0], F_DUPFD, 50));
	show(fcntl(p[0], F_DUPFD, 50));
	show(fcntl(p[0], F_DUPFD, -1));
	show_ok(fcntl(p[0], F_DUPFD, limit.rlim_cur - 1));
	show_ok(fcntl(p[0], F_DUPFD, limit.rlim_cur - 1));
	show_ok(fcntl(p[0], F_DUPFD, limit.rlim_cur));
	show(fcntl(99, F_DUPFD, -1));
	close(limit.rlim_cur - 1);
}

CHECK(limit_lowered_below_open_ones)
{
	struct rlimit before, now;
	getrlimit(RLIMIT_NOFILE, &before);
	pipe(p);
	dup2(p[0], 40);
	now = before;
	now.rlim_cur = 6;
	setrlimit(RLIMIT_NOFILE, &now);
	show(fcntl(40, F_GETFD));
	show(dup(40));
	show(dup(40));
	show(dup2(p[0], 40));
	show(dup2(40, 40));
	show(dup2(p[0], 6));
	show(fcntl(40, F_DUPFD, 6));
	show(close(40));
	setrlimit(RLIMIT_NOFILE, &before);
}

CHECK(standard_descriptors)
{
	int keep = dup(0);
	close(0);
	show(dup(keep));
	show(dup2(keep, 0));
	show(close(0));
	show(open("/dev/null", O_RDONLY));
}

CHECK(fork_copies_the_table)
{
	pipe(p);
	IN_CHILD("child") {
		show(close(p[0]));
		show(dup(0));
	}
	show(fcntl(p[0], F_GETFD));
	show(dup(0));
}
