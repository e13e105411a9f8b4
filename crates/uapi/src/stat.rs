//! File kinds, mode bits, `stat` and `statx`.
//!
//! Mirrors `include/uapi/linux/stat.h` and `arch/x86/include/uapi/asm/stat.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const S_IFMT: u32 = 0o170000;
pub const S_IFSOCK: u32 = 0o140000;
pub const S_IFLNK: u32 = 0o120000;
pub const S_IFREG: u32 = 0o100000;
pub const S_IFBLK: u32 = 0o60000;
pub const S_IFDIR: u32 = 0o40000;
pub const S_IFCHR: u32 = 0o20000;
pub const S_IFIFO: u32 = 0o10000;
pub const S_ISUID: u32 = 0o4000;
pub const S_ISGID: u32 = 0o2000;
pub const S_ISVTX: u32 = 0o1000;
pub const S_IRWXU: u32 = 0o700;
pub const S_IRUSR: u32 = 0o400;
pub const S_IWUSR: u32 = 0o200;
pub const S_IXUSR: u32 = 0o100;
pub const S_IRWXG: u32 = 0o70;
pub const S_IRGRP: u32 = 0o40;
pub const S_IWGRP: u32 = 0o20;
pub const S_IXGRP: u32 = 0o10;
pub const S_IRWXO: u32 = 0o7;
pub const S_IROTH: u32 = 0o4;
pub const S_IWOTH: u32 = 0o2;
pub const S_IXOTH: u32 = 0o1;
/// Everybody's permission bits.
pub const S_IRWXUGO: u32 = S_IRWXU | S_IRWXG | S_IRWXO;
/// Everything `chmod` can set.
pub const S_IALLUGO: u32 = S_ISUID | S_ISGID | S_ISVTX | S_IRWXUGO;
pub const S_IRUGO: u32 = S_IRUSR | S_IRGRP | S_IROTH;
pub const S_IWUGO: u32 = S_IWUSR | S_IWGRP | S_IWOTH;
pub const S_IXUGO: u32 = S_IXUSR | S_IXGRP | S_IXOTH;

// statx mask bits.
pub const STATX_TYPE: u32 = 0x1;
pub const STATX_MODE: u32 = 0x2;
pub const STATX_NLINK: u32 = 0x4;
pub const STATX_UID: u32 = 0x8;
pub const STATX_GID: u32 = 0x10;
pub const STATX_ATIME: u32 = 0x20;
pub const STATX_MTIME: u32 = 0x40;
pub const STATX_CTIME: u32 = 0x80;
pub const STATX_INO: u32 = 0x100;
pub const STATX_SIZE: u32 = 0x200;
pub const STATX_BLOCKS: u32 = 0x400;
pub const STATX_BASIC_STATS: u32 = 0x7ff;
pub const STATX_BTIME: u32 = 0x800;
pub const STATX_MNT_ID: u32 = 0x1000;
pub const STATX_DIOALIGN: u32 = 0x2000;
pub const STATX_MNT_ID_UNIQUE: u32 = 0x4000;
pub const STATX_SUBVOL: u32 = 0x8000;
pub const STATX_WRITE_ATOMIC: u32 = 0x1_0000;
pub const STATX_DIO_READ_ALIGN: u32 = 0x2_0000;
pub const STATX_ALL: u32 = 0xfff;
/// Kept for the future: a call with this bit fails with `EINVAL`.
pub const STATX__RESERVED: u32 = 0x8000_0000;

// statx attribute bits.
pub const STATX_ATTR_COMPRESSED: u64 = 0x4;
pub const STATX_ATTR_IMMUTABLE: u64 = 0x10;
pub const STATX_ATTR_APPEND: u64 = 0x20;
pub const STATX_ATTR_NODUMP: u64 = 0x40;
pub const STATX_ATTR_ENCRYPTED: u64 = 0x800;
pub const STATX_ATTR_AUTOMOUNT: u64 = 0x1000;
pub const STATX_ATTR_MOUNT_ROOT: u64 = 0x2000;
pub const STATX_ATTR_VERITY: u64 = 0x10_0000;
pub const STATX_ATTR_DAX: u64 = 0x20_0000;
pub const STATX_ATTR_WRITE_ATOMIC: u64 = 0x40_0000;

/// What `stat`, `lstat`, `fstat` and `newfstatat` fill in.
#[doc(alias = "stat")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Stat {
    /// As [`new_encode_dev`] makes it.
    pub st_dev: u64,
    pub st_ino: u64,
    pub st_nlink: u64,
    pub st_mode: u32,
    pub st_uid: u32,
    pub st_gid: u32,
    pub __pad0: u32,
    pub st_rdev: u64,
    pub st_size: i64,
    pub st_blksize: i64,
    /// In units of 512 bytes.
    pub st_blocks: i64,
    pub st_atime: u64,
    pub st_atime_nsec: u64,
    pub st_mtime: u64,
    pub st_mtime_nsec: u64,
    pub st_ctime: u64,
    pub st_ctime_nsec: u64,
    pub __unused: [i64; 3],
}

/// A point in time inside [`Statx`].
#[doc(alias = "statx_timestamp")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct StatxTimestamp {
    pub tv_sec: i64,
    /// 0 to 999,999,999, also before 1970.
    pub tv_nsec: u32,
    pub __reserved: i32,
}

/// What `statx` fills in.
#[doc(alias = "statx")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Statx {
    /// `STATX_*` bits of the fields that are filled in.
    pub stx_mask: u32,
    pub stx_blksize: u32,
    /// `STATX_ATTR_*`.
    pub stx_attributes: u64,
    pub stx_nlink: u32,
    pub stx_uid: u32,
    pub stx_gid: u32,
    pub stx_mode: u16,
    pub __spare0: u16,
    pub stx_ino: u64,
    pub stx_size: u64,
    /// In units of 512 bytes.
    pub stx_blocks: u64,
    /// The bits of `stx_attributes` that this file system can report.
    pub stx_attributes_mask: u64,
    pub stx_atime: StatxTimestamp,
    pub stx_btime: StatxTimestamp,
    pub stx_ctime: StatxTimestamp,
    pub stx_mtime: StatxTimestamp,
    pub stx_rdev_major: u32,
    pub stx_rdev_minor: u32,
    pub stx_dev_major: u32,
    pub stx_dev_minor: u32,
    pub stx_mnt_id: u64,
    pub stx_dio_mem_align: u32,
    pub stx_dio_offset_align: u32,
    pub stx_subvol: u64,
    pub stx_atomic_write_unit_min: u32,
    pub stx_atomic_write_unit_max: u32,
    pub stx_atomic_write_segments_max: u32,
    pub stx_dio_read_offset_align: u32,
    pub stx_atomic_write_unit_max_opt: u32,
    pub __spare2: u32,
    pub __spare3: [u64; 8],
}

/// Packs a device number as user space sees it in `st_dev` and hands it to `mknod`.
///
/// The minor's low byte comes first, then 12 bits of major, then the rest of the minor; higher bits
/// of either do not fit and are lost, as on Linux.
pub const fn new_encode_dev(major: u32, minor: u32) -> u32 {
    (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12
}

/// Takes a device number apart again, into `(major, minor)`.
pub const fn new_decode_dev(dev: u32) -> (u32, u32) {
    (dev >> 8 & 0xfff, dev & 0xff | dev >> 12 & 0xf_ff00)
}
