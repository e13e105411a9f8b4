/* A process that only ends. */
#include "bench.h"

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        reap(child);
    }
}

WORKLOAD(fork_exit,
    .name = "fork_exit", .group = "processes", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .operation = "fork() + exit() + waitpid()",
    .bound = "The copying of page tables by the host and the faults that follow. Ours adds the state of the new process and "
             "faults on our own shared pages in each child.",
    .points = POINTS({"", "<=1.5"}),
    .loop = loop);
