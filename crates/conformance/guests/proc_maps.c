// proc_maps.c: what /proc/self/maps and smaps say about mappings.
//
// Calls: mmap mprotect munmap mlock madvise read on /proc/self/maps and smaps
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <dirent.h>

static char text[1 << 20];
enum { PAGE = 4096 };

static long slurp(const char *path)
{
	long length = 0, got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length] = 0;
	return length;
}

struct area {
	unsigned long start, end, offset, inode;
	unsigned major, minor;
	char rights[8], name[PATH_MAX];
};

// The area with `addr`, or false.
static bool find_in(const char *file, const void *addr, struct area *area)
{
	slurp(file);
	for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		int name_at = 0;
		if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu%n", &area->start, &area->end, area->rights, &area->offset, &area->major,
			   &area->minor, &area->inode, &name_at) < 7)
			continue;
		if ((unsigned long)addr < area->start || (unsigned long)addr >= area->end)
			continue;
		name_at += strspn(line + name_at, " ");
		int length = strcspn(line + name_at, "\n");
		snprintf(area->name, sizeof area->name, "%.*s", length, line + name_at);
		return true;
	}
	return false;
}

static bool find(const void *addr, struct area *area)
{
	return find_in("/proc/self/maps", addr, area);
}

// The name with the check's directory hidden.
static const char *shown_name(const struct area *area)
{
	static char shown[PATH_MAX + 16];
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	if (!strncmp(area->name, base, strlen(base)))
		snprintf(shown, sizeof shown, "<here>%s", area->name + strlen(base));
	else
		snprintf(shown, sizeof shown, "%s", area->name);
	return shown;
}

static void tell(const char *what, const void *addr)
{
	struct area area;
	if (!find(addr, &area)) {
		say("%s: not mapped", what);
		return;
	}
	say("%s: +%ld %ld pages %s offset %#lx '%s'", what, ((long)addr - (long)area.start) / PAGE, (area.end - area.start) / PAGE,
	    area.rights, area.offset, shown_name(&area));
}

// `pages` pages with nothing next to them.
static char *alone(int pages, int prot, int flags, int fd, long offset)
{
	char *place = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	munmap(place, (pages + 2) * PAGE);
	return mmap(place + PAGE, pages * PAGE, prot, flags | MAP_FIXED, fd, offset);
}

CHECK(anonymous)
{
	char *at = alone(6, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tell("fresh", at);
	mprotect(at + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_EXEC);
	tell("head", at);
	tell("middle", at + 2 * PAGE);
	tell("tail", at + 4 * PAGE);
	mprotect(at + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);
	tell("joined", at + 3 * PAGE);
	mprotect(at, PAGE, PROT_NONE);
	tell("none", at);
	munmap(at, 3 * PAGE);
	tell("gone", at);
	tell("rest", at + 3 * PAGE);
}

CHECK(files)
{
	int fd = open("a name", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, 8 * PAGE);
	struct stat st;
	struct area area;
	fstat(fd, &st);
	char *private = alone(2, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);
	char *shared = alone(2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 3 * PAGE);
	tell("private", private);
	tell("shared", shared);
	find(shared, &area);
	say("inode: %d", area.inode == st.st_ino);
	close(fd);
	tell("closed", shared);
	rename("a name", "b");
	tell("renamed", private);
	munmap(shared, PAGE);
	tell("cut", shared + PAGE);
	unlink("b");
	tell("deleted", private);
	fd = open("new\nline", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, PAGE);
	tell("newline", alone(1, PROT_READ, MAP_SHARED, fd, 0));
	int reader = open("new\nline", O_RDONLY);
	tell("read only", alone(1, PROT_READ, MAP_SHARED, reader, 0));
}

CHECK(shared_memory)
{
	tell("anonymous", alone(3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int fd = memfd_create("name", 0);
	ftruncate(fd, PAGE);
	tell("memfd", alone(1, PROT_READ, MAP_SHARED, fd, 0));
	struct area first, second;
	char *a = alone(1, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *b = alone(1, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	find(a, &first);
	find(b, &second);
	say("objects differ: %d", first.inode && second.inode && first.inode != second.inode);
}

static int initialised = 7;

CHECK(program)
{
	struct area area;
	int on_stack;
	char exe[PATH_MAX], *brk = sbrk(3 * PAGE);
	exe[readlink("/proc/self/exe", exe, sizeof exe - 1)] = 0;
	find((void *)tell, &area);
	say("code: %s %d", area.rights, !strcmp(area.name, exe));
	find(&initialised, &area);
	say("data: %s %d", area.rights, !strcmp(area.name, exe));
	find(&on_stack, &area);
	say("stack: %s %s", area.rights, area.name);
	find(brk, &area);
	say("heap: %s %s", area.rights, area.name);
	say("ordered: %d", ({
		    unsigned long last = 0, start, end;
		    bool ordered = true;
		    slurp("/proc/self/maps");
		    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			    sscanf(line, "%lx-%lx", &start, &end);
			    ordered &= start >= last && start < end;
			    last = end;
		    }
		    ordered;
	    }));
	find((void *)printf, &area);
	say("library: %s %d", area.rights, strstr(area.name, "libc") != NULL);
}

CHECK(name_column)
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	ftruncate(fd, PAGE);
	char *at = alone(1, PROT_READ, MAP_SHARED, fd, 0), start[32];
	slurp("/proc/self/maps");
	snprintf(start, sizeof start, "\n%lx-", (unsigned long)at);
	char *line = strstr(text, start);
	say("name in column %ld", line ? (long)(strchr(line, '/') - line - 1) : -1);
	at = alone(1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	slurp("/proc/self/maps");
	snprintf(start, sizeof start, "\n%lx-", (unsigned long)at);
	line = strstr(text, start) + 1;
	line[strcspn(line, "\n")] = 0;
	show_bytes("nameless", strchr(line, ' '), strlen(strchr(line, ' ')));
}

CHECK(small_reads)
{
	static char whole[1 << 20];
	long length = slurp("/proc/self/maps");
	memcpy(whole, text, length);
	int fd = open("/proc/self/maps", O_RDONLY);
	long got, sum = 0;
	bool same = true;
	while ((got = read(fd, text, 7)) > 0) {
		same &= !memcmp(text, whole + sum, got);
		sum += got;
	}
	say("the same: %d", same && sum == length);
	show(read(fd, text, 7));
	show(lseek(fd, 0, SEEK_SET));
	show(read(fd, text, 5));
	say("from the beginning: %d", !memcmp(text, whole, 5));
	show(read(fd, bad_pointer(), 5));
}

static long smaps_number(const void *addr, const char *key)
{
	struct area area;
	find_in("/proc/self/smaps", addr, &area);
	char start[40];
	snprintf(start, sizeof start, "%08lx-%08lx", area.start, area.end);
	char *at = strstr(text, start);
	at = at ? strstr(at, key) : NULL;
	return at ? atol(at + strlen(key)) : -1;
}

CHECK(counts)
{
	char *at = alone(8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(at, 8 * PAGE, MADV_NOHUGEPAGE);
	show(smaps_number(at, "\nSize:"));
	show(smaps_number(at, "\nRss:"));
	memset(at, 1, 3 * PAGE);
	show(smaps_number(at, "\nRss:"));
	show(smaps_number(at, "\nAnonymous:"));
	show(smaps_number(at, "\nPrivate_Dirty:"));
	show(smaps_number(at, "\nKernelPageSize:"));
	struct area area;
	find_in("/proc/self/smaps", at, &area);
	char *flags = strstr(text, "VmFlags:");
	say("flags: %d", flags && !strncmp(flags, "VmFlags: rd ", 12));
	slurp("/proc/self/smaps_rollup");
	say("rollup: %d", strstr(text, " ---p 00000000 00:00 0                          [rollup]\nRss: ") != NULL);
}

CHECK(flags_of_areas)
{
	char *at = alone(2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	madvise(at, 2 * PAGE, MADV_DONTFORK);
	madvise(at, 2 * PAGE, MADV_DONTDUMP);
	mlock(at, 2 * PAGE);
	struct area area;
	find_in("/proc/self/smaps", at, &area);
	char start[40];
	snprintf(start, sizeof start, "%08lx-%08lx", area.start, area.end);
	char *flags = strstr(strstr(text, start), "VmFlags:");
	flags[strcspn(flags, "\n")] = 0;
	static const char *wanted[] = { " rd", " wr", " ex", " mr", " mw", " me", " lo", " dc", " nr", " dd", " sh", " gd" };
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		say("%s: %d", wanted[i], strstr(flags, wanted[i]) != NULL);
}

// map_files has a link for each area that shows a file, named by its addresses, which leads to the file itself.
CHECK(map_files)
{
	char name[128], target[PATH_MAX], text[8] = "";
	struct stat st, through;
	int fd = need(open("mapped", O_RDWR | O_CREAT, 0644));
	need(write(fd, "content", 7));
	char *at = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);
	char *nothing = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(fstat(fd, &st));
	snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)at, (long)at + 8192);
	long length = need(readlink(name, target, sizeof target - 1));
	target[length] = 0;
	say("link to %s", strrchr(target, '/'));
	show(stat(name, &through));
	say("the same file: %d", through.st_ino == st.st_ino && through.st_dev == st.st_dev);
	need(lstat(name, &through));
	say("mode %o, size %ld", through.st_mode, (long)through.st_size);
	need(unlink("mapped"));
	int again = need(open(name, O_RDONLY));
	show(read(again, text, 7));
	show_bytes("read through the link", text, 7);
	snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)nothing, (long)nothing + 4096);
	show(readlink(name, target, sizeof target));
	snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)at, (long)at + 4096);
	show(readlink(name, target, sizeof target));
	snprintf(name, sizeof name, "/proc/self/map_files/0%lx-%lx", (long)at, (long)at + 8192);
	show(readlink(name, target, sizeof target));
	show(access("/proc/self/map_files/x", F_OK));
	show(access("/proc/self/map_files/0-1000", F_OK));
	// Letters may be large, and numbers of pages all ones.
	char *high = mmap((void *)0xffffffff000, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0);
	say("at the address: %d", high == (void *)0xffffffff000);
	show(access("/proc/self/map_files/FFFFFFFF000-100000000000", F_OK));
	DIR *directory = opendir("/proc/self/map_files");
	bool listed = false;
	for (struct dirent *entry; (entry = readdir(directory));)
		listed |= !strcmp(entry->d_name, "ffffffff000-100000000000");
	say("listed: %d", listed);
	closedir(directory);
	munmap(high, 4096);
	need(stat("/proc/self/map_files", &through));
	say("directory mode %o", through.st_mode);
	munmap(at, 8192);
	snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (long)at, (long)at + 8192);
	show(lstat(name, &through));
}
