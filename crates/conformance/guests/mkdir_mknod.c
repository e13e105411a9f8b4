// mkdir_mknod.c: making directories and nodes: modes, inheritance, sticky directories.
//
// Calls: mkdir mkdirat mknod mknodat umask
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <grp.h>
#include <sys/sysmacros.h>

static void state(const char *name)
{
	struct stat st;
	if (lstat(name, &st))
		say("%s: %s", name, errno_name(errno));
	else
		say("%s: %s %o %d:%d", name, type_name(st.st_mode), st.st_mode & 07777, (int)st.st_uid, (int)st.st_gid);
}

static void become_user(int uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		say("no longer root: %s", errno_name(errno));
}

CHECK(mkdir_cases)
{
	static char name[300];
	memset(name, 'n', 256);
	close(open("f", O_CREAT | O_WRONLY, 0644));
	symlink("missing", "lm");
	show(mkdir("d", 0755));
	show(mkdir("d", 0755));
	show(mkdir("d/", 0755));
	show(mkdir("e/", 0755));
	show(mkdir("g///", 0755));
	show(mkdir("f", 0755));
	show(mkdir("f/", 0755));
	show(mkdir("f/x", 0755));
	show(mkdir("missing/x", 0755));
	show(mkdir("lm", 0755));
	show(mkdir("lm/", 0755));
	show(mkdir(".", 0755));
	show(mkdir("..", 0755));
	show(mkdir("d/.", 0755));
	show(mkdir("h/.", 0755));
	show(mkdir("/", 0755));
	show(mkdir("", 0755));
	show(mkdir(name, 0755));
	show(mkdir(bad_pointer(), 0755));
	show(mkdirat(99, "x", 0755));
	show(mkdirat(open("f", O_RDONLY), "x", 0755));
	show(mkdirat(open("d", O_PATH), "x", 0755));
	state("d/x");
}

CHECK(modes)
{
	static const mode_t modes[] = { 0, 0777, 01777, 07777, 0100755 };
	for (int m = 0; m < 2; m++) {
		umask(m ? 027 : 0);
		for (int i = 0; i < 5; i++) {
			char name[16];
			sprintf(name, "d%d%d", m, i);
			mkdir(name, modes[i]);
			state(name);
		}
	}
}

CHECK(umask_values)
{
	show(umask(0));
	show(umask(0777));
	show(umask(07777));
	show(umask(-1));
	show(umask(022));
	umask(0);
	IN_CHILD("child") {
		show(umask(055));
	}
	show(umask(022));
}

CHECK(setgid_is_inherited)
{
	mkdir("d", 0777);
	chown("d", 0, 3000);
	chmod("d", 02777);
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	state("d/f");
	mkdir("d/e", 0755);
	state("d/e");
	mkdir("d/e/deeper", 0700);
	state("d/e/deeper");
	mkfifo("d/p", 0644);
	state("d/p");
	symlink("x", "d/l");
	state("d/l");
	mkdir("plain", 0755);
	rename("plain", "d/plain");
	state("d/plain");
	IN_CHILD("user outside the group") {
		become_user(1000);
		close(open("d/uf", O_CREAT | O_WRONLY, 02755));
		state("d/uf");
		close(open("d/uf2", O_CREAT | O_WRONLY, 02644));
		state("d/uf2");
		mkdir("d/ud", 0755);
		state("d/ud");
	}
}

CHECK(sticky_directory)
{
	mkdir("t", 0777);
	chmod("t", 01777);
	chmod(".", 0755);
	close(open("t/root", O_CREAT | O_WRONLY, 0666));
	mkdir("t/rootdir", 0777);
	IN_CHILD("user 1000 creates") {
		become_user(1000);
		umask(0);
		close(open("t/mine", O_CREAT | O_WRONLY, 0666));
		mkdir("t/mydir", 0777);
		show(unlink("t/root"));
		show(rmdir("t/rootdir"));
		show(rename("t/root", "t/x"));
		show(rename("t/mine", "t/root"));
		show(rename("t/mine", "t/moved"));
	}
	IN_CHILD("user 1001 tries") {
		become_user(1001);
		show(unlink("t/moved"));
		show(rmdir("t/mydir"));
		show(rename("t/moved", "t/x"));
		show(open("t/moved", O_RDWR));
		show(unlink("t/missing"));
	}
	IN_CHILD("user 1000 removes") {
		become_user(1000);
		show(unlink("t/moved"));
		show(rmdir("t/mydir"));
	}
	chown("t", 1001, -1);
	IN_CHILD("owner of the directory") {
		become_user(1001);
		show(unlink("t/root"));
	}
}

CHECK(mknod_cases)
{
	show(mknod("reg", S_IFREG | 0640, 0));
	state("reg");
	show(mknod("zero", 0604, 0));
	state("zero");
	show(mknod("dir", S_IFDIR | 0755, 0));
	show(mknod("link", S_IFLNK | 0755, 0));
	show(mknod("junk", 0170000 | 0755, 0));
	show(mknod("reg", S_IFREG | 0640, 0));
	show(mknod("sock", S_IFSOCK | 0640, 0));
	state("sock");
	show(mknod("reg/", S_IFREG | 0640, 0));
	show(mknod("new/", S_IFREG | 0640, 0));
	show(mknod(bad_pointer(), S_IFREG, 0));
	show(mknodat(99, "x", S_IFREG, 0));
	IN_CHILD("user") {
		chmod(".", 0777);
		become_user(1000);
		show(mknod("char", S_IFCHR | 0666, makedev(1, 3)));
		show(mknod("block", S_IFBLK | 0666, makedev(7, 0)));
		show(mknod("pipe", S_IFIFO | 0600, 0));
		show(mknod("file", S_IFREG | 0600, 0));
	}
}

CHECK(device_nodes)
{
	struct stat st;
	char c = 'x';
	if (show(mknod("null", S_IFCHR | 0666, makedev(1, 3))))
		return;
	lstat("null", &st);
	say("%s %u:%u", type_name(st.st_mode), major(st.st_rdev), minor(st.st_rdev));
	int fd = show(open("null", O_RDWR));
	show(read(fd, &c, 1));
	show(write(fd, &c, 1));
	mknod("zero", S_IFCHR | 0666, makedev(1, 5));
	show(read(open("zero", O_RDONLY), &c, 1));
	say("read %d", c);
	mknod("none", S_IFCHR | 0666, makedev(250, 77));
	show(open("none", O_RDONLY));
	mknod("noblock", S_IFBLK | 0666, makedev(250, 77));
	show(open("noblock", O_RDONLY));
}
