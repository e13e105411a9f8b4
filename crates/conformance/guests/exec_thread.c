// exec_thread.c: execve in a program with several threads: the caller becomes the leader, all others are gone.
//
// Calls: execve clone
// Passes: host acrida
#include "process.h"

static volatile pid_t leader;

// Same pid, leader again, one thread: exit of this one ends the process.
ROLE(alone)
{
	int before = atoi(argv[1]), answer = (getpid() == atoi(argv[0])) + 2 * (gettid() == getpid());
	answer += 4 * (before == getpid() || raw(SYS_tgkill, (long)getpid(), (long)before, 0L) == -ESRCH);
	raw(SYS_exit, (long)answer);
}

ROLE(mask)
{
	_exit(is_blocked(SIGUSR1) + 2 * is_blocked(SIGUSR2) + 4 * is_pending(SIGUSR1) + 8 * is_pending(SIGUSR2));
}

static void *exec_alone(void *arg)
{
	char a[16], b[16];
	(void)arg;
	snprintf(a, sizeof a, "%d", leader);
	snprintf(b, sizeof b, "%d", gettid());
	become_role("alone", a, b, NULL);
	return NULL;
}

static void *sleep_forever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *spin_forever(void *arg)
{
	for (;;)
		(*(volatile unsigned long *)arg)++;
	return NULL;
}

static void *read_forever(void *arg)
{
	char byte;
	for (;;)
		if (read(*(int *)arg, &byte, 1) < 0)
			pause();
	return NULL;
}

static void start_thread(pthread_t *thread, void *(*body)(void *), void *arg)
{
	if (pthread_create(thread, NULL, body, arg))
		_exit(120);
}

CHECK(from_thread)
{
	pid_t pid = start();
	if (pid == 0) {
		static unsigned long counter;
		static int ends[2];
		pthread_t threads[4];
		if (pipe(ends))
			_exit(121);
		leader = getpid();
		start_thread(&threads[0], sleep_forever, NULL);
		start_thread(&threads[1], spin_forever, &counter);
		start_thread(&threads[2], read_forever, &ends[0]);
		start_thread(&threads[3], exec_alone, NULL);
		for (;;)
			pause();
	}
	report("from-thread", "%s", ending(pid));
}

CHECK(from_leader)
{
	pid_t pid = start();
	if (pid == 0) {
		static unsigned long counter;
		pthread_t threads[2];
		leader = getpid();
		start_thread(&threads[0], sleep_forever, NULL);
		start_thread(&threads[1], spin_forever, &counter);
		exec_alone(NULL);
		_exit(101);
	}
	report("from-leader", "%s", ending(pid));
}

// The leader ended before: its tid is taken over by the thread that calls exec.
static void *join_leader_then_exec(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return exec_alone(NULL);
}

CHECK(leader_ended)
{
	pid_t pid = start();
	if (pid == 0) {
		static pthread_t main_thread;
		pthread_t thread;
		leader = getpid();
		main_thread = pthread_self();
		start_thread(&thread, join_leader_then_exec, &main_thread);
		pthread_exit(NULL);
	}
	report("leader-ended", "%s", ending(pid));
}

// Two threads call exec at once: one image runs, once.
static void *exec_after_barrier(void *arg)
{
	pthread_barrier_wait(arg);
	return exec_alone(NULL);
}

CHECK(racing)
{
	int right = 0;
	for (int i = 0; i < 20; i++) {
		pid_t pid = start();
		if (pid == 0) {
			static pthread_barrier_t barrier;
			pthread_t threads[3];
			leader = getpid();
			pthread_barrier_init(&barrier, NULL, 3);
			for (int j = 0; j < 3; j++)
				start_thread(&threads[j], exec_after_barrier, &barrier);
			for (;;)
				pause();
		}
		right += !strcmp(ending(pid), "exited 7");
	}
	report("racing-execs", "%d", right);
}

// A failed exec in a thread leaves the other threads alone.
static volatile int alive;
static void *count_on_request(void *arg)
{
	char byte;
	while (read(*(int *)arg, &byte, 1) == 1)
		alive++;
	return NULL;
}

CHECK(failed)
{
	pid_t pid = start();
	if (pid == 0) {
		static int ends[2];
		pthread_t thread;
		char *argv[] = {"x", NULL};
		if (pipe(ends))
			_exit(121);
		start_thread(&thread, count_on_request, &ends[0]);
		execv("/no/such/program", argv);
		execv("/dev/null", argv);
		if (write(ends[1], "xx", 2) != 2)
			_exit(122);
		close(ends[1]);
		pthread_join(thread, NULL);
		_exit(alive);
	}
	report("failed-exec-keeps-threads", "%s", ending(pid));
}

// The mask and the pending set of the calling thread survive, those of the others do not.
static void *exec_with_mask(void *arg)
{
	(void)arg;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	raw(SYS_tgkill, (long)getpid(), (long)gettid(), (long)SIGUSR2);
	become_role("mask", NULL);
	return NULL;
}

CHECK(masks)
{
	pid_t pid = start();
	if (pid == 0) {
		pthread_t thread;
		block(SIG_BLOCK, SIGUSR1);
		raw(SYS_tgkill, (long)getpid(), (long)getpid(), (long)SIGUSR1);
		start_thread(&thread, exec_with_mask, NULL);
		for (;;)
			pause();
	}
	report("mask-of-caller", "%s", ending(pid));
}
