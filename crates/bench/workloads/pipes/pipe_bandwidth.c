/* Bytes through a pipe from one process to another, 64 KiB at a time. */
#include "bench.h"

static int ends[2];
static char block[65536];

static void setup(void)
{
    MUST(pipe(ends));
    count_per_iteration(sizeof block);
    start_reader(ends[0]);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (write(ends[1], block, sizeof block) != sizeof block)
            fail("write");
}

WORKLOAD(pipe_bandwidth,
    .name = "pipe_bandwidth", .group = "pipes", .unit = MEBIBYTES_PER_SECOND, .placement = PLACED_SELF,
    .operation = "write() of 64 KiB, read by another process",
    .bound = "Two copies of each byte and the wake-ups when the pipe is full or empty.",
    .points = POINTS({"cpus=free"}, {"cpus=same", NULL, true}),
    .setup = setup, .loop = loop);
