// unix_async.c: signals that tell of readiness.
//
// Calls: fcntl ioctl send recv
// Passes: host acrida
#include "sockets.h"

static volatile sig_atomic_t count, code, band, same_fd, wanted_fd;

static void on_io(int sig UNUSED, siginfo_t *info, void *context UNUSED)
{
	count++;
	code = info->si_code;
	band = info->si_band;
	same_fd = info->si_fd == wanted_fd;
}

static void listen_to(int fd, int sig)
{
	struct sigaction action = { .sa_sigaction = on_io, .sa_flags = SA_SIGINFO };
	sigaction(sig ? sig : SIGIO, &action, NULL);
	wanted_fd = fd;
	count = code = band = same_fd = 0;
}

static void told(const char *when)
{
	say("%s: %d signals", when, (int)count);
	count = 0;
}

static void told_how(const char *when)
{
	if (count)
		say("%s: code %d, band %s, descriptor %d", when, (int)code, poll_names(band), (int)same_fd);
	told(when);
}

static void life(int type)
{
	char c;
	pair(type | SOCK_NONBLOCK);
	listen_to(s[0], SIGRTMIN);
	show(fcntl(s[0], F_SETOWN, getpid()));
	show(fcntl(s[0], F_SETSIG, SIGRTMIN));
	show(fcntl(s[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	say("%s", open_names(fcntl(s[0], F_GETFL)));
	need(send(s[1], "x", 1, 0));
	told_how("sent to");
	need(send(s[1], "x", 1, 0));
	told_how("sent to again");
	need(recv(s[0], &c, 1, 0));
	told_how("received");
	need(send(s[0], "y", 1, 0));
	told_how("sending");
	need(recv(s[1], &c, 1, 0));
	told_how("peer received");
	need(shutdown(s[1], SHUT_WR));
	told_how("peer shut its half");
	close(s[1]);
	told_how("peer closed");
	show(fcntl(s[0], F_SETFL, 0));
	told_how("off");
}

CHECK(stream) { life(SOCK_STREAM); }
CHECK(dgram) { life(SOCK_DGRAM); }
CHECK(seqpacket) { life(SOCK_SEQPACKET); }

CHECK(plain_signal)
{
	pair(SOCK_STREAM);
	listen_to(s[0], 0);
	int on = 1;
	show(ioctl(s[0], FIOASYNC, &on));
	say("%s", open_names(fcntl(s[0], F_GETFL)));
	need(send(s[1], "x", 1, 0));
	told("nobody owns it");
	show(fcntl(s[0], F_SETOWN, getpid()));
	need(send(s[1], "x", 1, 0));
	told_how("owned");
	on = 0;
	show(ioctl(s[0], FIOASYNC, &on));
	need(send(s[1], "x", 1, 0));
	told("off");
}

CHECK(owner_by_ioctl)
{
	int value = 0;
	pair(SOCK_STREAM);
	show(ioctl(s[0], SIOCGPGRP, &value));
	show(value);
	value = getpid();
	show(ioctl(s[0], SIOCSPGRP, &value));
	say("%d", fcntl(s[0], F_GETOWN) == getpid());
	value = -getpgrp();
	show(ioctl(s[0], FIOSETOWN, &value));
	show(ioctl(s[0], FIOGETOWN, &value));
	say("%d", value == -getpgrp());
	show(ioctl(s[0], SIOCSPGRP, NULL));
	value = 0x7ffffff0;
	show(ioctl(s[0], SIOCSPGRP, &value));
}

CHECK(listener)
{
	int l = listener(SOCK_STREAM, "l", 5);
	listen_to(l, SIGRTMIN);
	need(fcntl(l, F_SETOWN, getpid()));
	need(fcntl(l, F_SETSIG, SIGRTMIN));
	need(fcntl(l, F_SETFL, O_ASYNC));
	connected(SOCK_STREAM, "l");
	told_how("connected");
	show_ok(accept(l, NULL, NULL));
	told_how("accepted");
}

CHECK(full_and_drained)
{
	static char block[100000];
	pair(SOCK_STREAM | SOCK_NONBLOCK);
	listen_to(s[0], SIGRTMIN);
	need(fcntl(s[0], F_SETOWN, getpid()));
	need(fcntl(s[0], F_SETSIG, SIGRTMIN));
	need(fcntl(s[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	while (send(s[0], block, 4096, 0) > 0)
		;
	told("filled");
	while (recv(s[1], block, sizeof block, 0) > 0)
		;
	say("told of room: %d, band %s", count > 0, poll_names(band));
}

CHECK(both_ends_shut)
{
	pair(SOCK_STREAM);
	listen_to(s[0], SIGRTMIN);
	need(fcntl(s[0], F_SETOWN, getpid()));
	need(fcntl(s[0], F_SETSIG, SIGRTMIN));
	need(fcntl(s[0], F_SETFL, O_ASYNC));
	need(shutdown(s[1], SHUT_RDWR));
	told_how("shut by the peer");
	need(shutdown(s[0], SHUT_RDWR));
	told_how("shut by itself");
}
