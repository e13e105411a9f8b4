// fuzz_calls.c: random system calls with random arguments, good and bad, in a child with limits.
//
// usage: fuzz_calls [CALLS [SEED [trace]]]
//
// One thread, no call that can block, no clock: with the same seed two correct kernels give the same results, so that
// `trace` can be compared between them line by line (a pointer result is printed as an offset in the fuzzed range or as
// "address"). Without `trace` it prints `ok` if the child lived through all calls, else how it ended.
//
// Build: cc -O1 fuzz_calls.c
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, RANGE_PAGES = 32, FIRST_FD = 3, LAST_FD = 40, MAX_BYTES = 3 * PAGE };

static uint64_t state;
static bool trace;
static char *range;	// the pages that mmap and friends play with
static char *none;	// a page without access
static char *read_only; // a page that can be read
static char *edge;	// its end is the end of memory
static char buffer[4 * PAGE];

static uint64_t random_word(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static long below(long limit)
{
	return (random_word() >> 33) % limit;
}

static bool one_in(long chance)
{
	return below(chance) == 0;
}

static void note(const char *name, long result, const char *format, ...)
{
	char line[256];
	if (!trace)
		return;
	int length = snprintf(line, sizeof line, "%s(", name);
	va_list arguments;
	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof line - length, format, arguments);
	va_end(arguments);
	if (result < 0 && result > -4096)
		length += snprintf(line + length, sizeof line - length, ") = -%s\n",
				   strerrorname_np(-result) ? strerrorname_np(-result) : "?");
	else if (result >= (long)range && result < (long)range + RANGE_PAGES * PAGE)
		length += snprintf(line + length, sizeof line - length, ") = range+%ld\n", result - (long)range);
	else if (result > 1L << 32)
		length += snprintf(line + length, sizeof line - length, ") = address\n");
	else
		length += snprintf(line + length, sizeof line - length, ") = %ld\n", result);
	write(1, line, length);
}

static long call(long number, ...)
{
	va_list arguments;
	long a[6];
	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	return result == -1 ? -errno : result;
}
#define CALL(...) call(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L, 0L)

// Mostly a descriptor that may be open, now and then one that is not; never the standard three.
static long any_fd(void)
{
	switch (below(20)) {
	case 0:
		return -1;
	case 1:
		return 1000 + below(1000000);
	case 2:
		return INT32_MIN;
	case 3:
		return AT_FDCWD;
	default:
		return FIRST_FD + below(LAST_FD - FIRST_FD);
	}
}

// A pointer for `bytes` bytes, and what kind of pointer it is.
static char pointer_kind;
static long any_pointer(long bytes)
{
	switch (below(16)) {
	case 0:
		pointer_kind = '0';
		return 0;
	case 1:
		pointer_kind = 'n';
		return (long)none;
	case 2:
		pointer_kind = 'k';
		return (long)0xffff888000000000;
	case 3:
		pointer_kind = 'c';
		return (long)0x0000900000000000;
	case 4:
		pointer_kind = 'r';
		return (long)read_only + below(64);
	case 5:
		pointer_kind = 'e';
		return (long)edge - below(bytes + 1);
	default:
		pointer_kind = 'b';
		return (long)buffer + below(64);
	}
}

static long any_length(void)
{
	switch (below(12)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return -1;
	case 3:
		return below(MAX_BYTES);
	default:
		return below(200);
	}
}

static const char *any_name(void)
{
	// Nothing that leads out of the working directory, not even as the target of a symbolic link.
	static const char *const names[] = {"a", "b",	"d",  "d/x", "d/y", "l",    "",
					    ".", "./a", "a/", "d/",  "a/x", "no/x", "/dev/null"};
	return names[below(sizeof names / sizeof *names)];
}

static long any_range(long *length)
{
	long page = below(RANGE_PAGES);
	*length = (1 + below(6)) * PAGE;
	if (page * PAGE + *length > RANGE_PAGES * PAGE)
		*length = RANGE_PAGES * PAGE - page * PAGE;
	return (long)range + page * PAGE;
}

static void fuzz_make(void)
{
	int flags = one_in(3) ? O_CLOEXEC : 0;
	long p;
	switch (below(8)) {
	case 0:
		p = any_pointer(8);
		note("pipe2", CALL(SYS_pipe2, p, (long)(O_NONBLOCK | flags)), "%c", pointer_kind);
		break;
	case 1:
		note("eventfd2",
		     CALL(SYS_eventfd2, below(5), (long)(EFD_NONBLOCK | flags | (one_in(2) ? EFD_SEMAPHORE : 0))), "");
		break;
	case 2:
		note("epoll_create1", CALL(SYS_epoll_create1, (long)flags), "");
		break;
	case 3:
		note("memfd_create", CALL(SYS_memfd_create, any_name(), below(5)), "");
		break;
	case 4: {
		static const int domains[] = {AF_UNIX, AF_UNIX, AF_UNIX, 99},
				 types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, 77};
		long domain = domains[below(4)], type = types[below(4)];
		p = any_pointer(8);
		note("socketpair", CALL(SYS_socketpair, domain, type | SOCK_NONBLOCK | flags, 0L, p), "%ld,%ld,%c",
		     domain, type, pointer_kind);
		break;
	}
	case 5: {
		static const int modes[] = {O_RDONLY,	       O_WRONLY,	 O_RDWR,     O_PATH,
					    O_RDWR | O_APPEND, O_RDWR | O_TRUNC, O_DIRECTORY};
		int mode = modes[below(7)] | (one_in(2) ? O_CREAT : 0) | (one_in(8) ? O_EXCL : 0) | O_NONBLOCK | flags;
		const char *name = any_name();
		note("openat", CALL(SYS_openat, (long)AT_FDCWD, name, (long)mode, 0600L), "\"%s\",%#x", name, mode);
		break;
	}
	case 6: {
		uint64_t set = 1UL << below(64);
		long fd = one_in(2) ? -1 : any_fd();
		note("signalfd4", CALL(SYS_signalfd4, fd, &set, 8L, (long)(SFD_NONBLOCK | flags)), "%ld,%#lx", fd, set);
		break;
	}
	case 7: {
		long old = any_fd(), new = any_fd(), way = below(3);
		long result = way == 0	 ? CALL(SYS_dup, old)
			      : way == 1 ? CALL(SYS_dup2, old, new)
					 : CALL(SYS_dup3, old, new, (long)flags);
		note("dup", result, "%ld,%ld,%ld", way, old, new);
		break;
	}
	}
}

static void fuzz_transfer(void)
{
	long fd = any_fd(), length = any_length(), p = any_pointer(length > 0 && length < PAGE ? length : 1),
	     offset = below(4) == 0 ? -1 : below(20000);
	struct iovec parts[3];
	for (int i = 0; i < 3; i++) {
		char kind = pointer_kind;
		parts[i] = (struct iovec){(void *)any_pointer(100), below(100)};
		pointer_kind = kind;
	}
	// A huge length at a good pointer would run over this program's own data.
	if (length < 0 && (pointer_kind == 'b' || pointer_kind == 'r'))
		length = MAX_BYTES;
	if (length > PAGE && pointer_kind == 'r')
		length = 1;
	switch (below(10)) {
	case 0:
		note("read", CALL(SYS_read, fd, p, length), "%ld,%c,%ld", fd, pointer_kind, length);
		break;
	case 1:
		note("write", CALL(SYS_write, fd, p, length), "%ld,%c,%ld", fd, pointer_kind, length);
		break;
	case 2:
		note("pread", CALL(SYS_pread64, fd, p, length, offset), "%ld,%c,%ld,%ld", fd, pointer_kind, length,
		     offset);
		break;
	case 3:
		note("pwrite", CALL(SYS_pwrite64, fd, p, length, offset), "%ld,%c,%ld,%ld", fd, pointer_kind, length,
		     offset);
		break;
	case 4: {
		long count = below(5) - 1;
		count = count > 3 ? 3 : count;
		note("readv", CALL(SYS_readv, fd, parts, count), "%ld,%ld", fd, count);
		break;
	}
	case 5: {
		long count = below(5) - 1;
		note("writev", CALL(SYS_writev, fd, parts, count > 3 ? 3L : count), "%ld,%ld", fd, count);
		break;
	}
	case 6: {
		long whence = below(7) - 1;
		note("lseek", CALL(SYS_lseek, fd, offset, whence), "%ld,%ld,%ld", fd, offset, whence);
		break;
	}
	case 7:
		note("ftruncate", CALL(SYS_ftruncate, fd, offset), "%ld,%ld", fd, offset);
		break;
	case 8:
		note("sendto", CALL(SYS_sendto, fd, p, length, (long)(MSG_DONTWAIT | MSG_NOSIGNAL)), "%ld,%c,%ld", fd,
		     pointer_kind, length);
		break;
	case 9:
		note("recvfrom", CALL(SYS_recvfrom, fd, p, length, (long)(MSG_DONTWAIT | (one_in(3) ? MSG_PEEK : 0))),
		     "%ld,%c,%ld", fd, pointer_kind, length);
		break;
	}
}

static void fuzz_descriptor(void)
{
	long fd = any_fd(), other = any_fd(), p;
	switch (below(12)) {
	case 0:
	case 1:
		note("close", CALL(SYS_close, fd), "%ld", fd);
		break;
	case 2: {
		static const int commands[] = {F_GETFD,	     F_SETFD,	   F_GETFL,	F_DUPFD,     F_DUPFD_CLOEXEC,
					       F_GETPIPE_SZ, F_SETPIPE_SZ, F_GET_SEALS, F_ADD_SEALS, 9999};
		long command = commands[below(10)], argument = below(70);
		if (command == F_SETPIPE_SZ)
			argument *= 1024;
		note("fcntl", CALL(SYS_fcntl, fd, command, argument), "%ld,%ld,%ld", fd, command, argument);
		break;
	}
	case 3: {
		struct stat status;
		long result = CALL(SYS_fstat, fd, &status);
		note("fstat", result, "%ld", fd);
		if (result == 0)
			note("  mode", status.st_mode & S_IFMT, "");
		break;
	}
	case 4: {
		int bytes = -1;
		long result = CALL(SYS_ioctl, fd, (long)FIONREAD, &bytes);
		note("ioctl", result, "%ld,FIONREAD,%d", fd, bytes);
		break;
	}
	case 5: {
		struct pollfd wanted[3];
		for (int i = 0; i < 3; i++)
			wanted[i] = (struct pollfd){.fd = i ? any_fd() : fd, .events = below(0x800)};
		long result = CALL(SYS_poll, wanted, 3L, 0L);
		note("poll", result, "%d:%#x %d:%#x %d:%#x", wanted[0].fd, wanted[0].revents, wanted[1].fd,
		     wanted[1].revents, wanted[2].fd, wanted[2].revents);
		break;
	}
	case 6: {
		struct epoll_event event = {.events = below(32) | (one_in(3) ? EPOLLET : 0) |
						      (one_in(5) ? EPOLLONESHOT : 0),
					    .data.u64 = other};
		long operation = below(5);
		note("epoll_ctl", CALL(SYS_epoll_ctl, fd, operation, other, &event), "%ld,%ld,%ld,%#x", fd, operation,
		     other, event.events);
		break;
	}
	case 7: {
		struct epoll_event events[8];
		long result = CALL(SYS_epoll_wait, fd, events, below(9), 0L);
		note("epoll_wait", result, "%ld", fd);
		for (long i = 0; i < result; i++)
			note("  event", events[i].events, "%ld", (long)events[i].data.u64);
		break;
	}
	case 8: {
		fd_set set;
		struct timeval zero = {0, 0};
		FD_ZERO(&set);
		for (int i = 0; i < 3; i++)
			FD_SET(FIRST_FD + below(LAST_FD - FIRST_FD), &set);
		note("select", CALL(SYS_select, below(64), &set, 0L, 0L, &zero), "");
		break;
	}
	case 9: {
		long how = below(4), length = below(500);
		long result = how == 0	 ? CALL(SYS_tee, fd, other, length, 2L)
			      : how == 1 ? CALL(SYS_sendfile, fd, other, 0L, length)
			      : how == 2 ? CALL(SYS_splice, fd, 0L, other, 0L, length, 2L)
					 : CALL(SYS_copy_file_range, fd, 0L, other, 0L, length, 0L);
		note("move", result, "%ld,%ld,%ld,%ld", how, fd, other, length);
		break;
	}
	case 10: {
		long how = below(4);
		note("shutdown", CALL(SYS_shutdown, fd, how), "%ld,%ld", fd, how);
		break;
	}
	case 11:
		p = any_pointer(128);
		note("fstat-pointer", CALL(SYS_fstat, fd, p), "%ld,%c", fd, pointer_kind);
		break;
	}
}

static void fuzz_path(void)
{
	const char *name = any_name(), *other = any_name();
	switch (below(9)) {
	case 0:
		note("mkdir", CALL(SYS_mkdir, name, 0700L), "\"%s\"", name);
		break;
	case 1:
		note("rmdir", CALL(SYS_rmdir, name), "\"%s\"", name);
		break;
	case 2:
		note("unlink", name[0] == '/' ? 0 : CALL(SYS_unlink, name), "\"%s\"", name);
		break;
	case 3:
		if (name[0] != '/' && other[0] != '/')
			note("rename", CALL(SYS_rename, name, other), "\"%s\",\"%s\"", name, other);
		break;
	case 4:
		if (name[0] != '/' && other[0] != '/')
			note("link", CALL(SYS_link, name, other), "\"%s\",\"%s\"", name, other);
		break;
	case 5:
		note("symlink", CALL(SYS_symlink, name, other), "\"%s\",\"%s\"", name, other);
		break;
	case 6:
		note("access", CALL(SYS_access, name, below(9)), "\"%s\"", name);
		break;
	case 7: {
		long p = any_pointer(16), size = below(20) - 1;
		note("readlink", CALL(SYS_readlink, name, p, size), "\"%s\",%c,%ld", name, pointer_kind, size);
		break;
	}
	case 8: {
		long p = any_pointer(144);
		note("stat", CALL(SYS_stat, name, p), "\"%s\",%c", name, pointer_kind);
		break;
	}
	}
}

static void fuzz_memory(void)
{
	long length, address = any_range(&length), protection = below(8), p;
	if (one_in(10))
		address += below(PAGE);
	if (one_in(10))
		length = below(2) * -1;
	// Never execute-only or write-only surprises: what can be read is the same everywhere.
	protection = protection & PROT_WRITE ? protection | PROT_READ : protection;
	long offset = address - (long)range;
	switch (below(8)) {
	case 0: {
		long shared = one_in(2) ? MAP_SHARED : MAP_PRIVATE;
		long fixed = one_in(4) ? MAP_FIXED_NOREPLACE : MAP_FIXED;
		note("mmap", CALL(SYS_mmap, address, length, protection, shared | fixed | MAP_ANONYMOUS, -1L, 0L),
		     "%ld,%ld,%ld,%#lx", offset, length, protection, shared | fixed);
		break;
	}
	case 1: {
		long fd = any_fd(), shared = one_in(2) ? MAP_SHARED : MAP_PRIVATE;
		note("mmap-file",
		     CALL(SYS_mmap, address, length, (long)PROT_READ, shared | MAP_FIXED, fd, below(3) * PAGE),
		     "%ld,%ld,%ld,%#lx", offset, length, fd, shared);
		break;
	}
	case 2:
		note("munmap", CALL(SYS_munmap, address, length), "%ld,%ld", offset, length);
		break;
	case 3:
		note("mprotect", CALL(SYS_mprotect, address, length, protection), "%ld,%ld,%ld", offset, length,
		     protection);
		break;
	case 4: {
		long advice = below(24);
		// Not: huge pages and page-out, whose answer depends on how the host was built; poisoning of pages.
		if (advice == MADV_HUGEPAGE || advice == MADV_MERGEABLE || advice == MADV_UNMERGEABLE ||
		    advice == MADV_NOHUGEPAGE || advice == 9)
			advice = MADV_NORMAL;
		note("madvise", CALL(SYS_madvise, address, length, advice), "%ld,%ld,%ld", offset, length, advice);
		break;
	}
	case 5: {
		long new_length = below(7) * PAGE, target_length, target = any_range(&target_length);
		if (target - (long)range + new_length > RANGE_PAGES * PAGE)
			new_length = RANGE_PAGES * PAGE - (target - (long)range);
		note("mremap",
		     CALL(SYS_mremap, address, length, new_length, (long)(MREMAP_MAYMOVE | MREMAP_FIXED), target),
		     "%ld,%ld,%ld,%ld", offset, length, new_length, target - (long)range);
		break;
	}
	case 6: {
		unsigned char states[RANGE_PAGES + 1];
		note("mincore", CALL(SYS_mincore, address, length, states), "%ld,%ld", offset, length);
		break;
	}
	case 7:
		p = address + below(PAGE);
		// The kernel's own view of whether it can be written or read.
		note("uname-into", CALL(SYS_getcwd, p, 1L) == -ERANGE ? 0 : 1, "%ld", offset);
		note("read-from", CALL(SYS_access, p, 0L) == -EFAULT ? 0 : 1, "%ld", offset);
		break;
	}
}

static volatile sig_atomic_t handled;
static void on_signal(int signo)
{
	handled = handled * 31 + signo;
}

// Of those that are handled here; SIGALRM is the watchdog's.
static long any_signal(void)
{
	static const int signals[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGURG, SIGCHLD, SIGIO, SIGWINCH, 34, 35, 64};
	return signals[below(10)];
}

static void fuzz_signal(void)
{
	long signo = any_signal(), p;
	uint64_t set = 0, old = 0;
	for (int i = 0; i < 3; i++)
		set |= 1UL << (any_signal() - 1);
	switch (below(8)) {
	case 0:
		note("kill", CALL(SYS_kill, (long)getpid(), signo), "%ld", signo);
		break;
	case 1:
		note("tgkill", CALL(SYS_tgkill, (long)getpid(), (long)gettid(), one_in(5) ? 65 + below(3) : signo),
		     "%ld", signo);
		break;
	case 2: {
		long how = below(4);
		long result = CALL(SYS_rt_sigprocmask, how, &set, &old, one_in(9) ? 4L : 8L);
		note("rt_sigprocmask", result, "%ld,%#lx,%#lx", how, set, old);
		break;
	}
	case 3:
		CALL(SYS_rt_sigpending, &set, 8L);
		note("rt_sigpending", 0, "%#lx", set);
		break;
	case 4: {
		struct timespec zero = {0, 0};
		note("rt_sigtimedwait", CALL(SYS_rt_sigtimedwait, &set, 0L, &zero, 8L), "%#lx", set);
		break;
	}
	case 5: {
		struct sigaction action = {.sa_handler = one_in(4) ? SIG_IGN : on_signal,
					   .sa_flags = one_in(2) ? SA_NODEFER : 0};
		note("sigaction", sigaction(signo, &action, NULL), "%ld", signo);
		break;
	}
	case 6:
		p = any_pointer(8);
		note("rt_sigprocmask-pointer", CALL(SYS_rt_sigprocmask, 0L, 0L, p, 8L), "%c", pointer_kind);
		break;
	case 7:
		note("handled", handled & 0x7fffffff, "");
		break;
	}
}

static void fuzz_other(void)
{
	long p;
	switch (below(8)) {
	case 0:
		note("umask", CALL(SYS_umask, below(01000)), "");
		break;
	case 1: {
		p = any_pointer(16);
		long resource = below(18);
		note("getrlimit", CALL(SYS_getrlimit, resource, p), "%ld,%c", resource, pointer_kind);
		break;
	}
	case 2: {
		static int word;
		word = below(3);
		long operation = below(2) ? 1 : 0, value = below(3);
		struct timespec zero = {0, 0};
		note("futex", CALL(SYS_futex, &word, operation, value, &zero), "%ld,%d,%ld", operation, word, value);
		break;
	}
	case 3:
		p = any_pointer(64);
		note("getrandom", CALL(SYS_getrandom, p, below(64), below(10)), "%c", pointer_kind);
		break;
	case 4:
		note("wait4", CALL(SYS_wait4, -1L, 0L, (long)WNOHANG, 0L), "");
		break;
	case 5:
		p = any_pointer(16);
		note("prctl", CALL(SYS_prctl, (long)PR_GET_NAME, p), "%c", pointer_kind);
		break;
	case 6: {
		long number = 450 + below(1000);
		number = number < 480 ? 480 : number;
		note("missing", CALL(number, 1L, 2L, 3L), "%ld", number);
		break;
	}
	case 7:
		p = any_pointer(16);
		note("clock_gettime", CALL(SYS_clock_gettime, below(20), p), "%c", pointer_kind);
		break;
	}
}

static void prepare(void)
{
	// No RLIMIT_FSIZE: standard output may be a file. What is written is bounded by the lengths.
	struct rlimit files = {LAST_FD + 20, LAST_FD + 20}, none_at_all = {0, 0};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	static const int signals[] = {SIGHUP,	SIGUSR1, SIGUSR2, SIGURG, SIGCHLD, SIGIO,
				      SIGWINCH, 34,	 35,	  64,	  SIGPIPE, SIGXFSZ};
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &none_at_all);
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
	for (int fd = FIRST_FD; fd < 256; fd++)
		close(fd);
	umask(022);
	range = mmap(NULL, RANGE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	edge += PAGE;
	mprotect(edge, PAGE, PROT_NONE);
}

static void fuzz(long calls)
{
	prepare();
	alarm(60 + calls / 1000);
	for (long i = 0; i < calls; i++) {
		// A table that is always full would only ever tell EMFILE.
		if (one_in(150))
			note("close_range", CALL(SYS_close_range, (long)FIRST_FD + below(20), (long)LAST_FD + 30, 0L),
			     "");
		switch (below(16)) {
		case 0:
		case 1:
			fuzz_make();
			break;
		case 2:
		case 3:
		case 4:
		case 5:
			fuzz_transfer();
			break;
		case 6:
		case 7:
		case 8:
		case 9:
			fuzz_descriptor();
			break;
		case 10:
			fuzz_path();
			break;
		case 11:
		case 12:
			fuzz_memory();
			break;
		case 13:
		case 14:
			fuzz_signal();
			break;
		default:
			fuzz_other();
			break;
		}
	}
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 20000;
	char folder[] = "/tmp/acrida-fuzz-XXXXXX";
	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15ULL | 1;
	trace = argc > 3;
	if (!mkdtemp(folder) || chdir(folder))
		return 2;
	pid_t pid = fork();
	if (pid == 0) {
		fuzz(calls);
		_exit(0);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	static char command[64];
	snprintf(command, sizeof command, "rm -rf %s", folder);
	chdir("/");
	if (system(command) != 0)
		return 3;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		puts("ok");
	else if (WIFSIGNALED(status))
		printf("killed by signal %d\n", WTERMSIG(status));
	else
		printf("status %#x\n", status);
	return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
