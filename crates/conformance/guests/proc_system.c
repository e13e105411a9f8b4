// proc_system.c: /proc itself, files about the whole system, /proc/sys, and what cannot be done to any of them.
//
// Calls: open read write lseek poll getdents64 unlink mkdir on /proc and /proc/sys
// Passes: host acrida
#include "check.h"
#include <dirent.h>
#include <stddef.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char text[1 << 20];

static long slurp(const char *path)
{
	long length = 0, got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length] = 0;
	if (length && text[length - 1] == '\n')
		text[--length] = 0;
	return length;
}

CHECK(listing)
{
	static const char *wanted[] = { "self", "thread-self", "mounts", "net", "sys", "stat", "meminfo", "cpuinfo", "uptime", "loadavg", "version", "filesystems" };
	bool found[sizeof wanted / sizeof *wanted] = { 0 }, me = false, parent = false, twice = false;
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t last = 0;
	while ((entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);
		twice |= pid && pid <= last;
		last = pid ? pid : last;
		me |= pid == getpid();
		parent |= pid == getppid();
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			found[i] |= !strcmp(entry->d_name, wanted[i]);
	}
	say("me %d, parent %d, in order %d", me, parent, !twice);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		say("%s %d", wanted[i], found[i]);
	rewinddir(dir);
	struct dirent *first = readdir(dir);
	say("first: %s", first->d_name);
	struct stat entry_stat, dir_stat;
	say("inode of a process: %d", ({
		    char name[32];
		    bool agree = false;
		    snprintf(name, sizeof name, "%d", getpid());
		    rewinddir(dir);
		    while ((entry = readdir(dir)))
			    if (!strcmp(entry->d_name, name)) {
				    stat("/proc/self", &entry_stat);
				    agree = entry->d_ino == entry_stat.st_ino && entry->d_type == DT_DIR;
			    }
		    agree;
	    }));
	stat("/proc", &dir_stat);
	say("root inode %lu", (unsigned long)dir_stat.st_ino);
	say("mode %o", dir_stat.st_mode);
}

CHECK(links)
{
	static const char *names[] = { "/proc/self", "/proc/thread-self", "/proc/mounts", "/proc/net" };
	char target[64], own[64];
	for (size_t i = 0; i < 4; i++) {
		struct stat st;
		lstat(names[i], &st);
		long length = readlink(names[i], target, sizeof target - 1);
		target[length > 0 ? length : 0] = 0;
		snprintf(own, sizeof own, i ? "%d/task/%d" : "%d", getpid(), gettid());
		say("%s: %s %s size %ld", names[i], type_name(st.st_mode), strcmp(target, own) ? target : "(me)", (long)st.st_size);
	}
}

CHECK(numbers)
{
	struct sysinfo info;
	sysinfo(&info);
	slurp("/proc/uptime");
	long up = atol(text);
	say("uptime: %d", labs(up - info.uptime) <= 30);
	slurp("/proc/meminfo");
	long total = -1;
	sscanf(text, "MemTotal: %ld kB", &total);
	say("memory: %d", (unsigned long)total * 1024 / info.mem_unit == info.totalram);
	slurp("/proc/stat");
	long boot = atol(strstr(text, "btime ") + 6);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	say("boot: %d", labs(now.tv_sec - up - boot) <= 30);
	int processors = 0;
	for (char *at = text; (at = strstr(at, "\ncpu")); at++)
		processors++;
	say("processors: %d", processors == sysconf(_SC_NPROCESSORS_ONLN));
	slurp("/proc/self/stat");
	char *at = strrchr(text, ')');
	for (int i = 0; i < 20; i++)
		at = strchr(at + 1, ' ');
	double started = atol(at) / (double)sysconf(_SC_CLK_TCK);
	say("started: %d", started <= up + 2 && started > up - 600);
	float load[3];
	int running, tasks, last;
	slurp("/proc/loadavg");
	say("loadavg: %d", sscanf(text, "%f %f %f %d/%d %d", load, load + 1, load + 2, &running, &tasks, &last) == 6 && running >= 1 && tasks >= running);
	struct utsname names;
	uname(&names);
	slurp("/proc/version");
	say("version: %d", !strncmp(text, "Linux version ", 14) && !strncmp(text + 14, names.release, strlen(names.release)));
	slurp("/proc/filesystems");
	say("filesystems: %d %d", strstr(text, "nodev\tproc") != NULL, strstr(text, "nodev\ttmpfs") != NULL);
}

CHECK(parameters)
{
	struct utsname names;
	uname(&names);
	static const struct {
		const char *path;
		size_t offset;
	} same[] = {
		{ "/proc/sys/kernel/hostname", offsetof(struct utsname, nodename) },
		{ "/proc/sys/kernel/ostype", offsetof(struct utsname, sysname) },
		{ "/proc/sys/kernel/osrelease", offsetof(struct utsname, release) },
		{ "/proc/sys/kernel/version", offsetof(struct utsname, version) },
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		slurp(same[i].path);
		say("%s: %d", same[i].path, !strcmp(text, (char *)&names + same[i].offset));
	}
	slurp("/proc/sys/kernel/ngroups_max");
	say("ngroups_max %s", text);
	slurp("/proc/sys/kernel/cap_last_cap");
	say("cap_last_cap: %d", prctl(PR_CAPBSET_READ, atoi(text)) >= 0 && prctl(PR_CAPBSET_READ, atoi(text) + 1) < 0);
	slurp("/proc/sys/fs/nr_open");
	say("nr_open: %d", atoi(text) >= 1024);
	int words[4];
	slurp("/proc/sys/kernel/sem");
	say("sem: %d", sscanf(text, "%d %d %d %d", words, words + 1, words + 2, words + 3));
	slurp("/proc/sys/fs/file-nr");
	say("file-nr: %d", sscanf(text, "%d %d %d", words, words + 1, words + 2));
	char uuid[64];
	slurp("/proc/sys/kernel/random/uuid");
	strcpy(uuid, text);
	slurp("/proc/sys/kernel/random/uuid");
	say("uuid: %zu long, version %c, differs %d", strlen(text), text[14], strcmp(uuid, text) != 0);
	slurp("/proc/sys/kernel/random/boot_id");
	strcpy(uuid, text);
	slurp("/proc/sys/kernel/random/boot_id");
	say("boot_id: %zu long, differs %d", strlen(text), strcmp(uuid, text) != 0);
}

CHECK(refused)
{
	show(mkdir("/proc/x", 0755));
	show(open("/proc/x", O_CREAT | O_WRONLY, 0644));
	show(open("/proc/self/x", O_CREAT | O_WRONLY, 0644));
	show(mkdir("/proc/sys/x", 0755));
	show(symlink("a", "/proc/self/x"));
	show(unlink("/proc/self/maps"));
	show(rename("/proc/self/maps", "/proc/self/x"));
	show(rmdir("/proc/self/fd"));
	show(chmod("/proc/self/maps", 0777));
	show(access("/proc/99999999", F_OK));
	show(access("/proc/0", F_OK));
	show(access("/proc/01", F_OK));
	show(open("/proc/sys/kernel/ostype", O_WRONLY));
	show(open("/proc/sys/kernel", O_WRONLY));
	int fd = open("/proc/self/maps", O_WRONLY);
	show(write(fd, "x", 1));
	show_ok(open("/proc/self/comm", O_WRONLY | O_TRUNC));
	show_ok(open("/proc/self/maps", O_RDONLY | O_DIRECTORY));
	show(read(open("/proc/self", O_RDONLY), text, 1));
	show(read(open("/proc", O_RDONLY), text, 1));
}

CHECK(positions)
{
	int fd = open("/proc/sys/kernel/ostype", O_RDONLY);
	show(read(fd, text, 100));
	show(read(fd, text, 100));
	show(pread(fd, text, 3, 2));
	say("%.3s", text);
	fd = open("/proc/self/status", O_RDONLY);
	show(read(fd, text, 6));
	show(lseek(fd, 0, SEEK_CUR));
	show(pread(fd, text, 4, 1));
	say("%.4s", text);
	show(lseek(fd, 0, SEEK_CUR));
	show(lseek(fd, 1L << 40, SEEK_SET));
	show(read(fd, text, 4));
	show(lseek(fd, -1, SEEK_SET));
	show(lseek(fd, 0, SEEK_END));
	fd = open("/proc", O_RDONLY);
	show(lseek(fd, 0, SEEK_END));
	show(lseek(fd, 1L << 40, SEEK_SET));
}

CHECK(polling)
{
	static const char *names[] = { "/proc/self/maps", "/proc/self/mounts", "/proc/meminfo", "/proc/sys/kernel/ostype" };
	// Others may mount something meanwhile.
	IN_CHILD("child") {
		have_own_mounts();
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			struct pollfd poll_fd = { open(names[i], O_RDONLY), POLLIN | POLLOUT | POLLPRI, 0 };
			poll(&poll_fd, 1, 0);
			say("%s: %s", names[i], poll_names(poll_fd.revents));
		}
	}
}

static void compare_mounts(void)
{
	static char copy[1 << 20];
	long lines = 0, info = 0;
	slurp("/proc/mounts");
	strcpy(copy, text);
	slurp("/proc/self/mounts");
	say("one and the same: %d", !strcmp(copy, text));
	for (char *at = text; at; at = strchr(at + 1, '\n'))
		lines++;
	bool proc = false, words = true;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char source[1024], place[1024], type[64], options[2048];
		int dump, pass;
		words &= sscanf(line, "%1023s %1023s %63s %2047s %d %d", source, place, type, options, &dump, &pass) == 6;
		proc |= !strcmp(place, "/proc") && !strcmp(type, "proc") && !strncmp(options, "rw", 2);
	}
	say("six words a line: %d", words);
	say("procfs on /proc: %d", proc);
	slurp("/proc/self/mountinfo");
	words = true;
	bool root = false;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		int id, parent, major, minor;
		char part[1024], place[1024], options[1024];
		words &= sscanf(line, "%d %d %d:%d %1023s %1023s %1023s", &id, &parent, &major, &minor, part, place, options) == 7;
		words &= strstr(line, " - ") != NULL;
		struct stat st;
		if (!strcmp(place, "/") && !stat("/", &st))
			root |= st.st_dev == (dev_t)((major << 8) | minor);
		info++;
	}
	say("mountinfo: %d, as many: %d, device of /: %d", words, info == lines, root);
}

CHECK(mounts)
{
	IN_CHILD("child") {
		have_own_mounts();
		compare_mounts();
	}
}
