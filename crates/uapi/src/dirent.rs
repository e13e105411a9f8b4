//! Directory entries.
//!
//! Mirrors `include/linux/{dirent.h,fs_dirent.h}` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const DT_UNKNOWN: u8 = 0;
pub const DT_FIFO: u8 = 1;
pub const DT_CHR: u8 = 2;
pub const DT_DIR: u8 = 4;
pub const DT_BLK: u8 = 6;
pub const DT_REG: u8 = 8;
pub const DT_LNK: u8 = 10;
pub const DT_SOCK: u8 = 12;
pub const DT_WHT: u8 = 14;

/// The `DT_*` kind of a file of mode `mode`.
pub const fn mode_to_dt(mode: u32) -> u8 {
    (mode >> 12 & 0o17) as u8
}

/// The fixed part of what `getdents64` writes.
///
/// It is 19 bytes and not padded: the NUL-terminated name starts right behind `d_type`, and the next
/// record `d_reclen` bytes behind the start of this one.
#[doc(alias = "linux_dirent64")]
#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct LinuxDirent64 {
    pub d_ino: u64,
    /// Where the entry behind this one starts, in the file system's own measure.
    pub d_off: i64,
    pub d_reclen: u16,
    /// `DT_*`.
    pub d_type: u8,
}

/// The fixed part of what the old `getdents` writes; the kind is the record's last byte.
#[doc(alias = "linux_dirent")]
#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct LinuxDirent {
    pub d_ino: u64,
    pub d_off: u64,
    pub d_reclen: u16,
}

/// Bytes of a `getdents64` record for a name of `name_len` bytes (without its NUL).
pub const fn dirent64_reclen(name_len: usize) -> usize {
    (size_of::<LinuxDirent64>() + name_len + 1).next_multiple_of(8)
}

/// Bytes of a `getdents` record for a name of `name_len` bytes (without its NUL).
pub const fn dirent_reclen(name_len: usize) -> usize {
    (size_of::<LinuxDirent>() + name_len + 2).next_multiple_of(8)
}
