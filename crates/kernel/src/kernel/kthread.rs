//! Kernel threads: those of the kernel process, which have a kernel but no task.
//!
//! Mirrors: kernel/kthread.c, Linux 6.18.
//! Differs: a thread ends when its work does; nobody stops or parks it.
//! Locking: none.

use alloc::boxed::Box;
use alloc::sync::Arc;

use acrida_kcore::platform::{SpawnKind, platform};
use acrida_kcore::thread::{self, Thread};

use super::state::Kernel;

/// What stands where other threads have their task.
pub(super) struct Kthread {
    kernel: Arc<Kernel>,
}

impl Kthread {
    pub(super) fn new(kernel: &Arc<Kernel>) -> Arc<Kthread> {
        Arc::new(Kthread { kernel: kernel.clone() })
    }

    /// The calling kernel thread's kernel; `None` in the thread that makes one.
    #[cold]
    pub(super) fn kernel() -> Option<&'static Arc<Kernel>> {
        thread::current().ext::<Kthread>().map(|me| &me.kernel)
    }
}

/// Makes the calling thread, the kernel process's first, one of `kernel`'s.
pub fn become_kthread(kernel: &Arc<Kernel>) {
    thread::current().set_ext(Kthread::new(kernel));
}

/// Runs `work` in a thread of its own.
///
/// # Panics
/// When the host refuses a thread: a world cannot do without.
pub fn kthread_run(kernel: &Arc<Kernel>, name: &str, work: impl FnOnce(&Kernel) + Send + 'static) {
    let thread = Thread::new();
    let kernel = kernel.clone();
    thread.set_ext(Kthread::new(&kernel));
    thread.set_entry(Box::new(move || {
        work(&kernel);
        platform().exit_thread();
    }));
    if let Err(errno) = platform().spawn(thread, SpawnKind::Kernel) {
        panic!("no thread for {name}: {errno}");
    }
}
