//! Changing who a file belongs to and who may use it.
//!
//! Mirrors: fs/open.c (`chmod`, `chown`), fs/attr.c (`notify_change`), Linux 6.18.

use acrida_uapi::capability::{CAP_CHOWN, CAP_FSETID};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use acrida_uapi::stat::{S_IALLUGO, S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_IXGRP};

use crate::abi::{DirFd, Fd, Flags, Mode, SysResult, UserPath};
use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::fs::attr::{Iattr, owner_or_capable};
use crate::fs::dcache::Path;
use crate::fs::inode::{MAY_WRITE, Owner};
use crate::fs::namei::user_path_at;
use crate::fs::notify::fsnotify;
use crate::kernel::cred::Cred;

/// The mode without the bits that a change of owner or content by `cred` takes away.
#[doc(alias = "setattr_should_drop_suidgid")]
pub fn without_privilege(cred: &Cred, owner: Owner) -> u32 {
    let mode = owner.mode & !S_ISUID;
    let locks = mode & S_IXGRP == 0 && (cred.in_group(owner.gid) || cred.capable(CAP_FSETID));
    if locks { mode } else { mode & !S_ISGID }
}

fn may_chown(cred: &Cred, owner: Owner, attr: &Iattr) -> bool {
    let uid_ok = attr.uid.is_none_or(|uid| cred.fsuid == owner.uid && uid == owner.uid);
    let gid_ok = attr.gid.is_none_or(|gid| cred.fsuid == owner.uid && (gid == owner.gid || cred.in_group(gid)));
    uid_ok && gid_ok || cred.capable(CAP_CHOWN)
}

/// Checks and makes a change of attributes, and tells of it.
pub fn notify_change(path: &Path, attr: Iattr) -> Result<(), Error> {
    change(path, attr)?;
    fsnotify::change(&path.dentry, &attr);
    Ok(())
}

fn change(path: &Path, mut attr: Iattr) -> Result<(), Error> {
    path.mnt.want_write()?;
    let inode = path.inode();
    if inode.checks_itself() {
        return inode.setattr(&path.dentry, &attr);
    }
    let cred = current().cred();
    let owner = inode.owner();
    if !may_chown(&cred, owner, &attr) {
        return Err(Errno::EPERM.into());
    }
    if let Some(mode) = &mut attr.mode {
        if !owner_or_capable(&cred, owner) {
            return Err(Errno::EPERM.into());
        }
        if !cred.in_group(attr.gid.unwrap_or(owner.gid)) && !cred.capable(CAP_FSETID) {
            *mode &= !S_ISGID;
        }
    }
    let explicit = |time| matches!(time, Some(crate::fs::attr::SetTime::At(_)));
    let touches = attr.atime.is_some() || attr.mtime.is_some();
    // One time alone, or a given one, is the owner's affair; "now" for both is also a writer's.
    let owners_only = explicit(attr.atime) || explicit(attr.mtime) || attr.atime.is_some() != attr.mtime.is_some();
    if touches && !owner_or_capable(&cred, owner) {
        if owners_only {
            return Err(Errno::EPERM.into());
        }
        inode.permission(&path.dentry, &cred, MAY_WRITE)?;
    }
    inode.setattr(&path.dentry, &attr)
}

fn chmod(path: &Path, mode: u32) -> SysResult {
    if path.inode().is_symlink() {
        path.mnt.want_write()?;
        return Err(Errno::EOPNOTSUPP.into());
    }
    notify_change(path, Iattr { mode: Some(mode & S_IALLUGO), ..Iattr::default() })?;
    Ok(0)
}

pub fn sys_chmod(path: UserPath, mode: Mode) -> SysResult {
    chmod(&user_path_at(AT_FDCWD, path, 0)?.path, mode.0)
}

pub fn sys_fchmodat(dfd: DirFd, path: UserPath, mode: Mode) -> SysResult {
    chmod(&user_path_at(dfd.0, path, 0)?.path, mode.0)
}

pub fn sys_fchmodat2(dfd: DirFd, path: UserPath, mode: Mode, flags: Flags) -> SysResult {
    if flags.0 & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    chmod(&user_path_at(dfd.0, path, flags.0)?.path, mode.0)
}

pub fn sys_fchmod(fd: Fd, mode: Mode) -> SysResult {
    chmod(&path_of(&current().files().get(fd.0)?), mode.0)
}

fn chown(path: &Path, uid: u32, gid: u32) -> SysResult {
    let asked = |id: u32| (id != u32::MAX).then_some(id);
    let mut attr = Iattr { uid: asked(uid), gid: asked(gid), chown: true, ..Iattr::default() };
    let owner = path.inode().owner();
    if owner.mode & S_IFMT != S_IFDIR && !path.inode().checks_itself() {
        let cred = current().cred();
        let kept = without_privilege(&cred, owner) & S_IALLUGO;
        if kept != owner.mode & S_IALLUGO && may_chown(&cred, owner, &attr) {
            // Not a `chmod`: the right to change the owner is enough.
            path.mnt.want_write()?;
            attr.mode = Some(kept);
            path.inode().setattr(&path.dentry, &attr)?;
            fsnotify::change(&path.dentry, &attr);
            return Ok(0);
        }
    }
    notify_change(path, attr)?;
    Ok(0)
}

pub fn sys_chown(path: UserPath, uid: u32, gid: u32) -> SysResult {
    chown(&user_path_at(AT_FDCWD, path, 0)?.path, uid, gid)
}

pub fn sys_lchown(path: UserPath, uid: u32, gid: u32) -> SysResult {
    chown(&user_path_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)?.path, uid, gid)
}

pub fn sys_fchownat(dfd: DirFd, path: UserPath, uid: u32, gid: u32, flags: Flags) -> SysResult {
    if flags.0 & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    chown(&user_path_at(dfd.0, path, flags.0)?.path, uid, gid)
}

pub fn sys_fchown(fd: Fd, uid: u32, gid: u32) -> SysResult {
    chown(&path_of(&current().files().get(fd.0)?), uid, gid)
}
