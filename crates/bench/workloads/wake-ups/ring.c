/* A token passed around a ring of processes: what a wake-up costs by the number of tasks. */
#include "bench.h"

enum { most = 128 };

static int count, pipes[most][2];

/* Task i reads from pipe i and writes into the next. */
static void pass_on(void *context)
{
    int (*own)[2] = context;
    int (*next)[2] = own + 1 == pipes + count ? pipes : own + 1;
    char byte;
    while (read((*own)[0], &byte, 1) == 1)
        MUST(write((*next)[1], &byte, 1));
}

static void setup(void)
{
    count = (int)argument_number("ring", 2);
    if (count > most)
        fail_text("the ring is too large");
    for (int i = 0; i < count; i++)
        MUST(pipe(pipes[i]));
    for (int i = 1; i < count; i++)
        start_party(pass_on, &pipes[i]);
    count_per_iteration(count);
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++)
        if (write(pipes[1][1], &byte, 1) != 1 || read(pipes[0][0], &byte, 1) != 1)
            fail("ring");
}

WORKLOAD(ring,
    .name = "ring", .group = "wake-ups", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .axis = "ring",
    .operation = "one hand-over of the token",
    .bound = "One wake-up and one context switch per hand-over; caches hold fewer of the tasks as the ring grows.",
    .points = POINTS({"ring=2"}, {"ring=8", NULL, true}, {"ring=32"}, {"ring=128", NULL, true}),
    .setup = setup, .loop = loop);
