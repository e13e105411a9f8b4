/* The state of an open file of our own (tmpfs). */
#include "bench.h"

#include <sys/stat.h>

static int fd;

static void setup(void)
{
    fd = unnamed_file("tmpfs", 0, 0);
}

static void loop(uint64_t iterations)
{
    struct stat status;
    for (uint64_t i = 0; i < iterations; i++)
        if (fstat(fd, &status) != 0)
            fail("fstat");
}

WORKLOAD(fstat,
    .name = "fstat", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "fstat() of a tmpfs file",
    .bound = "Descriptor look-up and a copy of 144 bytes.",
    .points = POINTS({"", "<=0.3"}),
    .setup = setup, .loop = loop);
