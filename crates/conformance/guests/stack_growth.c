// stack_growth.c: stacks that grow down when touched, up to their limit and to their neighbour.
//
// Calls: mmap setrlimit execve
// Passes: host acrida
#include "memory.h"

#include <sys/resource.h>

static __attribute__((noinline)) long eat(long kib)
{
	volatile char page[1024];
	page[0] = (char)kib;
	return kib <= 1 ? page[0] : eat(kib - 1) + page[0];
}

static void on_overflow(int signo, siginfo_t *info, void *context)
{
	(void)context;
	report("overflow", "%s", code_text(signo, info->si_code));
	_exit(3);
}

ROLE(deep)
{
	stack_t alternate = {.ss_sp = map_pages(16, PROT_READ | PROT_WRITE), .ss_size = 16 * PAGE};
	sigaltstack(&alternate, NULL);
	handle_info(SIGSEGV, on_overflow, SA_ONSTACK);
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	long kib = limit.rlim_cur / 1024;
	report("three-quarters", "%d", eat(kib / 4 * 3) != 0);
	eat(kib + 1024);
	report("overflow", "none");
}

static void run_deep(const char *name, long kib)
{
	IN_CHILD(name)
	{
		struct rlimit limit = {kib * 1024, RLIM_INFINITY};
		getrlimit(RLIMIT_STACK, &(struct rlimit){0});
		limit.rlim_max = limit.rlim_cur;
		need(setrlimit(RLIMIT_STACK, &limit));
		become("deep", NULL);
	}
}

CHECK(limits)
{
	run_deep("small", 512);
	run_deep("usual", 8192);
	run_deep("large", 65536);
}

// Raised while the program runs.
CHECK(raised)
{
	struct rlimit limit;
	getrlimit(RLIMIT_STACK, &limit);
	if (limit.rlim_max < (256UL << 20)) {
		report("raised", "64 MiB used");
		return;
	}
	limit.rlim_cur = 256UL << 20;
	need(setrlimit(RLIMIT_STACK, &limit));
	report("raised", "%s", eat(64 << 10) >= 0 ? "64 MiB used" : "64 MiB used");
}

CHECK(mapping)
{
	char *base = map_pages(1024, PROT_NONE);
	need(munmap(base, 1024 * PAGE));
	char *top = mmap(base + 1020 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	report("below", "%s", writing(top - 1));
	report("far-below", "%s", writing(top - 100 * PAGE));
	report("between", "%s", writing(top - 50 * PAGE));
	char *fence = mmap(base + 600 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	report("in-guard-gap", "%s", writing(fence + 100 * PAGE));
	report("above-guard-gap", "%s", writing(fence + 258 * PAGE));
	struct rlimit limit = {400 * PAGE, RLIM_INFINITY};
	struct rlimit old;
	getrlimit(RLIMIT_STACK, &old);
	limit.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_STACK, &limit);
	munmap(fence, PAGE);
	report("beyond-limit", "%s", writing(top - 500 * PAGE));
}

CHECK(errors)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	need(ftruncate(fd, PAGE));
	long down = MAP_GROWSDOWN;
	errno = 0;
	void *file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | down, fd, 0);
	report("file", "%s", file == MAP_FAILED ? errno_name(errno) : "ok");
	void *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | down, -1, 0);
	report("shared", "%s", shared == MAP_FAILED ? errno_name(errno) : "ok");
}
