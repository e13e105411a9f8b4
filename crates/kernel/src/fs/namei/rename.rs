//! Names that change: `rename`.
//!
//! Mirrors: fs/namei.c (`do_renameat2`, `vfs_rename`), Linux 6.18.
//! Differs: one lock of the world stands for every file system's `s_vfs_rename_mutex`; a walk notices (`rename_lock`) what goes
//! to another directory, for nothing else changes what is above a place.
//! Locking: `Kernel::renames` if a name goes to another directory, then the names of the directories.

use alloc::sync::Arc;

use acrida_kcore::change_lock::Changing;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT};

use crate::abi::{DirFd, Flags, SysResult, UserPath};
use crate::fs::dcache::{Dentry, Removal, d_move};
use crate::fs::inode::{MAY_WRITE, Rename};
use crate::fs::namei::may::{Victim, may_create, may_delete};
use crate::fs::namei::{self, Last, Parent, getname, lookup_locked};
use crate::fs::notify::fsnotify::{self, Move, Names};
use crate::{current, kernel};

fn do_renameat2(old_dfd: i32, old: UserPath, new_dfd: i32, new: UserPath, flags: u32) -> SysResult {
    let unknown = flags & !(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) != 0;
    if unknown || flags & (RENAME_NOREPLACE | RENAME_WHITEOUT) != 0 && flags & RENAME_EXCHANGE != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (old, new) = (getname(old)?, getname(new));
    let from = namei::lookup_parent(old_dfd, &old)?;
    let new = new?;
    let to = namei::lookup_parent(new_dfd, &new)?;
    if !Arc::ptr_eq(&from.path.mnt, &to.path.mnt) {
        return Err(Errno::EXDEV.into());
    }
    rename(&from, &to, flags)?;
    Ok(0)
}

fn rename(from: &Parent, to: &Parent, flags: u32) -> Result<(), Error> {
    let Last::Name(old_name) = &from.last else { return Err(Errno::EBUSY.into()) };
    let Last::Name(new_name) = &to.last else {
        return Err(if flags & RENAME_NOREPLACE != 0 { Errno::EEXIST } else { Errno::EBUSY }.into());
    };
    from.path.mnt.want_write()?;
    let (old_dir, new_dir) = (&from.path.dentry, &to.path.dentry);
    // While no name goes from one directory to another, none comes to be above another.
    let mut renames = (!Arc::ptr_eq(old_dir, new_dir)).then(|| kernel().renames.lock());
    let _removal = Removal::begin_both(old_dir, new_dir);
    let (old, _) = lookup_locked(old_dir, old_name)?.ok_or(Errno::ENOENT)?;
    let victim = lookup_locked(new_dir, new_name)?.map(|(dentry, _)| dentry);
    let exchange = flags & RENAME_EXCHANGE != 0;
    match &victim {
        Some(_) if flags & RENAME_NOREPLACE != 0 => return Err(Errno::EEXIST.into()),
        None if exchange => return Err(Errno::ENOENT.into()),
        Some(victim) if exchange && !victim.inode().is_dir() && to.slashes => return Err(Errno::ENOTDIR.into()),
        _ => {}
    }
    let is_dir = old.inode().is_dir();
    if !is_dir && (from.slashes || !exchange && to.slashes) {
        return Err(Errno::ENOTDIR.into());
    }
    if is_dir && new_dir.is_at_or_below(&old) {
        return Err(Errno::EINVAL.into());
    }
    if let Some(victim) = &victim {
        if victim.inode().is_dir() && old_dir.is_at_or_below(victim) {
            return Err(if exchange { Errno::EINVAL } else { Errno::ENOTEMPTY }.into());
        }
        // Two names of one object: nothing is to be done, and both stay.
        if Arc::ptr_eq(victim.inode(), old.inode()) {
            return Ok(());
        }
    }
    may_rename(old_dir, new_dir, &old, victim.as_ref(), exchange)?;
    let how = Rename { old_dir, old: &old, new_dir, new_name, victim: victim.as_ref(), flags };
    let replaced = victim.as_ref().filter(|_| !exchange).map(|victim| (victim, Names::without(victim)));
    old_dir.inode().rename(&how)?;
    let moving = renames.as_mut().map(Changing::begin);
    d_move(&old, new_dir, new_name, victim.as_ref().filter(|_| exchange));
    drop(moving);
    fsnotify::moved(&Move { moved: &old, old_dir, old_name, new_dir, new_name, target: replaced });
    if let Some(other) = victim.as_ref().filter(|_| exchange) {
        fsnotify::moved(&Move {
            moved: other,
            old_dir: new_dir,
            old_name: new_name,
            new_dir: old_dir,
            new_name: old_name,
            target: None,
        });
    }
    Ok(())
}

fn kind(dentry: &Dentry) -> Victim {
    if dentry.inode().is_dir() { Victim::Directory } else { Victim::Other }
}

fn may_rename(
    old_dir: &Dentry,
    new_dir: &Dentry,
    old: &Arc<Dentry>,
    victim: Option<&Arc<Dentry>>,
    exchange: bool,
) -> Result<(), Error> {
    may_delete(old_dir, old, kind(old))?;
    match victim {
        None => may_create(new_dir)?,
        Some(victim) if exchange => may_delete(new_dir, victim, kind(victim))?,
        Some(victim) => may_delete(new_dir, victim, kind(old))?,
    }
    if core::ptr::eq(old_dir, new_dir) {
        return Ok(());
    }
    // A directory that gets another parent has its `..` written.
    let cred = current().cred();
    let moved = [Some(old), victim.filter(|_| exchange)];
    for dentry in moved.into_iter().flatten() {
        if dentry.inode().is_dir() && !dentry.inode().checks_itself() {
            dentry.inode().permission(dentry, &cred, MAY_WRITE)?;
        }
    }
    Ok(())
}

pub fn sys_rename(old: UserPath, new: UserPath) -> SysResult {
    do_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0)
}

pub fn sys_renameat(old_dfd: DirFd, old: UserPath, new_dfd: DirFd, new: UserPath) -> SysResult {
    do_renameat2(old_dfd.0, old, new_dfd.0, new, 0)
}

pub fn sys_renameat2(old_dfd: DirFd, old: UserPath, new_dfd: DirFd, new: UserPath, flags: Flags) -> SysResult {
    do_renameat2(old_dfd.0, old, new_dfd.0, new, flags.0)
}
