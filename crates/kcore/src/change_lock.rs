//! A lock whose holders' changes are noticed by those who looked without it.
//!
//! Mirrors: `seqlock_t` as fs/dcache.c (`rename_lock`) and fs/namespace.c (`mount_lock`) use it, Linux 6.18.
//! Differs: the lock is held for longer than a change and says when one begins; who would begin to look during one waits for the
//! lock, for the holder may have lost its processor.
//! Locking: `lock` lies where its owner's place in the order is.
//! Memory order: as `acrida_klib::seqlock`.

use acrida_klib::seqlock::{SeqCount, SeqWrite, Sequence};

use crate::sync::{SpinLock, SpinLockGuard};

/// A lock around changes of what others read without it.
#[doc(alias = "seqlock_t")]
#[derive(Default)]
pub struct ChangeLock {
    lock: SpinLock<()>,
    count: SeqCount,
}

/// The right to change.
#[must_use]
pub struct Changing<'a> {
    count: &'a SeqCount,
    _lock: SpinLockGuard<'a, ()>,
}

impl ChangeLock {
    /// An owner that was killed in a change counts as one that has ended it.
    pub fn lock(&self) -> Changing<'_> {
        let lock = self.lock.lock_or_repair(|()| self.count.end_abandoned());
        Changing { count: &self.count, _lock: lock }
    }

    /// Begins to look.
    #[doc(alias = "read_seqbegin")]
    pub fn look(&self) -> Sequence {
        loop {
            match self.count.try_begin() {
                Some(begun) => return begun,
                None => drop(self.lock()),
            }
        }
    }

    /// Whether something was changed, or is being changed, since `begun`.
    #[doc(alias = "read_seqretry")]
    #[must_use]
    pub fn changed_since(&self, begun: Sequence) -> bool {
        self.count.retry(begun)
    }
}

impl Changing<'_> {
    /// Whoever has looked is told until the end of this, and by it.
    #[doc(alias = "write_seqcount_begin")]
    pub fn begin(&mut self) -> SeqWrite<'_> {
        self.count.try_write().unwrap_or_else(|_| unreachable!("two writers under one lock"))
    }
}
