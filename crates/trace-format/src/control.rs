//! Messages between the command and the kernel process, over a `SOCK_SEQPACKET` pair.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One message.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Message {
    pub kind: u32,
    /// Host process, or 0.
    pub pid: u32,
    /// A wait status as `wait4` gives it.
    pub status: u32,
    pub _pad: u32,
}

/// Command to kernel: host process `pid` was killed from outside; `status` says how.
pub const PROCESS_DIED: u32 = 1;
/// Kernel to command: the first process ended with `status`.
pub const INIT_EXITED: u32 = 2;
/// Kernel to command: the first process was stopped by signal `status`.
pub const INIT_STOPPED: u32 = 3;
/// Kernel to command: the first process runs as host process `pid`.
pub const BOOTED: u32 = 4;
/// Command to kernel: end every process of the world.
pub const SHUT_DOWN: u32 = 5;
/// Kernel to command: the last process ended (only with `boot::flags::LINGER`).
pub const ALL_EXITED: u32 = 6;
/// Command to kernel: asks for view `status` ([`view`]) of process `pid` (0: all).
pub const VIEW: u32 = 7;
/// Kernel to command: a part of the answer; `status` bytes of text follow the message in the same packet. An empty part
/// ends the answer.
pub const VIEW_PART: u32 = 8;
/// Kernel to command: call number `status` was made and is in nobody's table.
pub const UNKNOWN_CALL: u32 = 9;

/// What can be asked for. Answers are lines of fields with tabs between them, see the kernel's `trace::views`.
pub mod view {
    pub const PROCESSES: u32 = 1;
    pub const FILES: u32 = 2;
}

/// Largest packet: a message and its text.
pub const PACKET_MAX: usize = 8192;
