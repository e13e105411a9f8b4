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

static void prepare(void)
{
    words = shared_memory(4096);
}

#include "one_way.h"

ONE_WAY(wake_futex, NULL, NULL, NULL, .operation = "one way through a futex");
