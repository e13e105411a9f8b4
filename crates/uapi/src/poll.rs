//! `poll` events, the array element of `poll`, and the bit sets of `select`.
//!
//! Mirrors `include/uapi/asm-generic/poll.h` and `include/uapi/linux/posix_types.h` (v6.18).
//!
//! Inside the kernel readiness is the 32-bit `EPOLL*` mask (see [`crate::epoll`]), whose low bits have
//! the same values.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const POLLIN: u16 = 0x1;
pub const POLLPRI: u16 = 0x2;
pub const POLLOUT: u16 = 0x4;
pub const POLLERR: u16 = 0x8;
pub const POLLHUP: u16 = 0x10;
pub const POLLNVAL: u16 = 0x20;
pub const POLLRDNORM: u16 = 0x40;
pub const POLLRDBAND: u16 = 0x80;
pub const POLLWRNORM: u16 = 0x100;
pub const POLLWRBAND: u16 = 0x200;
pub const POLLMSG: u16 = 0x400;
pub const POLLREMOVE: u16 = 0x1000;
pub const POLLRDHUP: u16 = 0x2000;

/// One descriptor that `poll` watches; negative descriptors are skipped.
#[doc(alias = "pollfd")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Pollfd {
    pub fd: i32,
    /// Asked for; `POLLERR`, `POLLHUP` and `POLLNVAL` are reported unasked.
    pub events: u16,
    /// Answered.
    pub revents: u16,
}

/// Bits in the `fd_set` of libc; the kernel itself takes any `n`.
pub const FD_SETSIZE: usize = 1024;

/// The sixth argument of `pselect6`: a signal mask and its size.
#[doc(alias = "sigset_argpack")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SigsetArgpack {
    /// Address of the mask.
    pub p: u64,
    /// Its size in bytes; must be 8.
    pub size: u64,
}
