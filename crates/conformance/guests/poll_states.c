// poll_states.c: what poll and select say of pipes, FIFOs, counters, ptys, pidfds and sockets in every half-closed state.
//
// Calls: poll ppoll select pselect6
// Passes: host acrida
#include "process.h"
#include <sys/select.h>

enum { ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP };

struct watch {
	int fd;
};

static struct watch watch(int fd)
{
	return (struct watch){ fd };
}

// Everything asked by poll, nothing asked by ppoll, and the three sets of select and pselect6.
static void state(const char *what, struct watch watched)
{
	int fd = watched.fd;
	struct pollfd all = { .fd = fd, .events = ALL }, none = { .fd = fd };
	struct timespec at_once = { 0, 0 };
	struct timeval now = { 0, 0 };
	fd_set sets[2][3];
	int ready[2];
	poll(&all, 1, 0);
	ppoll(&none, 1, &at_once, NULL);
	for (int i = 0; i < 6; i++) {
		FD_ZERO(&sets[i / 3][i % 3]);
		FD_SET(fd, &sets[i / 3][i % 3]);
	}
	ready[0] = select(fd + 1, &sets[0][0], &sets[0][1], &sets[0][2], &now);
	ready[1] = pselect(fd + 1, &sets[1][0], &sets[1][1], &sets[1][2], &at_once, NULL);
	char select_text[2][8];
	for (int i = 0; i < 2; i++)
		snprintf(select_text[i], 8, "%d%s%s%s", ready[i], FD_ISSET(fd, &sets[i][0]) ? "r" : "", FD_ISSET(fd, &sets[i][1]) ? "w" : "",
			 FD_ISSET(fd, &sets[i][2]) ? "x" : "");
	say("%s: %s; unasked: %s; select %s%s", what, all.revents ? poll_names((unsigned short)all.revents) : "nothing",
	    none.revents ? poll_names((unsigned short)none.revents) : "nothing", select_text[0],
	    strcmp(select_text[0], select_text[1]) ? " but pselect differs" : "");
}

#include "file_states.h"

CHECK(sockets_that_listen)
{
	struct sockaddr_un { unsigned short family; char path[108]; } address = { AF_UNIX, "socket" };
	int listener = need(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	state("new", watch(listener));
	need(bind(listener, (struct sockaddr *)&address, sizeof address));
	state("bound", watch(listener));
	need(listen(listener, 4));
	state("listening", watch(listener));
	int client = need(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
	state("client", watch(client));
	need(connect(client, (struct sockaddr *)&address, sizeof address));
	state("somebody knocks", watch(listener));
	state("client, connected", watch(client));
	int server = need(accept(listener, NULL, NULL));
	state("let in", watch(listener));
	close(listener);
	state("server, listener closed", watch(server));
	close(client);
	state("server, client closed", watch(server));
}

CHECK(seqpacket_pair)
{
	int s[2];
	char bytes[8];
	need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s));
	state("new", watch(s[0]));
	write(s[1], "abc", 3);
	state("data", watch(s[0]));
	shutdown(s[1], SHUT_WR);
	state("peer stopped writing", watch(s[0]));
	read(s[0], bytes, 8);
	state("and all is read", watch(s[0]));
	close(s[1]);
	state("peer closed", watch(s[0]));
}

CHECK(sets_of_sets)
{
	int p[2], q[2];
	need(pipe(p));
	need(pipe(q));
	write(p[WRITE], "x", 1);
	close(q[WRITE]);
	struct pollfd fds[] = { { p[READ], POLLIN }, { -1, POLLIN }, { q[READ], 0 }, { 99, POLLIN }, { p[WRITE], POLLOUT }, { q[READ], POLLIN } };
	int ready = poll(fds, 6, 0);
	say("%d ready", ready);
	for (int i = 0; i < 6; i++)
		say("%d: %s", i, fds[i].revents ? poll_names((unsigned short)fds[i].revents) : "nothing");
}

CHECK(wakes_by_hang_up)
{
	int p[2];
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		close(p[WRITE]);
		struct pollfd one = { p[READ], 0 };
		int ready = poll(&one, 1, PATIENCE_MS);
		say("child: %d %s", ready, poll_names((unsigned short)one.revents));
		_exit(0);
	}
	wait_asleep(pid);
	close(p[WRITE]);
	reap("child", pid);
}

CHECK(select_wakes_by_error)
{
	static char block[4096];
	int p[2];
	need(pipe2(p, O_NONBLOCK));
	while (write(p[WRITE], block, sizeof block) > 0)
		;
	pid_t pid = start();
	if (pid == 0) {
		close(p[READ]);
		fd_set out;
		FD_ZERO(&out);
		FD_SET(p[WRITE], &out);
		struct timeval limit = { 5, 0 };
		int ready = select(p[WRITE] + 1, NULL, &out, NULL, &limit);
		say("child: %d %d", ready, FD_ISSET(p[WRITE], &out) != 0);
		_exit(0);
	}
	wait_asleep(pid);
	close(p[READ]);
	reap("child", pid);
}
