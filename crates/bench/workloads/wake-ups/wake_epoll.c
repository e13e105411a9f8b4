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

static void prepare(void)
{
    for (int side = 0; side < 2; side++) {
        /* Edge-triggered: nobody reads, so that the wake-up is all there is. */
        struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
        fds[side] = (int)MUST(eventfd(0, 0));
        epolls[side] = (int)MUST(epoll_create1(0));
        MUST(epoll_ctl(epolls[side], EPOLL_CTL_ADD, fds[side], &interest));
    }
}

#include "one_way.h"

ONE_WAY(wake_epoll, "<=1.0", "<=1.0", "<=0.5", .operation = "one way through epoll_wait()");
