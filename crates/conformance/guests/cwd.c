// cwd.c: working and root directories.
//
// Calls: getcwd chdir fchdir chroot
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <grp.h>
#include <pthread.h>

static char path[PATH_MAX + 100];

// The working directory, below the check's own.
static void where(const char *base)
{
	if (syscall(SYS_getcwd, path, sizeof path) < 0)
		say("getcwd = %s", errno_name(errno));
	else
		say("at <base>%s", strncmp(path, base, strlen(base)) ? " elsewhere" : path + strlen(base));
}

CHECK(changing)
{
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	symlink("d/e", "l");
	close(open("f", O_CREAT | O_WRONLY, 0644));
	show(chdir("d"));
	where(base);
	show(chdir("e/../e/."));
	where(base);
	show(chdir("../.."));
	show(chdir("l"));
	where(base);
	show(chdir(".."));
	where(base);
	show(chdir(base));
	show(chdir("f"));
	show(chdir("missing"));
	show(chdir(""));
	show(chdir(bad_pointer()));
	show(chdir("f/"));
	where(base);
}

CHECK(by_descriptor)
{
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	mkdir("d", 0755);
	int d = open("d", O_RDONLY), f = open("f", O_CREAT | O_RDWR, 0644), p[2];
	pipe(p);
	show(fchdir(d));
	where(base);
	show(fchdir(f));
	show(fchdir(p[0]));
	show(fchdir(99));
	show(fchdir(-1));
	show(fchdir(AT_FDCWD));
	rename("../d", "../moved");
	where(base);
}

CHECK(getcwd_sizes)
{
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	size_t length = strlen(base) + 1;
	say("exact size gives its length: %d", syscall(SYS_getcwd, path, length) == (long)length);
	show(syscall(SYS_getcwd, path, length - 1));
	show(syscall(SYS_getcwd, path, 0));
	show(syscall(SYS_getcwd, path, 1));
	show(syscall(SYS_getcwd, NULL, 0));
	show(syscall(SYS_getcwd, bad_pointer(), PATH_MAX));
	show(syscall(SYS_getcwd, bad_pointer(), 1));
	show(syscall(SYS_getcwd, at_edge(3), PATH_MAX));
	say("a buffer that ends with the answer: %d", syscall(SYS_getcwd, at_edge(length), PATH_MAX) == (long)length);
}

CHECK(very_deep)
{
	char name[201];
	memset(name, 'd', 200);
	name[200] = 0;
	int depth = 0;
	while (depth < 30 && !mkdir(name, 0755) && !chdir(name))
		depth++;
	show(depth);
	show(syscall(SYS_getcwd, path, sizeof path));
	show(open("f", O_CREAT | O_RDWR, 0644));
	for (int i = 0; i < depth; i++) {
		unlink("f");
		chdir("..");
		rmdir(name);
	}
	show(access(name, F_OK));
}

CHECK(inherited_and_separate)
{
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	mkdir("d", 0755);
	IN_CHILD("child") {
		where(base);
		chdir("d");
		where(base);
	}
	where(base);
}

static void *change(void *unused UNUSED)
{
	chdir("d");
	return NULL;
}

CHECK(threads_share)
{
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	mkdir("d", 0755);
	pthread_t thread;
	pthread_create(&thread, NULL, change, NULL);
	pthread_join(thread, NULL);
	where(base);
}

CHECK(new_root)
{
	mkdir("r", 0755);
	mkdir("r/in", 0755);
	close(open("r/f", O_CREAT | O_WRONLY, 0644));
	close(open("outside", O_CREAT | O_WRONLY, 0644));
	symlink("/f", "r/absolute");
	symlink("../../../f", "r/in/up");
	IN_CHILD("inside") {
		int d = open(".", O_RDONLY), out = open("outside", O_RDONLY);
		show(chroot("r"));
		show(access("/f", F_OK));
		show(access("/../f", F_OK));
		show(access("/absolute", F_OK));
		show(access("/in/up", F_OK));
		show(access("outside", F_OK));
		syscall(SYS_getcwd, path, sizeof path);
		say("working directory is outside: %d", !strncmp(path, "(unreachable)", 13));
		show(chdir("/"));
		show(syscall(SYS_getcwd, path, sizeof path));
		say("%s", path);
		show(chdir(".."));
		say("still the root: %d", !access("in", F_OK));
		show(access("/outside", F_OK));
		show(faccessat(d, "outside", F_OK, 0));
		show(fchdir(d));
		show(access("outside", F_OK));
		show(fcntl(out, F_GETFD));
		show(chroot("."));
		show(access("/outside", F_OK));
	}
}

CHECK(chroot_errors)
{
	close(open("f", O_CREAT | O_WRONLY, 0644));
	show(chroot("f"));
	show(chroot("missing"));
	show(chroot(""));
	show(chroot(bad_pointer()));
	IN_CHILD("user") {
		setresuid(1000, 1000, 1000);
		show(chroot("."));
		show(chroot("missing"));
	}
}
