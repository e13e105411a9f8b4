/*
 * The guest of `acrida bench`: measures one workload per run and prints one line of JSON.
 *
 *     guest --list
 *     guest NAME [name=value ...] [time=MILLISECONDS] [samples=LEAST] [forever=1]
 *
 * Exit status: 0 measured or skipped, 1 failed, 2 called wrongly.
 */
#include "bench.h"
#include "internal.h"

extern const struct workload *const __start_workloads[];
extern const struct workload *const __stop_workloads[];

static void print_text(const char *name, const char *text, const char *after)
{
    printf("\"%s\":", name);
    if (text == NULL) {
        printf("null%s", after);
        return;
    }
    print_json_text(stdout, text);
    printf("%s", after);
}

/* Whether the parties of a run may be on two CPUs: the place says it, or the argument that a workload is placed by. */
static bool uses_two_cpus(const struct workload *workload, const struct point *point)
{
    if (workload->placement == PLACED_SELF)
        return strstr(point->arguments, "cpus=same") == NULL;
    return workload->placement == PLACED_FREE;
}

static void list_one(const struct workload *workload)
{
    printf("{");
    print_text("name", workload->name, ",");
    print_text("group", workload->group, ",");
    print_text("operation", workload->operation, ",");
    print_text("bound", workload->bound, ",");
    print_text("axis", workload->axis, ",");
    print_text("unit", workload->unit == NANOSECONDS ? "ns" : "MiB/s", ",");
    printf("\"points\":[");
    for (const struct point *point = workload->points; point->arguments != NULL; point++) {
        printf("%s{", point == workload->points ? "" : ",");
        print_text("arguments", point->arguments, ",");
        print_text("target", point->target, ",");
        printf("\"two_cpus\":%s,", uses_two_cpus(workload, point) ? "true" : "false");
        printf("\"thorough\":%s}", point->thorough ? "true" : "false");
    }
    printf("]}");
}

static void list(void)
{
    const char *separator = "";
    printf("[");
    for (const struct workload *const *entry = __start_workloads; entry < __stop_workloads; entry++) {
        if ((*entry)->hidden)
            continue;
        printf("%s", separator);
        list_one(*entry);
        separator = ",\n";
    }
    printf("]\n");
}

static const struct workload *find(const char *name)
{
    for (const struct workload *const *entry = __start_workloads; entry < __stop_workloads; entry++)
        if (strcmp((*entry)->name, name) == 0)
            return *entry;
    return NULL;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "--list") == 0) {
        list();
        return 0;
    }
    const struct workload *workload = count >= 2 ? find(words[1]) : NULL;
    if (workload == NULL) {
        fprintf(stderr, "usage: guest --list | guest WORKLOAD [name=value ...]\n");
        return 2;
    }
    keep_arguments(words + 2);
    at_end(workload->teardown);
    if (workload->placement == PLACED_ONE)
        place_one();
    if (workload->setup != NULL)
        workload->setup();
    if (argument_number("forever", 0) != 0)
        run_forever(workload);
    struct measurement measurement = measure(workload);
    clean_up();
    print_measurement(workload, &measurement);
    return 0;
}
