// proc_fd.c: what /proc says about descriptors.
//
// Calls: readlink open stat getdents64 on /proc/self/fd and fdinfo
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <dirent.h>

static char text[PATH_MAX];

// The target with digits in brackets and the check's directory hidden.
static void target(const char *what, int fd)
{
	char path[64], base[PATH_MAX], shown[PATH_MAX + 16], *to = shown;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	long length = readlink(path, text, sizeof text - 1);
	if (length < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	text[length] = 0;
	getcwd(base, sizeof base);
	const char *from = text;
	if (!strncmp(text, base, strlen(base))) {
		to += sprintf(to, "<here>");
		from += strlen(base);
	}
	for (bool inside = false; *from; from++) {
		if (*from == '[' || *from == ']') {
			inside = *from == '[';
			*to++ = *from;
			if (inside && from[1] >= '0' && from[1] <= '9')
				*to++ = 'n';
		} else if (!inside || *from < '0' || *from > '9') {
			*to++ = *from;
		}
	}
	*to = 0;
	say("%s: %s", what, shown);
}

CHECK(targets)
{
	int p[2];
	mkdir("d", 0755);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	target("file", fd);
	target("directory", open("d", O_RDONLY));
	target("path only", open("d", O_PATH));
	pipe(p);
	target("pipe", p[0]);
	target("device", open("/dev/null", O_RDWR));
	target("root", open("/", O_RDONLY));
	rename("f", "g");
	target("renamed", fd);
	unlink("g");
	target("deleted", fd);
	close(open("g", O_CREAT | O_RDWR, 0644));
	target("still deleted", fd);
	rmdir("d");
	target("file again", open("g", O_RDONLY));
	target("memfd", memfd_create("name", 0));
	target("closed", 99);
	mkfifo("p", 0644);
	target("fifo", open("p", O_RDWR));
	int hidden = open(".", O_TMPFILE | O_RDWR, 0600);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", hidden);
	long length = readlink(path, text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	say("nameless file is marked deleted: %d", strstr(text, " (deleted)") != NULL);
}

CHECK(links_themselves)
{
	struct stat st;
	int r = open("f", O_CREAT | O_RDONLY, 0644), w = open("f", O_WRONLY), rw = open("f", O_RDWR), o = open("f", O_PATH);
	int fds[] = { r, w, rw, o };
	for (int i = 0; i < 4; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", fds[i]);
		show(lstat(path, &st));
		say("%s %o", type_name(st.st_mode), st.st_mode & 07777);
		stat(path, &st);
		say("%s", type_name(st.st_mode));
	}
	show(unlink("/proc/self/fd/3"));
	show(mkdir("/proc/self/fd/x", 0755));
	show(access("/proc/self/fd/99", F_OK));
	show(access("/proc/self/fd/x", F_OK));
	show(access("/proc/self/fd/03", F_OK));
	show(access("/proc/self/fd/-1", F_OK));
}

CHECK(listing)
{
	for (int i = 0; i < 3; i++)
		dup(0);
	dup2(0, 42);
	int fd = open("/proc/self/fd", O_RDONLY);
	char line[512] = "", *end = line;
	long length;
	while ((length = syscall(SYS_getdents64, fd, text, sizeof text)) > 0) {
		for (long at = 0; at < length;) {
			struct dirent64 *entry = (void *)(text + at);
			end += sprintf(end, " %s", entry->d_name);
			at += entry->d_reclen;
		}
	}
	say("entries:%s", line);
}

CHECK(a_new_open_file)
{
	char path[64];
	int fd = open("f", O_CREAT | O_RDWR | O_APPEND, 0644);
	write(fd, "abcdef", 6);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int again = show(open(path, O_RDONLY));
	show(lseek(again, 0, SEEK_CUR));
	say("%s", open_names(fcntl(again, F_GETFL)));
	show(open(path, O_RDONLY | O_DIRECTORY));
	show(open(path, O_WRONLY | O_TRUNC));
	struct stat st;
	fstat(fd, &st);
	show(st.st_size);
	int r = open("f", O_RDONLY);
	snprintf(path, sizeof path, "/proc/self/fd/%d", r);
	show(open(path, O_RDWR));
	mkdir("d", 0755);
	close(open("d/inside", O_CREAT | O_WRONLY, 0644));
	snprintf(path, sizeof path, "/proc/self/fd/%d/inside", open("d", O_PATH));
	show(open(path, O_RDONLY));
	snprintf(path, sizeof path, "/proc/self/fd/%d/inside", r);
	show(open(path, O_RDONLY));
	snprintf(path, sizeof path, "/dev/fd/%d", r);
	show(open(path, O_RDONLY));
}

static void fdinfo(const char *what, int fd)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY);
	long length = read(info, text, sizeof text - 1);
	if (length < 0) {
		say("%s: %s", what, errno_name(errno));
		return;
	}
	text[length] = 0;
	close(info);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, "pos:", 4) || !strncmp(line, "flags:", 6))
			say("%s: %s", what, line);
}

CHECK(info)
{
	int p[2], fd = open("f", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0644);
	write(fd, "abcdef", 6);
	lseek(fd, 4, SEEK_SET);
	fdinfo("file", fd);
	pipe2(p, O_NONBLOCK);
	fdinfo("read end", p[0]);
	fdinfo("write end", p[1]);
	fdinfo("path only", open("f", O_PATH));
	fdinfo("closed", 99);
}

CHECK(own_directories)
{
	char base[PATH_MAX];
	getcwd(base, sizeof base);
	long length = readlink("/proc/self/cwd", text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	say("cwd: %d", !strcmp(text, base));
	length = readlink("/proc/self/root", text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	say("root: %s", text);
	length = readlink("/proc/self", text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	say("self: %d", atoi(text) == getpid());
	length = readlink("/proc/thread-self", text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	char wanted[64];
	snprintf(wanted, sizeof wanted, "%d/task/%d", getpid(), gettid());
	say("thread-self: %d", !strcmp(text, wanted));
	mkdir("d", 0755);
	chdir("d");
	rmdir("../d");
	length = readlink("/proc/self/cwd", text, sizeof text - 1);
	text[length > 0 ? length : 0] = 0;
	say("removed cwd: ...%s", text + strlen(base));
}
