//! How a file is asked whether it is ready, and how the asker registers for more.
//!
//! Mirrors: include/linux/poll.h (`poll_table`, `poll_wait`), Linux 6.18.
//! Differs: a table without a registrar asks only for the mask.

use alloc::sync::Arc;

use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};

/// Events of a file without poll.
pub const DEFAULT_POLLMASK: u32 = EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;

/// Takes the wait queues a file names.
pub trait PollQueue {
    /// Registers on `queue`; the wake-up's key is an event mask.
    #[doc(alias = "poll_queue_proc")]
    fn queue(&mut self, queue: &Arc<WaitQueueHead>);
}

/// Handed to `FileOperations::poll`.
pub struct PollTable<'a> {
    /// Events the asker wants; files may use it to register on fewer queues.
    pub key: u32,
    registrar: Option<&'a mut dyn PollQueue>,
}

impl<'a> PollTable<'a> {
    /// Asks for the mask only.
    pub fn none(key: u32) -> Self {
        PollTable { key, registrar: None }
    }

    pub fn new(key: u32, registrar: &'a mut dyn PollQueue) -> Self {
        PollTable { key, registrar: Some(registrar) }
    }

    /// Whether the asker wants to wait; spares files with expensive queues the trouble.
    pub fn wants_queues(&self) -> bool {
        self.registrar.is_some()
    }

    /// Registers on `queue` if the asker wants to wait.
    pub fn poll_wait(&mut self, queue: &Arc<WaitQueueHead>) {
        if let Some(registrar) = &mut self.registrar {
            registrar.queue(queue);
        }
    }
}
