//! The run state of a thread: sleeping, waking, and what is said about it.
//!
//! Mirrors: kernel/sched/core.c (`try_to_wake_up`, `set_current_state`), kernel/time/sleep_timeout.c, Linux 6.18.
//! Differs: who runs is the host's choice; a thread that has to wait is parked by the platform.
//! Locking: none; a thread sets its own state, and any thread may set one that sleeps to `RUNNING`.
//! Memory order: a sleeper stores its state with SeqCst before it looks at the condition again, a waker reads it with
//! SeqCst after it made the condition true: the pair of Linux's `set_current_state` and `smp_mb`.

use crate::platform::{Parked, platform};
use crate::primitive::Ordering;
use crate::thread::{Thread, current, work};

/// What a task is doing, as in `task_struct.__state`.
pub mod state {
    pub const RUNNING: u32 = 0;
    pub const INTERRUPTIBLE: u32 = 1;
    pub const UNINTERRUPTIBLE: u32 = 2;
    pub const STOPPED: u32 = 4;
    /// Another task runs on its host thread. Nobody wakes it: who has something urgent interrupts the host thread.
    pub const LENT: u32 = 8;
    /// Asleep in a call of the host; only a signal ends it.
    pub const IN_HOST: u32 = 16;
    pub const DEAD: u32 = 0x80;
    /// Both kinds of ordinary sleep.
    pub const NORMAL: u32 = INTERRUPTIBLE | UNINTERRUPTIBLE;
}

impl Thread {
    /// Makes the thread runnable if its state is in `mask`; `true` when it was.
    #[doc(alias = "try_to_wake_up")]
    pub fn wake_up_state(&self, mask: u32) -> bool {
        let old = self.state.load(Ordering::SeqCst);
        if old & mask == 0 {
            return false;
        }
        if self.state.compare_exchange(old, state::RUNNING, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return false;
        }
        platform().unpark(self);
        true
    }
}

/// Sleeps until the state is RUNNING again, a signal ends an interruptible sleep, or the deadline passes.
///
/// The one place in the kernel that blocks a thread for an event. The caller has set its state first, and holds no lock: a
/// sleeper that the host kills goes on later, while whoever waits for a lock of a killed thread takes it (docs/design/0013).
///
/// # Panics
/// When the caller holds a lock; only builds with debug assertions count them.
#[doc(alias = "schedule_timeout")]
#[doc(alias = "might_sleep")]
pub fn schedule(deadline: Option<u64>) -> Parked {
    let me = current();
    #[cfg(debug_assertions)]
    assert!(me.locks_held.load(Ordering::Relaxed) == 0, "a thread that holds a lock sleeps in {}", me.wchan());
    loop {
        match me.state.load(Ordering::SeqCst) {
            state::RUNNING => return Parked::Woken,
            state::INTERRUPTIBLE if me.signal_pending() => {
                me.state.store(state::RUNNING, Ordering::SeqCst);
                return Parked::Woken;
            }
            // Still stopped, but the host's signal may be the one that continues: the caller looks.
            state::STOPPED if me.has_work(work::HOST_SIGNAL) => return Parked::Woken,
            _ => {}
        }
        if platform().park(me, deadline) == Parked::TimedOut {
            let woken = me.state.swap(state::RUNNING, Ordering::SeqCst) == state::RUNNING;
            return if woken { Parked::Woken } else { Parked::TimedOut };
        }
    }
}

/// Sets the caller's state with the barrier that pairs with a waker's look at it.
pub fn set_current_state(new: u32) {
    current().state.store(new, Ordering::SeqCst);
}
