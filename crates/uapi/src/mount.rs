//! Mounting.
//!
//! Mirrors `include/uapi/linux/mount.h` and `include/linux/fs.h` (v6.18).
//!
//! The flags of `mount` are a type of their own, [`MsFlags`]: `msync` has flags of the same names
//! ([`crate::mman`]).

use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

bitflags! {
    /// Flags of `mount`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MsFlags: u64 {
        const MS_RDONLY = 1 << 0;
        const MS_NOSUID = 1 << 1;
        const MS_NODEV = 1 << 2;
        const MS_NOEXEC = 1 << 3;
        const MS_SYNCHRONOUS = 1 << 4;
        const MS_REMOUNT = 1 << 5;
        const MS_MANDLOCK = 1 << 6;
        const MS_DIRSYNC = 1 << 7;
        const MS_NOSYMFOLLOW = 1 << 8;
        const MS_NOATIME = 1 << 10;
        const MS_NODIRATIME = 1 << 11;
        const MS_BIND = 1 << 12;
        const MS_MOVE = 1 << 13;
        const MS_REC = 1 << 14;
        const MS_SILENT = 1 << 15;
        const MS_POSIXACL = 1 << 16;
        const MS_UNBINDABLE = 1 << 17;
        const MS_PRIVATE = 1 << 18;
        const MS_SLAVE = 1 << 19;
        const MS_SHARED = 1 << 20;
        const MS_RELATIME = 1 << 21;
        const MS_KERNMOUNT = 1 << 22;
        const MS_I_VERSION = 1 << 23;
        const MS_STRICTATIME = 1 << 24;
        const MS_LAZYTIME = 1 << 25;
        const MS_SUBMOUNT = 1 << 26;
        const MS_NOREMOTELOCK = 1 << 27;
        const MS_NOSEC = 1 << 28;
        const MS_BORN = 1 << 29;
        const MS_ACTIVE = 1 << 30;
        const MS_NOUSER = 1 << 31;
        const _ = !0;
    }
}

/// Old programs put this into the upper half of the flags; it is removed before they are read.
pub const MS_MGC_VAL: u64 = 0xc0ed_0000;
pub const MS_MGC_MSK: u64 = 0xffff_0000;

// Flags of umount2.
pub const MNT_FORCE: u32 = 0x1;
pub const MNT_DETACH: u32 = 0x2;
pub const MNT_EXPIRE: u32 = 0x4;
pub const UMOUNT_NOFOLLOW: u32 = 0x8;

// The file descriptor based calls.
pub const OPEN_TREE_CLONE: u32 = 0x1;
pub const OPEN_TREE_CLOEXEC: u32 = 0o200_0000;
pub const MOVE_MOUNT_F_SYMLINKS: u32 = 0x1;
pub const MOVE_MOUNT_F_AUTOMOUNTS: u32 = 0x2;
pub const MOVE_MOUNT_F_EMPTY_PATH: u32 = 0x4;
pub const MOVE_MOUNT_T_SYMLINKS: u32 = 0x10;
pub const MOVE_MOUNT_T_AUTOMOUNTS: u32 = 0x20;
pub const MOVE_MOUNT_T_EMPTY_PATH: u32 = 0x40;
pub const MOVE_MOUNT_SET_GROUP: u32 = 0x100;
pub const MOVE_MOUNT_BENEATH: u32 = 0x200;
pub const MOVE_MOUNT__MASK: u32 = 0x377;
pub const FSOPEN_CLOEXEC: u32 = 0x1;
pub const FSPICK_CLOEXEC: u32 = 0x1;
pub const FSPICK_SYMLINK_NOFOLLOW: u32 = 0x2;
pub const FSPICK_NO_AUTOMOUNT: u32 = 0x4;
pub const FSPICK_EMPTY_PATH: u32 = 0x8;
pub const FSMOUNT_CLOEXEC: u32 = 0x1;
pub const FSCONFIG_SET_FLAG: u32 = 0;
pub const FSCONFIG_SET_STRING: u32 = 1;
pub const FSCONFIG_SET_BINARY: u32 = 2;
pub const FSCONFIG_SET_PATH: u32 = 3;
pub const FSCONFIG_SET_PATH_EMPTY: u32 = 4;
pub const FSCONFIG_SET_FD: u32 = 5;
pub const FSCONFIG_CMD_CREATE: u32 = 6;
pub const FSCONFIG_CMD_RECONFIGURE: u32 = 7;
pub const FSCONFIG_CMD_CREATE_EXCL: u32 = 8;
pub const MOUNT_ATTR_RDONLY: u64 = 0x1;
pub const MOUNT_ATTR_NOSUID: u64 = 0x2;
pub const MOUNT_ATTR_NODEV: u64 = 0x4;
pub const MOUNT_ATTR_NOEXEC: u64 = 0x8;
pub const MOUNT_ATTR__ATIME: u64 = 0x70;
pub const MOUNT_ATTR_RELATIME: u64 = 0x0;
pub const MOUNT_ATTR_NOATIME: u64 = 0x10;
pub const MOUNT_ATTR_STRICTATIME: u64 = 0x20;
pub const MOUNT_ATTR_NODIRATIME: u64 = 0x80;
pub const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;
pub const MOUNT_ATTR_NOSYMFOLLOW: u64 = 0x20_0000;
/// Size of the first published [`MountAttr`].
pub const MOUNT_ATTR_SIZE_VER0: usize = 32;

/// The argument of `mount_setattr`.
#[doc(alias = "mount_attr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MountAttr {
    pub attr_set: u64,
    pub attr_clr: u64,
    /// `MS_SHARED` and its kin.
    pub propagation: u64,
    pub userns_fd: u64,
}
