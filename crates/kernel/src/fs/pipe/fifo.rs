//! Opening the ends of pipes: the two of `pipe`, and those of a FIFO, where reader and writer wait for each other.
//!
//! Mirrors: fs/pipe.c (`fifo_open`), Linux 6.18.
//! Differs: an inode refers to its open pipe weakly; the last end frees it.
//! Locking: `InodeCommon::pipe` (a leaf), then apart from it the pipe's lock.

use alloc::sync::Arc;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::O_NONBLOCK;

use crate::fs::file::FileOperations;
use crate::fs::inode::InodeCommon;
use crate::fs::pipe::end::{Access, PipeEnd};
use crate::fs::pipe::{Pipe, State};
use crate::fs::read_write::Blocking;

impl State {
    /// Counts one end more.
    fn count(&mut self, access: Access) {
        self.readers += u32::from(access.reads());
        self.writers += u32::from(access.writes());
        self.r_counter = self.r_counter.wrapping_add(u32::from(access.reads()));
        self.w_counter = self.w_counter.wrapping_add(u32::from(access.writes()));
    }

    /// Openers of the other kind so far.
    fn partners(&self, access: Access) -> u32 {
        if access.reads() { self.w_counter } else { self.r_counter }
    }
}

impl PipeEnd {
    /// One end more of a pipe, without waiting for anybody.
    pub fn attach(pipe: &Arc<Pipe>, access: Access) -> PipeEnd {
        pipe.lock().count(access);
        PipeEnd::counted(pipe.clone(), access)
    }
}

impl Pipe {
    /// Opens an end as a FIFO's opener does: alone it waits for the other side, unless it must not.
    ///
    /// # Errors
    /// `ENXIO` for a writer that must not wait and has no reader, `ERESTARTSYS` when a signal ends the wait.
    pub(super) fn open_fifo(self: &Arc<Pipe>, access: Access, blocking: Blocking) -> Result<PipeEnd, Error> {
        let mut state = self.lock();
        if access == Access::Write && blocking == Blocking::No && state.readers == 0 {
            return Err(Errno::ENXIO.into());
        }
        state.count(access);
        let alone = match access {
            Access::Read => state.writers == 0,
            Access::Write => state.readers == 0,
            Access::Both => false,
        };
        let partners = state.partners(access);
        let first = access.reads() && state.readers == 1 || access.writes() && state.writers == 1;
        drop(state);
        // From here on the drop of `end` takes the count back.
        let end = PipeEnd::counted(self.clone(), access);
        if first {
            self.rd_wait.wake_all(0);
        }
        match (alone, blocking) {
            (false, _) => {}
            (true, Blocking::No) => end.expect_writer_after(partners),
            (true, Blocking::Yes) => self.wait_for_partner(access, partners)?,
        }
        Ok(end)
    }

    /// Sleeps until somebody opens the other side, even if it closes it again at once.
    fn wait_for_partner(&self, access: Access, seen: u32) -> Result<(), Restart> {
        let came = || (self.lock().partners(access) != seen).then_some(());
        self.rd_wait.wait_event(WaitOptions::interruptible("wait_for_partner"), came).map_err(|_| Restart::ERESTARTSYS)
    }
}

/// The open pipe of a FIFO's inode, a new one if there is none.
fn pipe_of(inode: &InodeCommon) -> Arc<Pipe> {
    let mut slot = inode.pipe.lock();
    slot.upgrade().unwrap_or_else(|| {
        let pipe = Pipe::new(None);
        *slot = Arc::downgrade(&pipe);
        pipe
    })
}

/// Opens the FIFO behind `inode`; `flags` are those of `open`.
///
/// # Errors
/// `EINVAL` for access mode 3, and those of waiting: `ENXIO`, `ERESTARTSYS`.
pub fn fifo_open(inode: &InodeCommon, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    let access = Access::of_flags(flags).ok_or(Errno::EINVAL)?;
    let blocking = if flags & O_NONBLOCK != 0 { Blocking::No } else { Blocking::Yes };
    Ok(Arc::new(pipe_of(inode).open_fifo(access, blocking)?))
}
