// mount_tmpfs.c: mounting and unmounting tmpfs: covering, busy mounts, options.
//
// Calls: mount umount2
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <pthread.h>
#include <sys/statfs.h>

// In a child with mounts of its own.
#define WITH_OWN_MOUNTS                                                        \
	for (pid_t child_ = start(), once_ = 1; once_; reap("child", child_), once_ = 0) \
		for (own_mounts(child_); child_ == 0; _exit(0))

static void own_mounts(pid_t child)
{
	if (child == 0)
		have_own_mounts();
}

static void make(const char *name)
{
	close(open(name, O_CREAT | O_WRONLY, 0644));
}

static void type(const char *path)
{
	struct statfs fs;
	struct stat st, parent;
	char up[64];
	snprintf(up, sizeof up, "%s/..", path);
	if (statfs(path, &fs) || stat(path, &st) || stat(up, &parent))
		say("%s: %s", path, errno_name(errno));
	else
		say("%s: tmpfs %d, a mount point %d", path, fs.f_type == 0x01021994, st.st_dev != parent.st_dev);
}

CHECK(covers_and_uncovers)
{
	mkdir("m", 0755);
	make("m/below");
	WITH_OWN_MOUNTS {
		show(mount("none", "m", "tmpfs", 0, NULL));
		type("m");
		show(access("m/below", F_OK));
		make("m/above");
		show(access("m/above", F_OK));
		show(umount2("m", 0));
		show(access("m/above", F_OK));
		show(access("m/below", F_OK));
		show(umount2("m", 0));
	}
}

CHECK(stacked)
{
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		show(mount("a", "m", "tmpfs", 0, NULL));
		make("m/first");
		show(mount("b", "m", "tmpfs", 0, NULL));
		show(access("m/first", F_OK));
		show(umount2("m", 0));
		show(access("m/first", F_OK));
		show(umount2("m", 0));
	}
}

CHECK(busy)
{
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		mount("none", "m", "tmpfs", 0, NULL);
		make("m/f");
		int fd = open("m/f", O_RDWR);
		show(umount2("m", 0));
		show(umount2("m", MNT_DETACH));
		show(access("m/f", F_OK));
		show(write(fd, "alive", 5));
		close(fd);
		mount("none", "m", "tmpfs", 0, NULL);
		chdir("m");
		show(umount2("../m", 0));
		chdir("..");
		show(umount2("m", 0));
	}
}

CHECK(names_under_a_mount)
{
	mkdir("m", 0755);
	mkdir("n", 0755);
	make("f");
	WITH_OWN_MOUNTS {
		mount("none", "m", "tmpfs", 0, NULL);
		make("m/f");
		show(rename("m/f", "f"));
		show(rename("f", "m/g"));
		show(link("m/f", "l"));
		show(rmdir("m"));
		show(rename("m", "other"));
		show(rename("n", "m"));
		show(unlink("m"));
		show(access("m/../f", F_OK));
		show(open("m/..", O_RDONLY | O_DIRECTORY));
		umount2("m", MNT_DETACH);
	}
}

CHECK(options)
{
	struct stat st;
	struct statfs fs;
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		show(mount("none", "m", "tmpfs", 0, "mode=0711,uid=5,gid=6,size=64k,nr_inodes=10"));
		stat("m", &st);
		say("%o %d:%d", st.st_mode & 07777, (int)st.st_uid, (int)st.st_gid);
		statfs("m", &fs);
		say("size %ld, inodes %ld", (long)(fs.f_blocks * fs.f_bsize), (long)fs.f_files);
		static char block[70000];
		int fd = open("m/f", O_CREAT | O_RDWR, 0644);
		show(write(fd, block, sizeof block));
		show(write(fd, block, 1));
		show(ftruncate(fd, 0));
		show(write(fd, block, 4096));
		int files = 0;
		char name[32];
		for (; files < 20; files++) {
			sprintf(name, "m/n%d", files);
			if (mknod(name, S_IFREG | 0644, 0))
				break;
		}
		say("%d more files, then %s", files, errno_name(errno));
		close(fd);
		show(umount2("m", 0));
		show(mount("none", "m", "tmpfs", 0, "nonsense=1"));
		show(mount("none", "m", "tmpfs", 0, "mode=9"));
		show(mount("none", "m", "tmpfs", 0, "size=banana"));
	}
}

CHECK(read_only_and_other_flags)
{
	struct stat st;
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		mount("none", "m", "tmpfs", 0, NULL);
		make("m/f");
		show(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		show(open("m/f", O_RDONLY));
		show(open("m/f", O_RDWR));
		show(open("m/new", O_CREAT | O_RDWR, 0644));
		show(open("m/f", O_CREAT | O_RDONLY, 0644));
		show(unlink("m/f"));
		show(mkdir("m/d", 0755));
		show(chmod("m/f", 0600));
		show(utimensat(AT_FDCWD, "m/f", NULL, 0));
		show(access("m/f", W_OK));
		show(truncate("m/f", 0));
		show(rename("m/f", "m/g"));
		show(unlink("m/missing"));
		show(mkdir("m/f", 0755));
		for (int fd = 3; fd < 10; fd++)
			close(fd);
		show(mount("none", "m", NULL, MS_REMOUNT, NULL));
		int fd = show(open("m/f", O_RDWR));
		show(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		close(fd);
		show(mount("none", "m", NULL, MS_REMOUNT | MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL));
		mknod("m/null", S_IFCHR | 0666, 0x103);
		show(stat("m/null", &st));
		show(open("m/null", O_RDWR));
		umount2("m", MNT_DETACH);
	}
}

CHECK(bind)
{
	mkdir("a", 0755);
	make("a/f");
	mkdir("b", 0755);
	make("file");
	WITH_OWN_MOUNTS {
		show(mount("a", "b", NULL, MS_BIND, NULL));
		show(access("b/f", F_OK));
		make("b/new");
		show(access("a/new", F_OK));
		show(rename("a/new", "b/moved"));
		show(mount("a/f", "file", NULL, MS_BIND, NULL));
		show(mount("a", "file", NULL, MS_BIND, NULL));
		show(mount("missing", "b", NULL, MS_BIND, NULL));
		show(umount2("file", 0));
		show(umount2("b", 0));
		show(access("b/f", F_OK));
	}
}

CHECK(move)
{
	mkdir("a", 0755);
	mkdir("b", 0755);
	WITH_OWN_MOUNTS {
		mount("none", "a", "tmpfs", 0, NULL);
		make("a/f");
		show(mount("a", "b", NULL, MS_MOVE, NULL));
		show(access("a/f", F_OK));
		show(access("b/f", F_OK));
		show(mount("a", "b", NULL, MS_MOVE, NULL));
		show(umount2("b", 0));
	}
}

CHECK(errors)
{
	mkdir("m", 0755);
	make("f");
	WITH_OWN_MOUNTS {
		show(mount("none", "missing", "tmpfs", 0, NULL));
		show(mount("none", "f", "tmpfs", 0, NULL));
		show(mount("none", "m", "no_such_fs", 0, NULL));
		show(mount("none", "m", NULL, 0, NULL));
		show(mount("none", bad_pointer(), "tmpfs", 0, NULL));
		show(mount("none", "m", bad_pointer(), 0, NULL));
		show(mount(bad_pointer(), "m", "tmpfs", 0, NULL));
		show(mount("none", "m", "tmpfs", 0, bad_pointer()));
		show(mount("none", "m", "tmpfs", MS_REMOUNT, NULL));
		show(umount2("missing", 0));
		show(umount2("m", 0));
		show(umount2("m", 0x100));
		show(umount2(bad_pointer(), 0));
		show(umount2("f", 0));
		setresuid(1000, 1000, 1000);
		show(mount("none", "m", "tmpfs", 0, NULL));
		show(umount2("m", 0));
	}
}

// poll tells of each change once: POLLERR and POLLPRI.
CHECK(changes_are_polled)
{
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		struct pollfd changes[2] = { { .fd = open("/proc/self/mounts", O_RDONLY), .events = POLLPRI } };
		changes[1] = (struct pollfd){ .fd = open("/proc/self/mountinfo", O_RDONLY), .events = POLLPRI | POLLIN };
		show(poll(changes, 1, 0));
		show(mount("none", "m", "tmpfs", 0, NULL));
		show(poll(changes, 2, 0));
		say("mounts %s, mountinfo %s", poll_names(changes[0].revents), poll_names(changes[1].revents));
		show(poll(changes, 1, 0));
		show(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		show(poll(changes, 1, 0));
		int told[2];
		need(pipe(told));
		pid_t waiting = start();
		if (waiting == 0) {
			changes[0].fd = open("/proc/self/mounts", O_RDONLY);
			need(write(told[1], "r", 1));
			long result = poll(changes, 1, PATIENCE_MS);
			say("sleeper: %ld %s", result, poll_names(changes[0].revents));
			_exit(0);
		}
		char byte;
		need(read(told[0], &byte, 1));
		wait_asleep(waiting);
		need(umount2("m", 0));
		reap("sleeper", waiting);
		show(poll(changes, 1, 0));
		say("mounts %s", poll_names(changes[0].revents));
	}
}

CHECK(move_to_a_removed_directory)
{
	mkdir("m", 0755);
	mkdir("gone", 0755);
	WITH_OWN_MOUNTS {
		need(mount("none", "m", "tmpfs", 0, NULL));
		make("m/f");
		need(chdir("gone"));
		need(rmdir("../gone"));
		show(mount("../m", ".", NULL, MS_MOVE, NULL));
		need(chdir(".."));
		show(access("m/f", F_OK));
		show(umount2("m", 0));
	}
}

static void free_blocks(const char *when)
{
	struct statfs fs;
	need(statfs("m", &fs));
	say("%s: %ld free", when, (long)fs.f_bfree);
}

CHECK(fallocate_that_does_not_fit_takes_nothing)
{
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		need(mount("none", "m", "tmpfs", 0, "size=65536"));
		char page[4096] = { 0 };
		int full = need(open("m/full", O_CREAT | O_RDWR, 0644)), fd = need(open("m/f", O_CREAT | O_RDWR, 0644));
		for (int i = 0; i < 8; i++)
			write(full, page, sizeof page);
		pwrite(fd, "x", 1, 3 * 4096);
		free_blocks("before");
		show(fallocate(fd, 0, 100, 12 * 4096));
		free_blocks("after");
		show(fallocate(fd, 0, 100, 7 * 4096));
		free_blocks("after another");
		close(fd);
		close(full);
		show(umount2("m", 0));
	}
}

static void where(void)
{
	char here[PATH_MAX];
	say("getcwd: %s", getcwd(here, sizeof here) ? "a path" : errno_name(errno));
}

CHECK(detached_mounts_stand_alone)
{
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		need(mount("none", "m", "tmpfs", 0, NULL));
		need(mkdir("m/n", 0755));
		make("m/n/under");
		need(mount("none", "m/n", "tmpfs", 0, NULL));
		make("m/n/above");
		int outer = need(open("m", O_PATH)), inner = need(open("m/n", O_PATH));
		show(umount2("m", 0));
		show(umount2("m", MNT_DETACH));
		show(faccessat(outer, "n/under", F_OK, 0));
		show(faccessat(outer, "n/above", F_OK, 0));
		show(faccessat(inner, "above", F_OK, 0));
		show(faccessat(inner, "../above", F_OK, 0));
		show(faccessat(inner, "../n", F_OK, 0));
		need(fchdir(outer));
		show(umount2("n", 0));
		show(mount("none", "n", "tmpfs", 0, NULL));
		where();
		need(fchdir(inner));
		show(mkdir("sub", 0755));
		show(chdir("sub"));
		where();
		show(chdir("../.."));
		show(access("above", F_OK));
	}
}

CHECK(busy_by_mappings_and_fifos)
{
	mkdir("m", 0755);
	WITH_OWN_MOUNTS {
		need(mount("none", "m", "tmpfs", 0, NULL));
		int fd = need(open("m/f", O_RDWR | O_CREAT, 0600));
		need(ftruncate(fd, 4096));
		void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
		show(umount2("m", 0));
		munmap(page, 4096);
		need(mknod("m/p", S_IFIFO | 0600, 0));
		fd = need(open("m/p", O_RDWR));
		show(umount2("m", 0));
		close(fd);
		show(umount2("m", 0));
	}
}

static volatile int stop;

static void *list_and_mount_elsewhere(void *unused UNUSED)
{
	char text[4096];
	while (!stop) {
		int fd = open("/proc/self/mounts", O_RDONLY);
		while (read(fd, text, sizeof text) > 0)
			;
		close(fd);
		readlink("/proc/self/cwd", text, sizeof text);
		mount("none", "n", "tmpfs", 0, NULL);
		umount2("n", 0);
	}
	return NULL;
}

// Who lists mounts, or changes others, uses none.
CHECK(not_busy_by_looks)
{
	mkdir("m", 0755);
	mkdir("n", 0755);
	WITH_OWN_MOUNTS {
		pthread_t thread;
		int busy = 0;
		pthread_create(&thread, NULL, list_and_mount_elsewhere, NULL);
		for (int i = 0; i < 30; i++) {
			need(mount("none", "m", "tmpfs", 0, NULL));
			busy += umount2("m", 0) != 0;
		}
		stop = 1;
		pthread_join(thread, NULL);
		show(busy);
	}
}

// A directory that is moved out of the part that a mount shows has nothing above it there.
CHECK(moved_out_of_a_bind)
{
	mkdir("whole", 0755);
	mkdir("whole/part", 0755);
	mkdir("whole/part/d", 0755);
	mkdir("whole/out", 0755);
	mkdir("m", 0755);
	make("whole/secret");
	WITH_OWN_MOUNTS {
		need(mount("whole/part", "m", NULL, MS_BIND, NULL));
		int d = need(open("m/d", O_PATH));
		show(faccessat(d, "../d", F_OK, 0));
		need(rename("whole/part/d", "whole/out/d"));
		show(faccessat(d, ".", F_OK, 0));
		show(faccessat(d, "..", F_OK, 0));
		show(faccessat(d, "../../secret", F_OK, 0));
		need(fchdir(d));
		where();
		show(chdir(".."));
		show(mkdir("new", 0755));
		show(mkdir("../new", 0755));
		show(open("..", O_PATH));
	}
}
