// sysv_shm.c: System V shared memory: keys, rights, attaching, counts, removal.
//
// Calls: shmget shmat shmdt shmctl mremap munmap mprotect fork execve
// Passes: host acrida
// Needs: root
#include "ipc.h"
#include "memory.h"

enum { FUTEX_WAIT_ = 0, FUTEX_WAKE_ = 1 };

static void counts(const char *what, int id)
{
	struct shmid_ds ds;
	if (shmctl(id, IPC_STAT, &ds))
		say("%s: %s", what, errno_name(errno));
	else
		say("%s: nattch %lu, mode %o, cpid mine %d, lpid mine %d, atime %d, dtime %d, ctime %d", what, ds.shm_nattch,
		    ds.shm_perm.mode, ds.shm_cpid == getpid(), ds.shm_lpid == getpid(), ds.shm_atime != 0, ds.shm_dtime != 0,
		    ds.shm_ctime != 0);
}

static const char *address_text(void *address)
{
	return address == (void *)-1 ? errno_name(errno) : "ok";
}
#define show_at(expression) say("%s = %s", #expression, (errno = 0, address_text(expression)))

CHECK(get_by_key)
{
	key_t key = a_key(1);
	show(shmget(key, 4096, 0600));
	int id = new_shm(key, 5000, IPC_CREAT | 0640);
	show_ok(id);
	say("again the same: %d", shmget(key, 0, 0) == id);
	say("smaller: %d", shmget(key, 4999, IPC_CREAT) == id);
	show(shmget(key, 5001, 0));
	show(shmget(key, 5001, IPC_CREAT | IPC_EXCL));
	show(shmget(key, 10, IPC_CREAT | IPC_EXCL));
	say("exclusive without create: %d", shmget(key, 10, IPC_EXCL) == id);
	struct shmid_ds ds;
	need(shmctl(id, IPC_STAT, &ds));
	say("size %zu, key %d, mode %o", ds.shm_segsz, ds.shm_perm.__key == key, ds.shm_perm.mode);
	show(shmctl(id, IPC_RMID, NULL));
	show(shmget(key, 10, 0));
	show(shmctl(id, IPC_RMID, NULL));
	show(shmctl(id, IPC_STAT, &ds));
	show_at(shmat(id, NULL, 0));
}

CHECK(get_errors)
{
	show(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
	show(shmget(IPC_PRIVATE, -1UL, IPC_CREAT | 0600));
	show(new_shm(IPC_PRIVATE, 1UL << 62, IPC_CREAT | 0600));
	show(shmget(IPC_PRIVATE, 1UL << 63, IPC_CREAT | 0600));
	show(shmget(a_key(2), 0, IPC_CREAT | 0600));
	show(shmget(a_key(2), 0, 0600));
	show(shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600));
	int id = new_shm(IPC_PRIVATE, 1, 0);
	show_ok(id);
	int other = new_shm(IPC_PRIVATE, 1, IPC_EXCL);
	say("private ones differ: %d", id != other);
}

CHECK(attach_and_count)
{
	int id = new_shm(IPC_PRIVATE, 10000, 0600);
	counts("new", id);
	char *first = shmat(id, NULL, 0);
	counts("attached", id);
	char *second = shmat(id, NULL, SHM_RDONLY);
	counts("twice", id);
	show_bytes("zeros", first, 12);
	strcpy(first + 8190, "across");
	show_bytes("seen", second + 8190, 7);
	report("write to the read-only one", "%s", writing(second));
	report("behind the size, in the page", "%s", writing(first + 12287));
	show_ok(mprotect(second, 4096, PROT_READ | PROT_WRITE));
	show(shmdt(first + 4096));
	show(shmdt(first + 1));
	show(shmdt(first));
	counts("one left", id);
	show(shmdt(first));
	report("detached", "%s", reading(first));
	show(shmdt(second));
	counts("none left", id);
	show(shmdt(NULL));
}

CHECK(attach_addresses)
{
	int id = new_shm(IPC_PRIVATE, 8192, 0600);
	char *free_place = map_pages(8, PROT_NONE);
	munmap(free_place, 8 * PAGE);
	char *at = shmat(id, free_place, 0);
	say("where asked: %d", at == free_place);
	show_at(shmat(id, free_place, 0));
	show_at(shmat(id, free_place + PAGE, 0));
	show_at(shmat(id, free_place + 2 * PAGE + 5, 0));
	at = shmat(id, free_place + 2 * PAGE + 5, SHM_RND);
	say("rounded: %d", at == free_place + 2 * PAGE);
	at = shmat(id, free_place + PAGE, SHM_REMAP);
	say("over others: %d", at == free_place + PAGE);
	counts("with cut areas", id);
	show_at(shmat(id, NULL, SHM_REMAP));
	show_at(shmat(id, (void *)5, SHM_RND | SHM_REMAP));
	show_at(shmat(id, (void *)0x7ffffffff000UL, 0));
	show_at(shmat(id, (void *)-4096L, 0));
	show_at(shmat(-1, NULL, 0));
	show_at(shmat(id + (1 << 15), NULL, 0));
	show(shmdt(free_place));
	show(shmdt(free_place + PAGE));
	show(shmdt(free_place + 2 * PAGE));
	counts("end", id);
}

CHECK(cut_and_grown)
{
	int id = new_shm(IPC_PRIVATE, 4 * PAGE, 0600);
	char *at = shmat(id, NULL, 0);
	show(munmap(at + PAGE, PAGE));
	counts("a hole", id);
	show(mprotect(at + 2 * PAGE, PAGE, PROT_READ));
	counts("three parts", id);
	show(mprotect(at + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	counts("never joined", id);
	show(munmap(at, PAGE));
	counts("without its head", id);
	show(shmdt(at));
	counts("detached", id);
	at = shmat(id, NULL, 0);
	strcpy(at, "moved");
	char *place = map_pages(16, PROT_NONE);
	char *moved = mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	say("moved: %d", moved == place);
	show_bytes("content", moved, 6);
	counts("moved", id);
	show(shmdt(at));
	show(shmdt(moved));
	counts("end", id);
	at = shmat(id, NULL, 0);
	munmap(place, 16 * PAGE);
	moved = mremap(at, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	say("grown: %s", address_text(moved));
	report("behind the segment", "%s", reading(moved + 4 * PAGE));
	counts("grown", id);
	show(shmdt(moved));
	counts("detached", id);
	munmap(moved, 8 * PAGE);
	counts("end", id);
}

CHECK(removed_while_attached)
{
	key_t key = a_key(3);
	int id = new_shm(key, 4096, IPC_CREAT | 0600);
	char *at = shmat(id, NULL, 0);
	strcpy(at, "stays");
	show(shmctl(id, IPC_RMID, NULL));
	struct shmid_ds ds;
	need(shmctl(id, IPC_STAT, &ds));
	say("mode %o, key %d", ds.shm_perm.mode, ds.shm_perm.__key);
	show(shmget(key, 4096, 0));
	int fresh = new_shm(key, 4096, IPC_CREAT | 0600);
	say("the key is free: %d", fresh != id);
	char *again = shmat(id, NULL, 0);
	show_bytes("still attachable", again, 6);
	show(shmctl(id, IPC_RMID, NULL));
	show(shmdt(at));
	counts("one left", id);
	show(shmdt(again));
	counts("gone", id);
	show_at(shmat(id, NULL, 0));
}

CHECK(fork_exit_kill)
{
	int id = new_shm(IPC_PRIVATE, 4096, 0600);
	char *at = shmat(id, NULL, 0);
	volatile int *stage = (volatile int *)at;
	pid_t child = start();
	if (child == 0) {
		stage[1] = 7;
		stage[0] = 1;
		for (;;)
			pause();
	}
	wait_for(stage, 1);
	say("store seen: %d", stage[1]);
	counts("forked", id);
	need(shmctl(id, IPC_RMID, NULL));
	show(shmdt(at));
	counts("only the child", id);
	kill(child, SIGKILL);
	reap("child", child);
	counts("killed", id);
	id = new_shm(IPC_PRIVATE, 4096, 0600);
	IN_CHILD("attaches")
	{
		shmat(id, NULL, 0);
		shmat(id, NULL, 0);
		counts("in the child", id);
	}
	counts("exited", id);
	at = shmat(id, NULL, 0);
	IN_CHILD("detaches what it got")
	{
		show(shmdt(at));
	}
	counts("mine stays", id);
}

ROLE(after_exec)
{
	int id = atoi(argv[0]);
	counts("after exec", id);
}

CHECK(exec_detaches)
{
	int id = new_shm(IPC_PRIVATE, 4096, 0600);
	IN_CHILD("program")
	{
		char text[16];
		shmat(id, NULL, 0);
		counts("before exec", id);
		sprintf(text, "%d", id);
		become_role("after_exec", text, NULL);
	}
	counts("end", id);
}

CHECK(rights)
{
	int id = new_shm(a_key(4), 4096, IPC_CREAT | 0640);
	int open_to_all = new_shm(IPC_PRIVATE, 4096, 0604);
	IN_CHILD("stranger")
	{
		become_user(65534);
		struct shmid_ds ds;
		show(shmget(a_key(4), 0, 0400));
		show_at(shmat(id, NULL, 0));
		show_at(shmat(id, NULL, SHM_RDONLY));
		show(shmctl(id, IPC_STAT, &ds));
		show(shmctl(id, IPC_RMID, NULL));
		show(shmctl(id, IPC_SET, &ds));
		show(shmctl(id, SHM_LOCK, NULL));
		show_at(shmat(open_to_all, NULL, SHM_RDONLY));
		show_at(shmat(open_to_all, NULL, 0));
		show_at(shmat(open_to_all, NULL, SHM_RDONLY | SHM_EXEC));
		show(shmctl(open_to_all, IPC_STAT, &ds));
		show(shmctl(open_to_all, IPC_RMID, NULL));
		int mine = new_shm(IPC_PRIVATE, 4096, 0200);
		show_at(shmat(mine, NULL, SHM_RDONLY));
		show_at(shmat(mine, NULL, 0));
		show(shmctl(mine, IPC_STAT, &ds));
		show(shmctl(mine, IPC_RMID, NULL));
	}
	show(shmctl(id, IPC_RMID, NULL));
}

CHECK(set)
{
	int id = new_shm(IPC_PRIVATE, 4096, 0600);
	struct shmid_ds ds;
	need(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 07444;
	ds.shm_perm.uid = 65534;
	ds.shm_perm.gid = 65533;
	ds.shm_segsz = 1;
	show(shmctl(id, IPC_SET, &ds));
	need(shmctl(id, IPC_STAT, &ds));
	say("mode %o uid %u gid %u cuid %u cgid %u size %zu", ds.shm_perm.mode, ds.shm_perm.uid, ds.shm_perm.gid,
	    ds.shm_perm.cuid, ds.shm_perm.cgid, ds.shm_segsz);
	IN_CHILD("new owner")
	{
		become_user(65534);
		ds.shm_perm.mode = 0600;
		show(shmctl(id, IPC_SET, &ds));
		show_at(shmat(id, NULL, 0));
		show(shmctl(id, IPC_RMID, NULL));
	}
	show(shmctl(id, IPC_STAT, &ds));
	id = new_shm(IPC_PRIVATE, 4096, 0600);
	need(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.uid = -1;
	show(shmctl(id, IPC_SET, &ds));
}

CHECK(ctl_errors)
{
	int id = new_shm(IPC_PRIVATE, 4096, 0600);
	show(shmctl(id, IPC_STAT, BAD));
	show(shmctl(id, IPC_SET, BAD));
	show(shmctl(id, 99, NULL));
	show(shmctl(id, -1, NULL));
	show(shmctl(-1, IPC_RMID, NULL));
	show(shmctl(-1, 99, NULL));
	show(shmctl(id + (1 << 15), IPC_STAT, BAD));
	show(shmctl(id + (1 << 15), IPC_SET, BAD));
	show(shmctl(id + (1 << 15), IPC_RMID, NULL));
	show(shmctl(0, IPC_INFO, BAD));
	show(shmctl(-1, IPC_INFO, BAD));
	show(shmctl(id + (1 << 15), SHM_LOCK, NULL));
}

CHECK(lock)
{
	int id = new_shm(IPC_PRIVATE, 4096, 0600);
	show(shmctl(id, SHM_LOCK, NULL));
	counts("locked", id);
	show(shmctl(id, SHM_LOCK, NULL));
	show(shmctl(id, SHM_UNLOCK, NULL));
	counts("unlocked", id);
	show(shmctl(id, SHM_UNLOCK, NULL));
}

CHECK(info)
{
	struct shminfo limits;
	struct shm_info usage;
	int id = new_shm(IPC_PRIVATE, 9000, 0600);
	say("a last index: %d", shmctl(0, IPC_INFO, (void *)&limits) >= 0);
	say("max %lu min %lu mni %lu seg %lu all %lu", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg, limits.shmall);
	int last = shmctl(0, SHM_INFO, (void *)&usage);
	say("a last index: %d, some used: %d, pages: %d", last >= 0, usage.used_ids > 0, usage.shm_tot >= 3);
	struct shmid_ds ds;
	int found = 0;
	for (int i = 0; i <= last; i++)
		if (shmctl(i, SHM_STAT, &ds) == id)
			found++;
	say("found by index: %d", found);
	found = 0;
	for (int i = 0; i <= last; i++)
		if (shmctl(i, SHM_STAT_ANY, &ds) == id)
			found++;
	say("found by index, any: %d, size %zu", found, ds.shm_segsz ? (size_t)1 : 0);
	IN_CHILD("stranger")
	{
		become_user(65534);
		int index = id & 32767;
		show(shmctl(index, SHM_STAT, &ds));
		show_ok(shmctl(index, SHM_STAT_ANY, &ds));
	}
	show(shmctl(32767, SHM_STAT, &ds));
}

// The line of /proc/self/maps at `address`, without the address and the numbers of device and inode.
static void map_line(const char *what, void *address, int id)
{
	char line[256], path[128] = "", rights[8];
	unsigned long start, end, offset, inode;
	unsigned major, minor;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof line, maps)) {
		path[0] = 0;
		sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %127[^\n]", &start, &end, rights, &offset, &major, &minor, &inode, path);
		if (start == (unsigned long)address)
			say("%s: %lu bytes %s at %lx, inode is the id: %d, %s", what, end - start, rights, offset, inode == (unsigned)id,
			    path);
	}
	fclose(maps);
}

CHECK(maps)
{
	int id = new_shm(IPC_PRIVATE, 10000, 0600);
	char *at = shmat(id, NULL, 0);
	char *other = shmat(id, NULL, SHM_RDONLY);
	map_line("read and write", at, id);
	map_line("read", other, id);
	munmap(at, PAGE);
	map_line("rest", at + PAGE, id);
	shmdt(at);
	at = shmat(id, NULL, SHM_EXEC);
	map_line("exec", at, id);
}

CHECK(proc_file)
{
	int id = new_shm(a_key(5), 10000, IPC_CREAT | 0640);
	char line[512];
	FILE *file = fopen("/proc/sysvipc/shm", "r");
	need(file ? 0 : -1);
	fgets(line, sizeof line, file);
	say("%s", strtok(line, "\n"));
	while (fgets(line, sizeof line, file)) {
		int key, found, mode;
		unsigned long size, cpid, lpid, nattch, uid, gid, cuid, cgid;
		sscanf(line, "%d %d %o %lu %lu %lu %lu %lu %lu %lu %lu", &key, &found, &mode, &size, &cpid, &lpid, &nattch, &uid, &gid,
		       &cuid, &cgid);
		if (found == id)
			say("key %d mode %o size %lu cpid mine %d lpid %lu nattch %lu %lu %lu %lu %lu; %zu bytes", key == a_key(5), mode, size,
			    (int)cpid == getpid(), lpid, nattch, uid, gid, cuid, cgid, strlen(line) - pid_overflow());
	}
	fclose(file);
}

CHECK(futex_between)
{
	int id = new_shm(IPC_PRIVATE, 4096, 0600);
	int *at = shmat(id, NULL, 0);
	pid_t child = start();
	if (child == 0) {
		int *mine = shmat(id, NULL, 0);
		at[1] = 1;
		long result = raw(SYS_futex, mine, FUTEX_WAIT_, 0, NULL);
		_exit(result == 0 ? 3 : 4);
	}
	wait_for(at + 1, 1);
	wait_asleep(child);
	show(raw(SYS_futex, at, FUTEX_WAKE_, 1));
	reap("child", child);
}

CHECK(races)
{
	// Attach against remove: each attach works or says why not.
	int bad = 0;
	for (int round = 0; round < 25; round++) {
		int id = new_shm(IPC_PRIVATE, 4096, 0600);
		nr_noted[0]--;
		pid_t child = start();
		if (child == 0) {
			int wrong = 0;
			for (int i = 0; i < 20; i++) {
				void *at = shmat(id, NULL, 0);
				if (at == (void *)-1)
					wrong += errno != EINVAL && errno != EIDRM;
				else
					wrong += shmdt(at) != 0;
			}
			_exit(wrong);
		}
		sched_yield();
		bad += shmctl(id, IPC_RMID, NULL) != 0;
		int status;
		waitpid(child, &status, 0);
		bad += status != 0;
		struct shmid_ds ds;
		bad += shmctl(id, IPC_STAT, &ds) == 0;
	}
	say("bad: %d", bad);
}
