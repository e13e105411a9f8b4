//! Names that go: `unlink`, `rmdir`.
//!
//! Mirrors: fs/namei.c, Linux 6.18.

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_FDCWD, AT_REMOVEDIR};

use crate::abi::{DirFd, Flags, SysResult, UserPath};
use crate::fs::namei::may::{Victim, may_delete};
use crate::fs::namei::{self, Last, getname, lookup_locked};
use crate::fs::notify::fsnotify::{self, Names};

#[doc(alias = "do_unlinkat")]
fn unlink(dfd: i32, path: &[u8]) -> Result<(), Error> {
    let parent = namei::lookup_parent(dfd, path)?;
    let Last::Name(name) = parent.last else { return Err(Errno::EISDIR.into()) };
    let dir = parent.path;
    dir.mnt.want_write()?;
    let _removal = dir.dentry.begin_removal();
    let (victim, _) = lookup_locked(&dir.dentry, &name)?.ok_or(Errno::ENOENT)?;
    if parent.slashes {
        let errno = if victim.inode().is_dir() { Errno::EISDIR } else { Errno::ENOTDIR };
        return Err(errno.into());
    }
    may_delete(&dir.dentry, &victim, Victim::Other)?;
    let names = Names::without(&victim);
    dir.inode().unlink(&dir.dentry, &victim)?;
    dir.dentry.removed(&victim);
    fsnotify::delete(&dir.dentry, &victim, names);
    Ok(())
}

#[doc(alias = "do_rmdir")]
fn rmdir(dfd: i32, path: &[u8]) -> Result<(), Error> {
    let parent = namei::lookup_parent(dfd, path)?;
    let name = match parent.last {
        Last::Name(name) => name,
        Last::Dot => return Err(Errno::EINVAL.into()),
        Last::DotDot => return Err(Errno::ENOTEMPTY.into()),
        Last::Root => return Err(Errno::EBUSY.into()),
    };
    let dir = parent.path;
    dir.mnt.want_write()?;
    let _removal = dir.dentry.begin_removal();
    let (victim, _) = lookup_locked(&dir.dentry, &name)?.ok_or(Errno::ENOENT)?;
    may_delete(&dir.dentry, &victim, Victim::Directory)?;
    let names = Names::without(&victim);
    dir.inode().rmdir(&dir.dentry, &victim)?;
    dir.dentry.removed(&victim);
    fsnotify::delete(&dir.dentry, &victim, names);
    Ok(())
}

pub fn sys_unlink(path: UserPath) -> SysResult {
    unlink(AT_FDCWD, &getname(path)?)?;
    Ok(0)
}

pub fn sys_rmdir(path: UserPath) -> SysResult {
    rmdir(AT_FDCWD, &getname(path)?)?;
    Ok(0)
}

pub fn sys_unlinkat(dfd: DirFd, path: UserPath, flags: Flags) -> SysResult {
    match flags.0 {
        0 => unlink(dfd.0, &getname(path)?)?,
        AT_REMOVEDIR => rmdir(dfd.0, &getname(path)?)?,
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}
