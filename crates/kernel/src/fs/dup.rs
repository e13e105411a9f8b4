//! dup, close and close_range.
//!
//! Mirrors: fs/file.c, fs/open.c (`close`), Linux 6.18.
//! Locking: the table's lock; what a number stood for is let go after it.

use alloc::sync::Arc;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_CLOEXEC;
use acrida_uapi::pidfd::{CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE};

use crate::abi::{Fd, Flags, SysResult};
use crate::current;
use crate::fs::fdtable::{FilesStruct, filp_close, nofile_limit};

pub fn sys_close(fd: Fd) -> SysResult {
    let files = current().files();
    let file = files.take(fd.0)?;
    match filp_close(file, &files) {
        // The descriptor is gone: a repeated call would close somebody else's.
        Err(Error::Restart(_)) => Err(Errno::EINTR.into()),
        other => other.map(|()| 0),
    }
}

pub fn sys_dup(fd: Fd) -> SysResult {
    let files = current().files();
    let file = files.get_any(fd.0)?;
    Ok(files.install(file, false)? as usize)
}

/// Puts the file behind `old` at `new` in place of what is there.
#[doc(alias = "ksys_dup3")]
fn duplicate_to(files: &Arc<FilesStruct>, old: Fd, new: Fd, cloexec: bool) -> SysResult {
    let target = u32::try_from(new.0).ok().filter(|&fd| (fd as usize) < nofile_limit()).ok_or(Errno::EBADF)?;
    let file = files.get_any(old.0)?;
    if let Some(replaced) = files.replace(target, file, cloexec)? {
        // As on Linux, dup2 does not report how the implied close went.
        let _ = filp_close(replaced, files);
    }
    Ok(target as usize)
}

pub fn sys_dup2(old: Fd, new: Fd) -> SysResult {
    let files = current().files();
    if old == new {
        files.get_any(old.0)?;
        return Ok(old.0.cast_unsigned() as usize);
    }
    duplicate_to(&files, old, new, false)
}

pub fn sys_dup3(old: Fd, new: Fd, flags: Flags) -> SysResult {
    if flags.0 & !O_CLOEXEC != 0 || old == new {
        return Err(Errno::EINVAL.into());
    }
    duplicate_to(&current().files(), old, new, flags.0 & O_CLOEXEC != 0)
}

pub fn sys_close_range(first: u32, last: u32, flags: Flags) -> SysResult {
    if flags.0 & !(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0 || first > last {
        return Err(Errno::EINVAL.into());
    }
    if flags.0 & CLOSE_RANGE_UNSHARE != 0 {
        unshare_files();
    }
    let files = current().files();
    if flags.0 & CLOSE_RANGE_CLOEXEC != 0 {
        files.set_cloexec_range(first, last);
        return Ok(0);
    }
    for file in files.take_all(first, last) {
        // Linux reports no error of a file either.
        let _ = filp_close(file, &files);
    }
    Ok(0)
}

/// Gives the caller a descriptor table of its own.
pub fn unshare_files() -> Arc<FilesStruct> {
    let task = current();
    let files = task.files();
    if files.is_shared() {
        let own = files.copy(task.thread);
        let old = core::mem::replace(&mut *task.files.lock(), own.clone());
        old.put();
        return own;
    }
    files.adopt();
    files
}
