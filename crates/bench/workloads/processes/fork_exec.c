/* A process that runs another program. */
#include "bench.h"

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        pid_t child = fork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(127);
        }
        reap(child);
    }
}

WORKLOAD(fork_exec,
    .name = "fork_exec", .group = "processes", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .operation = "fork() + execve() of /bin/true + waitpid()",
    .bound = "As fork_exit, then the loading of a program and its libraries: host calls to map them, page faults, and the "
             "dynamic linker's own work.",
    .points = POINTS({"", "<=1.2"}),
    .loop = loop);
