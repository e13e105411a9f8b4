/* Says that it runs, then waits for the end of its input: so that the runner can weigh what surrounds it. */
#include "bench.h"

static void setup(void)
{
    char byte;
    printf("ready\n");
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    _exit(0);
}

static void loop(uint64_t iterations)
{
    (void)iterations;
}

WORKLOAD(idle, .name = "idle", .hidden = true, .points = POINTS({""}), .setup = setup, .loop = loop);
