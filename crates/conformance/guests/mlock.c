// mlock.c: locked pages and their limit, and which pages are in memory.
//
// Calls: mlock mlock2 munlock mlockall munlockall mincore
// Passes: host acrida
#include "memory.h"

#include <sys/resource.h>

static long no_address(long result)
{
	return result >= 0 ? 0 : result;
}

static void memlock_limit(rlim_t bytes)
{
	struct rlimit limit = {bytes, bytes};
	need(setrlimit(RLIMIT_MEMLOCK, &limit));
}

// Without the right to lock beyond the limit, where there is one to lose.
static void become_ordinary(void)
{
	if (geteuid() == 0)
		need(setresuid(65534, 65534, 65534));
}

static long locked_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status))
		sscanf(line, "VmLck: %ld", &kib);
	if (status)
		fclose(status);
	return kib;
}

CHECK(errors)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	munmap(base + 2 * PAGE, PAGE);
	report_result("nothing", raw(SYS_mlock, base, 0L));
	report_result("nothing-unmapped", raw(SYS_mlock, base + 2 * PAGE, 0L));
	report_result("hole", raw(SYS_mlock, base, 4 * PAGE));
	report_result("unmapped", raw(SYS_mlock, base + 2 * PAGE, PAGE));
	report_result("wraps", raw(SYS_mlock, base, -PAGE));
	report_result("unaligned", raw(SYS_mlock, base + 5, 1L));
	report_result("mlock2-unknown-flag", raw(SYS_mlock2, base, PAGE, 2L));
	report_result("mlock2-on-fault", raw(SYS_mlock2, base, PAGE, 1L));
	report_result("munlock-hole", raw(SYS_munlock, base, 4 * PAGE));
	report_result("munlock", raw(SYS_munlock, base, 2 * PAGE));
	report_result("mlockall-nothing", raw(SYS_mlockall, 0L));
	report_result("mlockall-on-fault-alone", raw(SYS_mlockall, 4L));
	report_result("mlockall-unknown", raw(SYS_mlockall, 8L));
	report_result("munlockall", raw(SYS_munlockall));
	char *none = map_pages(1, PROT_NONE);
	report_result("no-access", raw(SYS_mlock, none, PAGE));
	munlockall();
}

static void at_the_limit(void)
{
	memlock_limit(8 * PAGE);
	become_ordinary();
	char *base = map_pages(16, PROT_READ | PROT_WRITE);
	report_result("within", raw(SYS_mlock, base, 8 * PAGE));
	report_result("again", raw(SYS_mlock, base, 8 * PAGE));
	report_result("beyond", raw(SYS_mlock, base + 8 * PAGE, PAGE));
	report_result("overlapping-beyond", raw(SYS_mlock, base + 4 * PAGE, 8 * PAGE));
	report_result("map-locked-beyond", no_address(raw(SYS_mmap, 0L, PAGE, (long)PROT_READ,
							  (long)(MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED), -1L, 0L)));
	munlock(base, 4 * PAGE);
	report_result("after-unlock", raw(SYS_mlock, base + 8 * PAGE, 4 * PAGE));
	report_result("mlockall-current", raw(SYS_mlockall, 1L));
	munlockall();
	report_result("mlockall-future", raw(SYS_mlockall, 2L));
	report_result("future-map", no_address(raw(SYS_mmap, 0L, 9 * PAGE, (long)PROT_READ,
						   (long)(MAP_PRIVATE | MAP_ANONYMOUS), -1L, 0L)));
	munlockall();
	char *more = map_pages(9, PROT_READ);
	report("after-munlockall", "%s", more == MAP_FAILED ? "refused" : "ok");
	mlock(base, 8 * PAGE);
	errno = 0;
	char *grown = mremap(base, 16 * PAGE, 17 * PAGE, MREMAP_MAYMOVE);
	report("grow-mixed", "%s", grown == MAP_FAILED ? errno_name(errno) : "ok");
	memlock_limit(0);
	report_result("no-limit-no-right", raw(SYS_mlock, more, PAGE));
	report_result("mlockall-no-limit-no-right", raw(SYS_mlockall, 1L));
}

CHECK(limit)
{
	IN_CHILD("child")
	at_the_limit();
}

CHECK(accounted)
{
	char *base = map_pages(16, PROT_READ | PROT_WRITE);
	long before = locked_kib();
	mlock(base, 16 * PAGE);
	report("locked", "%ld KiB", locked_kib() - before);
	munlock(base + 4 * PAGE, 4 * PAGE);
	report("middle-unlocked", "%ld KiB", locked_kib() - before);
	munmap(base, 2 * PAGE);
	report("start-unmapped", "%ld KiB", locked_kib() - before);
	IN_CHILD("child")
	report("in-child", "%ld KiB", locked_kib());
	munlock(base + 2 * PAGE, 14 * PAGE);
	report("unlocked", "%ld KiB", locked_kib() - before);
}

CHECK(incore)
{
	unsigned char state[8] = {0};
	char *base = map_pages(8, PROT_READ | PROT_WRITE);
	base[PAGE] = base[3 * PAGE] = 1;
	report_result("call", raw(SYS_mincore, base, 8 * PAGE, state));
	report("touched", "%d%d%d%d", state[0] & 1, state[1] & 1, state[2] & 1, state[3] & 1);
	memset(state, 0x55, sizeof state);
	report_result("part-of-a-page", raw(SYS_mincore, base, PAGE + 1, state));
	report("state", "%d%d, next byte %#x", state[0] & 1, state[1] & 1, state[2]);
	mlock(base, 8 * PAGE);
	mincore(base, 8 * PAGE, state);
	report("locked", "%d%d%d%d", state[0] & 1, state[1] & 1, state[2] & 1, state[7] & 1);
	report_result("unaligned", raw(SYS_mincore, base + 1, PAGE, state));
	report_result("nothing", raw(SYS_mincore, base, 0L, state));
	report_result("bad-vector", raw(SYS_mincore, base, PAGE, 8L));
	report_result("nothing-bad-vector", raw(SYS_mincore, base, 0L, 8L));
	report_result("vector-in-kernel", raw(SYS_mincore, base, PAGE, BAD_KERNEL));
	report_result("kernel", raw(SYS_mincore, BAD_KERNEL, PAGE, state));
	munmap(base + 4 * PAGE, PAGE);
	report_result("hole", raw(SYS_mincore, base, 8 * PAGE, state));
}

// Pages beyond the end of a file are not there: the first one ends the call, however many there are.
CHECK(beyond_the_file)
{
	const size_t length = 512UL << 30;
	int file = need(memfd_create("short", 0));
	need(ftruncate(file, 4096));
	char *area = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
	need(area == MAP_FAILED ? -1 : 0);
	show_ok(mlock(area, length));
	IN_CHILD("ordinary")
	{
		memlock_limit(65536);
		become_ordinary();
		show_ok(mlock(area, length));
	}
	munlock(area, length);
}
