// registers.c: what survives a system call and a signal handler: all registers, flags, vectors, the red zone.
//
// Calls: rt_sigreturn getppid read write futex fork clone
// Passes: host acrida
// Options: --quiet
#include "process.h"

#include "registers.h"

#include <ucontext.h>

static uint64_t seed = 88172645463325252ULL;

// One call with all registers known; the result is in rax.
static long call(const char **difference, long number, long a, long b, long c, long d, long e, long f)
{
	registers_fill(&seed);
	registers_in.general[RAX] = number;
	registers_in.general[RDI] = a;
	registers_in.general[RSI] = b;
	registers_in.general[RDX] = c;
	registers_in.general[R10] = d;
	registers_in.general[R8] = e;
	registers_in.general[R9] = f;
	registers_syscall();
	const char *found = registers_difference(REGISTERS_DIRECTION);
	if (found && !*difference)
		*difference = found;
	return registers_out.general[RAX];
}

static void repeat(const char *name, long number, long a, long b, long c, long d, long e, long f)
{
	const char *difference = NULL;
	long result = 0;
	for (int i = 0; i < 20 && !difference; i++)
		result = call(&difference, number, a, b, c, d, e, f);
	report(name, "%s %s", outcome_ok(result), difference ? difference : "all kept");
}

static int ends[2];
static char buffer[4096];

CHECK(calls)
{
	struct timespec time = {0, 1000};
	struct pollfd nothing = {.fd = -1};
	struct stat status;
	sigset_t set = {0};
	need(pipe2(ends, O_NONBLOCK));
	repeat("getppid", SYS_getppid, 1, 2, 3, 4, 5, 6);
	repeat("gettid", SYS_gettid, 1, 2, 3, 4, 5, 6);
	repeat("missing", 9999, 1, 2, 3, 4, 5, 6);
	repeat("negative", -1, 1, 2, 3, 4, 5, 6);
	repeat("write", SYS_write, ends[1], (long)"x", 1, 0, 0, 0);
	repeat("read", SYS_read, ends[0], (long)buffer, 1, 0, 0, 0);
	repeat("read-bad", SYS_read, ends[0], (long)BAD, 1, 0, 0, 0);
	repeat("read-closed", SYS_read, 999, (long)buffer, 1, 0, 0, 0);
	repeat("poll", SYS_poll, (long)&nothing, 1, 0, 0, 0, 0);
	repeat("nanosleep", SYS_nanosleep, (long)&time, 0, 0, 0, 0, 0);
	repeat("sched_yield", SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	repeat("futex", SYS_futex, (long)buffer, 1, 1, 0, 0, 0);
	repeat("clock_gettime", SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
	repeat("clock_gettime-bad", SYS_clock_gettime, CLOCK_MONOTONIC, (long)BAD, 0, 0, 0, 0);
	repeat("fstat", SYS_fstat, ends[0], (long)&status, 0, 0, 0, 0);
	repeat("openat-missing", SYS_openat, AT_FDCWD, (long)"/no/such/file", O_RDONLY, 0, 0, 0);
	repeat("getcwd", SYS_getcwd, (long)buffer, sizeof buffer, 0, 0, 0, 0);
	repeat("mmap", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	repeat("mprotect", SYS_mprotect, (long)BAD, 4096, PROT_NONE, 0, 0, 0);
	repeat("madvise", SYS_madvise, (long)BAD, 4096, MADV_DONTNEED, 0, 0, 0);
	repeat("brk", SYS_brk, 0, 0, 0, 0, 0, 0);
	repeat("rt_sigprocmask", SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, (long)buffer, 8, 0, 0);
	repeat("rt_sigpending", SYS_rt_sigpending, (long)&set, 8, 0, 0, 0, 0);
	repeat("sigaltstack", SYS_sigaltstack, 0, (long)buffer, 0, 0, 0, 0);
	repeat("getrandom", SYS_getrandom, (long)buffer, 64, 0, 0, 0, 0);
	repeat("uname", SYS_uname, (long)buffer, 0, 0, 0, 0, 0);
	repeat("wait4-none", SYS_wait4, -1, 0, WNOHANG, 0, 0, 0);
	repeat("kill-probe", SYS_kill, getpid(), 0, 0, 0, 0, 0);
}

CHECK(process_calls)
{
	const char *difference = NULL;
	for (int i = 0; i < 5; i++) {
		long pid = call(&difference, i == 4 ? SYS_clone : SYS_fork, i == 4 ? SIGCHLD : 1, 0, 0, 0, 0, 6);
		if (pid == 0) {
			if (difference)
				say("child: %s", difference);
			_exit(0);
		}
		report(i == 4 ? "clone" : "fork", "%s, child %s", difference ? difference : "all kept", ending(pid));
	}
}

static void *feed(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		sched_yield();
		write(ends[1], "x", 1);
	}
	return NULL;
}

CHECK(blocking_call)
{
	pthread_t thread;
	const char *difference = NULL;
	need(pipe(ends));
	pthread_create(&thread, NULL, feed, NULL);
	for (int i = 0; i < 20; i++)
		call(&difference, SYS_read, ends[0], (long)buffer, 1, 4, 5, 6);
	pthread_join(thread, NULL);
	report("read", "%s", difference ? difference : "all kept");
}

// The handler ruins every register, but rsp; it is run at the return from tgkill.
CHECK(handler_at_return)
{
	const char *difference = NULL;
	int right = 0;
	handle(SIGUSR1, registers_ruin, 0);
	registers_handled = 0;
	for (int i = 0; i < 50; i++)
		right += call(&difference, SYS_tgkill, getpid(), gettid(), SIGUSR1, 4, 5, 6) == 0;
	report("tgkill", "%d results, %lu handled, %s", right, registers_handled, difference ? difference : "all kept");
}

CHECK(handler_while_blocked)
{
	const char *difference = NULL;
	int interrupted = 0;
	struct timespec time = {10, 0};
	need(pipe(ends));
	handle(SIGALRM, registers_ruin, 0);
	ticks(1);
	for (int i = 0; i < 20; i++) {
		interrupted += call(&difference, SYS_read, ends[0], (long)buffer, 1, 4, 5, 6) == -EINTR;
		interrupted += call(&difference, SYS_nanosleep, (long)&time, 0, 3, 4, 5, 6) == -EINTR;
	}
	ticks(0);
	report("eintr", "%d, %s", interrupted, difference ? difference : "all kept");
	alarm(CHECK_SECONDS);
}

// A restarted call has its arguments again, whatever the handler did to them.
static void *feed_after_signals(void *arg)
{
	volatile uint64_t *handled = arg;
	uint64_t before = *handled;
	while (*handled < before + 3)
		sched_yield();
	write(ends[1], "x", 1);
	return NULL;
}

CHECK(restarted_call)
{
	const char *difference = NULL;
	sigset_t set;
	int right = 0;
	need(pipe(ends));
	handle(SIGALRM, registers_ruin, SA_RESTART);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	for (int i = 0; i < 5; i++) {
		pthread_t thread;
		// The other thread must not take the signal.
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		pthread_create(&thread, NULL, feed_after_signals, (void *)&registers_handled);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		ticks(1);
		right += call(&difference, SYS_read, ends[0], (long)buffer, 1, 4, 5, 6) == 1;
		ticks(0);
		pthread_join(thread, NULL);
	}
	report("read", "%d, %s", right, difference ? difference : "all kept");
	alarm(CHECK_SECONDS);
}

// Signals at any instruction of a program that makes no calls.
CHECK(handler_in_user_code)
{
	handle(SIGALRM, registers_ruin, 0);
	const char *difference = NULL;
	struct itimerval every = {{0, 500}, {0, 500}};
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < 10 && !difference; i++) {
		registers_fill(&seed);
		registers_stop = 0;
		registers_handled = -10;
		registers_spin();
		uint64_t rax = registers_in.general[RAX];
		difference = registers_out.general[RAX] != rax ? "rax" : registers_difference(0);
	}
	ticks(0);
	report("hundred-signals", "%s", difference ? difference : "all kept");
	alarm(CHECK_SECONDS);
}

// The state a handler starts with: flags cleared, x87 and SSE control as in a new process.
static volatile uint64_t handler_flags;
static volatile uint32_t handler_mxcsr;
static volatile uint16_t handler_control;
static volatile int arguments_right;
static void look(int signo, siginfo_t *info, void *context)
{
	uint64_t flags;
	uint32_t mxcsr;
	uint16_t control;
	__asm__ volatile("pushfq; pop %0; stmxcsr %1; fnstcw %2" : "=r"(flags), "=m"(mxcsr), "=m"(control));
	ucontext_t *user = context;
	handler_flags = flags;
	handler_mxcsr = mxcsr;
	handler_control = control;
	arguments_right = signo == SIGUSR1 && info->si_signo == SIGUSR1 && user->uc_mcontext.gregs[REG_RIP] != 0;
}

CHECK(handler_entry)
{
	const char *difference = NULL;
	handle_info(SIGUSR1, look, 0);
	for (int i = 0; i < 8; i++) {
		call(&difference, SYS_tgkill, getpid(), gettid(), SIGUSR1, 4, 5, 6);
		report("entry", "direction %lu mxcsr %#x x87 %#x arguments %d", handler_flags >> 10 & 1, handler_mxcsr,
		       handler_control, arguments_right);
	}
	report("behind", "%s", difference ? difference : "all kept");
}

// The frame's copies are what returns: general and vector registers, mxcsr.
static void edit(int signo, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	(void)signo;
	(void)info;
	user->uc_mcontext.gregs[REG_RBX] = 0xb0b0;
	user->uc_mcontext.gregs[REG_R15] = 0x1515;
	user->uc_mcontext.gregs[REG_RAX] = 0xaaaa;
	user->uc_mcontext.fpregs->_xmm[5].element[0] = 0x55555555;
	user->uc_mcontext.fpregs->_xmm[15].element[3] = 0x15151515;
	user->uc_mcontext.fpregs->mxcsr = 0x1fa0;
}

CHECK(frame_edits)
{
	const char *difference = NULL;
	handle_info(SIGUSR1, edit, 0);
	long rax = call(&difference, SYS_tgkill, getpid(), gettid(), SIGUSR1, 4, 5, 6);
	uint32_t five, fifteen;
	memcpy(&five, registers_out.vectors[5], 4);
	memcpy(&fifteen, registers_out.vectors[15] + 12, 4);
	report("edited", "rax %#lx rbx %#lx r15 %#lx xmm5 %#x xmm15 %#x mxcsr %#x", rax, registers_out.general[RBX],
	       registers_out.general[R15], five, fifteen, registers_out.mxcsr);
	registers_in.general[RBX] = registers_out.general[RBX];
	registers_in.general[R15] = registers_out.general[R15];
	registers_in.mxcsr = registers_out.mxcsr;
	memcpy(registers_in.vectors[5], &five, 4);
	memcpy(registers_in.vectors[15] + 12, &fifteen, 4);
	difference = registers_difference(REGISTERS_DIRECTION);
	report("others", "%s", difference ? difference : "all kept");
}

// The frame describes its extended state: both magic numbers, the sizes.
static volatile int magic_right, saved_right;
static void read_frame(int signo, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	(void)signo;
	(void)info;
	const uint8_t *state = (const uint8_t *)user->uc_mcontext.fpregs;
	uint32_t words[4], end;
	memcpy(words, state + 464, sizeof words);
	memcpy(&end, state + words[1] - 4, 4);
	magic_right = (words[0] == 0x46505853) + 2 * (end == 0x46505845) + 4 * ((uintptr_t)state % 64 == 0);
	saved_right = memcmp(state + 160, registers_in.vectors[0], 16) == 0 &&
		      memcmp(state + 160 + 16 * 15, registers_in.vectors[15], 16) == 0;
	saved_right += 2 * (user->uc_mcontext.gregs[REG_R12] == (long)registers_in.general[R12]);
	saved_right += 4 * ((user->uc_mcontext.gregs[REG_EFL] & 0xcd5) == (long)(registers_in.flags & 0xcd5));
	saved_right += 8 * (user->uc_mcontext.gregs[REG_RSP] == (long)registers_in.general[RSP]);
	saved_right += 16 * (user->uc_mcontext.gregs[REG_RIP] == (long)registers_in.general[RCX]);
	saved_right += 32 * ((user->uc_mcontext.gregs[REG_CSGSFS] & 0xffff) == 0x33);
}

CHECK(frame_contents)
{
	const char *difference = NULL;
	handle_info(SIGUSR1, read_frame, 0);
	call(&difference, SYS_tgkill, getpid(), gettid(), SIGUSR1, 4, 5, 6);
	report("frame", "magic %d saved %d flags %s", magic_right, saved_right, difference ? difference : "all kept");
}

// Frames that cannot be returned to are SIGSEGV; without an x87/SSE part the state is reset.
static volatile int kind;
static void spoil(int signo, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	(void)signo;
	(void)info;
	switch (kind) {
	case 0:
		user->uc_mcontext.gregs[REG_RIP] = 0x0000900000000000;
		break;
	case 1:
		user->uc_mcontext.gregs[REG_RIP] = (long)bad_pointer();
		break;
	case 2:
		user->uc_mcontext.gregs[REG_RSP] = 8;
		break;
	case 3:
		user->uc_mcontext.fpregs = bad_pointer();
		break;
	case 4:
		user->uc_mcontext.fpregs->mxcsr = 0xffffffff;
		break;
	case 5:
		user->uc_mcontext.fpregs = NULL;
		break;
	case 6:
		user->uc_mcontext.gregs[REG_EFL] |= 0x3000;
		break;
	}
}

CHECK(spoilt_frames)
{
	static const char *const names[] = {"rip-non-canonical",   "rip-not-executable", "rsp-bad",	"fpstate-bad",
					    "mxcsr-reserved-bits", "fpstate-null",	 "io-privilege"};
	handle_info(SIGUSR1, spoil, 0);
	for (kind = 0; kind < 7; kind++) {
		pid_t pid = start();
		if (pid == 0) {
			const char *difference = NULL;
			call(&difference, SYS_tgkill, getpid(), gettid(), SIGUSR1, 4, 5, 6);
			if (kind == 5)
				report("reset", "mxcsr %#x x87 %#x", registers_out.mxcsr,
				       (uint16_t)registers_out.x87_control);
			if (kind == 6)
				report("flags", "%#lx", registers_out.flags & 0x3000);
			_exit(0);
		}
		report(names[kind], "%s", ending(pid));
	}
}

// sigreturn without a frame.
CHECK(sigreturn_by_hand)
{
	IN_CHILD("bad-stack")
	{
		__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" ::"r"((char *)bad_pointer() + 2048)
				 : "memory");
	}
	IN_CHILD("zeros")
	{
		static char zeros[8192];
		__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" ::"r"(zeros + 64) : "memory");
	}
}

// The other flags: a call comes back with all of them as they were, an interrupted instruction anyway.
CHECK(arithmetic_flags)
{
	const char *difference = NULL, *found = NULL;
	for (int i = 0; i < 20 && !found; i++) {
		call(&difference, SYS_getppid, 1, 2, 3, 4, 5, 6);
		found = registers_difference(REGISTERS_ALL_FLAGS);
	}
	report("over-call", "%s", found ? "changed" : "all kept");
	found = NULL;
	handle(SIGUSR1, registers_ruin, 0);
	for (int i = 0; i < 20 && !found; i++) {
		call(&difference, SYS_tgkill, getpid(), gettid(), SIGUSR1, 4, 5, 6);
		found = registers_difference(REGISTERS_ALL_FLAGS);
	}
	report("over-handler", "%s", found ? "changed" : "all kept");
}

// The upper halves of arguments that are ints do not count, nor those of the call's number.
CHECK(upper_halves)
{
	const char *difference = NULL;
	long garbage = 0x7777777700000000;
	report_result("fcntl", call(&difference, SYS_fcntl, garbage | 1, garbage | F_GETFD, 0, 0, 0, 0));
	report_result("kill", call(&difference, SYS_kill, garbage | getpid(), garbage, 0, 0, 0, 0));
	report_result("dup2", call(&difference, SYS_dup2, garbage | 1, garbage | 1, 0, 0, 0, 0));
	report_result("number", call(&difference, garbage | SYS_getuid, 0, 0, 0, 0, 0, 0) == getuid()
					? 0
					: registers_out.general[RAX]);
	report_result("mmap-fd", outcome_ok(call(&difference, SYS_mmap, 0, 4096, garbage | PROT_READ,
						 MAP_PRIVATE | MAP_ANONYMOUS, garbage | 0xffffffff, 0))[0] == 'o'
					 ? 0
					 : -1);
	report("registers", "%s", difference ? difference : "all kept");
}
