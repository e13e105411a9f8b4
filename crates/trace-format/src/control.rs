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
/// Kernel to command: the world is up.
pub const BOOTED: u32 = 4;
/// Command to kernel: end every process of the world.
pub const SHUT_DOWN: u32 = 5;
