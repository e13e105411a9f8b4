// proc_pid.c: what /proc/PID says about a process, its threads, its children and its end.
//
// Calls: open read readlink getdents64 stat on /proc/PID and /proc/PID/task
// Passes: host acrida
#include "check.h"
#include "process.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/statfs.h>

static char text[65536];

// Reads `/proc/<pid>/<name>` (or `/proc/self/<name>`) into `text`, a last newline cut off; the length, or -1.
static long slurp(pid_t pid, const char *name)
{
	char path[128];
	long length = 0, got;
	if (pid)
		snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	else
		snprintf(path, sizeof path, "/proc/self/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += got;
	int saved = errno;
	close(fd);
	errno = saved;
	text[length] = 0;
	if (length && text[length - 1] == '\n')
		text[--length] = 0;
	return got < 0 ? -1 : length;
}

// The value behind "key:" in `text`, without blanks in front.
static const char *value(const char *key)
{
	static char texts[8][256];
	static int next;
	char *found = texts[next++ % 8];
	size_t length = strlen(key);
	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, length) || line[length] != ':')
			continue;
		line += length + 1 + strspn(line + length + 1, " \t");
		snprintf(found, sizeof *texts, "%.*s", (int)strcspn(line, "\n"), line);
		return found;
	}
	return "(none)";
}

// Field `number` (from 1) of a stat line in `text`.
static const char *field(int number)
{
	static char texts[8][64];
	static int next;
	char *found = texts[next++ % 8];
	char *at = strrchr(text, ')') + 2;
	for (int i = 3; i < number && at; i++)
		at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
	snprintf(found, sizeof *texts, "%.*s", at ? (int)strcspn(at, " \n") : 0, at ? at : "");
	return found;
}

CHECK(stat_line)
{
	prctl(PR_SET_NAME, "odd (name) x");
	slurp(0, "stat");
	say("pid: %d", atoi(text) == getpid());
	say("name: %d", strstr(text, " (odd (name) x) ") != NULL);
	say("state %s", field(3));
	say("parent: %d", atoi(field(4)) == getppid());
	say("group: %d session: %d", atoi(field(5)) == getpgrp(), atoi(field(6)) == getsid(0));
	say("threads %s", field(20));
	say("exit signal %s", field(38));
	int blanks = 0;
	for (char *c = strrchr(text, ')'); *c; c++)
		blanks += *c == ' ';
	say("at least 52 fields: %d", blanks + 2 >= 52);
	say("size: %d", atol(field(23)) > 0 && atol(field(24)) > 0);
	unsigned long stack = strtoul(field(28), NULL, 10);
	say("stack above me: %d", stack > (unsigned long)&stack);
}

CHECK(status_lines)
{
	umask(0137);
	signal(SIGUSR1, SIG_IGN);
	let_interrupt(SIGUSR2);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGHUP);
	prctl(PR_SET_NAME, "a\\b\nc");
	slurp(0, "status");
	say("Name %s", value("Name"));
	say("Umask %s", value("Umask"));
	say("State %s", value("State"));
	say("Pid: %d Tgid: %d PPid: %d", atoi(value("Pid")) == getpid(), atoi(value("Tgid")) == getpid(), atoi(value("PPid")) == getppid());
	say("TracerPid %s", value("TracerPid"));
	say("NSpid: %d", atoi(value("NSpid")) == getpid());
	char ids[64];
	snprintf(ids, sizeof ids, "%d\t%d\t%d\t%d", getuid(), geteuid(), geteuid(), geteuid());
	say("Uid: %d", !strcmp(value("Uid"), ids));
	say("Threads %s", value("Threads"));
	unsigned long blocked = strtoul(value("SigBlk"), NULL, 16), ignored = strtoul(value("SigIgn"), NULL, 16);
	unsigned long caught = strtoul(value("SigCgt"), NULL, 16), pending = strtoul(value("ShdPnd"), NULL, 16);
	say("blocked %lx", blocked);
	say("pending %lx", pending);
	say("ignored USR1: %lu", (ignored >> (SIGUSR1 - 1)) & 1);
	say("caught USR2: %lu", (caught >> (SIGUSR2 - 1)) & 1);
	say("masks are 16 digits: %zu", strlen(value("SigBlk")));
	say("sizes: %d", atol(value("VmSize")) > 0 && atol(value("VmPeak")) >= atol(value("VmSize")) && atol(value("VmRSS")) > 0);
	say("resident fits: %d", atol(value("VmRSS")) <= atol(value("VmSize")));
	say("NoNewPrivs %s Seccomp %s", value("NoNewPrivs"), value("Seccomp"));
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	umask(022);
}

CHECK(sizes_agree)
{
	slurp(0, "statm");
	long pages = atol(text);
	slurp(0, "status");
	long kib = atol(value("VmSize"));
	slurp(0, "stat");
	long bytes = atol(field(23));
	say("statm and stat: %d", pages * 4096 == bytes);
	say("status and stat: %d", kib * 1024 == bytes);
	char *more = mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	slurp(0, "stat");
	say("grown by %ld MiB", (atol(field(23)) - bytes) >> 20);
	munmap(more, 64 << 20);
	slurp(0, "status");
	say("peak stays: %d", atol(value("VmPeak")) >= kib + (64 << 10));
}

CHECK(names)
{
	int fd = open("/proc/self/comm", O_RDWR);
	show(write(fd, "a name that is far too long\n", 28));
	slurp(0, "comm");
	show_bytes("comm", text, strlen(text));
	char name[16];
	prctl(PR_GET_NAME, name);
	say("%s", name);
	show(write(fd, "short", 5));
	prctl(PR_GET_NAME, name);
	say("%s", name);
	pid_t child = start();
	if (child == 0) {
		prctl(PR_SET_NAME, "child");
		for (;;)
			pause();
	}
	wait_asleep(child);
	slurp(child, "comm");
	say("child: %s", text);
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/comm", child);
	int other = open(path, O_RDWR);
	show(write(other, "x", 1));
	kill(child, SIGKILL);
	reap("child", child);
	show(write(other, "x", 1));
}

ROLE(show_arguments)
{
	long length = slurp(0, "cmdline");
	char *last = text + length - 1;
	say("ends with NUL: %d", length > 0 && !*last);
	int count = 0;
	for (long i = 0; i < length; i++)
		count += !text[i];
	say("%d arguments", count);
	char *at = text;
	for (int i = 0; i < count; i++, at += strlen(at) + 1)
		if (i)
			say("argument: %s", at);
	length = slurp(0, "environ");
	show_bytes("environ", text, length);
	slurp(0, "comm");
	say("comm: %s", text);
}

CHECK(arguments)
{
	IN_CHILD("child") {
		char *argv[] = { guest_arguments[0], EXEC_ROLE, "show_arguments", "arguments", "", "two words", NULL };
		char *envp[] = { "A=1", "B=", NULL };
		execve("/proc/self/exe", argv, envp);
	}
}

static const char *link_text(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	long length = readlink(path, text, sizeof text - 1);
	if (length < 0)
		return errno_name(errno);
	text[length] = 0;
	return text;
}

CHECK(zombie)
{
	static const char *empty[] = { "cmdline", "environ", "maps", "smaps", "auxv" };
	static const char *links[] = { "exe", "cwd", "root" };
	int p[2];
	pipe(p);
	pid_t child = start();
	if (child == 0)
		_exit(7);
	close(p[1]);
	siginfo_t info;
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	slurp(child, "stat");
	say("state %s size %s resident %s", field(3), field(23), field(24));
	say("exit code %#x", atoi(field(52)));
	slurp(child, "status");
	say("State %s VmSize %s Threads %s", value("State"), value("VmSize"), value("Threads"));
	slurp(child, "statm");
	say("statm %s", text);
	slurp(child, "wchan");
	say("wchan %s", text);
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		long length = slurp(child, empty[i]);
		say("%s: %s %ld", empty[i], length < 0 ? errno_name(errno) : "ok", length);
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		say("%s -> %s", links[i], link_text(child, links[i]));
	say("limits: %d", slurp(child, "limits") > 0);
	say("mounts: %s", slurp(child, "mounts") < 0 ? errno_name(errno) : "ok");
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd", child);
	DIR *dir = opendir(path);
	int entries = 0;
	while (dir && readdir(dir))
		entries++;
	say("fd: %d entries", entries);
	snprintf(path, sizeof path, "/proc/%d/fd/0", child);
	show(access(path, F_OK));
	reap("child", child);
}

CHECK(vanished)
{
	char path[64];
	pid_t child = start();
	if (child == 0)
		for (;;)
			pause();
	snprintf(path, sizeof path, "/proc/%d", child);
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	int stat_fd = openat(dir, "stat", O_RDONLY), maps_fd = openat(dir, "maps", O_RDONLY), fd_dir = openat(dir, "fd", O_RDONLY);
	int half = openat(dir, "status", O_RDONLY);
	show(read(half, text, 5));
	kill(child, SIGKILL);
	reap("child", child);
	show(read(stat_fd, text, sizeof text));
	show(read(maps_fd, text, sizeof text));
	say("a text that was begun goes on: %d", read(half, text, sizeof text) > 0);
	lseek(half, 0, SEEK_SET);
	show(read(half, text, sizeof text));
	show(openat(dir, "stat", O_RDONLY));
	show(syscall(SYS_getdents64, dir, text, sizeof text));
	show(syscall(SYS_getdents64, fd_dir, text, sizeof text));
	show(access(path, F_OK));
	show(open(path, O_RDONLY));
	struct stat st;
	show(fstatat(dir, "exe", &st, AT_SYMLINK_NOFOLLOW));
	show(readlinkat(dir, "exe", text, sizeof text));
}

static void *sleep_in_pipe(void *fd)
{
	prctl(PR_SET_NAME, "reader");
	return (void *)read(*(int *)fd, (char[1]){ 0 }, 1);
}

static int count_entries(const char *path, int *own)
{
	DIR *dir = opendir(path);
	int count = 0;
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		count += entry->d_name[0] != '.';
		*own |= atoi(entry->d_name) == gettid();
	}
	if (dir)
		closedir(dir);
	return count;
}

CHECK(threads)
{
	int p[2], own = 0;
	pthread_t thread;
	pipe(p);
	pthread_create(&thread, NULL, sleep_in_pipe, p);
	say("%d tasks", count_entries("/proc/self/task", &own));
	say("one is me: %d", own);
	slurp(0, "status");
	say("Threads %s", value("Threads"));
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	while ((entry = readdir(dir)))
		if (atoi(entry->d_name) && atoi(entry->d_name) != getpid())
			break;
	int tid = atoi(entry->d_name);
	wait_asleep(tid);
	char name[64];
	snprintf(name, sizeof name, "task/%d/comm", tid);
	slurp(0, name);
	say("name %s", text);
	snprintf(name, sizeof name, "task/%d/stat", tid);
	slurp(0, name);
	say("state %s exit signal %s own number: %d", field(3), field(38), atoi(text) == tid);
	slurp(tid, "status");
	say("by its own number: Tgid %d Pid %d", atoi(value("Tgid")) == getpid(), atoi(value("Pid")) == tid);
	snprintf(name, sizeof name, "/proc/%d/task/%d", getppid(), getpid());
	show(access(name, F_OK));
	show(access("/proc/self/task/1x", F_OK));
	snprintf(name, sizeof name, "/proc/self/task/%d/task", tid);
	show(access(name, F_OK));
	snprintf(name, sizeof name, "/proc/self/task/%d/children", tid);
	show(access(name, F_OK));
	snprintf(name, sizeof name, "/proc/self/task/%d/fd", tid);
	say("descriptors: %d", count_entries(name, &own) >= 5);
	struct stat st;
	stat("/proc/self/task", &st);
	show(st.st_nlink);
	write(p[1], "x", 1);
	pthread_join(thread, NULL);
	// Joining it may come before it is gone.
	snprintf(name, sizeof name, "/proc/self/task/%d", tid);
	while (access(name, F_OK) == 0)
		sched_yield();
	own = 0;
	say("%d tasks", count_entries("/proc/self/task", &own));
}

CHECK(children)
{
	char name[64], wanted[64];
	pid_t child = start();
	if (child == 0)
		for (;;)
			pause();
	snprintf(name, sizeof name, "task/%d/children", getpid());
	long length = slurp(0, name);
	snprintf(wanted, sizeof wanted, "%d ", child);
	say("the child: %d", length > 0 && !strcmp(text, wanted));
	kill(child, SIGKILL);
	reap("child", child);
	show(slurp(0, name));
}

CHECK(states)
{
	pid_t child = start();
	if (child == 0)
		for (;;)
			pause();
	wait_asleep(child);
	slurp(child, "stat");
	say("waiting: %s", field(3));
	kill(child, SIGSTOP);
	int status;
	waitpid(child, &status, WUNTRACED);
	slurp(child, "status");
	say("stopped: %s", value("State"));
	kill(child, SIGCONT);
	waitpid(child, &status, WCONTINUED);
	wait_asleep(child);
	slurp(child, "stat");
	say("continued: %s", field(3));
	kill(child, SIGKILL);
	reap("child", child);
}

CHECK(limits)
{
	struct rlimit limit = { 77, 88 };
	setrlimit(RLIMIT_NOFILE, &limit);
	limit = (struct rlimit){ 0, 0 };
	setrlimit(RLIMIT_CORE, &limit);
	slurp(0, "limits");
	char *line = strtok(text, "\n");
	for (; line; line = strtok(NULL, "\n"))
		if (strstr(line, "Limit") || strstr(line, "open files") || strstr(line, "core file"))
			say("|%s|", line);
}

CHECK(out_of_memory_score)
{
	slurp(0, "oom_score_adj");
	say("%s", text);
	int fd = open("/proc/self/oom_score_adj", O_WRONLY), old = open("/proc/self/oom_adj", O_WRONLY);
	show(write(fd, "300\n", 4));
	slurp(0, "oom_score_adj");
	say("%s", text);
	show(write(fd, "1001", 4));
	show(write(fd, "-1001", 5));
	show(write(fd, "x", 1));
	show(write(fd, " 12 ", 4));
	IN_CHILD("child") {
		slurp(0, "oom_score_adj");
		say("inherited %s", text);
	}
	show(write(old, "15", 2));
	slurp(0, "oom_score_adj");
	say("%s", text);
	show(write(old, "16", 2));
	show(write(fd, "0", 1));
}

CHECK(modes)
{
	static const char *names[] = {
		"auxv", "clear_refs", "cmdline", "comm", "cwd", "environ", "exe", "fd", "fdinfo", "io", "limits", "maps", "mem",
		"mountinfo", "mounts", "mountstats", "net", "ns", "oom_score", "oom_score_adj", "root", "smaps", "stat", "statm",
		"status", "task", "wchan",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		struct stat st = { 0 };
		snprintf(path, sizeof path, "/proc/self/%s", names[i]);
		lstat(path, &st);
		say("%s: %s %o %d", names[i], type_name(st.st_mode), st.st_mode & 07777, st.st_uid == geteuid());
	}
	struct stat st;
	stat("/proc/self", &st);
	say("%s %o", type_name(st.st_mode), st.st_mode & 07777);
	lstat("/proc/self", &st);
	say("%s %o", type_name(st.st_mode), st.st_mode & 07777);
	struct statfs fs;
	statfs("/proc/self/stat", &fs);
	say("type %lx block %ld name %ld", (long)fs.f_type, (long)fs.f_bsize, (long)fs.f_namelen);
}

CHECK(strangers)
{
	static const char *names[] = { "maps", "environ", "auxv", "mem", "io", "smaps", "stat", "status", "cmdline", "limits", "personality" };
	static const char *links[] = { "exe", "cwd", "root", "fd/0", "ns/user" };
	if (geteuid() != 0) {
		say("needs root");
		return;
	}
	pid_t victim = start();
	if (victim == 0)
		for (;;)
			pause();
	wait_asleep(victim);
	IN_CHILD("stranger") {
		setresgid(12345, 12345, 12345);
		setresuid(12345, 12345, 12345);
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			char path[64];
			snprintf(path, sizeof path, "/proc/%d/%s", victim, names[i]);
			int fd = open(path, O_RDONLY);
			say("%s: %s", names[i], fd < 0 ? errno_name(errno) : "ok");
		}
		for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
			char path[64];
			snprintf(path, sizeof path, "/proc/%d/%s", victim, links[i]);
			show_ok(readlink(path, text, sizeof text));
		}
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/fd", victim);
		show_ok(open(path, O_RDONLY));
		snprintf(path, sizeof path, "/proc/%d/fdinfo/0", victim);
		show_ok(open(path, O_RDONLY));
		slurp(victim, "wchan");
		say("wchan %s", text);
		slurp(victim, "stat");
		say("start of the code %s", field(26));
		struct stat st;
		stat("/proc/self/maps", &st);
		say("mine belongs to %d", st.st_uid);
		show_ok(open("/proc/self/fd", O_RDONLY));
	}
	kill(victim, SIGKILL);
	reap("victim", victim);
}
