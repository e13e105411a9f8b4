//! System V message queues.
//!
//! Mirrors `include/uapi/linux/msg.h` and `include/uapi/asm-generic/msgbuf.h` (v6.18).

use crate::ipc::Ipc64Perm;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Flags of msgrcv, besides IPC_NOWAIT.
pub const MSG_NOERROR: u32 = 0o10000;
pub const MSG_EXCEPT: u32 = 0o20000;
pub const MSG_COPY: u32 = 0o40000;

// Commands of msgctl, besides those of ipc.
pub const MSG_STAT: i32 = 11;
pub const MSG_INFO: i32 = 12;
pub const MSG_STAT_ANY: i32 = 13;

// Limits to begin with: queues, bytes in a message, bytes in a queue.
pub const MSGMNI: i32 = 32000;
pub const MSGMAX: i32 = 8192;
pub const MSGMNB: i32 = 16384;
// What MSG_INFO reports for limits Linux does not have.
pub const MSGPOOL: i32 = MSGMNI * MSGMNB / 1024;
pub const MSGTQL: i32 = MSGMNB;
pub const MSGMAP: i32 = MSGMNB;
pub const MSGSSZ: i32 = 16;
pub const MSGSEG: i32 = 0xffff;

/// `IPC_STAT` and `IPC_SET`.
#[doc(alias = "msqid64_ds")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Msqid64Ds {
    pub msg_perm: Ipc64Perm,
    pub msg_stime: i64,
    pub msg_rtime: i64,
    pub msg_ctime: i64,
    /// Bytes in the queue.
    pub msg_cbytes: u64,
    /// Messages in the queue.
    pub msg_qnum: u64,
    /// Bytes allowed in the queue.
    pub msg_qbytes: u64,
    pub msg_lspid: i32,
    pub msg_lrpid: i32,
    pub __unused4: u64,
    pub __unused5: u64,
}

/// `IPC_INFO` and `MSG_INFO`.
#[doc(alias = "msginfo")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Msginfo {
    pub msgpool: i32,
    pub msgmap: i32,
    pub msgmax: i32,
    pub msgmnb: i32,
    pub msgmni: i32,
    pub msgssz: i32,
    pub msgtql: i32,
    pub msgseg: u16,
    pub _pad0: u16,
}
