/* A pair of local sockets, made and unmade. */
#include "bench.h"

#include <sys/socket.h>

static void loop(uint64_t iterations)
{
    int ends[2];
    for (uint64_t i = 0; i < iterations; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || close(ends[0]) != 0 || close(ends[1]) != 0)
            fail("socketpair");
}

WORKLOAD(socketpair_close,
    .name = "socketpair", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "socketpair() + two close()",
    .bound = "Three calls; two inodes, files and sockets made and unmade.",
    .points = POINTS({"", "<=0.3"}),
    .loop = loop);
