//! Attributes of inodes: reading, changing, and what they permit.
//!
//! Mirrors: fs/attr.c, fs/namei.c (`generic_permission`), include/linux/stat.h, Linux 6.18.
//! Differs: device numbers are kept as user space sees them (`new_encode_dev`).

use acrida_kcore::platform::{ClockId, platform};
use acrida_uapi::capability::{CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER};
use acrida_uapi::errno::Errno;
use acrida_uapi::stat::{S_IFDIR, S_IFMT, S_IXUGO};
use acrida_uapi::time::Timespec;

use crate::fs::inode::{MAY_EXEC, MAY_READ, MAY_WRITE};
use crate::kernel::cred::Cred;

/// Attributes as `stat` and `statx` report them.
#[doc(alias = "kstat")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Kstat {
    pub dev: u32,
    pub ino: u64,
    pub nlink: u32,
    /// Kind and permissions.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub rdev: u32,
    pub size: u64,
    pub blksize: u32,
    /// In units of 512 bytes.
    pub blocks: u64,
    pub atime: Timespec,
    pub mtime: Timespec,
    pub ctime: Timespec,
    pub btime: Timespec,
    /// `STATX_*` fields beyond the basic ones that are valid.
    pub extra_mask: u32,
    /// `STATX_ATTR_*` and the ones that could be set.
    pub attributes: u64,
    pub attributes_mask: u64,
    pub dio_mem_align: u32,
    pub dio_offset_align: u32,
}

/// What permission checks need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Kind and permissions.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// One time in [`Iattr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetTime {
    Now,
    At(Timespec),
}

/// Attributes to change; `None` stays.
#[doc(alias = "iattr")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Iattr {
    /// Permission bits only.
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// A `chown` was asked for, even if neither id changes: set-id bits go.
    pub chown: bool,
    pub size: Option<u64>,
    pub atime: Option<SetTime>,
    pub mtime: Option<SetTime>,
}

/// The time that changes are stamped with.
pub fn current_time() -> Timespec {
    timespec(platform().now(ClockId::Realtime))
}

/// Nanoseconds since 1970 as a `Timespec`.
pub fn timespec(nanoseconds: u64) -> Timespec {
    let (sec, nsec) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    Timespec { tv_sec: sec.cast_signed(), tv_nsec: nsec.cast_signed() }
}

impl SetTime {
    pub fn resolve(self) -> Timespec {
        match self {
            SetTime::Now => current_time(),
            SetTime::At(time) => time,
        }
    }
}

/// The classic check of mode bits, then capabilities; `EACCES`.
pub fn generic_permission(cred: &Cred, owner: Owner, mask: u32) -> Result<(), Errno> {
    let wanted = mask & (MAY_READ | MAY_WRITE | MAY_EXEC);
    let bits = if cred.fsuid == owner.uid {
        owner.mode >> 6
    } else if owner.mode & 0o70 != (owner.mode & 0o7) << 3 && cred.in_group(owner.gid) {
        owner.mode >> 3
    } else {
        owner.mode
    };
    if wanted & !bits & 0o7 == 0 {
        return Ok(());
    }
    let is_dir = owner.mode & S_IFMT == S_IFDIR;
    if (is_dir && wanted & MAY_WRITE == 0 || wanted == MAY_READ) && cred.capable(CAP_DAC_READ_SEARCH) {
        return Ok(());
    }
    let runnable = is_dir || wanted & MAY_EXEC == 0 || owner.mode & S_IXUGO != 0;
    if runnable && cred.capable(CAP_DAC_OVERRIDE) { Ok(()) } else { Err(Errno::EACCES) }
}

/// Whether the task owns the inode or may act as its owner.
#[doc(alias = "inode_owner_or_capable")]
pub fn owner_or_capable(cred: &Cred, owner: Owner) -> bool {
    cred.fsuid == owner.uid || cred.capable(CAP_FOWNER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_judged_by_the_owner_bits_alone() {
        let owner = Owner { mode: 0o100077, uid: 7, gid: 7 };
        assert_eq!(generic_permission(&Cred::plain(7, 7), owner, MAY_READ), Err(Errno::EACCES));
        assert_eq!(generic_permission(&Cred::plain(8, 7), owner, MAY_READ), Ok(()));
        assert_eq!(generic_permission(&Cred::plain(8, 8), owner, MAY_WRITE), Ok(()));
    }

    #[test]
    fn a_group_can_have_less_than_others() {
        let owner = Owner { mode: 0o100704, uid: 1, gid: 7 };
        assert_eq!(generic_permission(&Cred::plain(8, 7), owner, MAY_READ), Err(Errno::EACCES));
        assert_eq!(generic_permission(&Cred::plain(8, 8), owner, MAY_READ), Ok(()));
    }

    #[test]
    fn nobody_runs_what_nobody_may_run() {
        let mut root = Cred::plain(0, 0);
        root.cap_effective = u64::MAX;
        let file = |mode| Owner { mode, uid: 1, gid: 1 };
        assert_eq!(generic_permission(&root, file(0o100666), MAY_EXEC), Err(Errno::EACCES));
        assert_eq!(generic_permission(&root, file(0o100001), MAY_EXEC), Ok(()));
        assert_eq!(generic_permission(&root, file(0o40000), MAY_EXEC | MAY_WRITE), Ok(()));
    }
}
