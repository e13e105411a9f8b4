/*
 * One way from an event until the sleeping party that waits for it runs: a round trip, halved.
 *
 * The file that includes this has defined three functions: prepare() makes what is waited for, post(side) makes the
 * event of a side, await(side) sleeps until there is one and takes it.
 */
#include "bench.h"

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
    prepare();
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

/* The targets for parties wherever the scheduler puts them, on one CPU, and on two. */
#define ONE_WAY(ident, free_target, same_target, split_target, ...)                                               \
    WORKLOAD(ident, .name = #ident, .group = "wake-ups", .unit = NANOSECONDS, .placement = PLACED_SELF,            \
        .bound = "One wake-up. On one CPU a context switch of the host; across CPUs an interrupt of the sleeping " \
                 "one, which a waiter that spins for a moment does without.",                                     \
        .points = POINTS({"tasks=threads cpus=free", free_target}, {"tasks=threads cpus=same", same_target, true}, \
            {"tasks=threads cpus=split", split_target}, {"tasks=processes cpus=free", free_target},                \
            {"tasks=processes cpus=same", same_target, true}, {"tasks=processes cpus=split", split_target, true}), \
        .setup = setup, .loop = loop, __VA_ARGS__)
