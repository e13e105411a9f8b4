// brk.c: brk, and the stack as a mapping that grows down.
//
// Calls: brk mmap
// Passes: host acrida
#include "memory.h"

static char *set(char *end)
{
	return (char *)raw(SYS_brk, end);
}

CHECK(grow_and_shrink)
{
	char *start_of = set(NULL);
	report_flag("query-is-stable", set(NULL) == start_of);
	char *page = (char *)(((uintptr_t)start_of + PAGE - 1) & -PAGE);
	report_flag("grow", set(page + 4 * PAGE) == page + 4 * PAGE);
	page[0] = page[4 * PAGE - 1] = 'b';
	report("usable", "%s, behind %s", writing(page + 3 * PAGE), writing(page + 4 * PAGE));
	report_flag("unaligned-end-kept", set(page + PAGE + 7) == page + PAGE + 7);
	report("shrunk", "%s", mapped(page, 5));
	report("rest-of-page", "%s, then %s", writing(page + 2 * PAGE - 1), writing(page + 2 * PAGE));
	report_flag("grow-again", set(page + 4 * PAGE) == page + 4 * PAGE);
	report("fresh", "%d, kept %c", page[3 * PAGE], page[0]);
	report_flag("back", set(start_of) == start_of);
}

CHECK(refused)
{
	char *end = set(NULL);
	report_flag("below-start", set((char *)4096) == end);
	report_flag("kernel", set(BAD_KERNEL) == end);
	report_flag("huge", set((char *)0x7ffffffff000) == end);
	// Something stands in the way; a page of distance is kept to it.
	char *page = (char *)(((uintptr_t)end + PAGE - 1) & -PAGE);
	char *obstacle =
		mmap(page + 8 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	report_flag("obstacle", obstacle == page + 8 * PAGE);
	report_flag("over-obstacle", set(page + 10 * PAGE) == end);
	report_flag("below-obstacle", set(page + 4 * PAGE) == page + 4 * PAGE);
	munmap(obstacle, PAGE);
	set(end);
}

CHECK(fork_and_sbrk)
{
	char *end = sbrk(0);
	report_flag("sbrk", sbrk(PAGE * 2) == end);
	end[0] = 'p';
	IN_CHILD("child")
	{
		report("inherited", "%d %c", sbrk(0) == end + 2 * PAGE, end[0]);
		brk(end);
	}
	report("parent-keeps", "%c", end[0]);
	brk(end);
}

// A stack grows when it is touched below, not across the guard gap, not beyond its limit.
__attribute__((noinline)) static int deep(int depth)
{
	volatile char frame[3000];
	memset((char *)frame, depth, sizeof frame);
	return depth == 0 ? frame[0] : deep(depth - 1) + frame[1];
}

CHECK(main_stack)
{
	IN_CHILD("grows")
	{
		deep(1000);
	}
	IN_CHILD("far-below-in-one-step")
	{
		volatile char *here = (volatile char *)__builtin_frame_address(0);
		here[-2 * 1024 * 1024] = 1;
	}
	IN_CHILD("beyond-limit")
	{
		struct rlimit limit = {1 << 20, 1 << 20};
		setrlimit(RLIMIT_STACK, &limit);
		deep(10000);
	}
}

CHECK(growsdown_mapping)
{
	// The top of a range that is free below, by far more than the guard gap.
	char *room = map_pages(4096, PROT_NONE);
	munmap(room, 4096 * PAGE);
	char *top = room + 4090 * PAGE;
	char *page = mmap(top, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0);
	report_flag("mapped", page == top);
	report("grows", "%s %s", writing(top - 10), writing(top - 20 * PAGE));
	report("between", "%s", mapped(top - 20 * PAGE, 20));
	mmap(top - 300 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	report("inside-guard-gap", "%s", writing(top - 299 * PAGE));
	report("outside-guard-gap", "%s", writing(top - 43 * PAGE));
}

// A sealed page of the heap stays, and with it the end of the heap.
CHECK(sealed)
{
	IN_CHILD("child")
	{
		char *end = (char *)(((uintptr_t)sbrk(0) + 4095) & ~4095UL);
		need(brk(end + 8192));
		report_result("mseal", raw(462L, end + 4096, 4096L, 0L));
		report_flag("stays", raw(SYS_brk, end) == (long)(end + 8192));
		report_flag("grows", raw(SYS_brk, end + 12288) == (long)(end + 12288));
		end[8191] = 1;
	}
}
