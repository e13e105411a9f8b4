/* Reading and writing 4 KiB at random places of a file of 32 MiB that lies in memory. */
#include "bench.h"

enum { file_pages = 8192, page_bytes = 4096 };

static int fd;
static char page[page_bytes];
static uint64_t state = 88172645463325252u;

static void setup(void)
{
    fd = unnamed_file(argument_text("on", "tmpfs"), (size_t)file_pages * page_bytes, 0);
}

/* The same places in every run: xorshift, from a fixed start. */
static off_t next_place(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (off_t)(state % file_pages) * page_bytes;
}

static void loop_read(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (pread(fd, page, sizeof page, next_place()) != sizeof page)
            fail("pread");
}

static void loop_write(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (pwrite(fd, page, sizeof page, next_place()) != sizeof page)
            fail("pwrite");
}

WORKLOAD(random_read,
    .name = "random_read", .group = "files", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "pread() of 4 KiB at a random page, from memory",
    .bound = "A page looked up, cache misses, one copy.",
    .points = POINTS({"on=tmpfs"}, {"on=host", NULL, true}),
    .setup = setup, .loop = loop_read);

WORKLOAD(random_write,
    .name = "random_write", .group = "files", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "pwrite() of 4 KiB at a random page, over what is there",
    .bound = "As random_read.",
    .points = POINTS({"on=tmpfs"}, {"on=host", NULL, true}),
    .setup = setup, .loop = loop_write);
