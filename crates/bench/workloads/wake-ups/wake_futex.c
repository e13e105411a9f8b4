/* The time from a futex wake until the sleeping thread runs, as locks and condition variables see it. */
#include "bench.h"

#include <linux/futex.h>
#include <sys/syscall.h>

/* Two words, each on a cache line of its own. */
static uint32_t *words;

static uint32_t *word_of(int side)
{
    return &words[side * 16];
}

static void post(int side)
{
    __atomic_store_n(word_of(side), 1, __ATOMIC_SEQ_CST);
    if (syscall(SYS_futex, word_of(side), FUTEX_WAKE, 1, NULL, NULL, 0) < 0)
        fail("futex(FUTEX_WAKE)");
}

static void await(int side)
{
    while (__atomic_exchange_n(word_of(side), 0, __ATOMIC_SEQ_CST) == 0)
        if (syscall(SYS_futex, word_of(side), FUTEX_WAIT, 0, NULL, NULL, 0) < 0 && errno != EAGAIN && errno != EINTR)
            fail("futex(FUTEX_WAIT)");
}

static void answer(void *context)
{
    (void)context;
    for (;;) {
        await(0);
        post(1);
    }
}

static void setup(void)
{
    words = shared_memory(4096);
    count_per_iteration(2);
    start_party(answer, NULL);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        post(0);
        await(1);
    }
}

WORKLOAD(wake_futex,
    .name = "wake_futex", .group = "wake-ups", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "one way through a futex",
    .bound = "One wake-up. On one CPU a context switch of the host; across CPUs an interrupt of the sleeping one, "
             "which a waiter that spins for a moment does without.",
    .points = POINTS({"tasks=threads cpus=free"}, {"tasks=threads cpus=same", NULL, true}, {"tasks=threads cpus=split"},
        {"tasks=processes cpus=free", NULL, true}, {"tasks=processes cpus=same", NULL, true},
        {"tasks=processes cpus=split", NULL, true}),
    .setup = setup, .loop = loop);
