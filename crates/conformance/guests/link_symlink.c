// link_symlink.c: hard and symbolic links, reading links.
//
// Calls: link linkat symlink symlinkat readlink readlinkat
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char text[PATH_MAX + 16];

static void make(const char *name)
{
	close(need(open(name, O_CREAT | O_WRONLY, 0644)));
}

CHECK(link_cases)
{
	make("f");
	mkdir("d", 0755);
	symlink("f", "l");
	show(link("f", "g"));
	show(link("f", "g"));
	show(link("f", "f"));
	show(link("missing", "h"));
	show(link("d", "e"));
	show(link("f", "d"));
	show(link("f", "d/"));
	show(link("f", "n/"));
	show(link("f/", "n"));
	show(link("f", "missing/n"));
	show(link("f", "f/n"));
	show(link("f", ""));
	show(link("", "n"));
	show(link(bad_pointer(), "n"));
	show(link("f", bad_pointer()));
	show(link("missing", bad_pointer()));
	show(link("f", "l"));
	show(link("d", "f"));
	show(link("/dev/null", "n"));
	show(link("/proc/self/status", "n"));
	struct stat st;
	stat("f", &st);
	show(st.st_nlink);
}

CHECK(link_of_a_symlink)
{
	make("f");
	symlink("f", "l");
	symlink("missing", "lm");
	struct stat st;
	show(link("l", "hard"));
	lstat("hard", &st);
	say("%s links %d", type_name(st.st_mode), (int)st.st_nlink);
	show(linkat(AT_FDCWD, "l", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
	lstat("followed", &st);
	say("%s links %d", type_name(st.st_mode), (int)st.st_nlink);
	show(link("lm", "hard2"));
	show(linkat(AT_FDCWD, "lm", AT_FDCWD, "followed2", AT_SYMLINK_FOLLOW));
}

CHECK(linkat_arguments)
{
	mkdir("d", 0755);
	make("d/f");
	int d = open("d", O_PATH), f = open("d/f", O_RDONLY);
	show(linkat(d, "f", d, "g", 0));
	show(linkat(d, "f", AT_FDCWD, "up", 0));
	show(linkat(99, "f", d, "h", 0));
	show(linkat(d, "f", 99, "h", 0));
	show(linkat(f, "f", d, "h", 0));
	show(linkat(d, "f", f, "h", 0));
	show(linkat(d, "f", d, "h", AT_SYMLINK_NOFOLLOW));
	show(linkat(d, "f", d, "h", 0x2000));
	show(linkat(f, "", d, "by_fd", AT_EMPTY_PATH));
	show(linkat(d, "", d, "dir_by_fd", AT_EMPTY_PATH));
	show(linkat(AT_FDCWD, "", d, "cwd", AT_EMPTY_PATH));
	show(linkat(99, "missing", 99, "h", 0x2000));
}

CHECK(symlink_cases)
{
	make("f");
	static char name[300];
	show(symlink("anything at all", "l"));
	show(symlink("other", "l"));
	show(symlink("x", "f"));
	show(symlink("", "empty"));
	show(symlink("x", ""));
	show(symlink("x", "n/"));
	show(symlink("x", "f/"));
	show(symlink("x", "missing/n"));
	show(symlink("x", "."));
	show(symlink(bad_pointer(), "n"));
	show(symlink("x", bad_pointer()));
	show(symlink("", bad_pointer()));
	show(symlinkat("x", 99, "n"));
	show(symlinkat("x", open("f", O_RDONLY), "n"));
	memset(name, 'n', 256);
	show(symlink("x", name));
	memset(text, 't', PATH_MAX);
	text[PATH_MAX - 1] = 0;
	show(symlink(text, "long"));
	show(readlink("long", text, sizeof text));
	memset(text, 't', PATH_MAX);
	text[PATH_MAX] = 0;
	show(symlink(text, "longer"));
}

CHECK(readlink_cases)
{
	symlink("0123456789", "l");
	make("f");
	memset(text, '#', 32);
	show(readlink("l", text, 4));
	show_bytes("cut", text, 6);
	show(readlink("l", text, sizeof text));
	show_bytes("whole", text, 12);
	show(readlink("l", text, 0));
	show(syscall(SYS_readlink, "l", text, -1));
	show(readlink("f", text, 10));
	show(readlink(".", text, 10));
	show(readlink("missing", text, 10));
	show(readlink("l/", text, 10));
	show(readlink("f/", text, 10));
	show(readlink("", text, 10));
	show(readlink("l", bad_pointer(), 10));
	show(readlink("l", at_edge(5), 10));
	show(readlink("l", at_edge(5), 5));
	show(readlink(bad_pointer(), text, 10));
	show(syscall(SYS_readlink, bad_pointer(), text, 0));
	show(readlink("missing", bad_pointer(), 0));
	show(readlinkat(99, "l", text, 10));
	show(readlinkat(open("f", O_RDONLY), "l", text, 10));
	show(readlinkat(AT_FDCWD, "", text, 10));
}

CHECK(link_limit_of_names)
{
	char path[300];
	make("f");
	memset(path, 'a', sizeof path);
	path[255] = 0;
	show(link("f", path));
	path[255] = 'a';
	path[256] = 0;
	show(link("f", path));
	show(link(path, "g"));
}

CHECK(target_is_not_resolved_at_creation)
{
	mkdir("d", 0755);
	make("f");
	show(symlink("../f", "d/l"));
	show(access("d/l", F_OK));
	show(rename("d/l", "l"));
	show(access("l", F_OK));
	show(rename("l", "d/l"));
	show(rename("f", "g"));
	show(access("d/l", F_OK));
	make("f");
	show(access("d/l", F_OK));
}
