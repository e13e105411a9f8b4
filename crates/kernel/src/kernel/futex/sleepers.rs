//! Whether anybody sleeps on a word: a wake-up of nobody needs no host call (170 ns natively, 280 through us).
//!
//! Mirrors: kernel/futex/core.c (`futex_hb_waiters_pending`), Linux 6.18.
//! Differs: words share a counter by their place in the page, which is the same in every mapping of the word, so neither the
//! address space nor the page behind it is looked up. A counter that is too high costs a host call, nothing else.
//! Locking: none.
//! Memory order: a sleeper counts itself before the host compares the word, a waker looks at the counter after the word was
//! changed; each with a full fence in between, so that one of them sees the other.

use core::sync::atomic::{AtomicU32, Ordering, fence};

use acrida_kcore::uaccess::UserAddr;

/// Words of a page.
const WORDS: usize = 1024;
/// Sleepers may have been moved to such a word from another; they still count there.
const MOVED: u32 = 1 << 31;

/// One world's; a static, since what several kernels in one test share is only the accuracy.
static COUNTERS: [AtomicU32; WORDS] = [const { AtomicU32::new(0) }; WORDS];

fn counter(word: UserAddr) -> &'static AtomicU32 {
    &COUNTERS[word.0 as usize / size_of::<u32>() % WORDS]
}

/// The caller is about to sleep on a word, or has slept; ends when dropped. (One that is killed from outside stays counted.)
pub(super) struct Sleeper(&'static AtomicU32);

impl Sleeper {
    #[doc(alias = "futex_hb_waiters_inc")]
    pub fn new(word: UserAddr) -> Sleeper {
        let counter = counter(word);
        counter.fetch_add(1, Ordering::SeqCst);
        Sleeper(counter)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether somebody may sleep on `word`, which the caller has changed.
#[doc(alias = "futex_hb_waiters_pending")]
pub(super) fn any(word: UserAddr) -> bool {
    fence(Ordering::SeqCst);
    counter(word).load(Ordering::Relaxed) != 0
}

/// Sleepers of other words may sleep on `to` from now on. (Whether there are any is not asked: one may come at any time.)
pub(super) fn moving_to(to: UserAddr) {
    counter(to).fetch_or(MOVED, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_is_seen_at_its_word_alone() {
        let (word, other) = (UserAddr(0x7000_1010), UserAddr(0x7000_1014));
        assert!(!any(word));
        let sleeper = Sleeper::new(UserAddr(0x9_9010));
        assert!(any(word) && !any(other));
        drop(sleeper);
        assert!(!any(word));
    }

    #[test]
    fn a_word_with_moved_sleepers_stays_watched() {
        let (from, to) = (UserAddr(0x7000_1f10), UserAddr(0x7000_1f20));
        let sleeper = Sleeper::new(from);
        moving_to(to);
        drop(sleeper);
        assert!(any(to) && !any(from));
    }
}
