/* Directories, files, descriptors and memory that workloads are set up with. */
#include "internal.h"

#include <ftw.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char *made[2];

/* Under acrida /dev/shm is the world's own tmpfs; natively it is the host's. */
const char *directory_of(const char *file_system)
{
    int which = strcmp(file_system, "host") == 0;
    if (made[which] != NULL)
        return made[which];
    const char *root = which ? argument_text("directory", "/var/tmp") : "/dev/shm";
    /* The runner removes what bears its label, should this process be killed. */
    const char *label = argument_text("label", "acrida-bench");
    if (asprintf(&made[which], "%s/%s-%ld", root, label, (long)getpid()) < 0)
        fail("asprintf");
    MUST(mkdir(made[which], 0700));
    return made[which];
}

char *path_in(const char *file_system, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", directory_of(file_system), name) < 0)
        fail("asprintf");
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

void remove_places(void)
{
    for (size_t i = 0; i < 2; i++)
        if (made[i] != NULL)
            nftw(made[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int unnamed_file(const char *file_system, size_t bytes, int flags)
{
    static char block[65536];
    char *path = path_in(file_system, "file");
    int fd = (int)MUST(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600));
    MUST(unlink(path));
    free(path);
    for (size_t done = 0; done < bytes;)
        done += (size_t)MUST(write(fd, block, bytes - done < sizeof block ? bytes - done : sizeof block));
    MUST(lseek(fd, 0, SEEK_SET));
    return fd;
}

/* Enough for the standard streams, and for what a workload opens besides. */
enum { spare_descriptors = 64 };

long descriptors_up_to(unsigned long count)
{
    struct rlimit limit;
    unsigned long wanted = count + spare_descriptors;
    MUST(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur >= wanted)
        return (long)count;
    struct rlimit raised = {wanted, limit.rlim_max > wanted ? limit.rlim_max : wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return (long)count;
    limit.rlim_cur = limit.rlim_max;
    MUST(setrlimit(RLIMIT_NOFILE, &limit));
    return (long)limit.rlim_max - spare_descriptors;
}

void need_descriptors(unsigned long count)
{
    long room = descriptors_up_to(count);
    if (room >= (long)count)
        return;
    char text[192];
    snprintf(text, sizeof text,
             "one process needs %lu open files; the hard limit (ulimit -Hn) leaves room for %ld, and raising it takes "
             "CAP_SYS_RESOURCE",
             count, room);
    skip(text);
}

void *shared_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap(MAP_SHARED)");
    return memory;
}
