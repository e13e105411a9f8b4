// exec_script.c: `#!` scripts: how the interpreter's arguments are made, chains, limits and errors.
//
// Calls: execve
// Passes: host acrida
#include "process.h"

static const char interpreter[] = "interpreter";
static char folder[PATH_MAX], self[PATH_MAX + 16];

// This program under the name "interpreter" prints its arguments, with the paths of this run cut out.
__attribute__((constructor)) static void print_arguments(int argc, char **argv)
{
	char *slash = strrchr(argv[0], '/'), line[512] = "";
	if (!slash || strcmp(slash + 1, interpreter))
		return;
	current_check = getenv("CURRENT_CHECK");
	for (int i = 0; i < argc; i++) {
		slash = strrchr(argv[i], '/');
		snprintf(line + strlen(line), sizeof line - strlen(line), " [%s]", slash ? slash + 1 : argv[i]);
	}
	say("%d arguments%s", argc, line);
	_exit(0);
}

static char *place(const char *name)
{
	static char paths[8][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

// The working directory holds a copy of this program: the first line of a script has 256 bytes only.
static void prepare(void)
{
	need(getcwd(folder, sizeof folder) ? 0 : -1);
	snprintf(self, sizeof self, "%s/%s", folder, interpreter);
	int from = open(guest_arguments[0], O_RDONLY), to = open(interpreter, O_CREAT | O_WRONLY, 0700);
	char block[4096];
	for (ssize_t got; (got = read(from, block, sizeof block)) > 0;)
		need(write(to, block, got));
	close(from);
	close(to);
}

static void write_script(const char *name, const char *text, size_t length)
{
	int fd = open(place(name), O_CREAT | O_WRONLY | O_TRUNC, 0700);
	if (write(fd, text, length) != (ssize_t)length)
		report("write_script", "%s", outcome(-errno));
	close(fd);
}

static void run(const char *check, const char *name, char *first, char *second)
{
	pid_t pid = start();
	if (pid == 0) {
		char *argv[] = {"zeroth", first, second, NULL};
		char variable[64], *envp[] = {variable, NULL};
		snprintf(variable, sizeof variable, "CURRENT_CHECK=%s", current_check);
		report_result(check, raw(SYS_execve, place(name), argv, envp));
		_exit(111);
	}
	const char *how = ending(pid);
	if (strcmp(how, "exited 111"))
		report(check, "%s", how);
}

CHECK(simple)
{
	char text[PATH_MAX + 100];
	prepare();
	int length = snprintf(text, sizeof text, "#!%s\nrest\n", self);
	write_script("plain", text, length);
	run("plain", "plain", "a", "b");
	run("plain-no-arguments", "plain", NULL, NULL);
	length = snprintf(text, sizeof text, "#! \t %s   one two  three \t \nrest\n", self);
	write_script("blanks", text, length);
	run("one-argument-with-blanks", "blanks", "a", NULL);
	length = snprintf(text, sizeof text, "#!%s -x", self);
	write_script("no-newline", text, length);
	run("no-newline", "no-newline", "a", NULL);
	length = snprintf(text, sizeof text, "#!%s\r\n", self);
	write_script("carriage", text, length);
	run("carriage-return", "carriage", "a", NULL);
	length = snprintf(text, sizeof text, "#!%s -a", self);
	text[length] = 0;
	memcpy(text + length + 1, "hidden\n", 7);
	write_script("nul", text, length + 8);
	run("nul-ends-the-line", "nul", "a", NULL);
}

CHECK(shell)
{
	static const char text[] = "#!/bin/sh\n[ \"$1\" = a ] && exit 23\nexit 24\n";
	prepare();
	write_script("sh", text, sizeof text - 1);
	run("sh", "sh", "a", NULL);
	chmod(place("sh"), 0600);
	run("sh-no-x-bit", "sh", "a", NULL);
	chmod(place("sh"), 0700);
	if (symlink(place("sh"), place("sh-link")))
		return;
	run("sh-by-link", "sh-link", "b", NULL);
}

// Each script is the interpreter of the next: five levels pass, the sixth is ELOOP.
CHECK(chains)
{
	char text[PATH_MAX + 100];
	static const char *const names[] = {interpreter, "chain1", "chain2", "chain3",
					    "chain4",	 "chain5", "chain6", "chain7"};
	prepare();
	int length;
	for (int i = 1; i <= 7; i++) {
		length = snprintf(text, sizeof text, "#!%s arg%d\n", place(names[i - 1]), i);
		write_script(names[i], text, length);
	}
	for (int i = 1; i <= 7; i++)
		run(names[i], names[i], "a", NULL);
	length = snprintf(text, sizeof text, "#!%s\n", place("itself"));
	write_script("itself", text, length);
	run("own-interpreter", "itself", NULL, NULL);
}

CHECK(bad_interpreters)
{
	char text[PATH_MAX + 100];
	prepare();
	write_script("dir", "#!/\n", 4);
	run("interpreter-directory", "dir", NULL, NULL);
	write_script("null", "#!/dev/null\n", 12);
	run("interpreter-device", "null", NULL, NULL);
	write_script("plain-text", "text\n", 5);
	int length = snprintf(text, sizeof text, "#!%s\n", place("plain-text"));
	write_script("to-text", text, length);
	run("interpreter-no-magic", "to-text", NULL, NULL);
	chmod(place("plain-text"), 0600);
	run("interpreter-no-x-bit", "to-text", NULL, NULL);
	write_script("relative", "#!exec_script_no_such\n", 22);
	run("interpreter-relative-missing", "relative", NULL, NULL);
}

// The first line is looked at in 256 bytes: a longer argument is cut, a longer path refused.
CHECK(long_lines)
{
	char text[PATH_MAX + 600];
	prepare();
	memset(text, 'p', 400);
	memcpy(text, "#!/", 3);
	text[400] = '\n';
	write_script("long-path", text, 401);
	run("long-path", "long-path", NULL, NULL);
	int length = snprintf(text, sizeof text, "#!/bin/echo ");
	memset(text + length, '~', 400);
	text[length + 400] = '\n';
	write_script("long-argument", text, length + 401);
	pid_t pid;
	int ends[2];
	if (pipe(ends))
		return;
	if ((pid = start()) == 0) {
		dup2(ends[1], 1);
		execl(place("long-argument"), "x", (char *)NULL);
		_exit(111);
	}
	close(ends[1]);
	char out[1024];
	ssize_t got = read(ends[0], out, sizeof out);
	int count = 0;
	for (ssize_t i = 0; i < got; i++)
		count += out[i] == '~';
	report("long-argument-cut-to", "%d, %s", count, ending(pid));
	close(ends[0]);
}
