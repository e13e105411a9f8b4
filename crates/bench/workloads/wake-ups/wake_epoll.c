/* The time from an event until the thread that sleeps in epoll_wait runs. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int fds[2], epolls[2];

static void post(int side)
{
    uint64_t one = 1;
    if (write(fds[side], &one, 8) != 8)
        fail("write(eventfd)");
}

static void await(int side)
{
    struct epoll_event event;
    if (epoll_wait(epolls[side], &event, 1, -1) != 1)
        fail("epoll_wait");
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
    for (int side = 0; side < 2; side++) {
        /* Edge-triggered: nobody reads, so that the wake-up is all there is. */
        struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
        fds[side] = (int)MUST(eventfd(0, 0));
        epolls[side] = (int)MUST(epoll_create1(0));
        MUST(epoll_ctl(epolls[side], EPOLL_CTL_ADD, fds[side], &interest));
    }
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

WORKLOAD(wake_epoll,
    .name = "wake_epoll", .group = "wake-ups", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "one way through epoll_wait()",
    .bound = "One wake-up. On one CPU a context switch of the host; across CPUs an interrupt of the sleeping one, "
             "which a waiter that spins for a moment does without.",
    .points = POINTS({"tasks=threads cpus=free", "<=1.0"}, {"tasks=threads cpus=same", "<=1.0", true},
        {"tasks=threads cpus=split", "<=0.5"}, {"tasks=processes cpus=free", "<=1.0"},
        {"tasks=processes cpus=same", "<=1.0", true}, {"tasks=processes cpus=split", "<=0.5"}),
    .setup = setup, .loop = loop);
