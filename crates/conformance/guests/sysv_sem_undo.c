// sysv_sem_undo.c: what SEM_UNDO takes back: exit, exec, kill -9, threads, limits.
//
// Calls: semop semctl clone exit_group
// Passes: host acrida
// Needs: root
#include "ipc.h"

static int op1(int id, int num, int op, int flags)
{
	struct sembuf buf = { num, op, flags };
	return semop(id, &buf, 1);
}

#define value(id, num) say("value of %d: %d", num, semctl(id, num, GETVAL))

CHECK(exit_takes_back)
{
	int id = new_sem(IPC_PRIVATE, 3, 0600);
	semctl(id, 0, SETVAL, 5);
	pid_t child = start();
	if (child == 0) {
		op1(id, 0, -2, SEM_UNDO);
		op1(id, 0, -1, 0);
		op1(id, 1, 4, SEM_UNDO);
		op1(id, 1, -1, SEM_UNDO);
		op1(id, 2, 1, 0);
		value(id, 0);
		value(id, 1);
		_exit(0);
	}
	pid_t who = child;
	reap("child", child);
	value(id, 0);
	value(id, 1);
	value(id, 2);
	say("by the child: %d %d %d", semctl(id, 0, GETPID) == who, semctl(id, 1, GETPID) == who, semctl(id, 2, GETPID) == who);
}

CHECK(kill_takes_back)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	volatile int *held = shared_int();
	semctl(id, 0, SETVAL, 1);
	pid_t holder = start();
	if (holder == 0) {
		op1(id, 0, -1, SEM_UNDO);
		*held = 1;
		for (;;)
			pause();
	}
	wait_for(held, 1);
	pid_t waiter = start();
	if (waiter == 0)
		_exit(op1(id, 0, -1, SEM_UNDO) ? errno : 0);
	wait_asleep(waiter);
	show(semctl(id, 0, GETNCNT));
	kill(holder, SIGKILL);
	// The waiter says what it got before anybody else speaks.
	reap("waiter", waiter);
	reap("holder", holder);
	value(id, 0);
}

CHECK(out_of_range)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	IN_CHILD("raises")
	{
		op1(id, 0, 10, SEM_UNDO);
	}
	value(id, 0);
	IN_CHILD("raises, another takes")
	{
		op1(id, 0, 10, SEM_UNDO);
		op1(id, 0, -7, 0);
	}
	value(id, 0);
	semctl(id, 0, SETVAL, 32767);
	IN_CHILD("lowers, another raises")
	{
		op1(id, 0, -10, SEM_UNDO);
		op1(id, 0, 10, 0);
	}
	value(id, 0);
	IN_CHILD("limit of the adjustment")
	{
		semctl(id, 1, SETVAL, 0);
		show(op1(id, 1, 32767, SEM_UNDO));
		show(op1(id, 1, -32767, 0));
		show(op1(id, 1, 1, SEM_UNDO));
		show(op1(id, 1, 1, SEM_UNDO));
		value(id, 1);
		show(op1(id, 1, 1, 0));
		show(op1(id, 1, -1, SEM_UNDO));
	}
	value(id, 1);
}

CHECK(set_forgets)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	IN_CHILD("SETVAL")
	{
		op1(id, 0, 3, SEM_UNDO);
		op1(id, 1, 3, SEM_UNDO);
		semctl(id, 0, SETVAL, 7);
	}
	value(id, 0);
	value(id, 1);
	IN_CHILD("SETALL")
	{
		unsigned short both[] = { 4, 4 };
		op1(id, 0, 3, SEM_UNDO);
		op1(id, 1, 3, SEM_UNDO);
		semctl(id, 0, SETALL, both);
		op1(id, 1, 1, SEM_UNDO);
	}
	value(id, 0);
	value(id, 1);
}

CHECK(fork_does_not_inherit)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	IN_CHILD("parent")
	{
		op1(id, 0, 5, SEM_UNDO);
		IN_CHILD("grandchild")
		{
			op1(id, 0, 1, 0);
		}
		value(id, 0);
	}
	value(id, 0);
}

ROLE(exec_keeps)
{
	value(atoi(argv[0]), 0);
}

CHECK(exec_keeps_the_list)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	IN_CHILD("program")
	{
		char text[16];
		sprintf(text, "%d", id);
		op1(id, 0, 5, SEM_UNDO);
		become_role("exec_keeps", text, NULL);
	}
	value(id, 0);
}

static int thread_id;

static void *raises(void *argument)
{
	op1(thread_id, 0, (int)(long)argument, SEM_UNDO);
	return NULL;
}

CHECK(threads_share)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	thread_id = id;
	IN_CHILD("process")
	{
		pthread_t thread;
		pthread_create(&thread, NULL, raises, (void *)3);
		pthread_join(thread, NULL);
		value(id, 0);
		op1(id, 0, 1, SEM_UNDO);
		pthread_create(&thread, NULL, raises, (void *)4);
		pthread_join(thread, NULL);
		value(id, 0);
	}
	value(id, 0);
}

static int plain_thread(void *argument)
{
	(void)argument;
	op1(thread_id, 0, 2, SEM_UNDO);
	return 0;
}

CHECK(thread_of_its_own)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	thread_id = id;
	IN_CHILD("process")
	{
		char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		static int tid;
		op1(id, 0, 1, SEM_UNDO);
		tid = 1;
		need(clone(plain_thread, stack + 65536,
			   CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_CHILD_CLEARTID, NULL, NULL, NULL, &tid));
		while (__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
			sched_yield();
		// What the thread did is taken back with it, shortly after its word is cleared.
		for (int i = 0; i < 1000000 && semctl(id, 0, GETVAL) != 1; i++)
			sched_yield();
		value(id, 0);
	}
	value(id, 0);
}

CHECK(removed_before_the_end)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	int other = -1;
	IN_CHILD("child")
	{
		op1(id, 0, 1, SEM_UNDO);
		semctl(id, 0, IPC_RMID);
		other = new_sem(IPC_PRIVATE, 1, 0600);
		show(semctl(other, 0, GETVAL));
	}
	show(semctl(id, 0, GETVAL));
}

CHECK(failed_operation_leaves_no_trace)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	semctl(id, 0, SETVAL, 3);
	IN_CHILD("child")
	{
		struct sembuf ops[] = { { 0, -1, SEM_UNDO }, { 1, -1, IPC_NOWAIT } };
		show(semop(id, ops, 2));
		struct sembuf reverse[] = { { 1, 1, SEM_UNDO }, { 0, -3, SEM_UNDO }, { 0, 1, SEM_UNDO }, { 1, 32767, 0 } };
		show(semop(id, reverse, 4));
		value(id, 0);
	}
	value(id, 0);
	value(id, 1);
}

CHECK(kills_under_load)
{
	// Holders are killed at any moment: the semaphore is whole in the end.
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	semctl(id, 0, SETVAL, 1);
	int bad = 0;
	for (int round = 0; round < 10; round++) {
		pid_t children[3];
		for (int i = 0; i < 3; i++) {
			children[i] = start();
			if (children[i] == 0)
				for (;;)
					if (op1(id, 0, -1, SEM_UNDO) || op1(id, 0, 1, SEM_UNDO))
						_exit(1);
		}
		for (int i = 0; i < 20 + 3 * round; i++)
			sched_yield();
		for (int i = 0; i < 3; i++)
			kill(children[i], SIGKILL);
		for (int i = 0; i < 3; i++) {
			int status;
			waitpid(children[i], &status, 0);
			bad += !WIFSIGNALED(status);
		}
		bad += semctl(id, 0, GETVAL) != 1;
	}
	say("bad %d", bad);
	value(id, 0);
	show(semctl(id, 0, GETNCNT));
}
