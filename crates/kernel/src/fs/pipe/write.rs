//! Writing to a pipe.
//!
//! Mirrors: fs/pipe.c (`pipe_write`), Linux 6.18.
//! Locking: the pipe's lock, over the copy from the guest; readers are woken after it.

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::siginfo::POLL_IN;
use acrida_uapi::signal::SIGPIPE;

use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::fs::pipe::ring::Joint;
use crate::fs::pipe::{Locked, Pipe, State};
use crate::fs::read_write::Blocking;
use crate::kernel::signal;

impl State {
    /// Whether a write would not sleep.
    #[doc(alias = "pipe_writable")]
    pub fn writable(&self) -> bool {
        !self.ring.is_full() || self.readers == 0
    }

    /// Fills free slots from `from`; why it stopped before the end of `from`, if it did.
    fn fill(&mut self, from: &mut IovIter<'_>, joint: Joint, done: &mut usize) -> Result<(), Errno> {
        while from.count() > 0 {
            if self.readers == 0 {
                return Err(Errno::EPIPE);
            }
            if self.ring.is_full() {
                return Err(Errno::EAGAIN);
            }
            *done += self.ring.append(from, joint)?;
        }
        Ok(())
    }
}

impl Pipe {
    /// Writes all of `from`, sleeping while the ring is full; at most `PIPE_BUF` bytes are never torn.
    #[doc(alias = "pipe_write")]
    pub fn write(&self, from: &mut IovIter<'_>, joint: Joint, blocking: Blocking) -> SysResult {
        if from.count() == 0 {
            return Ok(0);
        }
        let mut done = 0;
        let mut woken = false;
        let mut state = self.lock();
        let mut was_empty = state.ring.is_empty();
        // Only the start of a write may share the last page: a later part would come behind somebody else's bytes.
        let mut result = match state.readers {
            0 => Err(Errno::EPIPE),
            _ => state.ring.merge(from).map(|bytes| done = bytes),
        };
        if result.is_ok() {
            result = state.fill(from, joint, &mut done);
        }
        loop {
            let full = result == Err(Errno::EAGAIN);
            if !full || blocking == Blocking::No {
                break;
            }
            self.announce(state, was_empty, false);
            if let Err(restart) = self.wait_writable() {
                return if done > 0 { Ok(done) } else { Err(restart.into()) };
            }
            woken = true;
            state = self.lock();
            was_empty = state.ring.is_empty();
            result = state.fill(from, joint, &mut done);
        }
        self.announce(state, was_empty, woken);
        if result == Err(Errno::EPIPE) {
            signal::send_sig_self(SIGPIPE);
        }
        match result {
            Err(errno) if done == 0 => Err(Error::from(errno)),
            _ => Ok(done),
        }
    }

    /// Unlocks, and tells readers about the first bytes; `woken`: this writer hands the rest of the room on.
    fn announce(&self, state: Locked<'_>, was_empty: bool, woken: bool) {
        let leaves_room = woken && !state.ring.is_full();
        state.release();
        if (was_empty || self.is_polled()) && self.rd_wait.is_active() {
            self.rd_wait.wake_one(EPOLLIN | EPOLLRDNORM);
        }
        if leaves_room && self.wr_wait.is_active() {
            self.wr_wait.wake_one(EPOLLOUT | EPOLLWRNORM);
        }
        self.fasync_readers.kill(POLL_IN);
    }

    /// Sleeps until a write would find room, or nobody to read.
    pub fn wait_writable(&self) -> Result<(), Restart> {
        let options = WaitOptions::interruptible("pipe_write").exclusive();
        self.wr_wait.wait_event(options, || self.lock().writable().then_some(())).map_err(|_| Restart::ERESTARTSYS)
    }
}
