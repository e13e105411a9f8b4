/* The same without a copy of the address space. */
#include "bench.h"

/* Apart from the loop: what lives across vfork() must not be in registers of its caller. */
static __attribute__((noinline)) pid_t start(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    return child;
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        reap(start());
}

WORKLOAD(vfork_exec,
    .name = "vfork_exec", .group = "processes", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .operation = "vfork() + execve() of /bin/true + waitpid()",
    .bound = "The parent waits until the child has its own memory. Until then the child runs on its parent's host thread; at its "
             "exec a host process is forked, which copies a handful of areas.",
    .points = POINTS({""}),
    .loop = loop);
