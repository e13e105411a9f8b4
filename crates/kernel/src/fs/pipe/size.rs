//! How large a pipe is and may become.
//!
//! Mirrors: fs/pipe.c (`pipe_set_size`, `round_pipe_size`), Linux 6.18.
//! Differs: pages are not counted per user, so only the limit per pipe holds an unprivileged user back.
//! Locking: the pipe's lock.

use acrida_kcore::frame::PAGE_SIZE;
use acrida_uapi::capability::CAP_SYS_RESOURCE;
use acrida_uapi::epoll::{EPOLLOUT, EPOLLWRNORM};
use acrida_uapi::errno::Errno;

use crate::fs::pipe::Pipe;
use crate::{current, kernel};

/// Slots that Linux can allocate in one piece, whoever asks: 4 MiB of 40-byte buffers.
const MOST_SLOTS: u32 = (4 << 20) / 40;

/// The size a request gets, in bytes: a power of two of at least a page; `None` beyond 2 GiB.
#[doc(alias = "round_pipe_size")]
fn round_size(bytes: u32) -> Option<u32> {
    let size = bytes.max(PAGE_SIZE as u32);
    (size <= 1 << 31).then(|| size.next_power_of_two())
}

impl Pipe {
    /// Bytes that fit if every page is filled.
    pub fn size(&self) -> usize {
        self.lock().ring.capacity() as usize * PAGE_SIZE
    }

    /// Changes the size to at least `bytes`; gives the new one.
    ///
    /// # Errors
    /// `EINVAL` over 2 GiB, `EPERM` over the limit of unprivileged users, `EBUSY` when more is queued, `ENOMEM`.
    #[doc(alias = "pipe_set_size")]
    pub fn set_size(&self, bytes: u32) -> Result<usize, Errno> {
        let size = round_size(bytes).ok_or(Errno::EINVAL)?;
        let slots = size / PAGE_SIZE as u32;
        // Bytes an unprivileged user may give a pipe.
        let most = kernel().sysctl.pipe_max_size.get();
        let mut state = self.lock();
        let grows = slots > state.ring.capacity();
        if grows && u64::from(size) > most && !current().cred().capable(CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
        if slots > MOST_SLOTS {
            return Err(Errno::ENOMEM);
        }
        state.ring.resize(slots)?;
        state.release();
        // There may be room now.
        if self.wr_wait.is_active() {
            self.wr_wait.wake_one(EPOLLOUT | EPOLLWRNORM);
        }
        Ok(size as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_two_from_a_page_on() {
        assert_eq!(round_size(0), Some(4096));
        assert_eq!(round_size(4097), Some(8192));
        assert_eq!(round_size(1 << 31), Some(1 << 31));
        assert_eq!(round_size((1 << 31) + 1), None);
    }
}
