/* Messages of 64 KiB through a pair of local sockets from one process to another. */
#include "bench.h"

#include <sys/socket.h>

static int ends[2];
static char block[65536];

static int socket_type(void)
{
    const char *kind = argument_text("kind", "stream");
    if (strcmp(kind, "datagram") == 0)
        return SOCK_DGRAM;
    return strcmp(kind, "seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
}

static void setup(void)
{
    MUST(socketpair(AF_UNIX, socket_type(), 0, ends));
    count_per_iteration(sizeof block);
    start_reader(ends[1]);
    place_party(0);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++)
        for (size_t done = 0; done < sizeof block;)
            done += (size_t)MUST(write(ends[0], block + done, sizeof block - done));
}

WORKLOAD(unix_bandwidth,
    .name = "unix_bandwidth", .group = "sockets", .unit = MEBIBYTES_PER_SECOND, .placement = PLACED_SELF,
    .operation = "write() of 64 KiB, read by another process",
    .bound = "Two copies of each byte, and the wake-ups when the buffer is full or empty.",
    .points = POINTS({"kind=stream cpus=free", ">=1.0"}, {"kind=stream cpus=same", ">=1.0", true},
        {"kind=datagram cpus=free", ">=1.0"}, {"kind=datagram cpus=same", ">=1.0", true},
        {"kind=seqpacket cpus=free", ">=1.0", true}),
    .setup = setup, .loop = loop);
