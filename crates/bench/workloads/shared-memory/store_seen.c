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

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        uint64_t value = __atomic_load_n(posted, __ATOMIC_RELAXED) + 1;
        __atomic_store_n(posted, value, __ATOMIC_RELEASE);
        while (__atomic_load_n(answered, __ATOMIC_ACQUIRE) != value)
            ;
    }
}

WORKLOAD(store_seen,
    .name = "store_seen", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_SELF,
    .operation = "a store until another process has seen it",
    .bound = "One cache line moved from CPU to CPU; equal to native by construction.",
    .points = POINTS({"by=shm_open cpus=split", "<=1.15"}, {"by=shmget cpus=split", "<=1.15"}),
    .setup = setup, .loop = loop);
