//! Record locks of one file: who holds which bytes, and what a change does to them.
//!
//! Mirrors: fs/locks.c (`posix_lock_inode`), Linux 6.18.
//! Differs: an owner's locks are taken out, computed anew and put back, in place of Linux's walk over a list with spare
//! locks in hand.
//! Locking: none; lies under the lock of its `FileLocks`.

use alloc::vec::Vec;

/// Who a lock belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A descriptor table, by its number: POSIX locks.
    Table(u64),
    /// An open file, by its number: OFD and `flock` locks.
    File(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

impl Kind {
    pub fn conflicts(self, other: Kind) -> bool {
        self == Kind::Write || other == Kind::Write
    }
}

/// The last byte that a lock can cover (`OFFSET_MAX`); a lock that reaches it covers the file however it grows.
pub const LAST: u64 = i64::MAX as u64;

/// Bytes `first..=last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: u64,
    pub last: u64,
}

impl Range {
    pub fn overlaps(self, other: Range) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether nothing lies between the two.
    fn touches(self, other: Range) -> bool {
        self.first <= other.last.saturating_add(1) && other.first <= self.last.saturating_add(1)
    }

    fn join(self, other: Range) -> Range {
        Range { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// What of `self` lies before and after `other`, which overlaps it.
    fn without(self, other: Range) -> impl Iterator<Item = Range> {
        let before = (self.first < other.first).then(|| Range { last: other.first - 1, ..self });
        let after = (self.last > other.last).then(|| Range { first: other.last + 1, ..self });
        before.into_iter().chain(after)
    }
}

/// A lock that is held.
#[doc(alias = "file_lock")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLock {
    pub owner: Owner,
    pub kind: Kind,
    pub range: Range,
    /// The process that asked, as `F_GETLK` reports it.
    pub pid: u32,
}

impl RecordLock {
    fn blocks(&self, wanted: &RecordLock) -> bool {
        self.owner != wanted.owner && self.range.overlaps(wanted.range) && self.kind.conflicts(wanted.kind)
    }
}

/// The record locks of one file.
///
/// # Invariants
/// The locks of one owner stand together, ordered by their ranges, which neither overlap nor, if of one kind, touch.
#[derive(Debug, Default)]
pub struct RecordLocks {
    held: Vec<RecordLock>,
}

impl RecordLocks {
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub fn held(&self) -> &[RecordLock] {
        &self.held
    }

    /// The first lock that stands in the way of `wanted`.
    #[doc(alias = "posix_test_lock")]
    pub fn conflict(&self, wanted: &RecordLock) -> Option<&RecordLock> {
        self.held.iter().find(|lock| lock.blocks(wanted))
    }

    /// The first lock of `owner` that meets `range`.
    pub fn own(&self, owner: Owner, range: Range) -> Option<&RecordLock> {
        self.held.iter().find(|lock| lock.owner == owner && lock.range.overlaps(range))
    }

    /// Gives `wanted` to its owner, in place of what it holds there; the caller has checked for conflicts.
    pub fn set(&mut self, wanted: RecordLock) {
        self.change(wanted.owner, wanted.range, Some(wanted));
    }

    /// Takes `range` from `owner`; whether it held any of it.
    pub fn clear(&mut self, owner: Owner, range: Range) -> bool {
        let held = self.own(owner, range).is_some();
        if held {
            self.change(owner, range, None);
        }
        held
    }

    fn change(&mut self, owner: Owner, range: Range, wanted: Option<RecordLock>) {
        let place = self.held.iter().position(|lock| lock.owner == owner).unwrap_or(self.held.len());
        let count = self.held[place..].iter().take_while(|lock| lock.owner == owner).count();
        let mut wanted = wanted;
        let mut after = Vec::with_capacity(count + 2);
        for lock in self.held.drain(place..place + count) {
            match &mut wanted {
                Some(new) if lock.kind == new.kind && lock.range.touches(new.range) => new.range = new.range.join(lock.range),
                _ if lock.range.overlaps(range) => {
                    after.extend(lock.range.without(range).map(|range| RecordLock { range, ..lock }));
                }
                _ => after.push(lock),
            }
        }
        after.extend(wanted);
        after.sort_unstable_by_key(|lock| lock.range.first);
        // INVARIANT: the owner's locks are back at the place of its first, in order; what touched was joined.
        self.held.splice(place..place, after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    /// The naive model: for each byte and owner, what is held.
    #[derive(Clone, Default)]
    struct Bytes([[Option<Kind>; SIZE]; OWNERS]);
    const SIZE: usize = 12;
    const OWNERS: usize = 3;

    impl Bytes {
        fn conflict(&self, owner: usize, range: Range, kind: Kind) -> bool {
            let others = (0..OWNERS).filter(|&other| other != owner);
            others
                .flat_map(|other| &self.0[other][range.first as usize..=range.last as usize])
                .flatten()
                .any(|held| held.conflicts(kind))
        }

        fn set(&mut self, owner: usize, range: Range, kind: Option<Kind>) {
            self.0[owner][range.first as usize..=range.last as usize].fill(kind);
        }

        /// The locks of one owner, in order and joined.
        fn locks(&self, owner: usize) -> Vec<(Kind, u64, u64)> {
            let mut locks: Vec<(Kind, u64, u64)> = vec![];
            for (byte, kind) in self.0[owner].iter().enumerate() {
                let byte = byte as u64;
                match (kind, locks.last_mut()) {
                    (Some(kind), Some(last)) if last.0 == *kind && last.2 + 1 == byte => last.2 = byte,
                    (Some(kind), _) => locks.push((*kind, byte, byte)),
                    (None, _) => {}
                }
            }
            locks
        }
    }

    fn lock(owner: usize, kind: Kind, range: Range) -> RecordLock {
        RecordLock { owner: Owner::Table(owner as u64), kind, range, pid: 1 }
    }

    proptest! {
        #[test]
        fn every_sequence_gives_what_the_bytes_say(
            steps in proptest::collection::vec((0..OWNERS, 0..SIZE as u64, 0..SIZE as u64, 0..3u8), 1..40)
        ) {
            let mut bytes = Bytes::default();
            let mut locks = RecordLocks::default();
            for (owner, a, b, what) in steps {
                let range = Range { first: a.min(b), last: a.max(b) };
                match what {
                    0 => {
                        locks.clear(Owner::Table(owner as u64), range);
                        bytes.set(owner, range, None);
                    }
                    _ => {
                        let kind = if what == 1 { Kind::Read } else { Kind::Write };
                        let wanted = lock(owner, kind, range);
                        prop_assert_eq!(locks.conflict(&wanted).is_some(), bytes.conflict(owner, range, kind));
                        if locks.conflict(&wanted).is_none() {
                            locks.set(wanted);
                            bytes.set(owner, range, Some(kind));
                        }
                    }
                }
                for owner in 0..OWNERS {
                    let held: Vec<_> = locks.held.iter().filter(|lock| lock.owner == Owner::Table(owner as u64)).collect();
                    let seen: Vec<_> = held.iter().map(|lock| (lock.kind, lock.range.first, lock.range.last)).collect();
                    prop_assert_eq!(seen, bytes.locks(owner));
                }
            }
        }
    }

    #[test]
    fn the_end_of_the_file_joins_without_overflow() {
        let mut locks = RecordLocks::default();
        locks.set(lock(0, Kind::Write, Range { first: 5, last: LAST }));
        locks.set(lock(0, Kind::Write, Range { first: 0, last: 4 }));
        assert_eq!(locks.held(), [lock(0, Kind::Write, Range { first: 0, last: LAST })]);
        assert!(locks.clear(Owner::Table(0), Range { first: LAST, last: LAST }));
        assert_eq!(locks.held()[0].range.last, LAST - 1);
    }
}
