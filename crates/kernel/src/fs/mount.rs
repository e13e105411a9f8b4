//! `mount` and `umount2`.
//!
//! Mirrors: fs/namespace.c (`path_mount`, `ksys_umount`), Linux 6.18.
//! Differs: no propagation between mounts; asking for it is accepted and changes nothing.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_ADMIN;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::limits::PATH_MAX;
use acrida_uapi::mount::{MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MS_MGC_MSK, MS_MGC_VAL, MsFlags, UMOUNT_NOFOLLOW};

use crate::abi::{Flags, SysResult, UserPath};
use crate::fs::dcache::Path;
use crate::fs::namei::{self, Lookup, getname};
use crate::fs::namespace::Mount;
use crate::fs::notify::fsnotify;
use crate::fs::super_block::file_system;
use crate::{current, kernel};

/// Flags that belong to the mount and not to the file system.
const PER_MOUNT: MsFlags = MsFlags::MS_RDONLY
    .union(MsFlags::MS_NOSUID)
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC)
    .union(MsFlags::MS_NOATIME)
    .union(MsFlags::MS_NODIRATIME)
    .union(MsFlags::MS_RELATIME)
    .union(MsFlags::MS_STRICTATIME)
    .union(MsFlags::MS_NOSYMFOLLOW);

const PROPAGATION: MsFlags = MsFlags::MS_SHARED.union(MsFlags::MS_PRIVATE).union(MsFlags::MS_SLAVE).union(MsFlags::MS_UNBINDABLE);

#[doc(alias = "may_mount")]
fn check_right() -> Result<(), Errno> {
    if current().cred().capable(CAP_SYS_ADMIN) { Ok(()) } else { Err(Errno::EPERM) }
}

fn mount_flags(flags: MsFlags) -> MsFlags {
    let kept = flags & PER_MOUNT;
    let times = MsFlags::MS_NOATIME | MsFlags::MS_STRICTATIME;
    if kept.intersects(times) { kept - MsFlags::MS_RELATIME } else { kept | MsFlags::MS_RELATIME }
}

fn string(addr: UserAddr) -> Result<Option<Vec<u8>>, Errno> {
    if addr.is_null() { Ok(None) } else { addr.read_cstr(PATH_MAX, Errno::EINVAL).map(Some) }
}

/// Options: a string of at most a page.
fn options(addr: UserAddr) -> Result<Vec<u8>, Errno> {
    Ok(string(addr)?.unwrap_or_default())
}

pub fn sys_mount(source: UserAddr, target: UserPath, kind: UserAddr, flags: u64, data: UserAddr) -> SysResult {
    let (kind, source, data) = (string(kind)?, string(source)?, options(data)?);
    let target = namei::lookup(AT_FDCWD, &getname(target)?, Lookup::FOLLOW)?.path;
    let flags = if flags & MS_MGC_MSK == MS_MGC_VAL { flags & !MS_MGC_MSK } else { flags };
    let flags = MsFlags::from_bits_retain(flags);
    if flags.contains(MsFlags::MS_NOUSER) {
        return Err(Errno::EINVAL.into());
    }
    check_right()?;
    if flags.contains(MsFlags::MS_REMOUNT) {
        remount(&target, flags, &data)?;
    } else if flags.contains(MsFlags::MS_BIND) {
        bind(&source.ok_or(Errno::EINVAL)?, target, flags)?;
    } else if flags.intersects(PROPAGATION) {
        if !target.is_mount_root() || (flags & PROPAGATION).bits().count_ones() != 1 {
            return Err(Errno::EINVAL.into());
        }
    } else if flags.contains(MsFlags::MS_MOVE) {
        move_mount(&source.ok_or(Errno::EINVAL)?, target)?;
    } else {
        let kind = file_system(&kind.ok_or(Errno::EINVAL)?)?;
        let instance = (kind.mount)(source.as_deref().unwrap_or(b""), &data)?;
        let source = source.unwrap_or_else(|| b"none".to_vec());
        let mount = Mount::new(instance.sb, instance.root, &source, mount_flags(flags));
        attach(&mount, target)?;
    }
    Ok(0)
}

fn attach(mount: &Arc<Mount>, target: Path) -> Result<(), Error> {
    if target.inode().is_dir() != mount.root.inode().is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    Ok(kernel().mounts.attach(mount, target)?)
}

#[doc(alias = "do_remount")]
fn remount(target: &Path, flags: MsFlags, data: &[u8]) -> Result<(), Error> {
    if !target.is_mount_root() {
        return Err(Errno::EINVAL.into());
    }
    if flags.contains(MsFlags::MS_RDONLY) && target.mnt.has_writers() {
        return Err(Errno::EBUSY.into());
    }
    if !flags.contains(MsFlags::MS_BIND) {
        target.mnt.sb.reconfigure(data)?;
    }
    target.mnt.set_flags(mount_flags(flags));
    kernel().mounts.changes().add();
    Ok(())
}

/// Shows a part of the tree at a second place, with what is mounted on it if `MS_REC` asks for that.
#[doc(alias = "do_loopback")]
fn bind(source: &[u8], target: Path, flags: MsFlags) -> Result<(), Error> {
    let from = namei::lookup(AT_FDCWD, source, Lookup::FOLLOW)?.path;
    let copy = |mount: &Arc<Mount>, root| Mount::new(mount.sb.clone(), root, &mount.source, mount.flags());
    let top = copy(&from.mnt, from.dentry.clone());
    attach(&top, target)?;
    if !flags.contains(MsFlags::MS_REC) {
        return Ok(());
    }
    let mut pairs = alloc::vec![(from.mnt.clone(), top)];
    while let Some((old, new)) = pairs.pop() {
        for child in old.children() {
            let Some(place) = child.place() else { continue };
            if !place.dentry.is_at_or_below(&new.root) || Arc::ptr_eq(&child, &new) {
                continue;
            }
            let twin = copy(&child, child.root.clone());
            attach(&twin, Path { mnt: new.clone(), dentry: place.dentry })?;
            pairs.push((child, twin));
        }
    }
    Ok(())
}

#[doc(alias = "do_move_mount_old")]
fn move_mount(source: &[u8], target: Path) -> Result<(), Error> {
    let from = namei::lookup(AT_FDCWD, source, Lookup::FOLLOW)?.path;
    if !from.is_mount_root() || from.mnt.place().is_none() {
        return Err(Errno::EINVAL.into());
    }
    if from.dentry.inode().is_dir() != target.inode().is_dir() {
        return Err(Errno::EINVAL.into());
    }
    let mut above = Some(target.mnt.clone());
    while let Some(mount) = above {
        if Arc::ptr_eq(&mount, &from.mnt) {
            return Err(Errno::ELOOP.into());
        }
        above = mount.place().map(|place| place.mnt);
    }
    Ok(kernel().mounts.relocate(&from.mnt, target)?)
}

pub fn sys_umount2(target: UserPath, flags: Flags) -> SysResult {
    let flags = flags.0;
    if flags & !(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let lookup = if flags & UMOUNT_NOFOLLOW == 0 { Lookup::FOLLOW } else { Lookup::empty() };
    let path = namei::lookup(AT_FDCWD, &getname(target)?, lookup)?.path;
    check_right()?;
    if !path.is_mount_root() || path.mnt.place().is_none() {
        return Err(Errno::EINVAL.into());
    }
    if flags & MNT_EXPIRE != 0 {
        let errno = if flags & (MNT_FORCE | MNT_DETACH) != 0 { Errno::EINVAL } else { Errno::EAGAIN };
        return Err(errno.into());
    }
    if flags & MNT_DETACH != 0 {
        kernel().mounts.detach_all(&path.mnt)?;
        return Ok(0);
    }
    kernel().mounts.detach(&path.mnt)?;
    let sb = &path.mnt.sb;
    let mut is_elsewhere = false;
    kernel().mounts.for_each(|mount| is_elsewhere |= Arc::ptr_eq(&mount.sb, sb));
    if !is_elsewhere {
        fsnotify::unmounted(sb);
    }
    Ok(0)
}
