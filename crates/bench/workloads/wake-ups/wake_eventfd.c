/* The time from a write of an eventfd until its sleeping reader runs. */
#include "bench.h"

#include <sys/eventfd.h>

static int fds[2];

static void post(int side)
{
    uint64_t one = 1;
    if (write(fds[side], &one, 8) != 8)
        fail("write(eventfd)");
}

static void await(int side)
{
    uint64_t value;
    if (read(fds[side], &value, 8) != 8)
        fail("read(eventfd)");
}

static void answer(void *context)
{
    (void)context;
    for (;;) {
        await(0);
        post(1);
    }
}

static void setup(void)
{
    for (int side = 0; side < 2; side++)
        fds[side] = (int)MUST(eventfd(0, 0));
    count_per_iteration(2);
    start_party(answer, NULL);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        post(0);
        await(1);
    }
}

WORKLOAD(wake_eventfd,
    .name = "wake_eventfd", .group = "wake-ups", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "one way through an eventfd",
    .bound = "One wake-up. On one CPU a context switch of the host; across CPUs an interrupt of the sleeping one, "
             "which a waiter that spins for a moment does without.",
    .points = POINTS({"tasks=threads cpus=free", "<=1.0"}, {"tasks=threads cpus=same", "<=1.0", true},
        {"tasks=threads cpus=split", "<=0.5"}, {"tasks=processes cpus=free", "<=1.0"},
        {"tasks=processes cpus=same", "<=1.0", true}, {"tasks=processes cpus=split", "<=0.5"}),
    .setup = setup, .loop = loop);
