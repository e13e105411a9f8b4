//! Waiting for host descriptors: terminals, host pipes and sockets.
//!
//! Mirrors: nothing in Linux.
//! Differs: a thread of the kernel process waits for them and passes what happened to the wait queue of the descriptor. It uses
//! the host's epoll, edge-triggered. A guest's thread adds a descriptor to that set itself, since the host's descriptor
//! table is one for the world, and takes out what the host has to say at once (that it is ready already): so what a queue is told
//! later is news. Where the host refuses its epoll the thread uses its poll, which knows states only: then a guest's thread
//! rings a bell (a pipe), and a descriptor that stays ready wakes its queue again every [`REPEAT_MS`].
//! Locking: `passing_on` over additions and wake-ups by edges; `queues` is a leaf; queues are woken without it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_kcore::thread;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLRDHUP};
use acrida_uapi::errno::Errno;
use acrida_uapi::poll::Pollfd;

use crate::host;
use crate::kernel::kthread::kthread_run;
use crate::kernel::state::Kernel;
use crate::kernel::task::try_kernel;

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
    /// Without a set, rung when there is a new descriptor: the end that is read, the end that is written.
    bell: [HostFd; 2],
    queues: SpinLock<BTreeMap<i32, Arc<WaitQueueHead>>>,
    /// Nobody else takes events out of the set and has not told the queues yet.
    passing_on: SpinLock<()>,
}

impl HostWatch {
    /// # Errors
    /// The host's, when it refuses a pipe.
    pub fn new() -> Result<HostWatch, Errno> {
        let bell = host::io::pipe()?;
        let works =
            |&set: &HostFd| host::io::epoll_add(set, bell[0]).is_ok() && host::io::epoll_now(set, &mut [(0, 0); BATCH]).is_ok();
        let epoll = host::io::epoll_create().ok().filter(works);
        Ok(HostWatch { epoll, bell, queues: SpinLock::default(), passing_on: SpinLock::default() })
    }

    /// Serves until the world ends.
    fn serve(&self) {
        match self.epoll {
            // An error means that the world ends.
            Some(set) => drop(self.serve_edges(set)),
            None => self.serve_states(),
        }
    }

    fn serve_edges(&self, set: HostFd) -> Result<(), Errno> {
        loop {
            // Only looked at: events are taken out under the lock.
            let mut ready = [Pollfd { fd: set.0, events: ALL_EVENTS, revents: 0 }];
            match host::io::poll(&mut ready, -1) {
                Err(Errno::EINTR) => thread::current().clear_work(u32::MAX),
                other => drop(other?),
            }
            let passing_on = self.passing_on.lock();
            self.pass_on(set, &passing_on)?;
            drop(passing_on);
            thread::current().task_work.run();
        }
    }

    /// Tells the queues what the host's set has to say now.
    fn pass_on(&self, set: HostFd, _passing_on: &SpinLockGuard<'_, ()>) -> Result<(), Errno> {
        loop {
            let mut events = [(0u32, 0u64); BATCH];
            let count = host::io::epoll_now(set, &mut events)?;
            for &(mask, fd) in &events[..count] {
                self.happened(fd as i32, mask);
            }
            if count < BATCH {
                return Ok(());
            }
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

    fn queue(&self, fd: HostFd) -> Option<Arc<WaitQueueHead>> {
        self.queues.lock().get(&fd.0).cloned()
    }

    fn watch(&self, fd: HostFd, queue: impl FnOnce() -> Arc<WaitQueueHead>) -> Arc<WaitQueueHead> {
        if let Some(queue) = self.queue(fd) {
            return queue;
        }
        let passing_on = self.passing_on.lock();
        if let Some(queue) = self.queue(fd) {
            return queue;
        }
        if let Some(set) = self.epoll {
            // A descriptor that the host refuses (a regular file) is always ready: nobody waits for it.
            let _ = host::io::epoll_add(set, fd);
            // The host's first word, about what is true already, finds no queue.
            let _ = self.pass_on(set, &passing_on);
        }
        let queue = queue();
        self.queues.lock().insert(fd.0, queue.clone());
        if self.epoll.is_none() {
            // Full means rung.
            let _ = host::write(self.bell[1], &[1]);
        }
        queue
    }

    /// Something happened on `fd`: tells its queue, or empties the bell.
    fn happened(&self, fd: i32, mask: u32) {
        if fd == self.bell[0].0 {
            let mut bytes = [0; 64];
            while host::io::read_now(self.bell[0], &mut bytes) == Ok(bytes.len()) {}
            return;
        }
        let Some(queue) = self.queue(HostFd(fd)) else { return };
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

/// The queue that is woken (key: event mask) when something happens on `fd` from now on. Ask for the mask after this call.
pub fn watch(fd: HostFd) -> Arc<WaitQueueHead> {
    watch_on(fd, Arc::default)
}

/// As [`watch`], on a queue that there is already; the first caller decides.
pub fn watch_on(fd: HostFd, queue: impl FnOnce() -> Arc<WaitQueueHead>) -> Arc<WaitQueueHead> {
    crate::kernel().host_watch.watch(fd, queue)
}

/// The descriptor is about to be closed; its number may come back as something else.
pub fn forget(fd: HostFd) {
    // Files that a kernel gives up while it is being made were never watched.
    let Some(kernel) = try_kernel() else { return };
    let gone = kernel.host_watch.queues.lock().remove(&fd.0);
    drop(gone);
}
