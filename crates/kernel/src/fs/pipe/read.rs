//! Reading from a pipe.
//!
//! Mirrors: fs/pipe.c (`pipe_read`), Linux 6.18.
//! Locking: the pipe's lock, over the copy to the guest; writers are woken after it.

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::siginfo::POLL_OUT;

use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::fs::pipe::{Pipe, State};
use crate::fs::read_write::Blocking;

impl State {
    /// Whether a read would not sleep.
    #[doc(alias = "pipe_readable")]
    pub fn readable(&self) -> bool {
        !self.ring.is_empty() || self.writers == 0
    }
}

impl Pipe {
    /// Reads what is there, sleeping only while there is nothing.
    #[doc(alias = "pipe_read")]
    pub fn read(&self, to: &mut IovIter<'_>, blocking: Blocking) -> SysResult {
        if to.count() == 0 {
            return Ok(0);
        }
        let mut woken = false;
        loop {
            let mut state = self.lock();
            let drained = state.ring.drain(to);
            // Who was woken exclusively hands on what it leaves.
            let leaves_bytes = woken && !state.ring.is_empty();
            let answer = match drained.bytes {
                0 if drained.faulted => Some(Err(Errno::EFAULT.into())),
                0 if state.writers == 0 => Some(Ok(0)),
                0 if blocking == Blocking::No => Some(Err(Errno::EAGAIN.into())),
                0 => None,
                bytes => Some(Ok(bytes)),
            };
            state.release();
            if drained.made_room && self.wr_wait.is_active() {
                self.wr_wait.wake_one(EPOLLOUT | EPOLLWRNORM);
            }
            if leaves_bytes && self.rd_wait.is_active() {
                self.rd_wait.wake_one(EPOLLIN | EPOLLRDNORM);
            }
            self.fasync_writers.kill(POLL_OUT);
            if let Some(answer) = answer {
                return answer;
            }
            self.wait_readable()?;
            woken = true;
        }
    }

    /// Sleeps until a read would find bytes or the end.
    pub fn wait_readable(&self) -> Result<(), Restart> {
        let options = WaitOptions::interruptible("pipe_read").exclusive();
        self.rd_wait.wait_event(options, || self.lock().readable().then_some(())).map_err(|_| Restart::ERESTARTSYS)
    }
}
