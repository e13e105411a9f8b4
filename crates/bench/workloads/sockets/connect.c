/* A connection to a listening local socket, accepted and closed, by one thread. */
#include "bench.h"

#include <sys/socket.h>
#include <sys/un.h>

static int listener;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void setup(void)
{
    char *path = path_in("tmpfs", "socket");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    free(path);
    listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
    MUST(bind(listener, (struct sockaddr *)&address, sizeof address));
    MUST(listen(listener, 16));
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        int client = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
        MUST(connect(client, (struct sockaddr *)&address, sizeof address));
        int server = (int)MUST(accept(listener, NULL, NULL));
        MUST(close(client));
        MUST(close(server));
    }
}

WORKLOAD(connect_accept,
    .name = "connect", .group = "sockets", .unit = NANOSECONDS, .placement = PLACED_ONE,
    .operation = "socket() + connect() + accept() + two close()",
    .bound = "Five calls, a path look-up, two sockets made and unmade.",
    .points = POINTS({""}),
    .setup = setup, .loop = loop);
