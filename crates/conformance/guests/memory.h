// memory.h: what an access to a page does, told without ending the program.
#ifndef MEMORY_H
#define MEMORY_H

#include "process.h"

#include <setjmp.h>

#define PAGE 4096L

static sigjmp_buf memory_back;
static siginfo_t memory_info;

static void memory_fault(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	memory_info = *info;
	siglongjmp(memory_back, 1);
}

// "ok", or the signal and code of the fault; `+`, if the fault is told at another address.
static const char *memory_try(volatile char *address, int write)
{
	char *text = text_slot();
	handle_info(SIGSEGV, memory_fault, 0);
	handle_info(SIGBUS, memory_fault, 0);
	if (sigsetjmp(memory_back, 1) == 0) {
		if (write)
			*address = 'w';
		else
			(void)*address;
		snprintf(text, 64, "ok");
	} else {
		snprintf(text, 64, "%s%s", code_text(memory_info.si_signo, memory_info.si_code),
			 memory_info.si_addr == address ? "" : "+");
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return text;
}

UNUSED static const char *reading(volatile void *address)
{
	return memory_try(address, 0);
}

UNUSED static const char *writing(volatile void *address)
{
	return memory_try(address, 1);
}

UNUSED static char *map_pages(long pages, int protection)
{
	return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// Which of `pages` are mapped: a letter each.
UNUSED static const char *mapped(char *base, int pages)
{
	char *text = text_slot();
	unsigned char state;
	for (int i = 0; i < pages; i++)
		text[i] = mincore(base + i * PAGE, PAGE, &state) == 0 ? 'm' : '-';
	text[pages] = 0;
	return text;
}

#endif
