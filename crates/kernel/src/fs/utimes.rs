//! Setting the times of a file.
//!
//! Mirrors: fs/utimes.c, Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use acrida_uapi::time::{Timespec, Timeval, UTIME_NOW, UTIME_OMIT, Utimbuf};

use crate::abi::{DirFd, Flags, SysResult, UserPath};
use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::fs::attr::{Iattr, SetTime};
use crate::fs::chmod::notify_change;
use crate::fs::namei::user_path_at;

fn set_time(time: Timespec) -> Result<Option<SetTime>, Errno> {
    match time.tv_nsec {
        UTIME_NOW => Ok(Some(SetTime::Now)),
        UTIME_OMIT => Ok(None),
        0..=999_999_999 => Ok(Some(SetTime::At(time))),
        _ => Err(Errno::EINVAL),
    }
}

fn do_utimes(dfd: i32, path: UserPath, times: Option<[Timespec; 2]>, flags: u32) -> SysResult {
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let place = if path.0.is_null() && dfd != AT_FDCWD {
        if flags != 0 {
            return Err(Errno::EINVAL.into());
        }
        path_of(&current().files().get(dfd)?)
    } else {
        user_path_at(dfd, path, flags)?.path
    };
    // The times are judged after the path, as Linux does.
    let [atime, mtime] = match times {
        Some([atime, mtime]) => [set_time(atime)?, set_time(mtime)?],
        None => [Some(SetTime::Now); 2],
    };
    notify_change(&place, Iattr { atime, mtime, ..Iattr::default() })?;
    Ok(0)
}

pub fn sys_utimensat(dfd: DirFd, path: UserPath, times: UserAddr, flags: Flags) -> SysResult {
    let times: Option<[Timespec; 2]> = times.read_opt()?;
    if let Some([atime, mtime]) = times
        && (atime.tv_nsec, mtime.tv_nsec) == (UTIME_OMIT, UTIME_OMIT)
    {
        // Nothing to do: not even the path is looked at.
        return Ok(0);
    }
    do_utimes(dfd.0, path, times, flags.0)
}

fn from_timevals(times: UserAddr) -> Result<Option<[Timespec; 2]>, Errno> {
    let times: Option<[Timeval; 2]> = times.read_opt()?;
    let Some(times) = times else { return Ok(None) };
    if times.iter().any(|time| !(0..1_000_000).contains(&time.tv_usec)) {
        return Err(Errno::EINVAL);
    }
    Ok(Some(times.map(|time| Timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_usec * 1000 })))
}

pub fn sys_futimesat(dfd: DirFd, path: UserPath, times: UserAddr) -> SysResult {
    do_utimes(dfd.0, path, from_timevals(times)?, 0)
}

pub fn sys_utimes(path: UserPath, times: UserAddr) -> SysResult {
    do_utimes(AT_FDCWD, path, from_timevals(times)?, 0)
}

pub fn sys_utime(path: UserPath, times: UserAddr) -> SysResult {
    let times: Option<Utimbuf> = times.read_opt()?;
    let at = |tv_sec| Timespec { tv_sec, tv_nsec: 0 };
    do_utimes(AT_FDCWD, path, times.map(|times| [at(times.actime), at(times.modtime)]), 0)
}
