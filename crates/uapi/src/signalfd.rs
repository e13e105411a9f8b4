//! signalfd flags and the record that is read from one.
//!
//! Mirrors `include/uapi/linux/signalfd.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const SFD_CLOEXEC: u32 = 0x8_0000;
pub const SFD_NONBLOCK: u32 = 0x800;

/// One signal, flattened: no union, every field has its own place.
#[doc(alias = "signalfd_siginfo")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SignalfdSiginfo {
    pub ssi_signo: u32,
    pub ssi_errno: i32,
    pub ssi_code: i32,
    pub ssi_pid: u32,
    pub ssi_uid: u32,
    pub ssi_fd: i32,
    pub ssi_tid: u32,
    pub ssi_band: u32,
    pub ssi_overrun: u32,
    pub ssi_trapno: u32,
    pub ssi_status: i32,
    pub ssi_int: i32,
    pub ssi_ptr: u64,
    pub ssi_utime: u64,
    pub ssi_stime: u64,
    pub ssi_addr: u64,
    pub ssi_addr_lsb: u16,
    pub __pad2: u16,
    pub ssi_syscall: i32,
    pub ssi_call_addr: u64,
    pub ssi_arch: u32,
    pub __pad: [u32; 7],
}
