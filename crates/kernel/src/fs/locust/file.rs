//! Open files of a locust.
//!
//! Mirrors: nothing in Linux; what is not about waiting is tmpfs's.
//! Differs: stores through a mapping wake nobody, as the kernel does not see them. What a file is ready for depends on its
//! position, so that is kept here and not in the open file.
//! Locking: `LocustFile::pos` over a transfer at the file's own position.

use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::Error;

use super::swarm::{Swarm, opened};
use crate::abi::SysResult;
use crate::current;
use crate::fs::dcache::Path;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::inode::Inode;
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::splice::PageSlice;
use crate::fs::tmpfs::file::{Opened, RegularFile, ShmemFile};
use crate::fs::tmpfs::inode::TmpInode;
use crate::mm::{MapBacking, MmapRequest};

const READABLE: u32 = EPOLLIN | EPOLLRDNORM;
const WRITABLE: u32 = EPOLLOUT | EPOLLWRNORM;
/// What a change of the content can mean to a waiter.
pub const CHANGED: u32 = READABLE | WRITABLE;

/// Stands for the position kept by [`LocustFile`].
const OWN_POSITION: u64 = u64::MAX;

/// An open regular file.
pub struct LocustFile {
    swarm: Arc<Swarm>,
    inode: Arc<dyn Inode>,
    pos: SpinLock<u64>,
    shmem: ShmemFile,
}

impl LocustFile {
    /// Opens the file at `path` for the calling process.
    pub fn open(swarm: &Arc<Swarm>, path: &Path) -> Result<Arc<dyn FileOperations>, Error> {
        opened(swarm, &path.dentry, &current().process)?;
        let inode = path.dentry.inode().clone();
        Ok(Arc::new(LocustFile {
            swarm: swarm.clone(),
            inode,
            pos: SpinLock::new(0),
            shmem: ShmemFile { opened: Opened::ByOpen },
        }))
    }

    fn inode(&self) -> &TmpInode {
        self.inode.downcast_ref().unwrap_or_else(|| panic!("an inode of another file system"))
    }

    fn content(&self) -> &RegularFile {
        self.inode().regular().unwrap_or_else(|| panic!("a regular file without content"))
    }

    /// Transfers at `pos`, which may stand for the file's own position.
    fn at(&self, pos: &mut u64, transfer: impl FnOnce(&mut u64) -> SysResult) -> SysResult {
        match *pos {
            OWN_POSITION => transfer(&mut self.pos.lock()),
            _ => transfer(pos),
        }
    }
}

impl FileOperations for LocustFile {
    /// Readable past this file's position, writable while a byte fits.
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.swarm.wait);
        let inode = self.inode();
        if let Some(room) = inode.fs.room() {
            table.poll_wait(room);
        }
        let readable = if self.content().size() > *self.pos.lock() { READABLE } else { 0 };
        let writable = if inode.has_room() { WRITABLE } else { 0 };
        Some(readable | writable)
    }

    fn can_poll(&self) -> bool {
        true
    }

    fn start_pos(&self) -> u64 {
        OWN_POSITION
    }

    fn llseek(&self, _file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        let pos = self.content().llseek(&self.pos, offset, whence)?;
        // It may have gone back to what there is to read.
        if !matches!((whence, offset), (Whence::Cur, 0)) {
            self.swarm.wait.wake_all(READABLE);
        }
        Ok(pos)
    }

    fn release(&self, file: &File) {
        if let Some(path) = &file.path {
            self.swarm.file_gone(&path.dentry);
        }
    }

    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        self.at(pos, |pos| self.shmem.read(file, to, pos))
    }

    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        self.at(pos, |pos| self.shmem.write(file, from, pos))
    }

    fn page_run(&self, file: &FileRef, pos: u64, len: usize) -> Option<PageSlice> {
        self.shmem.page_run(file, pos, len)
    }

    fn seekable(&self) -> bool {
        self.shmem.seekable()
    }

    fn can_nowait(&self) -> bool {
        self.shmem.can_nowait()
    }

    fn mmap(&self, file: &FileRef, request: &MmapRequest) -> Result<MapBacking, Error> {
        self.shmem.mmap(file, request)
    }

    fn forbids_shared_writes(&self, file: &File) -> bool {
        self.shmem.forbids_shared_writes(file)
    }

    fn fsync(&self, file: &FileRef, datasync: bool) -> Result<(), Error> {
        self.shmem.fsync(file, datasync)
    }

    fn fallocate(&self, file: &FileRef, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        self.shmem.fallocate(file, mode, offset, len)
    }

    fn truncate(&self, file: &FileRef, len: u64) -> Result<(), Error> {
        self.shmem.truncate(file, len)
    }

    fn fcntl(&self, file: &FileRef, cmd: u32, arg: u64) -> Option<SysResult> {
        self.shmem.fcntl(file, cmd, arg)
    }
}
