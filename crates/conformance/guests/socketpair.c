// socketpair.c: making sockets and pairs of them.
//
// Calls: socket socketpair fcntl fstat
// Passes: host acrida
#include "sockets.h"

CHECK(kinds)
{
	for (int type = 0; type <= 11; type++) {
		int fd = socket(AF_UNIX, type, 0);
		say("type %d: %s", type, fd < 0 ? errno_name(errno) : "ok");
		if (fd >= 0)
			say("SO_TYPE %d", int_option(fd, SO_TYPE));
		close(fd);
		say("pair: %s", socketpair(AF_UNIX, type, 0, s) < 0 ? errno_name(errno) : "ok");
	}
}

CHECK(protocols)
{
	static const int protocols[] = { -1, 0, 1, 2, 255, 256, 1000 };
	for (unsigned i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, protocols[i]);
		say("protocol %d: %s", protocols[i], fd < 0 ? errno_name(errno) : "ok");
		if (fd >= 0)
			say("SO_PROTOCOL %d", int_option(fd, SO_PROTOCOL));
		close(fd);
		fd = socketpair(AF_UNIX, SOCK_DGRAM, protocols[i], s);
		say("pair, protocol %d: %s", protocols[i], fd < 0 ? errno_name(errno) : "ok");
	}
}

CHECK(families)
{
	show_ok(socket(-1, SOCK_STREAM, 0));
	show_ok(socket(0, SOCK_STREAM, 0));
	show_ok(socket(46, SOCK_STREAM, 0));
	show_ok(socket(1000, SOCK_STREAM, 0));
	show_ok(socket(1000, 99, 0));
	show_ok(socketpair(-1, SOCK_STREAM, 0, s));
	show_ok(socketpair(0, SOCK_STREAM, 0, s));
	show_ok(socketpair(1000, SOCK_STREAM, 0, s));
	show_ok(socketpair(AF_INET, SOCK_STREAM, 0, s));
	show_ok(socketpair(AF_INET, SOCK_DGRAM, 0, s));
	show_ok(socketpair(AF_INET6, SOCK_DGRAM, 0, s));
	show_ok(socketpair(AF_NETLINK, SOCK_RAW, 0, s));
	// Whatever is wrong with the kind is told as for one socket.
	show_ok(socketpair(AF_INET, 11, 0, s));
	show_ok(socketpair(AF_INET, SOCK_STREAM, 99, s));
	show_ok(socketpair(AF_INET, 7, 0, s));
	show_ok(socketpair(1000, 11, 0, s));
	show_ok(socket(1000, 11, 0));
	show_ok(socket(AF_INET, 11, 0));
}

CHECK(flags)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	show(fcntl(fd, F_GETFD));
	fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	say("%s", open_names(fcntl(fd, F_GETFL)));
	show(fcntl(fd, F_GETFD));
	show_ok(socket(AF_UNIX, SOCK_STREAM | O_APPEND, 0));
	show_ok(socket(AF_UNIX, SOCK_STREAM | 0x10, 0));
	show_ok(socketpair(AF_UNIX, SOCK_STREAM | O_SYNC, 0, s));
	need(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
	say("%s %s", open_names(fcntl(s[0], F_GETFL)), open_names(fcntl(s[1], F_GETFL)));
	show(fcntl(s[0], F_GETFD));
}

CHECK(numbers)
{
	show(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	show(s[0]);
	show(s[1]);
	show(socket(AF_UNIX, SOCK_STREAM, 0));
}

CHECK(bad_array)
{
	show(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));
	show(socketpair(AF_UNIX, SOCK_STREAM, 0, bad_pointer()));
	show(socketpair(AF_UNIX, SOCK_STREAM, 0, read_only_pointer()));
	show(socketpair(AF_UNIX, SOCK_STREAM, 0, at_edge(4)));
	show(socketpair(AF_UNIX, 77, 0, NULL));
	say("no descriptor is left: %d", dup(0));
}

CHECK(out_of_descriptors)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 4;
	setrlimit(RLIMIT_NOFILE, &limit);
	show(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	show(socket(AF_UNIX, SOCK_STREAM, 0));
	show(socket(AF_UNIX, SOCK_STREAM, 0));
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
}

CHECK(not_a_socket)
{
	int p[2];
	char c;
	struct name name = path_name("s");
	need(pipe(p));
	show(bind(p[0], AT(name)));
	show(connect(p[0], AT(name)));
	show(listen(p[0], 1));
	show(accept(p[0], NULL, NULL));
	show(getsockname(p[0], NULL, NULL));
	show(getpeername(p[0], NULL, NULL));
	show(shutdown(p[0], 0));
	show(send(p[1], "x", 1, 0));
	show(recv(p[0], &c, 1, 0));
	show(sendmsg(p[1], NULL, 0));
	show(recvmsg(p[0], NULL, 0));
	show(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, NULL, 0));
	show(getsockopt(p[0], SOL_SOCKET, SO_SNDBUF, NULL, NULL));
	show(bind(99, AT(name)));
	show(shutdown(99, 9));
	show(accept4(99, NULL, NULL, 1));
	show(sendmsg(99, NULL, 0));
}

CHECK(path_descriptor)
{
	close(bound(SOCK_STREAM, "s"));
	int fd = need(open("s", O_PATH));
	struct name name = path_name("s");
	show(connect(fd, AT(name)));
	show(listen(fd, 1));
	show(open("s", O_RDWR));
	show(open("s", O_RDONLY | O_NONBLOCK));
}

CHECK(status)
{
	struct stat a, b;
	pair(SOCK_STREAM);
	show(fstat(s[0], &a));
	show(fstat(s[1], &b));
	say("%s %o links %d size %ld blksize %ld", type_name(a.st_mode), a.st_mode & 07777, (int)a.st_nlink, (long)a.st_size,
	    (long)a.st_blksize);
	say("one inode %d, one device %d", a.st_ino == b.st_ino, a.st_dev == b.st_dev);
	show(fchmod(s[0], 0600));
	fstat(s[0], &a);
	fstat(s[1], &b);
	say("%o %o", a.st_mode & 07777, b.st_mode & 07777);
}

CHECK(file_calls)
{
	char c;
	pair(SOCK_STREAM);
	show(lseek(s[0], 0, SEEK_SET));
	show(pread(s[0], &c, 1, 0));
	show(pwrite(s[0], &c, 1, 0));
	show(ftruncate(s[0], 0));
	show(fsync(s[0]));
	show(fdatasync(s[0]));
	show(fallocate(s[0], 0, 0, 1));
	show_ok((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, s[0], 0));
	show(fcntl(s[0], F_GETPIPE_SZ));
	show(fchdir(s[0]));
	show(ioctl(s[0], 0x5401, &c));
	show(ioctl(s[0], 0x1234, &c));
}

CHECK(link_text)
{
	char path[64], text[64] = { 0 };
	pair(SOCK_DGRAM);
	snprintf(path, sizeof path, "/proc/self/fd/%d", s[0]);
	show_ok(readlink(path, text, sizeof text - 1));
	say("%.8s", text);
	show(open(path, O_RDWR));
	show_ok(open(path, O_PATH));
}

CHECK(many)
{
	int made = 0;
	while (made < 400 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0)
		made++;
	say("%d pairs, %s", made, made < 400 ? errno_name(errno) : "and more");
}
