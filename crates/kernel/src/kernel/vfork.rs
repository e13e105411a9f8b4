//! The end of a `vfork` parent's wait.
//!
//! Mirrors: kernel/fork.c (`wait_for_vfork_done`, `complete_vfork_done`), Linux 6.18.
//! Differs: a parent waits only for a child with a host process; see lend.rs for the others.
//! Locking: none but the queue's.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use acrida_kcore::thread::work;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};

use crate::current;

/// What a vfork parent waits for: its child has left the memory or lives without it.
#[derive(Default)]
#[doc(alias = "vfork_done")]
pub struct VforkDone {
    done: AtomicBool,
    queue: WaitQueueHead,
}

impl VforkDone {
    pub fn new() -> Arc<VforkDone> {
        Arc::default()
    }

    /// Lets the parent go on.
    #[doc(alias = "complete_vfork_done")]
    pub fn complete(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.queue.wake_all(0);
    }

    #[doc(alias = "wait_for_vfork_done")]
    pub fn wait(&self) {
        // Killable only; ordinary signals wait for the child.
        let options = WaitOptions::uninterruptible("do_vfork");
        let killed = || current().thread.has_work(work::EXIT);
        let _ = self.queue.wait_event(options, || (self.done.load(Ordering::SeqCst) || killed()).then_some(()));
    }
}
