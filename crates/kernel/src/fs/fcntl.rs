//! fcntl: descriptor flags, status flags, owners; locks and pipe sizes are handed on.
//!
//! Mirrors: fs/fcntl.c, Linux 6.18.
//! Differs: commands that only some files know go to `FileOperations::fcntl`; write hints are kept, but no
//! file system of ours places data by them.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU8, Ordering};

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::*;
use acrida_uapi::signal::valid_signal;

use crate::abi::{Fd, SysResult};
use crate::fs::fasync::{self, Sigio};
use crate::fs::fdtable::nofile_limit;
use crate::fs::file::{File, FileOwner};
use crate::fs::locks::lease::{getlease, setlease};
use crate::fs::locks::posix::{getlk, setlk};
use crate::fs::notify::dnotify::dirnotify;
use crate::{current, kernel};

/// Flags that `F_SETFL` changes; `O_ASYNC` goes its own way.
const SETFL_MASK: u32 = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

pub fn sys_fcntl(fd: Fd, cmd: u32, arg: u64) -> SysResult {
    let file = current().files.read(|files| files.light_any(fd.0))?;
    if file.is_path() && !allowed_on_path(cmd) {
        return Err(Errno::EBADF.into());
    }
    do_fcntl(fd, &file, cmd, arg)
}

#[doc(alias = "check_fcntl_cmd")]
fn allowed_on_path(cmd: u32) -> bool {
    matches!(cmd, F_CREATED_QUERY | F_DUPFD | F_DUPFD_CLOEXEC | F_DUPFD_QUERY | F_GETFD | F_SETFD | F_GETFL)
}

fn do_fcntl(fd: Fd, file: &Arc<File>, cmd: u32, arg: u64) -> SysResult {
    // Numbers travel in the low half of the register, as C's `int`.
    let (int, user) = (arg as u32, UserAddr(arg));
    match cmd {
        F_DUPFD => return duplicate(file, int, false),
        F_DUPFD_CLOEXEC => return duplicate(file, int, true),
        F_DUPFD_QUERY => return same_file(file, int),
        F_CREATED_QUERY => return Ok(usize::from(file.is_created())),
        F_GETFD => return Ok(if current().files().cloexec(fd.0)? { FD_CLOEXEC as usize } else { 0 }),
        F_SETFD => current().files().set_cloexec(fd.0, int & FD_CLOEXEC != 0)?,
        F_GETFL => return Ok(file.flags() as usize),
        F_SETFL => setfl(fd, file, int)?,
        F_GETLK | F_OFD_GETLK => return getlk(file, cmd, user),
        F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW => return setlk(fd, file, cmd, user),
        F_GETLEASE => return getlease(file),
        F_SETLEASE => return setlease(fd, file, int),
        F_NOTIFY => dirnotify(fd, file, int)?,
        F_SETOWN => set_owner(file, owner_of_int(int.cast_signed())?)?,
        F_GETOWN => return Ok(owner_as_int(*file.owner.lock()) as usize),
        F_SETOWN_EX => set_owner(file, owner_of_ex(user.read()?)?)?,
        F_GETOWN_EX => user.write(&owner_as_ex(*file.owner.lock()))?,
        F_GETOWNER_UIDS => {
            let owner = *file.owner.lock();
            user.write(&[owner.uid, owner.euid])?;
        }
        F_SETSIG => set_signal(file, int.cast_signed())?,
        F_GETSIG => return Ok(file.owner.lock().signum.cast_unsigned() as usize),
        F_GET_RW_HINT => user.write(&u64::from(hint_of(file)?.load(Ordering::Relaxed)))?,
        F_SET_RW_HINT => hint_of(file)?.store(checked_hint(user.read()?)?, Ordering::Relaxed),
        F_ADD_SEALS if !file.writable() => return Err(Errno::EPERM.into()),
        _ => return file.ops.fcntl(file, cmd, arg).unwrap_or(Err(unknown(cmd).into())),
    }
    Ok(0)
}

/// The errno of a command that this file does not know.
fn unknown(cmd: u32) -> Errno {
    match cmd {
        F_GETPIPE_SZ | F_SETPIPE_SZ => Errno::EBADF,
        _ => Errno::EINVAL,
    }
}

#[doc(alias = "f_dupfd")]
fn duplicate(file: &Arc<File>, from: u32, cloexec: bool) -> SysResult {
    if from as usize >= nofile_limit() {
        return Err(Errno::EINVAL.into());
    }
    Ok(current().files().install_from(from, file.clone(), cloexec)? as usize)
}

/// Whether `other` is a descriptor of the same open file.
#[doc(alias = "f_dupfd_query")]
fn same_file(file: &Arc<File>, other: u32) -> SysResult {
    let other = current().files().get_any(other.cast_signed())?;
    Ok(usize::from(Arc::ptr_eq(file, &other)))
}

fn setfl(fd: Fd, file: &Arc<File>, flags: u32) -> Result<(), acrida_uapi::errno::Error> {
    let old = file.flags();
    file.ops.set_flags(file, flags & (SETFL_MASK | FASYNC) | old & !(SETFL_MASK | FASYNC))?;
    let wanted = Sigio::of(flags);
    if wanted != Sigio::of(old) {
        // A file that knows no SIGIO silently stays without.
        let _ = fasync::set(file, fd, wanted);
    }
    file.set_flags(file.flags() & !SETFL_MASK | flags & SETFL_MASK);
    Ok(())
}

/// `F_SETOWN`: a process, or a group if negative.
fn owner_of_int(who: i32) -> Result<FileOwner, Errno> {
    match who {
        i32::MIN => Err(Errno::EINVAL),
        ..0 => Ok(owner(F_OWNER_PGRP, -who)),
        _ => Ok(owner(F_OWNER_PID, who)),
    }
}

fn owner_of_ex(ex: FOwnerEx) -> Result<FileOwner, Errno> {
    match ex.type_ {
        F_OWNER_TID | F_OWNER_PID | F_OWNER_PGRP => Ok(owner(ex.type_, ex.pid)),
        _ => Err(Errno::EINVAL),
    }
}

fn owner(kind: i32, pid: i32) -> FileOwner {
    FileOwner { kind, pid: pid.cast_unsigned(), ..FileOwner::default() }
}

fn owner_as_int(owner: FileOwner) -> isize {
    let pid = owner.pid as isize;
    if owner.kind == F_OWNER_PGRP { -pid } else { pid }
}

fn owner_as_ex(owner: FileOwner) -> FOwnerEx {
    FOwnerEx { type_: owner.kind, pid: owner.pid.cast_signed() }
}

/// Makes `new` the one who hears; `ESRCH` when there is no such task, process or group.
#[doc(alias = "f_setown")]
fn set_owner(file: &File, new: FileOwner) -> Result<(), Errno> {
    let found = match (new.pid, new.kind) {
        (0, _) => true,
        (tid, F_OWNER_TID) => kernel().pids.task(tid).is_some(),
        (pid, F_OWNER_PID) => kernel().pids.process(pid).is_some(),
        (pgrp, _) => !kernel().pids.lock().group(pgrp).is_empty(),
    };
    if !found {
        return Err(Errno::ESRCH);
    }
    let cred = current().cred();
    let mut owner = file.owner.lock();
    *owner = FileOwner { signum: owner.signum, uid: cred.uid, euid: cred.euid, ..new };
    Ok(())
}

/// Makes process `pid` the one who hears, unless somebody is already.
#[doc(alias = "__f_setown")]
pub fn set_owner_if_none(file: &File, pid: u32) -> Result<(), Errno> {
    let unowned = file.owner.lock().pid == 0;
    if unowned { set_owner(file, owner(F_OWNER_PID, pid.cast_signed())) } else { Ok(()) }
}

/// `F_SETOWN`, also as an ioctl of sockets.
#[doc(alias = "f_setown")]
pub fn set_owner_of_int(file: &File, who: i32) -> Result<(), Errno> {
    set_owner(file, owner_of_int(who)?)
}

/// `F_GETOWN`, also as an ioctl of sockets.
#[doc(alias = "f_getown")]
pub fn owner_of(file: &File) -> i32 {
    owner_as_int(*file.owner.lock()) as i32
}

fn set_signal(file: &File, signo: i32) -> Result<(), Errno> {
    if signo != 0 && !valid_signal(signo) {
        return Err(Errno::EINVAL);
    }
    file.owner.lock().signum = signo;
    Ok(())
}

/// Where the inode's hint is kept.
fn hint_of(file: &File) -> Result<&AtomicU8, Errno> {
    file.inode_common().map(|inode| &inode.write_hint).ok_or(Errno::EINVAL)
}

#[doc(alias = "rw_hint_valid")]
fn checked_hint(hint: u64) -> Result<u8, Errno> {
    u8::try_from(hint).ok().filter(|_| hint <= RWH_WRITE_LIFE_EXTREME).ok_or(Errno::EINVAL)
}
