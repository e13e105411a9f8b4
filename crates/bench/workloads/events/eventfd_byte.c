/* A counter raised and taken by the same thread. */
#include "bench.h"

#include <sys/eventfd.h>

static int fd;

static void setup(void)
{
    fd = (int)MUST(eventfd(0, EFD_NONBLOCK));
}

static void loop(uint64_t iterations)
{
    uint64_t value = 1;
    for (uint64_t i = 0; i < iterations; i++)
        if (write(fd, &value, 8) != 8 || read(fd, &value, 8) != 8)
            fail("eventfd");
}

WORKLOAD(eventfd_byte,
    .name = "eventfd_byte", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "write() + read() of an eventfd",
    .bound = "Two calls and one lock; no wake-up.",
    .points = POINTS({"", "<=0.2"}),
    .setup = setup, .loop = loop);
