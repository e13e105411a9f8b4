// mmap.c: anonymous mappings: flags, addresses, errors, overlaps, and what an access to them does.
//
// Calls: mmap munmap
// Passes: host acrida
#include "memory.h"

static long map(void *address, long length, long protection, long flags, long fd, long offset)
{
	return raw(SYS_mmap, address, length, protection, flags, fd, offset);
}

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

CHECK(errors)
{
	report_result("length-zero", map(NULL, 0, PROT_READ, ANONYMOUS, -1, 0));
	report_result("length-huge", map(NULL, LONG_MAX, PROT_READ, ANONYMOUS, -1, 0));
	report_result("length-minus-one", map(NULL, -1, PROT_READ, ANONYMOUS, -1, 0));
	report_result("no-type", map(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
	report_result("shared-validate-anonymous",
		      map(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	report_result("type-4", map(NULL, PAGE, PROT_READ, 4 | MAP_ANONYMOUS, -1, 0));
	report_result("offset-unaligned", map(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 1));
	report_ok("offset-aligned-anonymous", map(NULL, PAGE, PROT_READ, ANONYMOUS, -1, PAGE));
	report_result("fixed-unaligned", map((void *)0x10000001, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
	report_result("fixed-kernel", map(BAD_KERNEL, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
	report_result("fixed-wraps", map((void *)-PAGE, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
	report_result("fd-closed", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0));
	report_result("fd-minus-one", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
	report_ok("fd-ignored-if-anonymous", map(NULL, PAGE, PROT_READ, ANONYMOUS, 999, 0));
	report_result("offset-unaligned-before-fd", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 5));
	report_result("fd-before-length", map(NULL, 0, PROT_READ, MAP_PRIVATE, 999, 0));
	report_ok("unknown-protection-bits", map(NULL, PAGE, 0x1000 | PROT_READ, ANONYMOUS, -1, 0));
	report_result("validate-unknown-flag",
		      map(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | 0x10000000, -1, 0));
	int ends[2];
	need(pipe(ends));
	report_result("pipe", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0));
	int directory = open("/", O_RDONLY | O_DIRECTORY);
	report_result("directory", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, directory, 0));
	int path = open("/", O_PATH);
	report_result("o-path", map(NULL, PAGE, PROT_READ, MAP_PRIVATE, path, 0));
}

CHECK(hints)
{
	long free_page = map(NULL, 16 * PAGE, PROT_NONE, ANONYMOUS, -1, 0);
	munmap((void *)free_page, 16 * PAGE);
	report_flag("free-hint-taken",
		    map((void *)(free_page + 4 * PAGE), PAGE, PROT_READ, ANONYMOUS, -1, 0) == free_page + 4 * PAGE);
	long other = map((void *)(free_page + 4 * PAGE), PAGE, PROT_READ, ANONYMOUS, -1, 0);
	report_flag("used-hint-gives-another", other > 0 && other != free_page + 4 * PAGE);
	other = map((void *)(free_page + 8 * PAGE + 5), PAGE, PROT_READ, ANONYMOUS, -1, 0);
	report_flag("unaligned-hint-rounded", other == free_page + 8 * PAGE || other == free_page + 9 * PAGE);
	report_flag("kernel-hint-ignored", map(BAD_KERNEL, PAGE, PROT_READ, ANONYMOUS, -1, 0) > 0);
	report_flag("low-hint-not-null-page", map((void *)1, PAGE, PROT_READ, ANONYMOUS, -1, 0) >= 65536);
	// 32-bit addresses when asked for.
	long low = map(NULL, PAGE, PROT_READ, ANONYMOUS | MAP_32BIT, -1, 0);
	report_flag("map-32bit", low > 0 && low < 1L << 31);
	// New mappings go below older ones, adjacent.
	long first = map(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 0),
	     second = map(NULL, PAGE, PROT_READ, ANONYMOUS, -1, 0);
	report_flag("aligned", first % PAGE == 0 && second % PAGE == 0 && first != second);
}

CHECK(noreplace)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	munmap(base + PAGE, PAGE);
	base[0] = 'k';
	report_result("on-used", map(base, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	report_result("overlapping", map(base + PAGE, 2 * PAGE, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	report_flag("on-free",
		    map(base + PAGE, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (long)base + PAGE);
	report_result("unaligned", map(base + 1, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	report("untouched", "%c", base[0]);
}

CHECK(fixed_replaces)
{
	char *base = map_pages(5, PROT_READ | PROT_WRITE);
	memset(base, 'o', 5 * PAGE);
	report_flag("middle", map(base + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) ==
				      (long)base + PAGE);
	report("contents", "%c %d %d %c", base[0], base[PAGE], base[2 * PAGE], base[3 * PAGE]);
	report_flag("none-over-all", map(base, 5 * PAGE, PROT_NONE, ANONYMOUS | MAP_FIXED, -1, 0) == (long)base);
	report("then", "%s", reading(base + 2 * PAGE));
}

CHECK(lengths)
{
	char *base = map_pages(3, PROT_READ);
	munmap(base, 3 * PAGE);
	map(base, 1, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
	report("one-byte-is-a-page", "%s %s %s", mapped(base, 3), writing(base + PAGE - 1), writing(base + PAGE));
	map(base, PAGE + 1, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0);
	report("page-and-a-byte", "%s", mapped(base, 3));
}

CHECK(accesses)
{
	static const struct {
		const char *name;
		int protection;
	} kinds[] = {{"none", PROT_NONE},
		     {"read", PROT_READ},
		     {"write", PROT_WRITE},
		     {"exec", PROT_EXEC},
		     {"read-write", PROT_READ | PROT_WRITE},
		     {"read-exec", PROT_READ | PROT_EXEC}};
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char *page = map_pages(1, kinds[i].protection);
		const char *r = reading(page + 17), *w = writing(page + 17);
		report(kinds[i].name, "read %s, write %s", r, w);
	}
	char *page = map_pages(1, PROT_READ);
	munmap(page, PAGE);
	const char *r = reading(page + 17), *w = writing(page + 17);
	report("unmapped", "read %s, write %s", r, w);
}

// System calls meet the same pages with EFAULT, and stop at the first bad byte.
CHECK(system_calls_fault)
{
	int ends[2];
	need(pipe(ends));
	write(ends[1], "12345678", 8);
	char *none = map_pages(1, PROT_NONE), *read_only = map_pages(1, PROT_READ), *edge = at_edge(3);
	report_result("read-into-none", raw(SYS_read, (long)ends[0], none, 1L));
	report_result("read-into-read-only", raw(SYS_read, (long)ends[0], read_only, 1L));
	report_result("write-from-none", raw(SYS_write, (long)ends[1], none, 1L));
	report_result("write-from-read-only", raw(SYS_write, (long)ends[1], read_only, 1L));
	report_result("write-over-edge", raw(SYS_write, (long)ends[1], edge, 5L));
	report_result("empty-write-from-none", raw(SYS_write, (long)ends[1], none, 0L));
	report_result("empty-read-into-none", raw(SYS_read, (long)ends[0], none, 0L));
}

CHECK(munmap)
{
	char *base = map_pages(6, PROT_READ | PROT_WRITE);
	report_result("hole", raw(SYS_munmap, base + 2 * PAGE, PAGE));
	report("left", "%s", mapped(base, 6));
	report_result("hole-again", raw(SYS_munmap, base + 2 * PAGE, PAGE));
	report_result("over-hole", raw(SYS_munmap, base + PAGE, 3 * PAGE));
	report("left", "%s", mapped(base, 6));
	report_result("length-rounds-up", raw(SYS_munmap, base + 4 * PAGE, 1L));
	report("left", "%s", mapped(base, 6));
	report_result("length-zero", raw(SYS_munmap, base, 0L));
	report_result("unaligned", raw(SYS_munmap, base + 1, PAGE));
	report_result("kernel", raw(SYS_munmap, BAD_KERNEL, PAGE));
	report_result("wraps", raw(SYS_munmap, base, -PAGE));
	report_result("whole-user-space-plus-one", raw(SYS_munmap, 0L, 1L << 47));
	report("left", "%s", mapped(base, 6));
}

CHECK(shared_over_fork)
{
	volatile int *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *private = (int *)map_pages(1, PROT_READ | PROT_WRITE);
	*private = 1;
	IN_CHILD("child")
	{
		shared[0] = 2;
		shared[1024] = 3;
		*private = 4;
		// What a child unmaps or protects is its own affair.
		mprotect((void *)shared, PAGE, PROT_NONE);
		munmap((char *)shared + PAGE, PAGE);
	}
	report("parent-sees", "%d %d private %d", shared[0], shared[1024], *private);
	shared[0] = 10;
	pid_t pid = start();
	if (pid == 0) {
		while (shared[0] == 10)
			sched_yield();
		shared[1] = shared[0] + 1;
		_exit(0);
	}
	shared[0] = 11;
	ending(pid);
	report("both-ways", "%d", shared[1]);
	// Never touched before the fork, still one page for both.
	volatile int *untouched = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	IN_CHILD("toucher")
	{
		*untouched = 5;
	}
	report("untouched-before", "%d", *untouched);
}

CHECK(populate_and_others)
{
	unsigned char state[4] = {0};
	char *page = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_POPULATE, -1, 0);
	mincore(page, 4 * PAGE, state);
	report("populate", "%d%d%d%d", state[0] & 1, state[1] & 1, state[2] & 1, state[3] & 1);
	page = map_pages(4, PROT_READ | PROT_WRITE);
	page[PAGE] = 1;
	mincore(page, 4 * PAGE, state);
	report("on-touch", "%d%d%d%d", state[0] & 1, state[1] & 1, state[2] & 1, state[3] & 1);
	report_ok("noreserve", map(NULL, 1L << 40, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_NORESERVE, -1, 0));
	report_ok("stack", map(NULL, PAGE, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_STACK, -1, 0));
	report_ok("noreserve-shared", map(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	report_ok("denywrite-executable-ignored",
		  map(NULL, PAGE, PROT_READ, ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE, -1, 0));
}

CHECK(code)
{
	// mov $77, %eax; ret
	static const unsigned char bytes[] = {0xb8, 77, 0, 0, 0, 0xc3};
	unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, ANONYMOUS, -1, 0);
	memcpy(page, bytes, sizeof bytes);
	report("runs", "%d", ((int (*)(void))page)());
	page[1] = 78;
	report("changed", "%d", ((int (*)(void))page)());
	report_result("read-exec", folded(mprotect(page, PAGE, PROT_READ | PROT_EXEC)));
	report("still-runs", "%d", ((int (*)(void))page)());
	// A system call in generated code.
	static const unsigned char getpid_bytes[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
	mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(page, getpid_bytes, sizeof getpid_bytes);
	int right = 0;
	for (int i = 0; i < 100; i++)
		right += ((int (*)(void))page)() == getpid();
	report("getpid", "%d", right);
	// The code is changed after it was called often: the call must not be remembered.
	page[1] = 110;
	right = 0;
	for (int i = 0; i < 100; i++)
		right += ((int (*)(void))page)() == getppid();
	report("getppid-in-its-place", "%d", right);
	page[5] = page[6] = 0x90;
	report("no-call-any-more", "%d", ((int (*)(void))page)());
}

CHECK(hints_at_the_end)
{
	const long anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	const long read_only = PROT_READ, high = -4096L;
	report_ok("low", raw(SYS_mmap, high, 8192L, read_only, anonymous | MAP_32BIT, -1L, 0L));
	report_ok("any", raw(SYS_mmap, high, 8192L, read_only, anonymous, -1L, 0L));
	report_ok("almost-everything", raw(SYS_mmap, 4096L, (1L << 47) - 8192, read_only, anonymous, -1L, 0L));
	report_ok("everything", raw(SYS_mmap, 4096L, 1L << 47, read_only, anonymous, -1L, 0L));
	report_ok("odd-huge-page", raw(SYS_mmap, 0L, 8192L, read_only, anonymous | MAP_HUGETLB | 13L << 26, -1L, 0L));
	report_ok("largest-huge-page", raw(SYS_mmap, 0L, 8192L, read_only, anonymous | MAP_HUGETLB | 63L << 26, -1L, 0L));
}
