//! New names: `mkdir`, `mknod`, `symlink`, `link`.
//!
//! Mirrors: fs/namei.c, Linux 6.18.

use alloc::vec::Vec;

use acrida_uapi::capability::{CAP_DAC_READ_SEARCH, CAP_MKNOD};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, O_EXCL, O_RDONLY};
use acrida_uapi::stat::{S_IALLUGO, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK, S_IRWXUGO, S_ISVTX};

use crate::abi::{DirFd, Flags, Mode, SysResult, UserPath};
use crate::current;
use crate::fs::dcache::Path;
use crate::fs::inode::NewNode;
use crate::fs::namei::may::may_create;
use crate::fs::namei::{self, Last, Lookup, getname, getname_empty, lookup_child};
use crate::fs::notify::fsnotify;

/// A name that does not exist yet, and the directory it will stand in.
pub struct NewName {
    pub dir: Path,
    pub name: Vec<u8>,
}

/// What a new name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFor {
    Directory,
    Other,
}

/// The place for a new name; `EEXIST` when it is taken.
#[doc(alias = "filename_create")]
pub fn new_name(dfd: i32, path: &[u8], purpose: NameFor) -> Result<NewName, Error> {
    let parent = namei::lookup_parent(dfd, path)?;
    let Last::Name(name) = parent.last else { return Err(Errno::EEXIST.into()) };
    let dir = parent.path;
    // Of other objects more is asked first than whether the name is free.
    let host_looks = purpose == NameFor::Directory && creates_unseen(&dir, &name);
    if !host_looks && lookup_child(&dir.dentry, &name)?.is_some() {
        return Err(Errno::EEXIST.into());
    }
    if parent.slashes && purpose == NameFor::Other {
        return Err(Errno::ENOENT.into());
    }
    dir.mnt.want_write()?;
    Ok(NewName { dir, name })
}

/// Whether a name that must not be there need not be looked up first: the host finds it, and nothing of ours hides it.
pub fn creates_unseen(dir: &Path, name: &[u8]) -> bool {
    dir.inode().checks_itself() && dir.mnt.want_write().is_ok() && dir.dentry.child(name).is_none()
}

fn umasked(mode: u32) -> u32 {
    mode & !current().fs().umask()
}

fn do_mkdirat(dfd: i32, path: UserPath, mode: Mode) -> SysResult {
    let NewName { dir, name } = new_name(dfd, &getname(path)?, NameFor::Directory)?;
    may_create(&dir.dentry)?;
    let mode = umasked(mode.0 & (S_IRWXUGO | S_ISVTX));
    let _names = dir.dentry.lock_names();
    dir.inode().mkdir(&dir.dentry, &name, mode)?;
    fsnotify::create(&dir.dentry, &name, fsnotify::NewName::Directory);
    Ok(0)
}

pub fn sys_mkdir(path: UserPath, mode: Mode) -> SysResult {
    do_mkdirat(AT_FDCWD, path, mode)
}

pub fn sys_mkdirat(dfd: DirFd, path: UserPath, mode: Mode) -> SysResult {
    do_mkdirat(dfd.0, path, mode)
}

fn do_mknodat(dfd: i32, path: UserPath, mode: u32, rdev: u32) -> SysResult {
    let kind = match mode & S_IFMT {
        0 => S_IFREG,
        kind @ (S_IFREG | S_IFCHR | S_IFBLK | S_IFIFO | S_IFSOCK) => kind,
        S_IFDIR => return Err(Errno::EPERM.into()),
        _ => return Err(Errno::EINVAL.into()),
    };
    let NewName { dir, name } = new_name(dfd, &getname(path)?, NameFor::Other)?;
    mknod(&dir, &name, kind | umasked(mode & S_IALLUGO), rdev)?;
    Ok(0)
}

/// Makes a node of any kind but a directory; also for AF_UNIX's `bind`, which looks it up afterwards.
#[doc(alias = "vfs_mknod")]
pub fn mknod(dir: &Path, name: &[u8], mode: u32, rdev: u32) -> Result<(), Error> {
    may_create(&dir.dentry)?;
    let kind = mode & S_IFMT;
    if matches!(kind, S_IFCHR | S_IFBLK) {
        if rdev != 0 && !current().cred().capable(CAP_MKNOD) {
            return Err(Errno::EPERM.into());
        }
    }
    let _names = dir.dentry.lock_names();
    match kind {
        S_IFREG => dir.inode().create(&dir.dentry, name, mode & S_IALLUGO, O_RDONLY | O_EXCL).map(drop),
        _ => dir.inode().mknod(&dir.dentry, name, NewNode { mode, rdev }),
    }?;
    fsnotify::create(&dir.dentry, name, fsnotify::NewName::Other);
    Ok(())
}

pub fn sys_mknod(path: UserPath, mode: Mode, rdev: u32) -> SysResult {
    do_mknodat(AT_FDCWD, path, mode.0, rdev)
}

pub fn sys_mknodat(dfd: DirFd, path: UserPath, mode: Mode, rdev: u32) -> SysResult {
    do_mknodat(dfd.0, path, mode.0, rdev)
}

fn do_symlinkat(target: UserPath, dfd: i32, path: UserPath) -> SysResult {
    let target = getname(target)?;
    let NewName { dir, name } = new_name(dfd, &getname(path)?, NameFor::Other)?;
    may_create(&dir.dentry)?;
    let _names = dir.dentry.lock_names();
    dir.inode().symlink(&dir.dentry, &name, &target)?;
    fsnotify::create(&dir.dentry, &name, fsnotify::NewName::Other);
    Ok(0)
}

pub fn sys_symlink(target: UserPath, path: UserPath) -> SysResult {
    do_symlinkat(target, AT_FDCWD, path)
}

pub fn sys_symlinkat(target: UserPath, dfd: DirFd, path: UserPath) -> SysResult {
    do_symlinkat(target, dfd.0, path)
}

fn do_linkat(old_dfd: i32, old: UserPath, dfd: i32, path: UserPath, flags: u32) -> SysResult {
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut how = Lookup::empty();
    how.set(Lookup::FOLLOW, flags & AT_SYMLINK_FOLLOW != 0);
    how.set(Lookup::EMPTY, flags & AT_EMPTY_PATH != 0);
    let old_name = getname_empty(old)?;
    let new_path = getname(path);
    let old = namei::lookup(old_dfd, &old_name, how)?.path;
    if old_name.is_empty() && old.dentry.is_unhashed() && !current().cred().capable(CAP_DAC_READ_SEARCH) {
        return Err(Errno::ENOENT.into());
    }
    let NewName { dir, name } = new_name(dfd, &new_path?, NameFor::Other)?;
    if !alloc::sync::Arc::ptr_eq(&old.mnt, &dir.mnt) {
        return Err(Errno::EXDEV.into());
    }
    may_create(&dir.dentry)?;
    if old.inode().is_dir() {
        return Err(Errno::EPERM.into());
    }
    let _names = dir.dentry.lock_names();
    dir.inode().link(&dir.dentry, &name, &old.dentry)?;
    fsnotify::link(&dir.dentry, &name, &old.dentry);
    Ok(0)
}

pub fn sys_link(old: UserPath, path: UserPath) -> SysResult {
    do_linkat(AT_FDCWD, old, AT_FDCWD, path, 0)
}

pub fn sys_linkat(old_dfd: DirFd, old: UserPath, dfd: DirFd, path: UserPath, flags: Flags) -> SysResult {
    do_linkat(old_dfd.0, old, dfd.0, path, flags.0)
}
