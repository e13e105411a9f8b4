//! Changing the size of a file: `truncate`, `fallocate`.
//!
//! Mirrors: fs/open.c, Linux 6.18.

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{
    AT_FDCWD, FALLOC_FL_ALLOCATE_RANGE, FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_WRITE_ZEROES, FALLOC_FL_ZERO_RANGE, O_WRONLY,
};
use acrida_uapi::resource::RLIMIT_FSIZE;
use acrida_uapi::siginfo::SigInfo;
use acrida_uapi::signal::SIGXFSZ;
use acrida_uapi::stat::{S_IFBLK, S_IFDIR, S_IFIFO, S_IFREG};

use crate::abi::{Fd, Flags, SysResult, UserPath};
use crate::current;
use crate::fs::attr::Iattr;
use crate::fs::inode::MAY_WRITE;
use crate::fs::locks::lease::break_lease;
use crate::fs::namei::user_path_at;
use crate::fs::notify::fsnotify;
use crate::kernel::signal;

/// `EFBIG` and SIGXFSZ for a file that would grow beyond the caller's limit on sizes; `now` tells its size.
#[doc(alias = "inode_newsize_ok")]
pub fn check_file_size(size: u64, now: impl FnOnce() -> Result<u64, Error>) -> Result<(), Error> {
    let limit = current().process.rlimit(RLIMIT_FSIZE as usize).rlim_cur;
    if size <= limit || size <= now()? { Ok(()) } else { Err(beyond_file_limit().into()) }
}

/// Tells the caller that it wants more than its limit on file sizes.
pub fn beyond_file_limit() -> Errno {
    signal::send_to_task(SigInfo::kernel(SIGXFSZ), current());
    Errno::EFBIG
}

pub fn sys_truncate(path: UserPath, length: i64) -> SysResult {
    let size = u64::try_from(length).map_err(|_| Errno::EINVAL)?;
    let path = user_path_at(AT_FDCWD, path, 0)?.path;
    let inode = path.inode();
    match inode.kind() {
        S_IFREG => {}
        S_IFDIR => return Err(Errno::EISDIR.into()),
        _ => return Err(Errno::EINVAL.into()),
    }
    path.mnt.want_write()?;
    if !inode.checks_itself() {
        inode.permission(&path.dentry, &current().cred(), MAY_WRITE)?;
    }
    inode.common().get_write_access()?;
    let change = Iattr { size: Some(size), ..Iattr::default() };
    let result = break_lease(inode.common(), O_WRONLY)
        .and_then(|()| check_file_size(size, || Ok(path.stat()?.size)))
        .and_then(|()| inode.setattr(&path.dentry, &change));
    inode.common().put_write_access();
    result?;
    fsnotify::change(&path.dentry, &change);
    Ok(0)
}

pub fn sys_ftruncate(fd: Fd, length: i64) -> SysResult {
    let size = u64::try_from(length).map_err(|_| Errno::EINVAL)?;
    let file = current().files().get(fd.0)?;
    if !file.writable() || !file.inode().is_some_and(|inode| inode.is_regular()) {
        return Err(Errno::EINVAL.into());
    }
    check_file_size(size, || Ok(file.ops.stat(&file)?.size))?;
    file.ops.truncate(&file, size)?;
    fsnotify::modify(&file);
    Ok(0)
}

/// `EOPNOTSUPP` or `EINVAL` for modes that make no sense.
fn check_fallocate_mode(mode: u32) -> Result<(), Errno> {
    let rest = mode & !(FALLOC_FL_KEEP_SIZE | FALLOC_FL_UNSHARE_RANGE);
    let kinds =
        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_WRITE_ZEROES;
    if rest & !kinds != 0 || rest.count_ones() > 1 {
        return Err(Errno::EOPNOTSUPP);
    }
    let (keeps, unshares) = (mode & FALLOC_FL_KEEP_SIZE != 0, mode & FALLOC_FL_UNSHARE_RANGE != 0);
    match rest {
        FALLOC_FL_ALLOCATE_RANGE => Ok(()),
        _ if unshares => Err(Errno::EOPNOTSUPP),
        FALLOC_FL_PUNCH_HOLE if !keeps => Err(Errno::EOPNOTSUPP),
        FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_WRITE_ZEROES if keeps => Err(Errno::EOPNOTSUPP),
        _ => Ok(()),
    }
}

pub fn sys_fallocate(fd: Fd, mode: Flags, offset: i64, len: i64) -> SysResult {
    let file = current().files().get(fd.0)?;
    let (Ok(start), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else { return Err(Errno::EINVAL.into()) };
    if len == 0 {
        return Err(Errno::EINVAL.into());
    }
    check_fallocate_mode(mode.0)?;
    if !file.writable() {
        return Err(Errno::EBADF.into());
    }
    let stat = file.ops.stat(&file)?;
    match stat.mode & acrida_uapi::stat::S_IFMT {
        S_IFREG | S_IFBLK => {}
        S_IFIFO => return Err(Errno::ESPIPE.into()),
        S_IFDIR => return Err(Errno::EISDIR.into()),
        _ => return Err(Errno::ENODEV.into()),
    }
    let end = start + len;
    if end > i64::MAX as u64 {
        return Err(Errno::EFBIG.into());
    }
    if mode.0 & FALLOC_FL_KEEP_SIZE == 0 {
        check_file_size(end, || Ok(stat.size))?;
    }
    file.ops.fallocate(&file, mode.0, start, len)?;
    fsnotify::modify(&file);
    Ok(0)
}
