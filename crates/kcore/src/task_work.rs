//! What a thread has put off until it holds no lock.
//!
//! Mirrors: kernel/task_work.c, Linux 6.18, with `delayed_fput` (fs/file_table.c).
//! Differs: every thread has a queue, so kernel threads need no list of their own: a guest thread empties it on its way to user mode
//! and at its exit, a kernel thread each time around its loop. Work is done in the order in which it came.
//! Locking: none. A thread puts off for itself only; another one empties the queue once the thread has ended.
//! Memory order: AcqRel on the head, so that whoever does the work sees what it is about.

use core::ptr::null_mut;

use crate::primitive::{AtomicPtr, Ordering};
use crate::thread::{current, work};

/// A piece of work; it lies in what it is about.
#[doc(alias = "callback_head")]
#[derive(Debug)]
pub(crate) struct Work {
    /// The next on the list it is on: here, or a list of its owner's while it is on none.
    pub next: AtomicPtr<Work>,
    /// Does it.
    run: unsafe fn(*mut Work),
}

impl Work {
    /// # Safety
    /// `run` may be called with the work's address once after each [`add`].
    pub unsafe fn new(run: unsafe fn(*mut Work)) -> Work {
        Work { next: AtomicPtr::new(null_mut()), run }
    }
}

/// Work of one thread, the newest first.
#[derive(Debug)]
pub struct TaskWork(AtomicPtr<Work>);

impl Default for TaskWork {
    fn default() -> Self {
        TaskWork(AtomicPtr::new(null_mut()))
    }
}

impl TaskWork {
    /// Does what is queued, and what that queues, in order. The caller holds no lock.
    #[doc(alias = "task_work_run")]
    pub fn run(&self) {
        while !self.0.load(Ordering::Relaxed).is_null() {
            let mut at = oldest_first(self.0.swap(null_mut(), Ordering::AcqRel));
            while !at.is_null() {
                // SAFETY: work on the list lives until it is run.
                let work = unsafe { &*at };
                let next = work.next.load(Ordering::Relaxed);
                // SAFETY: it was added, and is off the list: this is the one call.
                unsafe { (work.run)(at) };
                at = next;
            }
        }
    }
}

/// Turns a list round.
fn oldest_first(mut at: *mut Work) -> *mut Work {
    let mut turned = null_mut();
    while !at.is_null() {
        // SAFETY: work on the list lives until it is run.
        let next = unsafe { &(*at).next };
        let rest = next.load(Ordering::Relaxed);
        next.store(turned, Ordering::Relaxed);
        turned = at;
        at = rest;
    }
    turned
}

/// Lets the calling thread do `item` when it holds no lock.
///
/// # Safety
/// It is on no list, nobody else adds it, and it lives until it is run.
#[doc(alias = "task_work_add")]
pub(crate) unsafe fn add(item: *mut Work) {
    let me = current();
    let queue = &me.task_work.0;
    let mut newest = queue.load(Ordering::Relaxed);
    loop {
        // SAFETY: passed on to the caller.
        unsafe { (*item).next.store(newest, Ordering::Relaxed) };
        match queue.compare_exchange(newest, item, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => break,
            Err(seen) => newest = seen,
        }
    }
    me.set_work(work::TASK_WORK);
}
