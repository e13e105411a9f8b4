// Helpers shared by the guests of local sockets: names, messages, descriptors in flight.
//
// Abstract names are made unique per process, so that two runs on one host do not meet; only their lengths are printed.
#ifndef ACRIDA_GUEST_SOCKETS_H
#define ACRIDA_GUEST_SOCKETS_H

#include <linux/sockios.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

// ---- names ----------------------------------------------------------------

struct name {
	struct sockaddr_un un;
	socklen_t len;
};
#define AT(name) ((struct sockaddr *)&(name).un), (name).len

UNUSED static struct name path_name(const char *path)
{
	struct name name = { .un.sun_family = AF_UNIX };
	size_t length = strlen(path);
	memcpy(name.un.sun_path, path, length < sizeof name.un.sun_path ? length : sizeof name.un.sun_path);
	name.len = offsetof(struct sockaddr_un, sun_path) + length + 1;
	return name;
}

UNUSED static struct name abstract_name(const char *text)
{
	struct name name = { .un.sun_family = AF_UNIX };
	int length = snprintf(name.un.sun_path + 1, sizeof name.un.sun_path - 1, "acrida-%07d-%s", getpid(), text);
	name.len = offsetof(struct sockaddr_un, sun_path) + 1 + length;
	return name;
}

// An address without telling what differs between runs.
UNUSED static void show_name(const char *what, const struct sockaddr_un *un, socklen_t len)
{
	const socklen_t head = offsetof(struct sockaddr_un, sun_path);
	if (len < head)
		say("%s: length %u", what, len);
	else if (len == head)
		say("%s: unnamed, family %d", what, un->sun_family);
	else if (un->sun_path[0] == 0)
		say("%s: abstract, length %u, family %d", what, len, un->sun_family);
	else
		say("%s: path \"%.*s\", length %u, family %d", what, (int)(len - head), un->sun_path, len, un->sun_family);
}

UNUSED static void show_own_name(const char *what, int fd)
{
	struct sockaddr_un un;
	socklen_t len = sizeof un;
	memset(&un, 'x', sizeof un);
	if (getsockname(fd, (struct sockaddr *)&un, &len))
		say("%s: getsockname = %s", what, errno_name(errno));
	else
		show_name(what, &un, len);
}

UNUSED static void show_peer_name(const char *what, int fd)
{
	struct sockaddr_un un;
	socklen_t len = sizeof un;
	memset(&un, 'x', sizeof un);
	if (getpeername(fd, (struct sockaddr *)&un, &len))
		say("%s: getpeername = %s", what, errno_name(errno));
	else
		show_name(what, &un, len);
}

// ---- sockets --------------------------------------------------------------

UNUSED static int s[2];

UNUSED static void pair(int type)
{
	need(socketpair(AF_UNIX, type, 0, s));
}

UNUSED static int bound(int type, const char *path)
{
	int fd = need(socket(AF_UNIX, type, 0));
	struct name name = path_name(path);
	need(bind(fd, AT(name)));
	return fd;
}

UNUSED static int listener(int type, const char *path, int backlog)
{
	int fd = bound(type, path);
	need(listen(fd, backlog));
	return fd;
}

UNUSED static int connected(int type, const char *path)
{
	int fd = need(socket(AF_UNIX, type, 0));
	struct name name = path_name(path);
	need(connect(fd, AT(name)));
	return fd;
}

UNUSED static const char *msg_names(unsigned long value)
{
	static const struct flag flags[] = {
		FLAG(MSG_OOB), FLAG(MSG_PEEK), FLAG(MSG_CTRUNC), FLAG(MSG_TRUNC), FLAG(MSG_DONTWAIT), FLAG(MSG_EOR),
		FLAG(MSG_WAITALL), FLAG(MSG_ERRQUEUE), FLAG(MSG_NOSIGNAL), FLAG(MSG_CMSG_CLOEXEC), END_OF_FLAGS,
	};
	return value ? flag_names(value, flags) : "0";
}

UNUSED static int poll_mask(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP, 0 };
	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}
#define show_poll(fd) say("poll(" #fd ") = %s", poll_names(poll_mask(fd)))

UNUSED static int int_option(int fd, int option)
{
	int value = -77;
	socklen_t len = sizeof value;
	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -errno : value;
}

UNUSED static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

UNUSED static int int_ioctl(int fd, unsigned long command)
{
	int value = -77;
	return ioctl(fd, command, &value) ? -errno : value;
}

// The number that the next descriptor will have.
UNUSED static int lowest_free(void)
{
	int fd = need(dup(0));
	close(fd);
	return fd;
}

// ---- messages -------------------------------------------------------------

// One message with what came beside its bytes.
struct message {
	struct msghdr header;
	struct iovec iov;
	struct sockaddr_un from;
	_Alignas(8) char control[1024];
	char data[512];
};

// Room for `room` bytes of data and `control` bytes beside them.
UNUSED static long receive(int fd, struct message *m, size_t room, size_t control, int flags)
{
	memset(m, 0, sizeof *m);
	m->iov = (struct iovec){ m->data, room };
	m->header = (struct msghdr){ &m->from, sizeof m->from, &m->iov, 1, control ? m->control : NULL, control, -1 };
	return recvmsg(fd, &m->header, flags);
}

// What came beside the bytes: kinds and sizes; numbers of descriptors go to `fds` if it is given.
UNUSED static int show_control(const char *what, struct msghdr *header, int *fds)
{
	int count = 0;
	say("%s: flags %s, control %zu", what, msg_names(header->msg_flags), header->msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			int here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			say("%s: %d descriptors, length %zu", what, here, c->cmsg_len);
			for (int i = 0; i < here; i++) {
				int fd;
				memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
				if (fds)
					fds[count] = fd;
				count++;
			}
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred u;
			memcpy(&u, CMSG_DATA(c), sizeof u);
			say("%s: credentials pid %s uid %d gid %d, length %zu", what,
			    u.pid == getpid() ? "mine" : u.pid == 0 ? "0" : u.pid == getppid() ? "parent's" : "other",
			    (int)u.uid, (int)u.gid, c->cmsg_len);
		} else {
			say("%s: level %d type %d, length %zu", what, c->cmsg_level, c->cmsg_type, c->cmsg_len);
		}
	}
	return count;
}

// Sends `text` with `count` descriptors.
UNUSED static long send_fds(int socket, const char *text, const int *fds, int count, int flags)
{
	static _Alignas(8) char control[CMSG_SPACE(300 * sizeof(int))];
	struct iovec iov = { (char *)text, strlen(text) };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (count >= 0) {
		memset(control, 0, sizeof control);
		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = (struct cmsghdr *)control;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(socket, &header, flags);
}

// Sends `text` saying that `u` did it.
UNUSED static long send_creds(int socket, const char *text, struct ucred u)
{
	_Alignas(8) char control[CMSG_SPACE(sizeof u)] = { 0 };
	struct iovec iov = { (char *)text, strlen(text) };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = (struct cmsghdr *)control;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof u);
	memcpy(CMSG_DATA(c), &u, sizeof u);
	return sendmsg(socket, &header, 0);
}

#endif
