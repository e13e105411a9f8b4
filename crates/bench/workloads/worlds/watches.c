/* Watches many files when it is told to, so that the runner can weigh the watches from outside. */
#include "bench.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Until the next line or the end of the input. */
static void say_and_wait(const char *what)
{
    char byte = 0;
    printf("%s\n", what);
    fflush(stdout);
    while (byte != '\n' && MUST(read(0, &byte, 1)) == 1)
        ;
}

static void setup(void)
{
    long epolls = argument_number("epolls", 8), fds = argument_number("fds", 15000);
    need_descriptors((unsigned long)(epolls + fds));
    int *watched = calloc((size_t)fds, sizeof *watched);
    for (long i = 0; i < fds; i++)
        watched[i] = (int)MUST(eventfd(0, 0));
    say_and_wait("ready");
    for (long i = 0; i < epolls; i++) {
        int epoll = (int)MUST(epoll_create1(0));
        struct epoll_event interest = {.events = EPOLLIN};
        for (long j = 0; j < fds; j++)
            MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, watched[j], &interest));
    }
    say_and_wait("watching");
    _exit(0);
}

static void loop(uint64_t iterations)
{
    (void)iterations;
}

WORKLOAD(watches, .name = "watches", .hidden = true, .points = POINTS({""}), .setup = setup, .loop = loop);
