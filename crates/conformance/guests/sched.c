// sched.c: scheduling calls as far as they can be told apart: affinity, policies, priorities, getcpu.
//
// Calls: sched_yield sched_setaffinity sched_getaffinity sched_getparam sched_setscheduler sched_getscheduler sched_getattr
// Calls: sched_get_priority_max sched_rr_get_interval getcpu getpriority setpriority
// Passes: host acrida
#include "process.h"

#define NOBODY 2000000000L

CHECK(affinity)
{
	unsigned long mask[16] = {0}, none[16] = {0};
	report_result("yield", raw(SYS_sched_yield));
	long size = raw(SYS_sched_getaffinity, 0L, (long)sizeof mask, mask);
	report_flag("size-is-a-multiple-of-eight", size > 0 && size % 8 == 0);
	report_result("length-unaligned", raw(SYS_sched_getaffinity, 0L, 9L, mask));
	report_result("length-zero", raw(SYS_sched_getaffinity, 0L, 0L, mask));
	report_result("get-bad", raw(SYS_sched_getaffinity, 0L, (long)sizeof mask, BAD));
	report_result("get-missing", raw(SYS_sched_getaffinity, NOBODY, (long)sizeof mask, mask));
	report_result("get-negative", raw(SYS_sched_getaffinity, -1L, (long)sizeof mask, mask));
	report_result("set-none", raw(SYS_sched_setaffinity, 0L, (long)sizeof none, none));
	report_result("set-bad", raw(SYS_sched_setaffinity, 0L, (long)sizeof mask, BAD));
	report_result("set-missing", raw(SYS_sched_setaffinity, NOBODY, (long)sizeof mask, mask));
	report_result("set-same", raw(SYS_sched_setaffinity, 0L, (long)sizeof mask, mask));
	IN_CHILD("pinned")
	{
		int cpu = 0;
		while (!(mask[cpu / 64] >> cpu % 64 & 1))
			cpu++;
		unsigned long one[16] = {0}, now[16] = {0};
		one[cpu / 64] = 1UL << cpu % 64;
		report_result("set-one", raw(SYS_sched_setaffinity, 0L, (long)sizeof one, one));
		raw(SYS_sched_getaffinity, 0L, (long)sizeof now, now);
		report_flag("kept", memcmp(one, now, sizeof one) == 0);
		unsigned current = 99, node = 99;
		report_result("getcpu", raw(SYS_getcpu, &current, &node, 0L));
		report_flag("on-it", current == (unsigned)cpu);
		pid_t pid = start();
		if (pid == 0) {
			raw(SYS_sched_getaffinity, 0L, (long)sizeof now, now);
			_exit(memcmp(one, now, sizeof one) != 0);
		}
		report("inherited", "%s", ending(pid));
	}
	report_result("getcpu-bad", raw(SYS_getcpu, BAD, 0L, 0L));
	report_result("getcpu-nothing", raw(SYS_getcpu, 0L, 0L, 0L));
}

CHECK(policies)
{
	struct sched_param param = {0};
	report_result("get", raw(SYS_sched_getscheduler, 0L));
	report_result("get-missing", raw(SYS_sched_getscheduler, NOBODY));
	report_result("get-negative", raw(SYS_sched_getscheduler, -1L));
	report_result("getparam", raw(SYS_sched_getparam, 0L, &param));
	report_result("getparam-null", raw(SYS_sched_getparam, 0L, 0L));
	report_result("getparam-bad", raw(SYS_sched_getparam, 0L, BAD));
	report_result("getparam-missing", raw(SYS_sched_getparam, NOBODY, &param));
	param.sched_priority = 5;
	report_result("other-with-priority", raw(SYS_sched_setscheduler, 0L, (long)SCHED_OTHER, &param));
	param.sched_priority = 0;
	report_result("fifo-without-priority", raw(SYS_sched_setscheduler, 0L, (long)SCHED_FIFO, &param));
	report_result("unknown-policy", raw(SYS_sched_setscheduler, 0L, 99L, &param));
	report_result("negative-policy", raw(SYS_sched_setscheduler, 0L, -1L, &param));
	report_result("set-null", raw(SYS_sched_setscheduler, 0L, (long)SCHED_OTHER, 0L));
	report_result("set-bad", raw(SYS_sched_setscheduler, 0L, (long)SCHED_OTHER, BAD));
	report_result("set-missing", raw(SYS_sched_setscheduler, NOBODY, (long)SCHED_OTHER, &param));
	IN_CHILD("child")
	{
		report_result("batch", raw(SYS_sched_setscheduler, 0L, (long)SCHED_BATCH, &param));
		report_result("now", raw(SYS_sched_getscheduler, 0L));
		report_result("reset-on-fork",
			      raw(SYS_sched_setscheduler, 0L, (long)(SCHED_BATCH | SCHED_RESET_ON_FORK), &param));
		report_result("now", raw(SYS_sched_getscheduler, 0L));
	}
	for (long policy = -1; policy < 8; policy++)
		report("priorities", "%ld %s %s", policy, outcome(raw(SYS_sched_get_priority_min, policy)),
		       outcome(raw(SYS_sched_get_priority_max, policy)));
	struct timespec interval;
	report_result("rr-missing", raw(SYS_sched_rr_get_interval, NOBODY, &interval));
	report_result("rr-bad", raw(SYS_sched_rr_get_interval, 0L, BAD));
	report_result("rr", raw(SYS_sched_rr_get_interval, 0L, &interval));
}

CHECK(nice_values)
{
	IN_CHILD("child")
	{
		report("raw-is-20-minus", "%ld", raw(SYS_getpriority, (long)PRIO_PROCESS, 0L));
		report_result("set", raw(SYS_setpriority, (long)PRIO_PROCESS, 0L, 5L));
		report("now", "%ld", raw(SYS_getpriority, (long)PRIO_PROCESS, 0L));
		report_result("beyond-is-cut", raw(SYS_setpriority, (long)PRIO_PROCESS, 0L, 100L));
		report("now", "%ld", raw(SYS_getpriority, (long)PRIO_PROCESS, 0L));
		pid_t pid = start();
		if (pid == 0)
			_exit(raw(SYS_getpriority, (long)PRIO_PROCESS, 0L));
		report("inherited", "%s", ending(pid));
	}
	report_result("which-3", raw(SYS_getpriority, 3L, 0L));
	report_result("which-negative", raw(SYS_setpriority, -1L, 0L, 0L));
	report_result("missing", raw(SYS_getpriority, (long)PRIO_PROCESS, NOBODY));
	report_result("set-missing", raw(SYS_setpriority, (long)PRIO_PROCESS, NOBODY, 0L));
	report_result("group-missing", raw(SYS_getpriority, (long)PRIO_PGRP, NOBODY));
	report_ok("own-group", raw(SYS_getpriority, (long)PRIO_PGRP, 0L));
	if (geteuid() == 0) {
		IN_CHILD("unprivileged")
		{
			struct rlimit limit = {0, 0};
			setrlimit(RLIMIT_NICE, &limit);
			need(setresuid(1001, 1001, 1001));
			raw(SYS_setpriority, (long)PRIO_PROCESS, 0L, 5L);
			report_result("lower-again", raw(SYS_setpriority, (long)PRIO_PROCESS, 0L, 4L));
			report_result("same", raw(SYS_setpriority, (long)PRIO_PROCESS, 0L, 5L));
		}
		// One of a group may not have it, the others get theirs.
		IN_CHILD("group")
		{
			struct rlimit limit = {0, 0};
			setrlimit(RLIMIT_NICE, &limit);
			need(setpgid(0, 0));
			int hold[2];
			need(pipe(hold));
			pid_t nicer = start();
			if (nicer == 0) {
				char c;
				close(hold[1]);
				read(hold[0], &c, 1);
				_exit(0);
			}
			need(raw(SYS_setpriority, (long)PRIO_PROCESS, (long)nicer, 15L));
			need(setresuid(1001, 1001, 1001));
			report_result("other-of-root", raw(SYS_setpriority, (long)PRIO_PGRP, 0L, 10L));
			report("own", "%ld", raw(SYS_getpriority, (long)PRIO_PROCESS, 0L));
			close(hold[1]);
			report("waited", "%s", ending(nicer));
		}
	}
}

// Others' threads, and what is better than others get, need the right to it.
CHECK(rights)
{
	if (geteuid() != 0)
		return;
	long parent = getpid();
	IN_CHILD("user")
	{
		unsigned long mask[16] = {0};
		struct sched_param param = {1};
		struct rlimit none = {0, 0};
		raw(SYS_sched_getaffinity, 0L, (long)sizeof mask, mask);
		setrlimit(RLIMIT_RTPRIO, &none);
		setrlimit(RLIMIT_NICE, &none);
		need(setresgid(1000, 1000, 1000));
		need(setresuid(1000, 1000, 1000));
		report_result("affinity", raw(SYS_sched_setaffinity, parent, (long)sizeof mask, mask));
		report_result("own-affinity", raw(SYS_sched_setaffinity, 0L, (long)sizeof mask, mask));
		report_result("priority", raw(SYS_setpriority, (long)PRIO_PROCESS, parent, 5L));
		report_result("priority-of-user-0", raw(SYS_setpriority, (long)PRIO_PROCESS, 1L, 5L));
		report_result("fifo", raw(SYS_sched_setscheduler, 0L, (long)SCHED_FIFO, &param));
		report_result("fifo-of-other", raw(SYS_sched_setscheduler, parent, (long)SCHED_FIFO, &param));
		param.sched_priority = 0;
		report_result("fifo-without-priority", raw(SYS_sched_setscheduler, 0L, (long)SCHED_FIFO, &param));
		report_result("unknown-policy", raw(SYS_sched_setscheduler, 0L, 99L, &param));
		report_result("batch", raw(SYS_sched_setscheduler, 0L, (long)SCHED_BATCH, &param));
		report_result("batch-of-other", raw(SYS_sched_setscheduler, parent, (long)SCHED_BATCH, &param));
		report_result("param", raw(SYS_sched_setparam, 0L, &param));
		report_result("param-of-other", raw(SYS_sched_setparam, parent, &param));
		report_result("idle", raw(SYS_sched_setscheduler, 0L, (long)SCHED_IDLE, &param));
		report_result("back-from-idle", raw(SYS_sched_setscheduler, 0L, (long)SCHED_OTHER, &param));
		struct {
			unsigned size, policy;
			unsigned long flags;
			int nice;
			unsigned priority;
			unsigned long times[3];
			unsigned clamps[2];
		} attr = {.size = 48, .policy = SCHED_IDLE};
		report_result("attr", raw(SYS_sched_setattr, 0L, &attr, 0L));
		report_result("attr-of-other", raw(SYS_sched_setattr, parent, &attr, 0L));
		attr.policy = SCHED_FIFO;
		attr.priority = 1;
		report_result("attr-fifo", raw(SYS_sched_setattr, 0L, &attr, 0L));
		attr.flags = 0x100;
		report_result("attr-unknown-flag", raw(SYS_sched_setattr, 0L, &attr, 0L));
		report_result("attr-unknown-flag-of-other", raw(SYS_sched_setattr, parent, &attr, 0L));
		attr.flags = 0;
		attr.size = 20;
		report_result("attr-short", raw(SYS_sched_setattr, 0L, &attr, 0L));
		report_result("attr-bad", raw(SYS_sched_setattr, 0L, BAD, 0L));
		report_result("attr-null", raw(SYS_sched_setattr, 0L, 0L, 0L));
		report("size", "%u", attr.size);
		struct {
			unsigned size, policy;
			unsigned long words[511];
		} later = {.size = 4096, .policy = SCHED_IDLE};
		report_result("attr-later", raw(SYS_sched_setattr, 0L, &later, 0L));
		later.words[200] = 1;
		report_result("attr-later-used", raw(SYS_sched_setattr, 0L, &later, 0L));
		report("size", "%u", later.size);
		later.size = 4097;
		report_result("attr-too-long", raw(SYS_sched_setattr, 0L, &later, 0L));
		report("size", "%u", later.size);
		report_result("attr-flags", raw(SYS_sched_setattr, 0L, &later, 1L));
		report_result("affinity-of-init", raw(SYS_sched_setaffinity, 1L, (long)sizeof mask, mask));
	}
}
