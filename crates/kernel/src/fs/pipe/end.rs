//! One open end of a pipe.
//!
//! Mirrors: fs/pipe.c (`pipefifo_fops`), Linux 6.18.
//! Differs: the end is counted from its making to its drop, whether or not a file ever held it.
//! Locking: the pipe's lock.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{F_GETPIPE_SZ, F_SETPIPE_SZ, O_ACCMODE, O_DIRECT, O_RDONLY, O_RDWR};
use acrida_uapi::ioctl::FIONREAD;
use acrida_uapi::siginfo::{POLL_IN, POLL_OUT};

use crate::abi::SysResult;
use crate::fs::anon_inodes::{PseudoInode, Reopen};
use crate::fs::fasync::{self, FasyncQueues};
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::iov_iter::IovIter;
use crate::fs::pipe::Pipe;
use crate::fs::pipe::ring::Joint;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;

/// What an end is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Both,
}

impl Access {
    /// From the access mode of open flags; `None` for the fourth mode, which opens nothing.
    pub fn of_flags(flags: u32) -> Option<Access> {
        match flags & O_ACCMODE {
            O_ACCMODE => None,
            O_RDONLY => Some(Access::Read),
            O_RDWR => Some(Access::Both),
            _ => Some(Access::Write),
        }
    }

    pub fn reads(self) -> bool {
        self != Access::Write
    }

    pub fn writes(self) -> bool {
        self != Access::Read
    }
}

/// The private data of a file that is an end of a pipe.
pub struct PipeEnd {
    pipe: Arc<Pipe>,
    access: Access,
    /// The pipe's `w_counter` when a reader opened a FIFO without a writer: no hang-up before one came and went.
    #[doc(alias = "f_pipe")]
    unseen_writers: AtomicU32,
}

impl PipeEnd {
    /// An end that is already counted in `pipe`.
    pub(super) fn counted(pipe: Arc<Pipe>, access: Access) -> PipeEnd {
        PipeEnd { pipe, access, unseen_writers: AtomicU32::new(0) }
    }

    /// Keeps the end from reporting a hang-up until a writer comes after the first `w_counter` ones.
    pub(super) fn expect_writer_after(&self, w_counter: u32) {
        self.unseen_writers.store(w_counter, Ordering::Relaxed);
    }

    pub fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    /// Bytes queued, for an `int` of the program.
    fn queued_bytes(&self) -> i32 {
        self.pipe.lock().ring.bytes() as i32
    }
}

impl Drop for PipeEnd {
    #[doc(alias = "pipe_release")]
    fn drop(&mut self) {
        self.pipe.close(self.access);
    }
}

impl FileOperations for PipeEnd {
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        self.pipe.read(to, Blocking::of(file, to))
    }

    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let joint = if file.flags() & O_DIRECT != 0 { Joint::Packet } else { Joint::Open };
        self.pipe.write(from, joint, Blocking::of(file, from))
    }

    fn can_nowait(&self) -> bool {
        true
    }

    #[doc(alias = "pipe_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        self.pipe.poll_usage.store(true, Ordering::Relaxed);
        if self.access.reads() {
            table.poll_wait(&self.pipe.rd_wait);
        }
        if self.access.writes() {
            table.poll_wait(&self.pipe.wr_wait);
        }
        let pipe = self.pipe.summary();
        let mut events = 0;
        if self.access.reads() {
            if !pipe.is_empty() {
                events |= EPOLLIN | EPOLLRDNORM;
            }
            if !pipe.has_writers() && self.unseen_writers.load(Ordering::Relaxed) != pipe.w_counter() {
                events |= EPOLLHUP;
            }
        }
        if self.access.writes() {
            if !pipe.is_full() {
                events |= EPOLLOUT | EPOLLWRNORM;
            }
            // Most Unix systems do not say EPOLLERR here; Linux does.
            if !pipe.has_readers() {
                events |= EPOLLERR;
            }
        }
        Some(events)
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "pipe_ioctl")]
    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        match cmd {
            FIONREAD => UserAddr(arg).write(&self.queued_bytes()).map(|()| 0).map_err(Error::from),
            _ => Err(Errno::ENOTTY.into()),
        }
    }

    #[doc(alias = "pipe_fcntl")]
    fn fcntl(&self, _file: &FileRef, cmd: u32, arg: u64) -> Option<SysResult> {
        match cmd {
            F_GETPIPE_SZ => Some(Ok(self.pipe.size())),
            F_SETPIPE_SZ => Some(self.pipe.set_size(arg as u32).map_err(Error::from)),
            _ => None,
        }
    }

    #[doc(alias = "pipe_fasync")]
    fn fasync(&self, _file: &File) -> FasyncQueues<'_> {
        let readers = self.access.reads().then_some(&self.pipe.fasync_readers);
        let writers = self.access.writes().then_some(&self.pipe.fasync_writers);
        [readers, writers]
    }

    fn release(&self, file: &File) {
        fasync::release(file);
    }

    fn pseudo_inode(&self) -> Option<&Arc<PseudoInode>> {
        self.pipe.inode.as_ref()
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        self.pipe.inode.as_ref().map(|inode| format!("pipe:[{}]", inode.common().ino))
    }

    fn reopens(&self) -> Option<Arc<dyn Reopen>> {
        Some(self.pipe.clone())
    }
}

impl Reopen for Pipe {
    /// Opening /proc/PID/fd/N of a pipe gives another end of it.
    fn reopen(self: Arc<Self>, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let access = Access::of_flags(flags).ok_or(Errno::EINVAL)?;
        Ok(Arc::new(PipeEnd::attach(&self, access)))
    }
}

impl Pipe {
    /// One end less. The side that lost its last end tells the other.
    fn close(&self, access: Access) {
        let mut state = self.lock();
        state.readers -= u32::from(access.reads());
        state.writers -= u32::from(access.writes());
        let half_closed = (state.readers == 0) != (state.writers == 0);
        state.release();
        if half_closed && self.rd_wait.is_active() {
            self.rd_wait.wake_all(EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP);
        }
        if half_closed && self.wr_wait.is_active() {
            self.wr_wait.wake_all(EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP);
        }
        if half_closed {
            self.fasync_readers.kill(POLL_IN);
            self.fasync_writers.kill(POLL_OUT);
        }
    }
}
