/* Asking an epoll that has one ready file. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll;

static void setup(void)
{
    int fd = (int)MUST(eventfd(1, EFD_NONBLOCK));
    struct epoll_event interest = {.events = EPOLLIN};
    epoll = (int)MUST(epoll_create1(0));
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest));
}

static void loop(uint64_t iterations)
{
    struct epoll_event event;
    for (uint64_t i = 0; i < iterations; i++)
        if (epoll_wait(epoll, &event, 1, -1) != 1)
            fail("epoll_wait");
}

WORKLOAD(epoll_wait_one,
    .name = "epoll_wait_one", .group = "events", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "epoll_wait(), one ready",
    .bound = "A ready list of one: its file is asked once more, and one event is copied.",
    .points = POINTS({"", "<=0.15"}),
    .setup = setup, .loop = loop);
