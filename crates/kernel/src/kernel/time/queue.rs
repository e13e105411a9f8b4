//! The queue of timers, and the thread that serves it.
//!
//! Mirrors: kernel/time/hrtimer.c, lib/timerqueue.c, Linux 6.18.
//! Differs: one queue for the world, on the monotonic clock; functions run in a kernel thread, not in an interrupt, with no
//! lock held. A function arms its timer again itself, under its owner's lock, so that a concurrent change by the owner is
//! never overwritten.
//! Locking: the queue's lock is taken last; a node's key is under it.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};

use crate::Kernel;
use crate::kernel::kthread::kthread_run;

/// What happens when a timer's time has come.
pub trait TimerFunction: Send + Sync {
    /// Runs in the timer thread at `now` (monotonic ns). It may be late, and the owner may have changed the timer since:
    /// it compares with its own record.
    fn expired(&self, now: u64);
}

/// Deadline (monotonic ns) and a number that keeps equal deadlines in order.
type Key = (u64, u64);

struct Node {
    function: Weak<dyn TimerFunction>,
    /// Where it stands in the queue.
    key: SpinLock<Option<Key>>,
}

/// A timer; leaves the queue when dropped.
#[doc(alias = "hrtimer")]
pub struct Timer {
    queue: Arc<TimerQueue>,
    node: Arc<Node>,
}

impl Timer {
    /// An idle timer. The function is weak because it usually owns the timer.
    #[doc(alias = "hrtimer_init")]
    pub fn new(queue: &Arc<TimerQueue>, function: Weak<dyn TimerFunction>) -> Timer {
        Timer { queue: queue.clone(), node: Arc::new(Node { function, key: SpinLock::new(None) }) }
    }

    /// Sets (or moves) the expiry, in monotonic ns.
    #[doc(alias = "hrtimer_start")]
    pub fn arm(&self, deadline: u64) {
        self.queue.arm(&self.node, deadline);
    }

    /// Takes it off the queue. Its function may be running: that is for the owner's lock to settle.
    #[doc(alias = "hrtimer_try_to_cancel")]
    pub fn cancel(&self) {
        self.queue.cancel(&self.node);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[derive(Default)]
struct Armed {
    timers: BTreeMap<Key, Arc<Node>>,
    next_seq: u64,
}

/// All armed timers of the world.
#[derive(Default)]
pub struct TimerQueue {
    armed: SpinLock<Armed>,
    /// The timer thread sleeps here until the first deadline.
    wait: WaitQueueHead,
}

impl TimerQueue {
    fn arm(&self, node: &Arc<Node>, deadline: u64) {
        let first = {
            let mut armed = self.armed.lock();
            let key = (deadline, armed.next_seq);
            armed.next_seq += 1;
            let old = node.key.lock().replace(key);
            if let Some(old) = old {
                armed.timers.remove(&old);
            }
            armed.timers.insert(key, node.clone());
            armed.timers.first_key_value().is_some_and(|(first, _)| *first == key)
        };
        if first {
            self.wait.wake_all(0);
        }
    }

    fn cancel(&self, node: &Node) {
        let mut armed = self.armed.lock();
        let old = node.key.lock().take();
        let node = old.and_then(|old| armed.timers.remove(&old));
        drop(armed);
        // Outside the lock: it may be the last reference.
        drop(node);
    }

    fn first_deadline(&self) -> Option<u64> {
        self.armed.lock().timers.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes the first timer if its time has come.
    fn take_due(&self, now: u64) -> Option<Arc<Node>> {
        let mut armed = self.armed.lock();
        let entry = armed.timers.first_entry().filter(|entry| entry.key().0 <= now)?;
        let node = entry.remove();
        *node.key.lock() = None;
        Some(node)
    }

    /// Runs the functions of all timers that are due.
    #[doc(alias = "hrtimer_run_queues")]
    fn run_due(&self) {
        loop {
            let now = platform().now(ClockId::Monotonic);
            let Some(node) = self.take_due(now) else { return };
            if let Some(function) = node.function.upgrade() {
                function.expired(now);
            }
        }
    }

    /// The timer thread's whole life.
    fn serve(&self) -> ! {
        loop {
            self.run_due();
            thread::current().task_work.run();
            let planned = self.first_deadline();
            let earlier = || {
                let first = self.first_deadline();
                let sooner = first.is_some_and(|first| planned.is_none_or(|planned| first < planned));
                sooner.then_some(())
            };
            // Earlier work, or the deadline: both mean to look again.
            let _ = self.wait.wait_event(WaitOptions::uninterruptible("timers").until(planned), earlier);
        }
    }
}

/// Starts the thread that serves the kernel's timers; once, in the kernel process.
pub fn start_timer_thread(kernel: &Arc<Kernel>) {
    kthread_run(kernel, "timers", |kernel| {
        kernel.timers.serve();
    });
}
