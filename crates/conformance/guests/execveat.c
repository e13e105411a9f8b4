// execveat.c: execveat and fexecve: directories, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, scripts behind descriptors.
//
// Calls: execveat
// Passes: host acrida
#include "process.h"

static void attempt(const char *name, long dirfd, const char *path, char **argv, long flags)
{
	pid_t pid = start();
	if (pid == 0) {
		report_result(name, raw(SYS_execveat, dirfd, path, argv, environ, flags));
		_exit(111);
	}
	const char *how = ending(pid);
	if (strcmp(how, "exited 111"))
		report(name, "%s", how);
}

ROLE(nine)
{
	_exit(9);
}

static char *nine[] = {"x", EXEC_ROLE, "nine", "execveat", NULL};
static char absolute[PATH_MAX], folder[PATH_MAX], *base;
static int directory, file;

static void prepare(void)
{
	need(realpath(guest_arguments[0], absolute) ? 0 : -1);
	strcpy(folder, absolute);
	base = strrchr(folder, '/');
	*base++ = 0;
	directory = need(open(folder, O_RDONLY | O_DIRECTORY));
	file = need(open(absolute, O_RDONLY | O_CLOEXEC));
}

CHECK(paths)
{
	prepare();
	int path_directory = open(folder, O_PATH);
	attempt("relative-to-directory", directory, base, nine, 0);
	attempt("relative-to-o-path", path_directory, base, nine, 0);
	attempt("absolute-ignores-fd", 9999, absolute, nine, 0);
	attempt("relative-bad-fd", 9999, base, nine, 0);
	attempt("relative-to-file", file, base, nine, 0);
	attempt("unknown-flag", directory, base, nine, 1);
	attempt("flag-no-automount", directory, base, nine, AT_NO_AUTOMOUNT);
	attempt("null-path", directory, NULL, nine, AT_EMPTY_PATH);
	attempt("bad-path", directory, BAD, nine, 0);
	attempt("flag-and-bad-path", directory, BAD, nine, 1);
	attempt("bad-argv", directory, base, BAD, 0);
}

CHECK(empty_path)
{
	prepare();
	int path_file = open(absolute, O_PATH), writer = open("/dev/null", O_WRONLY);
	attempt("file", file, "", nine, AT_EMPTY_PATH);
	attempt("o-path", path_file, "", nine, AT_EMPTY_PATH);
	attempt("without-flag", file, "", nine, 0);
	attempt("directory", directory, "", nine, AT_EMPTY_PATH);
	attempt("device", writer, "", nine, AT_EMPTY_PATH);
	attempt("bad-fd", 9999, "", nine, AT_EMPTY_PATH);
	attempt("cwd", AT_FDCWD, "", nine, AT_EMPTY_PATH);
}

CHECK(symlinks)
{
	prepare();
	need(symlink(absolute, "link"));
	attempt("followed", AT_FDCWD, "link", nine, 0);
	attempt("nofollow", AT_FDCWD, "link", nine, AT_SYMLINK_NOFOLLOW);
	attempt("nofollow-of-a-file", directory, base, nine, AT_SYMLINK_NOFOLLOW);
}

// A script by descriptor is opened again as /dev/fd/N: close-on-exec makes that impossible.
CHECK(scripts)
{
	int out = open("script", O_CREAT | O_WRONLY, 0700);
	dprintf(out, "#!/bin/sh\nexit 31\n");
	close(out);
	int kept = open("script", O_RDONLY), closing = open("script", O_RDONLY | O_CLOEXEC);
	attempt("by-fd", kept, "", nine, AT_EMPTY_PATH);
	attempt("by-cloexec-fd", closing, "", nine, AT_EMPTY_PATH);
	unlink("script");
	attempt("deleted-by-fd", kept, "", nine, AT_EMPTY_PATH);
}

CHECK(fexecve)
{
	prepare();
	pid_t pid = start();
	if (pid == 0) {
		fexecve(file, nine, environ);
		_exit(110);
	}
	report("good", "%s", ending(pid));
	pid = start();
	if (pid == 0) {
		fexecve(-1, nine, environ);
		report_result("bad-fd", -errno);
		_exit(0);
	}
	report("bad", "%s", ending(pid));
}
