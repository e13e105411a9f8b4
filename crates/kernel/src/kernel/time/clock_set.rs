//! Steps of the wall clock, and who is told of them.
//!
//! Mirrors: kernel/time/hrtimer.c (`clock_was_set`), timekeeping.c (`offs_real`), Linux 6.18.
//! Differs: the clock is the host's, which tells nobody here that it was set. While somebody listens, the distance between
//! wall clock and monotonic clock is measured once a second: it changes only by a step.
//! Locking: `state`, over the timer queue's; not held while listeners are told.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_uapi::time::{NSEC_PER_MSEC, NSEC_PER_SEC};

use super::queue::{Timer, TimerFunction, TimerQueue};

/// Between two looks, ns.
const LOOK: u64 = NSEC_PER_SEC as u64;
/// A smaller change of the distance is the error of its measurement.
const STEP: u64 = NSEC_PER_MSEC as u64;

/// Is told when the wall clock was set.
pub trait ClockSetListener: Send + Sync {
    fn clock_was_set(&self);
}

#[derive(Default)]
struct State {
    listeners: BTreeMap<u64, Weak<dyn ClockSetListener>>,
    next_id: u64,
    /// Wall clock minus monotonic clock at the last look.
    #[doc(alias = "offs_real")]
    offset: u64,
}

/// The listeners of one world.
pub struct ClockSet {
    me: Weak<ClockSet>,
    state: SpinLock<State>,
    timer: Timer,
}

/// Listens until dropped.
pub struct Listening {
    clock_set: Arc<ClockSet>,
    id: u64,
}

/// The distance, from the closest of a few pairs of readings.
fn offset_now() -> u64 {
    let measure = || {
        let before = platform().now(ClockId::Monotonic);
        let wall = platform().now(ClockId::Realtime);
        let after = platform().now(ClockId::Monotonic);
        (after - before, wall.wrapping_sub(before))
    };
    let readings: [_; 4] = core::array::from_fn(|_| measure());
    readings.into_iter().min().map_or(0, |(_, offset)| offset)
}

fn is_step(before: u64, now: u64) -> bool {
    before.abs_diff(now) > STEP
}

impl ClockSet {
    pub fn new(queue: &Arc<TimerQueue>) -> Arc<ClockSet> {
        Arc::new_cyclic(|me: &Weak<ClockSet>| ClockSet {
            me: me.clone(),
            state: SpinLock::default(),
            timer: Timer::new(queue, me.clone()),
        })
    }

    /// Tells `listener` of steps from now on.
    pub fn listen(&self, listener: Weak<dyn ClockSetListener>) -> Option<Listening> {
        let clock_set = self.me.upgrade()?;
        let mut state = self.state.lock();
        if state.listeners.is_empty() {
            state.offset = offset_now();
            self.look_again();
        }
        let id = state.next_id;
        state.next_id += 1;
        state.listeners.insert(id, listener);
        drop(state);
        Some(Listening { clock_set, id })
    }

    fn look_again(&self) {
        self.timer.arm(platform().now(ClockId::Monotonic) + LOOK);
    }

    /// Those to tell, if the clock was set since the last look.
    fn look(&self) -> Vec<Weak<dyn ClockSetListener>> {
        let mut state = self.state.lock();
        if state.listeners.is_empty() {
            return Vec::new();
        }
        self.look_again();
        let now = offset_now();
        let before = core::mem::replace(&mut state.offset, now);
        if is_step(before, now) { state.listeners.values().cloned().collect() } else { Vec::new() }
    }
}

impl TimerFunction for ClockSet {
    fn expired(&self, _now: u64) {
        for listener in self.look() {
            if let Some(listener) = listener.upgrade() {
                listener.clock_was_set();
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.clock_set.state.lock();
        state.listeners.remove(&self.id);
        if state.listeners.is_empty() {
            self.clock_set.timer.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_step_is_a_step() {
        let second = NSEC_PER_SEC as u64;
        assert!(!is_step(5 * second, 5 * second + 300_000));
        assert!(is_step(5 * second, 4 * second));
        assert!(is_step(5 * second, 5 * second + 2_000_000));
    }
}
