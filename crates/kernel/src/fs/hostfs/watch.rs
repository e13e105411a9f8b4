//! Waiting for host descriptors: terminals, host pipes and sockets.
//!
//! Mirrors: nothing in Linux.
//! Differs: a thread of the kernel process sleeps in the host's `epoll_wait`, edge-triggered, and passes what happened to
//! the wait queue of the descriptor. Guests add descriptors themselves: the host's descriptor table is one for the world.
//! Locking: the table's lock is a leaf; queues are woken without it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use acrida_kcore::host::HostFd;
use acrida_kcore::platform::{SpawnKind, platform};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::{self, Thread};
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::errno::Errno;

use crate::host;
use crate::kernel::state::Kernel;

/// Events of one `epoll_wait`.
const BATCH: usize = 64;

/// Watched descriptors of a world.
pub struct HostWatch {
    epoll: HostFd,
    queues: SpinLock<BTreeMap<i32, Arc<WaitQueueHead>>>,
}

impl HostWatch {
    /// # Errors
    /// The host's, when it refuses an epoll set.
    pub fn new() -> Result<HostWatch, Errno> {
        Ok(HostWatch { epoll: host::io::epoll_create()?, queues: SpinLock::default() })
    }

    fn serve(&self) {
        loop {
            let mut events = [(0u32, 0u64); BATCH];
            let count = match host::io::epoll_wait(self.epoll, &mut events) {
                Ok(count) => count,
                Err(Errno::EINTR) => {
                    thread::current().clear_work(u32::MAX);
                    continue;
                }
                // The set is gone: the world ends.
                Err(_) => return,
            };
            for &(mask, fd) in &events[..count] {
                let queue = self.queues.lock().get(&(fd as i32)).cloned();
                if let Some(queue) = queue {
                    queue.wake_all(mask);
                }
            }
        }
    }
}

/// Starts the watcher; called once, in the kernel process.
pub fn start(kernel: &Arc<Kernel>) {
    let thread = Thread::new();
    let kernel = kernel.clone();
    thread.set_entry(Box::new(move || {
        kernel.host_watch.serve();
        platform().exit_thread();
    }));
    if let Err(errno) = platform().spawn(thread, SpawnKind::Kernel) {
        panic!("no thread for host descriptors: {errno}");
    }
}

/// The queue that is woken (key: event mask) when something happens on `fd`. Ask for the mask after this call.
pub fn watch(fd: HostFd) -> Arc<WaitQueueHead> {
    let watch = &crate::kernel().host_watch;
    let mut queues = watch.queues.lock();
    if let Some(queue) = queues.get(&fd.0) {
        return queue.clone();
    }
    let queue: Arc<WaitQueueHead> = Arc::default();
    // A descriptor that the host's epoll refuses (a regular file) is always ready: nobody will wait for it.
    if host::io::epoll_add(watch.epoll, fd).is_ok() {
        queues.insert(fd.0, queue.clone());
    }
    queue
}

/// The descriptor is about to be closed; its number may come back as something else.
pub fn forget(fd: HostFd) {
    if let Some(task) = crate::kernel::task::try_current() {
        let gone = task.kernel.host_watch.queues.lock().remove(&fd.0);
        drop(gone);
    }
}
