//! `uname` and `sysinfo`.
//!
//! Mirrors `include/uapi/linux/{utsname.h,sysinfo.h}` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Longest name that fits, without its NUL.
pub const __NEW_UTS_LEN: usize = 64;

/// What `uname` fills in: NUL-terminated strings.
#[doc(alias = "new_utsname")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct NewUtsname {
    pub sysname: [u8; 65],
    pub nodename: [u8; 65],
    pub release: [u8; 65],
    pub version: [u8; 65],
    pub machine: [u8; 65],
    pub domainname: [u8; 65],
}

impl Default for NewUtsname {
    fn default() -> NewUtsname {
        let empty = [0; 65];
        NewUtsname { sysname: empty, nodename: empty, release: empty, version: empty, machine: empty, domainname: empty }
    }
}

/// Load averages are fixed-point numbers with this many fraction bits.
pub const SI_LOAD_SHIFT: u32 = 16;

/// What `sysinfo` fills in.
#[doc(alias = "sysinfo")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Sysinfo {
    /// Seconds since boot.
    pub uptime: i64,
    /// Over 1, 5 and 15 minutes.
    pub loads: [u64; 3],
    /// Memory sizes, in units of `mem_unit` bytes.
    pub totalram: u64,
    pub freeram: u64,
    pub sharedram: u64,
    pub bufferram: u64,
    pub totalswap: u64,
    pub freeswap: u64,
    pub procs: u16,
    pub pad: u16,
    pub _pad0: u32,
    pub totalhigh: u64,
    pub freehigh: u64,
    pub mem_unit: u32,
    pub _pad1: u32,
}
