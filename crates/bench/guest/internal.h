/* What the harness's own files share and a workload has no business with. */
#ifndef ACRIDA_BENCH_INTERNAL_H
#define ACRIDA_BENCH_INTERNAL_H

#include "bench.h"

enum { MOST_SAMPLES = 512 };

struct measurement {
    uint64_t iterations; /* per sample */
    size_t count;
    double samples[MOST_SAMPLES]; /* in the workload's unit */
};

void keep_arguments(char **words);
/* Until it is killed, after a line that says that it is warm: for those who look at it from outside. */
_Noreturn void run_forever(const struct workload *workload);
struct measurement measure(const struct workload *workload);
void print_measurement(const struct workload *workload, const struct measurement *measurement);
void print_json_text(FILE *stream, const char *text);

/* Ends parties, calls the workload's teardown and removes what was left in places; once. */
void at_end(void (*teardown)(void));
void clean_up(void);
void end_parties(void);
void remove_places(void);

#endif
