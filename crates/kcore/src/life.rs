//! How the end of a host thread is seen by those who cannot ask it.
//!
//! Mirrors: nothing in Linux; it uses the host's robust lists (kernel/futex/core.c, `exit_robust_list`).
//! Differs: the list has one entry, a word that the host thread "owns" from its first instruction to its last. Whatever ends the
//! thread, the host marks the word once no instruction of it can run any more, and wakes a waiter. So locks need no list: their
//! word names the owner's record, and the record's word says whether it was killed. A record that runs on another's host thread
//! (a loan) is a second entry of that one's list.
//! Locking: none. The list is changed by its own host thread, and read by the host when that has ended.
//! Memory order: the host's mark comes after everything the thread did.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The thread has ended by itself: nothing of it is in use.
const OVER: u32 = 0;
/// It has not started.
const UNBORN: u32 = 1;
/// The host killed it (`FUTEX_OWNER_DIED`, which the host sets).
const KILLED: u32 = 1 << 30;
/// The host is to wake a waiter at the end (`FUTEX_WAITERS`).
const WATCHED: u32 = 1 << 31;

/// A record's word and the list that names it to the host.
#[repr(C)]
#[derive(Debug)]
pub struct Life {
    // `struct robust_list_head`: the first entry, the distance from an entry to its word, an entry on its way in or out.
    first: AtomicU64,
    distance: i64,
    pending: u64,
    /// The entry: where the next one is, or the head.
    next: AtomicU64,
    word: AtomicU32,
}

impl Life {
    /// Bytes of the head, as the host wants to hear.
    pub const HEAD_LEN: usize = offset_of!(Life, next);

    pub const fn new() -> Life {
        Life {
            first: AtomicU64::new(0),
            distance: offset_of!(Life, word) as i64 - offset_of!(Life, next) as i64,
            pending: 0,
            next: AtomicU64::new(0),
            word: AtomicU32::new(UNBORN),
        }
    }

    /// Where the list is.
    pub fn head(&self) -> u64 {
        (&raw const self.first) as u64
    }

    fn entry(&self) -> u64 {
        (&raw const self.next) as u64
    }

    /// The calling host thread, `host_tid`, is this record's; it tells the host of the list next.
    pub fn begin(&self, host_tid: u32) {
        self.word.store(host_tid | WATCHED, Ordering::Release);
        self.next.store(self.head(), Ordering::Relaxed);
        self.first.store(self.entry(), Ordering::Release);
    }

    /// The record runs on `lender`'s host thread, which calls this.
    pub fn begin_on(&self, lender: &Life) {
        self.word.store(lender.word.load(Ordering::Relaxed), Ordering::Relaxed);
        self.next.store(lender.next.load(Ordering::Relaxed), Ordering::Relaxed);
        lender.next.store(self.entry(), Ordering::Release);
    }

    /// The end of that.
    pub fn leave(&self, lender: &Life) {
        lender.next.store(self.next.load(Ordering::Relaxed), Ordering::Release);
    }

    /// The record is not in use any more.
    pub fn end(&self) {
        self.word.store(OVER, Ordering::Release);
    }

    /// As the host does; for a thread that it killed before it knew of the list.
    pub fn kill(&self) {
        self.word.store(KILLED, Ordering::Release);
    }

    /// The word, for those who wait for a change of it.
    pub fn word(&self) -> &AtomicU32 {
        &self.word
    }

    /// Whether the thread has ended, in whatever way.
    pub fn is_over(&self) -> bool {
        self.word.load(Ordering::Acquire) == OVER || self.was_killed()
    }

    /// Whether the host has ended it in the middle of something.
    pub fn was_killed(&self) -> bool {
        is_killed(self.word.load(Ordering::Acquire))
    }
}

/// Whether `word`, read from a life, is that of a thread that the host has killed.
pub fn is_killed(word: u32) -> bool {
    word & KILLED != 0
}

impl Default for Life {
    fn default() -> Self {
        Life::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the host does at the end of thread `tid`: marks every word on the list that it owns.
    fn host_ends(list: &Life, tid: u32, all: &[&Life]) {
        let mut at = list.first.load(Ordering::Relaxed);
        while at != list.head() {
            let life = all.iter().find(|life| life.entry() == at).expect("an entry of one of them");
            let word = life.word.load(Ordering::Relaxed);
            if word & (KILLED - 1) == tid {
                life.word.store(word & WATCHED | KILLED, Ordering::Relaxed);
            }
            at = life.next.load(Ordering::Relaxed);
        }
    }

    #[test]
    fn the_host_marks_everybody_on_its_thread() {
        let [lender, borrower, nested] = [Life::new(), Life::new(), Life::new()];
        lender.begin(70);
        borrower.begin_on(&lender);
        nested.begin_on(&borrower);
        host_ends(&lender, 70, &[&lender, &borrower, &nested]);
        assert!([&lender, &borrower, &nested].iter().all(|life| life.was_killed() && life.is_over()));
    }

    #[test]
    fn who_has_left_or_ended_is_not_marked() {
        let [lender, borrower] = [Life::new(), Life::new()];
        lender.begin(70);
        borrower.begin_on(&lender);
        borrower.leave(&lender);
        borrower.end();
        host_ends(&lender, 70, &[&lender, &borrower]);
        assert!(lender.was_killed() && !borrower.was_killed() && borrower.is_over());
    }
}
