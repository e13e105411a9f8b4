//! Waiting for host descriptors: terminals, host pipes and sockets.
//!
//! Mirrors: nothing in Linux.
//! Differs: a thread of the kernel process waits for them and passes what happened to the wait queue of the descriptor. A
//! guest's thread only leaves a note and rings a bell (a pipe): the host's descriptor table is one for the world. The
//! thread uses the host's epoll, edge-triggered; where the host refuses that, its poll, which knows states only: then a
//! descriptor that stays ready wakes its queue again every [`REPEAT_MS`].
//! Locking: `queues` and `fresh` are leaves; queues are woken without them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLRDHUP};
use acrida_uapi::errno::Errno;
use acrida_uapi::poll::Pollfd;

use crate::host;
use crate::kernel::kthread::kthread_run;
use crate::kernel::state::Kernel;

/// Events of one `epoll_wait`.
const BATCH: usize = 64;
/// How long a descriptor that was found ready by the host's poll is left alone.
const REPEAT_MS: i32 = 20;
/// Every event there is, for the host's poll.
const ALL_EVENTS: u16 = 0x27c7;

/// Watched descriptors of a world.
pub struct HostWatch {
    /// The host's epoll set, unless it refused one.
    epoll: Option<HostFd>,
    /// Rung when there is a note in `fresh`: the end that is read, the end that is written.
    bell: [HostFd; 2],
    queues: SpinLock<BTreeMap<i32, Arc<WaitQueueHead>>>,
    /// Descriptors that are not in the host's set yet.
    fresh: SpinLock<Vec<HostFd>>,
}

impl HostWatch {
    /// # Errors
    /// The host's, when it refuses a pipe.
    pub fn new() -> Result<HostWatch, Errno> {
        let bell = host::io::pipe()?;
        let epoll = host::io::epoll_create().ok().filter(|&set| host::io::epoll_add(set, bell[0]).is_ok());
        Ok(HostWatch { epoll, bell, queues: SpinLock::default(), fresh: SpinLock::default() })
    }

    /// Serves until the world ends.
    fn serve(&self) {
        let result = match self.epoll {
            Some(set) => self.serve_edges(set),
            None => Err(Errno::ENOSYS),
        };
        // The set works no more, or there never was one.
        if result.is_err() {
            self.serve_states();
        }
    }

    fn serve_edges(&self, set: HostFd) -> Result<(), Errno> {
        loop {
            for fd in core::mem::take(&mut *self.fresh.lock()) {
                // A descriptor that the host's epoll refuses (a regular file) is always ready: nobody waits for it.
                let _ = host::io::epoll_add(set, fd);
            }
            let mut events = [(0u32, 0u64); BATCH];
            let count = match host::io::epoll_wait(set, &mut events) {
                Err(Errno::EINTR) => {
                    thread::current().clear_work(u32::MAX);
                    continue;
                }
                other => other?,
            };
            for &(mask, fd) in &events[..count] {
                self.happened(fd as i32, mask);
            }
            thread::current().task_work.run();
        }
    }

    fn serve_states(&self) {
        // Descriptors that were ready a moment ago.
        let mut resting: Vec<i32> = Vec::new();
        loop {
            let bell = self.bell[0].0;
            let watched = self.queues.lock();
            let awake = watched.keys().copied().filter(|fd| !resting.contains(fd));
            let mut fds: Vec<Pollfd> = awake.chain([bell]).map(|fd| Pollfd { fd, events: ALL_EVENTS, revents: 0 }).collect();
            drop(watched);
            let patience = if resting.is_empty() { -1 } else { REPEAT_MS };
            match host::io::poll(&mut fds, patience) {
                Ok(0) => resting.clear(),
                Ok(_) => {}
                Err(Errno::EINTR) => {
                    thread::current().clear_work(u32::MAX);
                    continue;
                }
                // The world ends.
                Err(_) => return,
            }
            for ready in fds.iter().filter(|entry| entry.revents != 0) {
                self.happened(ready.fd, ready.revents.into());
                if ready.fd != bell {
                    resting.push(ready.fd);
                }
            }
            thread::current().task_work.run();
        }
    }

    /// Something happened on `fd`: tells its queue, or empties the bell.
    fn happened(&self, fd: i32, mask: u32) {
        if fd == self.bell[0].0 {
            let mut bytes = [0; 64];
            while host::io::read_now(self.bell[0], &mut bytes) == Ok(bytes.len()) {}
            return;
        }
        let Some(queue) = self.queues.lock().get(&fd).cloned() else { return };
        if mask & (EPOLLERR | EPOLLHUP | EPOLLRDHUP) != 0 {
            queue.wake_all(mask);
        } else {
            queue.wake_one(mask);
        }
    }
}

/// Starts the watcher; called once, in the kernel process.
pub fn start(kernel: &Arc<Kernel>) {
    kthread_run(kernel, "host descriptors", |kernel| kernel.host_watch.serve());
}

/// The queue that is woken (key: event mask) when something happens on `fd`. Ask for the mask after this call: what is
/// true when the watcher takes the descriptor up wakes the queue too.
pub fn watch(fd: HostFd) -> Arc<WaitQueueHead> {
    watch_on(fd, Arc::default)
}

/// As [`watch`], on a queue that there is already; the first caller decides.
pub fn watch_on(fd: HostFd, queue: impl FnOnce() -> Arc<WaitQueueHead>) -> Arc<WaitQueueHead> {
    let watch = &crate::kernel().host_watch;
    let mut queues = watch.queues.lock();
    if let Some(queue) = queues.get(&fd.0) {
        return queue.clone();
    }
    let queue = queue();
    queues.insert(fd.0, queue.clone());
    drop(queues);
    watch.fresh.lock().push(fd);
    // Full means rung.
    let _ = host::write(watch.bell[1], &[1]);
    queue
}

/// The descriptor is about to be closed; its number may come back as something else.
pub fn forget(fd: HostFd) {
    let watch = &crate::kernel().host_watch;
    let gone = watch.queues.lock().remove(&fd.0);
    if gone.is_some() {
        watch.fresh.lock().retain(|fresh| fresh.0 != fd.0);
    }
}
