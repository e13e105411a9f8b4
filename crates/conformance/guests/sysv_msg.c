// sysv_msg.c: System V message queues: types, sizes, waiting, handing over, order, errors, removal.
//
// Calls: msgget msgsnd msgrcv msgctl
// Passes: host acrida
// Needs: root
#include "ipc.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct message {
	long type;
	char text[8200];
};

static long put(int id, long type, const char *text, int flags)
{
	struct message message = { .type = type };
	strcpy(message.text, text);
	return msgsnd(id, &message, strlen(text), flags);
}

static void take(int id, long type, size_t size, int flags)
{
	struct message message = { .type = -1 };
	long length = msgrcv(id, &message, size, type, flags);
	if (length < 0)
		say("take %ld (%zu, %#x) = %s", type, size, flags, errno_name(errno));
	else
		say("take %ld (%zu, %#x) = %ld: type %ld \"%.*s\"", type, size, flags, length, message.type, (int)length, message.text);
}

static void state(const char *what, int id)
{
	struct msqid_ds ds;
	if (msgctl(id, IPC_STAT, &ds))
		say("%s: %s", what, errno_name(errno));
	else
		say("%s: %lu messages, %lu of %lu bytes, lspid mine %d, lrpid mine %d, stime %d rtime %d ctime %d, mode %o", what, ds.msg_qnum,
		    ds.msg_cbytes, ds.msg_qbytes, ds.msg_lspid == getpid(), ds.msg_lrpid == getpid(), ds.msg_stime != 0,
		    ds.msg_rtime != 0, ds.msg_ctime != 0, ds.msg_perm.mode);
}

CHECK(get)
{
	key_t key = a_key(1);
	show(msgget(key, 0600));
	int id = new_msg(key, IPC_CREAT | 0640);
	show_ok(id);
	say("same %d %d", msgget(key, 0) == id, msgget(key, IPC_CREAT | 0400) == id);
	show(msgget(key, IPC_CREAT | IPC_EXCL));
	state("new", id);
	show(msgctl(id, IPC_RMID, NULL));
	show(msgctl(id, IPC_RMID, NULL));
	show(msgget(key, 0));
	show(put(id, 1, "x", 0));
	take(id, 0, 10, 0);
}

CHECK(types)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	put(id, 3, "three", 0);
	put(id, 1, "one", 0);
	put(id, 2, "two", 0);
	put(id, 1, "one again", 0);
	put(id, 5, "five", 0);
	state("five", id);
	take(id, 2, 100, 0);
	take(id, -2, 100, 0);
	take(id, 0, 100, 0);
	take(id, 1, 100, MSG_EXCEPT);
	take(id, 4, 100, IPC_NOWAIT);
	take(id, -4, 100, 0);
	take(id, -4, 100, IPC_NOWAIT);
	take(id, 0, 100, IPC_NOWAIT);
	state("empty", id);
	put(id, 7, "seven", 0);
	put(id, 6, "six", 0);
	take(id, LONG_MIN, 100, 0);
	take(id, LONG_MAX, 100, MSG_EXCEPT);
	put(id, LONG_MAX, "last", 0);
	take(id, LONG_MIN, 100, 0);
	put(id, 4, "", 0);
	take(id, 4, 0, 0);
}

CHECK(sizes)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	put(id, 1, "0123456789", 0);
	take(id, 0, 9, 0);
	take(id, 0, 9, IPC_NOWAIT);
	state("still there", id);
	take(id, 0, 9, MSG_NOERROR);
	state("cut and gone", id);
	put(id, 1, "abc", 0);
	take(id, 0, 0, MSG_NOERROR);
	static struct message large = { .type = 1 };
	show(msgsnd(id, &large, 8192, 0));
	show(msgsnd(id, &large, 8193, 0));
	show(msgsnd(id, &large, -1, 0));
	show(msgsnd(id, &large, 8192, 0));
	state("full", id);
	show(msgsnd(id, &large, 1, IPC_NOWAIT));
	show(msgsnd(id, &large, 0, IPC_NOWAIT));
	state("nothing fits always", id);
}

CHECK(many_empty_ones)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	struct msqid_ds ds;
	need(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 3;
	show(msgctl(id, IPC_SET, &ds));
	for (int i = 0; i < 4; i++)
		show(put(id, 1, "", IPC_NOWAIT));
	state("by number", id);
	take(id, 0, 0, 0);
	show(put(id, 1, "1234", IPC_NOWAIT));
	show(put(id, 1, "123", IPC_NOWAIT));
}

CHECK(errors)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	struct message message = { .type = 0 };
	struct msqid_ds ds;
	show(msgsnd(id, &message, 1, 0));
	message.type = -3;
	show(msgsnd(id, &message, 1, 0));
	show(msgsnd(id, BAD, 1, 0));
	show(msgsnd(-1, BAD, 1, 0));
	show(msgsnd(-1, &message, 1, 0));
	message.type = 1;
	show(msgsnd(id + (1 << 15), &message, 1, 0));
	long *edge = at_edge(8);
	*edge = 1;
	show(msgsnd(id, edge, 1, 0));
	show(msgsnd(id, edge, 0, 0));
	show(msgsnd(id + (1 << 15), edge, 1, 0));
	show(msgrcv(id, BAD, 10, 0, 0));
	state("lost by the fault", id);
	put(id, 1, "abc", 0);
	show(msgrcv(id, edge, 10, 0, 0));
	state("lost too", id);
	show(msgrcv(-1, &message, 1, 0, 0));
	show(msgrcv(id, &message, -1, 0, 0));
	show(msgrcv(id + (1 << 15), &message, 1, 0, 0));
	show(msgctl(id, IPC_STAT, BAD));
	show(msgctl(id, IPC_SET, BAD));
	show(msgctl(id, 99, &ds));
	show(msgctl(id, -1, &ds));
	show(msgctl(-1, 99, &ds));
	show(msgctl(-1, IPC_SET, BAD));
	show(msgctl(id + (1 << 15), IPC_SET, BAD));
	show(msgctl(0, IPC_INFO, BAD));
}

CHECK(copies)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	put(id, 1, "first", 0);
	put(id, 2, "second", 0);
	take(id, 0, 100, MSG_COPY | IPC_NOWAIT);
	take(id, 1, 100, MSG_COPY | IPC_NOWAIT);
	take(id, 2, 100, MSG_COPY | IPC_NOWAIT);
	take(id, -1, 100, MSG_COPY | IPC_NOWAIT);
	take(id, 0, 100, MSG_COPY);
	take(id, 0, 100, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT);
	take(id, 1, 3, MSG_COPY | IPC_NOWAIT);
	take(id, 1, 3, MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
	state("all there", id);
}

// Answers with its exit code: the number in the text, or 100 and more for errors.
static pid_t taker(int id, long type, size_t size, int flags)
{
	pid_t child = start();
	if (child == 0) {
		struct message message;
		handle(SIGUSR1, do_nothing, SA_RESTART);
		handle(SIGUSR2, do_nothing, 0);
		long length = msgrcv(id, &message, size, type, flags);
		if (length < 0)
			_exit(errno == EIDRM ? 100 : errno == EINTR ? 101 : errno == E2BIG ? 102 : errno == EACCES ? 103 : 104);
		message.text[length] = 0;
		_exit(atoi(message.text));
	}
	wait_asleep(child);
	return child;
}

static pid_t putter(int id, long type, size_t size)
{
	pid_t child = start();
	if (child == 0) {
		static struct message message;
		message.type = type;
		handle(SIGUSR1, do_nothing, SA_RESTART);
		long result = msgsnd(id, &message, size, 0);
		_exit(result == 0 ? 0 : errno == EIDRM ? 100 : errno == EINTR ? 101 : 104);
	}
	wait_asleep(child);
	return child;
}

CHECK(handed_over)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	pid_t a = taker(id, 0, 100, 0), b = taker(id, 5, 100, 0), c = taker(id, -5, 100, 0), d = taker(id, 5, 100, MSG_EXCEPT);
	show(put(id, 5, "1", 0));
	reap("any", a);
	show(put(id, 5, "2", 0));
	reap("five", b);
	show(put(id, 6, "3", 0));
	reap("not five", d);
	state("through no queue", id);
	show(put(id, 6, "4", 0));
	show(put(id, 4, "5", 0));
	reap("up to five", c);
	state("one queued", id);
	take(id, 0, 10, 0);
	a = taker(id, 0, 2, 0);
	b = taker(id, 0, 2, MSG_NOERROR);
	show(put(id, 1, "123", 0));
	reap("too small", a);
	reap("cut", b);
	state("end", id);
}

CHECK(waits_for_room)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	struct msqid_ds ds;
	need(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 10;
	need(msgctl(id, IPC_SET, &ds));
	show(put(id, 1, "0123456789", 0));
	pid_t large = putter(id, 2, 8), small = putter(id, 3, 2);
	state("full", id);
	take(id, 0, 100, 0);
	reap("large", large);
	reap("small", small);
	state("both", id);
	pid_t over = putter(id, 4, 9);
	take(id, 2, 100, 0);
	say("over waits %d", kill(over, 0));
	take(id, 3, 100, 0);
	reap("over", over);
	large = putter(id, 5, 8);
	ds.msg_qbytes = 20;
	show(msgctl(id, IPC_SET, &ds));
	reap("after the change", large);
	state("end", id);
}

CHECK(removal)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	pid_t a = taker(id, 0, 100, 0);
	show(msgctl(id, IPC_RMID, NULL));
	reap("taker", a);
	id = new_msg(IPC_PRIVATE, 0600);
	static struct message large = { .type = 1 };
	need(msgsnd(id, &large, 8192, 0));
	need(msgsnd(id, &large, 8192, 0));
	a = putter(id, 1, 1);
	pid_t b = taker(id, 2, 10, 0);
	show(msgctl(id, IPC_RMID, NULL));
	reap("putter", a);
	reap("taker", b);
}

CHECK(interrupted)
{
	int id = new_msg(IPC_PRIVATE, 0600);
	pid_t a = taker(id, 0, 100, 0);
	kill(a, SIGUSR1);
	reap("with SA_RESTART", a);
	a = taker(id, 0, 100, 0);
	kill(a, SIGUSR2);
	reap("without", a);
	static struct message large = { .type = 1 };
	need(msgsnd(id, &large, 8192, 0));
	need(msgsnd(id, &large, 8192, 0));
	a = putter(id, 1, 1);
	kill(a, SIGUSR1);
	reap("putter", a);
	a = putter(id, 1, 1);
	kill(a, SIGKILL);
	reap("killed", a);
	take(id, 0, 0, MSG_NOERROR);
	a = taker(id, 9, 100, 0);
	// A signal without a handler's effect does not end the wait.
	kill(a, SIGSTOP);
	kill(a, SIGCONT);
	show(put(id, 9, "9", 0));
	reap("continued", a);
}

CHECK(rights)
{
	int id = new_msg(a_key(2), IPC_CREAT | 0604);
	put(id, 1, "text", 0);
	IN_CHILD("stranger")
	{
		become_user(65534);
		struct msqid_ds ds;
		say("look %d", msgget(a_key(2), 0400) == id);
		show(msgget(a_key(2), 0200));
		show(put(id, 1, "x", 0));
		take(id, 0, 10, 0);
		show(msgctl(id, IPC_STAT, &ds));
		show(msgctl(id, IPC_SET, &ds));
		show(msgctl(id, IPC_RMID, NULL));
		int mine = new_msg(IPC_PRIVATE, 0600);
		need(msgctl(mine, IPC_STAT, &ds));
		ds.msg_qbytes = 16385;
		show(msgctl(mine, IPC_SET, &ds));
		ds.msg_qbytes = 100;
		ds.msg_perm.mode = 0200;
		show(msgctl(mine, IPC_SET, &ds));
		show(put(mine, 1, "x", 0));
		take(mine, 0, 10, 0);
		show(msgctl(mine, IPC_RMID, NULL));
	}
	struct msqid_ds ds;
	need(msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 1 << 20;
	show(msgctl(id, IPC_SET, &ds));
	state("larger", id);
	// A receiver that loses its right while it waits.
	id = new_msg(IPC_PRIVATE, 0606);
	pid_t child = start();
	if (child == 0) {
		become_user(65534);
		take(id, 0, 10, 0);
		_exit(0);
	}
	wait_asleep(child);
	need(msgctl(id, IPC_STAT, &ds));
	ds.msg_perm.mode = 0600;
	need(msgctl(id, IPC_SET, &ds));
	reap("waited", child);
}

CHECK(info)
{
	struct msginfo info;
	int id = new_msg(IPC_PRIVATE, 0600);
	put(id, 1, "abc", 0);
	int last = msgctl(0, IPC_INFO, (void *)&info);
	say("last %d; pool %d map %d max %d mnb %d mni %d ssz %d tql %d seg %u", last >= 0, info.msgpool, info.msgmap, info.msgmax,
	    info.msgmnb, info.msgmni, info.msgssz, info.msgtql, info.msgseg);
	last = msgctl(0, MSG_INFO, (void *)&info);
	say("queues %d messages %d bytes %d", info.msgpool > 0, info.msgmap > 0, info.msgtql >= 3);
	struct msqid_ds ds;
	int found = 0, any = 0;
	for (int i = 0; i <= last; i++) {
		found += msgctl(i, MSG_STAT, &ds) == id;
		any += msgctl(i, 13 /* MSG_STAT_ANY */, &ds) == id;
	}
	say("found %d %d", found, any);
	show(msgctl(32767, MSG_STAT, &ds));
}

CHECK(proc_file)
{
	int id = new_msg(a_key(3), IPC_CREAT | 0640);
	put(id, 1, "abcd", 0);
	char line[512];
	FILE *file = fopen("/proc/sysvipc/msg", "r");
	need(file ? 0 : -1);
	fgets(line, sizeof line, file);
	say("%s", strtok(line, "\n"));
	while (fgets(line, sizeof line, file)) {
		int key, found, mode, bytes, count, lspid, lrpid;
		unsigned uid, gid, cuid, cgid;
		sscanf(line, "%d %d %o %d %d %d %d %u %u %u %u", &key, &found, &mode, &bytes, &count, &lspid, &lrpid, &uid, &gid, &cuid, &cgid);
		if (found == id)
			say("key %d mode %o bytes %d count %d lspid mine %d lrpid %d %u %u %u %u; %zu bytes", key == a_key(3), mode, bytes, count,
			    lspid == getpid(), lrpid, uid, gid, cuid, cgid, strlen(line) - pid_overflow());
	}
	fclose(file);
}

CHECK(many_through_one)
{
	// Two senders and two receivers: everything arrives once, each sender's messages in order.
	int id = new_msg(IPC_PRIVATE, 0600);
	enum { EACH = 500 };
	pid_t senders[2], receivers[2];
	for (int i = 0; i < 2; i++) {
		senders[i] = start();
		if (senders[i] == 0) {
			for (int n = 0; n < EACH; n++) {
				char text[64];
				sprintf(text, "%d%*s", n, n % 40, "");
				if (put(id, i + 1, text, 0))
					_exit(1);
			}
			_exit(0);
		}
		receivers[i] = start();
		if (receivers[i] == 0) {
			struct message message;
			for (int n = 0; n < EACH; n++) {
				long length = msgrcv(id, &message, 100, i + 1, 0);
				message.text[length > 0 ? length : 0] = 0;
				if (length < 0 || atoi(message.text) != n)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++) {
		reap("sender", senders[i]);
		reap("receiver", receivers[i]);
	}
	state("end", id);
}

CHECK(removed_under_waiters)
{
	int bad = 0;
	for (int round = 0; round < 21; round++) {
		int id = msgget(IPC_PRIVATE, 0600);
		pid_t children[2];
		for (int i = 0; i < 2; i++) {
			children[i] = start();
			if (children[i] == 0) {
				struct message message = { .type = 1 };
				long result;
				do
					result = i ? msgrcv(id, &message, 10, 0, 0) : msgsnd(id, &message, 0, 0);
				while (result >= 0);
				_exit(errno == EIDRM || errno == EINVAL ? 0 : 1);
			}
		}
		for (int i = 0; i < round % 7; i++)
			sched_yield();
		bad += msgctl(id, IPC_RMID, NULL) != 0;
		for (int i = 0; i < 2; i++) {
			int status;
			waitpid(children[i], &status, 0);
			bad += status != 0;
		}
	}
	say("bad %d", bad);
}
