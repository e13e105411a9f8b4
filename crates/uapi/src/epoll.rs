//! epoll: event bits, operations and the event record.
//!
//! Mirrors `include/uapi/linux/eventpoll.h` (v6.18). This mask is also the kernel's own measure of
//! readiness (Linux's `__poll_t`).

use crate::ioctl::{_IOC_READ, _IOC_WRITE, ioc};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const EPOLLIN: u32 = 0x0001;
pub const EPOLLPRI: u32 = 0x0002;
pub const EPOLLOUT: u32 = 0x0004;
pub const EPOLLERR: u32 = 0x0008;
pub const EPOLLHUP: u32 = 0x0010;
pub const EPOLLNVAL: u32 = 0x0020;
pub const EPOLLRDNORM: u32 = 0x0040;
pub const EPOLLRDBAND: u32 = 0x0080;
pub const EPOLLWRNORM: u32 = 0x0100;
pub const EPOLLWRBAND: u32 = 0x0200;
pub const EPOLLMSG: u32 = 0x0400;
pub const EPOLLRDHUP: u32 = 0x2000;
// Input flags of epoll_ctl, no events.
/// Wake one of the exclusive waiters only.
pub const EPOLLEXCLUSIVE: u32 = 1 << 28;
/// Keep the system awake while the event is handled; accepted without effect.
pub const EPOLLWAKEUP: u32 = 1 << 29;
/// Report once, then mute until the next `EPOLL_CTL_MOD`.
pub const EPOLLONESHOT: u32 = 1 << 30;
/// Report changes, not states.
pub const EPOLLET: u32 = 1 << 31;
/// Busy polling by io_uring; internal to Linux.
pub const EPOLL_URING_WAKE: u32 = 1 << 27;

// Operations.
pub const EPOLL_CTL_ADD: i32 = 1;
pub const EPOLL_CTL_DEL: i32 = 2;
pub const EPOLL_CTL_MOD: i32 = 3;

pub const EPOLL_CLOEXEC: u32 = 0x8_0000;

// Commands of `ioctl`.
/// Sets how network devices are polled while a wait is busy.
pub const EPIOCSPARAMS: u32 = ioc(_IOC_WRITE, 0x8a, 0x01, size_of::<EpollParams>());
pub const EPIOCGPARAMS: u32 = ioc(_IOC_READ, 0x8a, 0x02, size_of::<EpollParams>());

/// How network devices are polled while a wait is busy.
#[doc(alias = "epoll_params")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct EpollParams {
    pub busy_poll_usecs: u32,
    /// Packets.
    pub busy_poll_budget: u16,
    /// 0 or 1.
    pub prefer_busy_poll: u8,
    pub __pad: u8,
}

/// One event. Packed on x86-64, so that 32-bit programs see the same layout.
#[doc(alias = "epoll_event")]
#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct EpollEvent {
    pub events: u32,
    /// The caller's, given back as it came.
    pub data: u64,
}
