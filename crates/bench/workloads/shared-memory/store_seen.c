/* A store into shared memory until the other process sees it: no kernel takes part. */
#include "bench.h"

#include <sys/mman.h>
#include <sys/shm.h>

static uint64_t *posted, *answered;

static uint64_t *attach_posix(void)
{
    char *path = path_in("tmpfs", "shared");
    int fd = (int)MUST(open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    free(path);
    MUST(ftruncate(fd, 4096));
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}

static uint64_t *attach_system_v(void)
{
    int segment = (int)MUST(shmget(IPC_PRIVATE, 4096, 0600));
    void *memory = shmat(segment, NULL, 0);
    int error = errno;
    MUST(shmctl(segment, IPC_RMID, NULL));
    errno = error;
    if (memory == (void *)-1)
        fail("shmat");
    return memory;
}

static void answer(void *context)
{
    (void)context;
    for (uint64_t seen = 0;;) {
        uint64_t value = __atomic_load_n(posted, __ATOMIC_ACQUIRE);
        if (value != seen)
            __atomic_store_n(answered, seen = value, __ATOMIC_RELEASE);
    }
}

static void setup(void)
{
    posted = strcmp(argument_text("by", "shm_open"), "shm_open") == 0 ? attach_posix() : attach_system_v();
    answered = posted + 64; /* another cache line, and not the one that is fetched with the first */
    count_per_iteration(2);
    start_party(answer, NULL);
    place_party(0);
}

/*
 * Both parties poll, so whenever one of them is taken off its CPU the other waits for it: that is the host scheduler's time,
 * a thousand round trips for each such event, and no cache line's. The trips are timed in batches that are short beside a time
 * slice; of a batch that took several times as long as the fastest one the surplus is left out.
 */
enum { BATCH = 64, DISTURBED = 4 };

static void trip(void)
{
    uint64_t value = __atomic_load_n(posted, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(posted, value, __ATOMIC_RELEASE);
    while (__atomic_load_n(answered, __ATOMIC_ACQUIRE) != value)
        ;
}

static void loop(uint64_t iterations)
{
    static uint64_t fastest = UINT64_MAX;
    for (; iterations >= BATCH; iterations -= BATCH) {
        uint64_t start = now();
        for (int i = 0; i < BATCH; i++)
            trip();
        uint64_t took = now() - start;
        if (took < fastest)
            fastest = took;
        if (took / DISTURBED > fastest)
            leave_out(took - fastest);
    }
    for (; iterations > 0; iterations--)
        trip();
}

WORKLOAD(store_seen,
    .name = "store_seen", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "a store until another process has seen it",
    .bound = "One cache line moved from CPU to CPU; equal to native by construction.",
    .points = POINTS({"by=shm_open cpus=split", "<=1.15"}, {"by=shmget cpus=split", "<=1.15"}),
    .setup = setup, .loop = loop);
