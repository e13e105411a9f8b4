//! epoll against a naive model: a set is a list of interests and a list of names that are ready.
//!
//! Files are counters without meaning: a test sets their events and wakes their queues with any key, before and during
//! scans. What the model does not know is the number of wake-ups; `eventpoll_races.rs` and the conformance guests count
//! those.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::thread::current;
use acrida_kcore::wait::WaitQueueHead;
use acrida_kernel::fs::eventpoll::ctl::{Operation, control};
use acrida_kernel::fs::eventpoll::file::{as_set, new_set};
use acrida_kernel::fs::eventpoll::{Epolls, UserWatches};
use acrida_kernel::fs::file::{File, FileOperations, FileRef};
use acrida_kernel::fs::poll::PollTable;
use acrida_uapi::epoll::*;
use acrida_uapi::errno::Errno;
use proptest::prelude::*;

const FILES: usize = 6;
const NUMBERS: i32 = 2;
const MAX_WATCHES: u64 = 8;
/// Bits that interests and states are made of.
const BITS: [u32; 6] = [EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLLERR, EPOLLHUP];
const PRIVATE: u32 = EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP;

/// What a file is made of: its events now, and the queues it is polled on.
#[derive(Default)]
struct Source {
    events: AtomicU32,
    queues: Vec<Arc<WaitQueueHead>>,
}

struct SourceFile(Arc<Source>);

impl FileOperations for SourceFile {
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        self.0.queues.iter().for_each(|queue| table.poll_wait(queue));
        Some(self.0.events.load(Ordering::SeqCst))
    }

    fn can_poll(&self) -> bool {
        true
    }
}

impl Source {
    /// Every third file has two queues, as terminals have.
    fn new(index: usize) -> Arc<Source> {
        let queues = (0..=usize::from(index % 3 == 2)).map(|_| Arc::default()).collect();
        Arc::new(Source { events: AtomicU32::new(0), queues })
    }

    fn file(self: &Arc<Source>) -> FileRef {
        File::anon(Arc::new(SourceFile(self.clone())), 0)
    }

    fn wake(&self, key: u32) {
        self.queues.iter().for_each(|queue| queue.wake_one(key));
    }
}

/// A file gets other events, and says so with a key (0: it does not say which).
#[derive(Clone, Copy, Debug)]
struct Change {
    file: usize,
    events: u32,
    key: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize, i32, u32, u64),
    Modify(usize, i32, u32, u64),
    Delete(usize, i32),
    Change(Change),
    /// At most so many events; the changes happen while event number n is copied out; copying event `bad` fails.
    Wait {
        max: usize,
        meanwhile: Vec<(usize, Change)>,
        bad: Option<usize>,
    },
    /// The set is polled.
    Poll,
    /// Every number of the file is closed, and a new file takes its place.
    Reopen(usize),
}

fn mask() -> impl Strategy<Value = u32> {
    (0u32..1 << BITS.len()).prop_map(|bits| (0..BITS.len()).filter(|bit| bits >> bit & 1 != 0).map(|bit| BITS[bit]).sum())
}

fn interest() -> impl Strategy<Value = u32> {
    let mode = prop_oneof![4 => Just(0), 3 => Just(EPOLLET), 2 => Just(EPOLLONESHOT), 1 => Just(EPOLLET | EPOLLONESHOT)];
    (mask(), mode).prop_map(|(mask, mode)| mask | mode)
}

fn change() -> impl Strategy<Value = Change> {
    let key = prop_oneof![1 => Just(None), 1 => mask().prop_map(Some), 3 => Just(Some(u32::MAX))];
    (0..FILES, mask(), key).prop_map(|(file, events, key)| {
        // A waker mostly says what came.
        let key = match key {
            None => 0,
            Some(u32::MAX) => events,
            Some(key) => key,
        };
        Change { file, events, key }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let at = || (0..FILES, 0..NUMBERS);
    prop_oneof![
        4 => (at(), interest(), any::<u64>()).prop_map(|((file, fd), events, data)| Step::Add(file, fd, events, data)),
        3 => (at(), interest(), any::<u64>()).prop_map(|((file, fd), events, data)| Step::Modify(file, fd, events, data)),
        2 => at().prop_map(|(file, fd)| Step::Delete(file, fd)),
        9 => change().prop_map(Step::Change),
        8 => (1usize..8, prop::collection::vec((0usize..4, change()), 0..3), prop::option::weighted(0.1, 0usize..3))
            .prop_map(|(max, meanwhile, bad)| Step::Wait { max, meanwhile, bad }),
        1 => Just(Step::Poll),
        1 => (0..FILES).prop_map(Step::Reopen),
    ]
}

#[derive(Clone, Debug)]
struct Item {
    file: usize,
    fd: i32,
    events: u32,
    data: u64,
}

/// The naive model.
#[derive(Default)]
struct Model {
    items: Vec<Item>,
    /// (file, number), in order.
    ready: VecDeque<(usize, i32)>,
    state: [u32; FILES],
}

impl Model {
    fn find(&mut self, file: usize, fd: i32) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| (item.file, item.fd) == (file, fd))
    }

    fn append(&mut self, key: (usize, i32)) {
        if !self.ready.contains(&key) {
            self.ready.push_back(key);
        }
    }

    fn holds_now(&mut self, file: usize, fd: i32) -> u32 {
        let state = self.state[file];
        self.find(file, fd).map_or(0, |item| state & item.events)
    }

    fn set(&mut self, file: usize, fd: i32, events: u32, data: u64) {
        if let Some(item) = self.find(file, fd) {
            (item.events, item.data) = (events | EPOLLERR | EPOLLHUP, data);
        }
        if self.holds_now(file, fd) != 0 {
            self.append((file, fd));
        }
    }

    fn add(&mut self, file: usize, fd: i32, events: u32, data: u64) -> Result<(), Errno> {
        if self.find(file, fd).is_some() {
            return Err(Errno::EEXIST);
        }
        if self.items.len() as u64 >= MAX_WATCHES {
            return Err(Errno::ENOSPC);
        }
        self.items.push(Item { file, fd, events: 0, data });
        self.set(file, fd, events, data);
        Ok(())
    }

    fn modify(&mut self, file: usize, fd: i32, events: u32, data: u64) -> Result<(), Errno> {
        self.find(file, fd).ok_or(Errno::ENOENT)?;
        self.set(file, fd, events, data);
        Ok(())
    }

    fn delete(&mut self, file: usize, fd: i32) -> Result<(), Errno> {
        self.find(file, fd).ok_or(Errno::ENOENT)?;
        self.forget(|item| (item.file, item.fd) == (file, fd));
        Ok(())
    }

    fn forget(&mut self, gone: impl Fn(&Item) -> bool) {
        let lost: Vec<_> = self.items.iter().filter(|item| gone(item)).map(|item| (item.file, item.fd)).collect();
        self.items.retain(|item| !gone(item));
        self.ready.retain(|key| !lost.contains(key));
    }

    /// The items that a change puts on the ready list, in the order of their callbacks: the newest entry first.
    fn called_back(&mut self, change: Change) -> Vec<(usize, i32)> {
        self.state[change.file] = change.events;
        let wants = |item: &&Item| item.events & !PRIVATE != 0 && (change.key == 0 || change.key & item.events != 0);
        self.items.iter().rev().filter(|item| item.file == change.file).filter(wants).map(|item| (item.file, item.fd)).collect()
    }

    fn change(&mut self, change: Change) {
        self.called_back(change).into_iter().for_each(|key| self.append(key));
    }

    fn wait(&mut self, max: usize, meanwhile: &[(usize, Change)], bad: Option<usize>) -> Result<Vec<(u32, u64)>, Errno> {
        let mut scanned = std::mem::take(&mut self.ready);
        let (mut overflow, mut put_back, mut told) = (VecDeque::new(), Vec::new(), Vec::new());
        let mut refused = false;
        while told.len() < max && !refused {
            let Some(&key) = scanned.front() else { break };
            let holds = self.holds_now(key.0, key.1);
            if holds == 0 {
                scanned.pop_front();
                continue;
            }
            let mut again = false;
            for &(_, change) in meanwhile.iter().filter(|(at, _)| *at == told.len()) {
                for called in self.called_back(change) {
                    again |= called == key;
                    if !scanned.contains(&called) && !put_back.contains(&called) && !overflow.contains(&called) {
                        overflow.push_back(called);
                    }
                }
            }
            refused = bad == Some(told.len());
            if refused {
                break;
            }
            let item = self.find(key.0, key.1).expect("a ready item exists");
            told.push((holds, item.data));
            scanned.pop_front();
            if item.events & EPOLLONESHOT != 0 {
                item.events &= PRIVATE;
            } else if item.events & EPOLLET == 0 {
                put_back.push(key);
                continue;
            }
            if again {
                overflow.push_back(key);
            }
        }
        self.ready = scanned;
        self.ready.extend(overflow);
        self.ready.extend(put_back);
        if refused && told.is_empty() { Err(Errno::EFAULT) } else { Ok(told) }
    }

    fn poll(&mut self) -> u32 {
        while let Some(&(file, fd)) = self.ready.front() {
            if self.holds_now(file, fd) != 0 {
                return EPOLLIN | EPOLLRDNORM;
            }
            self.ready.pop_front();
        }
        0
    }
}

/// The real thing beside its model.
struct Pair {
    model: Model,
    epolls: Epolls,
    set: FileRef,
    sources: Vec<Arc<Source>>,
    files: Vec<FileRef>,
}

impl Pair {
    fn new() -> Pair {
        acrida_platform_sim::install();
        let sources: Vec<_> = (0..FILES).map(Source::new).collect();
        let files = sources.iter().map(Source::file).collect();
        Pair {
            model: Model::default(),
            epolls: Epolls::default(),
            set: new_set(Arc::new(UserWatches::default())),
            sources,
            files,
        }
    }

    fn control(&self, file: usize, fd: i32, operation: Operation) -> Result<(), Errno> {
        control(&self.epolls, MAX_WATCHES, &self.set, (&self.files[file], fd), operation)
    }

    fn apply(&self, change: Change) {
        self.sources[change.file].events.store(change.events, Ordering::SeqCst);
        self.sources[change.file].wake(change.key);
    }

    fn wait(&self, max: usize, meanwhile: &[(usize, Change)], bad: Option<usize>) -> Result<Vec<(u32, u64)>, Errno> {
        let mut told = Vec::new();
        let set = as_set(&self.set).expect("a set");
        let put = |index: usize, event: &EpollEvent| {
            meanwhile.iter().filter(|(at, _)| *at == index).for_each(|&(_, change)| self.apply(change));
            if bad == Some(index) {
                return false;
            }
            told.push((event.events, event.data));
            true
        };
        let count = set.send_events(max, put)?;
        assert_eq!(count, told.len());
        Ok(told)
    }

    fn step(&mut self, step: &Step) {
        match step.clone() {
            Step::Add(file, fd, events, data) => {
                let real = self.control(file, fd, Operation::Add(EpollEvent { events, data }));
                assert_eq!(real, self.model.add(file, fd, events, data));
            }
            Step::Modify(file, fd, events, data) => {
                let real = self.control(file, fd, Operation::Modify(EpollEvent { events, data }));
                assert_eq!(real, self.model.modify(file, fd, events, data));
            }
            Step::Delete(file, fd) => {
                assert_eq!(self.control(file, fd, Operation::Delete), self.model.delete(file, fd));
            }
            Step::Change(change) => {
                self.apply(change);
                self.model.change(change);
            }
            Step::Wait { max, meanwhile, bad } => {
                let real = self.wait(max, &meanwhile, bad);
                assert_eq!(real, self.model.wait(max, &meanwhile, bad));
            }
            Step::Poll => {
                let real = self.set.ops.poll(&mut PollTable::none(EPOLLIN));
                assert_eq!(real, Some(self.model.poll()));
            }
            Step::Reopen(file) => {
                self.files[file] = self.sources[file].file();
                current().task_work.run();
                self.model.forget(|item| item.file == file);
            }
        }
        assert_eq!(as_set(&self.set).expect("a set").has_events(), !self.model.ready.is_empty());
    }
}

/// A million steps in all.
const STEPS: usize = 2000;
const CASES: u32 = 1000;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_the_model(steps in prop::collection::vec(step(), STEPS / 2..STEPS * 3 / 2)) {
        let mut pair = Pair::new();
        steps.iter().for_each(|step| pair.step(step));
        // Nothing is left on the queues of files whose set is gone.
        drop(pair.set);
        current().task_work.run();
        for source in &pair.sources {
            assert!(source.queues.iter().all(|queue| !queue.is_active()));
        }
    }
}
