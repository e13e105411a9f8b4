//! Restartable sequences.
//!
//! Mirrors `include/uapi/linux/rseq.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Takes a registration back.
pub const RSEQ_FLAG_UNREGISTER: u32 = 0x1;
/// Bytes of the first published [`Rseq`]; also its alignment.
pub const ORIG_RSEQ_SIZE: usize = 32;

/// `cpu_id` before a registration.
pub const RSEQ_CPU_ID_UNINITIALIZED: i32 = -1;
/// `cpu_id` after a registration failed.
pub const RSEQ_CPU_ID_REGISTRATION_FAILED: i32 = -2;

/// What a thread shares with the kernel.
#[doc(alias = "rseq")]
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Rseq {
    pub cpu_id_start: u32,
    pub cpu_id: u32,
    /// Address of the critical section's description, or 0.
    pub rseq_cs: u64,
    pub flags: u32,
    pub node_id: u32,
    pub mm_cid: u32,
    pub _pad0: u32,
}
