// unix_filter.c: classic socket filters on local sockets.
//
// Calls: setsockopt getsockopt sendto recvfrom
// Passes: host acrida
#include "sockets.h"
#include <linux/filter.h>

#define PROGRAM(...) (struct sock_filter[]){ __VA_ARGS__ }
#define ATTACH(fd, ...) attach(fd, PROGRAM(__VA_ARGS__), sizeof PROGRAM(__VA_ARGS__) / sizeof(struct sock_filter))
// What a program makes of a message that is already on its way.
#define VERDICT(what, ...) verdict(what, PROGRAM(__VA_ARGS__), sizeof PROGRAM(__VA_ARGS__) / sizeof(struct sock_filter))

static int attach(int fd, struct sock_filter *filter, size_t count)
{
	struct sock_fprog program = { count, filter };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static const char message[] = "\x01\x02\x03\x04\x45\x06\x07\x08\x09\x0a\x0b\x0c";

static void verdict(const char *what, struct sock_filter *filter, size_t count)
{
	char buffer[64];
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	if (attach(s[1], filter, count)) {
		say("%s: %s", what, errno_name(errno));
	} else {
		long sent = send(s[0], message, 12, 0), got = recv(s[1], buffer, sizeof buffer, 0);
		say("%s: sent %ld, %s %ld", what, sent, got < 0 ? errno_name(errno) : "got", got);
	}
	close(s[0]);
	close(s[1]);
}

#define LD(mode, k) BPF_STMT(BPF_LD | (mode), k)
#define LDX(mode, k) BPF_STMT(BPF_LDX | (mode), k)
#define ALU(op, k) BPF_STMT(BPF_ALU | (op), k)
#define RET_A BPF_STMT(BPF_RET | BPF_A, 0)
#define RET_K(k) BPF_STMT(BPF_RET | BPF_K, k)

CHECK(passes_and_drops)
{
	VERDICT("drop", RET_K(0));
	VERDICT("one byte", RET_K(1));
	VERDICT("all but one", RET_K(11));
	VERDICT("exactly", RET_K(12));
	VERDICT("more", RET_K(13));
	VERDICT("everything", RET_K(0xffffffff));
}

CHECK(loads)
{
	VERDICT("byte", LD(BPF_B | BPF_ABS, 1), RET_A);
	VERDICT("half", LD(BPF_H | BPF_ABS, 1), ALU(BPF_SUB | BPF_K, 0x201), RET_A);
	VERDICT("word", LD(BPF_W | BPF_ABS, 1), ALU(BPF_SUB | BPF_K, 0x2030443), RET_A);
	VERDICT("last word", LD(BPF_W | BPF_ABS, 8), ALU(BPF_RSH | BPF_K, 24), RET_A);
	VERDICT("word beyond", LD(BPF_W | BPF_ABS, 9), RET_K(5));
	VERDICT("byte beyond", LD(BPF_B | BPF_ABS, 12), RET_K(5));
	VERDICT("indirect", LDX(BPF_IMM, 3), LD(BPF_B | BPF_IND, 2), RET_A);
	VERDICT("indirect, wrapped", LDX(BPF_IMM, -1), LD(BPF_B | BPF_IND, 3), RET_A);
	VERDICT("indirect before", LDX(BPF_IMM, -1), LD(BPF_B | BPF_IND, 0), RET_K(5));
	VERDICT("length", LD(BPF_W | BPF_LEN, 0), ALU(BPF_SUB | BPF_K, 5), RET_A);
	VERDICT("length to x", LDX(BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A);
	VERDICT("msh", LDX(BPF_B | BPF_MSH, 5), BPF_STMT(BPF_MISC | BPF_TXA, 0), ALU(BPF_RSH | BPF_K, 2), RET_A);
	VERDICT("msh beyond", LDX(BPF_B | BPF_MSH, 12), RET_K(5));
	VERDICT("memory", LD(BPF_IMM, 7), BPF_STMT(BPF_ST, 3), LD(BPF_IMM, 1), LD(BPF_MEM, 3), RET_A);
	VERDICT("memory and x", LDX(BPF_IMM, 6), BPF_STMT(BPF_STX, 15), LDX(BPF_IMM, 1), LDX(BPF_MEM, 15),
		BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A);
	VERDICT("immediate and tax", LD(BPF_IMM, 4), BPF_STMT(BPF_MISC | BPF_TAX, 0), LD(BPF_IMM, 1), BPF_STMT(BPF_MISC | BPF_TXA, 0), RET_A);
	VERDICT("registers begin as zero", ALU(BPF_ADD | BPF_X, 0), ALU(BPF_ADD | BPF_K, 3), RET_A);
}

CHECK(beside_the_packet)
{
	VERDICT("protocol", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("kind of packet", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("interface", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_IFINDEX), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("hardware", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_HATYPE), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("mark", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("queue", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_QUEUE), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("hash", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RXHASH), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("processor", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_CPU), RET_K(5));
	VERDICT("exclusive or", LD(BPF_IMM, 6), LDX(BPF_IMM, 3), LD(BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_ALU_XOR_X), RET_A);
	VERDICT("tag", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_VLAN_TAG), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("tagged", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("payload", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PAY_OFFSET), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("random", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM), RET_K(5));
	VERDICT("tag's protocol", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_VLAN_TPID), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("attribute", LD(BPF_IMM, 0), LDX(BPF_IMM, 1), LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_NLATTR), ALU(BPF_ADD | BPF_K, 1), RET_A);
	VERDICT("unknown", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MAX), RET_K(5));
	VERDICT("unknown, further", LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MAX + 40), RET_K(5));
	VERDICT("network header", LD(BPF_B | BPF_ABS, SKF_NET_OFF + 1), RET_A);
	VERDICT("link header", LD(BPF_B | BPF_ABS, SKF_LL_OFF + 1), RET_K(5));
}

CHECK(arithmetic)
{
	static const struct {
		const char *name;
		int op;
		unsigned a, k;
	} rows[] = {
		{ "add", BPF_ADD, 3, 4 },  { "subtract", BPF_SUB, 9, 4 }, { "multiply", BPF_MUL, 3, 2 },  { "divide", BPF_DIV, 11, 3 },
		{ "remainder", BPF_MOD, 11, 4 }, { "or", BPF_OR, 5, 2 },	   { "and", BPF_AND, 13, 7 },     { "exclusive or", BPF_XOR, 9, 4 },
		{ "left", BPF_LSH, 1, 3 }, { "right", BPF_RSH, 33, 2 },	  { "by nothing", BPF_DIV, 3, 0 }, { "rest of nothing", BPF_MOD, 3, 0 },
		{ "far left", BPF_LSH, 5, 32 }, { "far right", BPF_RSH, 5, 33 }, { "wraps", BPF_ADD, 0xffffffff, 4 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		say("%s", rows[i].name);
		VERDICT("constant", LD(BPF_IMM, rows[i].a), ALU(rows[i].op | BPF_K, rows[i].k), RET_A);
		VERDICT("register", LDX(BPF_IMM, rows[i].k), LD(BPF_IMM, rows[i].a), ALU(rows[i].op | BPF_X, 0), RET_A);
	}
	VERDICT("negate", LD(BPF_IMM, -6), ALU(BPF_NEG, 0), RET_A);
}

CHECK(jumps)
{
	static const struct {
		const char *name;
		int op;
	} ops[] = { { "equal", BPF_JEQ }, { "greater", BPF_JGT }, { "not less", BPF_JGE }, { "common bit", BPF_JSET } };
	for (int o = 0; o < 4; o++)
		for (unsigned a = 3; a <= 6; a++) {
			say("%u %s 4", a, ops[o].name);
			VERDICT("constant", LD(BPF_IMM, a), BPF_JUMP(BPF_JMP | ops[o].op | BPF_K, 4, 1, 0), RET_K(1), RET_K(2));
			VERDICT("register", LD(BPF_IMM, a), LDX(BPF_IMM, 4), BPF_JUMP(BPF_JMP | ops[o].op | BPF_X, 0, 0, 1), RET_K(1), RET_K(2));
		}
	VERDICT("always", BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET_K(1), RET_K(2));
	VERDICT("unsigned", LD(BPF_IMM, -1), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 4, 0, 1), RET_K(1), RET_K(2));
}

CHECK(refused)
{
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	show(ATTACH(fd, LD(BPF_IMM, 1)));
	show(ATTACH(fd, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET_K(1)));
	show(ATTACH(fd, BPF_JUMP(BPF_JMP | BPF_JA, -1, 0, 0), RET_K(1)));
	show(ATTACH(fd, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), RET_K(1)));
	show(ATTACH(fd, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), RET_K(1)));
	show(ATTACH(fd, ALU(BPF_DIV | BPF_K, 0), RET_K(1)));
	show(ATTACH(fd, ALU(BPF_MOD | BPF_K, 0), RET_K(1)));
	show(ATTACH(fd, ALU(BPF_LSH | BPF_K, 31), RET_K(1)));
	show(ATTACH(fd, ALU(BPF_LSH | BPF_K, 32), RET_K(1)));
	show(ATTACH(fd, ALU(BPF_RSH | BPF_K, 32), RET_K(1)));
	show(ATTACH(fd, BPF_STMT(BPF_ST, 15), RET_K(1)));
	show(ATTACH(fd, BPF_STMT(BPF_ST, 16), RET_K(1)));
	show(ATTACH(fd, LD(BPF_MEM, 0), RET_K(1)));
	show(ATTACH(fd, LDX(BPF_MEM, 16), RET_K(1)));
	// Stored on one of two ways only.
	show(ATTACH(fd, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), BPF_STMT(BPF_ST, 0), LD(BPF_MEM, 0), RET_A));
	show(ATTACH(fd, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), BPF_STMT(BPF_ST, 0), RET_K(1)));
	show(ATTACH(fd, BPF_STMT(BPF_ST, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), RET_K(1), LD(BPF_MEM, 0), RET_A));
	show(ATTACH(fd, BPF_STMT(0xff, 0), RET_K(1)));
	show(ATTACH(fd, LD(BPF_B | BPF_IMM, 0), RET_K(1)));
	show(ATTACH(fd, LDX(BPF_W | BPF_ABS, 0), RET_K(1)));
	show(ATTACH(fd, BPF_STMT(BPF_RET | BPF_X, 0)));
	show(ATTACH(fd, LD(BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MAX), RET_K(1)));
	show(ATTACH(fd, RET_K(1), RET_K(2)));
	show(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &fd, sizeof fd));
}

CHECK(lengths)
{
	static struct sock_filter many[4097];
	for (int i = 0; i < 4097; i++)
		many[i] = (struct sock_filter)RET_K(1);
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct sock_fprog program = { 1, many };
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program - 1));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program + 1));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, 3));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, bad_pointer(), sizeof program));
	show(attach(fd, many, 0));
	show(attach(fd, NULL, 1));
	show(attach(fd, bad_pointer(), 1));
	show(attach(fd, many, 4096));
	show(attach(fd, many, 4097));
	show(attach(fd, many, 1));
}

CHECK(told_and_taken_off)
{
	struct sock_filter got[8];
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0)), zero = 0;
	socklen_t len = 0;
	show(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &len));
	say("%u instructions", len);
	show(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof zero));
	show(ATTACH(fd, LD(BPF_W | BPF_LEN, 0), ALU(BPF_ADD | BPF_K, 77), RET_A));
	for (len = 0; len < 5; len++) {
		socklen_t room = len;
		memset(got, 0x55, sizeof got);
		int result = getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &room);
		say("room %u: %s, %u instructions, %x %x %x", len, result ? errno_name(errno) : "0", room, got[0].code, got[1].k, got[2].code);
	}
	len = 3;
	show(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, bad_pointer(), &len));
	show(ATTACH(fd, RET_K(7)));
	len = 3;
	show(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &len));
	say("%u instructions, %x", len, got[0].k);
	show(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, 3));
	show(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof zero));
	show(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof zero));
}

CHECK(locked)
{
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0)), one = 1;
	show(ATTACH(fd, RET_K(1)));
	show(set_option(fd, SO_LOCK_FILTER, 1));
	show(ATTACH(fd, RET_K(2)));
	show(attach(fd, NULL, 1));
	show(attach(fd, bad_pointer(), 1));
	show(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &one, sizeof one));
	show(set_option(fd, SO_LOCK_FILTER, 0));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &one, sizeof one));
}

CHECK(kinds)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char buffer[16];
	for (int t = 0; t < 3; t++) {
		pair(types[t] | SOCK_NONBLOCK);
		say("type %d", types[t]);
		show(ATTACH(s[1], RET_K(2)));
		show(send(s[0], "abcdef", 6, 0));
		show(int_ioctl(s[0], SIOCOUTQ) > 0);
		show(recv(s[1], buffer, 16, MSG_TRUNC));
		show(ATTACH(s[1], RET_K(0)));
		show(send(s[0], "abcdef", 6, 0));
		show(int_ioctl(s[0], SIOCOUTQ) > 0);
		show(recv(s[1], buffer, 16, 0));
		// The sender's own filter says nothing.
		show(send(s[1], "abcdef", 6, 0));
		show(recv(s[0], buffer, 16, 0));
		close(s[0]);
		close(s[1]);
	}
}

CHECK(dropped_with_descriptors)
{
	int pipe_ends[2];
	char buffer[4];
	need(pipe(pipe_ends));
	pair(SOCK_DGRAM | SOCK_NONBLOCK);
	show(ATTACH(s[1], RET_K(0)));
	show(send_fds(s[0], "m", &pipe_ends[1], 1, 0));
	close(pipe_ends[1]);
	show(read(pipe_ends[0], buffer, 4));
	// An empty message.
	show(ATTACH(s[1], RET_K(5)));
	show(send(s[0], "", 0, 0));
	show(recv(s[1], buffer, 4, 0));
	show(ATTACH(s[1], LD(BPF_B | BPF_ABS, 0), RET_K(5)));
	show(send(s[0], "", 0, 0));
	show(recv(s[1], buffer, 4, 0));
	
}

CHECK(not_on_accepted)
{
	int listening = listener(SOCK_SEQPACKET, "filtered", 5);
	char buffer[4];
	show(ATTACH(listening, RET_K(0)));
	int one = connected(SOCK_SEQPACKET, "filtered"), other = need(accept(listening, NULL, NULL));
	show(send(one, "ab", 2, 0));
	show(recv(other, buffer, 4, MSG_DONTWAIT));
}

CHECK(other_programs)
{
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0)), value = fd, bad = 777;
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &value, sizeof value));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &bad, sizeof bad));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &bad, 8));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &value, sizeof value));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &bad, sizeof bad));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &bad, 8));
	struct sock_filter filter = RET_K(1);
	struct sock_fprog program = { 1, &filter }, none = { 0, NULL };
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &none, sizeof none));
	show(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, 4));
	show(set_option(fd, SO_DETACH_REUSEPORT_BPF, 1));
	show(int_option(fd, SO_BPF_EXTENSIONS));
	show(set_option(fd, SO_BPF_EXTENSIONS, 1));
}
