/* Writing to a file on the host's disk, in order, into the page cache. */
#include "bench.h"

enum { file_bytes = 1 << 20 };

static int fd;
static size_t bytes, offset;
static char buffer[4096];

static void setup(void)
{
    bytes = (size_t)argument_number("bytes", 1);
    fd = unnamed_file("host", file_bytes, 0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        if (offset + bytes > file_bytes) {
            MUST(lseek(fd, 0, SEEK_SET));
            offset = 0;
        }
        if (write(fd, buffer, bytes) != (ssize_t)bytes)
            fail("write");
        offset += bytes;
    }
}

WORKLOAD(write_host,
    .name = "write_host", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "write() to a host file",
    .bound = "As read_host: one host call for each of the guest's.",
    .points = POINTS({"bytes=1"}, {"bytes=4096"}),
    .setup = setup, .loop = loop);
