/* CPUs and second parties: where a run's threads and processes live, and how they end. */
#include "internal.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

enum { MOST_CHILDREN = 256 };

static pid_t children[MOST_CHILDREN];
static size_t child_count;
static void (*teardown)(void);
static cpu_set_t allowed;

/* Before any thread is pinned: a child would inherit its parent's single CPU. */
__attribute__((constructor)) static void remember_allowed(void)
{
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_ZERO(&allowed);
}

/* The allowed CPU of that rank from the top (the first CPUs serve the most interrupts), or -1. */
static int allowed_from_top(int rank)
{
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
        if (CPU_ISSET(cpu, &allowed) && rank-- == 0)
            return cpu;
    return -1;
}

static void pin_to(int cpu)
{
    if (cpu < 0)
        fail_text("sched_getaffinity names no CPU");
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    MUST(sched_setaffinity(0, sizeof set, &set));
}

void place_one(void)
{
    pin_to(allowed_from_top(0));
}

static bool are_split(void)
{
    return strcmp(argument_text("cpus", "free"), "split") == 0;
}

void place_party(int party)
{
    if (strcmp(argument_text("cpus", "free"), "free") == 0) {
        MUST(sched_setaffinity(0, sizeof allowed, &allowed));
        return;
    }
    pin_to(allowed_from_top(are_split() ? party : 0));
}

struct start {
    void (*body)(void *);
    void *context;
};

static void *party_thread(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    place_party(1);
    start.body(start.context);
    return NULL;
}

void adopt(pid_t child)
{
    if (child_count == MOST_CHILDREN)
        fail_text("more children than the harness can hold");
    children[child_count++] = child;
}

void start_party(void (*body)(void *), void *context)
{
    if (are_split() && allowed_from_top(1) < 0)
        skip("needs two CPUs");
    if (strcmp(argument_text("tasks", "processes"), "threads") == 0) {
        struct start *start = malloc(sizeof *start);
        *start = (struct start){body, context};
        pthread_t thread;
        MUST_ZERO(pthread_create(&thread, NULL, party_thread, start));
        return;
    }
    pid_t child = (pid_t)MUST(fork());
    if (child == 0) {
        place_party(1);
        body(context);
        _exit(0);
    }
    adopt(child);
}

static void read_all(void *context)
{
    static char block[65536];
    int *fd = context;
    while (read(*fd, block, sizeof block) > 0)
        ;
}

void start_reader(int fd)
{
    static int source;
    source = fd;
    start_party(read_all, &source);
}

void reap(pid_t child)
{
    int status;
    if (child < 0)
        fail("making a process");
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    if (status != 0)
        fail_text("a child ended with a status other than 0");
}

void end_parties(void)
{
    while (child_count > 0) {
        pid_t child = children[--child_count];
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

void at_end(void (*workload_teardown)(void))
{
    teardown = workload_teardown;
}

void clean_up(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    end_parties();
    if (teardown != NULL)
        teardown();
    remove_places();
}
