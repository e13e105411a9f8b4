// pipe.c: creation, order, limits and ends of pipes.
//
// Calls: pipe pipe2 read write close fcntl ioctl
// Passes: host acrida
#include "check.h"

static int p[2];

static void fresh(int flags)
{
	need(pipe2(p, flags));
}

CHECK(descriptors_and_flags)
{
	show(pipe(p));
	show(p[0]);
	show(p[1]);
	say("read end %s, write end %s", open_names(fcntl(p[0], F_GETFL)), open_names(fcntl(p[1], F_GETFL)));
	show(fcntl(p[0], F_GETFD));
	show(pipe2(p, O_CLOEXEC | O_NONBLOCK));
	say("read end %s, write end %s", open_names(fcntl(p[0], F_GETFL)), open_names(fcntl(p[1], F_GETFL)));
	show(fcntl(p[1], F_GETFD));
	show(pipe2(p, O_DIRECT));
	say("read end %s, write end %s", open_names(fcntl(p[0], F_GETFL)), open_names(fcntl(p[1], F_GETFL)));
}

CHECK(creation_errors)
{
	show(pipe2(p, O_APPEND));
	show(pipe2(p, O_RDWR));
	show(syscall(SYS_pipe2, NULL, O_APPEND));
	show(syscall(SYS_pipe, NULL));
	show(syscall(SYS_pipe, bad_pointer()));
	show(syscall(SYS_pipe, read_only_pointer()));
	int *edge = at_edge(4);
	show(syscall(SYS_pipe, edge));
	say("a failed pipe leaves no descriptor: %d", dup(0));
}

CHECK(out_of_descriptors)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = 4;
	setrlimit(RLIMIT_NOFILE, &limit);
	p[0] = p[1] = -7;
	show(pipe(p));
	show(p[0]);
	show(p[1]);
	show(syscall(SYS_pipe, NULL));
	show(dup(0));
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
}

CHECK(wrong_end)
{
	char c = 'x';
	fresh(0);
	show(write(p[0], &c, 1));
	show(read(p[1], &c, 1));
	show(write(p[0], NULL, 1));
	show(read(p[1], NULL, 0));
	show(pread(p[0], &c, 1, 0));
	show(pwrite(p[1], &c, 1, 0));
	show(pread(p[0], &c, 1, -1));
	show(lseek(p[0], 0, SEEK_CUR));
	show(lseek(p[0], 0, 77));
	show(ftruncate(p[1], 0));
	show(fsync(p[1]));
	show(fdatasync(p[0]));
}

CHECK(bytes_in_order)
{
	char buffer[64];
	fresh(O_NONBLOCK);
	show(read(p[0], buffer, 10));
	show(write(p[1], "hello", 5));
	show(write(p[1], "world", 5));
	show(read(p[0], buffer, 3));
	show_bytes("first", buffer, 3);
	show(read(p[0], buffer, sizeof buffer));
	show_bytes("rest", buffer, 7);
	show(read(p[0], buffer, sizeof buffer));
}

CHECK(zero_length)
{
	fresh(0);
	char c;
	show(read(p[0], &c, 0));
	show(read(p[0], NULL, 0));
	show(write(p[1], NULL, 0));
	show(write(p[1], bad_pointer(), 0));
	close(p[0]);
	show(write(p[1], NULL, 0));
}

CHECK(bad_buffers)
{
	char buffer[16];
	int queued;
	fresh(O_NONBLOCK);
	show(read(p[0], bad_pointer(), 1));
	show(write(p[1], bad_pointer(), 1));
	show(write(p[1], NULL, 5000));
	show(write(p[1], "abc", 3));
	show(read(p[0], bad_pointer(), 1));
	show(read(p[0], read_only_pointer(), 3));
	show(ioctl(p[0], FIONREAD, &queued));
	say("still queued: %d", queued);
	char *edge = at_edge(2);
	long got = show(read(p[0], edge, 3));
	if (got > 0)
		show_bytes("partly", edge, got);
	ioctl(p[0], FIONREAD, &queued);
	say("queued after a read across the edge: %d", queued);
	memcpy(edge, "12", 2);
	show(write(p[1], edge, 3));
	ioctl(p[0], FIONREAD, &queued);
	say("queued after a write across the edge: %d", queued);
	long left = show(read(p[0], buffer, sizeof buffer));
	if (left > 0)
		show_bytes("left", buffer, left);
}

CHECK(write_crosses_bad_page)
{
	static char sink[8192];
	int queued;
	fresh(O_NONBLOCK);
	char *edge = at_edge(4096);
	memset(edge, 'e', 4096);
	show(write(p[1], edge, 8192));
	ioctl(p[0], FIONREAD, &queued);
	say("queued: %d", queued);
	show(write(p[1], edge + 96, 8000));
	ioctl(p[0], FIONREAD, &queued);
	say("queued: %d", queued);
	show(read(p[0], sink, sizeof sink));
}

CHECK(no_writer)
{
	char buffer[8];
	fresh(0);
	show(write(p[1], "ab", 2));
	close(p[1]);
	show(read(p[0], buffer, 8));
	show(read(p[0], buffer, 8));
	show(read(p[0], NULL, 8));
	show(read(p[0], bad_pointer(), 1));
}

CHECK(no_reader)
{
	fresh(0);
	close(p[0]);
	IN_CHILD("default action") {
		show(write(p[1], "x", 1));
	}
	signal(SIGPIPE, SIG_IGN);
	show(write(p[1], "x", 1));
	show(write(p[1], bad_pointer(), 1));
	show(write(p[1], "x", 0));
}

static volatile sig_atomic_t sigpipes;
static void on_sigpipe(int sig UNUSED)
{
	sigpipes++;
}

CHECK(sigpipe_count)
{
	fresh(O_NONBLOCK);
	signal(SIGPIPE, on_sigpipe);
	close(p[0]);
	sigpipes = 0;
	show(write(p[1], "x", 1));
	show(writev(p[1], (struct iovec[]){ { "a", 1 }, { "b", 1 } }, 2));
	say("signals: %d", (int)sigpipes);
}

CHECK(fill)
{
	static char block[65536 + 4096];
	int queued;
	memset(block, 'f', sizeof block);
	fresh(O_NONBLOCK);
	show(fcntl(p[1], F_GETPIPE_SZ));
	show(write(p[1], block, sizeof block));
	show(write(p[1], block, 1));
	show(write(p[1], bad_pointer(), 1));
	show(ioctl(p[0], FIONREAD, &queued));
	say("queued: %d", queued);
	show(read(p[0], block, 1));
	show(write(p[1], block, 1));
	show(read(p[0], block, 4095));
	show(write(p[1], block, 4097));
	show(write(p[1], block, 4096));
}

CHECK(one_byte_writes_share_pages)
{
	fresh(O_NONBLOCK);
	long bytes = 0;
	while (write(p[1], "x", 1) == 1)
		bytes++;
	say("bytes: %ld, then %s", bytes, errno_name(errno));
}

CHECK(atomic_below_pipe_buf)
{
	static char block[65536];
	fresh(O_NONBLOCK);
	show(write(p[1], block, 65536 - 100));
	show(write(p[1], block, 101));
	show(write(p[1], block, 100));
	show(write(p[1], block, PIPE_BUF));
	show(write(p[1], block, PIPE_BUF + 1));
	show(read(p[0], block, 4096));
	show(write(p[1], block, PIPE_BUF + 1));
	show(read(p[0], block, 65536));
}

CHECK(fionread)
{
	fresh(0);
	int queued = -1;
	show(ioctl(p[0], FIONREAD, &queued));
	show(queued);
	show(write(p[1], "abc", 3));
	show(ioctl(p[1], FIONREAD, &queued));
	show(queued);
	show(ioctl(p[0], FIONREAD, bad_pointer()));
	show(ioctl(p[0], FIONREAD, NULL));
	show(ioctl(p[0], TIOCOUTQ, &queued));
	show(ioctl(p[0], 0x5401, &queued));
	int on = 1;
	show(ioctl(p[0], FIONBIO, &on));
	say("read end %s, write end %s", open_names(fcntl(p[0], F_GETFL)), open_names(fcntl(p[1], F_GETFL)));
	show(ioctl(p[0], FIONBIO, bad_pointer()));
	show(ioctl(p[0], FIOCLEX));
	show(fcntl(p[0], F_GETFD));
	show(ioctl(p[0], FIONCLEX));
	show(fcntl(p[0], F_GETFD));
}

CHECK(status)
{
	struct stat st;
	fresh(0);
	show(fstat(p[0], &st));
	say("%s %o links %d size %ld blksize %ld", type_name(st.st_mode), st.st_mode & 07777, (int)st.st_nlink, (long)st.st_size,
	    (long)st.st_blksize);
	struct stat other;
	fstat(p[1], &other);
	say("both ends one inode: %d", st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	show(fchmod(p[0], 0640));
	fstat(p[1], &other);
	say("mode seen at the other end: %o", other.st_mode & 07777);
}

CHECK(readv_writev)
{
	char a[3], b[10];
	fresh(O_NONBLOCK);
	struct iovec out[] = { { "abc", 3 }, { NULL, 0 }, { "defgh", 5 } };
	struct iovec in[] = { { a, 3 }, { b, 10 } };
	show(writev(p[1], out, 3));
	show(readv(p[0], in, 2));
	show_bytes("a", a, 3);
	show_bytes("b", b, 5);
	out[1] = (struct iovec){ bad_pointer(), 4 };
	show(writev(p[1], out, 3));
	show(readv(p[0], in, 2));
	show(readv(p[0], in, 0));
	show(writev(p[1], out, -1));
	show(preadv(p[0], in, 2, 0));
	show(preadv2(p[0], in, 2, -1, 0));
	show(preadv2(p[0], in, 2, -1, RWF_NOWAIT));
}
