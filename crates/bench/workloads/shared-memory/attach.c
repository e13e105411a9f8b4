/* A System V segment, attached, touched and detached. */
#include "bench.h"

#include <sys/shm.h>

static int segment = -1;

static void setup(void)
{
    segment = (int)MUST(shmget(IPC_PRIVATE, 65536, 0600));
}

static void teardown(void)
{
    if (segment >= 0)
        shmctl(segment, IPC_RMID, NULL);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        char *memory = shmat(segment, NULL, 0);
        if (memory == (void *)-1)
            fail("shmat");
        *(volatile char *)memory = 1;
        if (shmdt(memory) != 0)
            fail("shmdt");
    }
}

WORKLOAD(attach,
    .name = "shmat", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "shmat() + one store + shmdt()",
    .bound = "A mapping made by the host, a page fault, and the mapping undone.",
    .points = POINTS({""}),
    .setup = setup, .loop = loop, .teardown = teardown);
