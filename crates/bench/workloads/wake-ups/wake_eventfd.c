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

static void prepare(void)
{
    for (int side = 0; side < 2; side++)
        fds[side] = (int)MUST(eventfd(0, 0));
}

#include "one_way.h"

ONE_WAY(wake_eventfd, "<=1.0", "<=1.0", "<=0.5", .operation = "one way through an eventfd");
