// open_errors.c: bad pointers, long names, loops, and which error wins.
//
// Calls: open openat creat readlink
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static char name255[256], name256[257];

static void make_names(void)
{
	memset(name255, 'n', 255);
	memset(name256, 'n', 256);
}

CHECK(bad_path_pointers)
{
	show(open(NULL, O_RDONLY));
	show(open(bad_pointer(), O_RDONLY));
	show(open((char *)-1, O_RDONLY));
	show(open((char *)0x800000000000, O_RDONLY));
	char *edge = at_edge(3);
	memcpy(edge, "abc", 3);
	show(open(edge, O_RDONLY));
	memcpy(edge, "ab", 3);
	show(open(edge, O_RDONLY));
	edge = at_edge(1);
	show(open(edge, O_RDONLY));
	show(creat(NULL, 0600));
	show(open(bad_pointer(), O_RDONLY | O_TMPFILE));
}

CHECK(long_names)
{
	static char path[PATH_MAX + 16];
	make_names();
	show(open(name255, O_RDONLY));
	show(open(name256, O_RDONLY));
	show(open(name255, O_CREAT | O_RDWR, 0600));
	show(open(name256, O_CREAT | O_RDWR, 0600));
	show(unlink(name255));
	memset(path, '/', sizeof path);
	path[PATH_MAX - 1] = 0;
	show(open(path, O_RDONLY));
	path[PATH_MAX - 1] = '/';
	path[PATH_MAX] = 0;
	show(open(path, O_RDONLY));
	for (int i = 0; i + 1 < PATH_MAX; i += 2)
		memcpy(path + i, "./", 2);
	path[PATH_MAX - 1] = 0;
	show(open(path, O_RDONLY));
	path[PATH_MAX - 2] = 'x';
	show(open(path, O_RDONLY));
	char *edge = at_edge(4096);
	memset(edge, '/', 4096);
	show(open(edge, O_RDONLY));
}

CHECK(long_name_against_others)
{
	char path[600];
	make_names();
	close(open("f", O_CREAT | O_WRONLY, 0644));
	snprintf(path, sizeof path, "missing/%s", name256);
	show(open(path, O_RDONLY));
	snprintf(path, sizeof path, "f/%s", name256);
	show(open(path, O_RDONLY));
	snprintf(path, sizeof path, "%s/x", name256);
	show(open(path, O_RDONLY));
	snprintf(path, sizeof path, "./%s/", name256);
	show(open(path, O_RDONLY));
	show(openat(-1, name256, O_RDONLY));
}

CHECK(loops)
{
	symlink("b", "a");
	symlink("a", "b");
	symlink("self", "self");
	show(open("a", O_RDONLY));
	show(open("a", O_RDONLY | O_CREAT, 0600));
	show(open("a", O_RDONLY | O_CREAT | O_EXCL, 0600));
	show(open("a/x", O_RDONLY));
	show(open("a/", O_RDONLY));
	show(open("self", O_RDONLY));
	show(open("self", O_RDONLY | O_NOFOLLOW));
	show(open("self", O_RDONLY | O_DIRECTORY));
	show(open("self/self", O_RDONLY | O_NOFOLLOW));
}

CHECK(forty_links)
{
	char from[16], to[16];
	close(open("l0", O_CREAT | O_WRONLY, 0644));
	for (int i = 1; i <= 42; i++) {
		snprintf(from, sizeof from, "l%d", i);
		snprintf(to, sizeof to, "l%d", i - 1);
		symlink(to, from);
	}
	show(open("l1", O_RDONLY));
	show(open("l39", O_RDONLY));
	show(open("l40", O_RDONLY));
	show(open("l41", O_RDONLY));
	show(open("l42", O_RDONLY));
	mkdir("d", 0777);
	symlink(".", "d/here");
	char path[256] = "d";
	for (int i = 0; i < 40; i++)
		strcat(path, "/here");
	show(open(path, O_RDONLY));
	strcat(path, "/here");
	show(open(path, O_RDONLY));
}

CHECK(not_a_directory)
{
	close(open("f", O_CREAT | O_WRONLY, 0644));
	symlink("f", "lf");
	symlink("missing", "lm");
	mkfifo("p", 0644);
	show(open("f/x", O_RDONLY));
	show(open("f/x/y", O_RDONLY));
	show(open("lf/x", O_RDONLY));
	show(open("lm/x", O_RDONLY));
	show(open("p/x", O_RDONLY));
	show(open("/dev/null/x", O_RDONLY));
	show(open("f/x", O_CREAT | O_WRONLY, 0600));
	show(open("missing/x", O_CREAT | O_WRONLY, 0600));
	show(open("f/../f", O_RDONLY));
	show(open("missing/../f", O_RDONLY));
	show(open("lm/../f", O_RDONLY));
}

CHECK(symlinks_in_the_way)
{
	mkdir("d", 0777);
	symlink("d", "l");
	symlink("l/", "ls");
	symlink("", "empty");
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	symlink("../d/f", "d/up");
	symlink("f", "d/down");
	show(open("l/f", O_RDONLY));
	show(open("ls/f", O_RDONLY));
	show(open("l/up", O_RDONLY));
	show(open("l/down", O_RDONLY));
	show(open("l/../d/f", O_RDONLY));
	show(open("l", O_RDONLY | O_NOFOLLOW));
	show(open("l/f", O_RDONLY | O_NOFOLLOW));
	show(open("l", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	show(open("l/.", O_RDONLY | O_NOFOLLOW));
	show(open("l", O_WRONLY | O_NOFOLLOW | O_CREAT, 0600));
	show(open("missing", O_RDONLY | O_NOFOLLOW));
	symlink("target/", "slash");
	show(open("slash", O_CREAT | O_WRONLY, 0600));
	symlink("target", "plain");
	show(open("plain", O_CREAT | O_WRONLY, 0600));
	show(access("target", F_OK));
}

CHECK(devices_and_specials)
{
	struct stat st;
	show(open("/dev/null", O_RDONLY | O_DIRECTORY));
	show(open("/dev/null", O_WRONLY | O_TRUNC));
	show(open("/dev/null", O_RDWR | O_CREAT, 0600));
	show(open("/dev/null", O_RDWR | O_CREAT | O_EXCL, 0600));
	show(open("/proc/self/exe", O_WRONLY));
	show(open("/proc/self/fd/77", O_RDONLY));
	show(open("/proc/self/fd", O_RDWR));
	stat("/dev/null", &st);
	say("/dev/null is a %s", type_name(st.st_mode));
}

CHECK(sockets)
{
	show(mknod("s", S_IFSOCK | 0644, 0));
	show(open("s", O_RDONLY));
	show(open("s", O_RDWR));
	show(open("s", O_RDWR | O_NONBLOCK));
	show(open("s", O_RDONLY | O_DIRECTORY));
	show(open("s", O_PATH));
	show(open("s", O_CREAT | O_RDWR, 0600));
	show(open("s", O_RDONLY | O_TRUNC));
}

CHECK(text_busy)
{
	char copy[8192];
	int from = need(open("/proc/self/exe", O_RDONLY)), to = need(open("prog", O_CREAT | O_WRONLY, 0755));
	for (ssize_t n; (n = read(from, copy, sizeof copy)) > 0;)
		write(to, copy, n);
	char *argv[] = { "prog", NULL };
	char *environment[] = { NULL };
	IN_CHILD("exec while open for writing") {
		execve("prog", argv, environment);
		say("execve = %s", errno_name(errno));
	}
	close(to);
	int out[2], in[2];
	pipe(out);
	pipe(in);
	pid_t pid = start();
	if (pid == 0) {
		dup2(in[0], 0);
		close(in[1]);
		close(2);
		char *role[] = { "prog", EXEC_ROLE, "wait_for_eof", (char *)current_check, NULL };
		write(out[1], "x", 1);
		execve("prog", role, environment);
		_exit(9);
	}
	close(out[1]);
	close(in[0]);
	char c;
	read(out[0], &c, 1);
	show(read(out[0], &c, 1));
	show(open("prog", O_WRONLY));
	show(open("prog", O_RDONLY));
	show(truncate("prog", 0));
	show(unlink("prog"));
	close(in[1]);
	reap("program", pid);
}

ROLE(wait_for_eof)
{
	char c;
	// One of them is the write end of `out`: its end of file tells the parent that exec is over.
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	while (read(0, &c, 1) > 0)
		;
}
