// rlimit.c: getrlimit, setrlimit, prlimit64 and what some limits do.
//
// Calls: getrlimit setrlimit prlimit64
// Passes: host acrida
#include "process.h"

CHECK(errors)
{
	struct rlimit limit = {0, 0};
	report_result("get-unknown", raw(SYS_getrlimit, 16L, &limit));
	report_result("get-negative", raw(SYS_getrlimit, -1L, &limit));
	report_result("set-unknown", raw(SYS_setrlimit, 16L, &limit));
	report_result("prlimit-unknown", raw(SYS_prlimit64, 0L, 16L, 0L, 0L));
	report_result("get-null", raw(SYS_getrlimit, (long)RLIMIT_NOFILE, 0L));
	report_result("get-bad", raw(SYS_getrlimit, (long)RLIMIT_NOFILE, BAD));
	report_result("set-null", raw(SYS_setrlimit, (long)RLIMIT_NOFILE, 0L));
	report_result("set-bad", raw(SYS_setrlimit, (long)RLIMIT_NOFILE, BAD));
	report_result("set-bad-unknown", raw(SYS_setrlimit, 16L, BAD));
	report_result("prlimit-nothing", raw(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, 0L, 0L));
	report_result("prlimit-bad-new", raw(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, BAD, 0L));
	report_result("prlimit-bad-old", raw(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, 0L, BAD));
	report_result("prlimit-missing", raw(SYS_prlimit64, 2000000000L, (long)RLIMIT_NOFILE, 0L, &limit));
	report_result("prlimit-negative", raw(SYS_prlimit64, -1L, (long)RLIMIT_NOFILE, 0L, &limit));
	report_result("bad-new-before-missing", raw(SYS_prlimit64, 2000000000L, (long)RLIMIT_NOFILE, BAD, &limit));
}

CHECK(all_resources)
{
	for (long resource = 0; resource < 16; resource++) {
		struct rlimit limit;
		long result = raw(SYS_getrlimit, resource, &limit);
		report("resource", "%ld %s soft %s hard", resource, outcome(result),
		       limit.rlim_cur <= limit.rlim_max ? "<=" : ">");
	}
	struct rlimit core;
	getrlimit(RLIMIT_CORE, &core);
	report("core-as-set-at-start", "%ld %ld", (long)core.rlim_cur, (long)core.rlim_max);
}

CHECK(order_of_soft_and_hard)
{
	IN_CHILD("child")
	{
		struct rlimit limit = {200, 100}, old;
		report_result("soft-above-hard", raw(SYS_setrlimit, (long)RLIMIT_NOFILE, &limit));
		limit = (struct rlimit){100, 150};
		report_result("lower", raw(SYS_setrlimit, (long)RLIMIT_NOFILE, &limit));
		getrlimit(RLIMIT_NOFILE, &old);
		report("now", "%ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
		limit = (struct rlimit){150, 150};
		report_result("soft-up-to-hard", raw(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, &limit, &old));
		report("old", "%ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
		if (geteuid() == 0)
			need(setresuid(1001, 1001, 1001));
		limit = (struct rlimit){100, 151};
		report_result("hard-up-unprivileged", raw(SYS_setrlimit, (long)RLIMIT_NOFILE, &limit));
		limit = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
		report_result("infinite-unprivileged", raw(SYS_setrlimit, (long)RLIMIT_NOFILE, &limit));
		// The old value is stored even so? No: a failed call stores nothing.
		old = (struct rlimit){7, 7};
		report_result("failed-prlimit", raw(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, &limit, &old));
		report("old-untouched", "%ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
	}
}

CHECK(nofile)
{
	IN_CHILD("child")
	{
		struct rlimit limit = {6, 40};
		need(setrlimit(RLIMIT_NOFILE, &limit));
		int last = -1, fd;
		while ((fd = dup(1)) >= 0)
			last = fd;
		report("highest", "%d then %s", last, outcome(-errno));
		report_result("open", folded(open("/dev/null", O_RDONLY)));
		report_result("open-missing-file", folded(open("/no/such/file", O_RDONLY)));
		int ends[2] = {-7, -7};
		report("pipe", "%s %d %d", outcome(folded(pipe(ends))), ends[0], ends[1]);
		close(5);
		report("pipe-one-free", "%s", outcome(folded(pipe(ends))));
		report_result("one-free-again", folded(dup(1)));
		report_result("dup2-at-limit", folded(dup2(1, 6)));
		report_result("dup2-below", folded(dup2(1, 5)));
		report_result("fcntl-at-limit", folded(fcntl(1, F_DUPFD, 6)));
		report_result("fcntl-below-none-free", folded(fcntl(1, F_DUPFD, 5)));
		limit.rlim_cur = 3;
		need(setrlimit(RLIMIT_NOFILE, &limit));
		report_ok("high-fds-stay-open", folded(fcntl(5, F_GETFD)));
		report_result("dup2-onto-open-high", folded(dup2(1, 5)));
		close(0);
		report_result("lowest-free-below", folded(dup(1)));
		limit.rlim_cur = 0;
		need(setrlimit(RLIMIT_NOFILE, &limit));
		close(0);
		report_result("none-allowed", folded(dup(1)));
	}
}

CHECK(other_process)
{
	int go[2];
	need(pipe(go));
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		struct rlimit limit;
		read(go[0], &byte, 1);
		getrlimit(RLIMIT_STACK, &limit);
		_exit(limit.rlim_cur == 123456);
	}
	struct rlimit limit = {123456, 1234567}, old = {1, 1};
	report_result("set", raw(SYS_prlimit64, (long)pid, (long)RLIMIT_STACK, &limit, &old));
	report_result("get", raw(SYS_prlimit64, (long)pid, (long)RLIMIT_STACK, 0L, &old));
	report("value", "%ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
	getrlimit(RLIMIT_STACK, &old);
	report_flag("ours-unchanged", old.rlim_cur != 123456);
	write(go[1], "x", 1);
	report("child", "%s", ending(pid));
	report_result("reaped", raw(SYS_prlimit64, (long)pid, (long)RLIMIT_STACK, 0L, &old));
}

// Standard output may be a file: nothing can be said while the limit holds.
// Process 1 has its own limits, which are root's affair.
CHECK(first_process)
{
	struct rlimit limit;
	report_result("read", raw(SYS_prlimit64, 1L, (long)RLIMIT_NOFILE, 0L, &limit));
	report_flag("some", limit.rlim_max > 0);
	if (geteuid() != 0)
		return;
	IN_CHILD("user")
	{
		need(setresgid(1000, 1000, 1000));
		need(setresuid(1000, 1000, 1000));
		report_result("read", raw(SYS_prlimit64, 1L, (long)RLIMIT_NOFILE, 0L, &limit));
		report_result("bad-resource", raw(SYS_prlimit64, 1L, 99L, 0L, &limit));
	}
}

CHECK(address_space)
{
	IN_CHILD("child")
	{
		struct rlimit limit = {0, RLIM_INFINITY};
		// All that exists stays; nothing can be added.
		need(setrlimit(RLIMIT_AS, &limit));
		report_result("mmap", folded((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
		void *end = (void *)raw(SYS_brk, 0L);
		report_flag("brk-stays", raw(SYS_brk, (char *)end + 65536) == (long)end);
		report_ok("fork-works", folded(fork() == 0 ? (_exit(0), 0) : 0));
	}
}

CHECK(data)
{
	IN_CHILD("child")
	{
		// Not zero, which for the sake of old programs is no limit for mmap.
		struct rlimit limit = {4096, RLIM_INFINITY};
		need(setrlimit(RLIMIT_DATA, &limit));
		report_result("private-writable", folded((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
								    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
		report_ok("private-read-only",
			  folded((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
		report_ok("shared-writable",
			  folded((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)));
		void *end = (void *)raw(SYS_brk, 0L);
		report_flag("brk-stays", raw(SYS_brk, (char *)end + 65536) == (long)end);
	}
}

static volatile sig_atomic_t xcpu;
static void on_xcpu(int signo)
{
	(void)signo;
	xcpu++;
}

CHECK(cpu)
{
	IN_CHILD("killed-at-hard-limit")
	{
		struct rlimit limit = {1, 1};
		handle(SIGXCPU, on_xcpu, 0);
		need(setrlimit(RLIMIT_CPU, &limit));
		for (;;)
			getppid();
	}
}
