//! What splice, tee and vmsplice need of a pipe: waiting under its lock, and telling the other side.
//!
//! Mirrors: fs/pipe.c (`pipe_wait_readable`, `pipe_wait_writable`), fs/splice.c (`ipipe_prep`, `opipe_prep`), Linux 6.18.
//! Locking: gives the lock of one pipe or two, and waits without.

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::siginfo::{POLL_IN, POLL_OUT};
use acrida_uapi::signal::SIGPIPE;

use crate::fs::pipe::{Locked, Pipe, State};
use crate::fs::read_write::Blocking;
use crate::kernel::signal::send_sig_self;

impl State {
    pub fn has_readers(&self) -> bool {
        self.readers > 0
    }

    pub fn has_writers(&self) -> bool {
        self.writers > 0
    }
}

/// The reader's end is gone: the signal, and the errno that goes with it.
pub fn broken_pipe() -> Error {
    send_sig_self(SIGPIPE);
    Errno::EPIPE.into()
}

impl Pipe {
    /// The pipe with something to take in it, or without a writer.
    #[doc(alias = "ipipe_prep")]
    pub fn lock_readable(&self, blocking: Blocking) -> Result<Locked<'_>, Error> {
        loop {
            let state = self.lock();
            if state.readable() {
                return Ok(state);
            }
            drop(state);
            if blocking == Blocking::No {
                return Err(Errno::EAGAIN.into());
            }
            let options = WaitOptions::interruptible("pipe_wait_readable");
            self.rd_wait.wait_event(options, || self.lock().readable().then_some(())).map_err(|_| Restart::ERESTARTSYS)?;
        }
    }

    /// The pipe with a free slot.
    ///
    /// # Errors
    /// `EPIPE` (and the signal) without a reader.
    #[doc(alias = "opipe_prep")]
    #[doc(alias = "wait_for_space")]
    pub fn lock_writable(&self, blocking: Blocking) -> Result<Locked<'_>, Error> {
        loop {
            let state = self.lock();
            if !state.has_readers() {
                drop(state);
                return Err(broken_pipe());
            }
            if !state.ring.is_full() {
                return Ok(state);
            }
            drop(state);
            if blocking == Blocking::No {
                return Err(Errno::EAGAIN.into());
            }
            let options = WaitOptions::interruptible("pipe_wait_writable");
            self.wr_wait.wait_event(options, || self.lock().writable().then_some(())).map_err(|_| Restart::ERESTARTSYS)?;
        }
    }

    /// Both pipes of a transfer, locked in the order of their addresses.
    #[doc(alias = "pipe_double_lock")]
    pub fn lock_two<'a>(&'a self, other: &'a Pipe) -> (Locked<'a>, Locked<'a>) {
        if core::ptr::from_ref(self) < core::ptr::from_ref(other) {
            let first = self.lock();
            (first, other.lock())
        } else {
            let second = other.lock();
            (self.lock(), second)
        }
    }

    /// Bytes were put in.
    #[doc(alias = "wakeup_pipe_readers")]
    pub fn tell_readers(&self) {
        self.rd_wait.wake_one(EPOLLIN | EPOLLRDNORM);
        self.fasync_readers.kill(POLL_IN);
    }

    /// Slots were emptied.
    #[doc(alias = "wakeup_pipe_writers")]
    pub fn tell_writers(&self) {
        self.wr_wait.wake_one(EPOLLOUT | EPOLLWRNORM);
        self.fasync_writers.kill(POLL_OUT);
    }
}
