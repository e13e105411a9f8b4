// check.h: what every guest program shares.
//
// A guest is a file of CHECK(name) { ... } blocks. The program is called as `guest DIRECTORY [CHECK...]`; it makes DIRECTORY,
// and each check starts in a fresh directory DIRECTORY/name with umask 022, no descriptor above 2 and default signal
// dispositions. Everything a check prints goes through say() or one of the show macros, one write(2) per line, so that
// nothing is lost or doubled by fork, exec or death. Print names, results and masks; never pids, addresses, inode
// numbers, absolute paths or times.
//
// Waiting without a bound is not possible: each process has an alarm.
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))
// Bounds are there so that nothing waits for ever, not to judge speed: what takes a second alone may take twenty and more
// where a whole test suite runs beside it. Three patient waits fit below the alarm.
enum { CHECK_SECONDS = 100, PATIENCE_MS = 30 * 1000, MAX_CHECKS = 128 };

struct check {
	const char *name;
	void (*run)(void);
};

static struct check checks[MAX_CHECKS];
static int nr_checks;
static const char *current_check = "(none)";
static const char *top_directory;
static char **guest_arguments;

#define CHECK(id)                                                              \
	static void check_##id(void);                                          \
	__attribute__((constructor)) static void register_##id(void)           \
	{                                                                      \
		checks[nr_checks++] = (struct check){ #id, check_##id };       \
	}                                                                      \
	static void check_##id(void)

// ---- names ----------------------------------------------------------------

UNUSED static const char *errno_name(int error)
{
	const char *name = strerrorname_np(error);
	static char number[24];
	if (name)
		return name;
	snprintf(number, sizeof number, "errno %d", error);
	return number;
}

UNUSED static const char *signal_name(int sig)
{
	static char text[24];
	const char *abbreviation = sigabbrev_np(sig);
	if (abbreviation)
		snprintf(text, sizeof text, "SIG%s", abbreviation);
	else
		snprintf(text, sizeof text, "signal %d", sig);
	return text;
}

struct flag {
	unsigned long value;
	const char *name;
};
#define FLAG(id) { id, #id }
#define END_OF_FLAGS { 0, NULL }

// "A|B|0x100": what has no name stays a number. Four results may be alive at a time.
UNUSED static const char *flag_names(unsigned long value, const struct flag *flags)
{
	static char texts[4][512];
	static int next;
	char *text = texts[next++ % 4], *end = text;
	*text = 0;
	for (; flags->name; flags++) {
		if ((value & flags->value) == flags->value && flags->value) {
			end += sprintf(end, "%s%s", end == text ? "" : "|", flags->name);
			value &= ~flags->value;
		}
	}
	if (value || end == text)
		sprintf(end, "%s%#lx", end == text ? "" : "|", value);
	return text;
}

UNUSED static const char *poll_names(unsigned long events)
{
	static const struct flag flags[] = {
		FLAG(POLLIN), FLAG(POLLPRI), FLAG(POLLOUT), FLAG(POLLERR), FLAG(POLLHUP), FLAG(POLLNVAL),
		FLAG(POLLRDNORM), FLAG(POLLRDBAND), FLAG(POLLWRNORM), FLAG(POLLWRBAND), FLAG(POLLMSG),
		FLAG(POLLRDHUP), END_OF_FLAGS,
	};
	return flag_names(events, flags);
}

UNUSED static const char *open_names(unsigned long value)
{
	static const struct flag flags[] = {
		FLAG(O_TMPFILE), FLAG(O_SYNC), FLAG(O_WRONLY), FLAG(O_RDWR), FLAG(O_CREAT), FLAG(O_EXCL), FLAG(O_NOCTTY),
		FLAG(O_TRUNC), FLAG(O_APPEND), FLAG(O_NONBLOCK), FLAG(O_DSYNC), FLAG(O_ASYNC), FLAG(O_DIRECT),
		FLAG(O_DIRECTORY), FLAG(O_NOFOLLOW), FLAG(O_NOATIME), FLAG(O_CLOEXEC), FLAG(O_PATH), END_OF_FLAGS,
	};
	// glibc's O_LARGEFILE is 0; the kernel's bit shows in F_GETFL of a 64-bit program only if it was forced.
	const unsigned long largefile = 0100000;
	return flag_names(value & ~largefile, flags);
}

UNUSED static const char *type_name(mode_t mode)
{
	return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "symlink" :
	       S_ISFIFO(mode) ? "fifo" : S_ISCHR(mode) ? "character device" : S_ISBLK(mode) ? "block device" :
	       S_ISSOCK(mode) ? "socket" : "unknown type";
}

// ---- output ---------------------------------------------------------------

__attribute__((format(printf, 1, 2))) UNUSED static void say(const char *format, ...)
{
	int saved = errno;
	char line[4096];
	int length = snprintf(line, sizeof line, "%s: ", current_check);
	va_list arguments;
	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof line - length - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof line - 2)
		length = sizeof line - 2;
	line[length++] = '\n';
	if (write(1, line, length) != length)
		_exit(120);
	errno = saved;
}

// "expression = 3" or "expression = EBADF"
UNUSED static long show_result(const char *expression, long result)
{
	if (result == -1)
		say("%s = %s", expression, errno_name(errno));
	else
		say("%s = %ld", expression, result);
	return result;
}
// "expression = ok" or "expression = EBADF": for results whose value says nothing (descriptors that may be any, addresses)
UNUSED static long show_success(const char *expression, long result)
{
	say("%s = %s", expression, result == -1 ? errno_name(errno) : "ok");
	return result;
}
#define show(expression) show_result(#expression, (errno = 0, (long)(expression)))
#define show_ok(expression) show_success(#expression, (errno = 0, (long)(expression)))

// Prints `length` bytes readably; runs of more than eight equal bytes are counted.
UNUSED static void show_bytes(const char *what, const void *data, long length)
{
	const unsigned char *byte = data;
	char text[2048], *end = text;
	for (long i = 0; i < length && end < text + sizeof text - 64;) {
		long run = 1;
		while (i + run < length && byte[i + run] == byte[i])
			run++;
		long printed = run > 8 ? 1 : run;
		for (long k = 0; k < printed; k++) {
			if (byte[i] >= ' ' && byte[i] < 127)
				*end++ = byte[i];
			else
				end += sprintf(end, "\\x%02x", byte[i]);
		}
		if (run > 8)
			end += sprintf(end, "{%ld}", run);
		i += run;
	}
	*end = 0;
	say("%s = \"%s\" (%ld)", what, text, length);
}

// A step that must work for the check to mean anything; if it fails the check ends.
#define need(expression) need_result(#expression, (long)(expression))
static __attribute__((noreturn)) void abandon(void);
UNUSED static long need_result(const char *expression, long result)
{
	if (result == -1) {
		say("needed: %s = %s", expression, errno_name(errno));
		abandon();
	}
	return result;
}

// ---- memory ---------------------------------------------------------------

// The address of a page that can be neither read nor written.
UNUSED static void *bad_pointer(void)
{
	static void *page;
	if (!page)
		page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page;
}
// `bytes` good bytes (zeroed, at most one page) that end where memory ends.
UNUSED static void *at_edge(size_t bytes)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(pages + 4096, 4096, PROT_NONE);
	return pages + 4096 - bytes;
}
// A page that can be read, not written.
UNUSED static void *read_only_pointer(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// ---- processes ------------------------------------------------------------

// fork(), with the child bound in time and to its parent's life. Without a child the check ends: kill(-1) would be everybody's end.
UNUSED static pid_t start(void)
{
	pid_t parent = getpid();
	pid_t pid = need(fork());
	if (pid == 0) {
		alarm(CHECK_SECONDS);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(121);
	}
	return pid;
}

// Waits for `pid` and says how it ended.
UNUSED static void reap(const char *who, pid_t pid)
{
	int status;
	pid_t got;
	do
		got = waitpid(pid, &status, 0);
	while (got == -1 && errno == EINTR);
	if (got != pid)
		say("%s: waitpid = %s", who, errno_name(errno));
	else if (WIFEXITED(status))
		say("%s: exited %d", who, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s: killed by %s", who, signal_name(WTERMSIG(status)));
	else
		say("%s: status %#x", who, status);
}

// Runs the block in a child and waits for it: IN_CHILD("reader") { ... }
#define IN_CHILD(who)                                                          \
	for (pid_t child_ = start(), once_ = 1; once_; reap(who, child_), once_ = 0) \
		for (; child_ == 0; _exit(0))

// Waits until process or thread `pid` sleeps in a call, so that the next step finds it blocked.
UNUSED static void wait_asleep(pid_t pid)
{
	char path[64], text[512];
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	time_t give_up = now.tv_sec + PATIENCE_MS / 1000;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	for (; now.tv_sec < give_up; clock_gettime(CLOCK_MONOTONIC, &now)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
		close(fd);
		if (length <= 0)
			break;
		text[length] = 0;
		char *state = strrchr(text, ')');
		if (state && (state[2] == 'S' || state[2] == 'Z'))
			return;
		sched_yield();
	}
	say("nobody fell asleep");
}

// Words from children: "I am past that step". The parent makes the pipe before it starts them.
static int step_pipe[2];
UNUSED static void expect_steps(void)
{
	need(pipe(step_pipe));
}
// Also as the handler of a signal.
UNUSED static void made_step(int sig UNUSED)
{
	write(step_pipe[1], "", 1);
}
UNUSED static void await_step(void)
{
	char c;
	read(step_pipe[0], &c, 1);
}

// Waits until thread `tid` of this process has ended for everybody: joining it may come before.
UNUSED static void wait_ended(pid_t tid)
{
	char path[64], text[512];
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
		if (fd >= 0)
			close(fd);
		if (length <= 0)
			return;
		text[length] = 0;
		char *state = strrchr(text, ')');
		if (state && state[2] == 'Z')
			return;
		sched_yield();
	}
}

// A look at what must not happen needs some time in which it could. Nothing is waited for: on a busy machine it is seen less often.
UNUSED static void give_it_a_chance(void)
{
	usleep(2000);
}

// Mounts of one's own, where such a thing exists: nothing may be seen by others, or stay behind, on the host.
UNUSED static void have_own_mounts(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

// What is counted for a user is counted on the whole machine: a user whom nobody else is, not even this check at another place.
UNUSED static uid_t lone_user(void)
{
	return 20000 + getpid() % 40000;
}
UNUSED static void become_lone_user(void)
{
	uid_t user = lone_user();
	need(setresgid(user, user, user));
	need(setresuid(user, user, user));
}

UNUSED static void do_nothing(int sig UNUSED)
{
}
// From now on `sig` interrupts calls and has no other effect.
UNUSED static void let_interrupt(int sig)
{
	struct sigaction action = { .sa_handler = do_nothing };
	sigaction(sig, &action, NULL);
}

// The program itself, for execve: runs `name` of `execs` below instead of the checks.
#define EXEC_ROLE "--role"
struct role {
	const char *name;
	void (*run)(int argc, char **argv);
};
static struct role roles[16];
static int nr_roles;
#define ROLE(id)                                                               \
	static void role_##id(int argc, char **argv);                          \
	__attribute__((constructor)) static void register_role_##id(void)      \
	{                                                                      \
		roles[nr_roles++] = (struct role){ #id, role_##id };           \
	}                                                                      \
	static void role_##id(int argc UNUSED, char **argv UNUSED)

// execve of this program as ROLE(name); the current check's name goes along. Returns only on failure.
UNUSED static void become(const char *role, const char *argument)
{
	char *argv[] = { guest_arguments[0], EXEC_ROLE, (char *)role, (char *)current_check, (char *)argument, NULL };
	execv("/proc/self/exe", argv);
	say("execv = %s", errno_name(errno));
	_exit(122);
}

// ---- main -----------------------------------------------------------------

#include <setjmp.h>
static jmp_buf end_of_check;
static pid_t main_process;

static void abandon(void)
{
	if (getpid() != main_process)
		_exit(123);
	longjmp(end_of_check, 1);
}

static void close_from(int first)
{
	for (int fd = first; fd < 256; fd++)
		close(fd);
}

// Whoever started us may ignore or block signals: a shell does so for a job in the background. The C library hides two
// signals of its own, hence the call itself.
static void reset_signals(void)
{
	static const unsigned long default_action[4];
	sigset_t none;
	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, default_action, NULL, 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_check(const struct check *check)
{
	current_check = check->name;
	reset_signals();
	alarm(CHECK_SECONDS);
	close_from(3);
	umask(022);
	if (chdir(top_directory) || mkdir(check->name, 0777) || chdir(check->name))
		say("directory: %s", errno_name(errno));
	else if (!setjmp(end_of_check))
		check->run();
	say("end");
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 2;
}

int main(int argc, char **argv)
{
	guest_arguments = argv;
	if (argc >= 4 && !strcmp(argv[1], EXEC_ROLE)) {
		current_check = argv[3];
		for (int i = 0; i < nr_roles; i++)
			if (!strcmp(roles[i].name, argv[2]))
				roles[i].run(argc - 4, argv + 4);
		return 0;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [CHECK...]\n", argv[0]);
		return 2;
	}
	// Not 0, under which a host that pipes its cores to a program starts that at each death; 1 means none at all.
	struct rlimit no_core = { 1, 1 };
	setrlimit(RLIMIT_CORE, &no_core);
	// The same table size wherever the guest runs.
	struct rlimit descriptors;
	getrlimit(RLIMIT_NOFILE, &descriptors);
	if (descriptors.rlim_max > 1024)
		descriptors.rlim_cur = 1024;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	main_process = getpid();
	top_directory = argv[1];
	if (mkdir(top_directory, 0777) && errno != EEXIST) {
		perror(top_directory);
		return 2;
	}
	for (int i = 0; i < nr_checks; i++)
		if (wanted(checks[i].name, argc, argv))
			run_check(&checks[i]);
	return 0;
}

#endif
