//! fcntl: descriptor flags, status flags, owners; locks and pipe sizes are handed on.
//!
//! Mirrors: fs/fcntl.c, Linux 6.18.
//! Differs: commands that only some files know go to `FileOperations::fcntl`; write hints are kept, but no
//! file system of ours places data by them.

use alloc::sync::{Arc, Weak};
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::*;
use acrida_uapi::signal::valid_signal;
use acrida_uapi::stat::{S_IFIFO, S_IFMT};

use crate::abi::{Fd, SysResult};
use crate::fs::fasync::{self, Named, Sigio};
use crate::fs::fdtable::nofile_limit;
use crate::fs::file::{File, FileRef, Hears};
use crate::fs::locks::lease::{getlease, setlease};
use crate::fs::locks::posix::{getlk, setlk};
use crate::fs::notify::dnotify::dirnotify;
use crate::kernel::task::Pid;
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

fn do_fcntl(fd: Fd, file: &FileRef, cmd: u32, arg: u64) -> SysResult {
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
        F_SETOWN => set_owner_of_int(file, int.cast_signed())?,
        F_GETOWN => return Ok(owner_of(file) as isize as usize),
        F_SETOWN_EX => set_owner(file, hears_of_ex(user.read()?)?),
        F_GETOWN_EX => user.write(&heard_by(file))?,
        F_GETOWNER_UIDS => {
            let owner = file.owner.lock().clone();
            user.write(&[owner.uid, owner.euid])?;
        }
        F_SETSIG => set_signal(file, int.cast_signed())?,
        F_GETSIG => return Ok(file.owner.lock().signum.cast_unsigned() as usize),
        F_GET_RW_HINT => user.write(&u64::from(file.inode_common().write_hint.load(Ordering::Relaxed)))?,
        F_SET_RW_HINT => file.inode_common().write_hint.store(checked_hint(user.read()?)?, Ordering::Relaxed),
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
fn duplicate(file: &FileRef, from: u32, cloexec: bool) -> SysResult {
    if from as usize >= nofile_limit() {
        return Err(Errno::EINVAL.into());
    }
    Ok(current().files().install_from(from, file.clone(), cloexec)? as usize)
}

/// Whether `other` is a descriptor of the same open file.
#[doc(alias = "f_dupfd_query")]
fn same_file(file: &FileRef, other: u32) -> SysResult {
    let other = current().files().get_any(other.cast_signed())?;
    Ok(usize::from(FileRef::ptr_eq(file, &other)))
}

fn setfl(fd: Fd, file: &FileRef, flags: u32) -> Result<(), Error> {
    // For a pipe, the host's too, the flag means packets.
    if flags & O_DIRECT != 0 && !file.ops.can_odirect() && file.ops.stat(file)?.mode & S_IFMT != S_IFIFO {
        return Err(Errno::EINVAL.into());
    }
    file.change_flags(SETFL_MASK, flags)?;
    let wanted = Sigio::of(flags);
    if wanted != Sigio::of(file.flags()) {
        // A file that knows no SIGIO silently stays without.
        let _ = fasync::set(file, fd, wanted);
    }
    Ok(())
}

/// `F_SETOWN`: a process, or a group if negative; `ESRCH` when there is none.
fn hears_of_int(who: i32) -> Result<Hears, Errno> {
    match who {
        i32::MIN => Err(Errno::EINVAL),
        ..0 => hears(F_OWNER_PGRP, who.unsigned_abs()),
        _ => hears(F_OWNER_PID, who.cast_unsigned()),
    }
}

fn hears_of_ex(ex: FOwnerEx) -> Result<Hears, Errno> {
    match ex.type_ {
        F_OWNER_TID | F_OWNER_PID | F_OWNER_PGRP => hears(ex.type_, ex.pid.cast_unsigned()),
        _ => Err(Errno::EINVAL),
    }
}

/// Number 0 is nobody.
fn hears(kind: i32, number: Pid) -> Result<Hears, Errno> {
    let tables = kernel().pids.lock();
    Ok(match (kind, number) {
        (F_OWNER_TID, 0) => Hears::Thread(Weak::new()),
        (F_OWNER_PID, 0) => Hears::Process(Weak::new()),
        (F_OWNER_TID, tid) => Hears::Thread(Arc::downgrade(tables.tasks.get(&tid).ok_or(Errno::ESRCH)?)),
        (F_OWNER_PID, pid) => match tables.processes.get(&pid) {
            Some(process) => Hears::Process(Arc::downgrade(process)),
            None => Hears::ProcessOf(Arc::downgrade(tables.tasks.get(&pid).ok_or(Errno::ESRCH)?)),
        },
        // Somebody must have the number, who need not lead a group.
        (_, pgrp) if pgrp != 0 && !tables.in_use(pgrp) => return Err(Errno::ESRCH),
        (_, pgrp) => Hears::Group(pgrp),
    })
}

/// Kind and number of who hears; number 0 for somebody who is gone.
fn heard_by(file: &File) -> FOwnerEx {
    let named = file.owner.lock().hears.upgrade();
    let alive = !named.listeners(&kernel().pids.lock()).is_empty();
    let (type_, number) = match &named {
        Named::Thread(task) => (F_OWNER_TID, task.as_ref().map_or(0, |task| task.tid())),
        Named::Process(process) => (F_OWNER_PID, process.as_ref().map_or(0, |process| process.tgid)),
        // The number is none of a process.
        Named::ProcessOf(_) => (F_OWNER_PID, 0),
        Named::Group(pgrp) => (F_OWNER_PGRP, *pgrp),
    };
    FOwnerEx { type_, pid: if alive { number.cast_signed() } else { 0 } }
}

/// Makes `hears` the one who hears.
#[doc(alias = "f_modown")]
fn set_owner(file: &File, hears: Hears) {
    let cred = current().cred();
    let mut owner = file.owner.lock();
    (owner.uid, owner.euid) = (cred.uid, cred.euid);
    let old = core::mem::replace(&mut owner.hears, hears);
    drop(owner);
    drop(old);
}

/// Makes the calling process the one who hears, unless somebody is already.
#[doc(alias = "__f_setown")]
pub fn set_owner_if_none(file: &File) -> Result<(), Errno> {
    let unowned = file.owner.lock().hears.is_nobody();
    if unowned {
        set_owner(file, hears(F_OWNER_PID, current().process.tgid)?);
    }
    Ok(())
}

/// `F_SETOWN`, also as an ioctl of sockets.
#[doc(alias = "f_setown")]
pub fn set_owner_of_int(file: &File, who: i32) -> Result<(), Errno> {
    set_owner(file, hears_of_int(who)?);
    Ok(())
}

/// `F_GETOWN`, also as an ioctl of sockets: a group as a negative number.
#[doc(alias = "f_getown")]
pub fn owner_of(file: &File) -> i32 {
    let owner = heard_by(file);
    if owner.type_ == F_OWNER_PGRP { -owner.pid } else { owner.pid }
}

fn set_signal(file: &File, signo: i32) -> Result<(), Errno> {
    if signo != 0 && !valid_signal(signo) {
        return Err(Errno::EINVAL);
    }
    file.owner.lock().signum = signo;
    Ok(())
}

#[doc(alias = "rw_hint_valid")]
fn checked_hint(hint: u64) -> Result<u8, Errno> {
    u8::try_from(hint).ok().filter(|_| hint <= RWH_WRITE_LIFE_EXTREME).ok_or(Errno::EINVAL)
}
