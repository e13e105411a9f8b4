//! The host's wake-ups, put off until the waker's lock is free.
//!
//! A waker finds sleepers under the lock of their queue, and the first thing that a sleeper does when it runs is to take that lock.
//! If the host were asked under the lock, a sleeper on another processor would be there first, and sleep again for the lock (two in
//! five wake-ups between pgbench and its servers).
//!
//! ```text
//!   waker    put_off() ─ lock ─ token for A, word noted ─ unlock ─ drop: the host wakes the word
//!   sleeper                                                           └► runs ─ lock ─ leaves the queue
//! ```
//!
//! Mirrors: include/linux/sched/wake_q.h (`wake_q_add`, `wake_up_q`), Linux 6.18.
//! Differs: a thread counts as woken when it has its token; only the host's part is put off. Its record may be gone by then, so
//! the host is asked by address, and whoever sleeps there instead looks again at what it waits for.
//! Locking: none; a queue is used by its thread alone.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::platform::platform;
use crate::thread::{Thread, current};

/// Wake-ups that are put off at most; more are made at once.
const ROOM: usize = 8;

/// What a thread has put off.
#[derive(Default)]
pub struct WakeQ {
    /// [`PutOff`]s that are alive: the innermost ends under an outer one's lock.
    depth: Cell<u32>,
    len: Cell<usize>,
    words: [Cell<usize>; ROOM],
}

impl WakeQ {
    /// Takes in the wake-up of who parks on the word at this address, if the thread puts wake-ups off now and has room.
    #[doc(alias = "wake_q_add")]
    pub fn add(&self, word: usize) -> bool {
        let takes = self.depth.get() > 0 && self.len.get() < ROOM;
        if takes {
            self.words[self.len.get()].set(word);
            self.len.set(self.len.get() + 1);
        }
        takes
    }

    /// Whether the thread owes nobody a wake-up.
    pub fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// Makes the wake-ups that were put off; for a thread that the host has killed, too.
    #[cold]
    #[doc(alias = "wake_up_q")]
    pub fn flush(&self) {
        for word in &self.words[..self.len.replace(0)] {
            platform().wake_parked(word.get());
        }
    }
}

/// While it lives, the calling thread puts the host's wake-ups off. To be made before the lock that it is for is taken, and
/// so dropped after it. It is the calling thread's own and cannot be given to another.
#[must_use]
pub struct PutOff(&'static Thread, PhantomData<*const ()>);

/// Puts the host's wake-ups off from now on.
#[inline]
pub fn put_off() -> PutOff {
    let me = current();
    me.wake_q.depth.set(me.wake_q.depth.get() + 1);
    PutOff(me, PhantomData)
}

impl Drop for PutOff {
    #[inline]
    fn drop(&mut self) {
        let queue = &self.0.wake_q;
        queue.depth.set(queue.depth.get() - 1);
        if queue.depth.get() == 0 && !queue.is_empty() {
            queue.flush();
        }
    }
}
