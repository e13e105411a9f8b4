/* A server with epoll and many connections: what one request costs by their number. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/socket.h>

enum { most_events = 64 };

static int *clients, *servers;
static long count;
static uint64_t turn;

static void serve(void *context)
{
    (void)context;
    struct epoll_event events[most_events];
    int epoll = (int)MUST(epoll_create1(0));
    for (long i = 0; i < count; i++) {
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = servers[i]};
        MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, servers[i], &interest));
    }
    for (;;) {
        int ready = (int)MUST(epoll_wait(epoll, events, most_events, -1));
        for (int i = 0; i < ready; i++) {
            char byte;
            MUST(read(events[i].data.fd, &byte, 1));
            MUST(write(events[i].data.fd, &byte, 1));
        }
    }
}

static void setup(void)
{
    count = argument_number("connections", 1);
    need_descriptors((unsigned long)count * 2);
    clients = calloc((size_t)count, sizeof *clients);
    servers = calloc((size_t)count, sizeof *servers);
    for (long i = 0; i < count; i++) {
        int ends[2];
        MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        clients[i] = ends[0];
        servers[i] = ends[1];
    }
    start_party(serve, NULL);
}

static void loop(uint64_t iterations)
{
    char byte = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        /* A stride that visits all of them, far apart. */
        int fd = clients[(turn++ * 7919) % (uint64_t)count];
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
            fail("connection");
    }
}

WORKLOAD(connections,
    .name = "connections", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_FREE,
    .axis = "connections",
    .operation = "request of 1 byte to an epoll server and its answer",
    .bound = "Two wake-ups; connections that are idle cost memory, not time.",
    .points = POINTS({"connections=1"}, {"connections=10", NULL, true}, {"connections=100", NULL, true},
        {"connections=1000"}, {"connections=10000", NULL, true}),
    .setup = setup, .loop = loop);
