//! The machine under the lock-free modules: atomics, fences, references, a shared buffer.
//!
//! Linux: include/linux/atomic.h, arch/x86/include/asm/barrier.h (6.12).
//! Differs: C11 orders by name; under `--cfg loom` everything here is loom's, which then runs
//! every interleaving (tests/loom.rs).
//! Memory order: nothing is decided here.

#[cfg(not(loom))]
pub(crate) use {
    alloc::sync::Arc,
    core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};
#[cfg(loom)]
pub(crate) use {
    loom::sync::Arc,
    loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::ops::Range;

/// A fixed array whose parts are handed out by a protocol that the compiler cannot see.
pub(crate) struct Buffer<T> {
    cells: Box<[UnsafeCell<T>]>,
    /// One per element: loom complains when two accesses to it are not ordered.
    #[cfg(loom)]
    witnesses: Box<[loom::cell::UnsafeCell<()>]>,
}

impl<T: Copy + Default> Buffer<T> {
    pub(crate) fn new(len: usize) -> Self {
        Self {
            cells: (0..len).map(|_| UnsafeCell::new(T::default())).collect(),
            #[cfg(loom)]
            witnesses: (0..len).map(|_| loom::cell::UnsafeCell::new(())).collect(),
        }
    }
}

impl<T> Buffer<T> {
    pub(crate) const fn len(&self) -> usize {
        self.cells.len()
    }

    /// # Safety
    /// Nobody writes an element of the range during the call.
    pub(crate) unsafe fn read<R>(&self, range: Range<usize>, with: impl FnOnce(&[T]) -> R) -> R {
        #[cfg(loom)]
        self.witnesses[range.clone()].iter().for_each(|witness| witness.with(|_| ()));
        let part = &raw const self.cells[range];
        // SAFETY: UnsafeCell<T> has the layout of T, and nobody writes it, by the caller's word.
        with(unsafe { &*(part as *const [T]) })
    }

    /// # Safety
    /// Nobody else reads or writes an element of the range during the call.
    pub(crate) unsafe fn write<R>(&self, range: Range<usize>, with: impl FnOnce(&mut [T]) -> R) -> R {
        #[cfg(loom)]
        self.witnesses[range.clone()].iter().for_each(|witness| witness.with_mut(|_| ()));
        let part = &self.cells[range];
        let start = UnsafeCell::raw_get(part.as_ptr());
        // SAFETY: the elements lie in the array, UnsafeCell lets them be written through a shared
        // borrow, and nobody else uses them, by the caller's word.
        with(unsafe { core::slice::from_raw_parts_mut(start, part.len()) })
    }
}
