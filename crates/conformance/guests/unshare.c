// unshare.c: getting for oneself what was shared.
//
// Calls: unshare
// Passes: host acrida
#include "process.h"

#include <sys/sem.h>

CHECK(flags)
{
	IN_CHILD("child")
	{
		report_result("nothing", raw(SYS_unshare, 0L));
		report_result("unknown", raw(SYS_unshare, 1L << 40));
		report_result("exit-signal", raw(SYS_unshare, (long)SIGCHLD));
		report_result("vfork", raw(SYS_unshare, (long)CLONE_VFORK));
		report_result("thread", raw(SYS_unshare, (long)CLONE_THREAD));
		report_result("handlers", raw(SYS_unshare, (long)CLONE_SIGHAND));
		report_result("memory", raw(SYS_unshare, (long)CLONE_VM));
		report_result("everything", raw(SYS_unshare, (long)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)));
	}
}

static int step_in[2], step_out[2];

// Changes directory and mask, opens a file at 50, when told to; waits for the end.
static int sharer(void *unused UNUSED)
{
	char byte;
	read(step_in[0], &byte, 1);
	chdir("/");
	umask(0777);
	dup2(0, 50);
	write(step_out[1], "d", 1);
	read(step_in[0], &byte, 1);
	_exit(0);
}

CHECK(files_and_directory)
{
	static char stack[2][65536] __attribute__((aligned(16)));
	const int kinds[] = {CLONE_FS, CLONE_FILES};
	for (int kind = 0; kind < 2; kind++) {
		char byte, path[4096], before[4096];
		need(pipe(step_in));
		need(pipe(step_out));
		getcwd(before, sizeof before);
		pid_t pid = clone(sharer, stack[kind] + sizeof stack[kind], kinds[kind] | SIGCHLD, NULL);
		report_result("unshare", raw(SYS_unshare, (long)kinds[kind]));
		write(step_in[1], "g", 1);
		read(step_out[0], &byte, 1);
		getcwd(path, sizeof path);
		report_flag("own-directory", strcmp(path, before) == 0);
		report("own-mask", "%o", umask(022));
		report("own-descriptors", "%s", fcntl(50, F_GETFD) == -1 ? errno_name(errno) : "shared");
		write(step_in[1], "e", 1);
		report("sharer", "%s", ending(pid));
	}
}

static void *do_wait(void *unused)
{
	char byte;
	read(step_in[0], &byte, 1);
	return unused;
}

CHECK(with_threads)
{
	IN_CHILD("child")
	{
		pthread_t thread;
		need(pipe(step_in));
		pthread_create(&thread, NULL, do_wait, NULL);
		report_result("thread", raw(SYS_unshare, (long)CLONE_THREAD));
		report_result("memory", raw(SYS_unshare, (long)CLONE_VM));
		report_result("files", raw(SYS_unshare, (long)CLONE_FILES));
		report_flag("closed-here", close(step_in[0]) == 0);
		write(step_in[1], "e", 1);
		// Its own table still has the pipe.
		report_result("join", pthread_join(thread, NULL));
	}
}

// What the caller has promised to take back is taken back.
CHECK(undo_list)
{
	int set = need(semget(IPC_PRIVATE, 1, 0600));
	IN_CHILD("child")
	{
		struct sembuf up = {0, 3, SEM_UNDO};
		report_result("semop", folded(semop(set, &up, 1)));
		report("value", "%d", semctl(set, 0, GETVAL));
		report_result("unshare", raw(SYS_unshare, (long)CLONE_SYSVSEM));
		report("value", "%d", semctl(set, 0, GETVAL));
	}
	report("value", "%d", semctl(set, 0, GETVAL));
	semctl(set, 0, IPC_RMID);
}
