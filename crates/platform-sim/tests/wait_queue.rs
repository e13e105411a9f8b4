//! Wait queues under every order of events that a thousand seeds give, in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::work;
use acrida_kcore::wait::{WaitError, WaitOptions, WaitQueueHead};
use acrida_platform_sim::{Sim, preempt, run};

const SEEDS: u64 = 1000;

/// A counter that can be waited for: the smallest thing with a wait queue.
#[derive(Default)]
struct Tokens {
    free: AtomicU32,
    queue: WaitQueueHead,
}

impl Tokens {
    fn put(&self, n: u32) {
        for _ in 0..n {
            self.free.fetch_add(1, Ordering::SeqCst);
            self.queue.wake_one(0);
        }
    }

    /// Others may come before and after the look: that is where wake-ups get lost.
    fn try_take(&self) -> Option<()> {
        preempt();
        let taken = self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| free.checked_sub(1));
        preempt();
        taken.ok().map(|_| ())
    }

    fn take(&self, options: WaitOptions) -> Result<(), WaitError> {
        self.queue.wait_event(options, || self.try_take())
    }
}

const WAIT: WaitOptions = WaitOptions::interruptible("tokens");

#[test]
fn no_wake_up_is_lost() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let tokens = Arc::new(Tokens::default());
            let takers: Vec<_> = (0..3)
                .map(|n| {
                    let tokens = tokens.clone();
                    sim.spawn(&format!("taker {n}"), move |_| {
                        for _ in 0..4 {
                            assert_eq!(tokens.take(WAIT.exclusive()), Ok(()));
                        }
                    })
                })
                .collect();
            tokens.put(12);
            takers.into_iter().for_each(|taker| sim.join(taker));
            assert_eq!(tokens.free.load(Ordering::SeqCst), 0);
            assert!(!tokens.queue.is_active());
        });
    }
}

#[test]
fn an_interrupted_exclusive_sleeper_hands_its_wake_up_on() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let tokens = Arc::new(Tokens::default());
            let interrupted = {
                let tokens = tokens.clone();
                sim.spawn("interrupted", move |sim| {
                    let outcome = tokens.take(WAIT.exclusive());
                    sim.thread().clear_work(work::SIGPENDING);
                    // Whoever got the token although it was interrupted gives it back.
                    if outcome == Ok(()) {
                        tokens.put(1);
                    }
                })
            };
            let other = {
                let tokens = tokens.clone();
                sim.spawn("other", move |_| assert_eq!(tokens.take(WAIT.exclusive()), Ok(())))
            };
            let waker = {
                let tokens = tokens.clone();
                sim.spawn("waker", move |_| tokens.put(1))
            };
            // A signal for whoever is first on the queue, at the same time as the token.
            preempt();
            sim.interrupt(&interrupted);
            for thread in [interrupted, other, waker] {
                sim.join(thread);
            }
        });
    }
}

#[test]
fn a_deadline_ends_the_sleep_at_its_time() {
    run(7, |sim| {
        let tokens = Tokens::default();
        let start = sim.now();
        let outcome = tokens.take(WAIT.until(Some(start + 5_000)));
        assert_eq!((outcome, sim.now() - start), (Err(WaitError::TimedOut), 5_000));
    });
}

#[test]
fn non_exclusive_sleepers_are_all_woken_and_one_exclusive_one() {
    for seed in 0..SEEDS {
        let log = run(seed, |sim| {
            let (gate, queue) = (Arc::new(AtomicU32::new(0)), Arc::new(WaitQueueHead::new()));
            let sleeper = |sim: &Sim, name: &str, options: WaitOptions| {
                let (gate, queue) = (gate.clone(), queue.clone());
                sim.spawn(name, move |sim| {
                    // The condition is not asked whose turn it is: what counts is who was woken.
                    let mut looks = 0;
                    let woken = queue.wait_event(options, || {
                        preempt();
                        looks += 1;
                        (looks > 2 || gate.load(Ordering::SeqCst) == 2).then_some(())
                    });
                    assert_eq!(woken, Ok(()));
                    sim.note("awake");
                })
            };
            let sleepers = [
                sleeper(sim, "shared 1", WAIT),
                sleeper(sim, "shared 2", WAIT),
                sleeper(sim, "exclusive 1", WAIT.exclusive()),
                sleeper(sim, "exclusive 2", WAIT.exclusive()),
            ];
            // Everybody sleeps once the clock has to jump.
            sim.sleep(1);
            queue.wake_one(0);
            sim.sleep(1);
            sim.note("---");
            gate.store(2, Ordering::SeqCst);
            queue.wake_all(0);
            sleepers.into_iter().for_each(|sleeper| sim.join(sleeper));
        });
        let first: Vec<_> = log.iter().take_while(|line| *line != "main: ---").collect();
        assert_eq!(first.iter().filter(|line| line.starts_with("shared")).count(), 2, "seed {seed}: {log:?}");
        assert_eq!(first.iter().filter(|line| line.starts_with("exclusive")).count(), 1, "seed {seed}: {log:?}");
    }
}

#[test]
fn a_lock_keeps_others_out() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let count = Arc::new(SpinLock::new(0));
            let threads: Vec<_> = (0..3)
                .map(|n| {
                    let count = count.clone();
                    sim.spawn(&format!("adder {n}"), move |_| {
                        for _ in 0..3 {
                            let mut guard = count.lock();
                            let seen = *guard;
                            preempt();
                            *guard = seen + 1;
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| sim.join(thread));
            assert_eq!(*count.lock(), 9);
        });
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let story = |seed| {
        run(seed, |sim| {
            let tokens = Arc::new(Tokens::default());
            let takers: Vec<_> = (0..3)
                .map(|n| {
                    let tokens = tokens.clone();
                    sim.spawn(&format!("taker {n}"), move |sim| {
                        for _ in 0..3 {
                            tokens.take(WAIT.exclusive()).expect("nobody interrupts");
                            sim.note("took one");
                        }
                    })
                })
                .collect();
            tokens.put(9);
            takers.into_iter().for_each(|taker| sim.join(taker));
        })
    };
    let logs: Vec<_> = (0..20).map(story).collect();
    assert_eq!(logs, (0..20).map(story).collect::<Vec<_>>());
    assert!(logs.iter().any(|log| *log != logs[0]), "twenty seeds give more than one order");
}

#[test]
#[should_panic(expected = "deadlock: main Parked { deadline: None } in \"tokens\"")]
fn a_deadlock_is_told() {
    run(1, |_| {
        let _ = Tokens::default().take(WAIT);
    });
}

#[test]
#[should_panic(expected = "seed 3: other: broken")]
fn a_panic_is_told_with_its_seed() {
    run(3, |sim| {
        let other = sim.spawn("other", |_| panic!("broken"));
        sim.join(other);
    });
}
