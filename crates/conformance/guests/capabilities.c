// capabilities.c: capget, capset, the bounding and ambient sets, and what setuid does to them.
//
// Calls: capget capset prctl
// Passes: host acrida
// Needs: root
#include "process.h"

#include <linux/capability.h>

static struct __user_cap_header_struct head(unsigned version, int pid)
{
	return (struct __user_cap_header_struct){.version = version, .pid = pid};
}

static void sets(const char *name)
{
	struct __user_cap_header_struct header = head(_LINUX_CAPABILITY_VERSION_3, 0);
	struct __user_cap_data_struct data[2] = {0};
	long result = raw(SYS_capget, &header, data);
	// How many capabilities root has depends on where the test runs; CAP_KILL and CAP_SETUID must be among them.
	unsigned mask = 1u << CAP_KILL | 1u << CAP_SETUID;
	report(name, "%s effective %#x permitted %#x inheritable %#x", outcome(result), data[0].effective & mask,
	       data[0].permitted & mask, data[0].inheritable & mask);
}

CHECK(versions)
{
	struct __user_cap_data_struct data[2];
	struct __user_cap_header_struct header = head(0, 0);
	report_result("unknown-version", raw(SYS_capget, &header, data));
	report_flag("preferred-written", header.version == _LINUX_CAPABILITY_VERSION_3);
	header.version = 0;
	report_result("unknown-version-no-data", raw(SYS_capget, &header, 0L));
	header.version = 0;
	report_result("unknown-version-capset", raw(SYS_capset, &header, data));
	header = head(_LINUX_CAPABILITY_VERSION_1, 0);
	memset(data, 0x55, sizeof data);
	report_result("version-1", raw(SYS_capget, &header, data));
	report_flag("version-1-one-block", data[1].effective == 0x55555555);
	header = head(_LINUX_CAPABILITY_VERSION_3, 0);
	report_result("no-data", raw(SYS_capget, &header, 0L));
	report_result("bad-data", raw(SYS_capget, &header, BAD));
	report_result("bad-header", raw(SYS_capget, BAD, data));
	report_result("null-header", raw(SYS_capget, 0L, data));
}

CHECK(targets)
{
	struct __user_cap_data_struct data[2];
	struct __user_cap_header_struct header = head(_LINUX_CAPABILITY_VERSION_3, -1);
	report_result("negative", raw(SYS_capget, &header, data));
	header.pid = 2000000000;
	report_result("missing", raw(SYS_capget, &header, data));
	header.pid = getpid();
	report_result("self", raw(SYS_capget, &header, data));
	header.pid = getppid() ? getppid() : 1;
	report_result("capset-other", raw(SYS_capset, &header, data));
}

CHECK(setuid_clears)
{
	IN_CHILD("drop")
	{
		sets("root");
		raw(SYS_setresuid, -1L, 1001L, -1L);
		sets("effective-user");
		raw(SYS_setresuid, -1L, 0L, -1L);
		sets("back");
		raw(SYS_setresuid, 1001L, 1001L, 1001L);
		sets("all-user");
	}
	IN_CHILD("keep")
	{
		report_result("keepcaps", folded(prctl(PR_SET_KEEPCAPS, 1)));
		raw(SYS_setresuid, 1001L, 1001L, 1001L);
		sets("kept-permitted");
		struct __user_cap_header_struct header = head(_LINUX_CAPABILITY_VERSION_3, 0);
		struct __user_cap_data_struct data[2];
		raw(SYS_capget, &header, data);
		data[0].effective = 1u << CAP_KILL;
		data[1].effective = 0;
		report_result("raise-effective", raw(SYS_capset, &header, data));
		sets("raised");
	}
}

CHECK(capset_rules)
{
	IN_CHILD("child")
	{
		struct __user_cap_header_struct header = head(_LINUX_CAPABILITY_VERSION_3, 0);
		struct __user_cap_data_struct data[2] = {{0}};
		data[0].permitted = data[0].effective = 1u << CAP_KILL | 1u << CAP_SETUID;
		report_result("reduce", raw(SYS_capset, &header, data));
		sets("reduced");
		data[0].effective |= 1u << CAP_CHOWN;
		report_result("effective-outside-permitted", raw(SYS_capset, &header, data));
		data[0].permitted |= 1u << CAP_CHOWN;
		report_result("permitted-cannot-grow", raw(SYS_capset, &header, data));
		data[0] = (struct __user_cap_data_struct){.inheritable = 1u << CAP_CHOWN};
		report_result("inheritable-outside", raw(SYS_capset, &header, data));
		data[0] = (struct __user_cap_data_struct){0};
		report_result("nothing", raw(SYS_capset, &header, data));
		sets("nothing-left");
		report_result("setuid-denied", raw(SYS_setuid, 1001L));
		report_result("capset-bad", raw(SYS_capset, &header, BAD));
	}
}

CHECK(bounding)
{
	IN_CHILD("child")
	{
		report_result("read", folded(prctl(PR_CAPBSET_READ, CAP_KILL)));
		report_result("read-invalid", folded(prctl(PR_CAPBSET_READ, 64)));
		report_result("drop-invalid", folded(prctl(PR_CAPBSET_DROP, 64)));
		report_result("drop", folded(prctl(PR_CAPBSET_DROP, CAP_KILL)));
		report_result("dropped", folded(prctl(PR_CAPBSET_READ, CAP_KILL)));
		sets("permitted-keeps-it");
		report_result("ambient-without-inheritable",
			      folded(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0)));
		report_result("ambient-is-set", folded(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETUID, 0, 0)));
		report_result("ambient-clear", folded(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)));
		report_result("ambient-garbage", folded(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0)));
		raw(SYS_setresuid, 1001L, 1001L, 1001L);
		report_result("drop-unprivileged", folded(prctl(PR_CAPBSET_DROP, CAP_SETUID)));
	}
}
