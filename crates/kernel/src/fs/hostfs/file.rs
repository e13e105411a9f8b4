//! Open files of the host.
//!
//! Mirrors: fs/hostfs/hostfs_kern.c (file operations), Linux 6.18.
//! Differs: one host descriptor per open file. The host keeps the position and serialises its users: `File::pos` holds
//! [`HOST_POSITION`], which reads and writes understand as "the descriptor's own". The position of a regular file comes home
//! to `File::pos` when the file gets its first window (window.rs), and stays.
//! Locking: `File::pos`, once the position is ours.

use alloc::sync::Arc;

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kcore::host::HostFd;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::{
    F_SETFL, FALLOC_FL_KEEP_SIZE, O_ACCMODE, O_APPEND, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_LARGEFILE, O_NOATIME,
    O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_SYNC, O_TRUNC, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET,
};
use acrida_uapi::nr;
use acrida_uapi::stat::{S_IFDIR, S_IFMT, S_IFREG};
use acrida_uapi::uio::RWF_NOWAIT;

use crate::abi::SysResult;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::inode::HostInode;
use crate::fs::hostfs::lent::{HostRun, MOST};
use crate::fs::hostfs::window::Windowed;
use crate::fs::hostfs::{dir, watch};
use crate::fs::inode::{DirContext, Kstat, Path};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::splice::{PageSlice, Pages};
use crate::host;
use crate::host::io::{Blocking, Buffer, Direction};
use crate::mm::{MapBacking, MmapRequest};

/// In place of a position: the host descriptor's own.
pub const HOST_POSITION: u64 = u64::MAX;

/// What stands behind the descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Regular,
    Directory,
    /// Devices, and whatever else can block.
    Stream,
}

/// An open file of the host.
pub struct HostFile {
    handle: Arc<HostHandle>,
    kind: Kind,
    windowed: Windowed,
}

/// The flags of an open that the host must know.
pub fn host_flags(flags: u32) -> u32 {
    let meant = O_ACCMODE | O_APPEND | O_TRUNC | O_DIRECT | O_DSYNC | O_SYNC | O_NOATIME | O_LARGEFILE | O_NONBLOCK;
    (flags & meant) | O_NOCTTY
}

/// `EINTR` of an interrupted host call is a restart; nothing was done yet.
pub fn restart(errno: Errno) -> Error {
    if errno == Errno::EINTR { Restart::ERESTARTSYS.into() } else { errno.into() }
}

impl HostFile {
    fn new(handle: Arc<HostHandle>, kind: Kind) -> HostFile {
        HostFile { handle, kind, windowed: Windowed::default() }
    }

    pub fn regular(handle: Arc<HostHandle>) -> HostFile {
        HostFile::new(handle, Kind::Regular)
    }

    pub fn directory(handle: Arc<HostHandle>) -> HostFile {
        HostFile::new(handle, Kind::Directory)
    }

    /// Opens what `path` names.
    pub fn open(inode: &HostInode, path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let mode = inode.mode();
        if flags & O_TRUNC != 0 {
            inode.lent.cut(0);
        }
        let (fd, kind) = match mode & S_IFMT {
            S_IFDIR => (open_named(inode, path, host_flags(flags) | O_DIRECTORY)?, Kind::Directory),
            // Should the name have become a FIFO meanwhile, the open must not hang.
            S_IFREG => (open_named(inode, path, host_flags(flags) | O_NONBLOCK)?, Kind::Regular),
            _ => {
                let spot = inode.spot(&path.dentry)?;
                let path = spot.path();
                (host::fs::openat_blocking(HostFd::CWD, &path, host_flags(flags)).map_err(restart)?, Kind::Stream)
            }
        };
        let handle = Arc::new(HostHandle::new(fd));
        if kind == Kind::Regular {
            let stat = host::fs::statx(fd, b"")?;
            if !inode.is_same_object(&stat) {
                // Replaced between look-up and open.
                return Err(Errno::ESTALE.into());
            }
            inode.saw(&stat);
        }
        inode.opened(&handle);
        Ok(Arc::new(HostFile::new(handle, kind)))
    }

    /// A descriptor that only marks the place.
    pub fn open_path(inode: &HostInode, path: &Path) -> Result<Arc<dyn FileOperations>, Error> {
        let handle = Arc::new(inode.open_place(&path.dentry)?);
        inode.opened(&handle);
        let kind = if inode.is_regular() { Kind::Regular } else { Kind::Stream };
        Ok(Arc::new(HostFile::new(handle, kind)))
    }

    /// Opens a device of the host by its path there.
    pub fn open_device(path: &[u8], flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let fd = host::fs::openat_blocking(HostFd::CWD, path, host_flags(flags)).map_err(restart)?;
        Ok(Arc::new(HostFile::new(Arc::new(HostHandle::new(fd)), Kind::Stream)))
    }

    fn blocking(&self) -> Blocking {
        if self.kind == Kind::Stream { Blocking::Interruptible } else { Blocking::Never }
    }

    /// `lseek` of a regular file with its position.
    fn seek(&self, pos: &mut u64, offset: i64, whence: Whence) -> Result<u64, Error> {
        /// Whether the file system has such offsets, the host need not be asked.
        const SURELY_ALLOWED: i64 = 1 << 31;
        let base = match whence {
            Whence::Set => Some(0),
            Whence::Cur => Some(pos.cast_signed()),
            Whence::End | Whence::Data | Whence::Hole => None,
        };
        if *pos == HOST_POSITION {
            return Ok(host::fs::lseek(self.handle.fd(), offset, seek_number(whence))?);
        }
        let target = match base.map(|base| base.checked_add(offset).ok_or(Errno::EINVAL)).transpose()? {
            Some(target @ 0..=SURELY_ALLOWED) => target.cast_unsigned(),
            Some(target) => host::fs::lseek(self.handle.fd(), target, SEEK_SET)?,
            None => host::fs::lseek(self.handle.fd(), offset, seek_number(whence))?,
        };
        *pos = target;
        Ok(target)
    }

    #[inline(always)]
    fn transfer(&self, iter: &mut IovIter<'_>, direction: Direction, pos: &mut u64) -> SysResult {
        transfer(self.handle.fd(), iter, direction, pos, self.kind != Kind::Stream, self.blocking())
    }
}

/// Moves the bytes of `iter`; moves `pos` unless it is the host's.
#[inline(always)]
pub fn transfer(
    fd: HostFd,
    iter: &mut IovIter<'_>,
    direction: Direction,
    pos: &mut u64,
    seekable: bool,
    blocking: Blocking,
) -> SysResult {
    let asked = iter.count();
    let position = (seekable && *pos != HOST_POSITION).then_some(*pos);
    let flags = iter.flags() & !RWF_NOWAIT;
    let result = if flags == 0
        && let Some((addr, len)) = iter.only_user_segment()
    {
        host::io::transfer(fd, direction, Buffer::User(addr, len), position, blocking)
    } else {
        transfer_other(fd, iter, direction, position, blocking, flags)
    };
    if !seekable {
        watch::transferred(fd, direction, asked, result);
    }
    let done = result.map_err(restart)?;
    iter.advance(done);
    if position.is_some() {
        *pos += done as u64;
    }
    Ok(done)
}

/// What is not one plain guest range.
#[inline(never)]
fn transfer_other(
    fd: HostFd,
    iter: &mut IovIter<'_>,
    direction: Direction,
    position: Option<u64>,
    blocking: Blocking,
    flags: u32,
) -> Result<usize, Errno> {
    if let Some(bytes) = iter.kernel_out_segment() {
        host::io::transfer(fd, direction, Buffer::Out(bytes), position, blocking)
    } else if let Some((offset, len)) = iter.window_segment() {
        host::io::transfer(fd, direction, Buffer::Window(offset, len), position, blocking)
    } else if let Some(bytes) = iter.kernel_in_segment() {
        host::io::transfer(fd, direction, Buffer::In(bytes), position, blocking)
    } else {
        match iter.user_segments().as_deref() {
            Some([]) | None => host::io::transfer(fd, direction, Buffer::In(&[]), position, blocking),
            Some(segments) => host::io::transfer_vec(fd, direction, segments, position, blocking, flags),
        }
    }
}

fn host_inode(file: &File) -> Option<&HostInode> {
    file.inode()?.downcast_ref()
}

fn content_changed(file: &File) {
    file.inode_common().changed();
}

fn open_named(inode: &HostInode, path: &Path, flags: u32) -> Result<HostFd, Errno> {
    match inode.named_spot(&path.dentry) {
        Ok(spot) => host::fs::openat(spot.fd, &spot.name, flags | O_NOFOLLOW, 0),
        // Removed, but still open somewhere: through /proc.
        Err(_) => host::fs::openat(HostFd::CWD, &inode.spot(&path.dentry)?.path(), flags, 0),
    }
}

/// `SEEK_*` of an origin.
pub fn seek_number(whence: Whence) -> u32 {
    match whence {
        Whence::Set => SEEK_SET,
        Whence::Cur => SEEK_CUR,
        Whence::End => SEEK_END,
        Whence::Data => SEEK_DATA,
        Whence::Hole => SEEK_HOLE,
    }
}

/// Event mask now, and the queue for later ones.
pub fn poll(fd: HostFd, table: &mut PollTable<'_>) -> u32 {
    if table.wants_queues() {
        table.poll_wait(&watch::watch(fd));
    }
    const ALL: u16 = 0x3fff;
    watch::poll_now(fd, ALL).into()
}

impl FileOperations for HostFile {
    #[inline]
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        if self.kind == Kind::Regular
            && let Some(done) = self.windowed.read(self.handle.fd(), file, to, pos)
        {
            return Ok(done);
        }
        self.transfer(to, Direction::Read, pos)
    }

    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let done = self.transfer(from, Direction::Write, pos)?;
        if self.kind == Kind::Regular {
            content_changed(file);
            if *pos != HOST_POSITION && from.appends(file.flags()) {
                // The host wrote at the end, whatever position it was given.
                *pos = self.stat(file)?.size;
            }
        }
        Ok(done)
    }

    fn page_run(&self, file: &FileRef, pos: u64, len: usize) -> Option<PageSlice> {
        let fd = self.handle.fd();
        let inode = host_inode(file).filter(|_| self.kind == Kind::Regular && self.windowed.number(file, fd).is_some())?;
        let left = host::fs::statx(fd, b"").ok()?.size.saturating_sub(pos).min(len as u64).min(MOST);
        if left == 0 {
            return None;
        }
        let start = pos % PAGE_SIZE as u64;
        let pages = HostRun::new(self.handle.clone(), file.inode()?.clone(), pos - start, (start + left) as usize);
        inode.lent.add(&pages);
        Some(PageSlice { pages: Pages::Host(pages), start: start as usize, len: left as usize })
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        if self.kind == Kind::Regular {
            return self.seek(&mut file.pos.lock(), offset, whence);
        }
        Ok(host::fs::lseek(self.handle.fd(), offset, seek_number(whence))?)
    }

    fn start_pos(&self) -> u64 {
        HOST_POSITION
    }

    fn position_elsewhere(&self) -> bool {
        self.kind != Kind::Regular
    }

    fn flush(&self, _file: &FileRef) -> Result<(), Error> {
        self.windowed.closed();
        Ok(())
    }

    fn seekable(&self) -> bool {
        self.kind != Kind::Stream
    }

    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        (self.kind == Kind::Stream).then(|| poll(self.handle.fd(), table))
    }

    fn can_poll(&self) -> bool {
        self.kind == Kind::Stream
    }

    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        host::io::ioctl(self.handle.fd(), cmd, arg, self.blocking()).map_err(restart)
    }

    fn mmap(&self, _file: &FileRef, request: &MmapRequest) -> Result<MapBacking, Error> {
        if self.kind == Kind::Directory {
            return Err(Errno::ENODEV.into());
        }
        Ok(MapBacking::Host(self.handle.fd(), request.offset))
    }

    fn fsync(&self, _file: &FileRef, datasync: bool) -> Result<(), Error> {
        let nr = if datasync { nr::fdatasync } else { nr::fsync };
        Ok(host::fs::sync_call(nr, self.handle.fd())?)
    }

    fn fallocate(&self, file: &FileRef, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        // All but plain allocation takes pages out of the file.
        if mode & !FALLOC_FL_KEEP_SIZE != 0
            && let Some(inode) = host_inode(file)
        {
            inode.lent.cut(offset);
        }
        Ok(host::fs::fallocate(self.handle.fd(), mode, offset, len)?)
    }

    fn truncate(&self, file: &FileRef, len: u64) -> Result<(), Error> {
        if let Some(inode) = host_inode(file) {
            inode.lent.cut(len);
        }
        host::fs::ftruncate(self.handle.fd(), len)?;
        content_changed(file);
        Ok(())
    }

    fn iterate(&self, _file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        if self.kind != Kind::Directory {
            return Err(Errno::ENOTDIR.into());
        }
        dir::iterate(self.handle.fd(), ctx)
    }

    fn stat(&self, _file: &File) -> Result<Kstat, Error> {
        Ok(host::fs::statx(self.handle.fd(), b"")?)
    }

    /// The host has the last word.
    fn can_odirect(&self) -> bool {
        true
    }

    fn set_flags(&self, _file: &File, flags: u32) -> Result<(), Error> {
        Ok(host::fs::fcntl(self.handle.fd(), F_SETFL, (flags & !(O_CREAT | O_EXCL)).into()).map(drop)?)
    }

    fn host_fd(&self) -> Option<HostFd> {
        Some(self.handle.fd())
    }
}
