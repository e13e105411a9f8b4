/* The one line that a run prints: measured, skipped or failed. */
#include "internal.h"

/* Children share the parent's output: only the process that main() began in may print a line. */
static pid_t reporter;

__attribute__((constructor)) static void remember_reporter(void)
{
    reporter = getpid();
}

void print_json_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', stream);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, stream);
    }
    fputc('"', stream);
}

static _Noreturn void end(const char *kind, const char *text, int status)
{
    if (getpid() != reporter) {
        fprintf(stderr, "second process: %s\n", text);
        /* Nobody will answer any more: the runner must not wait until its limit. */
        kill(reporter, SIGKILL);
        _exit(status);
    }
    clean_up();
    printf("{\"%s\":", kind);
    print_json_text(stdout, text);
    printf("}\n");
    fflush(stdout);
    _exit(status);
}

void fail(const char *what)
{
    char text[512];
    snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
    end("failed", text, 1);
}

void fail_text(const char *what)
{
    end("failed", what, 1);
}

void skip(const char *why)
{
    end("skipped", why, 0);
}

long must(long result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

void must_be_zero(int error, const char *what)
{
    if (error != 0) {
        errno = error;
        fail(what);
    }
}

void print_measurement(const struct workload *workload, const struct measurement *measurement)
{
    printf("{\"measured\":\"%s\",\"iterations\":%llu,\"samples\":[", workload->name,
           (unsigned long long)measurement->iterations);
    for (size_t i = 0; i < measurement->count; i++)
        printf("%s%.6g", i == 0 ? "" : ",", measurement->samples[i]);
    printf("]}\n");
}
