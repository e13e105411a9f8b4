// utimensat.c: setting times.
//
// Calls: utimensat utimes utime futimesat
// Passes: host acrida
// Places: disk tmpfs
// Needs: root
#include "check.h"
#include <grp.h>
#include <sys/time.h>
#include <utime.h>

static void state(const char *name)
{
	struct stat st;
	lstat(name, &st);
	// A time after 2001 was taken from the clock.
	char a[48], m[48];
	snprintf(a, sizeof a, st.st_atim.tv_sec > 1000000000 ? "now" : "%ld.%09ld", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec);
	snprintf(m, sizeof m, st.st_mtim.tv_sec > 1000000000 ? "now" : "%ld.%09ld", (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	say("%s: accessed %s, modified %s", name, a, m);
}

static int file(void)
{
	return need(open("f", O_CREAT | O_RDWR, 0644));
}

CHECK(values)
{
	file();
	struct timespec t[2] = { { 111, 222 }, { 333, 999999999 } };
	show(utimensat(AT_FDCWD, "f", t, 0));
	state("f");
	t[0] = (struct timespec){ 5, UTIME_OMIT };
	t[1] = (struct timespec){ 444, 555 };
	show(utimensat(AT_FDCWD, "f", t, 0));
	state("f");
	t[0] = (struct timespec){ 5, UTIME_NOW };
	t[1] = (struct timespec){ 444, UTIME_OMIT };
	show(utimensat(AT_FDCWD, "f", t, 0));
	state("f");
	show(utimensat(AT_FDCWD, "f", NULL, 0));
	state("f");
	t[0] = (struct timespec){ -100, 7 };
	t[1] = (struct timespec){ 0, 0 };
	show(utimensat(AT_FDCWD, "f", t, 0));
	state("f");
}

CHECK(errors)
{
	int fd = file();
	struct timespec bad[2] = { { 0, 1000000000 }, { 0, 0 } }, omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	show(utimensat(AT_FDCWD, "f", bad, 0));
	bad[0].tv_nsec = -1;
	show(utimensat(AT_FDCWD, "f", bad, 0));
	show(utimensat(AT_FDCWD, "missing", bad, 0));
	show(utimensat(AT_FDCWD, "missing", omit, 0));
	show(utimensat(AT_FDCWD, "missing", NULL, 0));
	show(utimensat(99, "f", omit, 0));
	show(utimensat(99, "f", NULL, 0));
	show(syscall(SYS_utimensat, AT_FDCWD, bad_pointer(), NULL, 0));
	show(syscall(SYS_utimensat, AT_FDCWD, "f", bad_pointer(), 0));
	show(syscall(SYS_utimensat, AT_FDCWD, "f", at_edge(16), 0));
	show(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
	show(syscall(SYS_utimensat, fd, NULL, NULL, 0));
	show(syscall(SYS_utimensat, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW));
	show(syscall(SYS_utimensat, 99, NULL, NULL, 0));
	show(syscall(SYS_utimensat, AT_FDCWD, "f", NULL, 1));
	show(syscall(SYS_utimensat, AT_FDCWD, "", NULL, AT_EMPTY_PATH));
}

CHECK(links)
{
	file();
	symlink("f", "l");
	struct timespec t[2] = { { 11, 0 }, { 22, 0 } };
	show(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
	state("l");
	t[0].tv_sec = 33;
	show(utimensat(AT_FDCWD, "l", t, 0));
	state("f");
}

CHECK(older_calls)
{
	file();
	struct timeval tv[2] = { { 10, 999999 }, { 20, 1 } };
	show(utimes("f", tv));
	state("f");
	tv[0].tv_usec = 1000000;
	show(utimes("f", tv));
	tv[0].tv_usec = -1;
	show(utimes("f", tv));
	show(syscall(SYS_utimes, "f", bad_pointer()));
	struct utimbuf times = { 100, 200 };
	show(syscall(SYS_utime, "f", &times));
	state("f");
	show(syscall(SYS_utime, "f", bad_pointer()));
	show(syscall(SYS_utime, "missing", NULL));
	show(syscall(SYS_futimesat, AT_FDCWD, "f", NULL));
	state("f");
}

CHECK(permission)
{
	file();
	chmod("f", 0666);
	chmod(".", 0755);
	struct timespec t[2] = { { 1, 0 }, { 2, 0 } }, now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } },
			half[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } }, omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	for (int writable = 1; writable >= 0; writable--) {
		chmod("f", writable ? 0666 : 0644);
		IN_CHILD(writable ? "may write" : "may not write") {
			setgroups(0, NULL);
			setresgid(1000, 1000, 1000);
			setresuid(1000, 1000, 1000);
			show(utimensat(AT_FDCWD, "f", t, 0));
			show(utimensat(AT_FDCWD, "f", NULL, 0));
			show(utimensat(AT_FDCWD, "f", now, 0));
			show(utimensat(AT_FDCWD, "f", half, 0));
			show(utimensat(AT_FDCWD, "f", omit, 0));
		}
	}
}

// Standard output came from outside; what is said changes its other time.
CHECK(inherited_file)
{
	struct timespec times[2] = { { 1000, 5 }, { 2000, 6 } };
	struct stat st;
	show(futimens(1, times));
	fstat(1, &st);
	show(st.st_atime);
}
