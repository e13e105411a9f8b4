// sysv_sem.c: System V semaphores: sets, operations, waiting, order, errors, removal.
//
// Calls: semget semop semtimedop semctl
// Passes: host acrida
// Needs: root
#include "ipc.h"

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static int op1(int id, int num, int op, int flags)
{
	struct sembuf buf = { num, op, flags };
	return semop(id, &buf, 1);
}

static void values(const char *what, int id, int count)
{
	unsigned short array[64];
	char text[256], *end = text;
	if (semctl(id, 0, GETALL, array)) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	for (int i = 0; i < count; i++)
		end += sprintf(end, " %d", array[i]);
	say("%s:%s", what, text);
}

CHECK(get)
{
	key_t key = a_key(1);
	show(semget(key, 3, 0600));
	show(semget(key, 0, IPC_CREAT | 0600));
	show(semget(key, -1, IPC_CREAT | 0600));
	show(semget(key, 32001, IPC_CREAT | 0600));
	int id = new_sem(key, 3, IPC_CREAT | 0640);
	show_ok(id);
	say("same %d %d %d", semget(key, 0, 0) == id, semget(key, 3, IPC_CREAT) == id, semget(key, 2, 0440) == id);
	show(semget(key, 4, 0));
	show(semget(key, 3, IPC_CREAT | IPC_EXCL));
	show(semget(IPC_PRIVATE, 0, 0600));
	values("new", id, 3);
	struct semid_ds ds;
	show(semctl(id, 0, IPC_STAT, &ds));
	say("mode %o nsems %lu otime %d ctime %d key %d", ds.sem_perm.mode, ds.sem_nsems, ds.sem_otime != 0, ds.sem_ctime != 0,
	    ds.sem_perm.__key == key);
	op1(id, 0, 1, 0);
	semctl(id, 0, IPC_STAT, &ds);
	say("otime %d", ds.sem_otime != 0);
	show(semctl(id, 0, IPC_RMID));
	show(semctl(id, 0, IPC_RMID));
	show(semget(key, 1, 0));
	show(op1(id, 0, 1, 0));
}

CHECK(operations)
{
	int id = new_sem(IPC_PRIVATE, 4, 0600);
	show(op1(id, 0, 5, 0));
	show(op1(id, 0, -3, 0));
	show(op1(id, 0, -3, IPC_NOWAIT));
	show(op1(id, 0, 0, IPC_NOWAIT));
	show(op1(id, 1, 0, 0));
	values("after", id, 4);
	struct sembuf several[] = { { 0, -1, 0 }, { 1, 2, 0 }, { 2, 0, 0 }, { 0, -1, 0 }, { 0, 0, 0 }, { 3, 32767, 0 } };
	show(semop(id, several, 6));
	values("several", id, 4);
	struct sembuf one_fails[] = { { 1, -1, 0 }, { 0, 7, 0 }, { 2, -1, IPC_NOWAIT }, { 99, 1, 0 } };
	show(semop(id, one_fails, 3));
	show(semop(id, one_fails, 4));
	values("unchanged", id, 4);
	struct sembuf too_much[] = { { 0, 1, 0 }, { 3, 1, 0 } };
	show(semop(id, too_much, 2));
	show(op1(id, 0, 32767, 0));
	show(op1(id, 0, 1, 0));
	show(op1(id, 0, -32768, IPC_NOWAIT));
	values("at the limit", id, 4);
	say("pids mine: %d %d %d %d", semctl(id, 0, GETPID) == getpid(), semctl(id, 1, GETPID) == getpid(),
	    semctl(id, 2, GETPID) == getpid(), semctl(id, 3, GETPID) == getpid());
}

CHECK(operation_errors)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	struct sembuf ops[501] = { { 0, 0, 0 } };
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };
	show(semop(id, ops, 0));
	show(semop(id, ops, 501));
	show(semop(id, ops, 500));
	show(semop(-1, ops, 501));
	show(semop(-1, ops, 1));
	show(semop(-1, BAD, 1));
	show(semop(id, BAD, 0));
	show(semop(id, BAD, 1));
	show(semop(id, BAD, 501));
	show(semtimedop(id, ops, 0, BAD));
	show(semtimedop(id, BAD, 1, &bad));
	show(semtimedop(id, ops, 1, &bad));
	show(semtimedop(id, ops, 1, &negative));
	show(semtimedop(-1, ops, 1, &bad));
	show(op1(id, 2, 0, 0));
	show(op1(id, 65535, 1, 0));
	show(op1(id + (1 << 15), 0, 0, 0));
	show(op1(id + (1 << 15), 2, 0, SEM_UNDO));
	struct timespec nothing = { 0, 0 }, little = { 0, 20000000 };
	ops[0].sem_op = -1;
	show(semtimedop(id, ops, 1, &nothing));
	show(semtimedop(id, ops, 1, &little));
	ops[0].sem_flg = IPC_NOWAIT;
	show(semtimedop(id, ops, 1, &little));
	show(semctl(id, 0, GETNCNT));
}

CHECK(set_values)
{
	int id = new_sem(IPC_PRIVATE, 3, 0600);
	unsigned short three[] = { 3, 0, 32767 }, too_large[] = { 1, 32768, 2 };
	show(semctl(id, 1, SETVAL, 7));
	show(semctl(id, 1, SETVAL, 32768));
	show(semctl(id, 1, SETVAL, -1));
	show(semctl(id, 3, SETVAL, 1));
	show(semctl(id, -1, SETVAL, 1));
	show(semctl(id, -1, SETVAL, -1));
	show(semctl(id + (1 << 15), 0, SETVAL, -1));
	show(semctl(id + (1 << 15), 0, SETVAL, 1));
	values("one", id, 3);
	show(semctl(id, 99, SETALL, three));
	values("all", id, 3);
	show(semctl(id, 0, SETALL, too_large));
	show(semctl(id, 0, SETALL, BAD));
	show(semctl(id, 0, GETALL, BAD));
	values("all", id, 3);
	show(semctl(id, 0, GETVAL));
	show(semctl(id, 3, GETVAL));
	show(semctl(id, -1, GETPID));
	show(semctl(id, 3, GETNCNT));
	show(semctl(id, 3, GETZCNT));
	show(semctl(id, 2, GETVAL));
	struct semid_ds ds;
	show(semctl(id, 0, IPC_STAT, BAD));
	show(semctl(id, 0, IPC_SET, BAD));
	show(semctl(id + (1 << 15), 0, IPC_SET, BAD));
	show(semctl(id, 0, 99, &ds));
	show(semctl(-1, 0, 99, &ds));
	show(semctl(id, 0, -1, &ds));
	show(raw(SYS_semctl, id, 0, IPC_STAT | 0x100, &ds));
}

static pid_t sleeper(int id, struct sembuf *ops, int count, int code)
{
	pid_t child = start();
	if (child == 0) {
		if (semop(id, ops, count))
			_exit(errno == EIDRM ? 77 : errno == EINTR ? 78 : 79);
		_exit(code);
	}
	wait_asleep(child);
	return child;
}

CHECK(waiting_and_counts)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	struct sembuf down[] = { { 0, -1, 0 } }, zero[] = { { 1, 0, 0 } };
	op1(id, 1, 1, 0);
	pid_t a = sleeper(id, down, 1, 1), b = sleeper(id, down, 1, 2), c = sleeper(id, zero, 1, 3);
	say("ncnt %d %d zcnt %d %d", semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT), semctl(id, 0, GETZCNT), semctl(id, 1, GETZCNT));
	show(op1(id, 0, 1, 0));
	reap("first of two", a);
	say("ncnt %d, by its pid %d", semctl(id, 0, GETNCNT), semctl(id, 0, GETPID) == a);
	show(op1(id, 1, -1, 0));
	reap("for zero", c);
	values("values", id, 2);
	show(op1(id, 0, 3, 0));
	reap("second", b);
	values("values", id, 2);
}

CHECK(counts_of_several)
{
	int id = new_sem(IPC_PRIVATE, 3, 0600);
	struct sembuf both[] = { { 0, -1, 0 }, { 1, -1, 0 } }, mixed[] = { { 2, 1, 0 }, { 1, 0, 0 }, { 0, -1, 0 } };
	op1(id, 1, 1, 0);
	pid_t a = sleeper(id, both, 2, 1), b = sleeper(id, mixed, 3, 2);
	say("ncnt %d %d %d zcnt %d %d %d", semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT), semctl(id, 2, GETNCNT),
	    semctl(id, 0, GETZCNT), semctl(id, 1, GETZCNT), semctl(id, 2, GETZCNT));
	show(op1(id, 0, 1, 0));
	reap("both", a);
	values("after both", id, 3);
	say("ncnt %d zcnt %d", semctl(id, 0, GETNCNT), semctl(id, 1, GETZCNT));
	show(op1(id, 0, 1, 0));
	reap("mixed", b);
	values("end", id, 3);
}

CHECK(fairness)
{
	// A small request behind a large one: both wait at the semaphore, the small one can go on.
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	struct sembuf large[] = { { 0, -5, 0 } }, small[] = { { 0, -1, 0 } };
	pid_t a = sleeper(id, large, 1, 1), b = sleeper(id, small, 1, 2);
	op1(id, 0, 1, 0);
	reap("small overtakes", b);
	say("waiting %d", semctl(id, 0, GETNCNT));
	pid_t c = sleeper(id, small, 1, 3);
	op1(id, 0, 5, 0);
	reap("large first", a);
	say("waiting %d, value %d", semctl(id, 0, GETNCNT), semctl(id, 0, GETVAL));
	op1(id, 0, 1, 0);
	reap("small", c);
	// An operation on several in front of a simple one.
	struct sembuf both[] = { { 0, -1, 0 }, { 1, -1, 0 } };
	a = sleeper(id, both, 2, 4);
	b = sleeper(id, small, 1, 5);
	op1(id, 0, 1, 0);
	reap("simple overtakes", b);
	op1(id, 0, 1, 0);
	say("both waits %d %d", semctl(id, 0, GETNCNT), semctl(id, 1, GETNCNT));
	op1(id, 1, 1, 0);
	reap("both", a);
	values("end", id, 2);
}

CHECK(chains)
{
	// Each sleeper's operation makes the next one possible.
	int id = new_sem(IPC_PRIVATE, 4, 0600);
	struct sembuf steps[3][2] = { { { 0, -1, 0 }, { 1, 1, 0 } }, { { 1, -1, 0 }, { 2, 1, 0 } }, { { 2, -1, 0 }, { 3, 1, 0 } } };
	pid_t c = sleeper(id, steps[2], 2, 3), b = sleeper(id, steps[1], 2, 2), a = sleeper(id, steps[0], 2, 1);
	op1(id, 0, 1, 0);
	reap("a", a);
	reap("b", b);
	reap("c", c);
	values("end", id, 4);
	// Zero is announced although the value rises again in the same operation.
	op1(id, 0, 1, 0);
	struct sembuf zero[] = { { 0, 0, 0 } }, down_up[] = { { 0, -1, 0 }, { 0, 1, 0 } };
	a = sleeper(id, zero, 1, 4);
	show(semop(id, down_up, 2));
	say("zcnt %d", semctl(id, 0, GETZCNT));
	op1(id, 0, -1, 0);
	reap("zero", a);
}

CHECK(removal)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	struct sembuf down[] = { { 0, -1, SEM_UNDO } }, both[] = { { 0, -1, 0 }, { 1, -1, 0 } }, zero[] = { { 1, 0, 0 } };
	op1(id, 1, 1, 0);
	pid_t a = sleeper(id, down, 1, 1), b = sleeper(id, both, 2, 2), c = sleeper(id, zero, 1, 3);
	show(semctl(id, 0, IPC_RMID));
	reap("down", a);
	reap("both", b);
	reap("zero", c);
}

CHECK(interrupted)
{
	int id = new_sem(IPC_PRIVATE, 1, 0600);
	volatile int *stage = shared_int();
	pid_t child = start();
	if (child == 0) {
		handle(SIGUSR1, do_nothing, SA_RESTART);
		*stage = 1;
		show(op1(id, 0, -1, 0));
		*stage = 2;
		struct sembuf down = { 0, -1, 0 };
		struct timespec hour = { 3600, 0 };
		show(semtimedop(id, &down, 1, &hour));
		say("ncnt %d", semctl(id, 0, GETNCNT));
		_exit(0);
	}
	for (int i = 1; i <= 2; i++) {
		wait_for(stage, i);
		wait_asleep(child);
		kill(child, SIGUSR1);
	}
	reap("child", child);
	struct sembuf down[] = { { 0, -1, 0 } };
	pid_t killed = sleeper(id, down, 1, 1);
	kill(killed, SIGKILL);
	reap("killed", killed);
	show(semctl(id, 0, GETNCNT));
}

CHECK(rights)
{
	int id = new_sem(a_key(2), 1, IPC_CREAT | 0604);
	int closed = new_sem(IPC_PRIVATE, 1, 0600);
	IN_CHILD("stranger")
	{
		become_user(65534);
		struct semid_ds ds;
		unsigned short value = 1;
		say("look %d", semget(a_key(2), 1, 0400) == id);
		show(semget(a_key(2), 1, 0600));
		show(semget(a_key(2), 2, 0600));
		show(op1(id, 0, 1, 0));
		show(op1(id, 0, 0, 0));
		show(op1(id, 1, 1, 0));
		show(op1(closed, 0, 0, 0));
		show(semctl(id, 0, GETVAL));
		show(semctl(closed, 0, GETVAL));
		show(semctl(closed, 5, GETVAL));
		show(semctl(id, 0, SETVAL, 1));
		show(semctl(id, 5, SETVAL, 1));
		show(semctl(id, 0, SETALL, &value));
		show(semctl(id, 0, SETALL, BAD));
		show(semctl(id, 0, IPC_STAT, &ds));
		show(semctl(closed, 0, IPC_STAT, &ds));
		show(semctl(id, 0, IPC_SET, &ds));
		show(semctl(id, 0, IPC_RMID));
		int index = closed & 32767;
		show(semctl(index, 0, SEM_STAT, &ds));
		say("any %d", semctl(index, 0, SEM_STAT_ANY, &ds) == closed);
	}
	struct semid_ds ds;
	need(semctl(id, 0, IPC_STAT, &ds));
	ds.sem_perm.uid = 65534;
	ds.sem_perm.mode = 0200;
	show(semctl(id, 0, IPC_SET, &ds));
	IN_CHILD("new owner")
	{
		become_user(65534);
		show(op1(id, 0, 1, 0));
		show(op1(id, 0, 0, IPC_NOWAIT));
		show(semctl(id, 0, IPC_RMID));
	}
}

CHECK(info)
{
	struct seminfo info;
	int id = new_sem(IPC_PRIVATE, 5, 0600);
	int last = semctl(0, 0, IPC_INFO, &info);
	say("last %d; map %d mni %d mns %d mnu %d msl %d opm %d ume %d usz %d vmx %d aem %d", last >= 0, info.semmap, info.semmni,
	    info.semmns, info.semmnu, info.semmsl, info.semopm, info.semume, info.semusz, info.semvmx, info.semaem);
	last = semctl(0, 0, SEM_INFO, &info);
	say("sets %d, semaphores %d", info.semusz > 0, info.semaem >= 5);
	struct semid_ds ds;
	int found = 0;
	for (int i = 0; i <= last; i++)
		found += semctl(i, 0, SEM_STAT, &ds) == id;
	say("found %d", found);
	show(semctl(0, 0, IPC_INFO, BAD));
	show(semctl(32767, 0, SEM_STAT, &ds));
}

CHECK(proc_file)
{
	int id = new_sem(a_key(3), 5, IPC_CREAT | 0640);
	char line[512];
	FILE *file = fopen("/proc/sysvipc/sem", "r");
	need(file ? 0 : -1);
	fgets(line, sizeof line, file);
	say("%s", strtok(line, "\n"));
	while (fgets(line, sizeof line, file)) {
		int key, found, mode, count, otime;
		unsigned uid, gid, cuid, cgid;
		sscanf(line, "%d %d %o %d %u %u %u %u %d", &key, &found, &mode, &count, &uid, &gid, &cuid, &cgid, &otime);
		if (found == id)
			say("key %d mode %o count %d %u %u %u %u otime %d; %zu bytes", key == a_key(3), mode, count, uid, gid, cuid, cgid, otime,
			    strlen(line));
	}
	fclose(file);
}

CHECK(ping_pong)
{
	int id = new_sem(IPC_PRIVATE, 2, 0600);
	pid_t child = start();
	if (child == 0) {
		for (int i = 0; i < 2000; i++)
			if (op1(id, 0, -1, 0) || op1(id, 1, 1, 0))
				_exit(1);
		_exit(0);
	}
	int bad = 0;
	for (int i = 0; i < 2000; i++)
		bad += op1(id, 0, 1, 0) || op1(id, 1, -1, 0);
	reap("partner", child);
	say("bad %d", bad);
	values("end", id, 2);
}

CHECK(removed_under_waiters)
{
	int bad = 0;
	for (int round = 0; round < 21; round++) {
		int id = semget(IPC_PRIVATE, 2, 0600);
		pid_t children[3];
		for (int i = 0; i < 3; i++) {
			children[i] = start();
			if (children[i] == 0) {
				struct sembuf ops[] = { { 0, -1, 0 }, { 1, -1, SEM_UNDO } };
				int result = semop(id, ops, i == 0 ? 1 : 2);
				_exit(result == -1 && (errno == EIDRM || errno == EINVAL) ? 0 : 1);
			}
		}
		for (int i = 0; i < round % 7; i++)
			sched_yield();
		bad += semctl(id, 0, IPC_RMID) != 0;
		for (int i = 0; i < 3; i++) {
			int status;
			waitpid(children[i], &status, 0);
			bad += status != 0;
		}
	}
	say("bad %d", bad);
}
