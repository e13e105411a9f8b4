// mremap.c: growing, shrinking, moving, DONTUNMAP, and its many errors.
//
// Calls: mremap
// Passes: host acrida
#include "memory.h"

static long call(void *old, long old_length, long new_length, long flags, void *new)
{
	return raw(SYS_mremap, old, old_length, new_length, flags, new);
}

// `pages` mapped pages followed by as many free ones.
static char *with_room(long pages)
{
	char *base = map_pages(pages * 2, PROT_READ | PROT_WRITE);
	munmap(base + pages * PAGE, pages * PAGE);
	memset(base, 'd', pages * PAGE);
	return base;
}

CHECK(errors)
{
	char *base = with_room(4);
	report_result("unknown-flag", call(base, PAGE, PAGE, 8, NULL));
	report_result("fixed-without-maymove", call(base, PAGE, PAGE, MREMAP_FIXED, base));
	report_result("dontunmap-without-maymove", call(base, PAGE, PAGE, 4, NULL));
	report_result("old-unaligned", call(base + 1, PAGE, PAGE, 0, NULL));
	report_result("new-length-zero", call(base, PAGE, 0, 0, NULL));
	report_result("old-length-zero-private", call(base, 0, PAGE, MREMAP_MAYMOVE, NULL));
	report_result("unmapped", call(base + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL));
	report_result("beyond-mapping", call(base, 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, NULL));
	report_result("fixed-unaligned", call(base, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 8 * PAGE + 1));
	report_result("fixed-overlap", call(base, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + PAGE));
	report_result("fixed-kernel", call(base, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BAD_KERNEL));
	report_result("huge", call(base, PAGE, LONG_MAX & -PAGE, MREMAP_MAYMOVE, NULL));
	report_result("dontunmap-other-length", call(base, PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4, NULL));
	report_flag("kernel-old", call(BAD_KERNEL, PAGE, PAGE, 0, NULL) < 0);
	report("still-there", "%s", mapped(base, 8));
}

CHECK(in_place)
{
	char *base = with_room(4);
	report_flag("same-length", call(base, 4 * PAGE, 4 * PAGE, 0, NULL) == (long)base);
	report_flag("shrink", call(base, 4 * PAGE, 2 * PAGE, 0, NULL) == (long)base);
	report("left", "%s", mapped(base, 8));
	report_flag("grow-into-room", call(base, 2 * PAGE, 5 * PAGE, 0, NULL) == (long)base);
	report("left", "%s, contents %c then %d", mapped(base, 8), base[PAGE], base[3 * PAGE]);
	report_flag("lengths-round-up", call(base, 5 * PAGE - 100, 5 * PAGE + 1, 0, NULL) == (long)base);
	report("left", "%s", mapped(base, 8));
	// Something in the way.
	mmap(base + 6 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mprotect(base + 6 * PAGE, PAGE, PROT_NONE);
	report_result("blocked", call(base, 6 * PAGE, 8 * PAGE, 0, NULL));
	// Only part of a mapping grows: the rest is in the way.
	report_result("part-of-mapping", call(base, PAGE, 2 * PAGE, 0, NULL));
}

CHECK(moves)
{
	char *base = with_room(2);
	mmap(base + 2 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char *moved = (char *)call(base, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, NULL);
	report_flag("moved", (long)moved > 0 && moved != base);
	report("contents", "%c%c then %d", moved[0], moved[2 * PAGE - 1], moved[2 * PAGE]);
	report("old-gone", "%s", mapped(base, 3));
	// To a given place, over what is there.
	char *target = map_pages(6, PROT_READ | PROT_WRITE);
	memset(target, 't', 6 * PAGE);
	report_flag("fixed", call(moved, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE) ==
				     (long)target + PAGE);
	report("around", "%c%c%d%c", target[0], target[PAGE], target[4 * PAGE], target[5 * PAGE]);
	report_flag("fixed-shrinks",
		    call(target + PAGE, 4 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == (long)moved);
	report("old", "%s new %s", mapped(target, 6), mapped(moved, 4));
	// Out of the middle of a mapping.
	char *middle = with_room(5);
	middle[2 * PAGE] = 'm';
	char *out = (char *)call(middle + 2 * PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE, NULL);
	report("middle", "%s contents %c", mapped(middle, 5), out[0]);
}

CHECK(dontunmap)
{
	char *base = with_room(2);
	char *moved = (char *)call(base, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4, NULL);
	report_flag("moved", (long)moved > 0 && moved != base);
	report("old", "%s reads %d, new %c", mapped(base, 2), base[0], moved[0]);
}

// A shared mapping of old length zero is duplicated.
CHECK(duplicate_shared)
{
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *copy = (char *)call(shared, 0, PAGE, MREMAP_MAYMOVE, NULL);
	report_flag("made", (long)copy > 0 && copy != shared);
	shared[5] = 'x';
	report("same-page", "%c", copy[5]);
}

CHECK(file_mapping)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	need(ftruncate(fd, 4 * PAGE));
	for (int i = 0; i < 4; i++)
		pwrite(fd, &(char){'0' + i}, 1, i * PAGE);
	char *base = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	char *grown = (char *)call(base, PAGE, 4 * PAGE, MREMAP_MAYMOVE, NULL);
	report("grown", "%c %c %c, beyond the end %s", grown[0], grown[PAGE], grown[2 * PAGE],
	       reading(grown + 3 * PAGE));
}

CHECK(protection_and_sharing_kept)
{
	char *base = with_room(2);
	mprotect(base, 2 * PAGE, PROT_READ);
	char *moved = (char *)call(base, 2 * PAGE, 20 * PAGE, MREMAP_MAYMOVE, NULL);
	report("write", "%s", writing(moved + 19 * PAGE));
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *target = map_pages(1, PROT_READ);
	shared = (char *)call(shared, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	IN_CHILD("child")
	{
		shared[0] = 'y';
	}
	report("shared", "%c", shared[0]);
}

CHECK(addresses_at_the_end)
{
	report_ok("move", raw(SYS_mremap, -4096L, 0x2000L, 0x2000L, (long)(MREMAP_MAYMOVE | MREMAP_FIXED), 0x10000000L));
	report_ok("shrink", raw(SYS_mremap, -4096L, 0x2000L, 0x1000L, (long)MREMAP_MAYMOVE, 0L));
	report_ok("grow", raw(SYS_mremap, -4096L, 0x1000L, 0x2000L, (long)MREMAP_MAYMOVE, 0L));
}
