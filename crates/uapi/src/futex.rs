//! Futex operations and robust lists.
//!
//! Mirrors `include/uapi/linux/futex.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const FUTEX_WAIT: u32 = 0;
pub const FUTEX_WAKE: u32 = 1;
pub const FUTEX_FD: u32 = 2;
pub const FUTEX_REQUEUE: u32 = 3;
pub const FUTEX_CMP_REQUEUE: u32 = 4;
pub const FUTEX_WAKE_OP: u32 = 5;
pub const FUTEX_LOCK_PI: u32 = 6;
pub const FUTEX_UNLOCK_PI: u32 = 7;
pub const FUTEX_TRYLOCK_PI: u32 = 8;
pub const FUTEX_WAIT_BITSET: u32 = 9;
pub const FUTEX_WAKE_BITSET: u32 = 10;
pub const FUTEX_WAIT_REQUEUE_PI: u32 = 11;
pub const FUTEX_CMP_REQUEUE_PI: u32 = 12;
pub const FUTEX_LOCK_PI2: u32 = 13;
// Or-ed into the operation.
pub const FUTEX_PRIVATE_FLAG: u32 = 128;
pub const FUTEX_CLOCK_REALTIME: u32 = 256;
pub const FUTEX_CMD_MASK: u32 = !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

// The futex word of the PI and robust forms.
pub const FUTEX_WAITERS: u32 = 0x8000_0000;
pub const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
pub const FUTEX_TID_MASK: u32 = 0x3fff_ffff;
pub const FUTEX_BITSET_MATCH_ANY: u32 = 0xffff_ffff;
/// Longest robust list that is walked: it may be a ring.
pub const ROBUST_LIST_LIMIT: usize = 2048;

// FUTEX_WAKE_OP: what is done to the second word, and how its old value is compared.
pub const FUTEX_OP_SET: u32 = 0;
pub const FUTEX_OP_ADD: u32 = 1;
pub const FUTEX_OP_OR: u32 = 2;
pub const FUTEX_OP_ANDN: u32 = 3;
pub const FUTEX_OP_XOR: u32 = 4;
pub const FUTEX_OP_OPARG_SHIFT: u32 = 8;
pub const FUTEX_OP_CMP_EQ: u32 = 0;
pub const FUTEX_OP_CMP_NE: u32 = 1;
pub const FUTEX_OP_CMP_LT: u32 = 2;
pub const FUTEX_OP_CMP_LE: u32 = 3;
pub const FUTEX_OP_CMP_GT: u32 = 4;
pub const FUTEX_OP_CMP_GE: u32 = 5;

// futex2 (futex_wait, futex_wake, futex_waitv, futex_requeue).
pub const FUTEX2_SIZE_U8: u32 = 0;
pub const FUTEX2_SIZE_U16: u32 = 1;
pub const FUTEX2_SIZE_U32: u32 = 2;
pub const FUTEX2_SIZE_U64: u32 = 3;
pub const FUTEX2_SIZE_MASK: u32 = 3;
pub const FUTEX2_NUMA: u32 = 4;
pub const FUTEX2_MPOL: u32 = 8;
pub const FUTEX2_PRIVATE: u32 = FUTEX_PRIVATE_FLAG;
pub const FUTEX_32: u32 = 0x02;
pub const FUTEX_WAITV_MAX: usize = 128;

/// An entry of a robust list: the address of the next entry; bit 0 says "PI".
#[doc(alias = "robust_list")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct RobustList {
    pub next: u64,
}

/// Head of a thread's robust list.
#[doc(alias = "robust_list_head")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct RobustListHead {
    pub list: RobustList,
    /// From an entry to its futex word, in bytes.
    pub futex_offset: i64,
    /// The entry being locked or unlocked right now.
    pub list_op_pending: u64,
}

/// One futex of `futex_waitv`.
#[doc(alias = "futex_waitv")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FutexWaitv {
    pub val: u64,
    pub uaddr: u64,
    /// `FUTEX2_*`.
    pub flags: u32,
    pub __reserved: u32,
}
