/* Reading from and writing to a file on the host's disk, in order, in the page cache. */
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

/* Once in so many calls that it is not seen in their figure. */
static void rewind_at_end(void)
{
    if (offset + bytes > file_bytes) {
        MUST(lseek(fd, 0, SEEK_SET));
        offset = 0;
    }
    offset += bytes;
}

static void loop_read(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        rewind_at_end();
        if (read(fd, buffer, bytes) != (ssize_t)bytes)
            fail("read");
    }
}

static void loop_write(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        rewind_at_end();
        if (write(fd, buffer, bytes) != (ssize_t)bytes)
            fail("write");
    }
}

WORKLOAD(read_host,
    .name = "read_host", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "read() of a host file",
    .bound = "Small reads are copied out of a mapping of the host's own pages (design record 10): the copy, and a look at "
             "whether the file still reaches that far. A file's first reads, and those at its end, are a host call each.",
    .points = POINTS({"bytes=1", "<=1.25"}, {"bytes=4096", "<=1.25"}),
    .setup = setup, .loop = loop_read);

WORKLOAD(write_host,
    .name = "write_host", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "write() to a host file",
    .bound = "The file is the host's: one host call for each of the guest's, so this cannot be faster.",
    .points = POINTS({"bytes=1"}, {"bytes=4096", NULL, true}),
    .setup = setup, .loop = loop_write);
