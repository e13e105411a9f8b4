/* Says that it runs, then waits for a line or the end of its input: so that the runner can weigh what surrounds it. */
#include "bench.h"

static void setup(void)
{
    char byte = 0;
    printf("ready\n");
    fflush(stdout);
    while (byte != '\n' && read(0, &byte, 1) > 0)
        ;
    _exit(0);
}

static void loop(uint64_t iterations)
{
    (void)iterations;
}

WORKLOAD(idle, .name = "idle", .hidden = true, .points = POINTS({""}), .setup = setup, .loop = loop);
