// deny.c: runs a command on a host that refuses something.
//
// Usage: deny WHAT... -- COMMAND ARGUMENTS...
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)

static struct sock_filter dispatch[] = {
	WORD(nr), UNLESS(SYS_prctl, 3), WORD(args[0]), UNLESS(59, 1), ANSWER(SECCOMP_RET_ERRNO | EINVAL),
	ANSWER(SECCOMP_RET_ALLOW),
};
static struct sock_filter filters[] = {
	WORD(nr), UNLESS(SYS_seccomp, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM), ANSWER(SECCOMP_RET_ALLOW),
};
static struct sock_filter memory_objects[] = {
	WORD(nr), UNLESS(SYS_memfd_create, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM), ANSWER(SECCOMP_RET_ALLOW),
};
#define ALSO(call) UNLESS(call, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS)
static struct sock_filter waits[] = {
	WORD(nr),		  ALSO(SYS_epoll_create),    ALSO(SYS_epoll_create1),	 ALSO(SYS_epoll_ctl),
	ALSO(SYS_epoll_wait),	  ALSO(SYS_epoll_pwait),     ALSO(SYS_epoll_pwait2),	 ALSO(SYS_eventfd),
	ALSO(SYS_eventfd2),	  ALSO(SYS_timerfd_create),  ALSO(SYS_timerfd_settime), ALSO(SYS_timerfd_gettime),
	ALSO(SYS_signalfd),	  ALSO(SYS_signalfd4),	     ANSWER(SECCOMP_RET_ALLOW),
};

static const struct {
	const char *name;
	struct sock_fprog program;
} refusals[] = {
	// The order of installation: the filter on seccomp goes last.
	{ "dispatch", { sizeof dispatch / sizeof *dispatch, dispatch } },
	{ "memory-objects", { sizeof memory_objects / sizeof *memory_objects, memory_objects } },
	{ "waits", { sizeof waits / sizeof *waits, waits } },
	{ "filters", { sizeof filters / sizeof *filters, filters } },
};

int main(int argc, char **argv)
{
	int command = 1;
	while (command < argc && strcmp(argv[command], "--"))
		command++;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		for (int k = 1; k < command; k++)
			if (!strcmp(argv[k], refusals[i].name) &&
			    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &refusals[i].program)) {
				perror("seccomp");
				return 99;
			}
	execvp(argv[command + 1], argv + command + 1);
	perror(argv[command + 1]);
	return 98;
}
