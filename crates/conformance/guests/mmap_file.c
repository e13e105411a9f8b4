// mmap_file.c: mapped files: shared and private, ends, protection, life after close.
//
// Calls: mmap munmap msync mprotect mremap
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <setjmp.h>

enum { PAGE = 4096 };

static int file(size_t size)
{
	int fd = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(ftruncate(fd, size));
	return fd;
}

static sigjmp_buf back;
static volatile sig_atomic_t got_signal, got_code;
static void on_fault(int sig, siginfo_t *info, void *context UNUSED)
{
	got_signal = sig;
	got_code = info->si_code;
	siglongjmp(back, 1);
}

// What a load (or store) of one byte does.
static void touch(const char *what, volatile char *address, bool store)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	if (sigsetjmp(back, 1)) {
		say("%s: %s code %d", what, signal_name(got_signal), got_code);
	} else if (store) {
		*address = 's';
		say("%s: stored", what);
	} else {
		char c = *address;
		say("%s: loaded \\x%02x", what, c);
	}
}

CHECK(shared_is_the_file)
{
	char text[16];
	int fd = file(PAGE);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memcpy(map, "mapped", 6);
	show(pread(fd, text, 6, 0));
	show_bytes("file", text, 6);
	pwrite(fd, "written", 7, 100);
	show_bytes("map", map + 100, 7);
	char *again = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
	show_bytes("second mapping", again, 6);
	IN_CHILD("child stores") {
		memcpy(map, "CHILD!", 6);
	}
	show_bytes("map", map, 6);
}

CHECK(private_is_not)
{
	char text[16];
	int fd = file(PAGE);
	pwrite(fd, "original", 8, 0);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	pwrite(fd, "O", 1, 0);
	show_bytes("not touched yet", map, 8);
	memcpy(map, "private", 7);
	show(pread(fd, text, 8, 0));
	show_bytes("file", text, 8);
	pwrite(fd, "later", 5, 0);
	show_bytes("map", map, 8);
	IN_CHILD("child stores") {
		map[0] = 'C';
	}
	show_bytes("map", map, 8);
}

CHECK(past_the_end)
{
	int fd = file(100);
	char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	touch("last byte", map + 99, false);
	touch("rest of the page", map + 100, false);
	touch("end of the page", map + PAGE - 1, true);
	touch("next page", map + PAGE, false);
	touch("next page, store", map + PAGE, true);
	ftruncate(fd, PAGE + 1);
	touch("after growing", map + PAGE, true);
	touch("page after that", map + 2 * PAGE, false);
	ftruncate(fd, 0);
	touch("after cutting", map, false);
	char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	touch("private, load", private, false);
	touch("private, store", private, true);
}

CHECK(cut_under_a_private_copy)
{
	int fd = file(2 * PAGE);
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	touch("own copy", map + PAGE, true);
	ftruncate(fd, PAGE);
	touch("own copy after the cut", map + PAGE, false);
}

CHECK(system_calls_see_efault_past_the_end)
{
	int fd = file(PAGE), p[2];
	pipe(p);
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	show(write(p[1], map + PAGE, 1));
	show(write(p[1], map + PAGE - 2, 4));
	write(p[1], "0123", 4);
	show(read(p[0], map + PAGE, 4));
	show(read(p[0], map + PAGE - 2, 2));
	show(open(map + PAGE, O_RDONLY));
}

CHECK(protection)
{
	int fd = file(PAGE), r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0));
	show_ok(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, r, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, r, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w, 0));
	show_ok(mmap(NULL, PAGE, PROT_NONE, MAP_SHARED, w, 0));
	show_ok(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, w, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, w, 0));
	char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0);
	touch("read only", map, true);
	show(mprotect(map, PAGE, PROT_READ | PROT_WRITE));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	show(mprotect(map, PAGE, PROT_READ | PROT_WRITE));
	touch("made writable", map, true);
	show(mprotect(map, PAGE, PROT_NONE));
	touch("no access", map, false);
	touch("unmapped", munmap(map, PAGE) ? NULL : map, false);
}

CHECK(arguments)
{
	int fd = file(PAGE), p[2];
	pipe(p);
	show_ok(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 100));
	show_ok(mmap(NULL, PAGE, PROT_READ, 0, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, 99, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, p[0], 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0));
	show_ok(mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1 << 20));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, -PAGE));
	show_ok(mmap(NULL, SIZE_MAX, PROT_READ, MAP_SHARED, fd, 0));
	show_ok(mmap((void *)123, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x10000000, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED | 0x10000000, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0));
	show_ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 99, 0));
	show(munmap(NULL, 0));
	show(munmap((void *)123, PAGE));
	show(munmap((void *)(16 * PAGE), PAGE));
}

CHECK(life_after_close_and_unlink)
{
	int fd = file(PAGE);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	unlink("f");
	memcpy(map, "alive", 5);
	show_bytes("map", map, 5);
	IN_CHILD("child") {
		show_bytes("map", map, 5);
		map[0] = 'A';
	}
	show_bytes("map", map, 5);
}

CHECK(offset_and_parts)
{
	int fd = file(4 * PAGE);
	for (int i = 0; i < 4; i++)
		pwrite(fd, &"0123"[i], 1, i * PAGE);
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	say("%c %c", map[0], map[PAGE]);
	show(munmap(map, PAGE));
	touch("first part", map, false);
	touch("second part", map + PAGE, false);
	char *fixed = mmap(map, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 3 * PAGE);
	say("%c, at the wanted place %d", fixed[0], fixed == map);
	show_ok(mmap(map, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0));
	say("%c", map[0]);
}

CHECK(remap)
{
	int fd = file(4 * PAGE);
	for (int i = 0; i < 4; i++)
		pwrite(fd, &"0123"[i], 1, i * PAGE);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	map = mremap(map, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	say("%c %c %c", map[0], map[PAGE], map[2 * PAGE]);
	show_ok(mremap(map, 3 * PAGE, PAGE, 0));
	touch("cut away", map + PAGE, false);
	show_ok(mremap(map, PAGE, 0, MREMAP_MAYMOVE));
	show_ok(mremap(map + 1, PAGE, PAGE, MREMAP_MAYMOVE));
	// Old length zero duplicates a shared mapping.
	char *twin = mremap(map, 0, PAGE, MREMAP_MAYMOVE);
	map[1] = 't';
	say("twin %c%c", twin[0], twin[1]);
}

CHECK(msync_of_a_file)
{
	int fd = file(2 * PAGE);
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	map[0] = 'x';
	show(msync(map, PAGE, MS_SYNC));
	show(msync(map, 2 * PAGE, MS_ASYNC));
	show(msync(map, PAGE, MS_INVALIDATE));
	show(msync(map, PAGE, MS_SYNC | MS_ASYNC));
	show(msync(map, PAGE, 8));
	show(msync(map, PAGE, 0));
	show(msync(map, 0, MS_SYNC));
	show(msync(map + 1, PAGE, MS_SYNC));
	show(msync(map, SIZE_MAX, MS_SYNC));
	mlock(map, PAGE);
	show(msync(map, PAGE, MS_SYNC | MS_INVALIDATE));
	munmap(map + PAGE, PAGE);
	show(msync(map, 2 * PAGE, MS_SYNC));
	show(msync(map + PAGE, PAGE, MS_ASYNC));
}
