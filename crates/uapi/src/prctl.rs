//! `prctl` and `arch_prctl`.
//!
//! Mirrors `include/uapi/linux/prctl.h` and `arch/x86/include/uapi/asm/prctl.h` (v6.18), without the
//! operations of other architectures.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Operations.
pub const PR_SET_PDEATHSIG: i32 = 1;
pub const PR_GET_PDEATHSIG: i32 = 2;
pub const PR_GET_DUMPABLE: i32 = 3;
pub const PR_SET_DUMPABLE: i32 = 4;
pub const PR_GET_UNALIGN: i32 = 5;
pub const PR_SET_UNALIGN: i32 = 6;
pub const PR_GET_KEEPCAPS: i32 = 7;
pub const PR_SET_KEEPCAPS: i32 = 8;
pub const PR_GET_FPEMU: i32 = 9;
pub const PR_SET_FPEMU: i32 = 10;
pub const PR_GET_FPEXC: i32 = 11;
pub const PR_SET_FPEXC: i32 = 12;
pub const PR_GET_TIMING: i32 = 13;
pub const PR_SET_TIMING: i32 = 14;
pub const PR_SET_NAME: i32 = 15;
pub const PR_GET_NAME: i32 = 16;
pub const PR_GET_ENDIAN: i32 = 19;
pub const PR_SET_ENDIAN: i32 = 20;
pub const PR_GET_SECCOMP: i32 = 21;
pub const PR_SET_SECCOMP: i32 = 22;
pub const PR_CAPBSET_READ: i32 = 23;
pub const PR_CAPBSET_DROP: i32 = 24;
pub const PR_GET_TSC: i32 = 25;
pub const PR_SET_TSC: i32 = 26;
pub const PR_GET_SECUREBITS: i32 = 27;
pub const PR_SET_SECUREBITS: i32 = 28;
pub const PR_SET_TIMERSLACK: i32 = 29;
pub const PR_GET_TIMERSLACK: i32 = 30;
pub const PR_TASK_PERF_EVENTS_DISABLE: i32 = 31;
pub const PR_TASK_PERF_EVENTS_ENABLE: i32 = 32;
pub const PR_MCE_KILL: i32 = 33;
pub const PR_MCE_KILL_GET: i32 = 34;
pub const PR_SET_MM: i32 = 35;
pub const PR_SET_CHILD_SUBREAPER: i32 = 36;
pub const PR_GET_CHILD_SUBREAPER: i32 = 37;
pub const PR_SET_NO_NEW_PRIVS: i32 = 38;
pub const PR_GET_NO_NEW_PRIVS: i32 = 39;
pub const PR_GET_TID_ADDRESS: i32 = 40;
pub const PR_SET_THP_DISABLE: i32 = 41;
pub const PR_GET_THP_DISABLE: i32 = 42;
pub const PR_MPX_ENABLE_MANAGEMENT: i32 = 43;
pub const PR_MPX_DISABLE_MANAGEMENT: i32 = 44;
pub const PR_CAP_AMBIENT: i32 = 47;
pub const PR_GET_SPECULATION_CTRL: i32 = 52;
pub const PR_SET_SPECULATION_CTRL: i32 = 53;
pub const PR_SET_IO_FLUSHER: i32 = 57;
pub const PR_GET_IO_FLUSHER: i32 = 58;
pub const PR_SET_SYSCALL_USER_DISPATCH: i32 = 59;
pub const PR_SCHED_CORE: i32 = 62;
pub const PR_SET_MDWE: i32 = 65;
pub const PR_GET_MDWE: i32 = 66;
pub const PR_SET_MEMORY_MERGE: i32 = 67;
pub const PR_GET_MEMORY_MERGE: i32 = 68;
pub const PR_GET_SHADOW_STACK_STATUS: i32 = 74;
pub const PR_SET_SHADOW_STACK_STATUS: i32 = 75;
pub const PR_LOCK_SHADOW_STACK_STATUS: i32 = 76;
pub const PR_TIMER_CREATE_RESTORE_IDS: i32 = 77;
pub const PR_FUTEX_HASH: i32 = 78;
pub const PR_GET_AUXV: i32 = 0x4155_5856;
pub const PR_SET_VMA: i32 = 0x5356_4d41;
pub const PR_SET_PTRACER: i32 = 0x5961_6d61;

/// With `PR_SET_PTRACER`: anybody may trace.
pub const PR_SET_PTRACER_ANY: u64 = u64::MAX;

// Second arguments.
pub const PR_TIMING_STATISTICAL: u64 = 0;
pub const PR_TIMING_TIMESTAMP: u64 = 1;
pub const PR_TSC_ENABLE: u64 = 1;
pub const PR_TSC_SIGSEGV: u64 = 2;
pub const PR_ENDIAN_LITTLE: u64 = 1;
pub const PR_MCE_KILL_CLEAR: u64 = 0;
pub const PR_MCE_KILL_SET: u64 = 1;
pub const PR_MCE_KILL_LATE: u64 = 0;
pub const PR_MCE_KILL_EARLY: u64 = 1;
pub const PR_MCE_KILL_DEFAULT: u64 = 2;
pub const PR_SET_MM_START_CODE: u64 = 1;
pub const PR_SET_MM_END_CODE: u64 = 2;
pub const PR_SET_MM_START_DATA: u64 = 3;
pub const PR_SET_MM_END_DATA: u64 = 4;
pub const PR_SET_MM_START_STACK: u64 = 5;
pub const PR_SET_MM_START_BRK: u64 = 6;
pub const PR_SET_MM_BRK: u64 = 7;
pub const PR_SET_MM_ARG_START: u64 = 8;
pub const PR_SET_MM_ARG_END: u64 = 9;
pub const PR_SET_MM_ENV_START: u64 = 10;
pub const PR_SET_MM_ENV_END: u64 = 11;
pub const PR_SET_MM_AUXV: u64 = 12;
pub const PR_SET_MM_EXE_FILE: u64 = 13;
pub const PR_SET_MM_MAP: u64 = 14;
pub const PR_SET_MM_MAP_SIZE: u64 = 15;
pub const PR_CAP_AMBIENT_IS_SET: u64 = 1;
pub const PR_CAP_AMBIENT_RAISE: u64 = 2;
pub const PR_CAP_AMBIENT_LOWER: u64 = 3;
pub const PR_CAP_AMBIENT_CLEAR_ALL: u64 = 4;
pub const PR_SPEC_STORE_BYPASS: u64 = 0;
pub const PR_SPEC_INDIRECT_BRANCH: u64 = 1;
pub const PR_SPEC_L1D_FLUSH: u64 = 2;
pub const PR_SPEC_NOT_AFFECTED: u64 = 0x0;
pub const PR_SPEC_PRCTL: u64 = 0x1;
pub const PR_SPEC_ENABLE: u64 = 0x2;
pub const PR_SPEC_DISABLE: u64 = 0x4;
pub const PR_SPEC_FORCE_DISABLE: u64 = 0x8;
pub const PR_SPEC_DISABLE_NOEXEC: u64 = 0x10;
pub const PR_SYS_DISPATCH_OFF: u64 = 0;
pub const PR_SYS_DISPATCH_ON: u64 = 1;
pub const PR_SYS_DISPATCH_EXCLUSIVE_ON: u64 = 1;
pub const PR_SYS_DISPATCH_INCLUSIVE_ON: u64 = 2;
pub const PR_SCHED_CORE_GET: u64 = 0;
pub const PR_SCHED_CORE_CREATE: u64 = 1;
pub const PR_SCHED_CORE_SHARE_TO: u64 = 2;
pub const PR_SCHED_CORE_SHARE_FROM: u64 = 3;
pub const PR_SCHED_CORE_MAX: u64 = 4;
pub const PR_SCHED_CORE_SCOPE_THREAD: u64 = 0;
pub const PR_SCHED_CORE_SCOPE_THREAD_GROUP: u64 = 1;
pub const PR_SCHED_CORE_SCOPE_PROCESS_GROUP: u64 = 2;
pub const PR_SET_VMA_ANON_NAME: u64 = 0;
pub const PR_TIMER_CREATE_RESTORE_IDS_OFF: u64 = 0;
pub const PR_TIMER_CREATE_RESTORE_IDS_ON: u64 = 1;
pub const PR_TIMER_CREATE_RESTORE_IDS_GET: u64 = 2;
pub const PR_FUTEX_HASH_SET_SLOTS: u64 = 1;
pub const PR_FUTEX_HASH_GET_SLOTS: u64 = 2;
pub const PR_MDWE_REFUSE_EXEC_GAIN: u64 = 1;
pub const PR_MDWE_NO_INHERIT: u64 = 2;

/// Lets calls through, in the byte `PR_SET_SYSCALL_USER_DISPATCH` points to.
pub const SYSCALL_DISPATCH_FILTER_ALLOW: u8 = 0;
/// Turns calls into `SIGSYS`.
pub const SYSCALL_DISPATCH_FILTER_BLOCK: u8 = 1;

// Secure bits.
pub const SECBIT_NOROOT: u32 = 1 << 0;
pub const SECBIT_NOROOT_LOCKED: u32 = 1 << 1;
pub const SECBIT_NO_SETUID_FIXUP: u32 = 1 << 2;
pub const SECBIT_NO_SETUID_FIXUP_LOCKED: u32 = 1 << 3;
pub const SECBIT_KEEP_CAPS: u32 = 1 << 4;
pub const SECBIT_KEEP_CAPS_LOCKED: u32 = 1 << 5;
pub const SECBIT_NO_CAP_AMBIENT_RAISE: u32 = 1 << 6;
pub const SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED: u32 = 1 << 7;
pub const SECBIT_EXEC_RESTRICT_FILE: u32 = 1 << 8;
pub const SECBIT_EXEC_DENY_INTERACTIVE: u32 = 1 << 10;
/// All bits; each has its lock one bit higher.
pub const SECURE_ALL_BITS: u32 = 0x555;
pub const SECURE_ALL_LOCKS: u32 = SECURE_ALL_BITS << 1;
/// Bits that a program sets for itself, without a right.
pub const SECURE_ALL_UNPRIVILEGED: u32 = SECBIT_EXEC_RESTRICT_FILE | SECBIT_EXEC_DENY_INTERACTIVE;

// Operations of arch_prctl.
pub const ARCH_SET_GS: i32 = 0x1001;
pub const ARCH_SET_FS: i32 = 0x1002;
pub const ARCH_GET_FS: i32 = 0x1003;
pub const ARCH_GET_GS: i32 = 0x1004;
pub const ARCH_GET_CPUID: i32 = 0x1011;
pub const ARCH_SET_CPUID: i32 = 0x1012;
pub const ARCH_GET_XCOMP_SUPP: i32 = 0x1021;
pub const ARCH_GET_XCOMP_PERM: i32 = 0x1022;
pub const ARCH_REQ_XCOMP_PERM: i32 = 0x1023;
pub const ARCH_GET_XCOMP_GUEST_PERM: i32 = 0x1024;
pub const ARCH_REQ_XCOMP_GUEST_PERM: i32 = 0x1025;
pub const ARCH_MAP_VDSO_X32: i32 = 0x2001;
pub const ARCH_MAP_VDSO_32: i32 = 0x2002;
pub const ARCH_MAP_VDSO_64: i32 = 0x2003;
pub const ARCH_GET_UNTAG_MASK: i32 = 0x4001;
pub const ARCH_ENABLE_TAGGED_ADDR: i32 = 0x4002;
pub const ARCH_GET_MAX_TAG_BITS: i32 = 0x4003;
pub const ARCH_FORCE_TAGGED_SVA: i32 = 0x4004;
pub const ARCH_SHSTK_ENABLE: i32 = 0x5001;
pub const ARCH_SHSTK_DISABLE: i32 = 0x5002;
pub const ARCH_SHSTK_LOCK: i32 = 0x5003;
pub const ARCH_SHSTK_UNLOCK: i32 = 0x5004;
pub const ARCH_SHSTK_STATUS: i32 = 0x5005;

// Modes of PR_SET_SECCOMP and what PR_GET_SECCOMP answers.
pub const SECCOMP_MODE_DISABLED: u64 = 0;
pub const SECCOMP_MODE_STRICT: u64 = 1;
pub const SECCOMP_MODE_FILTER: u64 = 2;
// Operations of seccomp.
pub const SECCOMP_SET_MODE_STRICT: u32 = 0;
pub const SECCOMP_SET_MODE_FILTER: u32 = 1;
pub const SECCOMP_GET_ACTION_AVAIL: u32 = 2;
pub const SECCOMP_GET_NOTIF_SIZES: u32 = 3;

/// The argument of `PR_SET_MM_MAP`.
#[doc(alias = "prctl_mm_map")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PrctlMmMap {
    pub start_code: u64,
    pub end_code: u64,
    pub start_data: u64,
    pub end_data: u64,
    pub start_brk: u64,
    pub brk: u64,
    pub start_stack: u64,
    pub arg_start: u64,
    pub arg_end: u64,
    pub env_start: u64,
    pub env_end: u64,
    /// Address of the new auxiliary vector.
    pub auxv: u64,
    /// Its bytes.
    pub auxv_size: u32,
    /// Descriptor, or all ones.
    pub exe_fd: u32,
}
