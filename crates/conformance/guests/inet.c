// inet.c: internet sockets on the loopback interface: waiting, peeking, cut datagrams.
//
// Calls: connect recvfrom recvmsg recvmmsg sendto writev setsockopt
// Passes: host acrida
#include "check.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

static struct sockaddr_in address;
#define ADDRESS (struct sockaddr *)&address, sizeof address

// A socket of `type` with a free port of the loopback interface, whose address is in `address`.
static int bound(int type)
{
	socklen_t length = sizeof address;
	int fd = need(socket(AF_INET, type, 0));
	address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	need(bind(fd, ADDRESS));
	need(getsockname(fd, (struct sockaddr *)&address, &length));
	return fd;
}

CHECK(peek_waits_for_all)
{
	char text[8] = "";
	int listener = bound(SOCK_STREAM);
	need(listen(listener, 1));
	int one = need(socket(AF_INET, SOCK_STREAM, 0));
	need(connect(one, ADDRESS));
	int other = need(accept(listener, NULL, NULL));
	write(one, "abc", 3);
	pid_t reader = start();
	if (reader == 0) {
		show(recv(other, text, 6, MSG_PEEK | MSG_WAITALL));
		show_bytes("peeked", text, 6);
		_exit(0);
	}
	wait_asleep(reader);
	write(one, "def", 3);
	reap("reader", reader);
	show(recv(other, text, 7, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT));
	shutdown(one, SHUT_WR);
	show(recv(other, text, 7, MSG_PEEK | MSG_WAITALL));
	show(recv(other, text, 7, MSG_WAITALL));
	show_bytes("read", text, 6);
	show(recv(other, text, 7, MSG_PEEK | MSG_WAITALL));
}

CHECK(cut_datagrams)
{
	char text[8], rest[8];
	int one = bound(SOCK_DGRAM), other = need(socket(AF_INET, SOCK_DGRAM, 0));
	struct iovec room[] = { { text, 4 }, { rest, 2 } };
	static const int flags[] = { 0, MSG_TRUNC, MSG_PEEK, MSG_PEEK | MSG_TRUNC };
	static const char *const texts[] = { "hello world", "six666", "four", "" };
	for (unsigned f = 0; f < 4; f++)
		for (unsigned t = 0; t < 4; t++)
			for (int segments = 1; segments <= 2; segments++) {
				struct msghdr message = { .msg_iov = room, .msg_iovlen = segments };
				need(sendto(other, texts[t], strlen(texts[t]), 0, ADDRESS));
				long got = recvmsg(one, &message, flags[f]);
				say("%#x \"%s\" into %d: %ld%s", flags[f], texts[t], segments * 2 + 2, got,
				    message.msg_flags & MSG_TRUNC ? " cut" : "");
				if (flags[f] & MSG_PEEK)
					recv(one, text, 1, 0);
			}
}

CHECK(too_long_for_a_datagram)
{
	int fd = need(socket(AF_INET, SOCK_DGRAM, 0));
	bound(SOCK_DGRAM);
	need(connect(fd, ADDRESS));
	char *bytes = mmap(NULL, 1UL << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct iovec two[] = { { bytes, 1UL << 30 }, { bytes, 1000UL << 20 } };
	show(writev(fd, two, 2));
	struct iovec limit[] = { { bytes, 65535 }, { bytes, 1 } };
	show(writev(fd, limit, 2));
	limit[0].iov_len = 65506;
	show(writev(fd, limit, 2));
	limit[0].iov_len = 65000;
	show(writev(fd, limit, 2));
}

// A listener whose queue is full answers nobody.
static int deaf_listener(void)
{
	int listener = bound(SOCK_STREAM);
	need(listen(listener, 0));
	need(connect(need(socket(AF_INET, SOCK_STREAM, 0)), ADDRESS));
	// It is in the queue when the last packet of the handshake has come.
	poll(&(struct pollfd){ .fd = listener, .events = POLLIN }, 1, PATIENCE_MS);
	return listener;
}

CHECK(connect_runs_out_of_time)
{
	deaf_listener();
	int fd = need(socket(AF_INET, SOCK_STREAM, 0));
	struct timeval time = { 0, 50000 };
	need(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
	show(connect(fd, ADDRESS));
	show(connect(fd, ADDRESS));
}

static volatile sig_atomic_t rang;
static void ring(int sig UNUSED)
{
	rang++;
}

CHECK(connect_goes_on_behind_a_handler)
{
	int listener = deaf_listener(), fd = need(socket(AF_INET, SOCK_STREAM, 0));
	struct sigaction action = { .sa_handler = ring, .sa_flags = SA_RESTART };
	sigaction(SIGUSR1, &action, NULL);
	pid_t self = getpid(), helper = start();
	if (helper == 0) {
		wait_asleep(self);
		kill(self, SIGUSR1);
		wait_asleep(self);
		accept(listener, NULL, NULL);
		_exit(0);
	}
	show(connect(fd, ADDRESS));
	say("handler ran %d", rang);
	reap("helper", helper);
}

// Times that no clock reaches are waited for like no time at all.
CHECK(endless_times)
{
	int one = bound(SOCK_DGRAM), other = need(socket(AF_INET, SOCK_DGRAM, 0));
	static const time_t seconds[] = { 18446744073, 1L << 62, LONG_MAX };
	for (unsigned i = 0; i < 3; i++) {
		struct timeval time = { seconds[i], 999999 };
		char text[2];
		show(setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
		pid_t reader = start();
		if (reader == 0) {
			show(recv(one, text, 1, 0));
			_exit(0);
		}
		wait_asleep(reader);
		sendto(other, "x", 1, 0, ADDRESS);
		reap("reader", reader);
		struct iovec room[] = { { text, 1 }, { text + 1, 1 } };
		struct mmsghdr messages[] = { { { .msg_iov = room, .msg_iovlen = 1 }, 0 }, { { .msg_iov = room + 1, .msg_iovlen = 1 }, 0 } };
		struct timespec limit = { seconds[i], 0 };
		sendto(other, "x", 1, 0, ADDRESS);
		sendto(other, "y", 1, 0, ADDRESS);
		show(recvmmsg(one, messages, 2, 0, &limit));
	}
}

// What has not been read, and what has not been taken, of a listener and of a connection.
CHECK(queued_bytes)
{
	int value = -1, listener = bound(SOCK_STREAM);
	show(ioctl(listener, FIONREAD, &value));
	show(ioctl(listener, TIOCOUTQ, &value));
	need(listen(listener, 1));
	show(ioctl(listener, FIONREAD, &value));
	show(ioctl(listener, TIOCOUTQ, &value));
	int one = need(socket(AF_INET, SOCK_STREAM, 0));
	need(connect(one, ADDRESS));
	int other = need(accept(listener, NULL, NULL));
	need(write(one, "abc", 3));
	struct pollfd arrived = { other, POLLIN, 0 };
	need(poll(&arrived, 1, 5000));
	show(ioctl(other, FIONREAD, &value));
	say("%d bytes", value);
}

// The list of all interfaces, cut to the room there is.
CHECK(list_of_interfaces)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };
	struct ifreq list[64];
	for (unsigned f = 0; f < 3; f++) {
		int fd = need(socket(families[f], SOCK_DGRAM, 0));
		struct ifconf request = { .ifc_len = sizeof list };
		show(ioctl(fd, SIOCGIFCONF, &request));
		say("%d bytes needed", request.ifc_len);
		request = (struct ifconf){ .ifc_len = sizeof list, .ifc_req = list };
		memset(list, 'x', sizeof list);
		show(ioctl(fd, SIOCGIFCONF, &request));
		say("%d bytes told", request.ifc_len);
		for (unsigned i = 0; i < request.ifc_len / sizeof *list; i++)
			say("%.16s: family %d", list[i].ifr_name, list[i].ifr_addr.sa_family);
		static const int rooms[] = { 0, 1, 39, 40, 41, -1, -40 };
		for (unsigned r = 0; r < sizeof rooms / sizeof *rooms; r++) {
			request = (struct ifconf){ .ifc_len = rooms[r], .ifc_req = list };
			int answer = ioctl(fd, SIOCGIFCONF, &request);
			say("room %d: %s, %d", rooms[r], answer < 0 ? errno_name(errno) : "ok", request.ifc_len);
		}
		request = (struct ifconf){ .ifc_len = sizeof list, .ifc_req = bad_pointer() };
		show(ioctl(fd, SIOCGIFCONF, &request));
		request = (struct ifconf){ .ifc_len = sizeof list, .ifc_req = (void *)-4096L };
		show(ioctl(fd, SIOCGIFCONF, &request));
		show(ioctl(fd, SIOCGIFCONF, NULL));
		show(ioctl(fd, SIOCGIFCONF, bad_pointer()));
	}
}

// A socket of any family tells of the interfaces.
CHECK(interfaces)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	static const unsigned questions[] = { SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFADDR,   SIOCGIFNETMASK,
					      SIOCGIFMTU,   SIOCGIFMETRIC, SIOCGIFHWADDR };
	for (unsigned f = 0; f < 4; f++) {
		int fd = need(socket(families[f], families[f] == AF_NETLINK ? SOCK_RAW : SOCK_DGRAM, 0));
		for (unsigned q = 0; q < sizeof questions / sizeof *questions; q++) {
			struct ifreq request = { .ifr_name = "lo" };
			if (questions[q] == SIOCGIFNAME) {
				request.ifr_name[0] = 0;
				request.ifr_ifindex = 1;
			}
			int answer = ioctl(fd, questions[q], &request);
			say("family %d asks %#x: %s \"%s\"", families[f], questions[q], answer < 0 ? errno_name(errno) : "ok",
			    request.ifr_name);
			show_bytes("told", (char *)&request + IFNAMSIZ, sizeof(int));
		}
		struct ifreq missing = { .ifr_name = "no-such" };
		show(ioctl(fd, SIOCGIFINDEX, &missing));
		show(ioctl(fd, SIOCGIFINDEX, bad_pointer()));
	}
	say("lo is %u", if_nametoindex("lo"));
}
