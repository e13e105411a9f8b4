// mprotect.c: ranges, errors, and that a fault handler may repair the page.
//
// Calls: mprotect pkey_mprotect
// Passes: host acrida
#include "memory.h"

CHECK(errors)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	munmap(base + 2 * PAGE, PAGE);
	report_result("unaligned", raw(SYS_mprotect, base + 1, PAGE, (long)PROT_READ));
	report_result("length-zero", raw(SYS_mprotect, base, 0L, (long)PROT_READ));
	report_result("length-zero-unmapped", raw(SYS_mprotect, base + 2 * PAGE, 0L, (long)PROT_READ));
	report_result("length-zero-unaligned", raw(SYS_mprotect, base + 1, 0L, (long)PROT_READ));
	report_result("unmapped", raw(SYS_mprotect, base + 2 * PAGE, PAGE, (long)PROT_READ));
	report_result("kernel", raw(SYS_mprotect, BAD_KERNEL, PAGE, (long)PROT_READ));
	report_result("wraps", raw(SYS_mprotect, base, -PAGE, (long)PROT_READ));
	report_result("unknown-bits", raw(SYS_mprotect, base, PAGE, 0x1000L | PROT_READ));
	report_result("growsdown-and-growsup",
		      raw(SYS_mprotect, base, PAGE, (long)(PROT_GROWSDOWN | PROT_GROWSUP | PROT_READ)));
	report_result("growsdown-on-ordinary", raw(SYS_mprotect, base, PAGE, (long)(PROT_GROWSDOWN | PROT_READ)));
	report_result("length-rounds-up", raw(SYS_mprotect, base + PAGE, 1L, (long)PROT_READ));
	report("then", "%s", writing(base + 2 * PAGE - 1));
}

// Up to a hole the change is made; then ENOMEM.
CHECK(over_hole)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	munmap(base + 2 * PAGE, PAGE);
	report_result("call", raw(SYS_mprotect, base, 4 * PAGE, (long)PROT_READ));
	const char *before = writing(base + PAGE), *behind = writing(base + 3 * PAGE);
	report("before-hole", "%s, behind %s", before, behind);
}

CHECK(split_and_merge)
{
	char *base = map_pages(5, PROT_READ | PROT_WRITE);
	memset(base, 's', 5 * PAGE);
	mprotect(base + 2 * PAGE, PAGE, PROT_NONE);
	const char *a = reading(base + PAGE), *b = reading(base + 2 * PAGE), *c = reading(base + 3 * PAGE);
	report("middle-none", "%s %s %s", a, b, c);
	mprotect(base, 5 * PAGE, PROT_READ);
	report("contents-kept", "%c", base[2 * PAGE]);
	report("all-read-only", "%s", writing(base + 4 * PAGE));
}

static char *volatile repair_page;
static volatile sig_atomic_t repairs;
static void repair(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	repairs++;
	mprotect((void *)((uintptr_t)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE);
}

CHECK(handler_repairs)
{
	repair_page = map_pages(8, PROT_NONE);
	handle_info(SIGSEGV, repair, 0);
	for (int i = 0; i < 8; i++)
		repair_page[i * PAGE + i] = 'a' + i;
	report("repairs", "%d", repairs);
	int right = 0;
	for (int i = 0; i < 8; i++)
		right += repair_page[i * PAGE + i] == 'a' + i;
	report("stores-arrived", "%d", right);
	signal(SIGSEGV, SIG_DFL);
}

CHECK(read_only_file)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	need(ftruncate(fd, PAGE));
	int reader = open("file", O_RDONLY);
	char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
	char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, reader, 0);
	report_result("shared-of-read-only-file", raw(SYS_mprotect, shared, PAGE, (long)(PROT_READ | PROT_WRITE)));
	report_result("private-of-read-only-file", raw(SYS_mprotect, private, PAGE, (long)(PROT_READ | PROT_WRITE)));
	report_result("map-shared-writable",
		      folded((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0)));
}

// Own code pages may be made writable for a moment.
__attribute__((noinline, aligned(4096))) static int answer(void)
{
	__asm__ volatile("");
	return 41;
}

CHECK(own_text)
{
	void *page = (void *)((uintptr_t)answer & -PAGE);
	report("before", "%d %s", answer(), writing((char *)answer));
	report_result("writable", folded(mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC)));
	report("after", "%s", reading((char *)answer));
	report_result("back", folded(mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC)));
	report("still", "%d", answer());
}
