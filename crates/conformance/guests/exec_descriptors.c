// exec_descriptors.c: what execve and fork do to descriptors and what hangs on them.
//
// Calls: execve fork fcntl open pipe2 dup3
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

CHECK(close_on_exec)
{
	int p[2], q[2];
	open("f", O_CREAT | O_RDWR, 0644);
	open("f", O_RDWR | O_CLOEXEC);
	pipe(p);
	pipe2(q, O_CLOEXEC);
	dup3(p[0], 20, O_CLOEXEC);
	dup2(q[0], 21);
	fcntl(p[0], F_DUPFD_CLOEXEC, 30);
	fcntl(q[0], F_DUPFD, 31);
	dup2(p[1], 40);
	fcntl(40, F_SETFD, FD_CLOEXEC);
	dup2(q[1], 41);
	fcntl(41, F_SETFD, 0);
	IN_CHILD("program") {
		become("list", NULL);
	}
	say("the parent keeps them: %d %d", fcntl(20, F_GETFD), fcntl(40, F_GETFD));
}

ROLE(list)
{
	char line[512] = "", *end = line;
	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			end += sprintf(end, " %d", fd);
	say("open after exec:%s", line);
}

CHECK(failed_exec_keeps_them)
{
	open("f", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	char *argv[] = { "f", NULL };
	show(execv("missing", argv));
	show(execv("f", argv));
	show(fcntl(3, F_GETFD));
}

CHECK(position_and_flags_survive)
{
	int fd = open("f", O_CREAT | O_RDWR | O_APPEND, 0644);
	write(fd, "0123456789", 10);
	lseek(fd, 4, SEEK_SET);
	dup2(fd, 10);
	IN_CHILD("program") {
		become("inspect", NULL);
	}
	show(lseek(fd, 0, SEEK_CUR));
}

ROLE(inspect)
{
	char text[8];
	say("%s", open_names(fcntl(10, F_GETFL)));
	show(lseek(10, 0, SEEK_CUR));
	show(read(10, text, 3));
	show_bytes("read", text, 3);
}

CHECK(end_of_file_after_exec)
{
	int p[2];
	char c;
	pipe2(p, O_CLOEXEC);
	pid_t pid = start();
	if (pid == 0) {
		// The program waits for its standard input, a pipe nobody writes to; its copy of p[1] is gone.
		int q[2];
		pipe(q);
		dup2(q[0], 0);
		dup2(q[1], 50);
		become("wait", NULL);
	}
	close(p[1]);
	show(read(p[0], &c, 1));
	kill(pid, SIGKILL);
	reap("program", pid);
}

ROLE(wait)
{
	char c;
	read(0, &c, 1);
}

CHECK(umask_and_directory_survive)
{
	mkdir("d", 0755);
	IN_CHILD("program") {
		umask(077);
		chdir("d");
		become("create", NULL);
	}
	struct stat st;
	show(stat("d/made", &st));
	say("%o", st.st_mode & 07777);
	show(umask(022));
}

ROLE(create)
{
	open("made", O_CREAT | O_WRONLY, 0666);
}

CHECK(table_of_a_vfork_child)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	static volatile int result;
	pid_t pid = vfork();
	if (pid == 0) {
		// Memory is shared, the descriptor table is not.
		result = close(fd);
		_exit(0);
	}
	reap("vfork child", pid);
	show(result);
	show(fcntl(fd, F_GETFD));
}

CHECK(many_descriptors)
{
	int n = 0;
	while (dup(0) >= 0)
		n++;
	say("%d more, then %s", n, errno_name(errno));
	IN_CHILD("child") {
		show(fcntl(1023, F_GETFD));
		show(dup(0));
		close(500);
		show(dup(0));
	}
	show(close(700));
	show(open("f", O_CREAT | O_RDWR, 0644));
}
