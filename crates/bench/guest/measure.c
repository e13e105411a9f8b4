/*
 * How long a loop takes: calibrate, warm up, then many short samples.
 *
 * Samples are short (about 2 ms) so that a preemption spoils one of them and not the run; the runner takes the
 * edge of the best quarter of them. An operation that takes longer than a sample is measured one at a time.
 */
#include "internal.h"

#include <time.h>

static const uint64_t sample_nanoseconds = 2000000;
static const uint64_t nanoseconds_per_millisecond = 1000000;
enum { calibration_tries = 4, long_samples = 100 };

static double per_iteration = 1;
static uint64_t left_out;
/* One operation takes many times as long as a sample should. */
static bool is_long;

void count_per_iteration(double operations_or_bytes)
{
    per_iteration = operations_or_bytes;
}

void leave_out(uint64_t nanoseconds)
{
    left_out += nanoseconds;
}

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t elapsed(const struct workload *workload, uint64_t iterations)
{
    left_out = 0;
    uint64_t start = now();
    workload->loop(iterations);
    uint64_t took = now() - start - left_out;
    return took > 0 ? took : 1;
}

/* The least of a few tries: one that was preempted must not end the calibration. What is far longer is long. */
static uint64_t least_elapsed(const struct workload *workload, uint64_t iterations)
{
    uint64_t least = UINT64_MAX;
    for (int try = 0; try < calibration_tries; try++) {
        uint64_t took = elapsed(workload, iterations);
        if (took < least)
            least = took;
        if (least < sample_nanoseconds / 2 || least > long_samples * sample_nanoseconds)
            break;
    }
    return least;
}

static uint64_t calibrate(const struct workload *workload)
{
    uint64_t iterations = 1;
    for (;;) {
        uint64_t took = least_elapsed(workload, iterations);
        is_long = took > long_samples * sample_nanoseconds;
        if (took >= sample_nanoseconds / 2) {
            iterations = iterations * sample_nanoseconds / took;
            return iterations > 0 ? iterations : 1;
        }
        iterations *= 2;
    }
}

static double in_unit(const struct workload *workload, uint64_t took, uint64_t iterations)
{
    double amount = (double)iterations * per_iteration;
    if (workload->unit == NANOSECONDS)
        return (double)took / amount;
    return amount / (1024.0 * 1024.0) / ((double)took / 1e9);
}

struct measurement measure(const struct workload *workload)
{
    struct measurement measurement = {0};
    uint64_t wanted = (uint64_t)argument_number("time", 100) * nanoseconds_per_millisecond;
    size_t least = (size_t)argument_number("samples", 5);

    uint64_t start = now();
    measurement.iterations = calibrate(workload);
    while (now() - start < wanted / 4)
        elapsed(workload, measurement.iterations);
    /* Once more: the first calibration saw cold caches and call sites that were not patched yet. */
    if (!is_long)
        measurement.iterations = calibrate(workload);

    start = now();
    while (measurement.count < MOST_SAMPLES
           && (measurement.count < least || now() - start < wanted)) {
        uint64_t took = elapsed(workload, measurement.iterations);
        measurement.samples[measurement.count++] = in_unit(workload, took, measurement.iterations);
    }
    return measurement;
}

void run_forever(const struct workload *workload)
{
    enum { warm_up = 4096, batch = 1024 };
    workload->loop(warm_up);
    printf("ready\n");
    fflush(stdout);
    for (;;)
        workload->loop(batch);
}
