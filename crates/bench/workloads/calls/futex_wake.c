/* Waking where nobody waits, as an unlock does that was contended once. */
#include "bench.h"

#include <linux/futex.h>
#include <sys/syscall.h>

static void loop(uint64_t iterations)
{
    static uint32_t word;
    for (uint64_t i = 0; i < iterations; i++)
        if (syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) != 0)
            fail("futex");
}

WORKLOAD(futex_wake,
    .name = "futex_wake", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "futex(FUTEX_WAKE), nobody waiting",
    .bound = "A hash look-up. Where the wait is left to the host, its call is added.",
    .points = POINTS({""}),
    .loop = loop);
