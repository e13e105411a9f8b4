// statx.c: the extended stat.
//
// Calls: statx
// Passes: host acrida
// Places: disk tmpfs
#include "check.h"

static struct statx x;

static void show_mask(uint32_t mask)
{
	static const struct flag flags[] = {
		FLAG(STATX_TYPE), FLAG(STATX_MODE), FLAG(STATX_NLINK), FLAG(STATX_UID), FLAG(STATX_GID), FLAG(STATX_ATIME),
		FLAG(STATX_MTIME), FLAG(STATX_CTIME), FLAG(STATX_INO), FLAG(STATX_SIZE), FLAG(STATX_BLOCKS), FLAG(STATX_BTIME),
		END_OF_FLAGS,
	};
	say("mask %s", flag_names(mask & 0xfff, flags));
}

CHECK(basic)
{
	int fd = open("f", O_CREAT | O_RDWR, 0640);
	write(fd, "abc", 3);
	show(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
	say("%s %o links %u uid %u gid %u size %lu", type_name(x.stx_mode), x.stx_mode & 07777, x.stx_nlink, x.stx_uid, x.stx_gid,
	    (unsigned long)x.stx_size);
	show_mask(x.stx_mask & STATX_BASIC_STATS);
	struct stat st;
	stat("f", &st);
	say("inode as in stat: %d, device as in stat: %d", x.stx_ino == st.st_ino,
	    st.st_dev == ((x.stx_dev_major & 0xfffu) << 8 | (x.stx_dev_minor & 0xffu) | (x.stx_dev_minor & ~0xffu) << 12));
	say("mtime as in stat: %d", x.stx_mtime.tv_sec == st.st_mtim.tv_sec && x.stx_mtime.tv_nsec == st.st_mtim.tv_nsec);
}

CHECK(masks)
{
	close(open("f", O_CREAT | O_RDWR, 0640));
	show(statx(AT_FDCWD, "f", 0, 0, &x));
	show(statx(AT_FDCWD, "f", 0, STATX_SIZE, &x));
	say("size is there: %d", !!(x.stx_mask & STATX_SIZE));
	show(statx(AT_FDCWD, "f", 0, STATX_BTIME, &x));
	say("birth time is there: %d, not before 2000: %d", !!(x.stx_mask & STATX_BTIME), x.stx_btime.tv_sec > 946684800);
	show(statx(AT_FDCWD, "f", 0, STATX_ALL, &x));
	show(statx(AT_FDCWD, "f", 0, 0x80000000u, &x));
	show(statx(AT_FDCWD, "f", 0, 0x40000000u, &x));
}

CHECK(flags)
{
	symlink("missing", "l");
	int fd = open("f", O_CREAT | O_RDWR, 0640);
	show(statx(AT_FDCWD, "l", 0, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x));
	say("%s", type_name(x.stx_mode));
	show(statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &x));
	show(statx(fd, "", 0, STATX_TYPE, &x));
	show(statx(99, "", AT_EMPTY_PATH, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "f", AT_STATX_DONT_SYNC, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "f", AT_NO_AUTOMOUNT, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "f", AT_SYMLINK_FOLLOW, STATX_TYPE, &x));
	show(statx(AT_FDCWD, "f", 0x10000, STATX_TYPE, &x));
}

CHECK(pointers)
{
	int fd = open("f", O_CREAT | O_RDWR, 0640);
	show(syscall(SYS_statx, AT_FDCWD, NULL, 0, STATX_TYPE, &x));
	show(syscall(SYS_statx, AT_FDCWD, bad_pointer(), 0, STATX_TYPE, &x));
	show(syscall(SYS_statx, fd, NULL, AT_EMPTY_PATH, STATX_TYPE, &x));
	show(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_TYPE, NULL));
	show(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_TYPE, bad_pointer()));
	show(syscall(SYS_statx, AT_FDCWD, "missing", 0, STATX_TYPE, bad_pointer()));
	show(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_TYPE, at_edge(255)));
	show(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_TYPE, at_edge(256)));
	show(syscall(SYS_statx, AT_FDCWD, NULL, 0x10000, 0x80000000u, NULL));
}

CHECK(devices)
{
	show(statx(AT_FDCWD, "/dev/null", 0, STATX_BASIC_STATS, &x));
	say("%s %u:%u", type_name(x.stx_mode), x.stx_rdev_major, x.stx_rdev_minor);
	int p[2];
	pipe(p);
	show(statx(p[0], "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x));
	say("%s links %u size %lu", type_name(x.stx_mode), x.stx_nlink, (unsigned long)x.stx_size);
}
