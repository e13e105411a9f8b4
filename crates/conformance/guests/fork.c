// fork.c: what the child shares, what it copies and what it starts empty.
//
// Calls: fork
// Passes: host acrida
#include "process.h"

static int global = 1;
static volatile sig_atomic_t got;
static void on_signal(int signo)
{
	got = signo;
}

CHECK(copies_memory)
{
	int local = 1;
	int *heap = malloc(sizeof *heap);
	*heap = 1;
	pid_t pid = start();
	if (pid == 0) {
		global = local = *heap = 2;
		_exit(global + local + *heap);
	}
	report("memory-child", "%s", ending(pid));
	report("memory-parent-unchanged", "%d %d %d", global, local, *heap);
	free(heap);
}

CHECK(shares_offset)
{
	const char *path = "offset";
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	pid_t pid = start();
	if (pid == 0)
		_exit(write(fd, "12345", 5) == 5 ? 0 : 1);
	report("offset-child", "%s", ending(pid));
	report_result("offset-shared-in-parent", lseek(fd, 0, SEEK_CUR));
	close(fd);
}

CHECK(table_is_a_copy)
{
	int ends[2];
	if (pipe(ends))
		return;
	pid_t pid = start();
	if (pid == 0) {
		close(ends[0]);
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
		_exit(0);
	}
	report("table-child", "%s", ending(pid));
	report("table-fd-flags-own", "%d", fcntl(ends[1], F_GETFD));
	report_flag("table-status-flags-shared", fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	report_result("table-parent-end-open", folded(write(ends[1], "x", 1)));
	close(ends[0]);
	close(ends[1]);
}

CHECK(pending_not_inherited)
{
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	pid_t pid = start();
	if (pid == 0)
		_exit(is_pending(SIGUSR1) * 2 + is_blocked(SIGUSR1));
	report("pending-child-mask-kept-pending-empty", "%s", ending(pid));
	report_flag("pending-parent-keeps", is_pending(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	report_flag("pending-dropped-by-ignore", !is_pending(SIGUSR1));
	signal(SIGUSR1, SIG_DFL);
	block(SIG_UNBLOCK, SIGUSR1);
}

CHECK(handlers_inherited)
{
	handle(SIGUSR2, on_signal, 0);
	signal(SIGHUP, SIG_IGN);
	pid_t pid = start();
	if (pid == 0) {
		raise(SIGUSR2);
		raise(SIGHUP);
		_exit(got == SIGUSR2 ? 0 : 1);
	}
	report("handlers-inherited", "%s", ending(pid));
	report("handlers-parent-untouched", "%d", got);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

CHECK(timers_not_inherited)
{
	struct itimerval soon = {{0, 0}, {100, 0}};
	setitimer(ITIMER_REAL, &soon, NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct itimerval now;
		getitimer(ITIMER_REAL, &now);
		_exit(now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0);
	}
	report("itimer-child-disarmed", "%s", ending(pid));
	report_flag("itimer-parent-armed", alarm(0) > 90);
	alarm(CHECK_SECONDS);
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	timer_t timer;
	timer_create(CLOCK_MONOTONIC, &none, &timer);
	pid = fork();
	if (pid == 0) {
		struct itimerspec value;
		long result = raw(SYS_timer_gettime, (long)(int)(long)timer, &value);
		_exit(result == -EINVAL ? 0 : 1);
	}
	report("posix-timer-not-inherited", "%s", ending(pid));
	timer_delete(timer);
}

CHECK(usage_starts_at_zero)
{
	struct rusage use;
	volatile unsigned long spin = 0;
	do {
		for (int i = 0; i < 100000; i++)
			spin = spin + i;
		getrusage(RUSAGE_SELF, &use);
	} while (use.ru_utime.tv_sec == 0 && use.ru_utime.tv_usec < 60000);
	pid_t pid = start();
	if (pid == 0) {
		getrusage(RUSAGE_SELF, &use);
		_exit(use.ru_utime.tv_sec != 0 || use.ru_utime.tv_usec >= 60000);
	}
	report("usage-child-starts-low", "%s", ending(pid));
}

CHECK(identity)
{
	pid_t self = getpid();
	pid_t pid = start();
	if (pid == 0)
		_exit((getppid() != self) + 2 * (getpid() == self) + 4 * (getpid() != gettid()));
	report("identity", "%s", ending(pid));
	report_flag("identity-result-positive", pid > 0 && pid != self);
}

CHECK(inherited_settings)
{
	umask(037);
	struct rlimit limit = {17, 18};
	struct rlimit before;
	getrlimit(RLIMIT_NOFILE, &before);
	limit.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	char path[PATH_MAX];
	need(chdir("/"));
	pid_t pid = start();
	if (pid == 0) {
		getrlimit(RLIMIT_NOFILE, &limit);
		int wrong = umask(0) != 037;
		wrong += 2 * (limit.rlim_cur != 17);
		wrong += 4 * (!getcwd(path, sizeof path) || strcmp(path, "/"));
		if (chdir("/tmp"))
			wrong += 8;
		_exit(wrong);
	}
	report("settings-inherited", "%s", ending(pid));
	report_flag("settings-cwd-own", getcwd(path, sizeof path) && !strcmp(path, "/"));
	report("settings-umask-own", "%03o", umask(022));
	setrlimit(RLIMIT_NOFILE, &before);
}

CHECK(dontfork_and_wipeonfork)
{
	char *kept = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	kept[0] = gone[0] = 'x';
	report_result("madvise-wipeonfork", folded(madvise(kept, 4096, MADV_WIPEONFORK)));
	report_result("madvise-dontfork", folded(madvise(gone, 4096, MADV_DONTFORK)));
	pid_t pid = start();
	if (pid == 0) {
		if (kept[0] != 0)
			_exit(1);
		_exit(*(volatile char *)gone);
	}
	report("wiped-then-segv", "%s", ending(pid));
	report("madvise-parent-keeps", "%c%c", kept[0], gone[0]);
	munmap(kept, 4096);
	munmap(gone, 4096);
}

CHECK(many_children)
{
	enum { COUNT = 40 };
	pid_t pids[COUNT];
	int sum = 0, status;
	for (int i = 0; i < COUNT; i++)
		if ((pids[i] = fork()) == 0)
			_exit(i);
	for (int i = COUNT - 1; i >= 0; i--)
		if (waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status))
			sum += WEXITSTATUS(status);
	report("many-children-sum", "%d", sum);
	report_result("many-children-all-gone", folded(wait(NULL)));
}

CHECK(deep_chain)
{
	pid_t pid = start();
	if (pid == 0) {
		int depth = 0;
		while (depth < 20) {
			pid_t next = fork();
			if (next != 0) {
				int status = 0;
				waitpid(next, &status, 0);
				_exit(WEXITSTATUS(status) + 1);
			}
			depth++;
		}
		_exit(0);
	}
	report("chain-of-20", "%s", ending(pid));
}
