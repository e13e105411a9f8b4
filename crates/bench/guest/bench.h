/*
 * What a workload file sees: how it declares itself, and the few helpers that all of them need.
 *
 * One file under workloads/ is one workload. It fills a `struct workload` and hands it to WORKLOAD();
 * the linker collects the entries, `guest --list` prints them, and the runner (src/) knows no workload
 * by name. The same binary runs natively, under acrida and under every peer.
 */
#ifndef ACRIDA_BENCH_H
#define ACRIDA_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* What the reported figure counts. */
enum unit {
    NANOSECONDS,        /* wall time of one operation; less is better */
    MEBIBYTES_PER_SECOND, /* bytes moved; more is better */
};

/* Which CPUs the measured thread may use, unless the workload pins its parties itself. */
enum placement {
    PLACED_ONE,  /* one CPU: the cost of the call, without migrations */
    PLACED_FREE, /* wherever the scheduler likes */
    PLACED_SELF, /* by place_party() and the argument `cpus` */
};

/* One set of arguments that a workload is measured with, and the ratio the project promises for it. */
struct point {
    const char *arguments; /* "name=value name=value", or "" */
    const char *target;    /* "<=0.25" or ">=1.3" of native; NULL: no promise */
    bool thorough;         /* left out by --quick */
};

struct workload {
    const char *name;
    const char *group;
    const char *operation; /* what one operation is, in a few words */
    const char *bound;     /* what bounds it on any machine, and why ours differs from native */
    const char *axis;      /* the argument to draw the cost against, or NULL */
    enum unit unit;
    enum placement placement;
    bool hidden; /* not in the list: run by the runner for a purpose of its own */
    const struct point *points;
    void (*setup)(void);
    void (*loop)(uint64_t iterations);
    void (*teardown)(void);
};

#define POINTS(...) ((const struct point[]){__VA_ARGS__, {0}})
#define WORKLOAD(ident, ...)                                              \
    static const struct workload ident##_workload = {__VA_ARGS__};       \
    static const struct workload *const ident##_entry                    \
        __attribute__((section("workloads"), used)) = &ident##_workload

/* Arguments of this run (arguments.c). The text lives as long as the process. */
long argument_number(const char *name, long otherwise);
const char *argument_text(const char *name, const char *otherwise);

/* How the result is divided (measure.c): operations, or bytes, that one iteration of the loop stands for. */
void count_per_iteration(double operations_or_bytes);
/* Time that the loop spent on what is not to be measured. */
void leave_out(uint64_t nanoseconds);
uint64_t now(void);

/* Ends of a run that is no measurement (outcome.c). */
_Noreturn void fail(const char *what); /* with errno's text */
_Noreturn void fail_text(const char *what);
_Noreturn void skip(const char *why);
/* The value of a call that must not fail. */
long must(long result, const char *what);
#define MUST(call) must((long)(call), #call)
/* The same for calls that return an error number. */
void must_be_zero(int error, const char *what);
#define MUST_ZERO(call) must_be_zero((call), #call)

/* CPUs and other parties (parties.c). */
void place_one(void);
/* Pins the caller by the argument `cpus`: same, split or free. Party is 0 or 1. */
void place_party(int party);
/* Starts `body` as party 1, as the argument `tasks` says: threads or processes. It is ended with the run. */
void start_party(void (*body)(void *), void *context);
/* Starts a party that reads what comes from `fd`, up to 64 KiB at a time, and throws it away. */
void start_reader(int fd);
/* A child that `fork` made: killed and reaped when the run ends. */
void adopt(pid_t child);
/* Waits for a child that must have ended with status 0; a negative pid is the failed call that should have made it. */
void reap(pid_t child);

/* Places (places.c). The names hold for the whole run; what lies there is removed at its end. */
const char *directory_of(const char *file_system); /* "tmpfs" or "host" */
char *path_in(const char *file_system, const char *name); /* to be freed */
/* An open file of that many bytes, which has no name any more. */
int unnamed_file(const char *file_system, size_t bytes, int flags);
/* Asks for so many descriptors; skips the run when the limit forbids them. */
void need_descriptors(unsigned long count);
/* Raises the limit for so many descriptors as far as allowed; how many of them there may be. */
long descriptors_up_to(unsigned long count);
/* Memory that parties share. */
void *shared_memory(size_t bytes);

extern char **environ;

#endif
