/* Opening a file by its path, and closing it. */
#include "bench.h"

static char *path;

static void setup(void)
{
    path = path_in(argument_text("on", "tmpfs"), "opened");
    MUST(close((int)MUST(open(path, O_RDWR | O_CREAT | O_EXCL, 0600))));
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        int fd = open(path, O_RDONLY);
        if (fd < 0 || close(fd) != 0)
            fail("open");
    }
}

WORKLOAD(open_close,
    .name = "open_close", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "open() + close()",
    .bound = "Path look-up and the making of a file. On the host's disk the host walks the path as well, after us.",
    .points = POINTS({"on=tmpfs"}, {"on=host"}),
    .setup = setup, .loop = loop);
