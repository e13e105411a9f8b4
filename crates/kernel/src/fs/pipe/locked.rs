//! The right to change a pipe, and what a poll sees of it without that right.
//!
//! splice holds a pipe's lock while it reads or writes another file, which may be one of the host's. A poll must not wait for
//! that: the thread that polls may be the one that would let splice go on. So it looks at a summary, which every holder of the lock
//! leaves behind.
//!
//! Mirrors: fs/pipe.c (`pipe_poll`), Linux 6.18.
//! Differs: Linux reads `head`, `tail` and the counts one by one with `READ_ONCE`; here they are one word.
//! Locking: the summary is written under `Pipe::state`.
//! Memory order: who changes the pipe writes the summary, unlocks, then asks whether anybody waits
//! ([`Locked::release`]); who polls joins the queue, then reads the summary. Unlocking a pipe and joining a queue are locked
//! instructions, which on x86-64 no later load passes, so one of the two sees the other.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{Ordering, compiler_fence};

use acrida_kcore::sync::SpinLockGuard;

use crate::fs::pipe::{Pipe, State};

/// The right to change a pipe; unlocks when dropped.
#[must_use]
pub struct Locked<'a> {
    pipe: &'a Pipe,
    state: SpinLockGuard<'a, State>,
}

impl<'a> Locked<'a> {
    pub(super) fn new(pipe: &'a Pipe) -> Locked<'a> {
        Locked { pipe, state: pipe.state.lock() }
    }

    /// Lets polls see what was done so far; for a holder that is about to use another file.
    pub fn show(&self) {
        self.pipe.summary.store(Summary::of(&self.state).0, Ordering::Release);
    }

    /// Unlocks; whoever comes to wait after this sees what was done, everybody else is on the queues now.
    pub fn release(self) {
        drop(self);
        compiler_fence(Ordering::SeqCst);
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.show();
    }
}

impl Deref for Locked<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

/// The state of a pipe as far as poll is concerned: four flags, and `w_counter` in the high half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary(u64);

impl Summary {
    const EMPTY: u64 = 1 << 0;
    const FULL: u64 = 1 << 1;
    const NO_READER: u64 = 1 << 2;
    const NO_WRITER: u64 = 1 << 3;

    fn of(state: &State) -> Summary {
        let flag = |holds: bool, flag: u64| if holds { flag } else { 0 };
        Summary(
            u64::from(state.w_counter) << 32
                | flag(state.ring.is_empty(), Self::EMPTY)
                | flag(state.ring.is_full(), Self::FULL)
                | flag(state.readers == 0, Self::NO_READER)
                | flag(state.writers == 0, Self::NO_WRITER),
        )
    }

    pub fn is_empty(self) -> bool {
        self.0 & Self::EMPTY != 0
    }

    pub fn is_full(self) -> bool {
        self.0 & Self::FULL != 0
    }

    pub fn has_readers(self) -> bool {
        self.0 & Self::NO_READER == 0
    }

    pub fn has_writers(self) -> bool {
        self.0 & Self::NO_WRITER == 0
    }

    pub fn w_counter(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Pipe {
    /// The state that the last holder of the lock left or showed.
    pub fn summary(&self) -> Summary {
        Summary(self.summary.load(Ordering::Acquire))
    }
}
