//! inotify events, watch flags and the record head.
//!
//! Mirrors `include/uapi/linux/inotify.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Events.
pub const IN_ACCESS: u32 = 0x0000_0001;
pub const IN_MODIFY: u32 = 0x0000_0002;
pub const IN_ATTRIB: u32 = 0x0000_0004;
pub const IN_CLOSE_WRITE: u32 = 0x0000_0008;
pub const IN_CLOSE_NOWRITE: u32 = 0x0000_0010;
pub const IN_OPEN: u32 = 0x0000_0020;
pub const IN_MOVED_FROM: u32 = 0x0000_0040;
pub const IN_MOVED_TO: u32 = 0x0000_0080;
pub const IN_CREATE: u32 = 0x0000_0100;
pub const IN_DELETE: u32 = 0x0000_0200;
pub const IN_DELETE_SELF: u32 = 0x0000_0400;
pub const IN_MOVE_SELF: u32 = 0x0000_0800;
pub const IN_CLOSE: u32 = 0x0000_0018;
pub const IN_MOVE: u32 = 0x0000_00c0;
pub const IN_ALL_EVENTS: u32 = 0x0000_0fff;
// Reported unasked.
pub const IN_UNMOUNT: u32 = 0x0000_2000;
pub const IN_Q_OVERFLOW: u32 = 0x0000_4000;
pub const IN_IGNORED: u32 = 0x0000_8000;
pub const IN_ISDIR: u32 = 0x4000_0000;
// Flags of inotify_add_watch.
pub const IN_ONLYDIR: u32 = 0x0100_0000;
pub const IN_DONT_FOLLOW: u32 = 0x0200_0000;
pub const IN_EXCL_UNLINK: u32 = 0x0400_0000;
pub const IN_MASK_CREATE: u32 = 0x1000_0000;
pub const IN_MASK_ADD: u32 = 0x2000_0000;
pub const IN_ONESHOT: u32 = 0x8000_0000;
// Flags of inotify_init1.
pub const IN_CLOEXEC: u32 = 0x8_0000;
pub const IN_NONBLOCK: u32 = 0x800;

/// Head of an event; `len` bytes of name follow, NUL-padded to a multiple of its size.
#[doc(alias = "inotify_event")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct InotifyEvent {
    pub wd: i32,
    pub mask: u32,
    /// Joins the two halves of a rename.
    pub cookie: u32,
    pub len: u32,
}
