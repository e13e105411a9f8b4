//! A wake-up against a thread that is about to sleep.

use super::outcomes;
use super::primitive::{AtomicBool, Ordering};
use super::sync::SpinLock;
use super::wait::{WaitOptions, WaitQueueHead};

use loom::thread;
use std::sync::Arc;

/// A condition and the queue of those who wait for it.
struct Event {
    queue: WaitQueueHead,
    happened: AtomicBool,
}

impl Event {
    fn new() -> Arc<Self> {
        Arc::new(Self { queue: WaitQueueHead::new(), happened: AtomicBool::new(false) })
    }

    /// How many were told.
    fn happen(&self) -> usize {
        // No more than a store: the barrier is the queue's.
        self.happened.store(true, Ordering::Relaxed);
        self.queue.wake_up(super::sched::state::NORMAL, 1, 0)
    }

    fn wait(&self, options: WaitOptions) {
        self.queue.wait_event(options, || self.happened.load(Ordering::Relaxed).then_some(())).unwrap();
    }
}

#[test]
fn a_sleeper_is_woken_or_sees_the_event() {
    let seen = outcomes(|| {
        let event = Event::new();
        let sleeper = {
            let event = event.clone();
            thread::spawn(move || event.wait(WaitOptions::interruptible("test")))
        };
        let woken = event.happen();
        sleeper.join().unwrap();
        assert!(!event.queue.is_active(), "an entry is left on the queue");
        woken
    });
    assert_eq!(seen, [0, 1].into());
}

/// Two exclusive sleepers and two events: a wake-up that finds nobody any more must not be the other's.
#[test]
fn two_exclusive_sleepers_take_one_item_each() {
    let seen = outcomes(|| {
        let queue = Arc::new(WaitQueueHead::new());
        let items = Arc::new(SpinLock::new(0_u32));
        let sleepers = [(); 2].map(|()| {
            let (queue, items) = (queue.clone(), items.clone());
            thread::spawn(move || {
                let take = || {
                    let mut items = items.lock();
                    *items = items.checked_sub(1)?;
                    Some(())
                };
                queue.wait_event(WaitOptions::interruptible("test").exclusive(), take).unwrap();
            })
        });
        let mut woken = 0;
        for _ in 0..2 {
            *items.lock() += 1;
            woken += queue.wake_up(super::sched::state::NORMAL, 1, 0);
        }
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        woken
    });
    assert!(seen.contains(&0) && seen.contains(&2), "{seen:?}");
}
