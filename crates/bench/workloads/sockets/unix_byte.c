/* One byte through a pair of local sockets, without anybody waiting. */
#include "bench.h"

#include <sys/socket.h>

static int ends[2];

static void setup_stream(void)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void setup_datagram(void)
{
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++)
        if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            fail("socketpair");
}

WORKLOAD(unix_stream,
    .name = "unix_stream_byte", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "write() + read() of 1 byte, stream, in one thread",
    .bound = "Two calls, a buffer got and given back, a copy of one byte; no wake-up.",
    .points = POINTS({"", "<=0.25"}),
    .setup = setup_stream, .loop = loop);

WORKLOAD(unix_datagram,
    .name = "unix_datagram_byte", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "write() + read() of 1 byte, datagram, in one thread",
    .bound = "As the stream; each message is a buffer of its own.",
    .points = POINTS({"", "<=0.3"}),
    .setup = setup_datagram, .loop = loop);
