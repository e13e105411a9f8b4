/* Bytes through a local stream socket from one process to another, 64 KiB at a time. */
#include "bench.h"

#include <sys/socket.h>

static int ends[2];
static char block[65536];

static void drain(void *context)
{
    (void)context;
    while (read(ends[1], block, sizeof block) > 0)
        ;
}

static void setup(void)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    count_per_iteration(sizeof block);
    start_party(drain, NULL);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        for (size_t done = 0; done < sizeof block;)
            done += (size_t)MUST(write(ends[0], block + done, sizeof block - done));
}

WORKLOAD(unix_bandwidth,
    .name = "unix_bandwidth", .group = "sockets", .unit = MEBIBYTES_PER_SECOND, .placement = PLACED_SELF,
    .operation = "write() of 64 KiB, read by another process",
    .bound = "Two copies of each byte, and the wake-ups when the buffer is full or empty.",
    .points = POINTS({"cpus=free", ">=1.0"}),
    .setup = setup, .loop = loop);
