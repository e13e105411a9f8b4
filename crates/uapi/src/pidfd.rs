//! pidfd flags and the numbers of `kcmp`.
//!
//! Mirrors `include/uapi/linux/{pidfd.h,kcmp.h,close_range.h}` (v6.18).

// pidfd_open flags.
pub const PIDFD_NONBLOCK: u32 = 0o4000;
pub const PIDFD_THREAD: u32 = 0o200;
// pidfd_send_signal flags.
pub const PIDFD_SIGNAL_THREAD: u32 = 1 << 0;
pub const PIDFD_SIGNAL_THREAD_GROUP: u32 = 1 << 1;
pub const PIDFD_SIGNAL_PROCESS_GROUP: u32 = 1 << 2;

// In place of a pidfd.
pub const PIDFD_SELF_THREAD: i32 = -10000;
pub const PIDFD_SELF_THREAD_GROUP: i32 = -10001;

/// What `kcmp` compares.
pub const KCMP_FILE: i32 = 0;
pub const KCMP_VM: i32 = 1;
pub const KCMP_FILES: i32 = 2;
pub const KCMP_FS: i32 = 3;
pub const KCMP_SIGHAND: i32 = 4;
pub const KCMP_IO: i32 = 5;
pub const KCMP_SYSVSEM: i32 = 6;
pub const KCMP_EPOLL_TFD: i32 = 7;

// close_range flags.
pub const CLOSE_RANGE_UNSHARE: u32 = 0x2;
pub const CLOSE_RANGE_CLOEXEC: u32 = 0x4;

// getrandom flags.
pub const GRND_NONBLOCK: u32 = 1;
pub const GRND_RANDOM: u32 = 2;
pub const GRND_INSECURE: u32 = 4;
