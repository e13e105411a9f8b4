/* A file of 1 MiB sent into a local socket, read by another process. */
#include "bench.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

enum { file_bytes = 1 << 20 };

static int ends[2], file;

static void setup(void)
{
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    file = unnamed_file(argument_text("on", "tmpfs"), file_bytes, 0);
    count_per_iteration(file_bytes);
    start_reader(ends[1]);
}

static void loop(uint64_t iterations)
{
    for (uint64_t i = 0; i < iterations; i++) {
        off_t offset = 0;
        while (offset < file_bytes)
            if (MUST(sendfile(ends[0], file, &offset, (size_t)(file_bytes - offset))) == 0)
                fail_text("sendfile sent nothing");
    }
}

WORKLOAD(sendfile_unix,
    .name = "sendfile", .group = "sockets", .unit = MEBIBYTES_PER_SECOND, .placement = PLACED_FREE,
    .operation = "sendfile() of 1 MiB, read by another process",
    .bound = "One copy of each byte, by the reader: pages are handed on by reference. The pages of a host file are "
             "fetched by a call of the host on their way to the reader.",
    .points = POINTS({"on=tmpfs", ">=1.3"}, {"on=host"}),
    .setup = setup, .loop = loop);
