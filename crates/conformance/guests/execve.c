// execve.c: arguments, environment and errors, in the order Linux checks them.
//
// Calls: execve
// Passes: host acrida
#include "process.h"

#include <sys/auxv.h>

// Run an exec in a child; the child prints the errno if it comes back.
static void try_exec(const char *name, const char *path, char *const argv[], char *const envp[])
{
	pid_t pid = start();
	if (pid == 0) {
		report_result(name, raw(SYS_execve, path, argv, envp));
		_exit(111);
	}
	const char *how = ending(pid);
	if (strcmp(how, "exited 111"))
		report(name, "%s", how);
}

ROLE(print)
{
	for (int i = 0; i < argc; i++)
		report("argv", "%d '%s'", i, argv[i]);
	for (int i = 0; environ[i]; i++)
		report("envp", "%d '%s'", i, environ[i]);
	report("argc", "%d, last %s", argc, argv[argc] ? "not null" : "null");
}

ROLE(count)
{
	_exit(argc % 251);
}
ROLE(length)
{
	_exit(strlen(argv[0]) == (size_t)atol(argv[1]) ? 8 : 9);
}

// Strings lie in order above the pointers, right behind one another; what is wrong is the exit code.
ROLE(layout)
{
	int wrong = 0;
	argv -= 4;
	argc += 4;
	for (int i = 1; i < argc; i++)
		wrong |= argv[i] != argv[i - 1] + strlen(argv[i - 1]) + 1;
	wrong |= (environ != argv + argc + 1) * 2;
	wrong |= environ[0] && environ[0] != argv[argc - 1] + strlen(argv[argc - 1]) + 1 ? 4 : 0;
	wrong |= (getauxval(AT_EXECFN) == 0 || strcmp((char *)getauxval(AT_EXECFN), argv[0])) * 8;
	wrong |= (getauxval(AT_PAGESZ) != 4096) * 16;
	wrong |= (getauxval(AT_RANDOM) == 0) * 32;
	wrong |= ((long)getauxval(AT_UID) != (long)getuid() || getauxval(AT_SECURE) != 0) * 64;
	_exit(wrong);
}

CHECK(arguments)
{
	char *self = guest_arguments[0], *check = (char *)current_check;
	char *argv[] = {"zero", EXEC_ROLE, "print", check, "", "two words", "\xff\x01", NULL};
	char *envp[] = {"A=1", "", "no-equals", NULL};
	try_exec("print", self, argv, envp);
	char *none[] = {"zero", EXEC_ROLE, "print", check, NULL};
	char *empty[] = {NULL};
	try_exec("no-env", self, none, empty);
	try_exec("null-env", self, none, NULL);
	char *layout[] = {self, EXEC_ROLE, "layout", check, self, "tail", NULL};
	char *one[] = {"X=y", NULL};
	try_exec("layout", self, layout, one);
	// Since 5.18 a missing argv[0] becomes an empty string.
	try_exec("null-argv", "/bin/true", NULL, empty);
	try_exec("empty-argv", "/bin/true", empty, empty);
}

CHECK(path_errors)
{
	char *argv[] = {"x", NULL};
	char long_name[300], long_path[5000];
	memset(long_name, 'n', sizeof long_name);
	long_name[0] = '/';
	long_name[299] = 0;
	memset(long_path, '/', sizeof long_path);
	long_path[4999] = 0;
	try_exec("enoent", "/no/such/program", argv, argv);
	try_exec("empty-path", "", argv, argv);
	try_exec("enotdir", "/dev/null/x", argv, argv);
	try_exec("directory", "/", argv, argv);
	try_exec("device", "/dev/null", argv, argv);
	try_exec("long-component", long_name, argv, argv);
	try_exec("long-path", long_path, argv, argv);
	try_exec("path-null", NULL, argv, argv);
	try_exec("path-bad", BAD, argv, argv);
	try_exec("path-kernel", BAD_KERNEL, argv, argv);
	try_exec("path-noncanonical", BAD_NONCANONICAL, argv, argv);
}

CHECK(pointer_errors)
{
	char *argv[] = {"x", NULL}, *bad_entry[] = {"x", BAD, NULL};
	try_exec("argv-bad", "/bin/true", BAD, argv);
	try_exec("envp-bad", "/bin/true", argv, BAD);
	try_exec("argv-entry-bad", "/bin/true", bad_entry, argv);
	try_exec("envp-entry-bad", "/bin/true", argv, bad_entry);
	// The file is opened first, the pointers are counted after.
	try_exec("missing-wins-over-argv", "/no/such/program", BAD, BAD);
	// An array that runs off the end of its page.
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(pages + 4096, 4096, PROT_NONE);
	char **edge = (char **)(pages + 4096) - 1;
	edge[0] = "x";
	try_exec("argv-runs-off", "/bin/true", edge, argv);
	pages[4095] = 'a';
	char *unended[] = {"x", pages + 4095, NULL};
	try_exec("string-runs-off", "/bin/true", unended, argv);
	munmap(pages, 8192);
}

CHECK(file_kinds)
{
	char *argv[] = {"x", NULL};
	const char *path = "file", *link = "link", *loop = "loop", *self = guest_arguments[0];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (write(fd, "#!/bin/true\n", 12) != 12)
		return;
	try_exec("no-x-bit", path, argv, argv);
	fchmod(fd, 0700);
	try_exec("open-for-writing", path, argv, argv);
	close(fd);
	try_exec("script", path, argv, argv);
	if (truncate(path, 0))
		return;
	try_exec("empty-file", path, argv, argv);
	static const char *const contents[] = {"x",
					       "#!",
					       "#!\n",
					       "#! \t\n",
					       "#!/no/such/interpreter\n",
					       "\x7f"
					       "ELF",
					       "\x7f"
					       "ELFxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
	static const char *const names[] = {"one-byte",		"hash-bang",	       "hash-bang-newline",
					    "hash-bang-blanks", "missing-interpreter", "elf-magic-only",
					    "elf-garbage"};
	for (unsigned i = 0; i < 7; i++) {
		fd = open(path, O_WRONLY | O_TRUNC);
		if (write(fd, contents[i], strlen(contents[i])) < 0)
			return;
		close(fd);
		try_exec(names[i], path, argv, argv);
	}
	if (symlink(loop, loop) || symlink(path, link))
		return;
	try_exec("symlink-loop", loop, argv, argv);
	try_exec("symlink-to-garbage", link, argv, argv);
	unlink(link);
	unlink(loop);
	unlink(path);
	// A truncated copy of this program: whole headers, missing segments.
	int from = open(self, O_RDONLY), to = open(path, O_CREAT | O_WRONLY, 0700);
	char head[512];
	if (read(from, head, sizeof head) < 64)
		return;
	head[16] = 4; // ET_CORE
	if (write(to, head, sizeof head) < 0)
		return;
	close(to);
	close(from);
	try_exec("elf-core-type", path, argv, argv);
	head[16] = 3;
	head[18] = 0xb7; // EM_AARCH64
	to = open(path, O_WRONLY | O_TRUNC);
	if (write(to, head, sizeof head) < 0)
		return;
	close(to);
	try_exec("elf-other-machine", path, argv, argv);
}

CHECK(too_big)
{
	// One string may have 131072 bytes with its end; all of them a quarter of the stack limit.
	static char text[131073];
	char *self = guest_arguments[0], *check = (char *)current_check;
	char length[16], *argv[] = {self, EXEC_ROLE, "length", check, text, length, NULL}, *empty[] = {NULL};
	memset(text, 'a', sizeof text);
	text[131071] = 0;
	snprintf(length, sizeof length, "%d", 131071);
	try_exec("string-131071", self, argv, empty);
	text[131071] = 'a';
	text[131072] = 0;
	try_exec("string-131072", self, argv, empty);
	enum { COUNT = 30000 };
	static char *many[COUNT + 1];
	many[0] = self;
	many[1] = EXEC_ROLE;
	many[2] = "count";
	many[3] = check;
	for (int i = 4; i < COUNT; i++)
		many[i] = "abc";
	try_exec("thirty-thousand", self, many, empty);
	text[100000] = 0;
	for (int i = 4; i < COUNT; i++)
		many[i] = text;
	try_exec("too-much-together", self, many, empty);
	pid_t pid = start();
	if (pid == 0) {
		struct rlimit small = {65536, 65536};
		setrlimit(RLIMIT_STACK, &small);
		text[130000] = 'a';
		text[100000] = 'a';
		text[131071] = 0;
		report_result("stack-limit-one-string", raw(SYS_execve, self, argv, empty));
		_exit(111);
	}
	report("stack-limit", "%s", ending(pid));
}

// After an exec that failed early the process is as it was.
static volatile sig_atomic_t got;
static void on_signal(int signo)
{
	got = signo;
}

CHECK(failed_exec_changes_nothing)
{
	pid_t pid = start();
	if (pid == 0) {
		char *argv[] = {"x", NULL};
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		handle(SIGUSR1, on_signal, 0);
		raw(SYS_execve, "/no/such/program", argv, argv);
		raw(SYS_execve, "/dev/null", argv, argv);
		raw(SYS_execve, "/bin/true", BAD, argv);
		raise(SIGUSR1);
		_exit((got == SIGUSR1) + 2 * (fcntl(fd, F_GETFD) == FD_CLOEXEC));
	}
	report("failed-exec-changes-nothing", "%s", ending(pid));
}
