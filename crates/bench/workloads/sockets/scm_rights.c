/* An open file handed through a local socket, and closed by the one who got it. */
#include "bench.h"

#include <sys/socket.h>

static int ends[2], passed;

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static void setup(void)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    passed = unnamed_file("tmpfs", 0, 0);
}

static void give(void)
{
    char byte = 0;
    struct iovec bytes = {&byte, 1};
    union control control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
    if (sendmsg(ends[0], &message, 0) != 1)
        fail("sendmsg");
}

static int take(void)
{
    int fd = -1;
    char byte;
    struct iovec bytes = {&byte, 1};
    union control control;
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(ends[1], &message, 0) != 1)
        fail("recvmsg");
    if (message.msg_controllen < CMSG_LEN(sizeof(int)) || control.header.cmsg_type != SCM_RIGHTS)
        fail_text("recvmsg brought no descriptor");
    memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    return fd;
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        give();
        if (close(take()) != 0)
            fail("close");
    }
}

WORKLOAD(scm_rights,
    .name = "scm_rights", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "sendmsg() + recvmsg() of one descriptor + close()",
    .bound = "Three calls; references counted in flight for the collector of cycles.",
    .points = POINTS({"", "<=0.5"}),
    .setup = setup, .loop = loop);
