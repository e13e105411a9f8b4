//! `clone` flags and scheduling policies.
//!
//! Mirrors `include/uapi/linux/{sched.h,sched/types.h}` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The exit signal inside the flags word of `clone`.
pub const CSIGNAL: u64 = 0xff;
pub const CLONE_VM: u64 = 0x0000_0100;
pub const CLONE_FS: u64 = 0x0000_0200;
pub const CLONE_FILES: u64 = 0x0000_0400;
pub const CLONE_SIGHAND: u64 = 0x0000_0800;
pub const CLONE_PIDFD: u64 = 0x0000_1000;
pub const CLONE_PTRACE: u64 = 0x0000_2000;
pub const CLONE_VFORK: u64 = 0x0000_4000;
pub const CLONE_PARENT: u64 = 0x0000_8000;
pub const CLONE_THREAD: u64 = 0x0001_0000;
pub const CLONE_NEWNS: u64 = 0x0002_0000;
pub const CLONE_SYSVSEM: u64 = 0x0004_0000;
pub const CLONE_SETTLS: u64 = 0x0008_0000;
pub const CLONE_PARENT_SETTID: u64 = 0x0010_0000;
pub const CLONE_CHILD_CLEARTID: u64 = 0x0020_0000;
pub const CLONE_DETACHED: u64 = 0x0040_0000;
pub const CLONE_UNTRACED: u64 = 0x0080_0000;
pub const CLONE_CHILD_SETTID: u64 = 0x0100_0000;
pub const CLONE_NEWCGROUP: u64 = 0x0200_0000;
pub const CLONE_NEWUTS: u64 = 0x0400_0000;
pub const CLONE_NEWIPC: u64 = 0x0800_0000;
pub const CLONE_NEWUSER: u64 = 0x1000_0000;
pub const CLONE_NEWPID: u64 = 0x2000_0000;
pub const CLONE_NEWNET: u64 = 0x4000_0000;
pub const CLONE_IO: u64 = 0x8000_0000;
pub const CLONE_NEWTIME: u64 = 0x0000_0080;
// clone3 only.
pub const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
pub const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Sizes of [`CloneArgs`] as it grew; `clone3` refuses anything shorter than the first.
pub const CLONE_ARGS_SIZE_VER0: usize = 64;
pub const CLONE_ARGS_SIZE_VER1: usize = 80;
pub const CLONE_ARGS_SIZE_VER2: usize = 88;

// Scheduling policies.
pub const SCHED_NORMAL: i32 = 0;
pub const SCHED_OTHER: i32 = SCHED_NORMAL;
pub const SCHED_FIFO: i32 = 1;
pub const SCHED_RR: i32 = 2;
pub const SCHED_BATCH: i32 = 3;
pub const SCHED_IDLE: i32 = 5;
pub const SCHED_DEADLINE: i32 = 6;
pub const SCHED_EXT: i32 = 7;
/// Or-ed into a policy: children start with the default policy.
pub const SCHED_RESET_ON_FORK: i32 = 0x4000_0000;
// sched_setattr flags.
pub const SCHED_FLAG_RESET_ON_FORK: u64 = 0x1;
pub const SCHED_FLAG_RECLAIM: u64 = 0x2;
pub const SCHED_FLAG_DL_OVERRUN: u64 = 0x4;
pub const SCHED_FLAG_KEEP_POLICY: u64 = 0x8;
pub const SCHED_FLAG_KEEP_PARAMS: u64 = 0x10;
pub const SCHED_FLAG_UTIL_CLAMP_MIN: u64 = 0x20;
pub const SCHED_FLAG_UTIL_CLAMP_MAX: u64 = 0x40;
pub const SCHED_FLAG_KEEP_ALL: u64 = 0x18;
pub const SCHED_FLAG_UTIL_CLAMP: u64 = 0x60;
pub const SCHED_FLAG_ALL: u64 = 0x7f;

/// The argument of `clone3`; longer ones are accepted while the surplus is zero.
#[doc(alias = "clone_args")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    /// Lowest byte of the stack.
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}

/// The argument of `sched_setparam`.
#[doc(alias = "sched_param")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SchedParam {
    pub sched_priority: i32,
}

/// The argument of `sched_setattr`.
#[doc(alias = "sched_attr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SchedAttr {
    /// Bytes in this structure as the caller knows it.
    pub size: u32,
    pub sched_policy: u32,
    pub sched_flags: u64,
    pub sched_nice: i32,
    pub sched_priority: u32,
    /// Nanoseconds, as the next two.
    pub sched_runtime: u64,
    pub sched_deadline: u64,
    pub sched_period: u64,
    pub sched_util_min: u32,
    pub sched_util_max: u32,
}
/// Size of the first published [`SchedAttr`].
pub const SCHED_ATTR_SIZE_VER0: usize = 48;
