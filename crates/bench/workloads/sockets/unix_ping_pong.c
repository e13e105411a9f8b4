/* One byte to another process and one back, through a pair of local sockets. */
#include "bench.h"

#include <sys/socket.h>

static int ends[2];

static void answer(void *context)
{
    (void)context;
    char byte;
    while (read(ends[1], &byte, 1) == 1)
        MUST(write(ends[1], &byte, 1));
}

static void setup(void)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    start_party(answer, NULL);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++)
        if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            fail("socketpair");
}

WORKLOAD(unix_ping_pong,
    .name = "unix_ping_pong", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "round trip of 1 byte between two processes",
    .bound = "Two wake-ups, as pipe_ping_pong.",
    .points = POINTS({"cpus=free"}, {"cpus=same", NULL, true}, {"cpus=split"}),
    .setup = setup, .loop = loop);
