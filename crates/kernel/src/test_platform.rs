//! What the unit tests have in place of a platform: a thread record each, so that locks can be taken.
//!
//! Mirrors: nothing in Linux.
//! Differs: there is no task; what needs one is tested on a whole kernel.

extern crate std;

use acrida_kcore::thread::Thread;
use core::sync::atomic::{AtomicU32, Ordering};

std::thread_local! {
    static THREAD: &'static Thread = {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let thread = Thread::new();
        // Locks name their owner by it.
        thread.host_tid.store(NEXT.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        thread
    };
}

#[unsafe(no_mangle)]
fn acrida_current_thread() -> &'static Thread {
    THREAD.with(|thread| *thread)
}
