// truncate_mapped.c: a file that is cut takes its pages out of everybody's memory.
//
// Calls: ftruncate truncate mmap
// Passes: host acrida
// Places: disk tmpfs
#include "process.h"

#include <setjmp.h>

enum { PAGE = 4096 };
static int fd;
static volatile int *flags;

static int file(off_t size)
{
	int made = need(open("f", O_CREAT | O_RDWR | O_TRUNC, 0644));
	need(ftruncate(made, size));
	return made;
}
static void *map(int sharing)
{
	char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, sharing, fd, 0);
	for (int page = 0; page < 4; page++)
		at[page * PAGE] = '0' + page;
	return at;
}

static sigjmp_buf back;
static void on_fault(int signo, siginfo_t *info, void *context UNUSED)
{
	siglongjmp(back, signo * 16 + info->si_code);
}
// What loading the first byte of each page gives, one letter a page.
static const char *pages(volatile char *at)
{
	char *text = text_slot();
	handle_info(SIGBUS, on_fault, 0);
	handle_info(SIGSEGV, on_fault, 0);
	for (volatile int page = 0; page < 4; page++) {
		int fault = sigsetjmp(back, 1);
		char byte = fault ? 0 : at[page * PAGE];
		text[page] = fault == SIGBUS * 16 + BUS_ADRERR ? 'B' : fault ? 'S' : byte ? byte : 'z';
	}
	text[4] = 0;
	return text;
}

// A child that looks at the mapping when told by `how`.
static void child_looks(const char *who, int sharing, void (*cut)(void))
{
	char *at = map(sharing);
	int go[2], ready[2];
	char byte = 0;
	need(pipe(go));
	need(pipe(ready));
	pid_t pid = start();
	if (pid == 0) {
		say("%s before: %s", who, pages(at));
		if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		say("%s after: %s", who, pages(at));
		_exit(0);
	}
	need(read(ready[0], &byte, 1));
	wait_asleep(pid);
	cut();
	need(write(go[1], "g", 1));
	reap(who, pid);
	say("%s, who cut it: %s", who, pages(at));
	munmap(at, 4 * PAGE);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(ready[i]);
	}
}

static void cut_to_two(void)
{
	need(ftruncate(fd, 2 * PAGE));
}
static void cut_inside(void)
{
	need(truncate("f", PAGE + 100));
}
static void cut_and_grow(void)
{
	need(ftruncate(fd, PAGE));
	need(ftruncate(fd, 4 * PAGE));
}
static void cut_by_open(void)
{
	close(need(open("f", O_RDWR | O_TRUNC)));
}

CHECK(shared)
{
	fd = file(4 * PAGE);
	child_looks("shared", MAP_SHARED, cut_to_two);
}
CHECK(private)
{
	fd = file(4 * PAGE);
	child_looks("private", MAP_PRIVATE, cut_to_two);
}
CHECK(inside_a_page)
{
	fd = file(4 * PAGE);
	child_looks("cut inside", MAP_SHARED, cut_inside);
}
CHECK(cut_and_grown)
{
	fd = file(4 * PAGE);
	child_looks("grown", MAP_SHARED, cut_and_grow);
}
CHECK(cut_by_open)
{
	fd = file(4 * PAGE);
	child_looks("opened", MAP_SHARED, cut_by_open);
}

// Who does not sleep learns of it as soon as the call has returned.
CHECK(running_process)
{
	flags = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int late = 0;
	for (int turn = 0; turn < 40; turn++) {
		fd = file(4 * PAGE);
		char *at = map(MAP_SHARED);
		flags[0] = flags[1] = 0;
		pid_t pid = start();
		if (pid == 0) {
			flags[0] = 1;
			while (!flags[1])
				;
			_exit(strcmp(pages(at), "01BB") != 0);
		}
		while (!flags[0])
			sched_yield();
		cut_to_two();
		flags[1] = 1;
		late += strcmp(ending(pid), "exited 0") != 0;
		munmap(at, 4 * PAGE);
		close(fd);
	}
	say("too late: %d", late);
}

static void *look(void *at)
{
	flags[0] = 1;
	while (!flags[1])
		;
	return (void *)(long)at;
}

// Every thread of another process, and every mapping of it.
CHECK(threads_and_mappings)
{
	flags = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = file(4 * PAGE);
	int go[2];
	char byte;
	need(pipe(go));
	pid_t pid = start();
	if (pid == 0) {
		char *one = map(MAP_SHARED), *two = map(MAP_PRIVATE);
		pthread_t thread;
		pthread_create(&thread, NULL, look, NULL);
		need(read(go[0], &byte, 1));
		flags[1] = 1;
		pthread_join(thread, NULL);
		say("shared %s, private %s", pages(one), pages(two));
		_exit(0);
	}
	while (!flags[0])
		sched_yield();
	cut_to_two();
	need(write(go[1], "g", 1));
	reap("child", pid);
}

// A copy into or out of such memory fails like any other.
CHECK(calls)
{
	fd = file(4 * PAGE);
	char *at = map(MAP_SHARED);
	int go[2], ends[2];
	char byte;
	need(pipe(go));
	need(pipe(ends));
	pid_t pid = start();
	if (pid == 0) {
		need(read(go[0], &byte, 1));
		show(write(ends[1], at + 2 * PAGE, 10));
		show(read(open("/dev/zero", O_RDONLY), at + 3 * PAGE, 10));
		show(write(ends[1], at + PAGE, 10));
		_exit(0);
	}
	wait_asleep(pid);
	cut_to_two();
	need(write(go[1], "g", 1));
	reap("child", pid);
}

CHECK(memory_file)
{
	fd = need(memfd_create("m", 0));
	need(ftruncate(fd, 4 * PAGE));
	child_looks("memfd", MAP_SHARED, cut_to_two);
}
