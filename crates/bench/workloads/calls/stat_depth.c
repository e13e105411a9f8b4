/* What a path costs by the number of its directories. */
#include "bench.h"

#include <sys/stat.h>

static char *path;

static void setup(void)
{
    path = strdup(directory_of(argument_text("on", "tmpfs")));
    for (long level = argument_number("depth", 1); level > 0; level--) {
        char *deeper;
        if (asprintf(&deeper, "%s/directory", path) < 0)
            fail("asprintf");
        free(path);
        path = deeper;
        MUST(mkdir(path, 0700));
    }
}

static void loop(uint64_t iterations)
{
    struct stat status;
    for (uint64_t i = 0; i < iterations; i++)
        if (stat(path, &status) != 0)
            fail("stat");
}

WORKLOAD(stat_depth,
    .name = "stat_depth", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .axis = "depth",
    .operation = "stat() of a path of that many directories",
    .bound = "One directory look-up per component. A host file's path is also walked by the host, once for each of ours "
             "that is not known yet.",
    .points = POINTS({"depth=1 on=tmpfs"}, {"depth=2 on=tmpfs", NULL, true}, {"depth=4 on=tmpfs", NULL, true}, {"depth=8 on=tmpfs"},
        {"depth=1 on=host"}, {"depth=2 on=host", NULL, true}, {"depth=4 on=host", NULL, true}, {"depth=8 on=host"}),
    .setup = setup, .loop = loop);
