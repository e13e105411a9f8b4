/* The same as shells and languages do it. */
#include "bench.h"

#include <spawn.h>

static void loop(uint64_t iterations)
{
    char *words[] = {"true", NULL};
    for (uint64_t i = 0; i < iterations; i++) {
        pid_t child;
        MUST_ZERO(posix_spawn(&child, "/bin/true", NULL, NULL, words, environ));
        reap(child);
    }
}

WORKLOAD(posix_spawn,
    .name = "posix_spawn", .group = "processes", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .operation = "posix_spawn() of /bin/true + waitpid()",
    .bound = "As vfork_exec: glibc makes a child that shares its memory.",
    .points = POINTS({""}),
    .loop = loop);
