/*
 * A real program: a shell script, timed from its start to its end. Not in the list: the runner reads the
 * scripts from programs/ and hands them over.
 *
 * Arguments: directory, and the files in it that hold the scripts: `before` runs once, `ready` before each
 * timed `run`, `after` once at the end. Any of the four may end the benchmark with a status other than 0.
 */
#include "bench.h"

#include <sys/wait.h>

static void run(const char *script)
{
    pid_t child = (pid_t)MUST(fork());
    if (child == 0) {
        /* Only the result may be on the guest's output. */
        dup2(2, 1);
        execl("/bin/sh", "sh", "-e", script, (char *)NULL);
        _exit(127);
    }
    int status;
    MUST(waitpid(child, &status, 0));
    if (status == 0)
        return;
    char text[256];
    snprintf(text, sizeof text, "the script %s ended with %s %d", script,
             WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    fail_text(text);
}

static void run_if_given(const char *which)
{
    const char *script = argument_text(which, NULL);
    if (script != NULL)
        run(script);
}

static void setup(void)
{
    MUST(chdir(argument_text("directory", ".")));
    run_if_given("before");
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        uint64_t start = now();
        run_if_given("ready");
        leave_out(now() - start);
        run(argument_text("run", "run.sh"));
    }
}

static void teardown(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    run_if_given("after");
}

WORKLOAD(script, .name = "script", .hidden = true, .unit = NANOSECONDS, .placement = PLACED_FREE,
    .points = POINTS({""}), .setup = setup, .loop = loop, .teardown = teardown);
