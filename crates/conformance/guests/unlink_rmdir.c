// unlink_rmdir.c: removing names: files, directories, busy and special ones.
//
// Calls: unlink unlinkat rmdir
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"

static void make(const char *name)
{
	close(need(open(name, O_CREAT | O_WRONLY, 0644)));
}

CHECK(unlink_cases)
{
	make("f");
	mkdir("d", 0755);
	symlink("f", "l");
	symlink("d", "ld");
	symlink("missing", "lm");
	mkfifo("p", 0600);
	show(unlink("missing"));
	show(unlink("d"));
	show(unlink("d/"));
	show(unlink("f/"));
	show(unlink("f/x"));
	show(unlink("missing/x"));
	show(unlink("ld/"));
	show(unlink("ld"));
	show(unlink("lm"));
	show(unlink("l"));
	show(access("f", F_OK));
	show(unlink("p"));
	show(unlink("."));
	show(unlink(".."));
	show(unlink("/"));
	show(unlink(""));
	show(unlink(bad_pointer()));
	show(unlink("f"));
	show(unlink("f"));
	show(unlink("/proc/self/status"));
}

CHECK(rmdir_cases)
{
	make("f");
	mkdir("d", 0755);
	mkdir("full", 0755);
	make("full/f");
	symlink("d", "ld");
	show(rmdir("missing"));
	show(rmdir("f"));
	show(rmdir("f/"));
	show(rmdir("full"));
	show(rmdir("ld"));
	show(rmdir("ld/"));
	show(rmdir("."));
	show(rmdir("./"));
	show(rmdir(".."));
	show(rmdir("d/."));
	show(rmdir("d/.."));
	show(rmdir("/"));
	show(rmdir(""));
	show(rmdir(bad_pointer()));
	show(rmdir("d/"));
	show(rmdir("d"));
	show(rmdir("/proc/self"));
	unlink("full/f");
	show(rmdir("full"));
}

CHECK(unlinkat_cases)
{
	mkdir("d", 0755);
	make("d/f");
	mkdir("d/e", 0755);
	int d = open("d", O_PATH);
	show(unlinkat(d, "f", AT_REMOVEDIR));
	show(unlinkat(d, "e", 0));
	show(unlinkat(d, "e", 1));
	show(unlinkat(d, "f", AT_REMOVEDIR | 1));
	show(unlinkat(99, "f", 0));
	show(unlinkat(99, "f", 1));
	show(unlinkat(d, "f", 0));
	show(unlinkat(d, "e", AT_REMOVEDIR));
	show(unlinkat(d, "", AT_REMOVEDIR));
	show(unlinkat(d, ".", AT_REMOVEDIR));
	show(unlinkat(d, "", AT_EMPTY_PATH));
}

CHECK(working_directory_removed)
{
	char path[256];
	struct stat st;
	mkdir("d", 0755);
	chdir("d");
	show(rmdir("../d"));
	show(getcwd(path, sizeof path) ? 0 : -1);
	show(stat(".", &st));
	show(st.st_nlink);
	show(stat("..", &st));
	show(open("x", O_CREAT | O_RDWR, 0600));
	show(mkdir("x", 0755));
	show(symlink("x", "y"));
	show(mkfifo("x", 0600));
	show(open(".", O_TMPFILE | O_RDWR, 0600));
	show(chdir("."));
	show(chdir(".."));
}

CHECK(open_directory_removed)
{
	char entries[512];
	mkdir("d", 0755);
	int d = open("d", O_RDONLY);
	show(rmdir("d"));
	show(syscall(SYS_getdents64, d, entries, sizeof entries));
	show(fchdir(d));
	show(mkdir("d", 0755));
	show(fchmod(d, 0700));
}

CHECK(links_count_down)
{
	struct stat st;
	make("a");
	link("a", "b");
	link("a", "c");
	int fd = open("a", O_RDONLY);
	static const char *names[] = { "b", "a", "c" };
	for (int i = 0; i < 3; i++) {
		unlink(names[i]);
		fstat(fd, &st);
		show(st.st_nlink);
	}
}

CHECK(permission)
{
	mkdir("d", 0755);
	make("d/f");
	chmod("d/f", 0666);
	chmod(".", 0755);
	IN_CHILD("user") {
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		show(unlink("d/f"));
		show(unlink("d/missing"));
		show(unlink("d"));
		show(rmdir("d"));
		show(rmdir("missing"));
		show(mkdir("new", 0755));
		show(mkdir("d", 0755));
		show(open("d/f", O_CREAT | O_RDWR, 0644));
		show(open("d/new", O_CREAT | O_RDWR, 0644));
		show(rename("d/f", "d/g"));
		show(link("d/f", "d/g"));
		show(symlink("x", "d/g"));
	}
}
