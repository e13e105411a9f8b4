// fuzz_memory.c: random memory calls over one range, with loads and stores between them.
//
// usage: fuzz_memory [CALLS [SEED]]
//
// One thread and no clock: two correct kernels print the same lines for the same seed (addresses are offsets in the range).
// Every hundred steps a child looks at all pages, so that what fork hands on is compared too.
//
// Build: cc -O1 fuzz_memory.c
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 48, FILES = 3, FILE_PAGES = 12 };

static uint64_t state;
static char *base;
static int files[FILES];

static uint32_t below(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % bound;
}

static sigjmp_buf back;
static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(back, signo * 16 + (info->si_code & 15));
}

static void print_result(const char *call, unsigned start, unsigned pages, long extra, long result)
{
	if (result == -1)
		printf("%s(%u,%u,%ld) = -%d\n", call, start, pages, extra, errno);
	else if ((char *)result >= base && (char *)result < base + PAGES * PAGE)
		printf("%s(%u,%u,%ld) = range+%ld\n", call, start, pages, extra, ((char *)result - base) / PAGE);
	else
		printf("%s(%u,%u,%ld) = %ld\n", call, start, pages, extra, result);
}

// The page's first byte, or the fault.
static int look(unsigned page)
{
	int fault = sigsetjmp(back, 1);
	if (fault)
		return -fault;
	return *(volatile unsigned char *)(base + page * PAGE);
}

static int put(unsigned page, int byte)
{
	int fault = sigsetjmp(back, 1);
	if (fault)
		return -fault;
	*(volatile unsigned char *)(base + page * PAGE) = byte;
	return 0;
}

static void show_all(const char *who)
{
	printf("%s:", who);
	for (unsigned page = 0; page < PAGES; page++)
		printf(" %d", look(page));
	printf("\n");
	fflush(stdout);
}

static void map(unsigned start, unsigned pages)
{
	static const int rights[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC };
	int prot = rights[below(5)], fd = -1, flags = below(2) ? MAP_PRIVATE : MAP_SHARED;
	long offset = 0;
	if (below(2)) {
		int which = below(FILES);
		fd = files[which];
		offset = below(FILE_PAGES) * PAGE;
	} else {
		flags |= MAP_ANONYMOUS;
	}
	flags |= below(4) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (below(6) == 0)
		flags |= MAP_POPULATE;
	void *at = mmap(base + start * PAGE, pages * PAGE, prot, flags, fd, offset);
	char call[32];
	snprintf(call, sizeof call, "mmap-%d+%ld", fd < 0 ? fd : fd - files[0], offset / PAGE);
	print_result(call, start, pages, flags * 8 + prot, (long)at);
}

static void advise(unsigned start, unsigned pages)
{
	static const int advice[] = { MADV_NORMAL, MADV_DONTNEED, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK,
				      MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_SEQUENTIAL, MADV_RANDOM, MADV_DONTDUMP };
	int which = advice[below(sizeof advice / sizeof *advice)];
	print_result("madvise", start, pages, which, madvise(base + start * PAGE, pages * PAGE, which));
}

static void move(unsigned start, unsigned pages)
{
	unsigned length = 1 + below(10), target = below(PAGES - length);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	if (below(6) == 0) {
		flags |= MREMAP_DONTUNMAP;
		length = pages;
	}
	if (target + length > PAGES)
		target = PAGES - length;
	if (below(4) == 0) {
		// In place or not at all.
		length = pages + below(4);
		if (start + length > PAGES)
			length = PAGES - start;
		void *at = mremap(base + start * PAGE, pages * PAGE, length * PAGE, 0);
		print_result("resize", start, pages, length, (long)at);
		return;
	}
	void *at = mremap(base + start * PAGE, pages * PAGE, length * PAGE, flags, base + target * PAGE);
	print_result("mremap", start, pages, target * 100 + length, (long)at);
}

static void step(void)
{
	unsigned start = below(PAGES), pages = 1 + below(10);
	if (start + pages > PAGES)
		pages = PAGES - start;
	char *at = base + start * PAGE;
	unsigned char vector[PAGES];
	int which = below(FILES);
	switch (below(14)) {
	case 0:
	case 1:
	case 2:
		map(start, pages);
		break;
	case 3:
		print_result("munmap", start, pages, 0, munmap(at, pages * PAGE));
		break;
	case 4:
	case 5: {
		int prot = below(8);
		print_result("mprotect", start, pages, prot, mprotect(at, pages * PAGE, prot));
		break;
	}
	case 6:
		move(start, pages);
		break;
	case 7:
		advise(start, pages);
		break;
	case 8:
		print_result("mincore", start, pages, 0, mincore(at, pages * PAGE, vector));
		break;
	case 9:
		print_result("msync", start, pages, 0, msync(at, pages * PAGE, MS_SYNC));
		break;
	case 10:
		if (below(3)) {
			char byte = 'F' + below(20);
			unsigned page = below(FILE_PAGES);
			print_result("pwrite", which, page, byte, pwrite(files[which], &byte, 1, page * PAGE));
		} else {
			off_t size = below(FILE_PAGES + 1) * PAGE;
			// Growing only: a file shrinks for its mappers at the next fault in one kernel and at once in another.
			struct { off_t now; } old = { lseek(files[which], 0, SEEK_END) };
			if (size > old.now)
				print_result("ftruncate", which, size / PAGE, 0, ftruncate(files[which], size));
		}
		break;
	case 11:
		if (below(2))
			print_result("mlock", start, pages, 0, mlock(at, pages * PAGE));
		else
			print_result("munlock", start, pages, 0, munlock(at, pages * PAGE));
		break;
	default: {
		int byte = 1 + below(255);
		printf("put(%u,1,%d) = %d\n", start, byte, put(start, byte));
		printf("look(%u) = %d\n", start, look(start));
	}
	}
}

int main(int argc, char **argv)
{
	int calls = argc > 1 ? atoi(argv[1]) : 2000;
	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15 | 1;
	base = (char *)0x200000000000;
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	files[0] = memfd_create("a", 0);
	files[1] = open(".", O_TMPFILE | O_RDWR, 0600);
	if (files[1] < 0)
		files[1] = memfd_create("b", 0);
	files[2] = memfd_create("c", 0);
	for (int i = 0; i < FILES; i++)
		if (ftruncate(files[i], (4 + 2 * i) * PAGE) != 0)
			return 1;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (int i = 1; i <= calls; i++) {
		step();
		if (i % 100)
			continue;
		show_all("all");
		pid_t pid = fork();
		if (pid == 0) {
			show_all("child");
			_exit(0);
		}
		int status;
		waitpid(pid, &status, 0);
		printf("child ended %#x\n", status);
	}
	return 0;
}
