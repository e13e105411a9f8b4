/* A message through a queue, System V and POSIX, sent and received by one thread. */
#include "bench.h"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static struct {
    long type;
    char text[16];
} message = {.type = 1};

static int system_v = -1;
static mqd_t posix;

static void setup_system_v(void)
{
    system_v = (int)MUST(msgget(IPC_PRIVATE, 0600));
}

static void teardown_system_v(void)
{
    if (system_v >= 0)
        msgctl(system_v, IPC_RMID, NULL);
}

static void loop_system_v(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (msgsnd(system_v, &message, sizeof message.text, 0) != 0
            || msgrcv(system_v, &message, sizeof message.text, 1, 0) != sizeof message.text)
            fail("message queue");
}

static void setup_posix(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = sizeof message.text};
    char name[64];
    snprintf(name, sizeof name, "/acrida-bench-%ld", (long)getpid());
    posix = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    MUST(posix);
    MUST(mq_unlink(name));
}

static void loop_posix(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        if (mq_send(posix, message.text, sizeof message.text, 0) != 0
            || mq_receive(posix, message.text, sizeof message.text, NULL) != sizeof message.text)
            fail("mq");
}

WORKLOAD(message_queue,
    .name = "msgsnd_msgrcv", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "msgsnd() + msgrcv() of 16 bytes",
    .bound = "Two calls, a message allocated and freed, two copies.",
    .points = POINTS({""}),
    .setup = setup_system_v, .loop = loop_system_v, .teardown = teardown_system_v);

WORKLOAD(posix_queue,
    .name = "mq_send_receive", .group = "shared-memory", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "mq_send() + mq_receive() of 16 bytes",
    .bound = "As msgsnd_msgrcv.",
    .points = POINTS({""}),
    .setup = setup_posix, .loop = loop_posix);
