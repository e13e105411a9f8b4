// renameat2.c: rename without replacing, exchange, whiteouts.
//
// Calls: renameat2
// Passes: host acrida
// Places: disk tmpfs
#include "renaming.h"

static long rename2(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

CHECK(no_replace)
{
	make("a", "A");
	make("b", "B");
	mkdir("d", 0755);
	symlink("missing", "l");
	show(rename2("a", "b", RENAME_NOREPLACE));
	show(rename2("a", "a", RENAME_NOREPLACE));
	show(rename2("a", "d", RENAME_NOREPLACE));
	show(rename2("a", "l", RENAME_NOREPLACE));
	show(rename2("d", "a", RENAME_NOREPLACE));
	show(rename2("a", ".", RENAME_NOREPLACE));
	show(rename2("a", "c", RENAME_NOREPLACE));
	state("a");
	state("c");
	show(rename2("missing", "b", RENAME_NOREPLACE));
	show(rename2("missing", "new", RENAME_NOREPLACE));
	link("b", "b2");
	show(rename2("b", "b2", RENAME_NOREPLACE));
}

CHECK(exchange)
{
	make("a", "A");
	make("b", "B");
	mkdir("d", 0755);
	make("d/f", "F");
	symlink("missing", "l");
	show(rename2("a", "b", RENAME_EXCHANGE));
	state("a");
	state("b");
	show(rename2("a", "d", RENAME_EXCHANGE));
	state("a");
	state("d");
	show(rename2("a/f", "l", RENAME_EXCHANGE));
	state("a/f");
	state("l");
	show(rename2("a", "missing", RENAME_EXCHANGE));
	show(rename2("missing", "a", RENAME_EXCHANGE));
	show(rename2("a", "a", RENAME_EXCHANGE));
	show(rename2("a", "a/f", RENAME_EXCHANGE));
	show(rename2("a/f", "a", RENAME_EXCHANGE));
	show(rename2("d/", "a", RENAME_EXCHANGE));
	show(rename2("a/", "d", RENAME_EXCHANGE));
}

CHECK(exchange_keeps_link_counts)
{
	struct stat st;
	mkdir("p", 0755);
	mkdir("p/sub", 0755);
	mkdir("q", 0755);
	make("q/f", "F");
	show(rename2("p/sub", "q/f", RENAME_EXCHANGE));
	stat("p", &st);
	show(st.st_nlink);
	stat("q", &st);
	show(st.st_nlink);
	show(access("q/f/../f", F_OK));
}

CHECK(flag_errors)
{
	make("a", "A");
	make("b", "B");
	show(rename2("a", "b", RENAME_NOREPLACE | RENAME_EXCHANGE));
	show(rename2("a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE));
	show(rename2("a", "b", 8));
	show(rename2("missing", "b", 8));
	show(rename2(bad_pointer(), "b", 8));
	show(syscall(SYS_renameat2, 99, "a", 99, "b", 8));
	show(rename2("a", "c", 0));
}

CHECK(whiteout)
{
	struct stat st;
	make("a", "A");
	if (show(rename2("a", "b", RENAME_WHITEOUT)) == 0) {
		lstat("a", &st);
		say("%s, device %d", type_name(st.st_mode), (int)st.st_rdev);
	}
	show(rename2("a", "c", RENAME_WHITEOUT | RENAME_NOREPLACE));
	state("b");
}

CHECK(across_file_systems)
{
	make("a", "A");
	show(rename2("a", "/proc/x", 0));
	show(rename2("a", "/proc/x", RENAME_NOREPLACE));
	show(rename2("a", "/proc/self/status", RENAME_EXCHANGE));
	show(rename2("/proc/self/status", "a", RENAME_NOREPLACE));
}
