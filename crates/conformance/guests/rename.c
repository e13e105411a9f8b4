// rename.c: renaming: replacing, types, loops, the same file.
//
// Calls: rename renameat
// Passes: host acrida
// Places: disk tmpfs
#include "renaming.h"

CHECK(files)
{
	make("a", "A");
	make("b", "B");
	show(rename("a", "c"));
	state("a");
	state("c");
	show(rename("c", "b"));
	state("b");
	state("c");
	show(rename("missing", "b"));
	state("b");
	show(rename("b", "b"));
	state("b");
}

CHECK(hard_links_of_one_file)
{
	make("a", "A");
	link("a", "b");
	// Nothing is done, and that counts as success.
	show(rename("a", "b"));
	state("a");
	state("b");
	show(rename("a", "./a"));
	state("a");
}

CHECK(directories)
{
	mkdir("d", 0755);
	mkdir("empty", 0755);
	mkdir("full", 0755);
	make("full/f", "x");
	make("file", "F");
	show(rename("d", "full"));
	show(rename("d", "empty"));
	state("d");
	state("empty");
	show(rename("empty", "file"));
	show(rename("file", "empty"));
	show(rename("full", "full/sub"));
	show(rename("full", "full/missing/sub"));
	show(rename("full/f", "full"));
	show(rename("full", "full/f"));
	mkdir("full/deep", 0755);
	show(rename("full", "full/deep/x"));
	show(rename("full/deep", "full"));
	show(rename("full", "full"));
}

CHECK(dots)
{
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	show(rename(".", "x"));
	show(rename("..", "x"));
	show(rename("d/.", "x"));
	show(rename("d/..", "x"));
	show(rename("d", "."));
	show(rename("d", "d/."));
	show(rename("d", "d/.."));
	show(rename("d/e/..", "x"));
	show(rename("/", "x"));
	show(rename("d", "/"));
	show(rename("missing", "."));
}

CHECK(trailing_slashes)
{
	mkdir("d", 0755);
	make("f", "F");
	symlink("d", "ld");
	show(rename("f/", "x"));
	show(rename("f", "x/"));
	show(rename("d/", "x"));
	state("x");
	show(rename("x", "y/"));
	state("y");
	show(rename("ld/", "z"));
	show(rename("missing/", "z"));
	show(rename("f", "y/"));
}

CHECK(symlinks_are_renamed_themselves)
{
	make("f", "F");
	symlink("f", "l");
	symlink("missing", "lm");
	mkdir("d", 0755);
	symlink("d", "ld");
	show(rename("l", "k"));
	state("k");
	show(rename("lm", "k"));
	state("k");
	state("f");
	show(rename("f", "k"));
	state("k");
	show(rename("d", "ld"));
	show(rename("ld", "d"));
	show(rename("k", "ld"));
	state("ld");
}

CHECK(errors)
{
	static char name[300];
	memset(name, 'n', 256);
	make("f", "F");
	mkdir("d", 0755);
	show(rename("", "x"));
	show(rename("f", ""));
	show(rename(bad_pointer(), "x"));
	show(rename("f", bad_pointer()));
	show(rename("missing", bad_pointer()));
	show(rename("f", name));
	show(rename(name, "f"));
	show(rename("f/x", "y"));
	show(rename("f", "f/x"));
	show(rename("missing/x", "f/x"));
	show(rename("f", "missing/x"));
	show(renameat(99, "f", AT_FDCWD, "x"));
	show(renameat(AT_FDCWD, "f", 99, "x"));
	show(renameat(open("f", O_RDONLY), "f", AT_FDCWD, "x"));
	show(renameat(AT_FDCWD, "f", open("d", O_PATH), "x"));
	state("d/x");
	show(rename("/proc/self/status", "x"));
	show(rename("d", "/proc/x"));
}

CHECK(open_files_follow)
{
	char text[8] = "";
	make("a", "A");
	make("b", "B");
	int a = open("a", O_RDONLY), b = open("b", O_RDWR);
	show(rename("a", "b"));
	read(a, text, 1);
	say("old a: %s", text);
	read(b, text, 1);
	say("old b: %s", text);
	struct stat st;
	fstat(b, &st);
	show(st.st_nlink);
	mkdir("d", 0755);
	int d = open("d", O_RDONLY);
	mkdir("e", 0755);
	show(rename("d", "e/moved"));
	make("e/moved/f", "f");
	show(faccessat(d, "f", F_OK, 0));
	show(faccessat(d, "../moved", F_OK, 0));
}

CHECK(working_directory_moves)
{
	char path[PATH_MAX];
	mkdir("d", 0755);
	mkdir("e", 0755);
	chdir("d");
	show(rename("../d", "../e/d2"));
	getcwd(path, sizeof path);
	say("now in ...%s", strstr(path, "/e/"));
	show(access("../../e", F_OK));
}

CHECK(racing_renames_lose_no_name)
{
	make("a", "A");
	pid_t pid = start();
	if (pid == 0) {
		for (int i = 0; i < 500; i++) {
			rename("a", "b");
			rename("b", "a");
		}
		_exit(0);
	}
	for (int i = 0; i < 500; i++) {
		rename("a", "b");
		rename("b", "a");
	}
	reap("other side", pid);
	say("exactly one name: %d", !access("a", F_OK) + !access("b", F_OK));
}
