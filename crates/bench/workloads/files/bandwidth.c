/* Reading and writing a file of 16 MiB from one end to the other, 64 KiB at a time. */
#include "bench.h"

enum { file_bytes = 16 << 20, block_bytes = 65536 };

static int fd;
static off_t offset;
static char block[block_bytes];

static void setup(void)
{
    fd = unnamed_file(argument_text("on", "tmpfs"), file_bytes, 0);
    count_per_iteration(block_bytes);
}

static void rewind_at_end(void)
{
    if (offset == file_bytes) {
        MUST(lseek(fd, 0, SEEK_SET));
        offset = 0;
    }
    offset += block_bytes;
}

static void loop_read(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        rewind_at_end();
        if (read(fd, block, sizeof block) != sizeof block)
            fail("read");
    }
}

static void loop_write(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        rewind_at_end();
        if (write(fd, block, sizeof block) != sizeof block)
            fail("write");
    }
}

WORKLOAD(sequential_read,
    .name = "sequential_read", .group = "files", .unit = MEBIBYTES_PER_SECOND, .placement = PLACED_ONE,
    .operation = "read() of 64 KiB in order, from memory",
    .bound = "One copy of each byte; on a host file the host makes it.",
    .points = POINTS({"on=tmpfs"}, {"on=host"}),
    .setup = setup, .loop = loop_read);

WORKLOAD(sequential_write,
    .name = "sequential_write", .group = "files", .unit = MEBIBYTES_PER_SECOND, .placement = PLACED_ONE,
    .operation = "write() of 64 KiB in order, over what is there",
    .bound = "One copy of each byte; on a host file the host makes it and marks pages dirty.",
    .points = POINTS({"on=tmpfs"}, {"on=host"}),
    .setup = setup, .loop = loop_write);
