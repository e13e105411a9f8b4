// prctl.c: names, death signals, dumpability, no_new_privs, timer slack, THP, errors.
//
// Calls: prctl
// Passes: host acrida
#include "process.h"

#define CALL(...) report(#__VA_ARGS__, "%s", outcome(raw(SYS_prctl, ##__VA_ARGS__)))

CHECK(name)
{
	char name[32];
	memset(name, 'z', sizeof name);
	report_result("set", folded(prctl(PR_SET_NAME, "123456789012345678")));
	report_result("get", folded(prctl(PR_GET_NAME, name)));
	report("truncated", "'%s' then '%c'", name, name[16]);
	prctl(PR_SET_NAME, "");
	prctl(PR_GET_NAME, name);
	report("empty", "'%s' %d", name, name[1]);
	CALL(PR_SET_NAME, 0L);
	CALL(PR_SET_NAME, BAD);
	CALL(PR_GET_NAME, 0L);
	CALL(PR_GET_NAME, BAD);
	char *edge = at_edge(3);
	memcpy(edge, "ab", 3);
	CALL(PR_SET_NAME, edge);
	edge = at_edge(3);
	memcpy(edge, "abc", 3);
	CALL(PR_SET_NAME, edge);
	prctl(PR_GET_NAME, name);
	report("kept", "'%s'", name);
}

static void *thread_name(void *arg)
{
	char *name = arg;
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, "other");
	return NULL;
}

CHECK(name_is_per_thread)
{
	char inherited[16], mine[16];
	pthread_t thread;
	prctl(PR_SET_NAME, "mine");
	pthread_create(&thread, NULL, thread_name, inherited);
	pthread_join(thread, NULL);
	prctl(PR_GET_NAME, mine);
	report("names", "inherited '%s', mine '%s'", inherited, mine);
}

CHECK(death_signal)
{
	int value = -1;
	CALL(PR_GET_PDEATHSIG, &value);
	report("default", "%d", value);
	CALL(PR_SET_PDEATHSIG, 65L);
	CALL(PR_SET_PDEATHSIG, -1L);
	CALL(PR_GET_PDEATHSIG, 0L);
	CALL(PR_GET_PDEATHSIG, BAD);
	IN_CHILD("child")
	{
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		pid_t pid = fork();
		if (pid == 0) {
			prctl(PR_GET_PDEATHSIG, &value);
			_exit(value);
		}
		report("not-inherited", "%s", ending(pid));
		prctl(PR_GET_PDEATHSIG, &value);
		report("kept", "%d", value);
		if (geteuid() == 0) {
			setresuid(1001, 1001, 1001);
			prctl(PR_GET_PDEATHSIG, &value);
			report("cleared-by-setuid", "%d", value);
		} else {
			report("cleared-by-setuid", "0");
		}
	}
}

static void *show_death_signal(void *arg)
{
	int value = -1;
	(void)arg;
	prctl(PR_GET_PDEATHSIG, &value);
	report("thread", "%d", value);
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	return NULL;
}

CHECK(death_signal_is_per_thread)
{
	IN_CHILD("child")
	{
		int value = -1;
		pthread_t thread;
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		pthread_create(&thread, NULL, show_death_signal, NULL);
		pthread_join(thread, NULL);
		prctl(PR_GET_PDEATHSIG, &value);
		report("own", "%d", value);
	}
}

static volatile sig_atomic_t seen_signal, seen_pid;
static void on_death(int signo, siginfo_t *info, void *context)
{
	(void)context;
	seen_signal = signo;
	seen_pid = info->si_pid;
}

CHECK(death_signal_arrives)
{
	int out[2], ready[2];
	need(pipe(out));
	need(pipe(ready));
	pid_t parent = start();
	if (parent == 0) {
		char byte;
		if (fork() == 0) {
			alarm(CHECK_SECONDS);
			handle_info(SIGUSR1, on_death, 0);
			block(SIG_BLOCK, SIGUSR1);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			pid_t before = getppid();
			write(ready[1], "r", 1);
			sigset_t none;
			sigemptyset(&none);
			sigsuspend(&none);
			char answer = (seen_signal == SIGUSR1) + 2 * (seen_pid == before) + 4 * (getppid() != before);
			write(out[1], &answer, 1);
			_exit(0);
		}
		read(ready[0], &byte, 1);
		_exit(0);
	}
	report("parent", "%s", ending(parent));
	char answer = 0;
	read(out[0], &answer, 1);
	report("child-saw", "%d", answer);
}

CHECK(dumpable)
{
	IN_CHILD("child")
	{
		CALL(PR_GET_DUMPABLE);
		CALL(PR_SET_DUMPABLE, 2L);
		CALL(PR_SET_DUMPABLE, -1L);
		CALL(PR_SET_DUMPABLE, 0L);
		CALL(PR_GET_DUMPABLE);
		pid_t pid = fork();
		if (pid == 0)
			_exit(prctl(PR_GET_DUMPABLE));
		report("inherited", "%s", ending(pid));
		CALL(PR_SET_DUMPABLE, 1L);
		CALL(PR_GET_DUMPABLE);
	}
}

CHECK(no_new_privs)
{
	IN_CHILD("child")
	{
		CALL(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
		CALL(PR_SET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
		CALL(PR_SET_NO_NEW_PRIVS, 2L, 0L, 0L, 0L);
		CALL(PR_SET_NO_NEW_PRIVS, 1L, 1L, 0L, 0L);
		CALL(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 1L);
		CALL(PR_GET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
		CALL(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
		CALL(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
		CALL(PR_SET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
		pid_t pid = fork();
		if (pid == 0)
			_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		report("inherited", "%s", ending(pid));
	}
}

CHECK(timer_slack)
{
	IN_CHILD("child")
	{
		long before = prctl(PR_GET_TIMERSLACK);
		report_flag("positive", before > 0);
		CALL(PR_SET_TIMERSLACK, 77777L);
		CALL(PR_GET_TIMERSLACK);
		CALL(PR_SET_TIMERSLACK, 0L);
		report_flag("zero-restores", prctl(PR_GET_TIMERSLACK) == before);
		prctl(PR_SET_TIMERSLACK, 4444);
		pid_t pid = fork();
		if (pid == 0) {
			int kept = prctl(PR_GET_TIMERSLACK) == 4444;
			prctl(PR_SET_TIMERSLACK, 0);
			_exit(kept + 2 * (prctl(PR_GET_TIMERSLACK) == 4444));
		}
		report("child-default-is-parents-value", "%s", ending(pid));
	}
}

CHECK(others)
{
	IN_CHILD("child")
	{
		int value = 7;
		CALL(-1L);
		CALL(9999L);
		CALL(PR_GET_KEEPCAPS);
		CALL(PR_SET_KEEPCAPS, 2L);
		CALL(PR_SET_KEEPCAPS, 1L);
		CALL(PR_GET_KEEPCAPS);
		CALL(PR_GET_TIMING);
		CALL(PR_SET_TIMING, 1L);
		CALL(PR_SET_TIMING, 0L);
		CALL(PR_GET_THP_DISABLE, 0L, 0L, 0L, 0L);
		CALL(PR_SET_THP_DISABLE, 1L, 0L, 0L, 0L);
		CALL(PR_GET_THP_DISABLE, 0L, 0L, 0L, 0L);
		CALL(PR_GET_THP_DISABLE, 1L, 0L, 0L, 0L);
		CALL(PR_GET_TSC, &value);
		report("tsc", "%d", value);
		CALL(PR_GET_TSC, BAD);
		CALL(PR_GET_UNALIGN, &value);
		CALL(PR_GET_FPEXC, &value);
		CALL(PR_MCE_KILL_GET, 0L, 0L, 0L, 0L);
		CALL(PR_MCE_KILL_GET, 1L, 0L, 0L, 0L);
		CALL(PR_GET_SECUREBITS);
	}
}

// The secure bits: each has a lock, and a lock is for good.
CHECK(secure_bits)
{
	IN_CHILD("child")
	{
		CALL(PR_SET_SECUREBITS, 0L);
		CALL(PR_SET_SECUREBITS, 0x1000L);
		CALL(PR_SET_SECUREBITS, 0x500L);
		CALL(PR_GET_SECUREBITS);
		CALL(PR_SET_SECUREBITS, 0x20L);
		CALL(PR_SET_KEEPCAPS, 1L);
		CALL(PR_SET_SECUREBITS, 0L);
		CALL(PR_SET_SECUREBITS, 0x30L);
		CALL(PR_GET_SECUREBITS);
		CALL(PR_SET_SECUREBITS, 0xe0L);
		CALL(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_RAISE, 0L, 0L, 0L);
		CALL(PR_GET_SECUREBITS);
	}
	IN_CHILD("user")
	{
		if (geteuid() == 0)
			need(setresuid(1000, 1000, 1000));
		CALL(PR_SET_SECUREBITS, 0L);
		CALL(PR_SET_SECUREBITS, 0x10L);
		CALL(PR_SET_SECUREBITS, 0x100L);
		CALL(PR_SET_SECUREBITS, 0x300L);
		CALL(PR_SET_SECUREBITS, 0x200L);
		CALL(PR_GET_SECUREBITS);
	}
}

// Without its special treatment root's programs have no capabilities.
ROLE(show_capabilities)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status))
		if (!strncmp(line, "CapPrm", 6) || !strncmp(line, "CapEff", 6))
			report("capabilities", "%.6s %s", line, strtoul(line + 8, NULL, 16) ? "some" : "none");
}

CHECK(root_is_nobody)
{
	if (geteuid() != 0)
		return;
	IN_CHILD("root")
	become("show_capabilities", NULL);
	IN_CHILD("nobody")
	{
		CALL(PR_SET_SECUREBITS, 3L);
		become("show_capabilities", NULL);
	}
}

CHECK(more_others)
{
	IN_CHILD("child")
	{
		static unsigned long vector[128];
		CALL(PR_SET_TSC, (long)PR_TSC_ENABLE);
		CALL(PR_SET_TSC, 3L);
		CALL(PR_GET_SPECULATION_CTRL, 0L, 0L, 0L, 0L);
		CALL(PR_GET_SPECULATION_CTRL, 1L, 0L, 0L, 0L);
		CALL(PR_GET_SPECULATION_CTRL, 99L, 0L, 0L, 0L);
		CALL(PR_GET_SPECULATION_CTRL, 0L, 1L, 0L, 0L);
		CALL(66L, 0L, 0L, 0L, 0L);
		CALL(66L, 1L, 0L, 0L, 0L);
		CALL(0x41555856L, vector, (long)sizeof vector, 0L, 0L);
		report_flag("page-size-in-vector", ({
				    int found = 0;
				    for (int i = 0; i + 1 < 128 && vector[i]; i += 2)
					    found |= vector[i] == 6 && vector[i + 1] == 4096;
				    found;
			    }));
		CALL(0x41555856L, vector, 8L, 0L, 0L);
		CALL(0x41555856L, vector, 8L, 1L, 0L);
		CALL(0x41555856L, BAD, 8L, 0L, 0L);
		CALL(0x41555856L, BAD, 0L, 0L, 0L);
		CALL(PR_SET_MM, 1L, 0L, 0L, 1L);
		CALL(0x53564d41L, 1L, BAD, 4096L, 0L);
		CALL(PR_SET_NAME, BAD);
		CALL(65L, 0L, 0L, 0L, 0L);
		CALL(65L, 0L, 1L, 0L, 0L);
		CALL(65L, 2L, 0L, 0L, 0L);
		CALL(65L, 4L, 0L, 0L, 0L);
	}
}

CHECK(io_flusher)
{
	IN_CHILD("child")
	{
		CALL(58L, 0L, 0L, 0L, 0L);
		CALL(58L, 1L, 0L, 0L, 0L);
		CALL(57L, 1L, 0L, 0L, 0L);
		CALL(58L, 0L, 0L, 0L, 0L);
		CALL(57L, 2L, 0L, 0L, 0L);
		CALL(57L, 0L, 0L, 0L, 1L);
		CALL(57L, 0L, 0L, 0L, 0L);
		CALL(58L, 0L, 0L, 0L, 0L);
	}
	IN_CHILD("user")
	{
		if (geteuid() == 0)
			need(setresuid(1000, 1000, 1000));
		CALL(57L, 1L, 0L, 0L, 0L);
		CALL(57L, 2L, 1L, 0L, 0L);
		CALL(58L, 0L, 0L, 0L, 0L);
		CALL(58L, 1L, 0L, 0L, 0L);
	}
}
