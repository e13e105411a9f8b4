// chmod_chown.c: changing modes and owners, what it clears, who may.
//
// Calls: chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <grp.h>

static void become_user(int uid, int gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		say("no longer root: %s", errno_name(errno));
}

static void make(const char *name, mode_t mode)
{
	close(need(open(name, O_CREAT | O_WRONLY, 0600)));
	need(chmod(name, mode));
}

static void state(const char *name)
{
	struct stat st;
	if (lstat(name, &st))
		say("%s: %s", name, errno_name(errno));
	else
		say("%s: %o %d:%d", name, st.st_mode & 07777, (int)st.st_uid, (int)st.st_gid);
}

CHECK(modes)
{
	static const mode_t modes[] = { 0, 0777, 07777, 010644, 0100644, 04000, 02010, 02000, 01000 };
	make("f", 0644);
	mkdir("d", 0755);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		say("%o", modes[i]);
		chmod("f", modes[i]);
		state("f");
		chmod("d", modes[i]);
		state("d");
	}
}

CHECK(chmod_errors)
{
	make("f", 0644);
	symlink("f", "l");
	symlink("missing", "lm");
	show(chmod("missing", 0600));
	show(chmod("lm", 0600));
	show(chmod("l", 0640));
	state("f");
	state("l");
	show(chmod("f/", 0600));
	show(chmod("", 0600));
	show(chmod(bad_pointer(), 0600));
	show(fchmod(99, 0600));
	show(fchmodat(99, "f", 0600, 0));
	show(syscall(SYS_fchmodat, AT_FDCWD, "l", 0600));
	show(syscall(452, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW));
	show(syscall(452, AT_FDCWD, "f", 0604, AT_SYMLINK_NOFOLLOW));
	show(syscall(452, open("f", O_PATH), "", 0611, AT_EMPTY_PATH));
	show(syscall(452, AT_FDCWD, "f", 0604, 1));
	state("f");
}

CHECK(chown_by_root)
{
	make("f", 06755);
	show(chown("f", 5, 6));
	state("f");
	chmod("f", 06755);
	show(chown("f", -1, -1));
	state("f");
	chmod("f", 02745);
	show(chown("f", -1, 7));
	state("f");
	make("x", 06666);
	show(chown("x", 9, -1));
	state("x");
	mkdir("d", 0755);
	chmod("d", 06755);
	show(chown("d", 5, 6));
	state("d");
	show(chown("f", -2, 1 << 30));
	state("f");
}

CHECK(chown_of_links)
{
	make("f", 0644);
	symlink("f", "l");
	symlink("missing", "lm");
	show(lchown("l", 3, 4));
	state("l");
	state("f");
	show(chown("l", 5, 6));
	state("l");
	state("f");
	show(chown("lm", 1, 1));
	show(lchown("lm", 1, 1));
	show(fchownat(AT_FDCWD, "l", 7, 8, AT_SYMLINK_NOFOLLOW));
	state("l");
	show(fchownat(open("f", O_RDONLY), "", 9, 9, AT_EMPTY_PATH));
	state("f");
	show(fchownat(AT_FDCWD, "f", 9, 9, 1));
	show(fchownat(99, "f", 9, 9, 0));
	show(fchown(99, 1, 1));
	show(chown(bad_pointer(), 1, 1));
	show(chown("missing", 1, 1));
}

CHECK(by_a_user)
{
	make("own", 06755);
	chown("own", 1000, 1000);
	chmod("own", 06755);
	make("foreign", 0666);
	chmod(".", 0755);
	IN_CHILD("user") {
		become_user(1000, 1000);
		show(chmod("foreign", 0600));
		show(chown("foreign", -1, -1));
		show(chown("foreign", 1000, -1));
		show(chown("own", 1001, -1));
		show(chown("own", -1, 1001));
		state("own");
		show(chown("own", 1000, 1000));
		state("own");
		chmod("own", 06755);
		show(chown("own", -1, -1));
		state("own");
		show(chmod("own", 07777));
		state("own");
		show(chmod("missing", 0));
	}
}

CHECK(setgid_needs_membership)
{
	make("f", 0644);
	chown("f", 1000, 2000);
	IN_CHILD("user outside the group") {
		become_user(1000, 1000);
		show(chmod("f", 02755));
		state("f");
	}
	IN_CHILD("user in the group") {
		gid_t groups[] = { 2000 };
		setgroups(1, groups);
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		show(chmod("f", 02755));
		state("f");
		show(chown("f", -1, 2000));
		state("f");
	}
}

CHECK(writing_clears_set_id)
{
	make("f", 0777);
	chown("f", 1000, 1000);
	chmod("f", 06777);
	close(open("f", O_RDWR));
	int fd = open("f", O_RDWR);
	write(fd, "x", 1);
	state("f");
	IN_CHILD("user writes") {
		become_user(1001, 1001);
		int mine = open("f", O_RDWR);
		write(mine, "x", 1);
		state("f");
	}
	chmod("f", 06777);
	IN_CHILD("user truncates") {
		become_user(1001, 1001);
		truncate("f", 0);
		state("f");
	}
	chmod("f", 06777);
	IN_CHILD("user opens with O_TRUNC") {
		become_user(1001, 1001);
		open("f", O_WRONLY | O_TRUNC);
		state("f");
	}
	chmod("f", 06767);
	IN_CHILD("user writes, not group executable") {
		become_user(1001, 1001);
		int mine = open("f", O_RDWR);
		write(mine, "x", 1);
		state("f");
	}
}

CHECK(sticky_on_files)
{
	make("f", 0644);
	chown("f", 1000, 1000);
	IN_CHILD("user") {
		become_user(1000, 1000);
		show(chmod("f", 01644));
		state("f");
	}
}
