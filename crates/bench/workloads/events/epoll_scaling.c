/* What one event costs epoll: by the number of files watched, and by the share of them that is active. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll, active;
static struct epoll_event *events;

/* Sleeps with a copy of all the files that it was forked with: they stay open when the parent closes its own. */
static void hold(void)
{
    pid_t child = (pid_t)MUST(fork());
    if (child == 0)
        for (;;)
            pause();
    adopt(child);
}

static void setup(void)
{
    long fds = argument_number("fds", 1000);
    active = (int)argument_number("active", 1);
    events = calloc((size_t)active, sizeof *events);
    /* Where fewer descriptors are allowed than files are wanted, other processes keep the files open. */
    long room = descriptors_up_to((unsigned long)fds);
    epoll = (int)MUST(epoll_create1(0));
    int first = epoll + 1;
    for (long i = 0; i < fds; i++) {
        /* The active ones are spread over all. */
        bool ready = i * active / fds != (i + 1) * active / fds;
        int fd = (int)MUST(eventfd(ready, EFD_NONBLOCK));
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
        MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest));
        if ((i + 1) % room == 0 && i + 1 < fds) {
            hold();
            MUST(close_range((unsigned)first, ~0u, 0));
        }
    }
    count_per_iteration(active);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (epoll_wait(epoll, events, active, -1) != active)
            fail("epoll_wait");
}

WORKLOAD(epoll_fds,
    .name = "epoll_fds", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .axis = "fds",
    .operation = "epoll_wait(), per event",
    .bound = "Only the ready list is walked: the cost must not grow with the files that are watched.",
    .points = POINTS({"fds=1 active=1"}, {"fds=100 active=1", NULL, true}, {"fds=1000 active=1", NULL, true},
        {"fds=10000 active=1", NULL, true}, {"fds=100000 active=1", NULL, true},
        {"fds=100 active=100", "<=0.3"}, {"fds=1000 active=100", "<=0.3"},
        {"fds=10000 active=100", "<=0.3"}, {"fds=100000 active=100", "<=0.3", true}),
    .setup = setup, .loop = loop);

WORKLOAD(epoll_share,
    .name = "epoll_share", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .axis = "active",
    .operation = "epoll_wait(), per event",
    .bound = "The entry of the call is shared by all its events; each event asks its file once more.",
    .points = POINTS({"fds=1000 active=1", NULL, true}, {"fds=1000 active=10", NULL, true}, {"fds=1000 active=100", NULL, true},
        {"fds=1000 active=300", NULL, true}, {"fds=1000 active=1000"}),
    .setup = setup, .loop = loop);
