//! What the three kinds of System V IPC have in common.
//!
//! Mirrors `include/uapi/linux/ipc.h` and `include/uapi/asm-generic/ipcbuf.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The key that always makes a new object.
pub const IPC_PRIVATE: i32 = 0;

// Flags of the get calls and of operations.
pub const IPC_CREAT: u32 = 0o1000;
pub const IPC_EXCL: u32 = 0o2000;
pub const IPC_NOWAIT: u32 = 0o4000;

// Commands of the ctl calls.
pub const IPC_RMID: i32 = 0;
pub const IPC_SET: i32 = 1;
pub const IPC_STAT: i32 = 2;
pub const IPC_INFO: i32 = 3;
/// Or-ed into a command by old libcs: "the 64-bit structures". Without meaning on x86-64.
pub const IPC_64: i32 = 0x100;

/// Objects of one kind.
pub const IPCMNI: usize = 32768;

/// Owner, creator and mode of an object.
#[doc(alias = "ipc64_perm")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Ipc64Perm {
    pub key: i32,
    pub uid: u32,
    pub gid: u32,
    pub cuid: u32,
    pub cgid: u32,
    pub mode: u32,
    /// Distinguishes the objects that had this slot one after another.
    pub seq: u16,
    pub __pad2: u16,
    pub _pad0: u32,
    pub __unused1: u64,
    pub __unused2: u64,
}
