//! Writing to stable storage.
//!
//! Mirrors: fs/sync.c, Linux 6.18.

use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{SYNC_FILE_RANGE_WAIT_AFTER, SYNC_FILE_RANGE_WAIT_BEFORE, SYNC_FILE_RANGE_WRITE};
use acrida_uapi::stat::{S_IFBLK, S_IFDIR, S_IFLNK, S_IFREG};

use crate::abi::{Fd, Flags, SysResult};
use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::host;

pub fn sys_sync() -> SysResult {
    host::fs::sync();
    Ok(0)
}

pub fn sys_syncfs(fd: Fd) -> SysResult {
    let file = current().files().get(fd.0)?;
    let path = path_of(&file);
    path.mnt.sb.sync(&path.dentry)?;
    Ok(0)
}

pub fn sys_fsync(fd: Fd) -> SysResult {
    let file = current().files().get(fd.0)?;
    file.ops.fsync(&file, false)?;
    Ok(0)
}

pub fn sys_fdatasync(fd: Fd) -> SysResult {
    let file = current().files().get(fd.0)?;
    file.ops.fsync(&file, true)?;
    Ok(0)
}

pub fn sys_sync_file_range(fd: Fd, offset: i64, nbytes: i64, flags: Flags) -> SysResult {
    let file = current().files().get(fd.0)?;
    let known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    let (Ok(start), Ok(len)) = (u64::try_from(offset), u64::try_from(nbytes)) else { return Err(Errno::EINVAL.into()) };
    if flags.0 & !known != 0 || offset.checked_add(nbytes).is_none() {
        return Err(Errno::EINVAL.into());
    }
    match file.inode().map(|inode| inode.kind()) {
        Some(S_IFREG | S_IFBLK | S_IFDIR | S_IFLNK) => {}
        _ => return Err(Errno::ESPIPE.into()),
    }
    if let Some(fd) = file.ops.host_fd() {
        host::fs::sync_file_range(fd, start, len, flags.0)?;
    }
    Ok(0)
}
