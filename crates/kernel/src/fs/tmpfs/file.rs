//! Open files of tmpfs: content of regular files, and reading directories.
//!
//! Mirrors: mm/shmem.c (`shmem_file_operations`), fs/libfs.c, Linux 6.18.
//! Differs: the pages are found under `content`, the bytes are copied outside it: a page that is truncated away meanwhile
//! is kept by its reference and reads as zeros.
//! Locking: `writing` (Linux's `i_rwsem`) over writes, truncation and holes; then `content`, never over a copy to or from the
//! guest; then the file system's limits, and the queue of who waits for room.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_uapi::capability::CAP_FSETID;
use acrida_uapi::dirent::DT_DIR;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{
    F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE,
    O_NOATIME,
};
use acrida_uapi::mman::{MAP_SHARED, MAP_SHARED_VALIDATE, MAP_TYPE};
use acrida_uapi::mount::MsFlags;

use crate::abi::SysResult;
use crate::current;
use crate::fs::attr::{current_time, timespec};
use crate::fs::chmod::without_privilege;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::inode::Inode;
use crate::fs::iov_iter::IovIter;
use crate::fs::libfs::{dir_llseek, generic_llseek};
use crate::fs::locust::Swarm;
use crate::fs::locust::file::CHANGED;
use crate::fs::readdir::DirContext;
use crate::fs::splice::PageSlice;
use crate::fs::tmpfs::TmpFs;
use crate::fs::tmpfs::inode::TmpInode;
use crate::fs::tmpfs::memfd;
use crate::fs::tmpfs::pages::{At, Pages, Span};
use crate::fs::truncate::{beyond_file_limit, check_file_size};
use crate::mm::{MapBacking, MmapRequest, Piece};

const PAGE: u64 = PAGE_SIZE as u64;
/// Bytes of one step of a write: bounds how much is charged before it is copied.
const STEP: u64 = 256 << 10;
/// Largest size of a file.
const MAX_BYTES: u64 = i64::MAX as u64;
static ZEROS: [u8; PAGE_SIZE] = [0; PAGE_SIZE];

#[derive(Default)]
struct Content {
    size: u64,
    pages: Pages,
}

impl Content {
    /// Memory for a part of a write of `len` bytes at `pos`, with the pages charged that hold no data yet: one page at a time
    /// where no more fit. What of the charge is not used is given back by the caller.
    fn prepare(&mut self, fs: &TmpFs, pos: u64, len: u64) -> Result<(Span, u64), Errno> {
        for len in [len, len.min(PAGE - pos % PAGE)] {
            let missing = self.pages.missing(pos, len);
            if !fs.charge(missing) {
                continue;
            }
            let span = self.pages.span(pos, len).ok_or_else(|| {
                fs.uncharge(missing);
                Errno::ENOSPC
            })?;
            return Ok((span, missing));
        }
        Err(Errno::ENOSPC)
    }

    /// Gives `[from, end)` pages where it has none, or leaves it as it was.
    ///
    /// # Errors
    /// `ENOSPC`; `EINTR` when a signal comes, for this may take long.
    fn fill_holes(&mut self, fs: &TmpFs, from: u64, end: u64) -> Result<(), Errno> {
        let mut filled = Vec::new();
        let mut at = from;
        let result = loop {
            if at >= end {
                break Ok(());
            }
            if current().thread.signal_pending() {
                break Err(Errno::EINTR);
            }
            let len = match self.pages.at(at, end - at) {
                At::Data(span) => span.len as u64,
                At::Hole(len) => {
                    let missing = self.pages.missing(at, len);
                    if !fs.charge(missing) {
                        break Err(Errno::ENOSPC);
                    }
                    if self.pages.span(at, len).is_none() {
                        fs.uncharge(missing);
                        break Err(Errno::ENOSPC);
                    }
                    self.pages.mark(at, len);
                    filled.push(at / PAGE * PAGE..(at + len).next_multiple_of(PAGE));
                    len
                }
            };
            at += len;
        };
        if result.is_err() {
            for hole in filled {
                fs.uncharge(self.pages.punch(hole.start, hole.end));
            }
        }
        result
    }
}

/// The content of a regular file.
pub struct RegularFile {
    writing: SpinLock<()>,
    content: SpinLock<Content>,
    /// `F_SEAL_*`.
    pub(super) seals: AtomicU32,
    /// Without a name, but may get one (`O_TMPFILE` without `O_EXCL`).
    #[doc(alias = "I_LINKABLE")]
    linkable: AtomicBool,
    /// Who is told of changes, and keeps the file alive (locust).
    swarm: Option<Arc<Swarm>>,
}

impl Default for RegularFile {
    fn default() -> Self {
        RegularFile::sealed(F_SEAL_SEAL)
    }
}

impl RegularFile {
    /// An empty file with these seals.
    pub fn sealed(seals: u32) -> RegularFile {
        RegularFile {
            writing: SpinLock::new(()),
            content: SpinLock::default(),
            seals: AtomicU32::new(seals),
            linkable: AtomicBool::new(false),
            swarm: None,
        }
    }

    /// The same with somebody to tell of changes.
    pub(super) fn watched(self, swarm: Arc<Swarm>) -> RegularFile {
        RegularFile { swarm: Some(swarm), ..self }
    }

    pub(super) fn swarm(&self) -> Option<&Arc<Swarm>> {
        self.swarm.as_ref()
    }

    /// Content or size changed; called with no lock of the file held.
    fn tell_changed(&self) {
        if let Some(swarm) = &self.swarm {
            swarm.wait.wake_all(CHANGED);
        }
    }

    /// Whether a write past the end could succeed.
    pub(super) fn has_room(&self, fs: &TmpFs) -> bool {
        // The last page may be partly free.
        fs.has_free_page() || !self.size().is_multiple_of(PAGE)
    }

    pub fn unnamed(linkable: bool) -> RegularFile {
        RegularFile { linkable: AtomicBool::new(linkable), ..RegularFile::default() }
    }

    /// Whether a name may be given to the file without one; once it has one it is an ordinary file.
    pub fn take_linkable(&self) -> bool {
        self.linkable.swap(false, Ordering::Relaxed)
    }

    pub fn size(&self) -> u64 {
        self.content.lock().size
    }

    /// Size, and pages that hold data.
    pub fn extent(&self) -> (u64, u64) {
        let content = self.content.lock();
        (content.size, content.pages.count())
    }

    /// Pages that hold data.
    pub fn pages(&self) -> u64 {
        self.content.lock().pages.count()
    }

    pub(super) fn has_seal(&self, seal: u32) -> bool {
        self.seals.load(Ordering::Acquire) & seal != 0
    }

    pub(super) fn is_mapped(&self) -> bool {
        self.content.lock().pages.is_shared()
    }

    fn read(&self, to: &mut IovIter<'_>, pos: &mut u64) -> usize {
        let mut done = 0;
        while to.count() > 0 {
            let at = {
                let content = self.content.lock();
                let left = content.size.saturating_sub(*pos).min(to.count() as u64);
                if left == 0 {
                    break;
                }
                content.pages.at(*pos, left)
            };
            let (want, copied) = match at {
                At::Data(span) => (span.len, to.copy_page_to(&span.extent, span.start, span.len)),
                At::Hole(len) => {
                    let len = len.min(PAGE) as usize;
                    (len, to.copy_to(&ZEROS[..len]))
                }
            };
            *pos += copied as u64;
            done += copied;
            if copied < want {
                break;
            }
        }
        done
    }

    /// One step of a write: charges, copies, and lets the file grow; the bytes taken. The caller keeps other writers away.
    fn write_step(&self, fs: &TmpFs, from: &mut IovIter<'_>, pos: u64) -> Result<usize, Errno> {
        let (span, charged) = self.content.lock().prepare(fs, pos, STEP.min(from.count() as u64))?;
        let copied = from.copy_page_from(&span.extent, span.start, span.len);
        let mut content = self.content.lock();
        let new = content.pages.mark(pos, copied as u64);
        // A page may have been written through a mapping meanwhile.
        fs.uncharge(charged.saturating_sub(new));
        if copied == 0 {
            return Err(Errno::EFAULT);
        }
        content.size = content.size.max(pos + copied as u64);
        Ok(copied)
    }

    fn write(&self, fs: &TmpFs, from: &mut IovIter<'_>, pos: &mut u64, append: bool) -> Result<usize, Error> {
        let _writing = self.writing.lock();
        let size = self.size();
        if append {
            *pos = size;
        }
        self.check_write(from, *pos, size)?;
        let mut done = 0;
        while from.count() > 0 {
            match self.write_step(fs, from, *pos) {
                Ok(copied) => {
                    *pos += copied as u64;
                    done += copied;
                }
                Err(_) if done > 0 => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(done)
    }

    /// Limits and seals; may shorten the write.
    #[doc(alias = "generic_write_checks")]
    fn check_write(&self, from: &mut IovIter<'_>, pos: u64, size: u64) -> Result<(), Errno> {
        if from.count() == 0 {
            return Ok(());
        }
        let limit = current().process.rlimit(acrida_uapi::resource::RLIMIT_FSIZE as usize).rlim_cur;
        if pos >= limit {
            return Err(beyond_file_limit());
        }
        if pos >= MAX_BYTES {
            return Err(Errno::EFBIG);
        }
        from.truncate((limit.min(MAX_BYTES) - pos) as usize);
        if self.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) {
            return Err(Errno::EPERM);
        }
        if self.has_seal(F_SEAL_GROW) && pos + from.count() as u64 > size {
            // Page after page is taken, up to the one that would grow the file.
            let room = (size / PAGE * PAGE).saturating_sub(pos);
            if room == 0 {
                return Err(Errno::EPERM);
            }
            from.truncate(room as usize);
        }
        Ok(())
    }

    /// A new size; what is beyond it is gone.
    pub fn truncate(&self, fs: &TmpFs, size: u64) -> Result<(), Errno> {
        self.resize(fs, size)?;
        self.tell_changed();
        Ok(())
    }

    fn resize(&self, fs: &TmpFs, size: u64) -> Result<(), Errno> {
        if size > MAX_BYTES {
            return Err(Errno::EFBIG);
        }
        let _writing = self.writing.lock();
        let mut content = self.content.lock();
        if size < content.size && self.has_seal(F_SEAL_SHRINK) || size > content.size && self.has_seal(F_SEAL_GROW) {
            return Err(Errno::EPERM);
        }
        if size < content.size {
            fs.uncharge(content.pages.punch(size, u64::MAX));
        }
        content.size = size;
        Ok(())
    }

    #[doc(alias = "shmem_fallocate")]
    fn fallocate(&self, fs: &TmpFs, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        if mode & !(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) != 0 {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let _writing = self.writing.lock();
        let mut content = self.content.lock();
        if mode & FALLOC_FL_PUNCH_HOLE != 0 {
            if self.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) {
                return Err(Errno::EPERM.into());
            }
            fs.uncharge(content.pages.punch(offset, offset + len));
            return Ok(());
        }
        // Limit and seal stand whatever becomes of the size.
        check_file_size(offset + len, || Ok(content.size))?;
        let beyond = offset + len > content.size;
        if beyond && self.has_seal(F_SEAL_GROW) {
            return Err(Errno::EPERM.into());
        }
        if !fs.has_room(len.div_ceil(PAGE)) {
            return Err(Errno::ENOSPC.into());
        }
        content.fill_holes(fs, offset, offset + len)?;
        if beyond && mode & FALLOC_FL_KEEP_SIZE == 0 {
            content.size = offset + len;
        }
        Ok(())
    }

    /// `lseek` of an open file whose position is at `pos`.
    #[doc(alias = "shmem_file_llseek")]
    pub fn llseek(&self, pos: &SpinLock<u64>, offset: i64, whence: Whence) -> Result<u64, Error> {
        if !matches!(whence, Whence::Data | Whence::Hole) {
            return generic_llseek(pos, offset, whence, self.size());
        }
        let start = u64::try_from(offset).map_err(|_| Errno::ENXIO)?;
        let target = self.seek_data(start, whence)?;
        *pos.lock() = target;
        Ok(target)
    }

    /// The next position with (or without) data from `pos` on.
    fn seek_data(&self, pos: u64, whence: Whence) -> Result<u64, Errno> {
        let content = self.content.lock();
        let mut at = pos;
        while at < content.size {
            let (is_data, len) = match content.pages.at(at, content.size - at) {
                At::Data(span) => (true, span.len as u64),
                At::Hole(len) => (false, len),
            };
            if is_data == (whence == Whence::Data) {
                return Ok(at);
            }
            at += len;
        }
        if whence == Whence::Hole && pos < content.size { Ok(content.size) } else { Err(Errno::ENXIO) }
    }

    /// The pages behind `[offset, offset + len)`, as far as the file reaches.
    pub fn map_extents(&self, offset: u64, len: u64, writable: bool) -> Result<Vec<Piece>, Errno> {
        let mut content = self.content.lock();
        let end = (offset + len).min(content.size.next_multiple_of(PAGE));
        let mut pieces = Vec::new();
        let mut at = offset;
        while at < end {
            let span = content.pages.span(at, end - at).ok_or(Errno::ENOMEM)?;
            let piece = Piece { offset: at, len: span.len as u64, extent: span.extent, start: span.start as u64 };
            at += piece.len;
            pieces.push(piece);
        }
        if writable {
            content.pages.map(offset, end.saturating_sub(offset));
        }
        Ok(pieces)
    }
}

/// An open regular file.
pub struct ShmemFile {
    pub opened: Opened,
}

/// How a file came to be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    ByOpen,
    /// Made together with its inode, without an open (`memfd_create`).
    ByMaking,
}

/// The file's inode.
///
/// # Panics
/// When these operations were put over another file system's file.
pub fn inode_of(file: &File) -> &TmpInode {
    let inode = file.inode().and_then(|inode| inode.downcast_ref::<TmpInode>());
    inode.unwrap_or_else(|| panic!("tmpfs operations on a file of another file system"))
}

fn content_of(file: &File) -> Result<&RegularFile, Errno> {
    inode_of(file).regular().ok_or(Errno::EINVAL)
}

/// Stamps a read, not more often than `relatime` wants.
#[doc(alias = "touch_atime")]
fn accessed(file: &File) {
    let mount = file.path.as_ref().map(|path| path.mnt.flags()).unwrap_or_default();
    if file.flags() & O_NOATIME != 0 || mount.intersects(MsFlags::MS_NOATIME | MsFlags::MS_RDONLY) {
        return;
    }
    const DAY: i64 = 24 * 3600;
    let inode = inode_of(file);
    let now = timespec(platform().now(ClockId::RealtimeCoarse));
    let attr = inode.attr.get();
    let key = |time: acrida_uapi::time::Timespec| (time.tv_sec, time.tv_nsec);
    let newest = key(attr.mtime).max(key(attr.ctime));
    if mount.contains(MsFlags::MS_STRICTATIME) || key(attr.atime) <= newest || now.tv_sec - attr.atime.tv_sec >= DAY {
        // The exact time: a coarse one may lie before the change that was read.
        let now = current_time();
        inode.attr.update(|attr| attr.atime = now);
    }
}

/// Stamps a write, and takes set-id bits away.
#[doc(alias = "file_remove_privs")]
pub(super) fn written(inode: &TmpInode) {
    inode.modified();
    let (cred, owner) = (current().cred(), inode.owner());
    let mode = without_privilege(&cred, owner);
    if mode != owner.mode && !cred.capable(CAP_FSETID) {
        inode.attr.update(|attr| attr.owner.mode = mode);
    }
}

impl FileOperations for ShmemFile {
    #[doc(alias = "shmem_file_open")]
    fn can_odirect(&self) -> bool {
        self.opened == Opened::ByOpen
    }

    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let content = content_of(file)?;
        let asked = to.count();
        let done = content.read(to, pos);
        if done == 0 && asked > 0 && *pos < content.size() {
            return Err(Errno::EFAULT.into());
        }
        accessed(file);
        Ok(done)
    }

    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let inode = inode_of(file);
        let append = from.appends(file.flags());
        let content = content_of(file)?;
        let done = content.write(&inode.fs, from, pos, append)?;
        if done > 0 {
            written(inode);
            content.tell_changed();
        }
        Ok(done)
    }

    fn page_run(&self, file: &FileRef, pos: u64, len: usize) -> Option<PageSlice> {
        let content = content_of(file).ok()?.content.lock();
        let left = content.size.saturating_sub(pos).min(len as u64);
        match content.pages.at(pos, left) {
            At::Data(span) if left > 0 => Some(PageSlice::frames(span.extent, span.start, span.len)),
            _ => None,
        }
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        content_of(file)?.llseek(&file.pos, offset, whence)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn can_nowait(&self) -> bool {
        true
    }

    fn mmap(&self, file: &FileRef, request: &MmapRequest) -> Result<MapBacking, Error> {
        let content = content_of(file)?;
        let shared =
            matches!(request.flags & MAP_TYPE as u32, kind if kind == MAP_SHARED as u32 || kind == MAP_SHARED_VALIDATE as u32);
        let writes = shared && request.prot & acrida_uapi::mman::PROT_WRITE as u32 != 0;
        if writes && content.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) {
            return Err(Errno::EPERM.into());
        }
        let may_write = shared && file.writable();
        Ok(MapBacking::Window(content.map_extents(request.offset, request.len as u64, may_write)?))
    }

    fn forbids_shared_writes(&self, file: &File) -> bool {
        content_of(file).is_ok_and(|content| content.has_seal(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
    }

    fn fsync(&self, _file: &FileRef, _datasync: bool) -> Result<(), Error> {
        Ok(())
    }

    fn fallocate(&self, file: &FileRef, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        let inode = inode_of(file);
        let content = content_of(file)?;
        content.fallocate(&inode.fs, mode, offset, len)?;
        inode.modified();
        content.tell_changed();
        Ok(())
    }

    fn truncate(&self, file: &FileRef, len: u64) -> Result<(), Error> {
        Ok(inode_of(file).truncate(len)?)
    }

    fn iterate(&self, _file: &FileRef, _ctx: &mut DirContext<'_>) -> Result<(), Error> {
        Err(Errno::ENOTDIR.into())
    }

    fn fcntl(&self, file: &FileRef, cmd: u32, arg: u64) -> Option<SysResult> {
        memfd::fcntl(file, inode_of(file).regular()?, cmd, arg)
    }
}

/// An open directory.
#[doc(alias = "simple_offset_dir_operations")]
pub struct DirFile;

impl FileOperations for DirFile {
    fn read(&self, _file: &FileRef, _to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        Err(Errno::EISDIR.into())
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        dir_llseek(file, offset, whence)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn fsync(&self, _file: &FileRef, _datasync: bool) -> Result<(), Error> {
        Ok(())
    }

    fn iterate(&self, file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        let path = file.path.as_ref().ok_or(Errno::ENOTDIR)?;
        let inode = inode_of(file);
        let directory = inode.directory()?;
        let parent = path.dentry.parent().map_or(inode.common().ino, |parent| parent.inode().common().ino);
        if directory.is_dead() {
            return Err(Errno::ENOENT.into());
        }
        if ctx.pos == 0 && !ctx.emit(b".", inode.common().ino, DT_DIR, 1) {
            return Ok(());
        }
        if ctx.pos == 1 && !ctx.emit(b"..", parent, DT_DIR, 2) {
            return Ok(());
        }
        directory.iterate(&path.dentry, ctx)?;
        accessed(file);
        Ok(())
    }
}
