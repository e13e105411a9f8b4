//! Who runs: a baton among the threads of one world.
//!
//! Mirrors: nothing in Linux.
//! Differs: a choice is made only at a call of the machine; between two calls a thread runs undisturbed.
//! Locking: the state is under one mutex, which waiting for the baton gives up.

use std::fmt::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acrida_kcore::thread::{Thread, work};

use crate::memory::Memory;

/// How long the world may stand still by the host's clock before the run fails: somebody runs without end.
const STUCK: Duration = Duration::from_secs(120);

/// What a thread without the baton waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Ready,
    Parked {
        deadline: Option<u64>,
    },
    /// Until somebody wakes the word at this address.
    Word {
        address: usize,
        deadline: u64,
    },
    /// Until the thread with this index has ended.
    Join(usize),
    Ended,
}

struct Slot {
    name: String,
    thread: &'static Thread,
    run: Run,
    /// An unpark that came before the park.
    token: bool,
    /// The last sleep ended by its deadline.
    timed_out: bool,
}

struct State {
    rng: fastrand::Rng,
    slots: Vec<Slot>,
    /// Who has the baton; `None` when all have ended.
    running: Option<usize>,
    now: u64,
    log: Vec<String>,
    failure: Option<String>,
    /// Times the baton was passed: the measure of progress for whoever waits outside.
    passes: u64,
}

/// One world's threads.
pub struct Board {
    state: Mutex<State>,
    changed: Condvar,
    pub memory: Mutex<Memory>,
}

impl State {
    fn ready(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|&index| self.slots[index].run == Run::Ready).collect()
    }

    fn deadline(&self, index: usize) -> Option<u64> {
        match self.slots[index].run {
            Run::Parked { deadline } => deadline,
            Run::Word { deadline, .. } => Some(deadline),
            Run::Ready | Run::Join(_) | Run::Ended => None,
        }
    }

    /// Gives the baton to a thread that can run, if need be after a jump of the clock.
    fn pass(&mut self) {
        self.passes += 1;
        let mut ready = self.ready();
        if ready.is_empty()
            && let Some(next) = (0..self.slots.len()).filter_map(|index| self.deadline(index)).min()
        {
            self.now = self.now.max(next);
            for index in 0..self.slots.len() {
                if self.deadline(index).is_some_and(|deadline| deadline <= self.now) {
                    self.slots[index].run = Run::Ready;
                    self.slots[index].timed_out = true;
                }
            }
            ready = self.ready();
        }
        self.running = self.rng.choice(&ready).copied();
        if self.running.is_none() && self.slots.iter().any(|slot| slot.run != Run::Ended) {
            self.failure.get_or_insert(format!("deadlock: {}", self.who_waits()));
        }
    }

    fn who_waits(&self) -> String {
        let mut text = String::new();
        for slot in self.slots.iter().filter(|slot| slot.run != Run::Ended) {
            // Writing to a string cannot fail.
            let _ = match slot.run {
                Run::Join(index) => write!(text, "{} waits for the end of {}; ", slot.name, self.slots[index].name),
                run => write!(text, "{} {run:?} in {:?}; ", slot.name, slot.thread.wchan()),
            };
        }
        text
    }
}

impl Board {
    pub fn new(seed: u64) -> Board {
        let state = State {
            rng: fastrand::Rng::with_seed(seed),
            slots: Vec::new(),
            running: None,
            // Not zero: a deadline of zero is in the past.
            now: 1_000_000_000,
            log: Vec::new(),
            failure: None,
            passes: 0,
        };
        Board { state: Mutex::new(state), changed: Condvar::new(), memory: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock would be one of this file; the run has failed then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread more, ready to run; its index.
    pub fn add(&self, name: &str, thread: &'static Thread) -> usize {
        let mut state = self.lock();
        state.slots.push(Slot { name: name.to_owned(), thread, run: Run::Ready, token: false, timed_out: false });
        state.slots.len() - 1
    }

    /// The first choice, made when the world is complete enough to start.
    pub fn start(&self) {
        self.lock().pass();
        self.changed.notify_all();
    }

    /// Waits for the baton. A world that failed stands still for ever: its threads are left where they are, because
    /// the kernel's code may not be unwound.
    pub fn wait_turn(&self, me: usize) {
        let state = self.lock();
        drop(self.turn(state, me));
    }

    fn turn<'a>(&'a self, mut state: MutexGuard<'a, State>, me: usize) -> MutexGuard<'a, State> {
        while state.running != Some(me) || state.failure.is_some() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// Passes the baton on and waits until it comes back; whether the sleep ended by its deadline.
    fn switch<'a>(&'a self, mut state: MutexGuard<'a, State>, me: usize) -> bool {
        state.slots[me].timed_out = false;
        state.pass();
        if state.running != Some(me) || state.failure.is_some() {
            self.changed.notify_all();
            state = self.turn(state, me);
        }
        state.slots[me].timed_out
    }

    /// A place where another thread may come first.
    pub fn preempt(&self, me: usize) {
        self.switch(self.lock(), me);
    }

    pub fn park(&self, me: usize, deadline: Option<u64>) -> bool {
        let mut state = self.lock();
        let token = std::mem::take(&mut state.slots[me].token);
        state.slots[me].run = if token { Run::Ready } else { Run::Parked { deadline } };
        self.switch(state, me)
    }

    pub fn unpark(&self, me: usize, thread: &Thread) {
        let mut state = self.lock();
        if let Some(slot) = state.slots.iter_mut().find(|slot| std::ptr::eq(slot.thread, thread)) {
            match slot.run {
                Run::Parked { .. } => slot.run = Run::Ready,
                _ => slot.token = true,
            }
        }
        self.switch(state, me);
    }

    /// Sets a thread's signal-pending flag and wakes it.
    pub fn interrupt(&self, me: usize, other: usize) {
        let thread = self.lock().slots[other].thread;
        thread.set_work(work::SIGPENDING);
        self.unpark(me, thread);
    }

    /// Sleeps on a word unless it has changed already; whether the sleep ended by its deadline.
    pub fn wait_word(&self, me: usize, address: usize, timeout_ns: u64, unchanged: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        if unchanged() {
            let deadline = state.now.saturating_add(timeout_ns);
            state.slots[me].run = Run::Word { address, deadline };
        }
        self.switch(state, me)
    }

    pub fn wake_word(&self, me: usize, address: usize, n: u32) {
        let mut state = self.lock();
        let sleepers = state.slots.iter_mut().filter(|slot| matches!(slot.run, Run::Word { address: at, .. } if at == address));
        for slot in sleepers.take(n as usize) {
            slot.run = Run::Ready;
        }
        self.switch(state, me);
    }

    pub fn now(&self) -> u64 {
        self.lock().now
    }

    pub fn random(&self, buf: &mut [u8]) {
        self.lock().rng.fill(buf);
    }

    /// A line of the log, under the name of the thread.
    pub fn note(&self, me: usize, text: &str) {
        let mut state = self.lock();
        let line = format!("{}: {text}", state.slots[me].name);
        state.log.push(line);
    }

    /// The calling thread is done, or panicked with a message.
    pub fn end(&self, me: usize, panicked: Option<String>) {
        let mut state = self.lock();
        state.slots[me].run = Run::Ended;
        for slot in state.slots.iter_mut().filter(|slot| slot.run == Run::Join(me)) {
            slot.run = Run::Ready;
        }
        if let Some(message) = panicked {
            let name = state.slots[me].name.clone();
            state.failure.get_or_insert(format!("{name}: {message}"));
        }
        state.pass();
        self.changed.notify_all();
    }

    pub fn join(&self, me: usize, other: usize) {
        let mut state = self.lock();
        if state.slots[other].run != Run::Ended {
            state.slots[me].run = Run::Join(other);
        }
        self.switch(state, me);
    }

    /// Waits outside the world for its end: its log, or why it failed.
    pub fn outcome(&self) -> Result<Vec<String>, String> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if state.slots.iter().all(|slot| slot.run == Run::Ended) {
                return Ok(std::mem::take(&mut state.log));
            }
            let before = state.passes;
            let (next, timeout) = self.changed.wait_timeout(state, STUCK).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() && state.passes == before {
                let name = state.running.map_or("nobody", |index| &state.slots[index].name);
                return Err(format!("{name} runs without end; {}", state.who_waits()));
            }
        }
    }

    /// The log so far.
    pub fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }
}
