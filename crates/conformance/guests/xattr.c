// xattr.c: extended attributes: name spaces, sizes, flags, lists.
//
// Calls: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr removexattr
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <sys/xattr.h>

static char buffer[70000], name[300];

static void make(void)
{
	close(need(open("f", O_CREAT | O_WRONLY, 0644)));
}

// The names in a list, sorted, one line.
static void list(const char *path)
{
	long length = listxattr(path, buffer, sizeof buffer);
	if (length < 0) {
		say("listxattr = %s", errno_name(errno));
		return;
	}
	char *names[32];
	int n = 0;
	for (char *at = buffer; at < buffer + length && n < 32; at += strlen(at) + 1)
		names[n++] = at;
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0 && strcmp(names[k - 1], names[k]) > 0; k--) {
			char *swap = names[k];
			names[k] = names[k - 1];
			names[k - 1] = swap;
		}
	char text[1024], *end = text;
	*end = 0;
	for (int i = 0; i < n; i++)
		end += sprintf(end, " %s", names[i]);
	say("list (%ld bytes):%s", length, text);
}

CHECK(user_attributes)
{
	make();
	list("f");
	show(setxattr("f", "user.a", "value", 5, 0));
	show(setxattr("f", "user.b", "", 0, 0));
	list("f");
	show(getxattr("f", "user.a", buffer, 100));
	show_bytes("user.a", buffer, 5);
	show(getxattr("f", "user.a", NULL, 0));
	show(getxattr("f", "user.a", buffer, 3));
	show(getxattr("f", "user.b", buffer, 100));
	show(getxattr("f", "user.c", buffer, 100));
	show(setxattr("f", "user.a", "xy", 2, 0));
	show(getxattr("f", "user.a", buffer, 100));
	show(removexattr("f", "user.a"));
	show(removexattr("f", "user.a"));
	list("f");
}

CHECK(flags)
{
	make();
	show(setxattr("f", "user.a", "1", 1, XATTR_REPLACE));
	show(setxattr("f", "user.a", "1", 1, XATTR_CREATE));
	show(setxattr("f", "user.a", "2", 1, XATTR_CREATE));
	show(setxattr("f", "user.a", "3", 1, XATTR_REPLACE));
	show(setxattr("f", "user.a", "4", 1, XATTR_CREATE | XATTR_REPLACE));
	show(setxattr("f", "user.b", "4", 1, XATTR_CREATE | XATTR_REPLACE));
	show(setxattr("f", "user.a", "4", 1, 4));
}

CHECK(names)
{
	make();
	memset(name, 'n', 299);
	memcpy(name, "user.", 5);
	show(setxattr("f", "a", "1", 1, 0));
	show(setxattr("f", "", "1", 1, 0));
	show(setxattr("f", "user.", "1", 1, 0));
	show(setxattr("f", "userx", "1", 1, 0));
	show(setxattr("f", "nonsense.a", "1", 1, 0));
	show(setxattr("f", name, "1", 1, 0));
	name[256] = 0;
	show(setxattr("f", name, "1", 1, 0));
	name[255] = 0;
	show(setxattr("f", name, "1", 1, 0));
	show(getxattr("f", name, buffer, 10));
	show(getxattr("f", "a", buffer, 10));
	show(getxattr("f", "", buffer, 10));
	show(getxattr("f", "user.", buffer, 10));
	show(getxattr("f", "nonsense.a", buffer, 10));
	show(removexattr("f", "nonsense.a"));
	show(setxattr("f", "trusted.t", "1", 1, 0));
	show(getxattr("f", "system.nonsense", buffer, 10));
	list("f");
}

CHECK(sizes)
{
	make();
	memset(buffer, 'v', sizeof buffer);
	show(setxattr("f", "user.big", buffer, 2000, 0));
	show(getxattr("f", "user.big", NULL, 0));
	show(setxattr("f", "user.huge", buffer, 65537, 0));
	show(getxattr("f", "user.big", buffer, 70000));
	show(listxattr("f", NULL, 0));
	show(listxattr("f", buffer, 3));
	show(listxattr("f", buffer, 70000));
}

CHECK(pointers)
{
	make();
	show(setxattr("f", "user.a", bad_pointer(), 4, 0));
	show(setxattr("f", "user.a", NULL, 0, 0));
	show(setxattr("f", NULL, "1", 1, 0));
	show(setxattr("f", bad_pointer(), "1", 1, 0));
	show(setxattr(bad_pointer(), "user.a", "1", 1, 0));
	show(setxattr("f", "user.a", "1234", 4, 0));
	show(getxattr("f", "user.a", bad_pointer(), 10));
	show(getxattr("f", "user.a", bad_pointer(), 0));
	show(getxattr("f", bad_pointer(), buffer, 10));
	show(getxattr(bad_pointer(), "user.a", buffer, 10));
	show(listxattr("f", bad_pointer(), 100));
	show(listxattr(bad_pointer(), buffer, 100));
	show(removexattr("f", bad_pointer()));
	show(removexattr(bad_pointer(), "user.a"));
	show(setxattr("missing", bad_pointer(), "1", 1, 0));
	show(setxattr("missing", "user.a", bad_pointer(), 1, 0));
	show(setxattr("missing", "user.a", "1", 1, 4));
}

CHECK(kinds_of_files)
{
	make();
	mkdir("d", 0755);
	mkfifo("p", 0644);
	symlink("f", "l");
	symlink("missing", "lm");
	show(setxattr("d", "user.a", "1", 1, 0));
	show(setxattr("p", "user.a", "1", 1, 0));
	show(getxattr("p", "user.a", buffer, 10));
	show(setxattr("l", "user.a", "1", 1, 0));
	show(getxattr("f", "user.a", buffer, 10));
	show(lsetxattr("l", "user.a", "1", 1, 0));
	show(lgetxattr("l", "user.a", buffer, 10));
	show(lsetxattr("l", "trusted.a", "1", 1, 0));
	show(llistxattr("l", buffer, 100));
	show(lremovexattr("l", "trusted.a"));
	show(setxattr("lm", "user.a", "1", 1, 0));
	show(setxattr("f/", "user.a", "1", 1, 0));
}

CHECK(by_descriptor)
{
	int fd = open("f", O_CREAT | O_RDONLY, 0644), p[2];
	pipe(p);
	show(fsetxattr(fd, "user.a", "12", 2, 0));
	show(fgetxattr(fd, "user.a", buffer, 10));
	show(flistxattr(fd, buffer, 100));
	show(fremovexattr(fd, "user.a"));
	show(fsetxattr(99, "user.a", "12", 2, 0));
	show(fgetxattr(99, bad_pointer(), buffer, 10));
	show(fsetxattr(p[0], "user.a", "12", 2, 0));
	show(fgetxattr(p[0], "user.a", buffer, 10));
	show(flistxattr(p[0], buffer, 10));
}

CHECK(permission)
{
	make();
	setxattr("f", "user.a", "1", 1, 0);
	setxattr("f", "trusted.t", "1", 1, 0);
	chmod(".", 0755);
	chmod("f", 0644);
	IN_CHILD("may read") {
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		show(getxattr("f", "user.a", buffer, 10));
		show(setxattr("f", "user.a", "2", 1, 0));
		show(removexattr("f", "user.a"));
		show(getxattr("f", "trusted.t", buffer, 10));
		show(setxattr("f", "trusted.t", "2", 1, 0));
		list("f");
	}
	chmod("f", 0600);
	IN_CHILD("may not read") {
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		show(getxattr("f", "user.a", buffer, 10));
		list("f");
	}
}

CHECK(follow_the_file)
{
	make();
	setxattr("f", "user.a", "1", 1, 0);
	rename("f", "g");
	show(getxattr("g", "user.a", buffer, 10));
	link("g", "h");
	show(removexattr("h", "user.a"));
	show(getxattr("g", "user.a", buffer, 10));
	make();
	show(getxattr("f", "user.a", buffer, 10));
}
