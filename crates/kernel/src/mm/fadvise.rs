//! Hints about files: `fadvise64`, `readahead`.
//!
//! Mirrors: mm/fadvise.c, mm/readahead.c, Linux 6.18.
//! Differs: hints about host files go to the host, others change nothing.

use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{POSIX_FADV_NOREUSE, POSIX_FADV_NORMAL};
use acrida_uapi::stat::{S_IFBLK, S_IFIFO, S_IFMT, S_IFREG};

use crate::abi::{Fd, SysResult};
use crate::current;
use crate::host;

pub fn sys_fadvise64(fd: Fd, offset: i64, len: i64, advice: i32) -> SysResult {
    let file = current().files().get(fd.0)?;
    if file.ops.stat(&file)?.mode & S_IFMT == S_IFIFO {
        return Err(Errno::ESPIPE.into());
    }
    if len < 0 || !(POSIX_FADV_NORMAL..=POSIX_FADV_NOREUSE).contains(&advice) {
        return Err(Errno::EINVAL.into());
    }
    if let Some(fd) = file.ops.host_fd() {
        host::fs::fadvise(fd, offset, len, advice)?;
    }
    Ok(0)
}

pub fn sys_readahead(fd: Fd, offset: i64, count: usize) -> SysResult {
    let file = current().files().get(fd.0)?;
    if !file.readable() {
        return Err(Errno::EBADF.into());
    }
    if !matches!(file.ops.stat(&file)?.mode & S_IFMT, S_IFREG | S_IFBLK) {
        return Err(Errno::EINVAL.into());
    }
    if let Some(fd) = file.ops.host_fd() {
        host::fs::readahead(fd, offset, count)?;
    }
    Ok(0)
}
