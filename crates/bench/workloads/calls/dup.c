/* A second number for an open file, and its end. */
#include "bench.h"

static int fd;

static void setup(void)
{
    fd = unnamed_file("tmpfs", 0, 0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        int copy = dup(fd);
        if (copy < 0 || close(copy) != 0)
            fail("dup");
    }
}

WORKLOAD(dup,
    .name = "dup", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "dup() + close()",
    .bound = "Both are work on the descriptor table alone.",
    .points = POINTS({""}),
    .setup = setup, .loop = loop);
