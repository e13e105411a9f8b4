//! POSIX message queues.
//!
//! Mirrors `include/uapi/linux/mqueue.h` and `include/linux/ipc_namespace.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One more than the highest priority.
pub const MQ_PRIO_MAX: u32 = 32768;
/// Bytes that all queues of a user may take.
pub const MQ_BYTES_MAX: u64 = 819200;

// Limits to begin with, and the shape of a queue made without attributes.
pub const DFLT_QUEUESMAX: u32 = 256;
pub const DFLT_MSG: u32 = 10;
pub const DFLT_MSGMAX: u32 = 10;
pub const DFLT_MSGSIZE: u32 = 8192;
pub const DFLT_MSGSIZEMAX: u32 = 8192;
pub const HARD_MSGMAX: u32 = 65536;
pub const HARD_MSGSIZEMAX: u32 = 16 * 1024 * 1024;

/// State in the last byte of the cookie of a `SIGEV_THREAD` notification.
pub const NOTIFY_NONE: u8 = 0;
pub const NOTIFY_WOKENUP: u8 = 1;
pub const NOTIFY_REMOVED: u8 = 2;
/// Bytes of that cookie.
pub const NOTIFY_COOKIE_LEN: usize = 32;

/// Attributes of a queue.
#[doc(alias = "mq_attr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MqAttr {
    /// `O_NONBLOCK` or 0.
    pub mq_flags: i64,
    /// Messages allowed.
    pub mq_maxmsg: i64,
    /// Bytes allowed in a message.
    pub mq_msgsize: i64,
    /// Messages waiting.
    pub mq_curmsgs: i64,
    pub __reserved: [i64; 4],
}
