/* The flags of an open file. */
#include "bench.h"

static int fd;

static void setup(void)
{
    fd = unnamed_file("tmpfs", 0, 0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (fcntl(fd, F_GETFL) < 0)
            fail("fcntl");
}

WORKLOAD(fcntl,
    .name = "fcntl", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "fcntl(F_GETFL)",
    .bound = "Descriptor look-up and one load.",
    .points = POINTS({""}),
    .setup = setup, .loop = loop);
