/* One byte to another process and one back, through two pipes. */
#include "bench.h"

static int there[2], back[2];

static void answer(void *context)
{
    (void)context;
    char byte;
    while (read(there[0], &byte, 1) == 1)
        MUST(write(back[1], &byte, 1));
}

static void setup(void)
{
    MUST(pipe(there));
    MUST(pipe(back));
    start_party(answer, NULL);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++)
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            fail("pipe");
}

WORKLOAD(pipe_ping_pong,
    .name = "pipe_ping_pong", .group = "pipes", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "round trip of 1 byte between two processes",
    .bound = "Two wake-ups. On one CPU also two context switches of the host; across CPUs an interrupt of the sleeping "
             "one unless the waiter spins for a moment.",
    .points = POINTS({"cpus=free", "<=1.0"}, {"cpus=same"}, {"cpus=split"}),
    .setup = setup, .loop = loop);
