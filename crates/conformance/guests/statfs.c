// statfs.c: what a file system says about itself.
//
// Calls: statfs fstatfs ustat
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"
#include <sys/statfs.h>
#include <sys/statvfs.h>

CHECK(plausible)
{
	struct statfs fs;
	show(statfs(".", &fs));
	say("type %#lx, block size %ld, fragment size %ld, longest name %ld", (long)fs.f_type, (long)fs.f_bsize, (long)fs.f_frsize,
	    (long)fs.f_namelen);
	say("free within size: %d, available within free: %d", fs.f_bfree <= fs.f_blocks, fs.f_bavail <= fs.f_bfree);
	say("files: free within all: %d", fs.f_ffree <= fs.f_files);
	say("spare is zero: %d", !fs.f_spare[0] && !fs.f_spare[1] && !fs.f_spare[2] && !fs.f_spare[3]);
}

CHECK(by_descriptor_as_by_path)
{
	struct statfs a = { 0 }, b = { 0 };
	close(open("f", O_CREAT | O_WRONLY, 0644));
	int fd = open("f", O_RDONLY);
	show(statfs("f", &a));
	show(fstatfs(fd, &b));
	say("same type %d, same id %d", a.f_type == b.f_type, !memcmp(&a.f_fsid, &b.f_fsid, sizeof a.f_fsid));
	int path = open("f", O_PATH);
	show(fstatfs(path, &b));
}

CHECK(others)
{
	struct statfs fs;
	int p[2];
	pipe(p);
	show(fstatfs(p[0], &fs));
	say("pipe: type %#lx", (long)fs.f_type);
	show(statfs("/proc", &fs));
	say("/proc: type %#lx", (long)fs.f_type);
	show(statfs("/proc/self/fd", &fs));
	say("/proc/self/fd: type %#lx", (long)fs.f_type);
}

CHECK(errors)
{
	struct statfs fs;
	close(open("f", O_CREAT | O_WRONLY, 0644));
	show(statfs("missing", &fs));
	show(statfs("f/", &fs));
	show(statfs("", &fs));
	show(statfs(bad_pointer(), &fs));
	show(statfs(".", bad_pointer()));
	show(statfs("missing", bad_pointer()));
	show(fstatfs(99, &fs));
	show(fstatfs(99, bad_pointer()));
	show(fstatfs(0, NULL));
	show(syscall(SYS_statfs, ".", at_edge(sizeof fs - 1)));
}
