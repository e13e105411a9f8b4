/* Threads of one process that read, each through a descriptor of its own: they share the table, and nothing else. */
#include "bench.h"

static void read_for_ever(void *context)
{
    int own = *(int *)context;
    char byte;
    while (pread(own, &byte, 1, 0) == 1)
        ;
    fail("pread");
}

static int files[8];

static void setup(void)
{
    long threads = argument_number("threads", 2);
    for (long i = 0; i < threads; i++) {
        files[i] = unnamed_file("tmpfs", 1, 0);
        if (i != 0)
            start_party(read_for_ever, &files[i]);
    }
    place_party(0);
}

static void loop(uint64_t iterations)
{
    char byte;
    for (uint64_t i = 0; i < iterations; i++)
        if (pread(files[0], &byte, 1, 0) != 1)
            fail("pread");
}

WORKLOAD(pread_threads,
    .name = "pread_threads", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "pread() of 1 byte while the process's other threads do the same",
    .bound = "As pread. The threads look up in one table; none of them holds the others up there.",
    .points = POINTS({"threads=2 tasks=threads cpus=split"}, {"threads=4 tasks=threads cpus=free", NULL, true}),
    .setup = setup, .loop = loop);
