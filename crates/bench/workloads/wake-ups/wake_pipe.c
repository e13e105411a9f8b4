/* The time from a write into a pipe until its sleeping reader runs. */
#include "bench.h"

static int pipes[2][2];

static void post(int side)
{
    char byte = 0;
    if (write(pipes[side][1], &byte, 1) != 1)
        fail("write(pipe)");
}

static void await(int side)
{
    char byte;
    if (read(pipes[side][0], &byte, 1) != 1)
        fail("read(pipe)");
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
        MUST(pipe(pipes[side]));
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

WORKLOAD(wake_pipe,
    .name = "wake_pipe", .group = "wake-ups", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "one way through a pipe",
    .bound = "One wake-up. On one CPU a context switch of the host; across CPUs an interrupt of the sleeping one, "
             "which a waiter that spins for a moment does without.",
    .points = POINTS({"tasks=threads cpus=free", "<=1.0"}, {"tasks=threads cpus=same", "<=1.0", true},
        {"tasks=threads cpus=split", "<=0.5"}, {"tasks=processes cpus=free", "<=1.0"},
        {"tasks=processes cpus=same", "<=1.0", true}, {"tasks=processes cpus=split", "<=0.5"}),
    .setup = setup, .loop = loop);
