// madvise.c: the advice with an effect, and errors; msync of what no file has.
//
// Calls: madvise msync
// Passes: host acrida
#include "memory.h"

CHECK(advice)
{
	static const int kinds[] = {MADV_NORMAL,
				    MADV_RANDOM,
				    MADV_SEQUENTIAL,
				    MADV_WILLNEED,
				    MADV_DONTNEED,
				    MADV_FREE,
				    MADV_DONTFORK,
				    MADV_DOFORK,
				    MADV_NOHUGEPAGE,
				    MADV_DONTDUMP,
				    MADV_DODUMP,
				    MADV_WIPEONFORK,
				    MADV_KEEPONFORK,
				    MADV_COLD,
				    5,
				    6,
				    7,
				    99,
				    -1};
	char *page = map_pages(1, PROT_READ | PROT_WRITE);
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		report("advice", "%d %s", kinds[i], outcome(raw(SYS_madvise, page, PAGE, (long)kinds[i])));
	char *hole = map_pages(3, PROT_READ | PROT_WRITE);
	munmap(hole + PAGE, PAGE);
	report_result("unaligned", raw(SYS_madvise, page + 1, PAGE, (long)MADV_NORMAL));
	mlock(hole, PAGE);
	report_result("dontneed-of-locked", raw(SYS_madvise, hole, PAGE, (long)MADV_DONTNEED));
	report_result("length-zero", raw(SYS_madvise, page, 0L, (long)MADV_NORMAL));
	report_result("length-zero-unknown-advice", raw(SYS_madvise, page, 0L, 99L));
	report_result("length-negative", raw(SYS_madvise, page, -1L, (long)MADV_NORMAL));
	report_result("unmapped", raw(SYS_madvise, hole + PAGE, PAGE, (long)MADV_NORMAL));
	report_result("over-hole", raw(SYS_madvise, hole, 3 * PAGE, (long)MADV_DONTNEED));
	report_result("wipeonfork-shared",
		      raw(SYS_madvise, mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0), PAGE,
			  (long)MADV_WIPEONFORK));
	report_result("free-shared", raw(SYS_madvise, mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
					 PAGE, (long)MADV_FREE));
}

CHECK(dontneed)
{
	char *base = map_pages(3, PROT_READ | PROT_WRITE);
	memset(base, 'x', 3 * PAGE);
	report_result("private", raw(SYS_madvise, base + PAGE, PAGE, (long)MADV_DONTNEED));
	report("contents", "%c %d %c", base[0], base[PAGE], base[2 * PAGE]);
	base[PAGE] = 'y';
	report("usable-again", "%c", base[PAGE]);
	// Done up to the end of what is mapped, whatever the result.
	munmap(base + PAGE, PAGE);
	raw(SYS_madvise, base, 3 * PAGE, (long)MADV_DONTNEED);
	report("over-hole", "%d %d", base[0], base[2 * PAGE]);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared[0] = 's';
	report_result("shared", raw(SYS_madvise, shared, PAGE, (long)MADV_DONTNEED));
	report("shared-keeps", "%c", shared[0]);
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	write(fd, "file", 4);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	private[0] = 'F';
	raw(SYS_madvise, private, PAGE, (long)MADV_DONTNEED);
	report("private-file-again", "%.4s", private);
	report_result("remove-private", raw(SYS_madvise, private, PAGE, (long)MADV_REMOVE));
	report_result("remove-shared-anonymous", raw(SYS_madvise, shared, PAGE, (long)MADV_REMOVE));
	report("removed", "%d", shared[0]);
}

CHECK(msync_without_a_file)
{
	char *base = map_pages(3, PROT_READ | PROT_WRITE);
	munmap(base + PAGE, PAGE);
	report_result("async", raw(SYS_msync, base, PAGE, (long)MS_ASYNC));
	report_result("sync", raw(SYS_msync, base, PAGE, (long)MS_SYNC));
	report_result("neither", raw(SYS_msync, base, PAGE, 0L));
	report_result("both", raw(SYS_msync, base, PAGE, (long)(MS_SYNC | MS_ASYNC)));
	report_result("unknown", raw(SYS_msync, base, PAGE, 8L));
	report_result("unaligned", raw(SYS_msync, base + 1, PAGE, (long)MS_SYNC));
	report_result("length-zero", raw(SYS_msync, base, 0L, (long)MS_SYNC));
	report_result("hole", raw(SYS_msync, base, 3 * PAGE, (long)MS_SYNC));
	report_result("unmapped", raw(SYS_msync, base + PAGE, PAGE, (long)MS_SYNC));
	mlock(base, PAGE);
	report_result("invalidate-locked", raw(SYS_msync, base, PAGE, (long)MS_INVALIDATE));
}

CHECK(populate_beyond_the_file)
{
	const size_t length = 512UL << 30;
	int file = need(memfd_create("short", 0));
	need(ftruncate(file, 8192));
	char *area = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
	need(area == MAP_FAILED ? -1 : 0);
	show(madvise(area, length, MADV_POPULATE_READ));
	show(madvise(area, length, MADV_POPULATE_WRITE));
	show(madvise(area, 8192, MADV_POPULATE_READ));
	show(madvise(area + 8192, 4096, MADV_POPULATE_READ));
	need(ftruncate(file, 12288));
	show(madvise(area + 8192, 4096, MADV_POPULATE_WRITE));
	munmap(area + 4096, 4096);
	show(madvise(area, length, MADV_POPULATE_READ));
}
