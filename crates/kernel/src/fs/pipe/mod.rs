//! Pipes: a bounded queue of bytes between processes.
//!
//! In Linux a pipe is a ring of `pipe_buffer`s, each a reference to a page, between a read end and a write end that are
//! counted; writers fill slots at `head`, readers empty them at `tail`. A small write goes to the free rest of the last
//! page, so that bytes do not cost pages; a write of at most `PIPE_BUF` bytes is never torn, because it either fits
//! there or takes one slot. Pages can also come from and go to elsewhere by reference (splice, tee, vmsplice).
//!
//! ```text
//!            tail                 head
//!   slots  |  .  | ab | cdefg | hi |  .  |  .  |      a read empties from `tail`, a write fills at `head`
//!                  |     |      |
//!                 page  page   page + free rest: the next small write
//! ```
//!
//! Readers sleep on `rd_wait` while the ring is empty, writers on `wr_wait` while it is full, both exclusively: a wake-up
//! is sent only when the ring stops being empty (or full), to one of them, who passes it on if there is more to do.
//!
//! - [`ring`]: the slots, without locks or sleep
//! - [`read`], [`write`]: the two loops
//! - [`end`]: an open end: poll, ioctl, fcntl, close
//! - [`locked`]: the lock, and what polls see without it
//! - [`fifo`]: opening ends, by `pipe` or by name
//! - [`size`]: how large pipes may become
//! - [`wait`]: for splice and its relatives
//!
//! Mirrors: fs/pipe.c, include/linux/pipe_fs_i.h, Linux 6.18.
//! Differs: sleepers look at the pipe under its lock, after they have joined the queue; so whoever changed it sees after its
//! unlocking whether anybody waits, and an undisturbed read or write takes this one lock and no fence.
//! Locking: `Pipe::state` (Linux's `pipe->mutex`) is held over the copy to or from the guest, and by splice over the other
//! file's read or write; wake-ups are sent after it. It is taken inside no other lock but another pipe's (splice, by address).

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use acrida_kcore::sync::{SetOnce, SpinLock};
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{O_CLOEXEC, O_DIRECT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY};
use acrida_uapi::stat::S_IFIFO;

use crate::abi::{Flags, SysResult};
use crate::current;
use crate::fs::anon_inodes::PseudoInode;
use crate::fs::fasync::FasyncQueue;
use crate::fs::fdtable::Reserved;
use crate::fs::file::{File, FileRef};
use crate::fs::super_block::anon_dev;

pub mod end;
pub mod fifo;
pub mod locked;
pub mod read;
pub mod ring;
pub mod size;
#[cfg(test)]
mod tests;
pub mod wait;
pub mod write;

pub use end::{Access, PipeEnd};
pub use fifo::fifo_open;
pub use locked::Locked;
use ring::Ring;

/// Slots of a new pipe.
pub const PIPE_DEF_BUFFERS: u32 = 16;

/// What the lock protects.
pub struct State {
    pub ring: Ring,
    readers: u32,
    writers: u32,
    /// Read ends ever opened; an opener of a write end sees by it that a reader came, even if it left again.
    r_counter: u32,
    w_counter: u32,
}

/// A pipe or an open FIFO.
#[doc(alias = "pipe_inode_info")]
pub struct Pipe {
    state: SpinLock<State>,
    /// A [`locked::Summary`] of it.
    summary: AtomicU64,
    rd_wait: Arc<WaitQueueHead>,
    wr_wait: Arc<WaitQueueHead>,
    fasync_readers: FasyncQueue,
    fasync_writers: FasyncQueue,
    /// Somebody polls: every write is announced, not only the first into an empty ring (edge-triggered epoll).
    poll_usage: AtomicBool,
    /// The inode of a pipe without a name; `None` for a FIFO.
    inode: Option<Arc<PseudoInode>>,
}

impl Pipe {
    #[doc(alias = "alloc_pipe_info")]
    fn new(inode: Option<Arc<PseudoInode>>) -> Arc<Pipe> {
        let state = State { ring: Ring::new(PIPE_DEF_BUFFERS), readers: 0, writers: 0, r_counter: 0, w_counter: 0 };
        Arc::new(Pipe {
            state: SpinLock::new(state),
            // Polls come with an end, whose counting leaves the first summary.
            summary: AtomicU64::new(0),
            rd_wait: Arc::default(),
            wr_wait: Arc::default(),
            fasync_readers: FasyncQueue::new(),
            fasync_writers: FasyncQueue::new(),
            poll_usage: AtomicBool::new(false),
            inode,
        })
    }

    #[doc(alias = "pipe_lock")]
    pub fn lock(&self) -> Locked<'_> {
        Locked::new(self)
    }

    fn is_polled(&self) -> bool {
        self.poll_usage.load(Ordering::Relaxed)
    }
}

/// The device number of the file system that pipes are said to be on.
fn pipefs_dev() -> u32 {
    static DEV: SetOnce<u32> = SetOnce::new();
    // Whoever comes first decides.
    let _ = DEV.get().is_none() && DEV.set(anon_dev()).is_ok();
    DEV.get().copied().unwrap_or(0)
}

/// Two open files on a new pipe: read end, write end.
#[doc(alias = "create_pipe_files")]
pub fn create(flags: u32) -> [FileRef; 2] {
    let pipe = Pipe::new(Some(PseudoInode::new(pipefs_dev(), S_IFIFO | 0o600)));
    let end = |access, flags| File::anon(Arc::new(PipeEnd::attach(&pipe, access)), flags);
    let reader = end(Access::Read, O_RDONLY | flags & O_NONBLOCK);
    [reader, end(Access::Write, O_WRONLY | flags & (O_NONBLOCK | O_DIRECT))]
}

#[doc(alias = "do_pipe2")]
pub fn sys_pipe2(fds: UserAddr, flags: Flags) -> SysResult {
    /// Pipes that deliver the kernel's notifications; a kernel without them answers so.
    const O_NOTIFICATION_PIPE: u32 = O_EXCL;

    if flags.0 & !(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if flags.0 & O_NOTIFICATION_PIPE != 0 {
        return Err(Errno::ENOPKG.into());
    }
    let files = current().files();
    let numbers = [files.reserve()?, files.reserve()?];
    fds.write(&numbers.each_ref().map(Reserved::fd))?;
    for (number, file) in numbers.into_iter().zip(create(flags.0)) {
        number.publish(file, flags.0 & O_CLOEXEC != 0);
    }
    Ok(0)
}

pub fn sys_pipe(fds: UserAddr) -> SysResult {
    sys_pipe2(fds, Flags(0))
}
