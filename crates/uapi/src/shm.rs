//! System V shared memory.
//!
//! Mirrors `include/uapi/linux/shm.h` and `include/uapi/asm-generic/shmbuf.h` (v6.18).

use crate::ipc::Ipc64Perm;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Limits to begin with; sizes in bytes, SHMALL in pages.
pub const SHMMIN: u64 = 1;
pub const SHMMNI: u64 = 4096;
pub const SHMMAX: u64 = u64::MAX - (1 << 24);
pub const SHMALL: u64 = u64::MAX - (1 << 24);
pub const SHMSEG: u64 = SHMMNI;
/// Attach addresses are multiples of this, or rounded to one.
pub const SHMLBA: u64 = 4096;

// Flags of shmget, besides those of ipc and the permission bits.
pub const SHM_R: u32 = 0o400;
pub const SHM_W: u32 = 0o200;
pub const SHM_HUGETLB: u32 = 0o4000;
pub const SHM_NORESERVE: u32 = 0o10000;

// Flags of shmat.
pub const SHM_RDONLY: u32 = 0o10000;
pub const SHM_RND: u32 = 0o20000;
pub const SHM_REMAP: u32 = 0o40000;
pub const SHM_EXEC: u32 = 0o100000;

// Shown in the mode.
pub const SHM_DEST: u32 = 0o1000;
pub const SHM_LOCKED: u32 = 0o2000;

// Commands of shmctl, besides those of ipc.
pub const SHM_LOCK: i32 = 11;
pub const SHM_UNLOCK: i32 = 12;
pub const SHM_STAT: i32 = 13;
pub const SHM_INFO: i32 = 14;
pub const SHM_STAT_ANY: i32 = 15;

/// `IPC_STAT` and `IPC_SET`.
#[doc(alias = "shmid64_ds")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Shmid64Ds {
    pub shm_perm: Ipc64Perm,
    /// Bytes.
    pub shm_segsz: u64,
    pub shm_atime: i64,
    pub shm_dtime: i64,
    pub shm_ctime: i64,
    /// Creator.
    pub shm_cpid: i32,
    /// Who attached or detached last.
    pub shm_lpid: i32,
    pub shm_nattch: u64,
    pub __unused4: u64,
    pub __unused5: u64,
}

/// `IPC_INFO`: the limits.
#[doc(alias = "shminfo64")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Shminfo64 {
    pub shmmax: u64,
    pub shmmin: u64,
    pub shmmni: u64,
    pub shmseg: u64,
    pub shmall: u64,
    pub __unused: [u64; 4],
}

/// `SHM_INFO`: what is in use.
#[doc(alias = "shm_info")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ShmInfo {
    pub used_ids: i32,
    pub _pad0: u32,
    /// Pages.
    pub shm_tot: u64,
    pub shm_rss: u64,
    pub shm_swp: u64,
    pub swap_attempts: u64,
    pub swap_successes: u64,
}
