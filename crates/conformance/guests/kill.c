// kill.c: kill, tkill, tgkill: whom they reach, and errors.
//
// Calls: kill tkill tgkill
// Passes: host acrida
#include "process.h"

#define NOBODY 2000000000L

static volatile sig_atomic_t count, last_code;
static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	count++;
	last_code = info->si_code;
}

CHECK(errors)
{
	long self = getpid();
	report_result("signal-65", raw(SYS_kill, self, 65L));
	report_result("signal-negative", raw(SYS_kill, self, -1L));
	report_result("missing", raw(SYS_kill, NOBODY, 0L));
	report_result("missing-group", raw(SYS_kill, -NOBODY, 0L));
	report_result("int-min", raw(SYS_kill, (long)INT_MIN, 0L));
	report_result("bad-signal-and-missing", raw(SYS_kill, NOBODY, 65L));
	report_result("self-zero", raw(SYS_kill, self, 0L));
	report_result("group-zero", raw(SYS_kill, 0L, 0L));
}

CHECK(thread_errors)
{
	long self = getpid();
	report_result("tkill-zero", raw(SYS_tkill, 0L, 0L));
	report_result("tkill-negative", raw(SYS_tkill, -1L, 0L));
	report_result("tkill-missing", raw(SYS_tkill, NOBODY, 0L));
	report_result("tkill-signal-65", raw(SYS_tkill, self, 65L));
	report_result("tkill-probe", raw(SYS_tkill, self, 0L));
	report_result("tgkill-zero-group", raw(SYS_tgkill, 0L, self, 0L));
	report_result("tgkill-zero-thread", raw(SYS_tgkill, self, 0L, 0L));
	report_result("tgkill-negative-group", raw(SYS_tgkill, -1L, self, 0L));
	report_result("tgkill-missing-thread", raw(SYS_tgkill, self, NOBODY, 0L));
	report_result("tgkill-wrong-group", raw(SYS_tgkill, (long)getppid(), self, 0L));
	report_result("tgkill-signal-65", raw(SYS_tgkill, self, self, 65L));
	report_result("tgkill-probe", raw(SYS_tgkill, self, self, 0L));
}

CHECK(zombies)
{
	siginfo_t info;
	pid_t pid = start();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(3);
	}
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	report_result("kill", raw(SYS_kill, (long)pid, (long)SIGKILL));
	report_result("kill-its-group", raw(SYS_kill, (long)-pid, (long)SIGKILL));
	report_result("tgkill", raw(SYS_tgkill, (long)pid, (long)pid, (long)SIGKILL));
	report_result("tkill", raw(SYS_tkill, (long)pid, 0L));
	report("status-unchanged", "%s", ending(pid));
	report_result("reaped", raw(SYS_kill, (long)pid, 0L));
	report_result("group-reaped", raw(SYS_kill, (long)-pid, 0L));
}

static void *give_tid(void *arg)
{
	*(long *)arg = raw(SYS_gettid);
	return NULL;
}

CHECK(ended_thread)
{
	pthread_t thread;
	long tid;
	pthread_create(&thread, NULL, give_tid, &tid);
	pthread_join(thread, NULL);
	wait_ended(tid);
	report_result("tgkill", raw(SYS_tgkill, (long)getpid(), tid, 0L));
	report_result("tkill", raw(SYS_tkill, tid, 0L));
	report_result("kill", raw(SYS_kill, tid, 0L));
}

// A signal to oneself is taken before kill returns, if it is not blocked.
CHECK(self_is_synchronous)
{
	handle_info(SIGUSR1, on_signal, 0);
	int right = 0;
	for (int i = 0; i < 100; i++) {
		count = 0;
		raw(SYS_kill, (long)getpid(), (long)SIGUSR1);
		right += count == 1;
	}
	report("kill", "%d code %s", right, code_text(SIGUSR1, last_code));
	right = 0;
	for (int i = 0; i < 100; i++) {
		count = 0;
		raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)SIGUSR1);
		right += count == 1;
	}
	report("tgkill", "%d code %s", right, code_text(SIGUSR1, last_code));
	right = 0;
	for (int i = 0; i < 100; i++) {
		count = 0;
		raw(SYS_tkill, (long)gettid(), (long)SIGUSR1);
		right += count == 1;
	}
	report("tkill", "%d code %s", right, code_text(SIGUSR1, last_code));
}

// Group kills reach every member once, and nobody else.
CHECK(groups)
{
	pid_t pids[3];
	int ready[2];
	char byte;
	need(pipe(ready));
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			for (;;)
				pause();
		}
		setpgid(pids[i], pids[0]);
	}
	pid_t outside = start();
	if (outside == 0) {
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	report_result("kill", raw(SYS_kill, (long)-pids[0], (long)SIGTERM));
	for (int i = 0; i < 3; i++)
		report("member", "%s", ending(pids[i]));
	report("outside-nohang", "%d", waitpid(outside, NULL, WNOHANG));
	kill(outside, SIGKILL);
	report("outside", "%s", ending(outside));
	report_result("empty-group", raw(SYS_kill, (long)-pids[0], 0L));
}

CHECK(own_group)
{
	pid_t pid = start();
	if (pid == 0) {
		setpgid(0, 0);
		handle_info(SIGUSR1, on_signal, SA_RESTART);
		block(SIG_BLOCK, SIGUSR1);
		int right = 0;
		pid_t pids[3];
		for (int i = 0; i < 3; i++) {
			if ((pids[i] = start()) == 0) {
				block(SIG_UNBLOCK, SIGUSR1);
				while (!count)
					sched_yield();
				_exit(5);
			}
		}
		report_result("kill-zero-pid", raw(SYS_kill, 0L, (long)SIGUSR1));
		report_flag("sender-is-a-member", is_pending(SIGUSR1));
		for (int i = 0; i < 3; i++)
			right += !strcmp(ending(pids[i]), "exited 5");
		_exit(right);
	}
	report("group", "%s", ending(pid));
}

// Who may signal whom: the real or effective uid of the sender against real or saved uid of the target.
static void permission(const char *name, int sender_real, int sender_effective, int target_real, int target_saved)
{
	int ready[2], done[2];
	char byte;
	need(pipe(ready));
	need(pipe(done));
	pid_t target = start();
	if (target == 0) {
		setresuid(target_real, 777, target_saved);
		write(ready[1], "r", 1);
		read(done[0], &byte, 1);
		_exit(0);
	}
	pid_t sender = start();
	if (sender == 0) {
		read(ready[0], &byte, 1);
		setresuid(sender_real, sender_effective, sender_real);
		report(name, "%s, probe %s", outcome(raw(SYS_kill, (long)target, (long)SIGCONT)),
		       outcome(raw(SYS_kill, (long)target, 0L)));
		_exit(0);
	}
	ending(sender);
	write(done[1], "x", 1);
	ending(target);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

CHECK(permissions)
{
	if (geteuid() != 0) {
		say("needs root");
		return;
	}
	// SIGCONT within the session is always allowed, the probe is not.
	permission("real-to-real", 1001, 1002, 1001, 1009);
	permission("real-to-saved", 1001, 1002, 1009, 1001);
	permission("effective-to-real", 1001, 1002, 1002, 1009);
	permission("effective-to-saved", 1001, 1002, 1009, 1002);
	permission("target-effective-does-not-count", 777, 777, 1008, 1009);
	permission("stranger", 1001, 1001, 1002, 1002);
}

// kill on a group succeeds if one member may be signalled, and fails with EPERM only if none may.
CHECK(group_permission)
{
	if (geteuid() != 0) {
		say("needs root");
		return;
	}
	int ready[2], done[2];
	char byte;
	need(pipe(ready));
	need(pipe(done));
	pid_t first = start();
	if (first == 0) {
		setresuid(1001, 1001, 1001);
		write(ready[1], "r", 1);
		read(done[0], &byte, 1);
		_exit(0);
	}
	pid_t second = start();
	if (second == 0) {
		setresuid(1002, 1002, 1002);
		write(ready[1], "r", 1);
		read(done[0], &byte, 1);
		_exit(0);
	}
	setpgid(first, first);
	setpgid(second, first);
	read(ready[0], &byte, 1);
	read(ready[0], &byte, 1);
	pid_t sender = start();
	if (sender == 0) {
		setresuid(1002, 1002, 1002);
		report_result("one-allowed", raw(SYS_kill, (long)-first, 0L));
		_exit(0);
	}
	ending(sender);
	sender = start();
	if (sender == 0) {
		setresuid(1003, 1003, 1003);
		report_result("none-allowed", raw(SYS_kill, (long)-first, 0L));
		_exit(0);
	}
	ending(sender);
	write(done[1], "xx", 2);
	ending(first);
	ending(second);
}

// A signal to the process is taken by a thread that does not block it.
static void *take_signal(void *arg)
{
	sigset_t none;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	while (!count)
		sched_yield();
	*(long *)arg = 1;
	return NULL;
}

CHECK(process_signal_finds_thread)
{
	pthread_t thread;
	long taken = 0;
	count = 0;
	handle_info(SIGUSR1, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	pthread_create(&thread, NULL, take_signal, &taken);
	raw(SYS_kill, (long)getpid(), (long)SIGUSR1);
	pthread_join(thread, NULL);
	report("taken-by-other-thread", "%ld, times %d", taken, count);
	report_flag("pending-here", is_pending(SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
}

// A signal to a thread stays with it: another thread never sees it pending.
CHECK(thread_signal_stays)
{
	count = 0;
	handle_info(SIGUSR1, on_signal, 0);
	block(SIG_BLOCK, SIGUSR1);
	raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)SIGUSR1);
	report_flag("pending", is_pending(SIGUSR1));
	pid_t pid = fork();
	if (pid == 0)
		_exit(is_pending(SIGUSR1));
	report("child-has-none", "%s", ending(pid));
	block(SIG_UNBLOCK, SIGUSR1);
	report("delivered", "%d", count);
}

// A zombie is still its user's.
CHECK(zombie_of_an_ordinary_user)
{
	IN_CHILD("user")
	{
		if (geteuid() == 0)
			need(setresuid(1000, 1000, 1000));
		siginfo_t info;
		pid_t pid = start();
		if (pid == 0)
			_exit(3);
		waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
		report_result("nothing", raw(SYS_kill, (long)pid, 0L));
		report_result("kill", raw(SYS_kill, (long)pid, (long)SIGKILL));
		report("status", "%s", ending(pid));
	}
}
