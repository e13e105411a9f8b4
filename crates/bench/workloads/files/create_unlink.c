/* A file made, written, closed and removed. */
#include "bench.h"

static char *path;

static void setup(void)
{
    path = path_in(argument_text("on", "tmpfs"), "made");
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || write(fd, &byte, 1) != 1 || close(fd) != 0 || unlink(path) != 0)
            fail("create");
    }
}

WORKLOAD(create_unlink,
    .name = "create_unlink", .group = "files", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "open(O_CREAT) + write() + close() + unlink()",
    .bound = "An inode, a directory entry and a page made and unmade; on a host file that is the host's work.",
    .points = POINTS({"on=tmpfs"}, {"on=host"}),
    .setup = setup, .loop = loop);
