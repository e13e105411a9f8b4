//! Waiting for host descriptors: terminals, host pipes and sockets.
//!
//! Mirrors: nothing in Linux.
//! Differs: a thread of the kernel process waits for them and passes what happened to the wait queue of the descriptor. It uses
//! the host's epoll, edge-triggered. A guest's thread adds a descriptor to that set itself, since the host's descriptor
//! table is one for the world, and takes out what the host has to say at once (that it is ready already): so what a queue is told
//! later is news.
//!
//! Where the host refuses its epoll the thread uses its poll, which knows states only, and makes edges of them: it asks for
//! the events that were *not* there when somebody last looked. A guest's thread that finds an event gone (it polled, or a
//! transfer stopped short of what was asked) says so, and rings a bell (a pipe) for the thread to ask for it again. What is
//! lost against Linux: bytes that arrive behind others which nobody has read yet are no news.
//! Locking: `passing_on` over additions and wake-ups by edges; `watched` is a leaf; queues are woken without it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::host::HostFd;
use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_kcore::thread;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLRDHUP};
use acrida_uapi::errno::Errno;
use acrida_uapi::poll::*;

use crate::host;
use crate::host::io::Direction;
use crate::kernel::kthread::kthread_run;
use crate::kernel::state::Kernel;
use crate::kernel::task::try_kernel;

/// Events of one `epoll_wait`.
const BATCH: usize = 64;
/// How often a descriptor is looked at that the host's poll cannot wait for, because it has an error or was hung up.
const REPEAT_MS: i32 = 20;
/// Every event that can be asked for, of the host's poll too.
const ALL_EVENTS: u16 = 0x27c7;
/// What poll tells unasked.
const UNASKED: u16 = POLLERR | POLLHUP | POLLNVAL;
/// What a reader waits for, and a writer.
const TO_READ: u16 = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND;
const TO_WRITE: u16 = POLLOUT | POLLWRNORM | POLLWRBAND;

/// A watched descriptor.
struct Watched {
    queue: Arc<WaitQueueHead>,
    /// Without a set: the events that were there when somebody last looked.
    known: u16,
}

/// Watched descriptors of a world.
pub struct HostWatch {
    /// The host's epoll set, unless it refused one.
    epoll: Option<HostFd>,
    /// Without a set, rung when there is a new descriptor: the end that is read, the end that is written.
    bell: [HostFd; 2],
    watched: SpinLock<BTreeMap<i32, Watched>>,
    /// Odd while the host's poll holds what was watched when it began; changed to odd under `watched`.
    rounds: AtomicU64,
    /// Those who close a descriptor that it may hold.
    closers: WaitQueueHead,
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
        Ok(HostWatch {
            epoll,
            bell,
            watched: SpinLock::default(),
            rounds: AtomicU64::new(0),
            closers: WaitQueueHead::new(),
            passing_on: SpinLock::default(),
        })
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
        loop {
            let mut fds = self.questions();
            // Those that poll cannot wait for are negative, which it skips.
            let patience = if fds.iter().any(|entry| entry.fd < 0) { REPEAT_MS } else { -1 };
            let polled = host::io::poll(&mut fds, patience);
            self.rounds.fetch_add(1, Ordering::SeqCst);
            self.closers.wake_all(0);
            match polled {
                Ok(_) => {}
                Err(Errno::EINTR) => {
                    thread::current().clear_work(u32::MAX);
                    continue;
                }
                // The world ends.
                Err(_) => return,
            }
            if fds.first().is_some_and(|bell| bell.revents != 0) {
                self.empty_bell();
            }
            for entry in &fds[1..] {
                let fd = HostFd(if entry.fd < 0 { !entry.fd } else { entry.fd });
                let now = if entry.fd < 0 { host::io::poll_now(fd, ALL_EVENTS) } else { entry.revents };
                let news = self.learn(fd, if entry.fd < 0 { ALL_EVENTS | UNASKED } else { 0 }, now);
                if news != 0 {
                    self.happened(fd.0, news.into());
                }
            }
            thread::current().task_work.run();
        }
    }

    /// What to ask the host's poll, which begins: the bell first.
    fn questions(&self) -> Vec<Pollfd> {
        let watched = self.watched.lock();
        self.rounds.fetch_add(1, Ordering::SeqCst);
        let ask = |(&fd, watched): (&i32, &Watched)| {
            let deaf = watched.known & UNASKED != 0;
            Pollfd { fd: if deaf { !fd } else { fd }, events: ALL_EVENTS & !watched.known, revents: 0 }
        };
        let bell = Pollfd { fd: self.bell[0].0, events: POLLIN, revents: 0 };
        core::iter::once(bell).chain(watched.iter().map(ask)).collect()
    }

    /// Of `asked`, only what is in `now` is there, and that besides; what of it is news.
    fn learn(&self, fd: HostFd, asked: u16, now: u16) -> u16 {
        let mut all = self.watched.lock();
        let Some(watched) = all.get_mut(&fd.0) else { return 0 };
        let before = watched.known;
        watched.known = before & !asked | now;
        now & !before
    }

    /// A guest's thread found the events in `gone` gone: the next of them are news.
    #[cold]
    fn forget_events(&self, fd: HostFd, gone: u16) {
        let mut all = self.watched.lock();
        let Some(watched) = all.get_mut(&fd.0).filter(|watched| watched.known & gone != 0) else { return };
        watched.known &= !gone;
        drop(all);
        self.ring_bell();
    }

    /// A descriptor that the host's poll waits for is not closed before that ends: it is made to, so that the other end hears
    /// of it at once.
    fn forget(&self, fd: HostFd) {
        let mut watched = self.watched.lock();
        let gone = watched.remove(&fd.0);
        let round = self.rounds.load(Ordering::SeqCst);
        drop(watched);
        if gone.is_some() && round % 2 == 1 {
            self.ring_bell();
            let over = || (self.rounds.load(Ordering::SeqCst) != round).then_some(());
            // Nothing interrupts it.
            let _ = self.closers.wait_event(WaitOptions::uninterruptible("host_watch_forget"), over);
        }
    }

    fn ring_bell(&self) {
        // Full means rung.
        let _ = host::write(self.bell[1], &[1]);
    }

    fn empty_bell(&self) {
        let mut bytes = [0; 64];
        while host::io::read_now(self.bell[0], &mut bytes) == Ok(bytes.len()) {}
    }

    fn queue(&self, fd: HostFd) -> Option<Arc<WaitQueueHead>> {
        self.watched.lock().get(&fd.0).map(|watched| watched.queue.clone())
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
        let known = if self.epoll.is_some() { 0 } else { host::io::poll_now(fd, ALL_EVENTS) };
        self.watched.lock().insert(fd.0, Watched { queue: queue.clone(), known });
        if self.epoll.is_none() {
            self.ring_bell();
        }
        queue
    }

    /// Something happened on `fd`: tells its queue.
    fn happened(&self, fd: i32, mask: u32) {
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

/// The events among `events` that hold now on a descriptor that may be watched.
pub fn poll_now(fd: HostFd, events: u16) -> u16 {
    let now = host::io::poll_now(fd, events);
    let watch = &crate::kernel().host_watch;
    if watch.epoll.is_none() {
        watch.forget_events(fd, (events | UNASKED) & !now);
    }
    now
}

/// A guest's thread asked for `asked` bytes (a connection counts as one) and this is what it got.
pub fn transferred(fd: HostFd, direction: Direction, asked: usize, result: Result<usize, Errno>) {
    let watch = &crate::kernel().host_watch;
    if watch.epoll.is_some() {
        return;
    }
    // What ends a stream stays there to be read.
    let drained = match result {
        Ok(done) => (1..asked).contains(&done),
        Err(errno) => errno == Errno::EAGAIN,
    };
    if drained {
        watch.forget_events(fd, if matches!(direction, Direction::Read) { TO_READ } else { TO_WRITE });
    }
}

/// The descriptor is about to be closed; its number may come back as something else.
pub fn forget(fd: HostFd) {
    // Files that a kernel gives up while it is being made were never watched.
    let Some(kernel) = try_kernel() else { return };
    kernel.host_watch.forget(fd);
}
