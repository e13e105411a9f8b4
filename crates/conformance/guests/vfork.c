// vfork.c: memory shared with the child, the parent suspended until exec or exit.
//
// Calls: vfork
// Passes: host acrida
#include "process.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

static volatile int shared;

// The child's stores are visible after it ended, and the parent did not run before.
CHECK(shares_memory)
{
	shared = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		shared = 7;
		_exit(3);
	}
	report("store-visible-to-parent", "%d", shared);
	report("exit", "%s", ending(pid));
}

// errno is one object for both: what the child's failed call left is what the parent reads.
CHECK(shares_errno)
{
	errno = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		execl("/no/such/program", "x", (char *)NULL);
		_exit(127);
	}
	int seen = errno;
	report("errno-after-child-exec-failed", "%s", outcome(-seen));
	report("exec-failed", "%s", ending(pid));
}

ROLE(read_then_exit)
{
	char byte = 0;
	if (read(atoi(argv[0]), &byte, 1) != 1)
		_exit(1);
	_exit(byte);
}

CHECK(suspended_until_exec)
{
	int ends[2];
	if (pipe(ends))
		return;
	char number[16];
	snprintf(number, sizeof number, "%d", ends[0]);
	shared = 1;
	pid_t pid = vfork();
	if (pid == 0) {
		shared = 2;
		become_role("read_then_exit", number, NULL);
	}
	report("parent-resumes-at-exec", "%d", shared);
	// The child is alive and waits for this byte: the parent must run while it does.
	report_result("parent-writes", folded(write(ends[1], "*", 1)));
	report("exec-child", "%s", ending(pid));
	close(ends[0]);
	close(ends[1]);
}

CHECK(killed_child_resumes_parent)
{
	pid_t pid = vfork();
	if (pid == 0) {
		raw(SYS_kill, raw(SYS_getpid), (long)SIGKILL);
		_exit(1);
	}
	report("killed-child", "%s", ending(pid));
}

CHECK(descriptors_are_a_copy)
{
	int ends[2];
	if (pipe(ends))
		return;
	pid_t pid = vfork();
	if (pid == 0) {
		raw(SYS_close, (long)ends[0]);
		_exit(0);
	}
	report_ok("closed-only-in-child", folded(fcntl(ends[0], F_GETFD)));
	report("close-child", "%s", ending(pid));
	close(ends[0]);
	close(ends[1]);
}

CHECK(identity)
{
	static volatile long child_pid, child_parent, child_tid;
	pid_t self = getpid();
	pid_t pid = vfork();
	if (pid == 0) {
		child_pid = raw(SYS_getpid);
		child_parent = raw(SYS_getppid);
		child_tid = raw(SYS_gettid);
		_exit(0);
	}
	report_flag("pid-own", child_pid == pid && child_tid == pid && child_parent == self);
	report("identity-child", "%s", ending(pid));
}

static volatile sig_atomic_t chld;
static void on_child(int signo)
{
	chld = signo;
}

CHECK(child_signal_is_sent)
{
	handle(SIGCHLD, on_child, 0);
	pid_t pid = vfork();
	if (pid == 0)
		_exit(0);
	report("sigchld-child", "%s", ending(pid));
	report("sigchld-sent", "%s", chld ? signal_text(chld) : "none");
	signal(SIGCHLD, SIG_DFL);
}

// A signal for the parent waits until the child let it go.
static volatile sig_atomic_t order, at_handler;
static void on_user(int signo)
{
	(void)signo;
	at_handler = order;
}

CHECK(signal_to_parent_waits)
{
	handle(SIGUSR1, on_user, 0);
	pid_t self = getpid();
	order = 1;
	pid_t pid = vfork();
	if (pid == 0) {
		raw(SYS_kill, (long)self, (long)SIGUSR1);
		order = 2;
		_exit(0);
	}
	report("signal-delivered-after-child", "%d", at_handler);
	report("signal-child", "%s", ending(pid));
}

CHECK(nested)
{
	shared = 0;
	pid_t pid = vfork();
	if (pid == 0) {
		pid_t inner = vfork();
		if (inner == 0) {
			shared = shared + 1;
			_exit(5);
		}
		shared = shared + 10;
		int status = 0;
		raw(SYS_wait4, (long)inner, &status, 0L, 0L);
		_exit(WEXITSTATUS(status) + 1);
	}
	report("nested-stores", "%d", shared);
	report("nested-exit", "%s", ending(pid));
}

// SIGKILL ends a parent that waits for its vfork child.
CHECK(parent_can_be_killed)
{
	int ends[2];
	if (pipe(ends))
		return;
	pid_t pid = start();
	if (pid == 0) {
		if (vfork() == 0) {
			char byte;
			raw(SYS_kill, raw(SYS_getppid), (long)SIGKILL);
			raw(SYS_read, (long)ends[0], &byte, 1L);
			_exit(0);
		}
		_exit(1);
	}
	report("parent-killed-while-suspended", "%s", ending(pid));
	if (write(ends[1], "x", 1) != 1)
		return;
	close(ends[0]);
	close(ends[1]);
}

// What the child maps is the parent's: there is one address space.
CHECK(maps_for_the_parent)
{
	static char *volatile page;
	long here = getpagesize();
	char *gone = mmap(NULL, here, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid = vfork();
	if (pid == 0) {
		page = mmap(NULL, here, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		page[0] = 42;
		munmap(gone, here);
		_exit(0);
	}
	report("mapped-by-child", "%d", page[0]);
	report_result("unmapped-by-child", raw(SYS_msync, gone, here, (long)MS_ASYNC));
	report("mapping-child", "%s", ending(pid));
}

// Priority and limits are the child's own, also while it shares the memory.
CHECK(keeps_its_own_accounts)
{
	struct rlimit before, after;
	getrlimit(RLIMIT_FSIZE, &before);
	int old = getpriority(PRIO_PROCESS, 0);
	pid_t pid = vfork();
	if (pid == 0) {
		struct rlimit small = {1 << 20, before.rlim_max};
		setpriority(PRIO_PROCESS, 0, old + 3);
		setrlimit(RLIMIT_FSIZE, &small);
		shared = getpriority(PRIO_PROCESS, 0) - old;
		getrlimit(RLIMIT_FSIZE, &small);
		_exit(small.rlim_cur == 1 << 20 ? 4 : 5);
	}
	getrlimit(RLIMIT_FSIZE, &after);
	report("child-priority-moved", "%d", shared);
	report_flag("parent-priority-kept", getpriority(PRIO_PROCESS, 0) == old);
	report_flag("parent-limit-kept", after.rlim_cur == before.rlim_cur);
	report("accounting-child", "%s", ending(pid));
}

static void *answer(void *end)
{
	while (shared != 3)
		sched_yield();
	return (void *)(long)write(*(int *)end, "*", 1);
}

// The parent's other threads run on, and see the child's stores at once.
CHECK(siblings_run_on)
{
	int ends[2];
	pthread_t sibling;
	shared = 0;
	if (pipe(ends) || pthread_create(&sibling, NULL, answer, &ends[1]))
		return;
	pid_t pid = vfork();
	if (pid == 0) {
		char byte = 0;
		shared = 3;
		raw(SYS_read, (long)ends[0], &byte, 1L);
		_exit(byte);
	}
	pthread_join(sibling, NULL);
	report("answered-by-sibling", "%s", ending(pid));
	close(ends[0]);
	close(ends[1]);
}

ROLE(exit_with)
{
	_exit(atoi(argv[0]));
}

static void *start_many(void *number)
{
	volatile long right = 0;
	for (int turn = 0; turn < 20; turn++) {
		pid_t pid = vfork();
		if (pid == 0)
			become_role("exit_with", number, NULL);
		int status = 0;
		if (waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == atoi(number))
			right++;
	}
	return (void *)right;
}

CHECK(many_at_once)
{
	static char *numbers[] = {"1", "2", "3", "4"};
	pthread_t threads[4];
	long right = 0;
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, start_many, numbers[i]))
			return;
	for (int i = 0; i < 4; i++) {
		void *count;
		pthread_join(threads[i], &count);
		right += (long)count;
	}
	report("started-and-ended", "%ld", right);
}
