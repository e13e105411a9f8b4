// sendfile.c: file to pipe, file to file; positions, errors.
//
// Calls: sendfile
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

static char buffer[1 << 17];
static int p[2];

static int file(const char *name, const char *content)
{
	int fd = need(open(name, O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(write(fd, content, strlen(content)));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

CHECK(to_a_pipe)
{
	need(pipe2(p, O_NONBLOCK));
	int in = file("in", "0123456789");
	show(sendfile(p[1], in, NULL, 4));
	show(lseek(in, 0, SEEK_CUR));
	off_t at = 6;
	show(sendfile(p[1], in, &at, 100));
	show(at);
	show(lseek(in, 0, SEEK_CUR));
	show(sendfile(p[1], in, &at, 100));
	show_bytes("pipe", buffer, read(p[0], buffer, 100));
	show(sendfile(p[1], in, NULL, 0));
	show(sendfile(p[1], in, NULL, 100));
	show(sendfile(p[1], in, NULL, 100));
}

CHECK(to_a_file)
{
	int in = file("in", "0123456789"), out = file("out", "");
	show(sendfile(out, in, NULL, 5));
	show(lseek(out, 0, SEEK_CUR));
	show(sendfile(out, in, NULL, 50));
	show_bytes("out", buffer, pread(out, buffer, 100, 0));
	off_t at = 2;
	show(sendfile(in, in, &at, 3));
	show_bytes("onto itself", buffer, pread(in, buffer, 100, 0));
	int appending = open("out", O_WRONLY | O_APPEND);
	at = 0;
	show(sendfile(appending, in, &at, 3));
	show(sendfile(open("/dev/null", O_WRONLY), in, &at, 3));
	show(sendfile(open("/dev/full", O_WRONLY), in, &at, 3));
}

CHECK(full_pipe)
{
	need(pipe2(p, O_NONBLOCK));
	int in = file("in", "");
	ftruncate(in, 1 << 20);
	long sent = sendfile(p[1], in, NULL, 1 << 20);
	say("sent a positive part: %d", sent > 0 && sent <= 65536);
	say("position follows: %d", lseek(in, 0, SEEK_CUR) == sent);
	show(sendfile(p[1], in, NULL, 1 << 20));
}

CHECK(errors)
{
	need(pipe2(p, O_NONBLOCK));
	int in = file("in", "0123456789"), w = open("in", O_WRONLY), r = open("in", O_RDONLY), d = open(".", O_RDONLY);
	off_t at = -1;
	show(sendfile(p[1], w, NULL, 1));
	show(sendfile(r, in, NULL, 1));
	show(sendfile(p[0], in, NULL, 1));
	show(sendfile(99, in, NULL, 1));
	show(sendfile(p[1], 99, NULL, 1));
	show(sendfile(99, 99, NULL, 1));
	show(sendfile(p[1], in, &at, 1));
	at = LLONG_MAX;
	show(sendfile(p[1], in, &at, 1));
	show(sendfile(99, in, &at, 1));
	show(sendfile(p[1], p[0], NULL, 1));
	show(sendfile(p[1], p[0], &at, 1));
	show(sendfile(p[1], d, NULL, 1));
	show(sendfile(d, in, NULL, 1));
	show(sendfile(p[1], in, bad_pointer(), 1));
	show(sendfile(99, in, bad_pointer(), 1));
	show(sendfile(p[1], in, read_only_pointer(), 1));
	show_bytes("pipe", buffer, read(p[0], buffer, 100));
	show(sendfile(p[1], in, NULL, -1));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	at = 0;
	show(sendfile(p[1], in, &at, 1));
	show(at);
}

CHECK(data_is_a_reference)
{
	need(pipe2(p, O_NONBLOCK));
	int in = file("in", "");
	memset(buffer, 'o', 8192);
	write(in, buffer, 8192);
	off_t at = 0;
	show(sendfile(p[1], in, &at, 8192));
	// The pipe holds the file's pages, not a copy of them.
	show(pwrite(in, "NEW", 3, 0));
	show(read(p[0], buffer, 8192));
	show_bytes("read", buffer, 8);
}

CHECK(growing_pipe_reader)
{
	need(pipe(p));
	int in = file("in", "");
	memset(buffer, 's', sizeof buffer);
	write(in, buffer, sizeof buffer);
	pid_t pid = start();
	if (pid == 0) {
		close(p[1]);
		long total = 0, got;
		while ((got = read(p[0], buffer, 5000)) > 0)
			total += got;
		_exit(total == sizeof buffer ? 0 : 1);
	}
	close(p[0]);
	off_t at = 0;
	while (at < (off_t)sizeof buffer && sendfile(p[1], in, &at, sizeof buffer - at) > 0)
		;
	show(at);
	close(p[1]);
	reap("reader", pid);
}

CHECK(from_a_directory)
{
	int out = file("out", ""), sockets[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	int dirs[] = { need(open(".", O_RDONLY)), need(open("/proc", O_RDONLY)) };
	for (int i = 0; i < 2; i++) {
		show(sendfile(out, dirs[i], NULL, 10));
		show(sendfile(sockets[0], dirs[i], NULL, 10));
	}
}
