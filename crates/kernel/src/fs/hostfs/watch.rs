//! Waiting for host descriptors: terminals, host pipes and sockets.
//!
//! Mirrors: nothing in Linux.
//! Differs: a kernel thread watches the descriptors with the host's epoll and wakes the queues; until it exists a
//! watched queue is never woken and sleepers must use a deadline.

use alloc::sync::Arc;

use acrida_kcore::host::HostFd;
use acrida_kcore::wait::WaitQueueHead;

/// The queue that is woken (key: event mask) when something happens on `fd`.
pub fn watch(fd: HostFd) -> Arc<WaitQueueHead> {
    let _ = fd;
    Arc::new(WaitQueueHead::new())
}
