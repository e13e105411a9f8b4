/* The cheapest call there is: what is left is the way into the kernel and back. */
#include "bench.h"

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (getppid() < 0)
            fail("getppid");
}

WORKLOAD(getppid,
    .name = "getppid", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "getppid()",
    .bound = "Natively the processor mode switch and its mitigations; under acrida a jump, the saving of "
             "sixteen vector registers and a table look-up.",
    .points = POINTS({"", "<=0.20"}),
    .loop = loop);
