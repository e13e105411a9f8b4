//! copy_file_range: bytes from one regular file to another.
//!
//! Mirrors: fs/read_write.c (`vfs_copy_file_range`), Linux 6.18.
//! Differs: between files of the host the host copies (it may share the blocks); everything else goes as sendfile does.

use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_APPEND;
use acrida_uapi::resource::RLIMIT_FSIZE;
use acrida_uapi::uio::MAX_RW_COUNT;

use crate::abi::{Fd, Flags, SysResult};
use crate::fs::file::{File, FileRef};
use crate::fs::notify::fsnotify;
use crate::fs::read_write::fdget;
use crate::fs::splice::sendfile::direct;
use crate::fs::truncate::beyond_file_limit;
use crate::{current, host};

/// Where one side reads or writes.
#[derive(Clone, Copy)]
struct Side {
    /// Null: the file's own position.
    user: UserAddr,
    pos: u64,
}

impl Side {
    fn read(file: &FileRef, user: UserAddr) -> Result<Side, Errno> {
        let pos = match user.read_opt::<u64>()? {
            Some(pos) => pos,
            None => File::position(file),
        };
        Ok(Side { user, pos })
    }

    fn advance(self, file: &FileRef, by: usize) -> Result<(), Errno> {
        let pos = self.pos + by as u64;
        if self.user.is_null() {
            File::set_position(file, pos);
            return Ok(());
        }
        self.user.write(&pos)
    }
}

pub fn sys_copy_file_range(fd_in: Fd, off_in: UserAddr, fd_out: Fd, off_out: UserAddr, len: usize, flags: Flags) -> SysResult {
    let (input, output) = (fdget(fd_in)?, fdget(fd_out)?);
    let (from, to) = (Side::read(&input, off_in)?, Side::read(&output, off_out)?);
    if flags.0 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let len = check(&input, from.pos, &output, to.pos, len)?;
    if len == 0 {
        return Ok(0);
    }
    let done = copy(&input, from.pos, &output, to.pos, len)?;
    if done > 0 {
        fsnotify::access(&input);
        fsnotify::modify(&output);
        from.advance(&input, done)?;
        to.advance(&output, done)?;
    }
    Ok(done)
}

/// Checks in Linux's order; gives the bytes to copy.
#[doc(alias = "generic_copy_file_checks")]
fn check(input: &FileRef, from: u64, output: &FileRef, to: u64, len: usize) -> Result<usize, Error> {
    let kinds = [input, output].map(|file| file.inode());
    if kinds.iter().flatten().any(|inode| inode.is_dir()) {
        return Err(Errno::EISDIR.into());
    }
    if !kinds.iter().all(|inode| inode.is_some_and(|inode| inode.is_regular())) {
        return Err(Errno::EINVAL.into());
    }
    if !input.readable() || !output.writable() || output.flags() & O_APPEND != 0 {
        return Err(Errno::EBADF.into());
    }
    if from.checked_add(len as u64).is_none() || to.checked_add(len as u64).is_none() {
        return Err(Errno::EOVERFLOW.into());
    }
    if to >= i64::MAX as u64 {
        return Err(Errno::EFBIG.into());
    }
    let size = input.ops.stat(input)?.size;
    let len = len.min(usize::try_from(size.saturating_sub(from)).unwrap_or(usize::MAX)).min(MAX_RW_COUNT);
    let limit = current().process.rlimit(RLIMIT_FSIZE as usize).rlim_cur;
    if to >= limit {
        return Err(beyond_file_limit().into());
    }
    let len = len.min(usize::try_from(limit - to).unwrap_or(usize::MAX));
    let same = match kinds {
        [Some(a), Some(b)] => Arc::ptr_eq(a, b),
        _ => false,
    };
    if same && from < to + len as u64 && to < from + len as u64 {
        return Err(Errno::EINVAL.into());
    }
    Ok(len)
}

fn copy(input: &FileRef, from: u64, output: &FileRef, to: u64, len: usize) -> SysResult {
    if let (Some(host_in), Some(host_out)) = (input.ops.host_fd(), output.ops.host_fd()) {
        match host::io::copy_file_range(host_in, from, host_out, to, len) {
            // Not between these two file systems of the host.
            Err(Errno::EXDEV | Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EINVAL) => {}
            result => return Ok(result?),
        }
    }
    let (mut from, mut to) = (from, to);
    direct(input, &mut from, output, &mut to, len)
}
