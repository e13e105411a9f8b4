//! epoll under every order of events that a thousand seeds give: threads of the simulated machine that wake, wait, add,
//! change, close and poll, with the places between the steps of a scan as places where the others may come.
//!
//! The three orders that matter most, each with its own test: a callback against a scan, a close against a callback, an
//! addition against an event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::thread::current;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_kernel::fs::eventpoll::ctl::{Operation, control};
use acrida_kernel::fs::eventpoll::file::{as_set, new_set};
use acrida_kernel::fs::eventpoll::{Epolls, Eventpoll, UserWatches};
use acrida_kernel::fs::file::{File, FileOperations, FileRef};
use acrida_kernel::fs::poll::PollTable;
use acrida_platform_sim::{Sim, preempt, run};
use acrida_uapi::epoll::*;
use acrida_uapi::errno::Errno;

const SEEDS: u64 = 1000;

/// A counter as eventfd has it; others may come around every look at it.
#[derive(Default)]
struct Counter {
    count: AtomicU32,
    queue: Arc<WaitQueueHead>,
}

struct CounterFile(Arc<Counter>);

impl FileOperations for CounterFile {
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        preempt();
        table.poll_wait(&self.0.queue);
        preempt();
        let ready = self.0.count.load(Ordering::SeqCst) > 0;
        preempt();
        Some(if ready { EPOLLIN } else { 0 })
    }

    fn can_poll(&self) -> bool {
        true
    }
}

impl Counter {
    fn file(self: &Arc<Counter>) -> FileRef {
        File::anon(Arc::new(CounterFile(self.clone())), 0)
    }

    fn put(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        preempt();
        self.queue.wake_one(EPOLLIN);
    }

    fn take(&self) -> u32 {
        self.count.swap(0, Ordering::SeqCst)
    }
}

/// A set with the numbers its files are known by.
struct Set {
    epolls: Epolls,
    file: FileRef,
}

impl Set {
    fn new() -> Arc<Set> {
        Arc::new(Set { epolls: Epolls::default(), file: new_set(Arc::new(UserWatches::default())) })
    }

    fn set(&self) -> &Arc<Eventpoll> {
        as_set(&self.file).expect("a set")
    }

    fn control(&self, file: &FileRef, fd: i32, operation: Operation) -> Result<(), Errno> {
        control(&self.epolls, u64::MAX, &self.file, (file, fd), operation)
    }

    fn add(&self, file: &FileRef, fd: i32, mode: u32) {
        let event = EpollEvent { events: EPOLLIN | mode, data: fd as u64 };
        assert_eq!(self.control(file, fd, Operation::Add(event)), Ok(()));
    }

    /// Numbers of what is ready, at most `max`.
    fn look(&self, max: usize) -> Vec<u64> {
        let mut told = Vec::new();
        let put = |_, event: &EpollEvent| {
            preempt();
            told.push(event.data);
            true
        };
        self.set().send_events(max, put).expect("kernel memory is good");
        told
    }

    /// [`Set::look`], asleep until there is something.
    fn wait(&self, max: usize) -> Vec<u64> {
        loop {
            self.set().sleep(WaitOptions::interruptible("test")).expect("nobody interrupts");
            let told = self.look(max);
            if !told.is_empty() {
                return told;
            }
        }
    }
}

fn many(
    names: &str,
    sim: &Sim,
    count: usize,
    body: impl Fn(&Sim, usize) + Clone + Send + 'static,
) -> Vec<acrida_platform_sim::Join> {
    (0..count)
        .map(|n| {
            let body = body.clone();
            sim.spawn(&format!("{names} {n}"), move |sim| body(sim, n))
        })
        .collect()
}

/// Callback against scan: whoever waits for edges sees every put, though puts come while it scans.
#[test]
fn no_event_is_lost_between_scans() {
    for mode in [0, EPOLLET] {
        for seed in 0..SEEDS {
            run(seed, move |sim| {
                let set = Set::new();
                let counters: Vec<_> = (0..3).map(|_| Arc::new(Counter::default())).collect();
                let files: Vec<_> = counters.iter().map(Counter::file).collect();
                (0..).zip(&files).for_each(|(fd, file)| set.add(file, fd, mode));
                let putters = many("putter", sim, 2, {
                    let counters = counters.clone();
                    move |_, n| (0..6).for_each(|k| counters[(n + k) % 3].put())
                });
                let mut taken = 0;
                while taken < 12 {
                    for number in set.wait(2) {
                        taken += counters[number as usize].take();
                    }
                }
                putters.into_iter().for_each(|putter| sim.join(putter));
                assert_eq!(taken, 12);
                assert!(set.look(9).is_empty());
            });
        }
    }
}

/// Several threads that wait on one set share the events; none is left over with nobody awake.
#[test]
fn every_event_finds_a_thread() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let set = Set::new();
            let counter = Arc::new(Counter::default());
            let file = counter.file();
            set.add(&file, 0, EPOLLET);
            let quit = Arc::new(Counter::default());
            let quit_file = quit.file();
            set.add(&quit_file, 1, 0);
            let total = Arc::new(AtomicU32::new(0));
            let takers = many("taker", sim, 3, {
                let (set, counter, total, quit) = (set.clone(), counter.clone(), total.clone(), quit.clone());
                move |_, _| {
                    loop {
                        let told = set.wait(1);
                        if told.contains(&0) && total.fetch_add(counter.take(), Ordering::SeqCst) < 8 {
                            if total.load(Ordering::SeqCst) >= 8 {
                                quit.put();
                            }
                        } else if told.contains(&1) {
                            return;
                        }
                    }
                }
            });
            (0..8).for_each(|_| counter.put());
            takers.into_iter().for_each(|taker| sim.join(taker));
            assert_eq!(total.load(Ordering::SeqCst), 8);
        });
    }
}

/// Close against callback, and close of the set against both.
#[test]
fn a_closed_file_has_left_everything() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let set = Set::new();
            let counter = Arc::new(Counter::default());
            let file = counter.file();
            set.add(&file, 7, 0);
            let putter = sim.spawn("putter", {
                let counter = counter.clone();
                move |_| (0..3).for_each(|_| counter.put())
            });
            let looker = sim.spawn("looker", {
                let set = set.clone();
                move |_| {
                    (0..3).for_each(|_| assert!(set.look(4).iter().all(|&number| number == 7)));
                }
            });
            drop(file);
            current().task_work.run();
            sim.join(looker);
            assert!(set.look(4).is_empty());
            drop(set);
            current().task_work.run();
            sim.join(putter);
            assert!(!counter.queue.is_active());
        });
    }
}

#[test]
fn a_closed_set_has_left_its_files() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let set = Set::new();
            let counters: Vec<_> = (0..2).map(|_| Arc::new(Counter::default())).collect();
            let files: Vec<_> = counters.iter().map(Counter::file).collect();
            (0..).zip(&files).for_each(|(fd, file)| set.add(file, fd, 0));
            let putter = sim.spawn("putter", {
                let counters = counters.clone();
                move |_| (0..4).for_each(|n| counters[n % 2].put())
            });
            let closer = sim.spawn("closer", {
                let file = files[0].clone();
                move |_| {
                    drop(file);
                    current().task_work.run();
                }
            });
            drop(files);
            drop(set);
            current().task_work.run();
            sim.join(putter);
            sim.join(closer);
            assert!(counters.iter().all(|counter| !counter.queue.is_active()));
        });
    }
}

/// Addition (and change) against event: one of the two finds the file ready.
#[test]
fn an_event_during_an_addition_is_not_lost() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let set = Set::new();
            let counter = Arc::new(Counter::default());
            let file = counter.file();
            let putter = sim.spawn("putter", {
                let counter = counter.clone();
                move |_| counter.put()
            });
            set.add(&file, 0, EPOLLET);
            sim.join(putter);
            assert_eq!(set.look(4), [0]);
            counter.take();
            let event = |events| EpollEvent { events, data: 0 };
            assert_eq!(set.control(&file, 0, Operation::Modify(event(EPOLLOUT))), Ok(()));
            let putter = sim.spawn("putter", {
                let counter = counter.clone();
                move |_| counter.put()
            });
            assert_eq!(set.control(&file, 0, Operation::Modify(event(EPOLLIN | EPOLLET))), Ok(()));
            sim.join(putter);
            assert_eq!(set.look(4), [0]);
        });
    }
}

/// A one-shot item is told once per arming, however many threads wait.
#[test]
fn one_shot_is_told_once() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let set = Set::new();
            let counter = Arc::new(Counter::default());
            let file = counter.file();
            set.add(&file, 0, EPOLLONESHOT);
            let told = Arc::new(AtomicU32::new(0));
            let lookers = many("looker", sim, 3, {
                let (set, told) = (set.clone(), told.clone());
                move |_, _| {
                    for _ in 0..3 {
                        told.fetch_add(set.look(4).len() as u32, Ordering::SeqCst);
                    }
                }
            });
            counter.put();
            counter.put();
            lookers.into_iter().for_each(|looker| sim.join(looker));
            told.fetch_add(set.look(4).len() as u32, Ordering::SeqCst);
            assert_eq!(told.load(Ordering::SeqCst), 1);
        });
    }
}

/// Through a set in a set.
#[test]
fn no_event_is_lost_through_a_nested_set() {
    for mode in [0, EPOLLET] {
        for seed in 0..SEEDS {
            run(seed, move |sim| {
                let (outer, inner) = (Set::new(), Set::new());
                let counter = Arc::new(Counter::default());
                let file = counter.file();
                inner.add(&file, 0, mode);
                outer.add(&inner.file, 1, mode);
                let putter = sim.spawn("putter", {
                    let counter = counter.clone();
                    move |_| (0..5).for_each(|_| counter.put())
                });
                let mut taken = 0;
                while taken < 5 {
                    assert_eq!(outer.wait(3), [1]);
                    while !inner.look(3).is_empty() {
                        taken += counter.take();
                    }
                }
                sim.join(putter);
            });
        }
    }
}

/// Two threads that would close a circle between them: one of them is refused.
#[test]
fn circles_cannot_be_closed_from_two_sides() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let (a, b) = (Set::new(), Set::new());
            let event = EpollEvent { events: EPOLLIN, data: 0 };
            // One world: one lock for all sets.
            let epolls = Arc::new(Epolls::default());
            let other = sim.spawn("other", {
                let (a, b, epolls) = (a.clone(), b.clone(), epolls.clone());
                move |sim| {
                    let result = control(&epolls, u64::MAX, &b.file, (&a.file, 0), Operation::Add(event));
                    sim.note(format!("{result:?}"));
                }
            });
            let mine = control(&epolls, u64::MAX, &a.file, (&b.file, 0), Operation::Add(event));
            sim.join(other);
            let again = control(&epolls, u64::MAX, &b.file, (&a.file, 0), Operation::Add(event));
            match mine {
                Ok(()) => assert_eq!(again, Err(Errno::ELOOP)),
                Err(errno) => {
                    assert_eq!(errno, Errno::ELOOP);
                    assert_eq!(again, Err(Errno::EEXIST));
                }
            }
        });
    }
}
