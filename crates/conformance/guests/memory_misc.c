// memory_misc.c: sealed areas, other pages of a shared file, segment bases, memory barriers, what a fork gets.
//
// Calls: mseal remap_file_pages arch_prctl membarrier madvise
// Passes: host acrida
#include "memory.h"

#include <asm/prctl.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

CHECK(sealed)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	report_result("flags", raw(SYS_mseal, base, PAGE, 1L));
	report_result("unaligned", raw(SYS_mseal, base + 1, PAGE, 0L));
	report_result("nothing", raw(SYS_mseal, base, 0L, 0L));
	report_result("seal", raw(SYS_mseal, base + PAGE, 2 * PAGE, 0L));
	report_result("again", raw(SYS_mseal, base + PAGE, PAGE, 0L));
	report_result("mprotect", raw(SYS_mprotect, base, 4 * PAGE, (long)PROT_READ));
	report_result("munmap", raw(SYS_munmap, base + 2 * PAGE, PAGE));
	report_result("mremap", raw(SYS_mremap, base + PAGE, PAGE, 2 * PAGE, (long)MREMAP_MAYMOVE, 0L));
	report_result("map-over", raw(SYS_mmap, base + PAGE, PAGE, (long)PROT_READ,
				      (long)(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED), -1L, 0L));
	report("still-writable", "%s", writing(base + PAGE));
	report_result("neighbour", raw(SYS_munmap, base + 3 * PAGE, PAGE));
	report_result("hole", raw(SYS_mseal, base, 4 * PAGE, 0L));
}

CHECK(remap_file_pages)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	char page[4096];
	for (int i = 0; i < 4; i++) {
		memset(page, 'a' + i, sizeof page);
		need(write(fd, page, sizeof page));
	}
	char *shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	report_result("second-shows-fourth", raw(SYS_remap_file_pages, shared + PAGE, PAGE, 0L, 3L, 0L));
	report("pages", "%c%c%c%c", shared[0], shared[PAGE], shared[2 * PAGE], shared[3 * PAGE]);
	report_result("protection", raw(SYS_remap_file_pages, shared, PAGE, 1L, 0L, 0L));
	report_result("nothing", raw(SYS_remap_file_pages, shared, 0L, 0L, 0L, 0L));
	char *private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	report_result("private", raw(SYS_remap_file_pages, private, PAGE, 0L, 1L, 0L));
	report_result("unmapped", raw(SYS_remap_file_pages, 4096L, PAGE, 0L, 1L, 0L));
}

CHECK(segment_bases)
{
	unsigned long base = 0, again = 0;
	report_result("get-fs", raw(SYS_arch_prctl, (long)ARCH_GET_FS, &base));
	report_result("set-same", raw(SYS_arch_prctl, (long)ARCH_SET_FS, base));
	report_result("get-again", raw(SYS_arch_prctl, (long)ARCH_GET_FS, &again));
	report("same", "%d", base == again);
	report_result("set-kernel", raw(SYS_arch_prctl, (long)ARCH_SET_FS, -4096L));
	report_result("bad-pointer", raw(SYS_arch_prctl, (long)ARCH_GET_FS, 8L));
	report_result("unknown", raw(SYS_arch_prctl, 0x7777L, 0L));
}

CHECK(barriers)
{
	report("query", "%d", raw(SYS_membarrier, 0L, 0L, 0L) > 0);
	report_result("unregistered", raw(SYS_membarrier, 8L, 0L, 0L));
	report_result("register", raw(SYS_membarrier, 16L, 0L, 0L));
	report_result("private", raw(SYS_membarrier, 8L, 0L, 0L));
	report_result("unknown", raw(SYS_membarrier, 3L, 0L, 0L));
	report_result("flags", raw(SYS_membarrier, 8L, 2L, 0L));
}

CHECK(what_a_fork_gets)
{
	char *wiped = map_pages(1, PROT_READ | PROT_WRITE), *left_out = map_pages(1, PROT_READ | PROT_WRITE);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*wiped = *left_out = *shared = 'p';
	report_result("wipe", raw(SYS_madvise, wiped, PAGE, (long)MADV_WIPEONFORK));
	report_result("leave-out", raw(SYS_madvise, left_out, PAGE, (long)MADV_DONTFORK));
	report_result("wipe-shared", raw(SYS_madvise, shared, PAGE, (long)MADV_WIPEONFORK));
	IN_CHILD("child")
	{
		report("wiped", "%d", *wiped);
		report("left-out", "%s", reading(left_out));
		char *here = mmap(left_out, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		report("place-is-free", "%d", here == left_out);
		*shared = 'c';
	}
	report("parent", "%c%c%c", *wiped, *left_out, *shared);
}
