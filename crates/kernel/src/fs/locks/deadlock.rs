//! Who waits for whose record lock, so that a circle is found before it closes.
//!
//! Mirrors: fs/locks.c (`posix_locks_deadlock`, `blocked_hash`), Linux 6.18.
//! Differs: every way from owner to owner is followed, however long; Linux follows one and gives up after ten steps.
//! Locking: one leaf lock, taken under the lock of one `FileLocks`.

use alloc::vec::Vec;

use super::range::Owner;

/// One sleeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait {
    /// The sleeping thread, and the file it waits at (by address).
    tid: u32,
    place: usize,
    waiter: Owner,
    holder: Owner,
}

/// Everybody who waits for a POSIX record lock.
#[derive(Debug, Default)]
pub struct WaitGraph {
    waits: Vec<Wait>,
}

impl WaitGraph {
    /// Notes that thread `tid` waits at `place`, for `waiter`, for a lock of `holder`; `false`, with nothing noted, when
    /// that would close a circle.
    #[must_use]
    pub fn wait(&mut self, tid: u32, place: usize, waiter: Owner, holder: Owner) -> bool {
        self.forget(tid);
        if self.leads_to(holder, waiter) {
            return false;
        }
        self.waits.push(Wait { tid, place, waiter, holder });
        true
    }

    /// Thread `tid` waits no longer.
    pub fn forget(&mut self, tid: u32) {
        self.waits.retain(|wait| wait.tid != tid);
    }

    /// Everybody at `place` is about to look again: who they waited for may be free.
    pub fn forget_place(&mut self, place: usize) {
        self.waits.retain(|wait| wait.place != place);
    }

    /// Whether `from` waits, directly or through others, for `to`.
    fn leads_to(&self, from: Owner, to: Owner) -> bool {
        let mut reached = Vec::from([from]);
        let mut next = 0;
        while let Some(&owner) = reached.get(next) {
            if owner == to {
                return true;
            }
            for wait in self.waits.iter().filter(|wait| wait.waiter == owner) {
                if !reached.contains(&wait.holder) {
                    reached.push(wait.holder);
                }
            }
            next += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Owner = Owner::Table(1);
    const B: Owner = Owner::Table(2);
    const C: Owner = Owner::Table(3);

    #[test]
    fn a_circle_is_refused_however_long() {
        let mut graph = WaitGraph::default();
        assert!(graph.wait(1, 0, A, B));
        assert!(graph.wait(2, 0, B, C));
        assert!(!graph.wait(3, 0, C, A));
        assert!(!graph.wait(3, 0, C, B));
    }

    #[test]
    fn a_second_thread_of_an_owner_counts_too() {
        let mut graph = WaitGraph::default();
        assert!(graph.wait(1, 0, A, C));
        assert!(graph.wait(2, 0, A, B));
        assert!(!graph.wait(3, 0, B, A));
    }

    #[test]
    fn what_was_released_is_waited_for_no_more() {
        let mut graph = WaitGraph::default();
        assert!(graph.wait(1, 7, A, B));
        graph.forget_place(7);
        assert!(graph.wait(2, 0, B, A));
        graph.forget(2);
        assert!(graph.wait(1, 7, A, B));
    }
}
