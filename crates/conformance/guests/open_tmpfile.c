// open_tmpfile.c: files without a name.
//
// Calls: open linkat fcntl
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

CHECK(life)
{
	struct stat st;
	char buffer[8];
	int fd = show(open(".", O_TMPFILE | O_RDWR, 0666));
	fstat(fd, &st);
	say("%s %o links %d size %ld", type_name(st.st_mode), st.st_mode & 07777, (int)st.st_nlink, (long)st.st_size);
	say("flags %s", open_names(fcntl(fd, F_GETFL)));
	show(write(fd, "hidden", 6));
	show(pread(fd, buffer, 8, 0));
	show(open(".", O_TMPFILE | O_WRONLY, 0600));
}

CHECK(refusals)
{
	close(open("f", O_CREAT | O_WRONLY, 0644));
	show(open(".", O_TMPFILE | O_RDONLY, 0600));
	show(open(".", O_TMPFILE, 0600));
	show(open(".", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600));
	show(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
	show(open("f", O_TMPFILE | O_RDWR, 0600));
	show(open("missing", O_TMPFILE | O_RDWR, 0600));
	show(open("f", O_TMPFILE | O_RDONLY, 0600));
	show(open(".", O_TMPFILE | O_RDWR | O_PATH, 0600));
	show(open("/proc/self", O_TMPFILE | O_RDWR, 0600));
}

CHECK(given_a_name_by_proc)
{
	char path[64];
	struct stat st;
	int fd = need(open(".", O_TMPFILE | O_RDWR, 0640));
	write(fd, "data", 4);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", 0));
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show(stat("named", &st));
	say("%o links %d size %ld", st.st_mode & 07777, (int)st.st_nlink, (long)st.st_size);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show(unlink("named"));
	show(linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
}

CHECK(given_a_name_by_empty_path)
{
	int fd = need(open(".", O_TMPFILE | O_RDWR, 0600));
	show(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
	show(access("named", F_OK));
	show(linkat(fd, "", AT_FDCWD, "named2", 0));
}

CHECK(exclusive_stays_nameless)
{
	char path[64];
	int fd = need(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
}

CHECK(unlinked_cannot_return)
{
	char path[64];
	int fd = need(open("f", O_CREAT | O_RDWR, 0600));
	unlink("f");
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	show(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	show(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
}

CHECK(directory_stays_empty)
{
	mkdir("d", 0777);
	need(open("d", O_TMPFILE | O_RDWR, 0600));
	show(rmdir("d"));
	show(open("d", O_TMPFILE | O_RDWR, 0600));
}

CHECK(umask_applies)
{
	struct stat st;
	umask(077);
	fstat(need(open(".", O_TMPFILE | O_RDWR, 0777)), &st);
	say("%o", st.st_mode & 07777);
}
