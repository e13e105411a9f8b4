//! Attributes for the guest: the `stat` family, `readlink`.
//!
//! Mirrors: fs/stat.c, Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW};
use acrida_uapi::stat::{
    STATX__RESERVED, STATX_ATTR_MOUNT_ROOT, STATX_BASIC_STATS, STATX_MNT_ID, STATX_MNT_ID_UNIQUE, Stat, Statx, StatxTimestamp,
    new_decode_dev,
};
use acrida_uapi::time::Timespec;
use alloc::vec::Vec;
use zerocopy::FromZeros;

use crate::abi::{BufOut, DirFd, Fd, Flags, SysResult, UserPath};
use crate::current;
use crate::fs::attr::Kstat;
use crate::fs::namei::{self, Lookup, PlaceInMount, Walk};

impl Kstat {
    /// As `stat` shows it.
    #[doc(alias = "cp_new_stat")]
    pub fn to_stat(&self) -> Stat {
        Stat {
            st_dev: self.dev.into(),
            st_ino: self.ino,
            st_nlink: self.nlink.into(),
            st_mode: self.mode,
            st_uid: self.uid,
            st_gid: self.gid,
            st_rdev: self.rdev.into(),
            st_size: self.size.cast_signed(),
            st_blksize: self.blksize.into(),
            st_blocks: self.blocks.cast_signed(),
            st_atime: self.atime.tv_sec.cast_unsigned(),
            st_atime_nsec: self.atime.tv_nsec.cast_unsigned(),
            st_mtime: self.mtime.tv_sec.cast_unsigned(),
            st_mtime_nsec: self.mtime.tv_nsec.cast_unsigned(),
            st_ctime: self.ctime.tv_sec.cast_unsigned(),
            st_ctime_nsec: self.ctime.tv_nsec.cast_unsigned(),
            ..Stat::new_zeroed()
        }
    }

    /// As `statx` shows it; `place` adds what only the mount knows.
    #[doc(alias = "cp_statx")]
    fn to_statx(&self, place: Option<&PlaceInMount>, asked: u32) -> Statx {
        let (stx_dev_major, stx_dev_minor) = new_decode_dev(self.dev);
        let (stx_rdev_major, stx_rdev_minor) = new_decode_dev(self.rdev);
        let mut out = Statx {
            stx_mask: STATX_BASIC_STATS | self.extra_mask,
            stx_blksize: self.blksize,
            stx_attributes: self.attributes & !STATX_ATTR_MOUNT_ROOT,
            stx_nlink: self.nlink,
            stx_uid: self.uid,
            stx_gid: self.gid,
            stx_mode: self.mode as u16,
            stx_ino: self.ino,
            stx_size: self.size,
            stx_blocks: self.blocks,
            stx_attributes_mask: self.attributes_mask | STATX_ATTR_MOUNT_ROOT,
            stx_atime: timestamp(self.atime),
            stx_btime: timestamp(self.btime),
            stx_ctime: timestamp(self.ctime),
            stx_mtime: timestamp(self.mtime),
            stx_rdev_major,
            stx_rdev_minor,
            stx_dev_major,
            stx_dev_minor,
            stx_dio_mem_align: self.dio_mem_align,
            stx_dio_offset_align: self.dio_offset_align,
            ..Statx::new_zeroed()
        };
        if let Some(place) = place {
            out.stx_mnt_id = place.mnt.id;
            out.stx_mask |= if asked & STATX_MNT_ID_UNIQUE != 0 { STATX_MNT_ID_UNIQUE } else { STATX_MNT_ID };
            if place.is_root {
                out.stx_attributes |= STATX_ATTR_MOUNT_ROOT;
            }
        }
        out
    }
}

fn timestamp(time: Timespec) -> StatxTimestamp {
    // Nanoseconds are below 10^9.
    StatxTimestamp { tv_sec: time.tv_sec, tv_nsec: time.tv_nsec as u32, __reserved: 0 }
}

/// The path argument of a `stat` call; a null one is an empty one where `AT_EMPTY_PATH` allows it.
fn stat_name(path: UserPath, at_flags: u32) -> Result<Vec<u8>, Error> {
    if at_flags & AT_EMPTY_PATH != 0 {
        if path.0.is_null() {
            return Ok(Vec::new());
        }
        return Ok(namei::getname_empty(path)?);
    }
    Ok(namei::getname(path)?)
}

/// Attributes and place of what a `stat` call names.
fn vfs_statx(dfd: i32, path: UserPath, at_flags: u32) -> Result<(Kstat, Option<PlaceInMount>), Error> {
    let name = stat_name(path, at_flags)?;
    if name.is_empty() && dfd >= 0 {
        let file = current().files().get_any(dfd)?;
        return Ok((file.ops.stat(&file)?, file.path.clone().map(PlaceInMount::from)));
    }
    let mut flags = Lookup::EMPTY;
    flags.set(Lookup::FOLLOW, at_flags & AT_SYMLINK_NOFOLLOW == 0);
    let (stat, place) = Walk::start(dfd, &name, flags)?.to_attributes(&name)?;
    Ok((stat, Some(place)))
}

fn newstat(dfd: i32, path: UserPath, at_flags: u32, out: UserAddr) -> SysResult {
    // How C libraries spell fstat.
    if at_flags & AT_EMPTY_PATH != 0 && dfd >= 0 && (path.0.is_null() || path.0.read::<u8>()? == 0) {
        return sys_fstat(Fd(dfd), out);
    }
    let (stat, _) = vfs_statx(dfd, path, at_flags)?;
    out.write(&stat.to_stat())?;
    Ok(0)
}

pub fn sys_stat(path: UserPath, out: UserAddr) -> SysResult {
    newstat(AT_FDCWD, path, 0, out)
}

pub fn sys_lstat(path: UserPath, out: UserAddr) -> SysResult {
    newstat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, out)
}

pub fn sys_fstat(fd: Fd, out: UserAddr) -> SysResult {
    let file = current().files.read(|files| files.light_any(fd.0))?;
    out.write(&file.ops.stat(&file)?.to_stat())?;
    Ok(0)
}

pub fn sys_newfstatat(dfd: DirFd, path: UserPath, out: UserAddr, flags: Flags) -> SysResult {
    let known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
    if flags.0 & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    newstat(dfd.0, path, flags.0, out)
}

pub fn sys_statx(dfd: DirFd, path: UserPath, flags: Flags, mask: Flags, out: UserAddr) -> SysResult {
    let known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
    let unknown = mask.0 & STATX__RESERVED != 0 || flags.0 & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE;
    if unknown || flags.0 & !known != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (stat, place) = vfs_statx(dfd.0, path, flags.0)?;
    out.write(&stat.to_statx(place.as_ref(), mask.0))?;
    Ok(0)
}

fn do_readlinkat(dfd: i32, path: UserPath, buf: BufOut, size: i32) -> SysResult {
    let size = usize::try_from(size).map_err(|_| Errno::EINVAL)?;
    if size == 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = namei::getname_empty(path)?;
    // The empty path names the link that `dfd` was opened on (O_PATH | O_NOFOLLOW).
    let flags = if dfd == AT_FDCWD { Lookup::empty() } else { Lookup::EMPTY };
    let found = namei::lookup(dfd, &name, flags)?;
    if !found.path.inode().is_symlink() {
        return Err(if name.is_empty() { Errno::ENOENT } else { Errno::EINVAL }.into());
    }
    let text = found.path.inode().readlink(&found.path.dentry)?;
    let len = text.len().min(size);
    buf.0.write_bytes(&text[..len])?;
    Ok(len)
}

pub fn sys_readlink(path: UserPath, buf: BufOut, size: i32) -> SysResult {
    do_readlinkat(AT_FDCWD, path, buf, size)
}

pub fn sys_readlinkat(dfd: DirFd, path: UserPath, buf: BufOut, size: i32) -> SysResult {
    do_readlinkat(dfd.0, path, buf, size)
}
