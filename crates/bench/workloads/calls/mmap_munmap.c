/* A page of memory, got and given back. */
#include "bench.h"

#include <sys/mman.h>

static bool touch;

static void setup(void)
{
    touch = argument_number("touch", 0) != 0;
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        char *pages = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
            fail("mmap");
        if (touch)
            *(volatile char *)pages = 1;
        if (munmap(pages, 65536) != 0)
            fail("munmap");
    }
}

WORKLOAD(mmap_munmap,
    .name = "mmap_munmap", .group = "calls", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "mmap() + munmap() of 64 KiB",
    .bound = "The pages are the host's: two host calls, and with touch=1 one page fault. Ours adds the book-keeping of the "
             "address space.",
    .points = POINTS({"touch=0"}, {"touch=1"}),
    .setup = setup, .loop = loop);
