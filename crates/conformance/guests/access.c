// access.c: permission queries: modes, real against effective user, errors.
//
// Calls: access faccessat faccessat2
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <grp.h>

static void become_user(int uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		say("no longer root: %s", errno_name(errno));
}

static void make(const char *name, mode_t mode)
{
	close(need(open(name, O_CREAT | O_WRONLY, 0600)));
	chmod(name, mode);
}

CHECK(root)
{
	make("none", 0);
	make("x", 0100);
	mkdir("d", 0);
	show(access("none", F_OK));
	show(access("none", R_OK | W_OK));
	show(access("none", X_OK));
	show(access("x", X_OK));
	show(access("d", R_OK | W_OK | X_OK));
	show(access("missing", F_OK));
}

CHECK(arguments)
{
	make("f", 0644);
	show(access("f", 8));
	show(access("f", -1));
	show(access("missing", 8));
	show(access(NULL, F_OK));
	show(access(bad_pointer(), F_OK));
	show(access(bad_pointer(), 8));
	show(access("", F_OK));
	show(access("f/", F_OK));
	show(access("f/x", F_OK));
	show(syscall(SYS_faccessat, 99, "f", F_OK));
	show(syscall(SYS_faccessat, 99, "/", F_OK));
	show(syscall(SYS_faccessat2, AT_FDCWD, "f", F_OK, 0x1));
	show(syscall(SYS_faccessat2, AT_FDCWD, "f", 8, 0x1));
	show(syscall(SYS_faccessat2, AT_FDCWD, "f", F_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW));
	show(syscall(SYS_faccessat2, AT_FDCWD, "", F_OK, AT_EMPTY_PATH));
	show(syscall(SYS_faccessat2, AT_FDCWD, "", F_OK, 0));
	show(syscall(SYS_faccessat2, 99, "", F_OK, AT_EMPTY_PATH));
}

CHECK(links)
{
	make("f", 0644);
	symlink("f", "l");
	symlink("missing", "lm");
	show(access("l", R_OK));
	show(access("lm", F_OK));
	show(syscall(SYS_faccessat2, AT_FDCWD, "lm", F_OK, AT_SYMLINK_NOFOLLOW));
	show(syscall(SYS_faccessat2, AT_FDCWD, "lm", W_OK, AT_SYMLINK_NOFOLLOW));
}

CHECK(classes)
{
	static const mode_t modes[] = { 0400, 0040, 0004, 0777, 0077, 0007, 0070, 0111 };
	chmod(".", 0755);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		char name[8];
		for (int owner = 0; owner < 3; owner++) {
			sprintf(name, "%d%zu", owner, i);
			make(name, modes[i]);
			chown(name, owner == 0 ? 1000 : 0, owner == 1 ? 1000 : 0);
			chmod(name, modes[i]);
		}
	}
	IN_CHILD("user 1000") {
		become_user(1000);
		for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
			for (int owner = 0; owner < 3; owner++) {
				char name[8];
				sprintf(name, "%d%zu", owner, i);
				say("%03o as %s: r %d w %d x %d", modes[i], owner == 0 ? "owner" : owner == 1 ? "group" : "other",
				    !access(name, R_OK), !access(name, W_OK), !access(name, X_OK));
			}
		}
	}
}

CHECK(search_permission)
{
	mkdir("d", 0755);
	make("d/f", 0666);
	mkdir("r", 0744);
	make("r/f", 0666);
	mkdir("x", 0711);
	make("x/f", 0666);
	chmod(".", 0755);
	IN_CHILD("user 1000") {
		become_user(1000);
		show(access("d/f", R_OK));
		show(access("r/f", F_OK));
		show(access("r/missing", F_OK));
		show(access("r", R_OK));
		show(open("r", O_RDONLY));
		show(access("x/f", R_OK));
		show(access("x", R_OK));
		show(open("x", O_RDONLY));
		show(open("x", O_PATH));
		show(open("x/f", O_RDWR));
		show(access("r/f/..", F_OK));
		show(chdir("r"));
		show(chdir("x"));
	}
}

CHECK(real_against_effective)
{
	make("f", 0600);
	chmod(".", 0755);
	IN_CHILD("real 1000, effective 0") {
		setresuid(1000, 0, 0);
		show(access("f", R_OK));
		show(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS));
		show(open("f", O_RDONLY));
		show(access("f", F_OK));
	}
	chown("f", 1000, 1000);
	IN_CHILD("real 0, effective 1001") {
		setresuid(0, 1001, 0);
		show(access("f", R_OK));
		show(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS));
		show(open("f", O_RDONLY));
	}
}
