/* A System V semaphore, given and taken by one thread, and between two processes. */
#include "bench.h"

#include <sys/ipc.h>
#include <sys/sem.h>

static int set = -1;

static void change(unsigned short which, short by)
{
    struct sembuf operation = {.sem_num = which, .sem_op = by};
    if (semop(set, &operation, 1) != 0)
        fail("semop");
}

static void setup(void)
{
    set = (int)MUST(semget(IPC_PRIVATE, 2, 0600));
}

static void teardown(void)
{
    if (set >= 0)
        semctl(set, 0, IPC_RMID);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        change(0, 1);
        change(0, -1);
    }
}

static void answer(void *context)
{
    (void)context;
    for (;;) {
        change(0, -1);
        change(1, 1);
    }
}

static void setup_pair(void)
{
    setup();
    start_party(answer, NULL);
    place_party(0);
}

static void loop_pair(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        change(0, 1);
        change(1, -1);
    }
}

WORKLOAD(semop_one,
    .name = "semop", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "semop() +1 and -1",
    .bound = "Two calls, an identifier looked up, a lock; no wake-up.",
    .points = POINTS({"", "<=0.3"}),
    .setup = setup, .loop = loop, .teardown = teardown);

WORKLOAD(semop_pair,
    .name = "semop_ping_pong", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "round trip between two processes by semop()",
    .bound = "Two wake-ups, as pipe_ping_pong.",
    .points = POINTS({"cpus=free"}, {"cpus=split", NULL, true}),
    .setup = setup_pair, .loop = loop_pair, .teardown = teardown);
