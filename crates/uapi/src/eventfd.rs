//! eventfd flags.
//!
//! Mirrors `include/uapi/linux/eventfd.h` (v6.18).

pub const EFD_SEMAPHORE: u32 = 0x1;
pub const EFD_CLOEXEC: u32 = 0x8_0000;
pub const EFD_NONBLOCK: u32 = 0x800;
