/* One byte through a pipe and out again, without anybody waiting. */
#include "bench.h"

static int ends[2];

static void setup(void)
{
    MUST(pipe(ends));
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++)
        if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            fail("pipe");
}

WORKLOAD(pipe_byte,
    .name = "pipe_byte", .group = "pipes", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "write() + read() of 1 byte in one thread",
    .bound = "Two calls, two look-ups, a lock, a copy of one byte; no wake-up.",
    .points = POINTS({"", "<=0.25"}),
    .setup = setup, .loop = loop);
