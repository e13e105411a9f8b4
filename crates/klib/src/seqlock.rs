//! Sequence lock: readers write nothing, and read again when a writer came between.
//!
//! Linux: include/linux/seqlock.h (6.12).
//! Differs: the data are atomic words, for a plain copy that races with a writer is undefined here;
//! `read` takes what to do while a writer is busy, since klib knows no processor to relax.
//! Locking: readers none. Writers bring their own lock, as with `seqcount_t`; a second writer is
//! told so and changes nothing.
//! Memory order: the words themselves are Relaxed; the counter and two fences order them:
//!
//! ```text
//!   writer                               reader
//!   seq = odd        (CAS, Acquire)      s = seq             (Acquire), even
//!   fence(Release) ─────────┐            words               (Relaxed)
//!   words = new  (Relaxed)  │            fence(Acquire)
//!   seq = even   (Release)  └──────────► seq still s?        (Relaxed)
//! ```
//! A reader that saw one new word also sees, behind its fence, the odd count, and reads again.
//! A reader that starts at the new even count sees every new word (Release, Acquire).
//!
//! # In Linux
//! The time of day, mount and rename races, `d_seq`: values of a few words that are read all the
//! time and written seldom. A reader-writer lock would make every reader write the lock's cache line;
//! here readers share it untouched, and writers never wait for readers.
//!
//! # Here
//! [`SeqCount`] is the bare counter, for data that are atomics already; [`SeqLock`] carries a value.
//!
//! ```
//! use acrida_klib::seqlock::SeqLock;
//! let time: SeqLock<[u64; 2], 2> = SeqLock::new([1_700_000_000, 5]);
//! time.try_write([1_700_000_001, 0]).unwrap();
//! assert_eq!(time.read(core::hint::spin_loop), [1_700_000_001, 0]);
//! ```

use crate::primitive::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use core::marker::PhantomData;

/// The counter: odd while a writer is busy. It wraps at 2^32; a reader would have to sleep through
/// exactly 2^31 writes to be fooled, as in Linux.
#[doc(alias = "seqcount_t")]
pub struct SeqCount(AtomicU32);

/// The even count under which a read began.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Sequence(u32);

/// Another writer is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterBusy;

/// A write in progress; ends when dropped.
#[must_use]
pub struct SeqWrite<'a> {
    count: &'a SeqCount,
    odd: u32,
}

impl SeqCount {
    /// A counter without writer.
    #[doc(alias = "seqcount_init")]
    pub fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Begins a read; `None` while a writer is busy.
    #[doc(alias = "raw_seqcount_try_begin")]
    pub fn try_begin(&self) -> Option<Sequence> {
        let seq = self.0.load(Acquire);
        seq.is_multiple_of(2).then_some(Sequence(seq))
    }

    /// Whether what was read since is torn or old and must be read again.
    #[doc(alias = "read_seqcount_retry")]
    #[must_use]
    pub fn retry(&self, begun: Sequence) -> bool {
        fence(Acquire);
        self.0.load(Relaxed) != begun.0
    }

    /// Begins a write.
    ///
    /// # Errors
    /// [`WriterBusy`] if another has begun and not ended: the callers' own lock is missing.
    #[doc(alias = "write_seqcount_begin")]
    pub fn try_write(&self) -> Result<SeqWrite<'_>, WriterBusy> {
        let even = self.0.load(Relaxed) & !1;
        let odd = even + 1;
        let claimed = self.0.compare_exchange(even, odd, Acquire, Relaxed);
        claimed.map_err(|_| WriterBusy)?;
        fence(Release);
        Ok(SeqWrite { count: self, odd })
    }

    /// Ends the write of a writer that is gone for good, if there was one. The caller holds the writers' lock.
    pub fn end_abandoned(&self) {
        let seq = self.0.load(Relaxed);
        self.0.store(seq.wrapping_add(seq & 1), Release);
    }
}

impl Default for SeqCount {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SeqWrite<'_> {
    fn drop(&mut self) {
        self.count.0.store(self.odd.wrapping_add(1), Release);
    }
}

/// A value that can be taken apart into `N` words and put together again.
pub trait Words<const N: usize>: Copy {
    /// Takes it apart.
    fn into_words(self) -> [u64; N];
    /// Puts it together. Only words of one `into_words` are given.
    fn from_words(words: [u64; N]) -> Self;
}

impl<const N: usize> Words<N> for [u64; N] {
    fn into_words(self) -> [u64; N] {
        self
    }

    fn from_words(words: [u64; N]) -> Self {
        words
    }
}

/// A value of `N` words under a sequence counter.
#[doc(alias = "seqlock_t")]
pub struct SeqLock<T, const N: usize> {
    count: SeqCount,
    words: [AtomicU64; N],
    value: PhantomData<fn(T) -> T>,
}

impl<T: Words<N>, const N: usize> SeqLock<T, N> {
    /// Holds a first value.
    pub fn new(value: T) -> Self {
        Self { count: SeqCount::new(), words: value.into_words().map(AtomicU64::new), value: PhantomData }
    }

    /// The value; `None` if a writer was busy or came between.
    pub fn try_read(&self) -> Option<T> {
        let begun = self.count.try_begin()?;
        let words = self.load();
        (!self.count.retry(begun)).then(|| T::from_words(words))
    }

    /// The value. `relax` is called before each repetition.
    #[doc(alias = "read_seqbegin")]
    #[doc(alias = "read_seqretry")]
    pub fn read(&self, mut relax: impl FnMut()) -> T {
        loop {
            match self.try_read() {
                Some(value) => return value,
                None => relax(),
            }
        }
    }

    /// As [`SeqCount::end_abandoned`].
    pub fn end_abandoned(&self) {
        self.count.end_abandoned();
    }

    /// Stores a value.
    ///
    /// # Errors
    /// [`WriterBusy`] as for [`SeqCount::try_write`].
    #[doc(alias = "write_seqlock")]
    pub fn try_write(&self, value: T) -> Result<(), WriterBusy> {
        self.try_update(|_| value)
    }

    /// Stores what `change` makes of the value.
    ///
    /// # Errors
    /// [`WriterBusy`] as for [`SeqCount::try_write`]; `change` is not called then.
    pub fn try_update(&self, change: impl FnOnce(T) -> T) -> Result<(), WriterBusy> {
        let writing = self.count.try_write()?;
        let new = change(T::from_words(self.load())).into_words();
        for (word, new) in self.words.iter().zip(new) {
            word.store(new, Relaxed);
        }
        drop(writing);
        Ok(())
    }

    fn load(&self) -> [u64; N] {
        self.words.each_ref().map(|word| word.load(Relaxed))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::testing::steps;

    #[test]
    fn a_reader_meets_a_busy_writer() {
        let count = SeqCount::new();
        let begun = count.try_begin().unwrap();
        assert!(!count.retry(begun));
        let writing = count.try_write().unwrap();
        assert!(count.try_begin().is_none() && count.try_write().is_err());
        assert!(count.retry(begun));
        drop(writing);
        assert!(count.retry(begun) && !count.retry(count.try_begin().unwrap()));
    }

    #[test]
    fn the_counter_wraps() {
        let count = SeqCount(AtomicU32::new(u32::MAX - 1));
        let begun = count.try_begin().unwrap();
        drop(count.try_write().unwrap());
        assert!(count.retry(begun));
        assert_eq!(count.0.load(Relaxed), 0);
    }

    #[test]
    fn readers_never_see_half_a_value() {
        let lock: SeqLock<[u64; 4], 4> = SeqLock::new([0; 4]);
        let last = u64::from(steps(100_000, 100));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut seen = 0;
                    while seen < last {
                        let [first, rest @ ..] = lock.read(std::thread::yield_now);
                        assert_eq!(rest, [first; 3]);
                        assert!(first >= seen);
                        seen = first;
                    }
                });
            }
            (1..=last).for_each(|n| lock.try_update(|old| old.map(|_| n)).unwrap());
        });
    }
}
