//! The writer's and the reader's half of a kfifo.
//!
//! Linux: `__kfifo_in`, `__kfifo_out`, `__kfifo_from_user`, `__kfifo_to_user` in lib/kfifo.c (6.12).
//! Differs: elements are filled and drained in place through a closure, which also serves copies
//! from and to user memory; only as much as the closure did is counted.
//! Locking and memory order: see the module above.

use super::Kfifo;
use crate::primitive::{
    Arc,
    Ordering::{Acquire, Relaxed, Release},
};
use core::marker::PhantomData;
use core::ops::Deref;

/// The only half that puts elements in.
///
/// # Invariants
/// There is one `KfifoIn` per queue, and only it stores `enter`.
pub struct KfifoIn<T, K = Arc<Kfifo<T>>> {
    fifo: K,
    elements: PhantomData<T>,
}

/// The only half that takes elements out.
///
/// # Invariants
/// There is one `KfifoOut` per queue, and only it stores `leave`.
pub struct KfifoOut<T, K = Arc<Kfifo<T>>> {
    fifo: K,
    elements: PhantomData<T>,
}

impl<T: Copy, K: Deref<Target = Kfifo<T>>> KfifoIn<T, K> {
    pub(super) fn new(fifo: K) -> Self {
        Self { fifo, elements: PhantomData }
    }

    /// The queue, to ask how full it is.
    pub fn fifo(&self) -> &Kfifo<T> {
        &self.fifo
    }

    /// Puts in as many elements as there is room for; how many.
    #[doc(alias = "kfifo_in")]
    pub fn put(&mut self, elements: &[T]) -> usize {
        let mut rest = elements;
        self.put_with(elements.len(), |piece| {
            let (now, later) = rest.split_at(piece.len());
            piece.copy_from_slice(now);
            rest = later;
            piece.len()
        })
    }

    /// Lets `fill` write up to `len` elements in place, in one piece or two; it says how many it
    /// wrote, and fewer than the piece has end the call. Any length may be asked.
    #[doc(alias = "kfifo_from_user")]
    pub fn put_with(&mut self, len: usize, mut fill: impl FnMut(&mut [T]) -> usize) -> usize {
        let enter = self.fifo.enter.load(Relaxed);
        let leave = self.fifo.leave.load(Acquire);
        let room = self.fifo.capacity() - enter.wrapping_sub(leave) as usize;
        let mut done = 0;
        for piece in self.fifo.pieces(enter, len.min(room)) {
            let wanted = piece.len();
            if wanted == 0 {
                break;
            }
            // SAFETY: the elements from `in` on, as many as there is room, belong to the one
            // KfifoIn: the reader has left them (Acquire) and sees them only after the store below.
            let wrote = unsafe { self.fifo.buffer.write(piece, &mut fill) }.min(wanted);
            done += wrote;
            if wrote < wanted {
                break;
            }
        }
        // INVARIANT: done <= room <= 2^31, so nothing is cut and the fill stays within the size.
        self.fifo.enter.store(enter.wrapping_add(done as u32), Release);
        done
    }
}

impl<T: Copy, K: Deref<Target = Kfifo<T>>> KfifoOut<T, K> {
    pub(super) fn new(fifo: K) -> Self {
        Self { fifo, elements: PhantomData }
    }

    /// The queue, to ask how full it is.
    pub fn fifo(&self) -> &Kfifo<T> {
        &self.fifo
    }

    /// Takes out as many elements as there are and fit; how many.
    #[doc(alias = "kfifo_out")]
    pub fn get(&mut self, elements: &mut [T]) -> usize {
        let len = self.peek(elements);
        self.skip(len)
    }

    /// Copies as many elements as there are and fit, and leaves them; how many.
    #[doc(alias = "kfifo_out_peek")]
    pub fn peek(&mut self, elements: &mut [T]) -> usize {
        let mut done = 0;
        self.look(elements.len(), |piece| {
            elements[done..done + piece.len()].copy_from_slice(piece);
            done += piece.len();
            piece.len()
        })
    }

    /// Lets `drain` read up to `len` elements in place, in one piece or two; it says how many it
    /// took, and fewer than the piece has end the call. Any length may be asked.
    #[doc(alias = "kfifo_to_user")]
    pub fn get_with(&mut self, len: usize, drain: impl FnMut(&[T]) -> usize) -> usize {
        let done = self.look(len, drain);
        self.skip(done)
    }

    /// Drops up to `len` elements; how many. Any length may be asked.
    #[doc(alias = "kfifo_skip_count")]
    pub fn skip(&mut self, len: usize) -> usize {
        let leave = self.fifo.leave.load(Relaxed);
        let len = len.min(self.stored(leave));
        // INVARIANT: len <= the fill, so `out` does not pass `in`, and it fits in 32 bits.
        self.fifo.leave.store(leave.wrapping_add(len as u32), Release);
        len
    }

    fn stored(&self, leave: u32) -> usize {
        self.fifo.enter.load(Acquire).wrapping_sub(leave) as usize
    }

    fn look(&mut self, len: usize, mut with: impl FnMut(&[T]) -> usize) -> usize {
        let leave = self.fifo.leave.load(Relaxed);
        let mut done = 0;
        for piece in self.fifo.pieces(leave, len.min(self.stored(leave))) {
            let wanted = piece.len();
            if wanted == 0 {
                break;
            }
            // SAFETY: the elements from `out` up to `in` are written (Acquire in `stored`), and
            // the writer touches them again only after `out` has passed them.
            let took = unsafe { self.fifo.buffer.read(piece, &mut with) }.min(wanted);
            done += took;
            if took < wanted {
                break;
            }
        }
        done
    }
}
