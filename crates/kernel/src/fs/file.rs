//! Open files: `struct file`, its operations, and the end of its life.
//!
//! Mirrors: include/linux/fs.h (`file`, `file_operations`), fs/file_table.c, Linux 6.18.
//! Differs: operations are a trait object that also holds the private data; a slot that Linux leaves empty is a default
//! method with Linux's errno. References are `Stable`: a descriptor is looked up without a lock, and whoever gives the last one up
//! puts the file's end off, so `release` runs under nobody's lock, and a reference can be given up anywhere. The operations have a
//! count of their own: epoll asks them without keeping the file open.
//! Locking: `f_pos` serialises calls that move the position (`f_pos_lock`); flags are atomics.

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use acrida_kcore::host::HostFd;
use acrida_kcore::stable::{self, FreeList, Stable};
use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::{O_ACCMODE, O_PATH, O_RDONLY, O_RDWR, O_WRONLY};

use crate::abi::SysResult;
use crate::fs::anon_inodes::{PseudoInode, Reopen, anon_stat};
use crate::fs::eventpoll::{self, Watchers};
use crate::fs::fasync::FasyncQueues;
use crate::fs::inode::{DirContext, Inode, InodeCommon, Kstat, Path};
use crate::fs::iov_iter::IovIter;
use crate::fs::locks::FileLocks;
use crate::fs::notify::fsnotify;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;
use crate::fs::splice::PageSlice;
use crate::kernel;
use crate::kernel::task::{Pid, Process, Task};
use crate::mm::{MapBacking, MmapRequest};

/// What a terminal must offer to be a session's controlling terminal.
pub trait ControllingTty: Any + Send + Sync {
    /// Foreground process group, or 0.
    fn foreground_pgrp(&self) -> u32;
    fn set_foreground_pgrp(&self, pgrp: u32);
    /// The session it controls, or 0.
    fn session(&self) -> u32;
    fn set_session(&self, session: u32);
    /// Opens it once more (/dev/tty).
    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<dyn FileOperations>, Error>;
    /// As /proc/PID/stat shows it.
    fn device_number(&self) -> u64;
}

/// Asks for `lseek`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    Set,
    Cur,
    End,
    Data,
    Hole,
}

/// What an open file can do. `self` is the private data; it lives as long as the file.
#[doc(alias = "file_operations")]
pub trait FileOperations: Any + Send + Sync {
    /// Reads into `to`. `pos` is the position to use and move; stream files ignore it.
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let _ = (file, to, pos);
        Err(Errno::EINVAL.into())
    }
    /// Writes from `from`; `pos` as in `read` (`O_APPEND` is the implementation's affair, under the inode's lock).
    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let _ = (file, from, pos);
        Err(Errno::EINVAL.into())
    }
    /// The new position, from a whence and an offset; a file whose position is `File::pos` sets it (`vfs_setpos`), so the
    /// caller must not hold it. Stream files keep the default.
    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        let _ = (file, offset, whence);
        Err(Errno::ESPIPE.into())
    }
    /// Whether `pread`/`pwrite`/`lseek` make sense (`FMODE_LSEEK`, `FMODE_PREAD`).
    fn seekable(&self) -> bool {
        false
    }
    /// Bytes from `pos` on that can be passed on by reference, at most `len`; `None`: read them.
    #[doc(alias = "filemap_splice_read")]
    fn page_run(&self, file: &FileRef, pos: u64, len: usize) -> Option<PageSlice> {
        let _ = (file, pos, len);
        None
    }
    /// Whether pages can be given to the file by reference in place of a write.
    fn can_take_pages(&self) -> bool {
        false
    }
    /// Takes slices of pages by reference; the bytes taken.
    #[doc(alias = "MSG_SPLICE_PAGES")]
    fn take_pages(&self, file: &FileRef, slices: &[PageSlice], blocking: Blocking) -> SysResult {
        let _ = (file, slices, blocking);
        Err(Errno::EINVAL.into())
    }
    /// When a sleep until the file can be read (`EPOLLIN`) or written (`EPOLLOUT`) gives up, and what a signal makes of it.
    #[doc(alias = "sock_rcvtimeo")]
    #[doc(alias = "sock_sndtimeo")]
    fn sleep_limit(&self, event: u32) -> (Option<u64>, Error) {
        let _ = event;
        (None, Restart::ERESTARTSYS.into())
    }
    /// Whether bytes can be spliced out of the file into a pipe.
    fn can_splice_read(&self) -> bool {
        self.seekable()
    }
    /// Whether bytes can be spliced into the file.
    #[doc(alias = "splice_write")]
    fn can_splice_write(&self) -> bool {
        true
    }
    /// Whether one call may be asked not to block (`RWF_NOWAIT`, seen as `IovIter::nowait`).
    #[doc(alias = "FMODE_NOWAIT")]
    fn can_nowait(&self) -> bool {
        false
    }
    /// Whether reads and writes take the file's position lock (regular files and directories).
    #[doc(alias = "FMODE_ATOMIC_POS")]
    fn atomic_pos(&self) -> bool {
        self.seekable()
    }
    /// What `File::pos` holds at the start. A file whose position is kept elsewhere says so here.
    fn start_pos(&self) -> u64 {
        0
    }
    /// Whether the position is kept elsewhere for good, by somebody who serialises its users; `File::pos` is not locked then.
    fn position_elsewhere(&self) -> bool {
        self.start_pos() != 0
    }
    /// Registers on the file's wait queues if `table` asks for it, and gives the event mask now. `None`: the file has no
    /// poll (always ready for poll and select, EPERM for epoll). Epoll asks without a reference to the file: all that the
    /// answer depends on lies in `self`.
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        let _ = table;
        None
    }
    /// Whether `poll` gives a mask (asked by epoll_ctl before anything else).
    fn can_poll(&self) -> bool {
        false
    }
    fn ioctl(&self, file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        let _ = (file, cmd, arg);
        Err(Errno::ENOTTY.into())
    }
    /// What stands behind a mapping of the file.
    fn mmap(&self, file: &FileRef, request: &MmapRequest) -> Result<MapBacking, Error> {
        let _ = (file, request);
        Err(Errno::ENODEV.into())
    }
    /// Whether the file is told of every area that maps it (`vm_ops`); such areas are never joined.
    fn counts_areas(&self) -> bool {
        false
    }
    /// An area came to be: mapped, split off, copied by fork.
    #[doc(alias = "vm_ops_open")]
    fn area_opened(&self, file: &File) {
        let _ = file;
    }
    /// An area is gone. May run under the lock of an address space.
    #[doc(alias = "vm_ops_close")]
    fn area_closed(&self, file: &File) {
        let _ = file;
    }
    /// Whether no shared mapping may ever be written, though the file is open for writing (seals).
    fn forbids_shared_writes(&self, file: &File) -> bool {
        let _ = file;
        false
    }
    /// Runs on every close of a descriptor.
    fn flush(&self, file: &FileRef) -> Result<(), Error> {
        let _ = file;
        Ok(())
    }
    /// Runs once, after the last reference is gone and the file has left every epoll set.
    fn release(&self, file: &File) {
        let _ = file;
    }
    fn fsync(&self, file: &FileRef, datasync: bool) -> Result<(), Error> {
        let _ = (file, datasync);
        Err(Errno::EINVAL.into())
    }
    fn fallocate(&self, file: &FileRef, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        let _ = (file, mode, offset, len);
        Err(Errno::EOPNOTSUPP.into())
    }
    fn truncate(&self, file: &FileRef, len: u64) -> Result<(), Error> {
        let _ = (file, len);
        Err(Errno::EINVAL.into())
    }
    /// `getdents64`: emits entries from the file's position on.
    #[doc(alias = "iterate_shared")]
    fn iterate(&self, file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        let _ = (file, ctx);
        Err(Errno::ENOTDIR.into())
    }
    /// Attributes, when the file is not an inode of a file system (pipes, anonymous inodes).
    fn stat(&self, file: &File) -> Result<Kstat, Error> {
        match &file.path {
            Some(path) => path.stat(),
            None => Ok(self.pseudo_inode().map_or_else(anon_stat, |inode| inode.stat())),
        }
    }
    /// The inode of a pipe or socket that has no path.
    fn pseudo_inode(&self) -> Option<&Arc<PseudoInode>> {
        None
    }
    /// Lines of /proc/PID/fdinfo/FD beyond pos, flags, mnt_id, ino.
    fn show_fdinfo(&self, file: &File, out: &mut String) {
        let _ = (file, out);
    }
    /// The link text of /proc/PID/fd/FD when the file has no path ("pipe:[5]", "anon_inode:[eventfd]").
    fn link_name(&self, file: &File) -> Option<String> {
        let _ = file;
        None
    }
    /// Who is told by `SIGIO` when the file is opened in this way; empty: the file does not know `O_ASYNC`.
    fn fasync(&self, file: &File) -> FasyncQueues<'_> {
        let _ = file;
        FasyncQueues::default()
    }
    /// Whether reads and writes may be asked to bypass the cache (`O_DIRECT`).
    #[doc(alias = "FMODE_CAN_ODIRECT")]
    fn can_odirect(&self) -> bool {
        false
    }
    /// `fcntl(F_SETFL)` wants these flags; refuse or adapt.
    fn set_flags(&self, file: &File, flags: u32) -> Result<(), Error> {
        let _ = (file, flags);
        Ok(())
    }
    /// The object, if a magic link (/proc/self/fd/N) opens it once more though the file has no path.
    fn reopens(&self) -> Option<Arc<dyn Reopen>> {
        None
    }
    /// The host descriptor of a host file.
    fn host_fd(&self) -> Option<HostFd> {
        None
    }
    /// `fcntl` commands that only some files know (pipe size, seals); `None`: not ours, EINVAL or EBADF as Linux.
    fn fcntl(&self, file: &FileRef, cmd: u32, arg: u64) -> Option<SysResult> {
        let _ = (file, cmd, arg);
        None
    }
}

/// Open files of the world, wherever they are referred to from.
static NR_FILES: AtomicUsize = AtomicUsize::new(0);

#[doc(alias = "get_nr_files")]
pub fn nr_files() -> usize {
    NR_FILES.load(Ordering::Relaxed)
}

/// What an open file has against other users of its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    None,
    /// One of `i_writecount`'s writers (`FMODE_WRITER`).
    Writes,
    /// A program runs from it.
    DeniesWriters,
}

/// An open file description.
#[doc(alias = "file")]
pub struct File {
    pub ops: Arc<dyn FileOperations>,
    /// `O_*`: access mode and status flags; no creation flags, no `O_CLOEXEC`.
    flags: AtomicU32,
    pub pos: SpinLock<u64>,
    /// What stands for a position that is kept elsewhere, by somebody who serialises its users.
    pub position_elsewhere: Option<u64>,
    /// Where it was opened; `None` for pipes, sockets and anonymous inodes.
    pub path: Option<Path>,
    /// The inode behind it, if any.
    inode: Option<Arc<dyn Inode>>,
    /// Who hears SIGIO (`F_SETOWN`...).
    pub owner: SpinLock<FileOwner>,
    /// The epoll sets that watch the file, unless it is a set itself.
    pub epoll: Watchers,
    /// What the file has against its inode's other users.
    claim: SpinLock<Claim>,
    created: AtomicBool,
    /// Locks of the inode were used through this file: some may be its own.
    pub(super) used_locks: AtomicBool,
    /// Names the open file as long as anything refers to it; never used twice.
    id: u64,
}

/// What keeps a file open.
pub type FileRef = Stable<File>;

/// What knows a file without keeping it open.
pub type WeakFile = stable::Weak<File>;

/// Memory of files that ended.
#[doc(alias = "filp_cachep")]
static FREE_FILES: SpinLock<FreeList<File>> = SpinLock::new(FreeList::new());

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Whom a file's signals go to, or would if there were one; whoever gets the number of one that is gone hears nothing.
#[derive(Clone)]
pub enum Hears {
    Thread(Weak<Task>),
    Process(Weak<Process>),
    /// The process of a thread whose number was given for its own.
    ProcessOf(Weak<Task>),
    Group(Pid),
}

impl Default for Hears {
    fn default() -> Self {
        Hears::Thread(Weak::new())
    }
}

/// `F_SETOWN`, `F_SETSIG`.
#[doc(alias = "fown_struct")]
#[derive(Clone, Default)]
pub struct FileOwner {
    pub hears: Hears,
    pub signum: i32,
    pub uid: u32,
    pub euid: u32,
}

impl File {
    /// An open file without path or inode.
    #[doc(alias = "anon_inode_getfile")]
    pub fn anon(ops: Arc<dyn FileOperations>, flags: u32) -> FileRef {
        File::new(ops, flags, None, None)
    }

    /// An open file of a file system.
    pub fn of_path(ops: Arc<dyn FileOperations>, flags: u32, path: Path) -> FileRef {
        let inode = path.dentry.inode().clone();
        if Self::only_reads(flags) {
            inode.common().reader_came();
        }
        File::new(ops, flags, Some(path), Some(inode))
    }

    fn new(ops: Arc<dyn FileOperations>, flags: u32, path: Option<Path>, inode: Option<Arc<dyn Inode>>) -> FileRef {
        use acrida_uapi::fcntl::{O_CLOEXEC, O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC};
        let flags = flags & !(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
        let start = ops.start_pos();
        let position_elsewhere = ops.position_elsewhere().then_some(start);
        NR_FILES.fetch_add(1, Ordering::Relaxed);
        let file = File {
            ops,
            flags: AtomicU32::new(flags),
            pos: SpinLock::new(start),
            position_elsewhere,
            path,
            inode,
            owner: SpinLock::default(),
            epoll: Watchers::default(),
            claim: SpinLock::new(Claim::None),
            created: AtomicBool::new(false),
            used_locks: AtomicBool::new(false),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        };
        FileRef::new(file, &FREE_FILES)
    }

    /// The position, wherever it is kept; 0 for a stream.
    pub fn position(this: &FileRef) -> u64 {
        if this.ops.seekable() { this.ops.llseek(this, 0, Whence::Cur).unwrap_or(0) } else { 0 }
    }

    /// Moves the position, if there is one.
    pub fn set_position(this: &FileRef, pos: u64) {
        if this.ops.seekable() {
            // A position that was just used is a valid one.
            let _ = this.ops.llseek(this, pos.cast_signed(), Whence::Set);
        }
    }

    /// See [`FileOperations::area_opened`].
    pub fn area_opened(&self) {
        self.ops.area_opened(self);
    }

    /// See [`FileOperations::area_closed`].
    pub fn area_closed(&self) {
        self.ops.area_closed(self);
    }

    /// The file was made by the open that gave this.
    pub fn set_created(&self) {
        self.created.store(true, Ordering::Relaxed);
    }

    #[doc(alias = "FMODE_CREATED")]
    pub fn is_created(&self) -> bool {
        self.created.load(Ordering::Relaxed)
    }

    /// Counts the file among its inode's writers until it goes; `ETXTBSY` while a program runs from it.
    pub fn claim_writing(&self) -> Result<(), Errno> {
        let Some(inode) = &self.inode else { return Ok(()) };
        inode.common().get_write_access()?;
        self.keep_write_access();
        Ok(())
    }

    /// The same for a caller who counts among them already, and hands that over.
    pub fn keep_write_access(&self) {
        if let Some(path) = &self.path {
            path.mnt.writer_came();
        }
        self.change_claim(Claim::Writes);
    }

    /// Keeps writers away until the file goes or [`File::allow_writers`]; `ETXTBSY` while there are any.
    #[doc(alias = "exe_file_deny_write_access")]
    pub fn deny_writers(&self) -> Result<(), Errno> {
        let Some(inode) = &self.inode else { return Ok(()) };
        inode.common().deny_write_access()?;
        self.change_claim(Claim::DeniesWriters);
        Ok(())
    }

    /// Ends what [`File::deny_writers`] began.
    #[doc(alias = "exe_file_allow_write_access")]
    pub fn allow_writers(&self) {
        self.change_claim(Claim::None);
    }

    fn change_claim(&self, new: Claim) {
        let old = core::mem::replace(&mut *self.claim.lock(), new);
        let Some(inode) = &self.inode else { return };
        match old {
            Claim::None => {}
            Claim::DeniesWriters => inode.common().allow_write_access(),
            Claim::Writes => {
                inode.common().put_write_access();
                if let Some(path) = &self.path {
                    path.mnt.writer_gone();
                }
            }
        }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    #[inline]
    pub fn flags(&self) -> u32 {
        self.flags.load(Ordering::Relaxed)
    }

    /// Makes the flags of `mask` those of `flags`, if the file's kind agrees.
    pub fn change_flags(&self, mask: u32, flags: u32) -> Result<(), Error> {
        self.ops.set_flags(self, self.flags() & !mask | flags & mask)?;
        self.note_flags(mask, flags);
        Ok(())
    }

    /// Makes the flags of `mask` those of `flags`, on our side only.
    pub fn note_flags(&self, mask: u32, flags: u32) {
        // Never fails: there is a new value for each.
        let _ = self.flags.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some(old & !mask | flags & mask));
    }

    pub fn inode(&self) -> Option<&Arc<dyn Inode>> {
        self.inode.as_ref()
    }

    /// What hangs on the inode: of a file system, of a pipe or socket, or of all the files that are only a mechanism.
    pub fn inode_common(&self) -> &InodeCommon {
        match &self.inode {
            Some(inode) => inode.common(),
            None => self.ops.pseudo_inode().map_or(&kernel().anon_inode, |inode| inode.common()),
        }
    }

    pub fn nonblocking(&self) -> bool {
        self.flags() & acrida_uapi::fcntl::O_NONBLOCK != 0
    }

    #[doc(alias = "FMODE_READ")]
    pub fn readable(&self) -> bool {
        matches!(self.flags() & O_ACCMODE, O_RDONLY | O_RDWR) && !self.is_path()
    }

    #[doc(alias = "FMODE_WRITE")]
    pub fn writable(&self) -> bool {
        matches!(self.flags() & O_ACCMODE, O_WRONLY | O_RDWR) && !self.is_path()
    }

    #[doc(alias = "FMODE_PATH")]
    pub fn is_path(&self) -> bool {
        self.flags() & O_PATH != 0
    }

    /// Whether a file opened with `flags` counts among its inode's readers.
    fn only_reads(flags: u32) -> bool {
        flags & (O_ACCMODE | O_PATH) == O_RDONLY
    }

    /// The private data as `T`, for calls that want one kind of file.
    pub fn private<T: 'static>(&self) -> Option<&T> {
        let ops: &dyn Any = &*self.ops;
        ops.downcast_ref::<T>()
    }
}

impl Drop for File {
    /// The end of a file, in Linux's order: its watchers, epoll sets, locks, `release`, then inode and path.
    #[doc(alias = "__fput")]
    fn drop(&mut self) {
        fsnotify::close(self);
        eventpoll::ctl::release_file(self);
        if *self.used_locks.get_mut() {
            FileLocks::of(self).file_closed(self);
        }
        self.ops.release(self);
        if let Some(inode) = self.inode.as_ref().filter(|_| Self::only_reads(self.flags())) {
            inode.common().reader_gone();
        }
        self.change_claim(Claim::None);
        NR_FILES.fetch_sub(1, Ordering::Relaxed);
    }
}
