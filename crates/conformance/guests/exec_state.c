// exec_state.c: What a process keeps over execve and what it loses.
//
// Calls: execve
// Passes: host acrida
#include "process.h"

#include <sys/prctl.h>

static void on_signal(int signo)
{
	(void)signo;
}

static int flag(int bit, int truth)
{
	return truth ? 1 << bit : 0;
}

ROLE(signals)
{
	struct sigaction action;
	int answer = 0;
	sigaction(SIGUSR1, NULL, &action);
	answer |= flag(0, action.sa_handler == SIG_DFL && action.sa_flags == 0 &&
				  sigismember(&action.sa_mask, SIGHUP) == 0);
	sigaction(SIGUSR2, NULL, &action);
	answer |= flag(1, action.sa_handler == SIG_IGN);
	answer |= flag(2, is_blocked(SIGTERM)) | flag(3, is_pending(SIGTERM));
	stack_t stack;
	sigaltstack(NULL, &stack);
	answer |= flag(4, stack.ss_flags == SS_DISABLE);
	sigaction(SIGCHLD, NULL, &action);
	answer |= flag(5, action.sa_handler == SIG_IGN);
	_exit(answer);
}

ROLE(descriptors)
{
	int kept = atoi(argv[0]), gone = atoi(argv[1]);
	_exit(flag(0, fcntl(kept, F_GETFD) == 0) | flag(1, fcntl(gone, F_GETFD) == -1 && errno == EBADF) |
	      flag(2, lseek(kept, 0, SEEK_CUR) == 3));
}

ROLE(identity)
{
	_exit(flag(0, getpid() == atoi(argv[0])) | flag(1, getppid() == atoi(argv[1])) | flag(2, gettid() == getpid()) |
	      flag(3, getpgrp() == atoi(argv[0])) | flag(4, getsid(0) == atoi(argv[2])));
}

ROLE(timers)
{
	struct itimerval value;
	struct itimerspec spec;
	getitimer(ITIMER_REAL, &value);
	int answer = flag(0, value.it_value.tv_sec > 90);
	getitimer(ITIMER_VIRTUAL, &value);
	answer |= flag(1, value.it_value.tv_sec >= 90);
	answer |= flag(2, raw(SYS_timer_gettime, 0L, &spec) == -EINVAL);
	_exit(answer);
}

ROLE(settings)
{
	struct rlimit limit;
	char path[PATH_MAX];
	getrlimit(RLIMIT_NOFILE, &limit);
	_exit(flag(0, umask(0) == 0123) | flag(1, limit.rlim_cur == 77) |
	      flag(2, getcwd(path, sizeof path) && !strcmp(path, "/tmp")) | flag(3, getpriority(PRIO_PROCESS, 0) == 3) |
	      flag(4, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1));
}

ROLE(prctl_values)
{
	char name[17] = "";
	int number = -1;
	prctl(PR_GET_NAME, name);
	// The rest of the file's name is the harness's.
	report("name", "%.10s", name);
	prctl(PR_GET_PDEATHSIG, &number);
	report("pdeathsig", "%d", number);
	prctl(PR_GET_CHILD_SUBREAPER, &number);
	report("subreaper", "%d", number);
	report("dumpable", "%d", prctl(PR_GET_DUMPABLE));
	report("keepcaps", "%d", prctl(PR_GET_KEEPCAPS));
	report("timerslack", "%d", prctl(PR_GET_TIMERSLACK));
}

ROLE(memory)
{
	_exit(flag(0, madvise((void *)strtoul(argv[0], NULL, 16), 4096, MADV_NORMAL) == -1 && errno == ENOMEM));
}

ROLE(raise_usr1)
{
	raise(SIGUSR1);
	_exit(9);
}

CHECK(signals)
{
	pid_t pid = start();
	if (pid == 0) {
		static char stack_bytes[65536];
		stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof stack_bytes};
		struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
		sigaddset(&action.sa_mask, SIGHUP);
		sigaltstack(&stack, NULL);
		sigaction(SIGUSR1, &action, NULL);
		signal(SIGUSR2, SIG_IGN);
		signal(SIGCHLD, SIG_IGN);
		block(SIG_BLOCK, SIGTERM);
		raise(SIGTERM);
		become_role("signals", NULL);
	}
	report("signals", "%s", ending(pid));
	pid = start();
	if (pid == 0) {
		handle(SIGUSR1, on_signal, 0);
		become_role("raise_usr1", NULL);
	}
	report("handler-reset-to-default", "%s", ending(pid));
}

CHECK(descriptors)
{
	pid_t pid = start();
	if (pid == 0) {
		int kept = open("fd", O_RDWR | O_CREAT, 0600), gone = open("fd", O_RDONLY | O_CLOEXEC);
		char a[16], b[16];
		if (write(kept, "abc", 3) != 3)
			_exit(102);
		unlink("fd");
		snprintf(a, sizeof a, "%d", kept);
		snprintf(b, sizeof b, "%d", gone);
		become_role("descriptors", a, b, NULL);
	}
	report("descriptors", "%s", ending(pid));
}

// A table shared by CLONE_FILES is unshared by exec: close-on-exec closes nothing of the other owner.
static int shared_fd;
static int exec_true(void *arg)
{
	(void)arg;
	execl("/bin/true", "true", (char *)NULL);
	return 101;
}

CHECK(shared_table)
{
	static char stack[65536] __attribute__((aligned(16)));
	shared_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = clone(exec_true, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
	report("shared-table-child", "%s", ending(pid));
	report_ok("shared-table-still-open", folded(fcntl(shared_fd, F_GETFD)));
	close(shared_fd);
}

// Handlers shared by CLONE_SIGHAND are unshared by exec as well.
CHECK(shared_handlers)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct sigaction action;
	handle(SIGUSR1, on_signal, 0);
	pid_t pid = clone(exec_true, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_SIGHAND | SIGCHLD, NULL);
	report("shared-handlers-child", "%s", ending(pid));
	sigaction(SIGUSR1, NULL, &action);
	report_flag("shared-handlers-kept", action.sa_handler == on_signal);
	signal(SIGUSR1, SIG_DFL);
}

CHECK(identity)
{
	pid_t parent = getpid();
	pid_t pid = start();
	if (pid == 0) {
		char own[16], above[16], session[16];
		setpgid(0, 0);
		snprintf(own, sizeof own, "%d", getpid());
		snprintf(above, sizeof above, "%d", parent);
		snprintf(session, sizeof session, "%d", getsid(0));
		become_role("identity", own, above, session, NULL);
	}
	report("identity", "%s", ending(pid));
}

CHECK(timers)
{
	pid_t pid = start();
	if (pid == 0) {
		struct itimerval value = {{0, 0}, {100, 0}};
		struct sigevent none = {.sigev_notify = SIGEV_NONE};
		timer_t timer;
		setitimer(ITIMER_REAL, &value, NULL);
		setitimer(ITIMER_VIRTUAL, &value, NULL);
		timer_create(CLOCK_MONOTONIC, &none, &timer);
		become_role("timers", NULL);
	}
	report("timers", "%s", ending(pid));
}

CHECK(settings)
{
	pid_t pid = start();
	if (pid == 0) {
		struct rlimit limit;
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = 77;
		setrlimit(RLIMIT_NOFILE, &limit);
		umask(0123);
		setpriority(PRIO_PROCESS, 0, 3);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (chdir("/tmp"))
			_exit(102);
		become_role("settings", NULL);
	}
	report("settings", "%s", ending(pid));
}

CHECK(prctl_values)
{
	pid_t pid = start();
	if (pid == 0) {
		prctl(PR_SET_NAME, "before");
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		prctl(PR_SET_DUMPABLE, 0);
		prctl(PR_SET_KEEPCAPS, 1);
		prctl(PR_SET_TIMERSLACK, 12345);
		become_role("prctl_values", NULL);
	}
	report("prctl", "%s", ending(pid));
}

CHECK(memory)
{
	pid_t pid = start();
	if (pid == 0) {
		char text[32];
		// Low enough that no image or stack is placed there by chance.
		void *page = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		snprintf(text, sizeof text, "%lx", (unsigned long)page);
		become_role("memory", text, NULL);
	}
	report("old-mapping-gone", "%s", ending(pid));
}
