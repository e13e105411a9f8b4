// credentials.c: user and group numbers: getters, the set*id family, supplementary groups.
//
// Calls: getuid geteuid getgid getegid getresuid getresgid setuid setgid setreuid setregid setresuid setresgid setfsuid
// Calls: setfsgid getgroups setgroups
// Passes: host acrida
// Needs: root
#include "process.h"

#include <grp.h>
#include <sys/fsuid.h>

static void ids(const char *name)
{
	unsigned u[3], g[3];
	raw(SYS_getresuid, &u[0], &u[1], &u[2]);
	raw(SYS_getresgid, &g[0], &g[1], &g[2]);
	report(name, "uid %d/%d/%d fs %ld gid %d/%d/%d fs %ld", u[0], u[1], u[2], raw(SYS_setfsuid, -1L), g[0], g[1],
	       g[2], raw(SYS_setfsgid, -1L));
}

#define CALL(...) report(#__VA_ARGS__, "%s", outcome(raw(__VA_ARGS__)))

CHECK(getters)
{
	unsigned word;
	ids("start");
	report_flag("agree", raw(SYS_getuid) == 0 && raw(SYS_geteuid) == 0 && raw(SYS_getgid) == getgid() &&
				     raw(SYS_getegid) == getegid());
	CALL(SYS_getresuid, BAD, &word, &word);
	CALL(SYS_getresuid, &word, BAD, &word);
	CALL(SYS_getresuid, &word, &word, 0L);
	CALL(SYS_getresgid, BAD, &word, &word);
	CALL(SYS_getresgid, &word, &word, BAD);
}

CHECK(setuid_as_root)
{
	IN_CHILD("child")
	{
		CALL(SYS_setuid, -1L);
		CALL(SYS_setuid, 1001L);
		ids("after");
		CALL(SYS_setuid, 0L);
		CALL(SYS_setuid, 1001L);
		CALL(SYS_setreuid, 0L, -1L);
		CALL(SYS_setresuid, -1L, -1L, 0L);
		CALL(SYS_setresuid, -1L, -1L, -1L);
		ids("still");
	}
}

CHECK(setuid_with_saved)
{
	IN_CHILD("child")
	{
		CALL(SYS_setresuid, 1001L, 1002L, 1003L);
		ids("three");
		CALL(SYS_setuid, 1002L);
		CALL(SYS_setuid, 1003L);
		ids("effective-from-saved");
		CALL(SYS_setuid, 1001L);
		ids("effective-from-real");
		CALL(SYS_setuid, 1004L);
	}
}

CHECK(setreuid)
{
	IN_CHILD("root")
	{
		CALL(SYS_setreuid, -1L, -1L);
		ids("nothing");
		CALL(SYS_setreuid, -1L, 1001L);
		ids("effective-only");
		CALL(SYS_setreuid, -1L, 0L);
		CALL(SYS_setreuid, 1001L, -1L);
		ids("real-sets-saved");
		CALL(SYS_setreuid, 1002L, 1003L);
		ids("both");
		CALL(SYS_setreuid, -1L, 1002L);
		ids("swap");
		CALL(SYS_setreuid, 1003L, -1L);
		CALL(SYS_setreuid, 1002L, 1003L);
		ids("end");
	}
}

CHECK(setresuid)
{
	IN_CHILD("unprivileged")
	{
		CALL(SYS_setresuid, 1001L, 1002L, 1003L);
		CALL(SYS_setresuid, 1003L, 1001L, 1002L);
		ids("permuted");
		CALL(SYS_setresuid, 1004L, -1L, -1L);
		CALL(SYS_setresuid, -1L, 1004L, -1L);
		CALL(SYS_setresuid, -1L, -1L, 1004L);
		CALL(SYS_setresuid, 1001L, 1001L, 1004L);
		ids("a-failed-call-changes-nothing");
		CALL(SYS_setresuid, 1001L, 1001L, 1001L);
		CALL(SYS_setresuid, 1003L, -1L, -1L);
	}
}

CHECK(groups_of_one)
{
	IN_CHILD("root")
	{
		CALL(SYS_setgid, -1L);
		CALL(SYS_setgid, 2001L);
		ids("setgid");
		CALL(SYS_setregid, 2002L, 2003L);
		ids("setregid");
		CALL(SYS_setresgid, 2004L, -1L, 2005L);
		ids("setresgid");
		CALL(SYS_setuid, 1001L);
		CALL(SYS_setgid, 2006L);
		CALL(SYS_setgid, 2005L);
		ids("unprivileged-setgid");
		CALL(SYS_setregid, 2005L, -1L);
		CALL(SYS_setregid, -1L, 2004L);
		CALL(SYS_setresgid, 2006L, -1L, -1L);
		ids("end");
	}
}

CHECK(fs_ids)
{
	IN_CHILD("child")
	{
		report("setfsuid-returns-old", "%ld", raw(SYS_setfsuid, 1001L));
		ids("fs-only");
		report("setfsuid-again", "%ld", raw(SYS_setfsuid, -1L));
		raw(SYS_setresuid, -1L, 1002L, -1L);
		ids("follows-effective");
		report("unprivileged-stranger", "%ld", raw(SYS_setfsuid, 1003L));
		ids("unchanged");
		report("to-saved", "%ld", raw(SYS_setfsuid, 0L));
		ids("allowed");
		report("setfsgid", "%ld", raw(SYS_setfsgid, 5L));
	}
}

CHECK(supplementary)
{
	gid_t list[8] = {30, 10, 20, 10}, out[70] = {0};
	IN_CHILD("child")
	{
		CALL(SYS_setgroups, 4L, list);
		report("count", "%ld", raw(SYS_getgroups, 0L, 0L));
		report("count-ignores-pointer", "%ld", raw(SYS_getgroups, 0L, BAD));
		CALL(SYS_getgroups, 3L, out);
		CALL(SYS_getgroups, -1L, out);
		CALL(SYS_getgroups, 4L, BAD);
		CALL(SYS_getgroups, 70L, out);
		report("list", "%d %d %d %d", out[0], out[1], out[2], out[3]);
		CALL(SYS_setgroups, 65537L, list);
		CALL(SYS_setgroups, -1L, list);
		CALL(SYS_setgroups, 2L, BAD);
		CALL(SYS_setgroups, 2L, 0L);
		list[1] = -1;
		CALL(SYS_setgroups, 4L, list);
		report("unchanged", "%ld", raw(SYS_getgroups, 0L, 0L));
		CALL(SYS_setgroups, 0L, 0L);
		report("emptied", "%ld", raw(SYS_getgroups, 0L, 0L));
		CALL(SYS_setuid, 1001L);
		CALL(SYS_setgroups, 0L, 0L);
		CALL(SYS_setgroups, 65537L, BAD);
	}
}

// Kernel credentials belong to the thread; libc's wrappers make all threads follow.
static void *raw_setuid(void *arg)
{
	(void)arg;
	raw(SYS_setresuid, 1001L, 1001L, 1001L);
	return (void *)raw(SYS_getuid);
}
static void *libc_setuid(void *arg)
{
	(void)arg;
	return (void *)(long)(setresuid(1002, 1002, 1002) + getuid());
}

CHECK(threads)
{
	IN_CHILD("child")
	{
		pthread_t thread;
		void *result;
		pthread_create(&thread, NULL, raw_setuid, NULL);
		pthread_join(thread, &result);
		report("thread-has", "%ld, main has %ld", (long)result, raw(SYS_getuid));
		pthread_create(&thread, NULL, libc_setuid, NULL);
		pthread_join(thread, &result);
		report("libc-thread-has", "%ld, main has %ld", (long)result, raw(SYS_getuid));
	}
}

// What the numbers are for: access to files.
CHECK(access_follows)
{
	int fd = open("secret", O_CREAT | O_RDWR, 0640);
	need(fchown(fd, 1001, 2001));
	need(chmod(".", 0777));
	static const int users[][2] = {{1001, 9}, {9, 2001}, {9, 9}};
	for (int i = 0; i < 3; i++) {
		IN_CHILD("child")
		{
			setgroups(0, NULL);
			need(setresgid(users[i][1], users[i][1], users[i][1]));
			need(setresuid(users[i][0], users[i][0], users[i][0]));
			int directory = open(".", O_PATH);
			report("who", "%d:%d read %s write %s", users[i][0], users[i][1],
			       outcome_ok(folded(openat(directory, "secret", O_RDONLY))),
			       outcome_ok(folded(openat(directory, "secret", O_WRONLY))));
		}
	}
	IN_CHILD("supplementary")
	{
		gid_t group = 2001;
		setgroups(1, &group);
		need(setresgid(9, 9, 9));
		need(setresuid(9, 9, 9));
		report_ok("read", folded(open("secret", O_RDONLY)));
		report_ok("write", folded(open("secret", O_WRONLY)));
	}
	IN_CHILD("real-or-effective")
	{
		need(setresuid(1001, 0, 0));
		report_ok("access-goes-by-real", folded(access("secret", W_OK)));
		report_ok("open-goes-by-effective", folded(open("/etc/shadow", O_RDONLY)));
	}
}
