// clone_vm.c: processes of their own in one memory (CLONE_VM without CLONE_THREAD).
//
// Calls: clone execve exit_group kill wait4
// Passes: host acrida
#include "process.h"

#include <linux/futex.h>

static char stack[4][65536] __attribute__((aligned(64)));
static volatile int ball, word;
static char *volatile page;

// A child in the caller's memory. Both may use libc's errno, so children of these checks make raw calls only.
static pid_t sharer(int (*run)(void *), int which, int flags, void *argument)
{
	return clone(run, stack[which] + sizeof stack[which], CLONE_VM | SIGCHLD | flags, argument);
}

// Until the ball is in the other's hands; the alarm of the check bounds it.
static void catch(int turn)
{
	for (int seen = ball; seen != turn; seen = ball)
		raw(SYS_futex, &ball, (long)FUTEX_WAIT, (long)seen, 0L);
}
static void throw(int turn)
{
	ball = turn;
	raw(SYS_futex, &ball, (long)FUTEX_WAKE, 64L);
}
static int leave(void *status)
{
	return (int)(long)status;
}
static int wait_for_ball(void *turn)
{
	raw(SYS_alarm, (long)CHECK_SECONDS);
	catch((int)(long)turn);
	return 5;
}
static int sleep_for_ever(void *unused)
{
	raw(SYS_alarm, (long)CHECK_SECONDS);
	throw(1);
	for (;;)
		raw(SYS_pause);
	return unused != NULL;
}

// The end of a child whose number is not known.
static const char *ending_of_any(void)
{
	int status = 0;
	return raw(SYS_wait4, -1L, &status, 0L, 0L) > 0 ? status_text(status) : "no child";
}

static int play(void *unused)
{
	(void)unused;
	raw(SYS_alarm, (long)CHECK_SECONDS);
	for (int turn = 1; turn < 200; turn += 2) {
		catch(turn);
		word += turn;
		throw(turn + 1);
	}
	return 6;
}

CHECK(both_see_each_others_stores)
{
	ball = word = 0;
	pid_t pid = sharer(play, 0, 0, NULL);
	for (int turn = 0; turn < 200; turn += 2) {
		catch(turn);
		word -= turn;
		throw(turn + 1);
	}
	catch(200);
	report("word", "%d", word);
	report("child", "%s", ending(pid));
}

static int name_itself(void *ids)
{
	int *id = ids;
	id[0] = raw(SYS_getpid);
	id[1] = raw(SYS_gettid);
	id[2] = raw(SYS_getppid);
	id[3] = raw(SYS_getpgid, 0L);
	id[4] = raw(SYS_getsid, 0L);
	return 0;
}

CHECK(identity)
{
	int ids[5] = {0};
	pid_t pid = sharer(name_itself, 0, 0, ids);
	report("child", "%s", ending(pid));
	report_flag("pid", ids[0] == pid && ids[1] == pid && pid != getpid());
	report_flag("parent", ids[2] == getpid());
	report_flag("group-and-session", ids[3] == getpgrp() && ids[4] == getsid(0));
}

static int change_mappings(void *gone)
{
	raw(SYS_munmap, gone, 4096L);
	page = (char *)raw(SYS_mmap, 0L, 8192L, (long)(PROT_READ | PROT_WRITE), (long)(MAP_PRIVATE | MAP_ANONYMOUS), -1L, 0L);
	page[0] = 'a';
	raw(SYS_mprotect, page + 4096, 4096L, (long)PROT_NONE);
	word = (int)(raw(SYS_brk, (char *)raw(SYS_brk, 0L) + 4096) & 4095);
	throw(1);
	catch(2);
	return page[1];
}

// Mappings, rights and the break are the memory's; they outlive whoever made them.
CHECK(mappings_are_shared)
{
	char *gone = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *before = sbrk(0);
	ball = 0;
	pid_t pid = sharer(change_mappings, 0, 0, gone);
	catch(1);
	report("mapped", "%c", page[0]);
	report_result("unmapped", raw(SYS_msync, gone, 4096L, (long)MS_ASYNC));
	report_result("protected", raw(SYS_read, -1L, page + 4096, 0L));
	report_result("written-by-the-kernel", raw(SYS_getcwd, page + 4096, 64L));
	report_flag("break-moved", (char *)raw(SYS_brk, 0L) - (char *)before == 4096);
	page[1] = 'b';
	throw(2);
	report("child", "%s", ending(pid));
	page[2] = 'c';
	report("still-there", "%.3s", page);
	munmap(page, 8192);
}

static long lines_of_maps(const char *path)
{
	char text[1 << 16];
	long lines = 0, length, fd = raw(SYS_open, path, (long)O_RDONLY);
	while ((length = raw(SYS_read, fd, text, (long)sizeof text)) > 0)
		for (long i = 0; i < length; i++)
			lines += text[i] == '\n';
	raw(SYS_close, fd);
	return lines;
}

CHECK(proc_shows_the_same_memory)
{
	char path[64], mine[4096] = "", its[4096] = "";
	ball = 0;
	pid_t pid = sharer(wait_for_ball, 0, 0, (void *)1L);
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	report_flag("maps", lines_of_maps(path) == lines_of_maps("/proc/self/maps"));
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	int fd = open(path, O_RDONLY);
	long length = read(fd, its, sizeof its);
	close(fd);
	fd = open("/proc/self/cmdline", O_RDONLY);
	report_flag("cmdline", length > 0 && read(fd, mine, sizeof mine) == length && !memcmp(mine, its, length));
	close(fd);
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	word = 1;
	int value = 77;
	report_result("written-through-mem", folded(pwrite(fd, &value, sizeof value, (off_t)(uintptr_t)&word)));
	report("seen", "%d", word);
	close(fd);
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	struct stat st;
	report("threads", "%d", stat(path, &st) ? -1 : (int)st.st_nlink - 2);
	throw(1);
	report("child", "%s", ending(pid));
}

ROLE(say_and_leave)
{
	say("%s runs another program", argv[0]);
	_exit(atoi(argv[1]));
}

static int run_program(void *unused)
{
	(void)unused;
	word = 1;
	become_role("say_and_leave", "child", "7", NULL);
	return 1;
}

CHECK(child_runs_another_program)
{
	word = 0;
	pid_t pid = sharer(run_program, 0, 0, NULL);
	report("child", "%s", ending(pid));
	report("memory-of-the-parent", "%d", word);
	pid = sharer(run_program, 1, CLONE_FILES | CLONE_FS | CLONE_SIGHAND, NULL);
	report("with-everything-shared", "%s", ending(pid));
	pid = sharer(leave, 0, 0, (void *)3L);
	report("another", "%s", ending(pid));
}

static int run_nothing(void *unused)
{
	char *argv[] = {"x", NULL};
	(void)unused;
	return (int)-raw(SYS_execve, "/no/such/program", argv, argv + 1);
}

CHECK(failed_exec_changes_nothing)
{
	pid_t pid = sharer(run_nothing, 0, 0, NULL);
	report_flag("enoent", !strcmp(ending(pid), "exited 2"));
}

static int outlive(void *ends)
{
	char byte = 0;
	raw(SYS_alarm, (long)CHECK_SECONDS);
	raw(SYS_close, (long)((int *)ends)[1]);
	// The end of file comes when the parent's program has closed its end.
	long got = raw(SYS_read, (long)((int *)ends)[0], &byte, 1L);
	word += 1;
	return got == 1 && byte == 'p' && word == 9 ? 4 : 1;
}

ROLE(reap_the_sharer)
{
	int end = atoi(argv[0]);
	if (write(end, "p", 1) != 1)
		_exit(1);
	int status = 0;
	pid_t pid = wait(&status);
	say("parent's new program: own child %s, %s", pid == atoi(argv[1]) ? "yes" : "no", status_text(status));
	_exit(0);
}

// The one that leaves the memory may be the parent.
CHECK(parent_runs_another_program)
{
	pid_t middle = start();
	if (middle == 0) {
		int ends[2];
		if (pipe(ends))
			_exit(1);
		word = 8;
		char end[16], number[16];
		pid_t pid = sharer(outlive, 0, 0, ends);
		close(ends[0]);
		snprintf(end, sizeof end, "%d", ends[1]);
		snprintf(number, sizeof number, "%d", pid);
		become_role("reap_the_sharer", end, number, NULL);
	}
	report("parent", "%s", ending(middle));
}

static int store_then_tell(void *ends)
{
	raw(SYS_alarm, (long)CHECK_SECONDS);
	while (raw(SYS_getppid) == word)
		raw(SYS_sched_yield);
	page[0]++;
	raw(SYS_write, (long)((int *)ends)[1], page, 1L);
	return 0;
}

// The memory lives as long as its last user.
CHECK(child_outlives_parent)
{
	int ends[2];
	char byte = 0;
	need(pipe(ends));
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t middle = start();
	if (middle == 0) {
		page[0] = 'q';
		word = getpid();
		sharer(store_then_tell, 0, 0, ends);
		_exit(2);
	}
	report("parent", "%s", ending(middle));
	close(ends[1]);
	report_result("read", folded(read(ends[0], &byte, 1)));
	report("byte", "%c", byte);
	report("child", "%s", ending_of_any());
	report("copy-of-the-check", "%d", page[0]);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(ends[0]);
}

CHECK(killed)
{
	ball = 0;
	pid_t pid = sharer(sleep_for_ever, 0, 0, NULL);
	catch(1);
	kill(pid, SIGKILL);
	report("child-killed", "%s", ending(pid));
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page[0] = 1;
	report("parent-goes-on", "%d", page[0]);
	int ends[2];
	need(pipe(ends));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t middle = start();
	if (middle == 0) {
		ball = 0;
		pid = sharer(sleep_for_ever, 0, 0, NULL);
		catch(1);
		if (write(ends[1], &pid, sizeof pid) == sizeof pid)
			kill(getpid(), SIGKILL);
	}
	report("parent-killed", "%s", ending(middle));
	need(read(ends[0], &pid, sizeof pid));
	report_result("orphan-lives", raw(SYS_wait4, (long)pid, 0L, (long)WNOHANG, 0L));
	kill(pid, SIGKILL);
	report("orphan-killed", "%s", ending(pid));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(ends[0]);
	close(ends[1]);
}

static int crash(void *unused)
{
	(void)unused;
	*(volatile int *)8 = 1;
	return 0;
}

CHECK(fault_kills_one)
{
	report("child", "%s", ending(sharer(crash, 0, 0, NULL)));
	report("with-sighand", "%s", ending(sharer(crash, 0, CLONE_SIGHAND, NULL)));
}

static volatile int caught_by;
static void note_catcher(int signo)
{
	(void)signo;
	caught_by = raw(SYS_getpid);
}
static int install_and_wait(void *unused)
{
	(void)unused;
	raw(SYS_alarm, (long)CHECK_SECONDS);
	handle(SIGUSR1, note_catcher, 0);
	throw(1);
	catch(2);
	return 0;
}
static int raise_it(void *unused)
{
	(void)unused;
	raw(SYS_kill, raw(SYS_getpid), (long)SIGUSR1);
	return caught_by == raw(SYS_getpid);
}
static int ignore_late(void *unused)
{
	(void)unused;
	signal(SIGUSR1, SIG_IGN);
	return 0;
}

// Handlers are one table with CLONE_SIGHAND; what is pending, and the mask, is each process's own.
CHECK(handlers)
{
	ball = 0;
	pid_t pid = sharer(install_and_wait, 0, CLONE_SIGHAND, NULL);
	catch(1);
	raise(SIGUSR1);
	report_flag("parent-uses-child's-handler", caught_by == getpid());
	kill(pid, SIGUSR1);
	while (caught_by != pid)
		sched_yield();
	report_flag("child-too", caught_by == pid);
	throw(2);
	report("child", "%s", ending(pid));
	report("inherited-without-sighand", "%s", ending(sharer(raise_it, 0, 0, NULL)));
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	report("ignored-by-a-copy", "%s", ending(sharer(ignore_late, 0, 0, NULL)));
	report_flag("still-pending", is_pending(SIGUSR1));
	report("ignored-by-a-sharer", "%s", ending(sharer(ignore_late, 0, CLONE_SIGHAND, NULL)));
	report_flag("still-pending-at-the-parent", is_pending(SIGUSR1));
	struct sigaction action;
	sigaction(SIGUSR1, NULL, &action);
	report_flag("ignored-here", action.sa_handler == SIG_IGN);
	block(SIG_UNBLOCK, SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}

ROLE(show_handlers)
{
	struct sigaction usr1, usr2;
	sigaction(SIGUSR1, NULL, &usr1);
	sigaction(SIGUSR2, NULL, &usr2);
	_exit((usr1.sa_handler == SIG_DFL) + 2 * (usr2.sa_handler == SIG_IGN));
}
static int run_show_handlers(void *unused)
{
	(void)unused;
	become_role("show_handlers", NULL);
	return 0;
}

// exec resets the handlers of the program that runs, not those it shared.
CHECK(exec_leaves_shared_handlers)
{
	handle(SIGUSR1, note_catcher, 0);
	signal(SIGUSR2, SIG_IGN);
	report("new-program", "%s", ending(sharer(run_show_handlers, 0, CLONE_SIGHAND, NULL)));
	struct sigaction action;
	sigaction(SIGUSR1, NULL, &action);
	report_flag("handler-stays-here", action.sa_handler == note_catcher);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static int stop_itself(void *unused)
{
	(void)unused;
	raw(SYS_kill, raw(SYS_getpid), (long)SIGSTOP);
	raw(SYS_alarm, (long)CHECK_SECONDS);
	catch(1);
	return 8;
}

CHECK(stops_alone)
{
	int status = 0;
	ball = 0;
	pid_t pid = sharer(stop_itself, 0, 0, NULL);
	report_flag("reported", waitpid(pid, &status, WUNTRACED) == pid);
	report("stopped", "%s", status_text(status));
	kill(pid, SIGCONT);
	report_flag("continued", waitpid(pid, &status, WCONTINUED) == pid);
	report("continued", "%s", status_text(status));
	throw(1);
	report("child", "%s", ending(pid));
}

static int close_all(void *fd)
{
	return (int)raw(SYS_close, (long)(uintptr_t)fd);
}
static int move(void *unused)
{
	(void)unused;
	return (int)(raw(SYS_chdir, "/") || raw(SYS_umask, 077L) != 022);
}

CHECK(files_and_directories)
{
	char path[PATH_MAX];
	long fd = dup(1);
	report("copy-of-files", "%s", ending(sharer(close_all, 0, 0, (void *)fd)));
	report_ok("still-open", folded(fcntl((int)fd, F_GETFD)));
	report("same-files", "%s", ending(sharer(close_all, 0, CLONE_FILES, (void *)fd)));
	report_ok("closed", folded(fcntl((int)fd, F_GETFD)));
	report("copy-of-fs", "%s", ending(sharer(move, 0, 0, NULL)));
	report_flag("stayed", getcwd(path, sizeof path) && strcmp(path, "/"));
	report("same-fs", "%s", ending(sharer(move, 0, CLONE_FS, NULL)));
	report_flag("moved", getcwd(path, sizeof path) && !strcmp(path, "/"));
	report("umask", "%04o", umask(022));
}

static volatile int cleared;

// The word is cleared, and its waiter woken, only if somebody else uses the memory.
CHECK(clear_tid_at_every_end)
{
	cleared = 1;
	pid_t pid = clone(leave, stack[0] + sizeof stack[0], CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &cleared);
	while (cleared)
		raw(SYS_futex, &cleared, (long)FUTEX_WAIT, 1L, 0L);
	report("at-exit", "%d %s", cleared, ending(pid));
	cleared = 1;
	ball = 0;
	pid = clone(sleep_for_ever, stack[0] + sizeof stack[0], CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &cleared);
	catch(1);
	kill(pid, SIGKILL);
	while (cleared)
		raw(SYS_futex, &cleared, (long)FUTEX_WAIT, 1L, 0L);
	report("when-killed", "%d %s", cleared, ending(pid));
	cleared = 1;
	pid = clone(run_program, stack[0] + sizeof stack[0], CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &cleared);
	while (cleared)
		raw(SYS_futex, &cleared, (long)FUTEX_WAIT, 1L, 0L);
	report("at-exec", "%d %s", cleared, ending(pid));
	cleared = 1;
	pid = clone(leave, stack[0] + sizeof stack[0], CLONE_CHILD_CLEARTID | SIGCHLD, NULL, NULL, NULL, &cleared);
	report("in-a-copy", "%s %d", ending(pid), cleared);
}

static int fork_and_store(void *unused)
{
	(void)unused;
	raw(SYS_alarm, (long)CHECK_SECONDS);
	long pid = raw(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	if (pid == 0) {
		word = 99;
		raw(SYS_exit_group, 2L);
	}
	int status = 0;
	raw(SYS_wait4, pid, &status, 0L, 0L);
	return WEXITSTATUS(status) + (word == 5 ? 10 : 0);
}
static int vfork_and_run(void *unused)
{
	(void)unused;
	raw(SYS_alarm, (long)CHECK_SECONDS);
	pid_t pid = vfork();
	if (pid == 0) {
		word = 6;
		become_role("say_and_leave", "grandchild", "4", NULL);
	}
	int status = 0;
	raw(SYS_wait4, (long)pid, &status, 0L, 0L);
	return WEXITSTATUS(status) + (word == 6 ? 10 : 0);
}
static int share_again(void *unused)
{
	(void)unused;
	int status = 0;
	pid_t pid = sharer(leave, 1, 0, (void *)3L);
	raw(SYS_wait4, (long)pid, &status, 0L, 0L);
	return WEXITSTATUS(status);
}

CHECK(makes_children)
{
	word = 5;
	report("forks", "%s", ending(sharer(fork_and_store, 0, 0, NULL)));
	report("vforks", "%s", ending(sharer(vfork_and_run, 0, 0, NULL)));
	report("shares", "%s", ending(sharer(share_again, 0, 0, NULL)));
	// The child of a vfork shares its memory too.
	pid_t pid = vfork();
	if (pid == 0) {
		int status = 0;
		pid_t inner = sharer(leave, 1, 0, (void *)9L);
		raw(SYS_wait4, (long)inner, &status, 0L, 0L);
		raw(SYS_exit_group, (long)WEXITSTATUS(status));
	}
	report("shared-by-a-vfork-child", "%s", ending(pid));
}

static int thread_body(void *unused)
{
	(void)unused;
	word = raw(SYS_getpid) == ball;
	cleared = 0;
	raw(SYS_futex, &cleared, (long)FUTEX_WAKE, 1L);
	raw(SYS_exit, 0L);
	return 0;
}
static int wait_in_thread(void *unused)
{
	cleared = 0;
	raw(SYS_futex, &cleared, (long)FUTEX_WAKE, 1L);
	for (;;)
		raw(SYS_pause);
	return unused != NULL;
}
static int make_thread(void *unused)
{
	(void)unused;
	raw(SYS_alarm, (long)CHECK_SECONDS);
	cleared = 1;
	ball = raw(SYS_getpid);
	clone(thread_body, stack[2] + sizeof stack[2], CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, NULL);
	while (cleared)
		raw(SYS_futex, &cleared, (long)FUTEX_WAIT, 1L, 0L);
	raw(SYS_exit_group, word == 1 ? 6L : 1L);
	return 0;
}
static int become_with_thread(void *unused)
{
	(void)unused;
	cleared = 1;
	clone(wait_in_thread, stack[2] + sizeof stack[2], CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, NULL);
	while (cleared)
		raw(SYS_futex, &cleared, (long)FUTEX_WAIT, 1L, 0L);
	become_role("say_and_leave", "threaded child", "3", NULL);
	return 1;
}

CHECK(makes_threads)
{
	report("child", "%s", ending(sharer(make_thread, 0, 0, NULL)));
	report("exec", "%s", ending(sharer(become_with_thread, 0, 0, NULL)));
	// A thread of a vfork child runs while the parent waits.
	pid_t pid = vfork();
	if (pid == 0)
		make_thread(NULL);
	report("of-a-vfork-child", "%s, word %d", ending(pid), word);
}

static int grow(void *unused)
{
	(void)unused;
	volatile char deep[48000];
	for (unsigned i = 0; i < sizeof deep; i += 512)
		deep[i] = (char)i;
	return deep[512] == 0 ? 2 : 3;
}

CHECK(stacks)
{
	pid_t pids[4];
	for (int i = 0; i < 4; i++)
		pids[i] = sharer(grow, i, 0, NULL);
	for (int i = 0; i < 4; i++)
		report("child", "%s", ending(pids[i]));
}

static int end_thread_of_group(void *unused)
{
	(void)unused;
	raw(SYS_exit, 11L);
	return 0;
}

CHECK(many)
{
	int right = 0;
	for (int turn = 0; turn < 50; turn++) {
		pid_t pids[4];
		for (int i = 0; i < 4; i++)
			pids[i] = sharer(i % 2 ? leave : end_thread_of_group, i, i % 3 ? CLONE_FILES : 0, (void *)11L);
		for (int i = 0; i < 4; i++)
			right += !strcmp(ending(pids[i]), "exited 11");
	}
	report("ended", "%d", right);
}

CHECK(exec_many)
{
	int right = 0;
	for (int turn = 0; turn < 10; turn++) {
		pid_t pids[3];
		for (int i = 0; i < 3; i++)
			pids[i] = sharer(run_show_handlers, i, 0, NULL);
		for (int i = 0; i < 3; i++)
			right += !strcmp(ending(pids[i]), "exited 1");
	}
	report("ended", "%d", right);
}
