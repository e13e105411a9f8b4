//! What a thread has put off until it holds no lock.
//!
//! Mirrors: kernel/task_work.c, Linux 6.18, with `delayed_fput` (fs/file_table.c).
//! Differs: the work is to drop an object. Every thread has a queue, so kernel threads need no list of their own: a guest thread
//! empties it on its way to user mode and at its exit, a kernel thread each time around its loop.
//! Locking: the queue's lock is a leaf; nothing is dropped under it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::sync::SpinLock;
use crate::thread::{current, work};

/// Objects that a thread will drop.
#[derive(Default)]
pub struct TaskWork(SpinLock<Vec<Box<dyn Send>>>);

impl TaskWork {
    pub(crate) const fn new() -> TaskWork {
        TaskWork(SpinLock::new(Vec::new()))
    }

    /// Drops what is queued, and what that queues, in order. The caller holds no lock.
    #[doc(alias = "task_work_run")]
    pub fn run(&self) {
        loop {
            let items = core::mem::take(&mut *self.0.lock());
            if items.is_empty() {
                return;
            }
            drop(items);
        }
    }
}

/// Lets the calling thread drop `item` when it holds no lock.
#[doc(alias = "task_work_add")]
pub fn drop_later(item: Box<dyn Send>) {
    let me = current();
    me.task_work.0.lock().push(item);
    me.set_work(work::TASK_WORK);
}
