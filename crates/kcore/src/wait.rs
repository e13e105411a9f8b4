//! Wait queues: who sleeps on what, and who is told when it happens.
//!
//! Mirrors: kernel/sched/wait.c, include/linux/wait.h, Linux 6.18.
//! Differs: queues that poll and epoll hang on are shared (`Arc<WaitQueueHead>`), and an entry there keeps its queue alive, so
//! that it can always be taken off. Everything else is Linux's: entries carry a wake function, which finds the structure
//! around its entry, and flags; non-exclusive ones stand at the head, exclusive ones at the tail, a wake-up passes a key.
//!
//! The protocol of every sleeper: *register, set the state, try, sleep, try again*. It is written once, in
//! [`WaitQueueHead::wait_event`]; nothing else in the kernel blocks a thread for an event. A [`Poller`] sleeps in the same
//! loop, registered on many queues.
//!
//! A sleeper that the host kills is brought back, to leave its queues by itself (see `Platform::revive`). One that is killed
//! between two sleeps stays on its queue: its record answers no wake-up, and its stack is kept.
//!
//! Locking: the queue's lock is a leaf for sleepers; wake functions run under it and may take locks of their own
//! (epoll's), so no queue lock is taken while such a lock is held.
//! Memory order: see `sched.rs`; the waker makes the condition true, then takes the queue lock.

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::compiler_fence;

use crate::platform::Parked;
use crate::primitive::{AtomicUsize, Ordering, fence};
use crate::sched::{schedule, set_current_state, state};
use crate::sync::{SpinLock, SpinLockGuard};
use crate::thread::{Thread, current};
use crate::wake_q::put_off;

mod hook;
mod poller;

pub use hook::{Hooked, WaitHook, unhook};
pub use poller::Poller;

/// What a wake-up says: which sleepers it wants and what happened.
#[derive(Clone, Copy, Debug)]
pub struct Wake {
    /// Task states that may be woken.
    pub mode: u32,
    /// Event mask (`EPOLLIN`...), or 0 when the waker does not say.
    pub key: u32,
}

/// What a wake function answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Not interested or already running: an exclusive wake-up goes on to the next.
    No,
    /// Woken: counts against the number of exclusive wake-ups.
    Yes,
}

/// Called under the queue's lock with an entry of it.
///
/// # Safety
/// The entry is linked, and lies where its owner, who chose the function, put it.
#[doc(alias = "wait_queue_func_t")]
type WakeFunction = unsafe fn(*mut Node, Wake) -> Woken;

/// How an entry stands in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Woken by every wake-up; stands at the head.
    Shared,
    /// Woken one at a time; stands at the tail.
    #[doc(alias = "WQ_FLAG_EXCLUSIVE")]
    Exclusive,
}

/// An entry. The structure around it is reached through the pointer that was linked.
#[doc(alias = "wait_queue_entry_t")]
struct Node {
    prev: *mut Node,
    next: *mut Node,
    func: WakeFunction,
    kind: EntryKind,
}

impl Node {
    /// One that is on no queue.
    const fn new(kind: EntryKind, func: WakeFunction) -> Node {
        Node { prev: ptr::null_mut(), next: ptr::null_mut(), func, kind }
    }
}

struct Queue {
    head: *mut Node,
    tail: *mut Node,
}

// SAFETY: nodes are reached only under the queue's lock, and stay valid until their owner has unlinked them under it.
unsafe impl Send for Queue {}

/// A queue of sleepers.
#[doc(alias = "wait_queue_head_t")]
pub struct WaitQueueHead {
    queue: SpinLock<Queue>,
    /// Entries now; lets a wake-up of an empty queue cost one load.
    len: AtomicUsize,
}

impl Default for WaitQueueHead {
    fn default() -> Self {
        WaitQueueHead::new()
    }
}

impl Queue {
    /// # Safety
    /// `node` is valid and on no queue.
    unsafe fn insert(&mut self, node: *mut Node) {
        // SAFETY: the caller says that the node is valid.
        let kind = unsafe { (*node).kind };
        let (prev, next) = match kind {
            EntryKind::Shared => (ptr::null_mut(), self.head),
            EntryKind::Exclusive => (self.tail, ptr::null_mut()),
        };
        // SAFETY: valid node; neighbours on the queue are valid.
        unsafe {
            (*node).prev = prev;
            (*node).next = next;
        }
        // This store puts it on the list: see `mend`.
        compiler_fence(Ordering::Release);
        match prev.is_null() {
            true => self.head = node,
            // SAFETY: a node on the queue is valid.
            false => unsafe { (*prev).next = node },
        }
        match next.is_null() {
            true => self.tail = node,
            // SAFETY: a node on the queue is valid.
            false => unsafe { (*next).prev = node },
        }
    }

    /// Makes whole what was left in the middle of a change: the list is what `next` says, which changes by one store. The number
    /// of entries.
    fn mend(&mut self) -> usize {
        let (mut prev, mut node, mut count) = (ptr::null_mut(), self.head, 0);
        while !node.is_null() {
            // SAFETY: on the queue under its lock.
            unsafe { (*node).prev = prev };
            prev = node;
            // SAFETY: as above.
            node = unsafe { (*node).next };
            count += 1;
        }
        self.tail = prev;
        count
    }

    /// Gives the pointer that was linked, which reaches the structure around the entry.
    ///
    /// # Safety
    /// `node` is on this queue.
    unsafe fn remove(&mut self, node: *const Node) -> *mut Node {
        // SAFETY: the node is on the queue, hence valid.
        let (prev, next) = unsafe { ((*node).prev, (*node).next) };
        let linked = match prev.is_null() {
            true => core::mem::replace(&mut self.head, next),
            // SAFETY: a neighbour on the queue is valid.
            false => unsafe { core::mem::replace(&mut (*prev).next, next) },
        };
        match next.is_null() {
            true => self.tail = prev,
            // SAFETY: a neighbour on the queue is valid.
            false => unsafe { (*next).prev = prev },
        }
        linked
    }
}

/// How a sleep ends without its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitError {
    Interrupted,
    TimedOut,
}

/// How to sleep.
#[derive(Clone, Copy, Debug)]
pub struct WaitOptions {
    /// `INTERRUPTIBLE` or `UNINTERRUPTIBLE`.
    pub state: u32,
    pub kind: EntryKind,
    /// Monotonic nanoseconds.
    pub deadline: Option<u64>,
    /// Shown as the wait channel.
    pub wchan: &'static str,
}

impl WaitOptions {
    /// An interruptible, non-exclusive sleep without end.
    pub const fn interruptible(wchan: &'static str) -> Self {
        WaitOptions { state: state::INTERRUPTIBLE, kind: EntryKind::Shared, deadline: None, wchan }
    }

    pub const fn uninterruptible(wchan: &'static str) -> Self {
        WaitOptions { state: state::UNINTERRUPTIBLE, kind: EntryKind::Shared, deadline: None, wchan }
    }

    #[must_use]
    pub const fn exclusive(mut self) -> Self {
        self.kind = EntryKind::Exclusive;
        self
    }

    #[must_use]
    pub const fn until(mut self, deadline: Option<u64>) -> Self {
        self.deadline = deadline;
        self
    }
}

/// A thread asleep on one queue.
#[repr(C)]
struct Sleeper {
    node: Node,
    thread: &'static Thread,
}

/// # Safety
/// The entry is a [`Sleeper`]'s.
#[doc(alias = "default_wake_function")]
unsafe fn wake_sleeper(node: *mut Node, wake: Wake) -> Woken {
    // SAFETY: the entry is the first field of its sleeper, which stays until it is unlinked.
    let thread = unsafe { (*node.cast::<Sleeper>()).thread };
    if thread.wake_up_state(wake.mode) { Woken::Yes } else { Woken::No }
}

/// The wait loop: sleeps until `condition` gives a value. The caller is on the queues that announce a change of it.
fn sleep_until<R>(options: WaitOptions, mut condition: impl FnMut() -> Option<R>) -> Result<R, WaitError> {
    let me = current();
    me.set_wchan(options.wchan);
    let result = loop {
        set_current_state(options.state);
        if let Some(value) = condition() {
            break Ok(value);
        }
        if options.state == state::INTERRUPTIBLE && me.signal_pending() {
            break Err(WaitError::Interrupted);
        }
        if schedule(options.deadline) == Parked::TimedOut {
            break condition().ok_or(WaitError::TimedOut);
        }
    };
    set_current_state(state::RUNNING);
    result
}

impl WaitQueueHead {
    pub fn new() -> Self {
        WaitQueueHead { queue: SpinLock::new(Queue { head: ptr::null_mut(), tail: ptr::null_mut() }), len: AtomicUsize::new(0) }
    }

    fn lock(&self) -> SpinLockGuard<'_, Queue> {
        self.queue.lock_or_repair(|queue| self.len.store(queue.mend(), Ordering::SeqCst))
    }

    /// Whether anybody waits; exact only under the caller's own lock.
    #[inline]
    #[doc(alias = "waitqueue_active")]
    pub fn is_active(&self) -> bool {
        self.len.load(Ordering::SeqCst) != 0
    }

    /// Wakes every non-exclusive entry and at most `nr_exclusive` exclusive ones (0: all).
    #[doc(alias = "__wake_up")]
    pub fn wake_up(&self, mode: u32, nr_exclusive: usize, key: u32) -> usize {
        // Pairs with the sleeper: it registers (SeqCst add) before it looks at the condition.
        fence(Ordering::SeqCst);
        if !self.is_active() {
            return 0;
        }
        let _put_off = put_off();
        let queue = self.lock();
        let mut woken = 0;
        let mut exclusive = 0;
        let mut node = queue.head;
        while !node.is_null() {
            // SAFETY: on the queue under its lock, hence valid; the wake function cannot unlink (it would need the lock).
            let (next, kind, func) = unsafe { ((*node).next, (*node).kind, (*node).func) };
            // SAFETY: linked, with the function that its owner chose.
            if unsafe { func(node, Wake { mode, key }) } == Woken::Yes {
                woken += 1;
                if kind == EntryKind::Exclusive {
                    exclusive += 1;
                    if exclusive == nr_exclusive {
                        break;
                    }
                }
            }
            node = next;
        }
        woken
    }

    /// One exclusive sleeper and all others, interruptible or not.
    #[doc(alias = "wake_up_poll")]
    #[inline]
    pub fn wake_one(&self, key: u32) {
        self.wake_up(state::NORMAL, 1, key);
    }

    /// Everybody.
    #[doc(alias = "wake_up_all")]
    #[inline]
    pub fn wake_all(&self, key: u32) {
        self.wake_up(state::NORMAL, 0, key);
    }

    /// Sleeps until `condition` gives a value.
    ///
    /// # Errors
    /// [`WaitError::Interrupted`] when a signal ends an interruptible sleep, [`WaitError::TimedOut`] after the deadline.
    #[doc(alias = "wait_event_interruptible")]
    pub fn wait_event<R>(&self, options: WaitOptions, mut condition: impl FnMut() -> Option<R>) -> Result<R, WaitError> {
        if let Some(value) = condition() {
            return Ok(value);
        }
        // The kernel stack lies in the arena: the entry can be seen by wakers in every process.
        let me = current();
        let sleeper = UnsafeCell::new(Sleeper { node: Node::new(options.kind, wake_sleeper), thread: me });
        let node = sleeper.get().cast::<Node>();
        me.count_queued(1);
        // SAFETY: a fresh node, unlinked below on every way out (panics abort).
        unsafe { self.link(node) };
        let result = sleep_until(options, condition);
        // SAFETY: linked above, still linked.
        unsafe { self.unlink(node) };
        me.count_queued(-1);
        // An exclusive sleeper that was woken but leaves for another reason hands its wake-up on.
        if result.is_err() && options.kind == EntryKind::Exclusive {
            self.wake_one(0);
        }
        result
    }

    /// # Safety
    /// `node` is valid until unlinked and on no queue.
    unsafe fn link(&self, node: *mut Node) {
        let mut queue = self.lock();
        // SAFETY: as the caller says.
        unsafe { queue.insert(node) };
        // With a barrier: what the caller looks at next may not be read before a waker can see the entry.
        self.len.fetch_add(1, Ordering::SeqCst);
    }

    /// Gives the pointer that was linked.
    ///
    /// # Safety
    /// `node` is on this queue.
    unsafe fn unlink(&self, node: *const Node) -> *mut Node {
        let mut queue = self.lock();
        // SAFETY: as the caller says.
        let linked = unsafe { queue.remove(node) };
        // Only under the lock is it written; who reads a number too large takes the lock and finds nobody.
        self.len.store(self.len.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        linked
    }
}
