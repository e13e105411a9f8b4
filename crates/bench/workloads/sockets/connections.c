/* A server with epoll and many connections: what one request costs by their number. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { most_events = 64, backlog = 128 };

static int *clients;
static long count;
static uint64_t turn;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_length;

/* Server and clients are processes with a table each: half the descriptors in both. */
static void serve(void *listener)
{
    struct epoll_event events[most_events];
    int epoll = (int)MUST(epoll_create1(0));
    for (long i = 0; i < count; i++) {
        int connection = (int)MUST(accept(*(int *)listener, NULL, NULL));
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = connection};
        MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &interest));
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
    need_descriptors((unsigned long)count);
    clients = calloc((size_t)count, sizeof *clients);
    /* A name in no file system: it goes with the listener. */
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "acrida-bench-%ld", (long)getpid());
    address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    static int listener;
    listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
    MUST(bind(listener, (struct sockaddr *)&address, address_length));
    MUST(listen(listener, backlog));
    start_party(serve, &listener);
    for (long i = 0; i < count; i++) {
        clients[i] = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
        MUST(connect(clients[i], (struct sockaddr *)&address, address_length));
    }
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
