// system_info.c: uname, sysinfo, personality, getrandom, getrusage, hostnames, calls that do not exist.
//
// Calls: uname sysinfo personality getrandom getrusage sethostname
// Passes: host acrida
// Options: --quiet
#include "process.h"

#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

CHECK(uname)
{
	struct utsname name;
	memset(&name, 'x', sizeof name);
	report_result("uname", raw(SYS_uname, &name));
	report("is", "%s %s", name.sysname, name.machine);
	report_flag("release-is-a-version",
		    name.release[0] >= '1' && name.release[0] <= '9' && strchr(name.release, '.'));
	report_flag("all-end",
		    memchr(name.nodename, 0, 65) && memchr(name.version, 0, 65) && memchr(name.domainname, 0, 65));
	report_result("bad", raw(SYS_uname, BAD));
	report_result("null", raw(SYS_uname, 0L));
	report_result("edge", raw(SYS_uname, at_edge(389)));
	char text[65];
	report_flag("gethostname-agrees", gethostname(text, sizeof text) == 0 && !strcmp(text, name.nodename));
	report_result("sethostname-too-long", raw(SYS_sethostname, text, 65L));
	report_result("sethostname-negative", raw(SYS_sethostname, text, -1L));
	report_result("sethostname-bad", raw(SYS_sethostname, BAD, 5L));
}

CHECK(sysinfo)
{
	struct sysinfo info;
	report_result("sysinfo", raw(SYS_sysinfo, &info));
	report_flag("uptime", info.uptime > 0);
	report_flag("memory", info.totalram >= info.freeram && info.freeram > 0);
	report("unit", "%u", info.mem_unit);
	report_flag("processes", info.procs > 0);
	report_result("bad", raw(SYS_sysinfo, BAD));
	report_result("null", raw(SYS_sysinfo, 0L));
}

CHECK(personality)
{
	report_result("query", raw(SYS_personality, 0xffffffffL));
	IN_CHILD("child")
	{
		report_result("set", raw(SYS_personality, (long)ADDR_NO_RANDOMIZE));
		report("now", "%#lx", raw(SYS_personality, 0xffffffffL));
		pid_t pid = start();
		if (pid == 0)
			_exit(raw(SYS_personality, 0xffffffffL) == ADDR_NO_RANDOMIZE);
		report("inherited", "%s", ending(pid));
		report("upper-half-ignored", "%#lx", raw(SYS_personality, 0x100000000L));
		report("now", "%#lx", raw(SYS_personality, 0xffffffffL));
	}
}

CHECK(getrandom)
{
	unsigned char a[64] = {0}, b[64] = {0};
	report_result("sixty-four", raw(SYS_getrandom, a, 64L, 0L));
	report_result("again", raw(SYS_getrandom, b, 64L, (long)GRND_NONBLOCK));
	report_flag("differ", memcmp(a, b, 64) != 0);
	report_result("insecure", raw(SYS_getrandom, a, 64L, 4L));
	report_result("random-pool", raw(SYS_getrandom, a, 64L, (long)GRND_RANDOM));
	report_result("zero", raw(SYS_getrandom, a, 0L, 0L));
	report_result("zero-bad", raw(SYS_getrandom, BAD, 0L, 0L));
	report_result("bad", raw(SYS_getrandom, BAD, 64L, 0L));
	report_result("unknown-flag", raw(SYS_getrandom, a, 64L, 8L));
	report_result("random-and-insecure", raw(SYS_getrandom, a, 64L, 6L));
	report_result("flag-before-pointer", raw(SYS_getrandom, BAD, 64L, 8L));
	report_result("edge-partial", raw(SYS_getrandom, at_edge(10), 64L, 0L));
	static char large[1 << 20];
	report_result("a-megabyte", raw(SYS_getrandom, large, (long)sizeof large, 0L));
}

// In a process without children of its own so far.
static void usage(void)
{
	struct rusage self, thread, children;
	report_result("self", raw(SYS_getrusage, (long)RUSAGE_SELF, &self));
	report_result("thread", raw(SYS_getrusage, (long)RUSAGE_THREAD, &thread));
	report_result("children", raw(SYS_getrusage, (long)RUSAGE_CHILDREN, &children));
	report_result("who-2", raw(SYS_getrusage, 2L, &self));
	report_result("who-negative", raw(SYS_getrusage, -3L, &self));
	report_result("bad", raw(SYS_getrusage, (long)RUSAGE_SELF, BAD));
	report_result("who-before-bad", raw(SYS_getrusage, 2L, BAD));
	report_flag("sane", self.ru_maxrss > 0 && self.ru_utime.tv_usec < 1000000);
	report("no-children-yet", "%ld %ld", children.ru_utime.tv_sec, children.ru_maxrss);
	// A child's time counts when it was waited for.
	pid_t pid = start();
	if (pid == 0) {
		do
			getrusage(RUSAGE_SELF, &self);
		while (self.ru_utime.tv_usec + self.ru_stime.tv_usec < 30000);
		_exit(0);
	}
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	getrusage(RUSAGE_CHILDREN, &children);
	report("before-wait", "%ld", children.ru_utime.tv_sec + children.ru_utime.tv_usec + children.ru_stime.tv_usec);
	ending(pid);
	getrusage(RUSAGE_CHILDREN, &children);
	report_flag("after-wait",
		    children.ru_utime.tv_usec + children.ru_stime.tv_usec >= 20000 && children.ru_maxrss > 0);
}

CHECK(getrusage)
{
	IN_CHILD("child")
	{
		usage();
	}
}

CHECK(missing_calls)
{
	static const long numbers[] = {-1,
				       500,
				       1000,
				       512,
				       1 << 20,
				       LONG_MAX,
				       0x40000000,
				       SYS_create_module,
				       SYS_get_kernel_syms,
				       SYS_query_module,
				       SYS_nfsservctl,
				       SYS_uselib,
				       SYS_vserver,
				       SYS_security,
				       SYS_tuxcall,
				       SYS_getpmsg,
				       SYS_afs_syscall,
				       SYS_epoll_ctl_old};
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
		report("call", "%ld %s", numbers[i], outcome(raw(numbers[i], 1L, 2L, 3L, 4L, 5L, 6L)));
}
