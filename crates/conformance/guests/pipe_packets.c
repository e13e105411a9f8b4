// pipe_packets.c: pipes with O_DIRECT keep the borders of writes.
//
// Calls: pipe2 read write fcntl
// Passes: host acrida
#include "check.h"

static int p[2];
static char buffer[16384];

CHECK(borders)
{
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	show(write(p[1], "one", 3));
	show(write(p[1], "three", 5));
	show(write(p[1], "x", 1));
	show(read(p[0], buffer, 100));
	show_bytes("packet", buffer, 3);
	show(read(p[0], buffer, 2));
	show_bytes("cut packet", buffer, 2);
	show(read(p[0], buffer, 100));
	show_bytes("packet", buffer, 1);
	show(read(p[0], buffer, 100));
}

CHECK(empty_packets_do_not_exist)
{
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	show(write(p[1], "", 0));
	show(read(p[0], buffer, 100));
	show(write(p[1], "a", 1));
	show(read(p[0], buffer, 0));
	show(read(p[0], buffer, 100));
}

CHECK(large_writes_are_split)
{
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	show(write(p[1], buffer, 10000));
	show(read(p[0], buffer, sizeof buffer));
	show(read(p[0], buffer, sizeof buffer));
	show(read(p[0], buffer, sizeof buffer));
	show(read(p[0], buffer, sizeof buffer));
}

CHECK(each_packet_takes_a_slot)
{
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	int packets = 0;
	while (write(p[1], "x", 1) == 1)
		packets++;
	show(packets);
	int queued;
	ioctl(p[0], FIONREAD, &queued);
	show(queued);
}

CHECK(switched_on_and_off)
{
	need(pipe2(p, O_NONBLOCK));
	show(write(p[1], "aa", 2));
	show(fcntl(p[1], F_SETFL, O_DIRECT | O_NONBLOCK));
	show(write(p[1], "bb", 2));
	show(write(p[1], "cc", 2));
	show(fcntl(p[1], F_SETFL, O_NONBLOCK));
	show(write(p[1], "dd", 2));
	show(write(p[1], "ee", 2));
	for (int i = 0; i < 5; i++) {
		long got = show(read(p[0], buffer, 100));
		if (got > 0)
			show_bytes("got", buffer, got);
	}
}

CHECK(reading_end_flag_does_not_matter)
{
	need(pipe2(p, O_NONBLOCK));
	fcntl(p[0], F_SETFL, O_DIRECT | O_NONBLOCK);
	write(p[1], "aa", 2);
	write(p[1], "bb", 2);
	show(read(p[0], buffer, 100));
}

CHECK(vectors)
{
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	struct iovec v[] = { { "ab", 2 }, { "cde", 3 } };
	show(writev(p[1], v, 2));
	show(write(p[1], "f", 1));
	struct iovec in[] = { { buffer, 3 }, { buffer + 100, 100 } };
	show(readv(p[0], in, 2));
	show_bytes("first part", buffer, 3);
	show_bytes("second part", buffer + 100, 2);
	show(readv(p[0], in, 2));
}

CHECK(bad_buffer_loses_nothing)
{
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	write(p[1], "abc", 3);
	show(read(p[0], bad_pointer(), 10));
	show(read(p[0], at_edge(2), 10));
	show(read(p[0], buffer, 10));
}

// Only read throws the rest of a packet away.
CHECK(splice_leaves_the_rest)
{
	int q[2], fd = need(memfd_create("file", 0));
	need(pipe2(p, O_DIRECT | O_NONBLOCK));
	need(pipe2(q, O_NONBLOCK));
	need(write(p[1], "0123456789", 10));
	show(splice(p[0], NULL, q[1], NULL, 4, 0));
	show(splice(p[0], NULL, fd, NULL, 3, 0));
	show(read(p[0], buffer, 100));
	show_bytes("rest", buffer, 3);
	show(read(p[0], buffer, 100));
}
