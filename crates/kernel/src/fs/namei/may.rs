//! What a task may do to the names in a directory.
//!
//! Mirrors: fs/namei.c (`may_create`, `may_delete`, `check_sticky`), Linux 6.18.
//! Differs: a file system that checks for itself is asked nothing here but what only the tree knows.

use acrida_uapi::capability::CAP_FOWNER;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::S_ISVTX;

use crate::current;
use crate::fs::dcache::Dentry;
use crate::fs::inode::{MAY_EXEC, MAY_WRITE};

/// What is about to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Directory,
    Other,
}

/// Whether the caller may add a name to `dir`.
pub fn may_create(dir: &Dentry) -> Result<(), Error> {
    if dir.is_unhashed() {
        return Err(Errno::ENOENT.into());
    }
    let inode = dir.inode();
    if inode.checks_itself() {
        return Ok(());
    }
    inode.permission(dir, &current().cred(), MAY_WRITE | MAY_EXEC)
}

/// Whether the caller may take `victim` out of `dir`.
pub fn may_delete(dir: &Dentry, victim: &Dentry, kind: Victim) -> Result<(), Error> {
    let inode = dir.inode();
    if !inode.checks_itself() {
        let cred = current().cred();
        inode.permission(dir, &cred, MAY_WRITE | MAY_EXEC)?;
        let (owner, of_dir) = (victim.inode().owner(), inode.owner());
        let mine = cred.fsuid == owner.uid || cred.fsuid == of_dir.uid || cred.capable(CAP_FOWNER);
        if of_dir.mode & S_ISVTX != 0 && !mine {
            return Err(Errno::EPERM.into());
        }
        match (kind, victim.inode().is_dir()) {
            (Victim::Directory, false) => return Err(Errno::ENOTDIR.into()),
            (Victim::Other, true) => return Err(Errno::EISDIR.into()),
            _ => {}
        }
    }
    if dir.is_unhashed() {
        return Err(Errno::ENOENT.into());
    }
    if victim.is_mountpoint() {
        return Err(match (kind, victim.inode().is_dir()) {
            (Victim::Directory, false) => Errno::ENOTDIR,
            (Victim::Other, true) => Errno::EISDIR,
            _ => Errno::EBUSY,
        }
        .into());
    }
    Ok(())
}
