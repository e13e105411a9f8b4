//! Scatter and gather.
//!
//! Mirrors `include/uapi/linux/{uio.h,fs.h,limits.h,splice.h}` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Most elements of one vector.
pub const UIO_MAXIOV: usize = 1024;
/// Vectors up to this length are copied to the stack.
pub const UIO_FASTIOV: usize = 8;

/// A piece of guest memory.
#[doc(alias = "iovec")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Iovec {
    /// Address.
    pub iov_base: u64,
    /// Bytes.
    pub iov_len: u64,
}

// Flags of preadv2 and pwritev2.
pub const RWF_HIPRI: u32 = 0x1;
pub const RWF_DSYNC: u32 = 0x2;
pub const RWF_SYNC: u32 = 0x4;
pub const RWF_NOWAIT: u32 = 0x8;
pub const RWF_APPEND: u32 = 0x10;
pub const RWF_NOAPPEND: u32 = 0x20;
pub const RWF_ATOMIC: u32 = 0x40;
pub const RWF_DONTCACHE: u32 = 0x80;

// Flags of splice, tee and vmsplice.
pub const SPLICE_F_MOVE: u32 = 0x1;
pub const SPLICE_F_NONBLOCK: u32 = 0x2;
pub const SPLICE_F_MORE: u32 = 0x4;
pub const SPLICE_F_GIFT: u32 = 0x8;

/// Most bytes that one read or write moves (`MAX_RW_COUNT`): `INT_MAX` rounded down to a page.
pub const MAX_RW_COUNT: usize = 0x7fff_f000;
