// dnotify.c: F_NOTIFY: a signal when something happens in a directory.
//
// Calls: fcntl
// Passes: host acrida Places: disk tmpfs
#include "process.h"

#include <dirent.h>

static volatile sig_atomic_t count, code, band, from;

static void on_signal(int sig UNUSED, siginfo_t *info, void *context UNUSED)
{
	count++;
	code = info->si_code;
	band = info->si_band;
	from = info->si_fd;
}

static void listen_to(int sig)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	need(sigaction(sig, &action, NULL));
	count = 0;
}

static void told(const char *when)
{
	say("%s: %d", when, (int)count);
	count = 0;
}

static int directory(const char *path)
{
	mkdir(path, 0755);
	return need(open(path, O_RDONLY | O_DIRECTORY));
}

// A directory that tells of `mask` again and again by SIGIO.
static int watched(const char *path, unsigned mask)
{
	int fd = directory(path);
	listen_to(SIGIO);
	need(fcntl(fd, F_NOTIFY, mask | DN_MULTISHOT));
	return fd;
}

static void touch(const char *path)
{
	close(need(open(path, O_WRONLY | O_CREAT, 0644)));
}

// Everything that can happen in `d`, each told by name.
static void life_in_d(void)
{
	char c;
	touch("d/f");
	told("create");
	int fd = need(open("d/f", O_RDWR));
	told("open");
	need(write(fd, "abc", 3));
	told("write");
	need(pread(fd, &c, 1, 0));
	told("read");
	need(ftruncate(fd, 1));
	told("truncate");
	need(fchmod(fd, 0600));
	told("chmod");
	need(futimens(fd, NULL));
	told("utime");
	close(fd);
	told("close");
	need(link("d/f", "d/g"));
	told("link");
	need(symlink("f", "d/s"));
	told("symlink");
	need(mkdir("d/sub", 0755));
	told("mkdir");
	touch("d/sub/deep");
	told("create below");
	need(rename("d/g", "d/h"));
	told("rename inside");
	need(rename("d/h", "outside"));
	told("rename away");
	need(rename("outside", "d/i"));
	told("rename to here");
	touch("outside");
	need(rename("outside", "d/i"));
	told("rename over");
	need(unlink("d/i"));
	told("unlink");
	need(unlink("d/sub/deep"));
	told("unlink below");
	need(rmdir("d/sub"));
	told("rmdir");
	need(chmod("d", 0700));
	told("chmod of the directory");
	DIR *dir = opendir("d");
	while (readdir(dir))
		;
	closedir(dir);
	told("listed");
	need(rename("d", "e"));
	told("directory renamed");
	need(rename("e", "d"));
	need(unlink("d/s"));
	need(unlink("d/f"));
	need(rmdir("d"));
	told("directory removed");
}

CHECK(access) { watched("d", DN_ACCESS); life_in_d(); }
CHECK(modify) { watched("d", DN_MODIFY); life_in_d(); }
CHECK(create) { watched("d", DN_CREATE); life_in_d(); }
CHECK(delete) { watched("d", DN_DELETE); life_in_d(); }
CHECK(rename) { watched("d", DN_RENAME); life_in_d(); }
CHECK(attrib) { watched("d", DN_ATTRIB); life_in_d(); }

CHECK(errors)
{
	touch("f");
	int file = need(open("f", O_RDONLY)), dir = directory("d"), pipes[2];
	int path = need(open("d", O_PATH | O_DIRECTORY));
	pipe(pipes);
	show(fcntl(file, F_NOTIFY, DN_CREATE));
	show(fcntl(file, F_NOTIFY, 0));
	show(fcntl(pipes[0], F_NOTIFY, DN_CREATE));
	show(fcntl(path, F_NOTIFY, DN_CREATE));
	show(fcntl(999, F_NOTIFY, DN_CREATE));
	show(fcntl(dir, F_NOTIFY, 0));
	show(fcntl(dir, F_NOTIFY, DN_MULTISHOT));
	show(fcntl(dir, F_NOTIFY, 0x40));
	show(fcntl(dir, F_NOTIFY, 0x40 | DN_CREATE));
	show(fcntl(dir, F_NOTIFY, DN_CREATE));
}

CHECK(default_action_is_death)
{
	if (!fork()) {
		int dir = directory("d");
		need(fcntl(dir, F_NOTIFY, DN_CREATE));
		touch("d/f");
		_exit(0);
	}
	int status;
	wait(&status);
	say("%s", WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : "exited");
}

CHECK(once)
{
	int dir = directory("d");
	listen_to(SIGIO);
	show(fcntl(dir, F_NOTIFY, DN_CREATE | DN_DELETE));
	touch("d/a");
	told("first");
	touch("d/b");
	told("second");
	need(unlink("d/a"));
	told("another kind");
	show(fcntl(dir, F_NOTIFY, DN_CREATE));
	show(fcntl(dir, F_NOTIFY, 0));
	touch("d/c");
	told("taken back");
}

CHECK(asked_twice)
{
	int dir = directory("d"), copy = dup(dir), other = directory("d");
	listen_to(SIGRTMIN);
	need(fcntl(dir, F_SETSIG, SIGRTMIN));
	show(fcntl(dir, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	show(fcntl(copy, F_NOTIFY, DN_DELETE));
	touch("d/a");
	say("code %d band %s copy %d", (int)code, poll_names(band), from == copy);
	told("create");
	need(unlink("d/a"));
	told("delete");
	need(fcntl(other, F_SETSIG, SIGRTMIN));
	show(fcntl(other, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	touch("d/b");
	told("two open files");
	close(other);
	touch("d/c");
	told("one closed");
	close(copy);
	touch("d/d");
	told("any descriptor's close ends it");
	show(fcntl(dir, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	touch("d/e");
	told("asked anew");
}

CHECK(owner)
{
	int dir = directory("d");
	listen_to(SIGIO);
	say("before: %d", fcntl(dir, F_GETOWN));
	need(fcntl(dir, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	say("mine: %d", fcntl(dir, F_GETOWN) == getpid());
	int other = directory("d");
	need(fcntl(other, F_SETOWN, -getpgrp()));
	need(fcntl(other, F_NOTIFY, DN_CREATE));
	say("the group stays: %d", fcntl(other, F_GETOWN) == -getpgrp());
}

CHECK(after_fork)
{
	int dir = watched("d", DN_CREATE);
	if (!fork()) {
		count = 0;
		touch("d/a");
		told("child");
		// The table is another one: its close leaves the parent's alone.
		close(dir);
		_exit(0);
	}
	// The signal may interrupt the wait.
	while (wait(NULL) < 0 && errno == EINTR)
		;
	told("parent");
	touch("d/b");
	told("after the child's close");
	close(dir);
	touch("d/c");
	told("closed");
}

CHECK(signal_number)
{
	int dir = directory("d");
	listen_to(SIGRTMIN + 1);
	need(fcntl(dir, F_SETSIG, SIGRTMIN + 1));
	need(fcntl(dir, F_NOTIFY, DN_MODIFY | DN_MULTISHOT));
	int fd = need(open("d/f", O_RDWR | O_CREAT, 0644));
	for (int i = 0; i < 3; i++)
		need(write(fd, "x", 1));
	say("code %d band %s descriptor %d", (int)code, poll_names(band), from == dir);
	told("each is queued");
}
