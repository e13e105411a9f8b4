//! File system statistics and magic numbers.
//!
//! Mirrors `include/uapi/{asm-generic/statfs.h,linux/magic.h}` and `include/linux/statfs.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const ANON_INODE_FS_MAGIC: i64 = 0x904_1934;
pub const BDEVFS_MAGIC: i64 = 0x6264_6576;
pub const BINFMTFS_MAGIC: i64 = 0x4249_4e4d;
pub const BPF_FS_MAGIC: i64 = 0xcafe_4a11;
pub const BTRFS_SUPER_MAGIC: i64 = 0x9123_683e;
pub const CGROUP_SUPER_MAGIC: i64 = 0x27_e0eb;
pub const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;
pub const DEBUGFS_MAGIC: i64 = 0x6462_6720;
pub const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;
pub const ECRYPTFS_SUPER_MAGIC: i64 = 0xf15f;
pub const EFIVARFS_MAGIC: i64 = 0xde5e_81e4;
pub const EROFS_SUPER_MAGIC_V1: i64 = 0xe0f5_e1e2;
pub const EXFAT_SUPER_MAGIC: i64 = 0x2011_bab0;
pub const EXT2_SUPER_MAGIC: i64 = 0xef53;
pub const EXT3_SUPER_MAGIC: i64 = 0xef53;
pub const EXT4_SUPER_MAGIC: i64 = 0xef53;
pub const F2FS_SUPER_MAGIC: i64 = 0xf2f5_2010;
pub const FUSE_SUPER_MAGIC: i64 = 0x6573_5546;
pub const FUTEXFS_SUPER_MAGIC: i64 = 0xbad_1dea;
pub const HUGETLBFS_MAGIC: i64 = 0x9584_58f6;
pub const ISOFS_SUPER_MAGIC: i64 = 0x9660;
pub const MQUEUE_MAGIC: i64 = 0x1980_0202;
pub const MSDOS_SUPER_MAGIC: i64 = 0x4d44;
pub const NFS_SUPER_MAGIC: i64 = 0x6969;
pub const NSFS_MAGIC: i64 = 0x6e73_6673;
pub const OVERLAYFS_SUPER_MAGIC: i64 = 0x794c_7630;
pub const PID_FS_MAGIC: i64 = 0x5049_4446;
pub const PIPEFS_MAGIC: i64 = 0x5049_5045;
pub const PROC_SUPER_MAGIC: i64 = 0x9fa0;
pub const PSTOREFS_MAGIC: i64 = 0x6165_676c;
pub const RAMFS_MAGIC: i64 = 0x8584_58f6;
pub const SECRETMEM_MAGIC: i64 = 0x5345_434d;
pub const SECURITYFS_MAGIC: i64 = 0x7363_6673;
pub const SELINUX_MAGIC: i64 = 0xf97c_ff8c;
pub const SMB2_SUPER_MAGIC: i64 = 0xfe53_4d42;
pub const SOCKFS_MAGIC: i64 = 0x534f_434b;
pub const SQUASHFS_MAGIC: i64 = 0x7371_7368;
pub const SYSFS_MAGIC: i64 = 0x6265_6572;
pub const TMPFS_MAGIC: i64 = 0x102_1994;
pub const TRACEFS_MAGIC: i64 = 0x7472_6163;
pub const UDF_SUPER_MAGIC: i64 = 0x1501_3346;
pub const V9FS_MAGIC: i64 = 0x102_1997;
pub const XFS_SUPER_MAGIC: i64 = 0x5846_5342;

// f_flags.
pub const ST_RDONLY: i64 = 0x0001;
pub const ST_NOSUID: i64 = 0x0002;
pub const ST_NODEV: i64 = 0x0004;
pub const ST_NOEXEC: i64 = 0x0008;
pub const ST_SYNCHRONOUS: i64 = 0x0010;
pub const ST_VALID: i64 = 0x0020;
pub const ST_MANDLOCK: i64 = 0x0040;
pub const ST_NOATIME: i64 = 0x0400;
pub const ST_NODIRATIME: i64 = 0x0800;
pub const ST_RELATIME: i64 = 0x1000;
pub const ST_NOSYMFOLLOW: i64 = 0x2000;

/// What `statfs` and `fstatfs` fill in.
#[doc(alias = "statfs")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Statfs {
    /// A magic number.
    pub f_type: i64,
    pub f_bsize: i64,
    /// Sizes in blocks of `f_frsize` bytes (`f_bsize` if that is 0).
    pub f_blocks: u64,
    pub f_bfree: u64,
    pub f_bavail: u64,
    pub f_files: u64,
    pub f_ffree: u64,
    pub f_fsid: [i32; 2],
    pub f_namelen: i64,
    pub f_frsize: i64,
    /// `ST_*`; valid if it has [`ST_VALID`].
    pub f_flags: i64,
    pub f_spare: [i64; 4],
}
