//! Open flags, `fcntl` commands, `*at` flags, advisory lock and rename numbers.
//!
//! Mirrors `include/uapi/{asm-generic/fcntl.h,linux/fcntl.h,linux/openat2.h,linux/fs.h}` (v6.18).
//!
//! `O_LARGEFILE` has its real value: glibc defines it as 0 for x86-64, the kernel does not.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const O_ACCMODE: u32 = 0o3;
pub const O_RDONLY: u32 = 0;
pub const O_WRONLY: u32 = 0o1;
pub const O_RDWR: u32 = 0o2;
pub const O_CREAT: u32 = 0o100;
pub const O_EXCL: u32 = 0o200;
pub const O_NOCTTY: u32 = 0o400;
pub const O_TRUNC: u32 = 0o1000;
pub const O_APPEND: u32 = 0o2000;
pub const O_NONBLOCK: u32 = 0o4000;
pub const O_NDELAY: u32 = 0o4000;
pub const O_DSYNC: u32 = 0o10000;
pub const FASYNC: u32 = 0o20000;
pub const O_ASYNC: u32 = 0o20000;
pub const O_DIRECT: u32 = 0o40000;
pub const O_LARGEFILE: u32 = 0o100000;
pub const O_DIRECTORY: u32 = 0o200000;
pub const O_NOFOLLOW: u32 = 0o400000;
pub const O_NOATIME: u32 = 0o1000000;
pub const O_CLOEXEC: u32 = 0o2000000;
pub const __O_SYNC: u32 = 0o4000000;
pub const O_SYNC: u32 = 0o4010000;
pub const O_PATH: u32 = 0o10000000;
pub const __O_TMPFILE: u32 = 0o20000000;
pub const O_TMPFILE: u32 = 0o20200000;

// fcntl commands.
pub const F_DUPFD: u32 = 0;
pub const F_GETFD: u32 = 1;
pub const F_SETFD: u32 = 2;
pub const F_GETFL: u32 = 3;
pub const F_SETFL: u32 = 4;
pub const F_GETLK: u32 = 5;
pub const F_SETLK: u32 = 6;
pub const F_SETLKW: u32 = 7;
pub const F_SETOWN: u32 = 8;
pub const F_GETOWN: u32 = 9;
pub const F_SETSIG: u32 = 10;
pub const F_GETSIG: u32 = 11;
pub const F_SETOWN_EX: u32 = 15;
pub const F_GETOWN_EX: u32 = 16;
pub const F_GETOWNER_UIDS: u32 = 17;
pub const F_OFD_GETLK: u32 = 36;
pub const F_OFD_SETLK: u32 = 37;
pub const F_OFD_SETLKW: u32 = 38;
pub const F_SETLEASE: u32 = 1024;
pub const F_GETLEASE: u32 = 1025;
pub const F_NOTIFY: u32 = 1026;
pub const F_DUPFD_QUERY: u32 = 1027;
pub const F_CREATED_QUERY: u32 = 1028;
pub const F_CANCELLK: u32 = 1029;
pub const F_DUPFD_CLOEXEC: u32 = 1030;
pub const F_SETPIPE_SZ: u32 = 1031;
pub const F_GETPIPE_SZ: u32 = 1032;
pub const F_ADD_SEALS: u32 = 1033;
pub const F_GET_SEALS: u32 = 1034;
pub const F_GET_RW_HINT: u32 = 1035;
pub const F_SET_RW_HINT: u32 = 1036;
pub const F_GET_FILE_RW_HINT: u32 = 1037;
pub const F_SET_FILE_RW_HINT: u32 = 1038;

/// The only descriptor flag.
pub const FD_CLOEXEC: u32 = 1;

/// `l_type` of [`Flock`], and the argument of `F_SETLEASE`.
pub const F_RDLCK: i16 = 0;
pub const F_WRLCK: i16 = 1;
pub const F_UNLCK: i16 = 2;
pub const F_EXLCK: i16 = 4;
pub const F_SHLCK: i16 = 8;

/// `type_` of [`FOwnerEx`].
pub const F_OWNER_TID: i32 = 0;
pub const F_OWNER_PID: i32 = 1;
pub const F_OWNER_PGRP: i32 = 2;

// flock operations.
pub const LOCK_SH: u32 = 1;
pub const LOCK_EX: u32 = 2;
pub const LOCK_NB: u32 = 4;
pub const LOCK_UN: u32 = 8;
pub const LOCK_MAND: u32 = 0x20;
pub const LOCK_READ: u32 = 0x40;
pub const LOCK_WRITE: u32 = 0x80;
pub const LOCK_RW: u32 = 0xc0;

// File seals.
pub const F_SEAL_SEAL: u32 = 0x1;
pub const F_SEAL_SHRINK: u32 = 0x2;
pub const F_SEAL_GROW: u32 = 0x4;
pub const F_SEAL_WRITE: u32 = 0x8;
pub const F_SEAL_FUTURE_WRITE: u32 = 0x10;
pub const F_SEAL_EXEC: u32 = 0x20;

// Directory change notification (F_NOTIFY).
pub const DN_ACCESS: u32 = 0x1;
pub const DN_MODIFY: u32 = 0x2;
pub const DN_CREATE: u32 = 0x4;
pub const DN_DELETE: u32 = 0x8;
pub const DN_RENAME: u32 = 0x10;
pub const DN_ATTRIB: u32 = 0x20;
pub const DN_MULTISHOT: u32 = 0x8000_0000;

// Write life time hints.
pub const RWH_WRITE_LIFE_NOT_SET: u64 = 0;
pub const RWH_WRITE_LIFE_NONE: u64 = 1;
pub const RWH_WRITE_LIFE_SHORT: u64 = 2;
pub const RWH_WRITE_LIFE_MEDIUM: u64 = 3;
pub const RWH_WRITE_LIFE_LONG: u64 = 4;
pub const RWH_WRITE_LIFE_EXTREME: u64 = 5;

/// "Relative to the working directory" in place of a directory descriptor.
pub const AT_FDCWD: i32 = -100;

// Flags of the *at calls. Some values are shared: which one is meant depends on the call.
pub const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
pub const AT_SYMLINK_FOLLOW: u32 = 0x400;
pub const AT_NO_AUTOMOUNT: u32 = 0x800;
pub const AT_EMPTY_PATH: u32 = 0x1000;
pub const AT_EACCESS: u32 = 0x200;
pub const AT_REMOVEDIR: u32 = 0x200;
pub const AT_RECURSIVE: u32 = 0x8000;
pub const AT_STATX_SYNC_TYPE: u32 = 0x6000;
pub const AT_STATX_SYNC_AS_STAT: u32 = 0x0;
pub const AT_STATX_FORCE_SYNC: u32 = 0x2000;
pub const AT_STATX_DONT_SYNC: u32 = 0x4000;
pub const AT_HANDLE_FID: u32 = AT_REMOVEDIR;
pub const AT_HANDLE_MNT_ID_UNIQUE: u32 = 0x1;
pub const AT_HANDLE_CONNECTABLE: u32 = 0x2;
pub const AT_EXECVE_CHECK: u32 = 0x1_0000;

// renameat2 flags.
pub const RENAME_NOREPLACE: u32 = 0x1;
pub const RENAME_EXCHANGE: u32 = 0x2;
pub const RENAME_WHITEOUT: u32 = 0x4;

// lseek origins.
pub const SEEK_SET: u32 = 0;
pub const SEEK_CUR: u32 = 1;
pub const SEEK_END: u32 = 2;
pub const SEEK_DATA: u32 = 3;
pub const SEEK_HOLE: u32 = 4;

// access modes (R_OK and its kin of <unistd.h>).
pub const R_OK: u32 = 4;
pub const W_OK: u32 = 2;
pub const X_OK: u32 = 1;
pub const F_OK: u32 = 0;

// fallocate modes.
pub const FALLOC_FL_ALLOCATE_RANGE: u32 = 0;
pub const FALLOC_FL_KEEP_SIZE: u32 = 0x01;
pub const FALLOC_FL_PUNCH_HOLE: u32 = 0x02;
pub const FALLOC_FL_NO_HIDE_STALE: u32 = 0x04;
pub const FALLOC_FL_COLLAPSE_RANGE: u32 = 0x08;
pub const FALLOC_FL_ZERO_RANGE: u32 = 0x10;
pub const FALLOC_FL_INSERT_RANGE: u32 = 0x20;
pub const FALLOC_FL_UNSHARE_RANGE: u32 = 0x40;
pub const FALLOC_FL_WRITE_ZEROES: u32 = 0x80;

// posix_fadvise advice.
pub const POSIX_FADV_NORMAL: i32 = 0;
pub const POSIX_FADV_RANDOM: i32 = 1;
pub const POSIX_FADV_SEQUENTIAL: i32 = 2;
pub const POSIX_FADV_WILLNEED: i32 = 3;
pub const POSIX_FADV_DONTNEED: i32 = 4;
pub const POSIX_FADV_NOREUSE: i32 = 5;

// sync_file_range flags.
pub const SYNC_FILE_RANGE_WAIT_BEFORE: u32 = 1;
pub const SYNC_FILE_RANGE_WRITE: u32 = 2;
pub const SYNC_FILE_RANGE_WAIT_AFTER: u32 = 4;
pub const SYNC_FILE_RANGE_WRITE_AND_WAIT: u32 = 7;

// openat2 resolution rules.
pub const RESOLVE_NO_XDEV: u64 = 0x01;
pub const RESOLVE_NO_MAGICLINKS: u64 = 0x02;
pub const RESOLVE_NO_SYMLINKS: u64 = 0x04;
pub const RESOLVE_BENEATH: u64 = 0x08;
pub const RESOLVE_IN_ROOT: u64 = 0x10;
pub const RESOLVE_CACHED: u64 = 0x20;

/// Size of the first published [`OpenHow`]; `openat2` refuses anything shorter.
pub const OPEN_HOW_SIZE_VER0: usize = 24;

/// A record lock, for `F_GETLK`, `F_SETLK` and the OFD forms.
#[doc(alias = "flock")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Flock {
    /// `F_RDLCK`, `F_WRLCK` or `F_UNLCK`.
    pub l_type: i16,
    /// `SEEK_SET`, `SEEK_CUR` or `SEEK_END`.
    pub l_whence: i16,
    pub _pad0: u32,
    /// Relative to `l_whence`, in bytes.
    pub l_start: i64,
    /// Bytes; 0 reaches to the end of any file, a negative length goes backwards.
    pub l_len: i64,
    /// Owner of the conflicting lock (out), must be 0 for OFD locks (in).
    pub l_pid: i32,
    pub _pad1: u32,
}

/// Who gets `SIGIO`, for `F_SETOWN_EX`.
#[doc(alias = "f_owner_ex")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FOwnerEx {
    pub type_: i32,
    pub pid: i32,
}

/// The argument of `openat2`; longer ones are accepted while the surplus is zero.
#[doc(alias = "open_how")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct OpenHow {
    pub flags: u64,
    pub mode: u64,
    /// `RESOLVE_*`.
    pub resolve: u64,
}

/// Head of a file handle (`name_to_handle_at`); `handle_bytes` opaque bytes follow.
#[doc(alias = "file_handle")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FileHandle {
    pub handle_bytes: u32,
    pub handle_type: i32,
}

/// The longest opaque part of a file handle, in bytes.
pub const MAX_HANDLE_SZ: u32 = 128;
