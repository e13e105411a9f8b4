/* The time from a write into a pipe until its sleeping reader runs. */
#include "bench.h"

static int pipes[2][2];

static void post(int side)
{
    char byte = 0;
    if (write(pipes[side][1], &byte, 1) != 1)
        fail("write(pipe)");
}

static void await(int side)
{
    char byte;
    if (read(pipes[side][0], &byte, 1) != 1)
        fail("read(pipe)");
}

static void prepare(void)
{
    for (int side = 0; side < 2; side++)
        MUST(pipe(pipes[side]));
}

#include "one_way.h"

ONE_WAY(wake_pipe, "<=1.0", "<=1.0", "<=0.5", .operation = "one way through a pipe");
