//! System V semaphores.
//!
//! Mirrors `include/uapi/linux/sem.h` and `arch/x86/include/uapi/asm/sembuf.h` (v6.18).

use crate::ipc::Ipc64Perm;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Undo the operation when the process exits.
pub const SEM_UNDO: i16 = 0x1000;

// Commands of semctl, besides those of ipc.
pub const GETPID: i32 = 11;
pub const GETVAL: i32 = 12;
pub const GETALL: i32 = 13;
pub const GETNCNT: i32 = 14;
pub const GETZCNT: i32 = 15;
pub const SETVAL: i32 = 16;
pub const SETALL: i32 = 17;
pub const SEM_STAT: i32 = 18;
pub const SEM_INFO: i32 = 19;
pub const SEM_STAT_ANY: i32 = 20;

// Limits to begin with: sets, semaphores in a set, in the system, operations in a call, value.
pub const SEMMNI: i32 = 32000;
pub const SEMMSL: i32 = 32000;
pub const SEMMNS: i32 = 1024000000;
pub const SEMOPM: i32 = 500;
pub const SEMVMX: i32 = 32767;
pub const SEMAEM: i32 = 32767;

/// One operation of `semop`.
#[doc(alias = "sembuf")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Sembuf {
    pub sem_num: u16,
    pub sem_op: i16,
    /// [`SEM_UNDO`], `IPC_NOWAIT`.
    pub sem_flg: i16,
}

/// `IPC_STAT` and `IPC_SET`.
#[doc(alias = "semid64_ds")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Semid64Ds {
    pub sem_perm: Ipc64Perm,
    /// Last operation.
    pub sem_otime: i64,
    pub __unused1: u64,
    pub sem_ctime: i64,
    pub __unused2: u64,
    /// Semaphores in the set.
    pub sem_nsems: u64,
    pub __unused3: u64,
    pub __unused4: u64,
}

/// `IPC_INFO` and `SEM_INFO`.
#[doc(alias = "seminfo")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Seminfo {
    pub semmap: i32,
    pub semmni: i32,
    pub semmns: i32,
    pub semmnu: i32,
    pub semmsl: i32,
    pub semopm: i32,
    pub semume: i32,
    pub semusz: i32,
    pub semvmx: i32,
    pub semaem: i32,
}
