/* Reading at a given place, from a file of the host and from one of our own. */
#include "bench.h"

static int fd;
static size_t bytes;
static char buffer[4096];

static void setup(void)
{
    bytes = (size_t)argument_number("bytes", 1);
    fd = unnamed_file(argument_text("on", "host"), 1 << 16, 0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (pread(fd, buffer, bytes, 4096) != (ssize_t)bytes)
            fail("pread");
}

WORKLOAD(pread,
    .name = "pread", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "pread()",
    .bound = "The copy: out of a window on the host's page cache, or of a page of our own.",
    .points = POINTS({"bytes=1 on=host"}, {"bytes=4096 on=host", NULL, true}, {"bytes=1 on=tmpfs"}, {"bytes=4096 on=tmpfs", NULL, true}),
    .setup = setup, .loop = loop);
