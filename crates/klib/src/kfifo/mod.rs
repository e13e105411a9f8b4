//! Byte (or record) queue in a ring of a power-of-two size, lock-free for one reader and one writer.
//!
//! Linux: include/linux/kfifo.h, lib/kfifo.c (6.12).
//! Differs: "one reader, one writer" is two values, [`KfifoIn`] and [`KfifoOut`], and not a
//! comment; the whole queue through `&mut` needs neither.
//! Locking: none between one reader and one writer. Several of one kind put their half in a lock.
//! Memory order: each index is written by one side only, with Release, and read by the other with
//! Acquire:
//!
//! ```text
//!   writer                                reader
//!   load out (Acquire)  <───────────────  store out (Release)    the elements before are read
//!   fill elements [in ..]                 load in (Acquire)  <─┐
//!   store in (Release) ──────────────┐    use elements [out ..] │
//!                                    └──────────────────────────┘  the elements are written
//! ```
//!
//! # In Linux
//! `in` and `out` are `unsigned int` and only ever grow; they are cut to the buffer (`& mask`)
//! when an element is touched, never when they are stored. So `in - out`, computed modulo 2^32, is
//! the number of elements stored, also when `in` has wrapped and `out` has not; empty (`in == out`)
//! and full (`in - out == size`) differ; and no element is wasted. It needs a size that divides
//! 2^32, a power of two. Lengths are cut to what there is, so that any length may be asked.
//!
//! # Here
//! The same. The indices can be read and set ([`Kfifo::set_indices`]), which is how tests, and
//! demofs's `debug` file, bring the wrap near.
//!
//! ```
//! use acrida_klib::kfifo::Kfifo;
//! let mut fifo: Kfifo<u8> = Kfifo::new(64);
//! fifo.set_indices(u32::MAX, u32::MAX).unwrap();
//! assert_eq!(fifo.put(b"across the wrap"), 15);
//! assert_eq!(fifo.indices(), (14, u32::MAX));
//! let mut read = [0; 6];
//! assert_eq!(fifo.get(&mut read), 6);
//! assert_eq!(&read, b"across");
//! ```

mod halves;
#[cfg(all(test, not(loom)))]
mod tests;

pub use halves::{KfifoIn, KfifoOut};

use crate::primitive::{
    Arc, AtomicU32, Buffer,
    Ordering::{Acquire, Relaxed},
};
use core::ops::Range;

/// The largest number of elements: the fill must fit in 32 bits.
pub const MAX_SIZE: u32 = 1 << 31;

/// The queue as a whole. `&Kfifo` tells how full it is; `&mut Kfifo` moves elements.
///
/// # Invariants
/// The buffer's length is a power of two up to [`MAX_SIZE`]; `in - out` (modulo 2^32) is not more than that.
#[doc(alias = "DECLARE_KFIFO")]
pub struct Kfifo<T> {
    buffer: Buffer<T>,
    #[doc(alias = "in")]
    enter: AtomicU32,
    #[doc(alias = "out")]
    leave: AtomicU32,
}

// SAFETY: through `&Kfifo` only the counters are reached. Elements move from the thread that has
// the `KfifoIn` to the one that has the `KfifoOut`, so they have to be `Send`.
unsafe impl<T: Send> Sync for Kfifo<T> {}

/// The indices asked for are further apart than the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadIndices;

impl<T: Copy + Default> Kfifo<T> {
    /// A queue for `size` elements, rounded up to a power of two.
    ///
    /// # Panics
    /// If `size` is above [`MAX_SIZE`].
    #[doc(alias = "kfifo_alloc")]
    pub fn new(size: u32) -> Self {
        assert!(size <= MAX_SIZE, "kfifo of {size} elements");
        let buffer = Buffer::new(size.next_power_of_two() as usize);
        Self { buffer, enter: AtomicU32::new(0), leave: AtomicU32::new(0) }
    }

    /// Puts in as many elements as there is room for; how many.
    #[doc(alias = "kfifo_in")]
    pub fn put(&mut self, elements: &[T]) -> usize {
        self.split().0.put(elements)
    }

    /// Takes out as many elements as there are and fit; how many.
    #[doc(alias = "kfifo_out")]
    pub fn get(&mut self, elements: &mut [T]) -> usize {
        self.split().1.get(elements)
    }

    /// Both halves, borrowed: for two scoped users, and for the calls that only a half has.
    pub fn split(&mut self) -> (KfifoIn<T, &Self>, KfifoOut<T, &Self>) {
        let fifo: &Self = self;
        // INVARIANT of the halves: the mutable borrow shows that there are no others.
        (KfifoIn::new(fifo), KfifoOut::new(fifo))
    }

    /// Both halves, to be kept apart: each under its own lock, or with its own thread.
    pub fn into_halves(self) -> (KfifoIn<T>, KfifoOut<T>) {
        let fifo = Arc::new(self);
        // INVARIANT of the halves: the queue came in by value, so there are no others.
        (KfifoIn::new(fifo.clone()), KfifoOut::new(fifo))
    }
}

impl<T> Kfifo<T> {
    /// How many elements fit.
    #[doc(alias = "kfifo_size")]
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// How many elements are stored. While both halves are in use the answer is one that was true
    /// at some time for each side, and never above the capacity.
    #[doc(alias = "kfifo_len")]
    pub fn len(&self) -> usize {
        // `out` first: read the other way round it could be seen ahead of `in`.
        let leave = self.leave.load(Acquire);
        let enter = self.enter.load(Acquire);
        (enter.wrapping_sub(leave) as usize).min(self.capacity())
    }

    /// How many elements there is room for.
    #[doc(alias = "kfifo_avail")]
    pub fn available(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Whether nothing is stored.
    #[doc(alias = "kfifo_is_empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room.
    #[doc(alias = "kfifo_is_full")]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The free-running indices `(in, out)`.
    pub fn indices(&self) -> (u32, u32) {
        let leave = self.leave.load(Acquire);
        (self.enter.load(Acquire), leave)
    }

    /// Sets the indices `(in, out)`. The elements stored are then what the buffer holds there.
    ///
    /// # Errors
    /// [`BadIndices`] if `in - out` is more than the capacity; nothing is changed then.
    pub fn set_indices(&mut self, enter: u32, leave: u32) -> Result<(), BadIndices> {
        if enter.wrapping_sub(leave) as usize > self.capacity() {
            return Err(BadIndices);
        }
        self.enter.store(enter, Relaxed);
        self.leave.store(leave, Relaxed);
        Ok(())
    }

    /// Forgets what is stored.
    #[doc(alias = "kfifo_reset")]
    pub fn reset(&mut self) {
        self.enter.store(0, Relaxed);
        self.leave.store(0, Relaxed);
    }

    /// Where `len` elements from a free-running index on lie: one piece, or two around the end.
    fn pieces(&self, index: u32, len: usize) -> [Range<usize>; 2] {
        let start = index as usize & (self.capacity() - 1);
        let first = len.min(self.capacity() - start);
        [start..start + first, 0..len - first]
    }
}
