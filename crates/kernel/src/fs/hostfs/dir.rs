//! Directories of the host: making files in them, and reading them.
//!
//! Mirrors: fs/hostfs/hostfs_kern.c, Linux 6.18.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_uapi::dirent::LinuxDirent64;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{
    AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_TMPFILE, SEEK_CUR, SEEK_SET,
};
use acrida_uapi::stat::{S_IFDIR, S_IFMT, S_IFREG};
use zerocopy::FromBytes;

use crate::fs::hostfs::HostInode;
use crate::fs::hostfs::file::{HostFile, host_flags};
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::inode::{Created, Dentry};
use crate::fs::readdir::DirContext;
use crate::host;

/// A new regular file, opened as `flags` say: the host must do both at once, the mode may forbid the open later.
pub fn create(dir: &HostInode, fd: HostFd, name: &[u8], mode: u32, flags: u32) -> Result<Created, Error> {
    made(dir, host::fs::openat(fd, name, host_flags(flags) | O_CREAT | O_EXCL | O_NOFOLLOW, mode)?)
}

/// Opens `name` if it is a regular file or a directory; `None` for everything else.
///
/// The kind is known only afterwards. A link is refused by the flags, a FIFO or a terminal does not hang with
/// `O_NONBLOCK`, and directories that hold devices are not asked this way.
///
/// # Errors
/// `ENOENT`; whatever else is wrong, the long way finds the right error.
pub fn open_child(dir: &HostInode, fd: HostFd, name: &[u8], flags: u32) -> Result<Option<Created>, Error> {
    if dir.is_among_devices() {
        return Ok(None);
    }
    let flags = host_flags(flags) | O_NOFOLLOW | O_NONBLOCK;
    let fd = match host::fs::openat(fd, name, flags, 0) {
        Ok(fd) => fd,
        Err(Errno::ENOENT) => return Err(Errno::ENOENT.into()),
        Err(_) => return Ok(None),
    };
    let handle = Arc::new(HostHandle::new(fd));
    let stat = host::fs::statx(fd, b"")?;
    let ops = match stat.mode & S_IFMT {
        S_IFREG => HostFile::regular(handle.clone()),
        S_IFDIR => HostFile::directory(handle.clone()),
        _ => return Ok(None),
    };
    let inode = dir.fs().inode(&stat);
    inode.opened(&handle);
    Ok(Some(Created { inode, ops: Some(Arc::new(ops)) }))
}

/// A file without a name.
pub fn tmpfile(dir: &HostInode, fd: HostFd, mode: u32, flags: u32) -> Result<Created, Error> {
    made(dir, host::fs::openat(fd, b".", host_flags(flags) | O_TMPFILE | (flags & O_EXCL), mode)?)
}

fn made(dir: &HostInode, fd: HostFd) -> Result<Created, Error> {
    let handle = Arc::new(HostHandle::new(fd));
    let stat = host::fs::statx(handle.fd(), b"")?;
    let inode = dir.fs().inode(&stat);
    inode.opened(&handle);
    Ok(Created { inode, ops: Some(Arc::new(HostFile::regular(handle))) })
}

/// A new name `name` in `fd` for the object of `old`.
pub fn link(fd: HostFd, name: &[u8], old: &Dentry) -> Result<(), Error> {
    let inode = HostInode::of(old)?;
    if let Ok(spot) = inode.named_spot(old) {
        return Ok(host::fs::linkat(spot.fd, &spot.name, fd, name, 0)?);
    }
    let spot = inode.spot(old)?;
    match host::fs::linkat(spot.fd, b"", fd, name, AT_EMPTY_PATH) {
        Ok(()) => Ok(()),
        // That form needs a capability; the way through /proc does not.
        Err(_) => Ok(host::fs::linkat(HostFd::CWD, &spot.path(), fd, name, AT_SYMLINK_FOLLOW)?),
    }
}

/// Emits entries from the host descriptor's position on; what does not fit is read again next time.
pub fn iterate(fd: HostFd, ctx: &mut DirContext<'_>) -> Result<(), Error> {
    if let Some((addr, len)) = ctx.raw_user() {
        // The host's records are what the guest wants: no copy.
        let len = host::fs::getdents64_user(fd, addr, len)?;
        ctx.filled(len);
        return Ok(());
    }
    let mut buf = alloc::vec![0; 32 << 10];
    let mut resume = host::fs::lseek(fd, 0, SEEK_CUR)?.cast_signed();
    loop {
        let len = host::fs::getdents64(fd, &mut buf)?;
        if len == 0 {
            return Ok(());
        }
        let mut rest = &buf[..len];
        while let Ok((head, _)) = LinuxDirent64::read_from_prefix(rest) {
            let (record, after) = rest.split_at(usize::from(head.d_reclen).min(rest.len()));
            let name = &record[size_of::<LinuxDirent64>()..];
            let name = name.split(|&b| b == 0).next().unwrap_or(name);
            if !ctx.emit(name, head.d_ino, head.d_type, head.d_off.cast_unsigned()) {
                // Back to where this entry starts.
                host::fs::lseek(fd, resume, SEEK_SET)?;
                return Ok(());
            }
            resume = head.d_off;
            rest = after;
        }
    }
}

/// Name, inode number and `DT_*` of an entry.
pub type Entry = (Box<[u8]>, u64, u8);

/// Every entry of a directory but the dots.
pub fn list(dir: HostFd) -> Result<Vec<Entry>, Error> {
    let handle = HostHandle::new(host::fs::openat(dir, b".", O_DIRECTORY, 0)?);
    let mut out = Vec::new();
    let mut take = |name: &[u8], ino, kind| {
        if name != b"." && name != b".." {
            out.push((name.into(), ino, kind));
        }
        true
    };
    iterate(handle.fd(), &mut DirContext::calling(&mut take))?;
    Ok(out)
}
