/* A thread that only ends. */
#include "bench.h"

#include <pthread.h>

static void *body(void *context)
{
    return context;
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        pthread_t thread;
        MUST_ZERO(pthread_create(&thread, NULL, body, NULL));
        MUST_ZERO(pthread_join(thread, NULL));
    }
}

WORKLOAD(thread,
    .name = "thread", .group = "processes", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .operation = "pthread_create() + pthread_join()",
    .bound = "A host thread for each of the guest's; ours adds its kernel stack and its record.",
    .points = POINTS({""}),
    .loop = loop);
