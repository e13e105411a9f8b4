/* What poll costs: by the number of files, all idle, and per event by the share that is active. */
#include "bench.h"

#include <poll.h>
#include <sys/eventfd.h>

static long count, active;
static struct pollfd *polled;

static void setup(void)
{
    count = argument_number("fds", 1000);
    active = argument_number("active", 0);
    need_descriptors((unsigned long)count);
    polled = calloc((size_t)count, sizeof *polled);
    for (long i = 0; i < count; i++) {
        bool ready = i * active / count != (i + 1) * active / count;
        polled[i] = (struct pollfd){.fd = (int)MUST(eventfd(ready, EFD_NONBLOCK)), .events = POLLIN};
    }
    if (active > 0)
        count_per_iteration(active);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (poll(polled, (nfds_t)count, 0) != active)
            fail("poll");
}

WORKLOAD(poll_fds,
    .name = "poll_fds", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .axis = "fds",
    .operation = "poll() with no file ready",
    .bound = "Each file is asked in each call: linear by definition.",
    .points = POINTS({"fds=1", "<=0.5"}, {"fds=10", "<=0.5"}, {"fds=100", NULL, true}, {"fds=1000", "<=0.5"},
        {"fds=10000", NULL, true}, {"fds=100000", NULL, true}),
    .setup = setup, .loop = loop);

WORKLOAD(poll_share,
    .name = "poll_share", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .axis = "active",
    .operation = "poll(), per event",
    .bound = "All 1000 files are asked for each call, however few are ready.",
    .points = POINTS({"fds=1000 active=1", NULL, true}, {"fds=1000 active=10", NULL, true}, {"fds=1000 active=100", NULL, true},
        {"fds=1000 active=300", NULL, true}, {"fds=1000 active=1000"}),
    .setup = setup, .loop = loop);
