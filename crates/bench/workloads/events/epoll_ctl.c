/* Watching a file and leaving it again. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int fd, epoll;

static void setup(void)
{
    fd = (int)MUST(eventfd(0, EFD_NONBLOCK));
    epoll = (int)MUST(epoll_create1(0));
}

static void loop(uint64_t iterations)
{
    struct epoll_event interest = {.events = EPOLLIN};
    for (uint64_t i = 0; i < iterations; i++)
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest) != 0
            || epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) != 0)
            fail("epoll_ctl");
}

WORKLOAD(epoll_ctl,
    .name = "epoll_ctl", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "epoll_ctl() ADD + DEL",
    .bound = "An item made, hooked into a tree and a wait queue, and unmade.",
    .points = POINTS({"", "<=0.4"}),
    .setup = setup, .loop = loop);
