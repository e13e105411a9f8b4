// unix_scm_cred.c: who sent it, who sits at the other end.
//
// Calls: sendmsg recvmsg getsockopt setsockopt
// Passes: host acrida
#include "sockets.h"

static struct ucred mine(void)
{
	return (struct ucred){ getpid(), getuid(), getgid() };
}

static void show_peercred(const char *what, int fd)
{
	struct ucred u = { -7, -7, -7 };
	socklen_t len = sizeof u;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len))
		say("%s: %s", what, errno_name(errno));
	else
		say("%s: pid %s uid %d gid %d length %u", what, u.pid == getpid() ? "mine" : u.pid == 0 ? "0" : "other", (int)u.uid,
		    (int)u.gid, len);
}

CHECK(not_asked)
{
	struct message m;
	pair(SOCK_STREAM);
	show(send_creds(s[0], "m", mine()));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, NULL);
}

CHECK(asked)
{
	struct message m;
	pair(SOCK_STREAM);
	show(set_option(s[1], SO_PASSCRED, 1));
	show(int_option(s[1], SO_PASSCRED));
	show(send(s[0], "m", 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("automatic", &m.header, NULL);
	show(send_creds(s[0], "m", mine()));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("explicit", &m.header, NULL);
}

CHECK(asked_by_the_sender)
{
	struct message m;
	pair(SOCK_DGRAM);
	show(set_option(s[0], SO_PASSCRED, 1));
	show(send(s[0], "m", 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, NULL);
}

CHECK(asked_too_late)
{
	struct message m;
	pair(SOCK_DGRAM);
	show(send(s[0], "m", 1, 0));
	show(set_option(s[1], SO_PASSCRED, 1));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, NULL);
}

CHECK(room)
{
	struct message m;
	for (int control = 0; control <= 40; control += 4) {
		pair(SOCK_DGRAM);
		need(set_option(s[1], SO_PASSCRED, 1));
		need(send(s[0], "m", 1, 0));
		receive(s[1], &m, 16, control, 0);
		say("room %d: control %zu, flags %s", control, m.header.msg_controllen, msg_names(m.header.msg_flags));
		close(s[0]);
		close(s[1]);
	}
}

CHECK(with_descriptors)
{
	struct message m;
	int in = 0, fds[4];
	pair(SOCK_STREAM);
	need(set_option(s[1], SO_PASSCRED, 1));
	show(send_fds(s[0], "m", &in, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, fds);
}

// Where there is no room for all, descriptors come before the sender's.
CHECK(descriptors_and_pidfd)
{
	static const int rooms[] = { 0, 16, 20, 24, 40, 48, 1024 };
	struct message m;
	int in = 0;
	pair(SOCK_DGRAM);
	need(set_option(s[1], SO_PASSPIDFD, 1));
	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		need(send_fds(s[0], "m", &in, 1, 0));
		say("room %d", rooms[i]);
		show(receive(s[1], &m, 16, rooms[i], 0));
		show_control("got", &m.header, NULL);
	}
}

CHECK(writers_are_not_glued)
{
	struct message m;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	need(set_option(s[1], SO_PASSCRED, 1));
	show(send(s[0], "parent", 6, 0));
	IN_CHILD("child") {
		show(send(s[0], "child", 5, 0));
	}
	show(send(s[0], "again", 5, 0));
	show(send(s[0], "more", 4, 0));
	for (int i = 0; i < 4; i++) {
		long got = show(receive(s[1], &m, 64, 1024, 0));
		if (got > 0) {
			show_bytes("bytes", m.data, got);
			show_control("from", &m.header, NULL);
		}
	}
}

CHECK(glued_when_nobody_asks)
{
	struct message m;
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	show(send(s[0], "parent", 6, 0));
	IN_CHILD("child") {
		show(send(s[0], "child", 5, 0));
	}
	show(receive(s[1], &m, 64, 1024, 0));
}

CHECK(asked_with_plain_read)
{
	char buffer[16];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	need(set_option(s[1], SO_PASSCRED, 1));
	show(send(s[0], "one", 3, 0));
	show(send(s[0], "two", 3, 0));
	show(read(s[1], buffer, 16));
}

CHECK(lies)
{
	struct ucred u = mine();
	pair(SOCK_DGRAM);
	u.pid = 1;
	show(send_creds(s[0], "m", u));
	u = mine();
	u.uid = 12345;
	show(send_creds(s[0], "m", u));
	u = mine();
	u.gid = 12345;
	show(send_creds(s[0], "m", u));
	u = mine();
	u.uid = -1;
	show(send_creds(s[0], "m", u));
	u = mine();
	u.pid = 0x7ffffff0;
	show(send_creds(s[0], "m", u));
	IN_CHILD("without rights") {
		if (geteuid() == 0 && (setgid(1000) || setuid(1000)))
			_exit(1);
		u = mine();
		show(send_creds(s[0], "m", u));
		u.pid = getppid();
		show(send_creds(s[0], "m", u));
		u = mine();
		u.uid = 0;
		show(send_creds(s[0], "m", u));
		u = mine();
		u.gid = 0;
		show(send_creds(s[0], "m", u));
	}
}

CHECK(peer)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show_peercred("unconnected", fd);
	pair(SOCK_STREAM);
	show_peercred("pair", s[0]);
	pair(SOCK_DGRAM);
	show_peercred("datagram pair", s[0]);
	int l = listener(SOCK_STREAM, "l", 5);
	show_peercred("listener", l);
	int d = bound(SOCK_DGRAM, "d"), e = connected(SOCK_DGRAM, "d");
	show_peercred("connected datagram", e);
	close(d);
}

CHECK(peer_of_a_connection)
{
	int l = bound(SOCK_STREAM, "l");
	IN_CHILD("listening") {
		need(listen(l, 5));
	}
	struct name name = path_name("l");
	int p[2];
	char c;
	need(pipe(p));
	pid_t child = start();
	if (child == 0) {
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
		need(connect(fd, AT(name)));
		show_peercred("client sees", fd);
		need(send(fd, "x", 1, 0));
		close(p[1]);
		if (read(p[0], &c, 1))
			_exit(1);
		_exit(0);
	}
	int server = need(accept(l, NULL, NULL));
	need(recv(server, &c, 1, 0));
	show_peercred("server sees", server);
	close(p[1]);
	close(p[0]);
	reap("client", child);
	show_peercred("client is gone", server);
}

CHECK(peer_pidfd)
{
	pair(SOCK_STREAM);
	int fd = int_option(s[0], SO_PEERPIDFD);
	say("%s", fd < 0 ? errno_name(-fd) : "a pidfd");
	if (fd >= 0) {
		say("cloexec %d", fcntl(fd, F_GETFD));
		show(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	}
	int alone = need(socket(AF_UNIX, SOCK_STREAM, 0));
	fd = int_option(alone, SO_PEERPIDFD);
	say("%s", fd < 0 ? errno_name(-fd) : "a pidfd");
}

CHECK(pass_pidfd)
{
	struct message m;
	pair(SOCK_STREAM);
	show(set_option(s[1], SO_PASSPIDFD, 1));
	show(int_option(s[1], SO_PASSPIDFD));
	show(send(s[0], "m", 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("got", &m.header, NULL);
}

CHECK(option_lengths)
{
	struct ucred u;
	pair(SOCK_STREAM);
	for (int room = 0; room <= 16; room += 4) {
		socklen_t len = room;
		int result = getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len);
		say("room %d: %s %u", room, result ? errno_name(errno) : "0", len);
	}
	show(setsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, sizeof u));
}

CHECK(groups)
{
	gid_t groups[64];
	socklen_t len = sizeof groups;
	pair(SOCK_STREAM);
	show(getsockopt(s[0], SOL_SOCKET, SO_PEERGROUPS, groups, &len));
	say("as many as mine: %d", (int)(len / sizeof(gid_t)) == getgroups(0, NULL));
	int alone = need(socket(AF_UNIX, SOCK_STREAM, 0));
	len = sizeof groups;
	show(getsockopt(alone, SOL_SOCKET, SO_PEERGROUPS, groups, &len));
}

// ---- times -----------------------------------------------------------------

static void show_time(const char *what, int fd, int flags, const struct timespec *before)
{
	struct message m;
	struct timespec now;
	long got = receive(fd, &m, 16, 1024, flags);
	clock_gettime(CLOCK_REALTIME, &now);
	if (got < 0) {
		say("%s: nothing", what);
		return;
	}
	say("%s: %ld, flags %s, control %zu", what, got, msg_names(m.header.msg_flags), m.header.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m.header); c; c = CMSG_NXTHDR(&m.header, c)) {
		long time[2];
		bool nanoseconds = c->cmsg_type == SO_TIMESTAMPNS || c->cmsg_type == SO_TIMESTAMPNS_NEW;
		memcpy(time, CMSG_DATA(c), sizeof time);
		double told = time[0] + time[1] / (nanoseconds ? 1e9 : 1e6), start = before->tv_sec + before->tv_nsec / 1e9;
		say("%s: type %d, length %zu, %s", what, c->cmsg_type, c->cmsg_len,
		    told < start - 1e-3 ? "early" : told > now.tv_sec + now.tv_nsec / 1e9 ? "late" : "in time");
	}
}

CHECK(time_of_a_message)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	static const int options[] = { SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW };
	struct timespec before;
	clock_gettime(CLOCK_REALTIME, &before);
	for (int t = 0; t < 3; t++) {
		pair(types[t]);
		for (int o = 0; o < 4; o++) {
			say("type %d, option %d", types[t], options[o]);
			show(send(s[0], "early", 5, 0));
			show(set_option(s[1], options[o], 1));
			for (int i = 0; i < 4; i++)
				say("option %d: %d", options[i], int_option(s[1], options[i]));
			show(send(s[0], "m", 1, 0));
			show_time("peeked", s[1], MSG_PEEK, &before);
			show_time("early", s[1], 0, &before);
			show_time("next", s[1], MSG_DONTWAIT, &before);
			show(set_option(s[1], options[(o + 1) % 4], 0));
			for (int i = 0; i < 4; i++)
				say("option %d: %d", options[i], int_option(s[1], options[i]));
			show(send(s[0], "m", 1, 0));
			show_time("off", s[1], 0, &before);
		}
		close(s[0]);
		close(s[1]);
	}
}

CHECK(time_and_credentials)
{
	struct timespec before;
	clock_gettime(CLOCK_REALTIME, &before);
	pair(SOCK_DGRAM);
	need(set_option(s[1], SO_PASSCRED, 1));
	need(set_option(s[1], SO_TIMESTAMP_OLD, 1));
	int in = 0;
	show(send_fds(s[0], "m", &in, 1, 0));
	struct message m;
	show(receive(s[1], &m, 16, 1024, 0));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m.header); c; c = CMSG_NXTHDR(&m.header, c))
		say("type %d, length %zu", c->cmsg_type, c->cmsg_len);
}

// A pidfd's process: its number as fdinfo tells it, and what a signal says.
static void show_pidfd(const char *what, int fd)
{
	char path[40], text[512], *line;
	if (fd < 0) {
		say("%s: %s", what, errno_name(-fd));
		return;
	}
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int info = need(open(path, O_RDONLY));
	long length = need(read(info, text, sizeof text - 1));
	close(info);
	text[length] = 0;
	line = strstr(text, "Pid:");
	int pid = line ? atoi(line + 4) : -77;
	struct pollfd p = { fd, POLLIN, 0 };
	poll(&p, 1, 0);
	long sent = syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
	say("%s: pid %s, cloexec %d, signal %s, poll %s", what,
	    pid == getpid() ? "mine" : pid > 0 ? "another's" : pid == -1 ? "-1" : "0", fcntl(fd, F_GETFD),
	    sent ? errno_name(errno) : "0", poll_names(p.revents));
	close(fd);
}

// The descriptor beside the next message, or its errno, negative.
static int received_pidfd(int socket)
{
	struct message m;
	int fd = -ENODATA;
	if (receive(socket, &m, 16, 1024, 0) < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m.header); c; c = CMSG_NXTHDR(&m.header, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_PIDFD)
			memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

CHECK(peer_pidfd_of_the_dead)
{
	int l = listener(SOCK_STREAM, "l", 5);
	pid_t child = start();
	if (child == 0) {
		connected(SOCK_STREAM, "l");
		pause();
		_exit(0);
	}
	int server = need(accept(l, NULL, NULL));
	show_pidfd("alive", int_option(server, SO_PEERPIDFD));
	int early = int_option(server, SO_PEERPIDFD);
	kill(child, SIGKILL);
	siginfo_t info;
	need(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	show_pidfd("zombie", int_option(server, SO_PEERPIDFD));
	reap("client", child);
	show_pidfd("reaped", int_option(server, SO_PEERPIDFD));
	show_pidfd("asked before", early);
}

CHECK(pidfd_of_a_dead_sender)
{
	pair(SOCK_DGRAM);
	need(set_option(s[1], SO_PASSPIDFD, 1));
	for (int i = 0; i < 3; i++)
		IN_CHILD("sender") {
			need(send(s[0], "m", 1, 0));
		}
	show_pidfd("reaped", received_pidfd(s[1]));
	need(set_option(s[1], SO_PASSCRED, 1));
	show_pidfd("with credentials", received_pidfd(s[1]));
	struct message m;
	need(set_option(s[1], SO_PASSPIDFD, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("credentials only", &m.header, NULL);
}

CHECK(pidfds_received)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int t = 0; t < 3; t++) {
		pair(types[t]);
		need(set_option(s[1], SO_PASSPIDFD, 1));
		need(send(s[0], "m", 1, 0));
		show_pidfd("mine", received_pidfd(s[1]));
		pid_t child = start();
		if (child == 0) {
			need(send(s[0], "m", 1, 0));
			pause();
		}
		show_pidfd("a child's", received_pidfd(s[1]));
		kill(child, SIGKILL);
		reap("child", child);
		close(s[0]);
		close(s[1]);
	}
}

CHECK(pidfd_without_room)
{
	struct message m;
	pair(SOCK_STREAM);
	need(set_option(s[1], SO_PASSPIDFD, 1));
	for (int control = 0; control <= 40; control += 4) {
		need(send(s[0], "m", 1, 0));
		say("room %d: %ld", control, receive(s[1], &m, 16, control, 0));
		show_control("got", &m.header, NULL);
	}
	int lowest = lowest_free();
	struct rlimit limit, before;
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = lowest;
	need(send(s[0], "m", 1, 0));
	setrlimit(RLIMIT_NOFILE, &limit);
	show_pidfd("no number left", received_pidfd(s[1]));
	setrlimit(RLIMIT_NOFILE, &before);
}

// What cannot be written is lost, and no pidfd stays behind whose number was not told.
CHECK(pidfd_that_cannot_be_told)
{
	char data[16];
	struct iovec iov = { data, sizeof data };
	void *rooms[] = { bad_pointer(), read_only_pointer(), at_edge(16), at_edge(18), at_edge(24), at_edge(32) };
	pair(SOCK_STREAM);
	need(set_option(s[1], SO_PASSPIDFD, 1));
	for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++) {
		struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = rooms[i], .msg_controllen = 64 };
		int before = lowest_free();
		need(send(s[0], "m", 1, 0));
		say("room %u", i);
		show(recvmsg(s[1], &h, 0));
		say("flags %s, control %zu, %d descriptors", msg_names(h.msg_flags), h.msg_controllen, lowest_free() - before);
	}
	int before = lowest_free();
	socklen_t len = 4;
	show(getsockopt(s[0], SOL_SOCKET, SO_PEERPIDFD, bad_pointer(), &len));
	show(getsockopt(s[0], SOL_SOCKET, SO_PEERPIDFD, at_edge(2), &len));
	socklen_t *lens = at_edge(4096);
	*lens = 4;
	need(mprotect(lens, 4096, PROT_READ));
	show(getsockopt(s[0], SOL_SOCKET, SO_PEERPIDFD, data, lens));
	say("%d descriptors", lowest_free() - before);
	len = 2;
	show(getsockopt(s[0], SOL_SOCKET, SO_PEERPIDFD, data, &len));
	say("length %u, %d descriptors", len, lowest_free() - before);
}

// In which order what comes beside a message is told.
CHECK(pidfd_and_descriptors)
{
	struct message m;
	int in = 0;
	pair(SOCK_DGRAM);
	need(set_option(s[1], SO_PASSPIDFD, 1));
	need(set_option(s[1], SO_PASSCRED, 1));
	need(set_option(s[1], SO_TIMESTAMP, 1));
	need(send_fds(s[0], "m", &in, 1, 0));
	show(receive(s[1], &m, 16, 1024, 0));
	show_control("all", &m.header, NULL);
}

CHECK(pidfd_of_whom_the_sender_names)
{
	pair(SOCK_DGRAM);
	need(set_option(s[1], SO_PASSPIDFD, 1));
	pid_t child = start();
	if (child == 0)
		pause();
	struct ucred u = { child, getuid(), getgid() };
	say("%s", send_creds(s[0], "m", u) < 0 ? errno_name(errno) : "sent");
	show_pidfd("got", received_pidfd(s[1]));
	kill(child, SIGKILL);
	reap("child", child);
}

CHECK(who_may_pass_pidfds)
{
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	show(set_option(udp, SO_PASSPIDFD, 1));
	show(set_option(udp, SO_PASSCRED, 1));
	show(int_option(udp, SO_PEERPIDFD));
	int l = listener(SOCK_STREAM, "l", 5);
	need(set_option(l, SO_PASSPIDFD, 1));
	int c = connected(SOCK_STREAM, "l"), a = need(accept(l, NULL, NULL));
	show(int_option(a, SO_PASSPIDFD));
	show(int_option(c, SO_PASSPIDFD));
	show_pidfd("listener's peer", int_option(l, SO_PEERPIDFD));
	show_pidfd("connected", int_option(c, SO_PEERPIDFD));
	show_pidfd("accepted", int_option(a, SO_PEERPIDFD));
}
