// proc_mem.c: memory of processes as a file.
//
// Calls: pread pwrite read write lseek on /proc/PID/mem
// Passes: host acrida
#include "check.h"

static char word[16] = "in the program";
static const char constant[16] = "cannot change";
enum { PAGE = 4096 };

CHECK(own)
{
	char got[16] = "";
	int fd = open("/proc/self/mem", O_RDWR);
	show(pread(fd, got, 14, (off_t)(uintptr_t)word));
	say("%s", got);
	show(pwrite(fd, "IN", 2, (off_t)(uintptr_t)word));
	say("%s", word);
	say("seek: %d", lseek(fd, (off_t)(uintptr_t)word, SEEK_SET) == (off_t)(uintptr_t)word);
	show(read(fd, got, 6));
	show(read(fd, got, 8));
	say("%.8s", got);
	show(pread(fd, got, 0, (off_t)(uintptr_t)word));
	show(pread(fd, got, 1, 0));
	show(pread(fd, bad_pointer(), 1, (off_t)(uintptr_t)word));
}

CHECK(protection)
{
	int fd = open("/proc/self/mem", O_RDWR);
	char got[4] = "";
	show(pwrite(fd, "C", 1, (off_t)(uintptr_t)constant));
	volatile const char *look = constant;
	say("%c", look[0]);
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page[0] = 'x';
	mprotect(page, PAGE, PROT_NONE);
	show(pread(fd, got, 1, (off_t)(uintptr_t)page));
	say("%c", got[0]);
	munmap(page + PAGE, PAGE);
	char big[2 * PAGE];
	show(pread(fd, big, sizeof big, (off_t)(uintptr_t)page));
	show(pread(fd, big, 10, (off_t)(uintptr_t)page + PAGE));
}

CHECK(modes)
{
	int reader = open("/proc/self/mem", O_RDONLY), writer = open("/proc/self/mem", O_WRONLY);
	char got[4];
	show(pwrite(reader, "x", 1, (off_t)(uintptr_t)word));
	show(pread(writer, got, 1, (off_t)(uintptr_t)word));
	show_ok(open("/proc/self/mem", O_RDWR | O_TRUNC));
}

CHECK(child)
{
	int to_child[2];
	char path[64], got[16] = "";
	char *shown = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(shown, "parent's");
	pipe(to_child);
	pid_t child = start();
	if (child == 0) {
		strcpy(shown, "child's");
		read(to_child[0], got, 1);
		say("child sees %s", shown);
		_exit(0);
	}
	wait_asleep(child);
	snprintf(path, sizeof path, "/proc/%d/mem", child);
	int fd = open(path, O_RDWR);
	show(pread(fd, got, 9, (off_t)(uintptr_t)shown));
	say("parent reads %s", got);
	show(pwrite(fd, "C", 1, (off_t)(uintptr_t)shown));
	write(to_child[1], "x", 1);
	reap("child", child);
	say("parent keeps %s", shown);
	show(pread(fd, got, 9, (off_t)(uintptr_t)shown));
	show_ok(open(path, O_RDONLY));
}

CHECK(zombie)
{
	char path[64];
	pid_t child = start();
	if (child == 0)
		_exit(0);
	siginfo_t info;
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	snprintf(path, sizeof path, "/proc/%d/mem", child);
	show_ok(open(path, O_RDONLY));
	reap("child", child);
}
