//! Who looks without the lock is told of every change that came between, under every order that a thousand seeds give.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::change_lock::ChangeLock;
use acrida_platform_sim::{preempt, run};

const SEEDS: u64 = 1000;

/// Two words that are equal but in the middle of a change.
#[derive(Default)]
struct Pair {
    lock: ChangeLock,
    words: [AtomicU32; 2],
}

impl Pair {
    fn set(&self, value: u32) {
        let mut held = self.lock.lock();
        preempt();
        let change = held.begin();
        for word in &self.words {
            word.store(value, Ordering::Relaxed);
            preempt();
        }
        drop(change);
        preempt();
    }

    /// The words, and whether they are of one moment.
    fn get(&self) -> ([u32; 2], bool) {
        let begun = self.lock.look();
        preempt();
        let words = self.words.each_ref().map(|word| {
            preempt();
            word.load(Ordering::Relaxed)
        });
        preempt();
        (words, !self.lock.changed_since(begun))
    }
}

#[test]
fn half_a_change_is_never_taken_for_a_whole() {
    let torn = Arc::new(AtomicU32::new(0));
    for seed in 0..SEEDS {
        let torn = torn.clone();
        run(seed, move |sim| {
            let pair = Arc::new(Pair::default());
            let writers = [1, 2].map(|value| {
                let pair = pair.clone();
                sim.spawn("writer", move |_| pair.set(value))
            });
            for _ in 0..4 {
                let (words, certain) = pair.get();
                assert!(words[0] == words[1] || !certain, "{words:?}");
                torn.fetch_add(u32::from(words[0] != words[1]), Ordering::Relaxed);
            }
            writers.into_iter().for_each(|writer| sim.join(writer));
            assert!(pair.get().1, "nothing changes any more");
        });
    }
    assert!(torn.load(Ordering::Relaxed) > 0, "no order in which a reader meets a change was tried");
}
