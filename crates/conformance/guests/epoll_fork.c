// epoll_fork.c: sets after fork, dup, exec, and over a socket; signals while waiting, and masks for the wait's duration.
//
// Calls: epoll_wait epoll_pwait epoll_pwait2 fork execve
// Passes: host acrida
#include "process.h"
#include "epoll.h"
#include <sys/socket.h>

CHECK(shared_after_fork)
{
	int set = new_set(), e = new_eventfd("e", 1), f = new_eventfd("f", 1);
	need(add(set, e, EPOLLIN));
	IN_CHILD("child") {
		look("child", set);
		show(add(set, f, EPOLLIN));
		show(mod(set, e, EPOLLIN | EPOLLET));
	}
	look("the child's changes", set);
	look("the edge was taken", set);
	show(del(set, f));
	IN_CHILD("child") {
		show(del(set, f));
		show(del(set, e));
	}
	show(del(set, e));
}

CHECK(edge_goes_to_one_process)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN | EPOLLET));
	IN_CHILD("child")
		look("child", set);
	look("parent", set);
}

CHECK(file_closed_in_one_process)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	IN_CHILD("child") {
		close(e);
		look("child, closed here", set);
		show(del(set, e));
	}
	look("parent", set);
	pid_t pid = start();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(e);
	look("closed, but open in the child", set);
	kill(pid, SIGKILL);
	reap("child", pid);
	look("the child is gone", set);
}

CHECK(killed_while_waiting)
{
	int set = new_set(), e = new_eventfd("e", 0);
	need(add(set, e, EPOLLIN));
	pid_t pids[3];
	for (int i = 0; i < 3; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			struct epoll_event event;
			epoll_wait(set, &event, 1, -1);
			_exit(7);
		}
		wait_asleep(pids[i]);
	}
	kill(pids[0], SIGKILL);
	reap("first", pids[0]);
	add_to(e, 1);
	reap("second", pids[1]);
	reap("third", pids[2]);
	look("parent", set);
}

CHECK(child_wakes_parent_and_back)
{
	int set = new_set(), there = new_eventfd("there", 0), back = new_eventfd("back", 0);
	need(add(set, there, EPOLLIN));
	pid_t pid = start();
	if (pid == 0) {
		int own = new_set();
		need(add(own, back, EPOLLIN));
		for (int i = 0; i < 100; i++) {
			add_to(there, 1);
			struct epoll_event event;
			if (epoll_wait(own, &event, 1, PATIENCE_MS) != 1)
				_exit(1);
			drain(back);
		}
		_exit(0);
	}
	int turns = 0;
	for (; turns < 100; turns++) {
		struct epoll_event event;
		if (epoll_wait(set, &event, 1, PATIENCE_MS) != 1)
			break;
		drain(there);
		add_to(back, 1);
	}
	reap("child", pid);
	say("%d turns", turns);
}

ROLE(look_at_set)
{
	int set = atoi(argv[0]);
	struct epoll_event event;
	show(epoll_wait(set, &event, 1, 0));
}

CHECK(kept_by_exec)
{
	int e = new_eventfd("e", 1), set = epoll_create1(0), closing = epoll_create1(EPOLL_CLOEXEC);
	char number[16];
	need(add(set, e, EPOLLIN));
	need(add(closing, e, EPOLLIN));
	for (int i = 0; i < 2; i++) {
		pid_t pid = start();
		if (pid == 0) {
			snprintf(number, sizeof number, "%d", i ? closing : set);
			become("look_at_set", number);
		}
		reap(i ? "closed on exec" : "kept", pid);
	}
}

CHECK(sent_over_a_socket)
{
	int pair[2], set = new_set(), e = new_eventfd("e", 1);
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	need(add(set, e, EPOLLIN));
	char byte = 'x', control_bytes[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control_bytes, .msg_controllen = sizeof control_bytes };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(header), &e, sizeof e);
	show(sendmsg(pair[0], &message, 0));
	close(e);
	look("in flight", set);
	message.msg_controllen = sizeof control_bytes;
	show(recvmsg(pair[1], &message, 0));
	int got = -1;
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
	look("received", set);
	close(got);
	look("closed", set);
	message.msg_controllen = sizeof control_bytes;
	int f = new_eventfd("f", 1);
	need(add(set, f, EPOLLIN));
	memcpy(CMSG_DATA(header), &f, sizeof f);
	*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	show(sendmsg(pair[0], &message, 0));
	close(f);
	close(pair[0]);
	close(pair[1]);
	look("lost in flight", set);
}

CHECK(vfork_child_shares)
{
	int set = new_set(), e = new_eventfd("e", 1);
	need(add(set, e, EPOLLIN));
	pid_t pid = vfork();
	if (pid == 0)
		_exit(epoll_ctl(set, EPOLL_CTL_DEL, e, NULL) ? 1 : 0);
	reap("child", pid);
	look("deleted by the child", set);
}
