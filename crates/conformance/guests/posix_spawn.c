// posix_spawn.c: attributes, file actions, and errors that come back through the shared memory of a vfork child.
//
// Calls: vfork clone execve dup2 setpgid setsid
// Passes: host acrida
#include "process.h"

#include <spawn.h>

static int spawn(pid_t *pid, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
		 const char *role)
{
	char *argv[] = {guest_arguments[0], EXEC_ROLE, (char *)role, (char *)current_check, NULL};
	return posix_spawn(pid, guest_arguments[0], actions, attributes, argv, environ);
}

ROLE(seven)
{
	_exit(7);
}
ROLE(mask)
{
	_exit(is_blocked(SIGUSR1) + 2 * is_blocked(SIGUSR2));
}
ROLE(group)
{
	_exit((getpgrp() == getpid()) + 2 * (getsid(0) == getpid()));
}
ROLE(speak)
{
	say("spoken");
}
ROLE(fds)
{
	_exit((fcntl(50, F_GETFD) == 0) + 2 * (fcntl(51, F_GETFD) == 0) + 4 * (fcntl(52, F_GETFD) == 0));
}
ROLE(disposition)
{
	struct sigaction action;
	sigaction(SIGUSR1, NULL, &action);
	_exit(action.sa_handler == SIG_IGN ? 1 : action.sa_handler == SIG_DFL ? 2 : 3);
}

CHECK(results)
{
	pid_t pid = -5;
	int error = spawn(&pid, NULL, NULL, "seven");
	report("plain", "%s, %s", outcome(-error), ending(pid));
	char *argv[] = {"x", NULL};
	pid = -5;
	errno = EXDEV;
	error = posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ);
	report("missing", "%s pid %d errno %s", outcome(-error), pid, outcome(-errno));
	report_result("missing-leaves-no-child", folded(waitpid(-1, NULL, WNOHANG)));
	error = posix_spawn(&pid, "/", NULL, NULL, argv, environ);
	report("directory", "%s", outcome(-error));
	error = posix_spawn(&pid, "/dev/null", NULL, NULL, argv, environ);
	report("device", "%s", outcome(-error));
	error = posix_spawn(&pid, "/dev/null/x", NULL, NULL, argv, environ);
	report("not-a-directory", "%s", outcome(-error));
	error = posix_spawnp(&pid, "acrida-no-such-program", NULL, NULL, argv, environ);
	report("path-search-missing", "%s", outcome(-error));
	int fd = open("text", O_CREAT | O_WRONLY, 0700);
	if (write(fd, "no magic\n", 9) != 9)
		return;
	close(fd);
	error = posix_spawn(&pid, "./text", NULL, NULL, argv, environ);
	report("no-magic", "%s", outcome(-error));
}

CHECK(many_failures)
{
	char *argv[] = {"x", NULL};
	int right = 0;
	for (int i = 0; i < 50; i++)
		right += posix_spawn(NULL, "/no/such/program", NULL, NULL, argv, environ) == ENOENT;
	report("fifty-failures", "%d", right);
	report_result("fifty-failures-no-zombies", folded(wait(NULL)));
}

CHECK(masks)
{
	posix_spawnattr_t attributes;
	sigset_t set;
	pid_t pid;
	block(SIG_BLOCK, SIGUSR1);
	spawn(&pid, NULL, NULL, "mask");
	report("mask-inherited", "%s", ending(pid));
	posix_spawnattr_init(&attributes);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	spawn(&pid, NULL, &attributes, "mask");
	report("mask-set", "%s", ending(pid));
	report("mask-parent-kept", "%d%d", is_blocked(SIGUSR1), is_blocked(SIGUSR2));
	block(SIG_UNBLOCK, SIGUSR1);
	posix_spawnattr_destroy(&attributes);
}

static void on_signal(int signo)
{
	(void)signo;
}

CHECK(dispositions)
{
	posix_spawnattr_t attributes;
	sigset_t set;
	pid_t pid;
	signal(SIGUSR1, SIG_IGN);
	spawn(&pid, NULL, NULL, "disposition");
	report("ignored-stays", "%s", ending(pid));
	posix_spawnattr_init(&attributes);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	spawn(&pid, NULL, &attributes, "disposition");
	report("ignored-set-to-default", "%s", ending(pid));
	handle(SIGUSR1, on_signal, 0);
	spawn(&pid, NULL, NULL, "disposition");
	report("handled-becomes-default", "%s", ending(pid));
	struct sigaction action;
	sigaction(SIGUSR1, NULL, &action);
	report_flag("handler-parent-kept", action.sa_handler == on_signal);
	signal(SIGUSR1, SIG_DFL);
	posix_spawnattr_destroy(&attributes);
}

CHECK(groups)
{
	posix_spawnattr_t attributes;
	pid_t pid;
	spawn(&pid, NULL, NULL, "group");
	report("group-inherited", "%s", ending(pid));
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	spawn(&pid, NULL, &attributes, "group");
	report("group-own", "%s", ending(pid));
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	spawn(&pid, NULL, &attributes, "group");
	report("session-own", "%s", ending(pid));
	posix_spawnattr_setpgroup(&attributes, 2000000000);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	report_result("group-missing", -spawn(&pid, NULL, &attributes, "group"));
	posix_spawnattr_destroy(&attributes);
}

CHECK(file_actions)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	char text[64] = "";
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC))
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	spawn(&pid, &actions, NULL, "speak");
	report("dup2-child", "%s", ending(pid));
	ssize_t got = read(ends[0], text, sizeof text - 1);
	report("dup2-output", "%.*s", (int)(got > 0 ? got - 1 : 0), text);
	close(ends[0]);
	close(ends[1]);
	posix_spawn_file_actions_destroy(&actions);

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 50, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, 50, 51);
	posix_spawn_file_actions_adddup2(&actions, 51, 52);
	posix_spawn_file_actions_addclose(&actions, 51);
	spawn(&pid, &actions, NULL, "fds");
	report("open-dup-close", "%s", ending(pid));
	posix_spawn_file_actions_destroy(&actions);

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 50, "/no/such/file", O_RDONLY, 0);
	report_result("open-fails", -spawn(&pid, &actions, NULL, "fds"));
	posix_spawn_file_actions_destroy(&actions);

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 777, 50);
	report_result("dup-of-closed-fails", -spawn(&pid, &actions, NULL, "fds"));
	posix_spawn_file_actions_destroy(&actions);

	// dup2 to itself is how a spawned program keeps a close-on-exec descriptor.
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup3(fd, 50, O_CLOEXEC);
	spawn(&pid, NULL, NULL, "fds");
	report("cloexec-gone", "%s", ending(pid));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 50, 50);
	spawn(&pid, &actions, NULL, "fds");
	report("dup2-to-itself-keeps", "%s", ending(pid));
	report("dup2-to-itself-parent-flag", "%d", fcntl(50, F_GETFD));
	posix_spawn_file_actions_destroy(&actions);
	close(fd);
	close(50);
	report_result("nothing-left", folded(wait(NULL)));
}
