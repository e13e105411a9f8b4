// unix_sendfile.c: pages of files, and what splice moves, through sockets.
//
// Calls: sendfile splice ioctl
// Passes: host acrida
// Places: disk tmpfs
#include "sockets.h"

#include <sys/sendfile.h>

enum { SIZE = 100000 };
static unsigned char file_bytes[SIZE], got_bytes[SIZE * 2];

static int make_file(void)
{
	int fd = need(open("file", O_CREAT | O_RDWR | O_TRUNC, 0600));
	for (int i = 0; i < SIZE; i++)
		file_bytes[i] = (i * 31) >> 4;
	need(write(fd, file_bytes, SIZE));
	need(lseek(fd, 0, SEEK_SET));
	return fd;
}

static long drain(int fd, long want)
{
	long at = 0, got;
	while (at < want && (got = recv(fd, got_bytes + at, want - at, 0)) > 0)
		at += got;
	return at;
}

CHECK(whole_file)
{
	int fd = make_file();
	pair(SOCK_STREAM);
	show(sendfile(s[0], fd, NULL, SIZE));
	show(lseek(fd, 0, SEEK_CUR));
	show(drain(s[1], SIZE));
	say("same: %d", memcmp(file_bytes, got_bytes, SIZE) == 0);
	show(int_ioctl(s[0], SIOCOUTQ));
	show(sendfile(s[0], fd, NULL, SIZE));
}

CHECK(from_an_offset)
{
	int fd = make_file();
	off_t at = 4097;
	pair(SOCK_STREAM);
	show(sendfile(s[0], fd, &at, 5000));
	show(at);
	show(lseek(fd, 0, SEEK_CUR));
	show(drain(s[1], 5000));
	say("same: %d", memcmp(file_bytes + 4097, got_bytes, 5000) == 0);
	at = SIZE - 10;
	show(sendfile(s[0], fd, &at, 5000));
	show(drain(s[1], 10));
	say("same: %d", memcmp(file_bytes + SIZE - 10, got_bytes, 10) == 0);
}

CHECK(datagrams)
{
	int fd = make_file();
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(sendfile(s[0], fd, NULL, 100));
	show(recv(s[1], got_bytes, SIZE, 0));
	pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
	show(sendfile(s[0], fd, NULL, 100));
	show(recv(s[1], got_bytes, SIZE, 0));
}

CHECK(full_socket)
{
	int fd = make_file();
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	while (send(s[0], file_bytes, 4096, 0) > 0)
		;
	show(sendfile(s[0], fd, NULL, 1000));
	show(lseek(fd, 0, SEEK_CUR));
}

CHECK(broken)
{
	int fd = make_file();
	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM);
	close(s[1]);
	show(sendfile(s[0], fd, NULL, 1000));
	show(lseek(fd, 0, SEEK_CUR));
	int alone = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(sendfile(alone, fd, NULL, 1000));
}

CHECK(from_a_socket)
{
	int fd = make_file(), p[2];
	pair(SOCK_STREAM);
	need(pipe(p));
	show(sendfile(fd, s[0], NULL, 10));
	show(sendfile(p[1], s[0], NULL, 0));
	need(send(s[1], "hello", 5, 0));
	show(splice(s[0], NULL, p[1], NULL, 100, 0));
	show(read(p[0], got_bytes, 100));
	show_bytes("through the pipe", got_bytes, 5);
	off_t at = 0;
	show(splice(s[0], &at, p[1], NULL, 100, 0));
	show(splice(s[0], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
	close(s[1]);
	show(splice(s[0], NULL, p[1], NULL, 100, 0));
}

CHECK(into_a_socket)
{
	int p[2];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	need(pipe(p));
	need(write(p[1], "hello", 5));
	show(splice(p[0], NULL, s[0], NULL, 3, 0));
	show(splice(p[0], NULL, s[0], NULL, 100, 0));
	show(recv(s[1], got_bytes, 100, 0));
	show_bytes("through the socket", got_bytes, 5);
	show(splice(p[0], NULL, s[0], NULL, 100, SPLICE_F_NONBLOCK));
}

CHECK(datagram_socket_and_splice)
{
	int p[2];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	need(pipe(p));
	need(send(s[1], "hello", 5, 0));
	show(splice(s[0], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
	need(write(p[1], "hello", 5));
	show(splice(p[0], NULL, s[0], NULL, 100, SPLICE_F_NONBLOCK));
	show(recv(s[1], got_bytes, 100, 0));
}

CHECK(not_between_sockets)
{
	pair(SOCK_STREAM);
	show(splice(s[0], NULL, s[1], NULL, 10, 0));
	show(tee(s[0], s[1], 10, 0));
	int fd = make_file();
	show(copy_file_range(fd, NULL, s[0], NULL, 10, 0));
	show(copy_file_range(s[0], NULL, fd, NULL, 10, 0));
}

CHECK(changed_while_queued)
{
	int fd = make_file();
	pair(SOCK_STREAM);
	show(sendfile(s[0], fd, NULL, 8192));
	show(int_ioctl(s[1], FIONREAD));
	show(pwrite(fd, "CHANGED", 7, 100));
	show(drain(s[1], 8192));
	show_bytes("what the peer sees", got_bytes + 100, 7);
}

CHECK(cut_while_queued)
{
	int fd = make_file();
	pair(SOCK_STREAM);
	show(sendfile(s[0], fd, NULL, 8192));
	show(ftruncate(fd, 0));
	show(drain(s[1], 8192));
	say("same as before: %d", memcmp(file_bytes, got_bytes, 8192) == 0);
}

CHECK(mapped_and_changed_while_queued)
{
	int fd = make_file();
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pair(SOCK_STREAM);
	show(sendfile(s[0], fd, NULL, 8192));
	memcpy(map + 5000, "MAPPED", 6);
	show(drain(s[1], 8192));
	show_bytes("what the peer sees", got_bytes + 5000, 6);
}

CHECK(queued_through_a_pipe)
{
	int fd = make_file(), p[2];
	pair(SOCK_STREAM);
	need(pipe(p));
	show(splice(fd, NULL, p[1], NULL, 4096, 0));
	show(splice(p[0], NULL, s[0], NULL, 4096, 0));
	show(pwrite(fd, "CHANGED", 7, 100));
	show(drain(s[1], 4096));
	show_bytes("what the peer sees", got_bytes + 100, 7);
}

CHECK(out_queue_tells)
{
	int fd = make_file();
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(sendfile(s[0], fd, NULL, 4096));
	int queued = int_ioctl(s[0], SIOCOUTQ);
	say("queued: %d", queued >= 4096);
	show(recv(s[1], got_bytes, 4096, 0));
	show(int_ioctl(s[0], SIOCOUTQ));
}

CHECK(large_through_small)
{
	int fd = make_file();
	pair(SOCK_STREAM);
	need(set_option(s[0], SO_SNDBUF, 8192));
	pid_t child = start();
	if (child == 0) {
		close(s[1]);
		long sent = 0, got;
		while (sent < SIZE && (got = sendfile(s[0], fd, NULL, SIZE - sent)) > 0)
			sent += got;
		_exit(sent == SIZE ? 0 : 1);
	}
	close(s[0]);
	show(drain(s[1], SIZE));
	say("same: %d", memcmp(file_bytes, got_bytes, SIZE) == 0);
	reap("sender", child);
}
