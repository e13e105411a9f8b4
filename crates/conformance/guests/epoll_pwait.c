// epoll_pwait.c: signals that end a wait, and the mask that holds while it lasts.
//
// Calls: epoll_wait epoll_pwait epoll_pwait2
// Passes: host acrida
#include "process.h"
#include "epoll.h"

static volatile sig_atomic_t handled;
static sigset_t mask_in_handler;

static void on_signal(int sig UNUSED)
{
	handled++;
	sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
}

static void catch(int sig, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	sigaction(sig, &action, NULL);
	handled = 0;
}

static sigset_t only(int sig)
{
	sigset_t mask;
	sigemptyset(&mask);
	if (sig)
		sigaddset(&mask, sig);
	return mask;
}

static const char *mask_text(const sigset_t *mask)
{
	static char text[64];
	sprintf(text, "%s%s%s", sigismember(mask, SIGUSR1) ? "USR1 " : "", sigismember(mask, SIGUSR2) ? "USR2 " : "",
		sigismember(mask, SIGALRM) ? "ALRM " : "");
	return *text ? text : "none";
}

static void show_mask(const char *what)
{
	sigset_t mask;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("%s: blocked %s", what, mask_text(&mask));
}

// A child that signals us once we sleep.
static pid_t signal_when_asleep(int sig)
{
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		wait_asleep(parent);
		kill(parent, sig);
		_exit(0);
	}
	return pid;
}

static int idle_set(void)
{
	int set = new_set();
	need(add(set, new_eventfd("e", 0), EPOLLIN));
	return set;
}

CHECK(handler_ends_the_wait)
{
	int set = idle_set();
	catch(SIGUSR1, 0);
	pid_t pid = signal_when_asleep(SIGUSR1);
	wait_for("wait", set, 4, -1);
	say("handled %d", handled);
	reap("signaller", pid);
}

CHECK(restart_flag_does_not_help)
{
	int set = idle_set();
	catch(SIGUSR1, SA_RESTART);
	pid_t pid = signal_when_asleep(SIGUSR1);
	wait_for("wait", set, 4, -1);
	say("handled %d", handled);
	reap("signaller", pid);
	catch(SIGUSR1, SA_RESTART);
	pid = signal_when_asleep(SIGUSR1);
	wait_for("wait with an end", set, 4, PATIENCE_MS);
	say("handled %d", handled);
	reap("signaller", pid);
}

CHECK(ignored_signal_does_not_end_it)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN));
	signal(SIGUSR1, SIG_IGN);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		wait_asleep(parent);
		kill(parent, SIGUSR1);
		kill(parent, SIGWINCH);
		wait_asleep(parent);
		add_to(e, 1);
		_exit(0);
	}
	wait_for("wait", set, 4, PATIENCE_MS);
	reap("signaller", pid);
}

CHECK(blocked_signal_does_not_end_it)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN));
	catch(SIGUSR1, 0);
	sigset_t mask = only(SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		wait_asleep(parent);
		kill(parent, SIGUSR1);
		wait_asleep(parent);
		add_to(e, 1);
		_exit(0);
	}
	wait_for("wait", set, 4, PATIENCE_MS);
	say("handled %d", handled);
	reap("signaller", pid);
	mask = only(0);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	say("handled %d", handled);
}

CHECK(stop_and_continue_end_it)
{
	int set = idle_set(), pipe_fds[2];
	need(pipe(pipe_fds));
	pid_t pid = start();
	if (pid == 0) {
		wait_for("child", set, 4, PATIENCE_MS);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGSTOP);
	int status;
	waitpid(pid, &status, WUNTRACED);
	say("stopped %d", WIFSTOPPED(status));
	kill(pid, SIGCONT);
	reap("child", pid);
}

CHECK(mask_holds_while_waiting)
{
	int set = idle_set();
	catch(SIGUSR1, 0);
	sigset_t blocked = only(SIGUSR1), during = only(SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	pid_t pid = signal_when_asleep(SIGUSR1);
	struct epoll_event event;
	show(epoll_pwait(set, &event, 1, 5000, &during));
	say("handled %d, then blocked %s", handled, mask_text(&mask_in_handler));
	show_mask("after");
	reap("signaller", pid);
}

CHECK(pending_signal_ends_it_at_once)
{
	int set = idle_set();
	catch(SIGUSR1, 0);
	sigset_t blocked = only(SIGUSR1), none = only(0);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	struct epoll_event event;
	show(epoll_wait(set, &event, 1, 0));
	say("handled %d", handled);
	show(epoll_pwait(set, &event, 1, 5000, &none));
	say("handled %d", handled);
	show_mask("after");
}

CHECK(pending_signal_and_no_timeout)
{
	int set = idle_set();
	catch(SIGUSR1, 0);
	sigset_t blocked = only(SIGUSR1), none = only(0);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	struct epoll_event event;
	show(epoll_pwait(set, &event, 1, 0, &none));
	say("handled %d", handled);
	show_mask("after");
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	say("handled %d", handled);
}

CHECK(pending_signal_and_ready_file)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	catch(SIGUSR1, 0);
	sigset_t blocked = only(SIGUSR1), none = only(0);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	struct epoll_event event;
	show(epoll_pwait(set, &event, 1, 5000, &none));
	say("handled %d", handled);
	show_mask("after");
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	say("handled %d", handled);
}

CHECK(mask_comes_back_after_a_timeout)
{
	int set = idle_set();
	sigset_t before = only(SIGUSR2), during = only(SIGUSR1);
	sigprocmask(SIG_BLOCK, &before, NULL);
	struct epoll_event event;
	show(epoll_pwait(set, &event, 1, 1, &during));
	show_mask("timed out");
	show(epoll_pwait(99, &event, 1, 1, &during));
	show_mask("failed");
	struct timespec bad = { 0, -1 };
	show(syscall(SYS_epoll_pwait2, set, &event, 1, &bad, &during, 8));
	show_mask("failed early");
}

CHECK(kill_and_stop_cannot_be_masked)
{
	int set = idle_set();
	pid_t pid = start();
	if (pid == 0) {
		sigset_t all;
		sigfillset(&all);
		struct epoll_event event;
		epoll_pwait(set, &event, 1, -1, &all);
		_exit(1);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	wait_asleep(pid);
	kill(pid, SIGKILL);
	reap("child", pid);
}

CHECK(pwait2)
{
	int set = idle_set();
	catch(SIGUSR1, 0);
	sigset_t blocked = only(SIGUSR1), none = only(0);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	pid_t pid = signal_when_asleep(SIGUSR1);
	struct epoll_event event;
	struct timespec limit = { 5, 0 };
	show(syscall(SYS_epoll_pwait2, set, &event, 1, &limit, &none, 8));
	say("handled %d, timeout %ld.%ld", handled, (long)limit.tv_sec, limit.tv_nsec);
	show_mask("after");
	reap("signaller", pid);
	limit = (struct timespec){ 0, 100 };
	show(syscall(SYS_epoll_pwait2, set, &event, 1, &limit, NULL, 0));
	pid = signal_when_asleep(SIGUSR1);
	show(syscall(SYS_epoll_pwait2, set, &event, 1, NULL, &none, 8));
	reap("signaller", pid);
}

CHECK(handler_that_makes_it_ready)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN));
	catch(SIGUSR1, 0);
	pid_t parent = getpid(), pid = start();
	if (pid == 0) {
		wait_asleep(parent);
		kill(parent, SIGUSR1);
		add_to(e, 1);
		_exit(0);
	}
	// Interrupted or told: both may come first.
	struct epoll_event event;
	epoll_wait(set, &event, 1, PATIENCE_MS);
	reap("signaller", pid);
	look("ready at last", set);
	say("handled %d", handled);
}
