//! A lock that its only user need not take to read.
//!
//! Mirrors: fs/file.c (`__fget_light`: "if the table is not shared"), Linux 6.18, as a type; see [`crate::light`] for the table.
//! Differs: Linux counts the users of one kind of table; here a thread owns the data, and whoever breaks that is stopped.
//!
//! The owner is the one thread that changes the data. It changes them under the lock, so others can read them under it;
//! it reads them without. Data without an owner are under the lock for everybody.
//!
//! Locking: a leaf lock, held only in this file's functions and by [`SoloGuard`].
//! Memory order: the owner sees its own stores; a change of owner happens under the lock, or by the old owner itself.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::sync::{SpinLock, SpinLockGuard};
use crate::thread::{Thread, current};

/// Data that one thread, or several, may change.
///
/// # Invariants
/// While `owner` is a thread, no other thread makes a `&mut T`; the owner makes one only under the lock, and only while
/// it has no `&T` (`busy`).
pub struct SoloLock<T> {
    lock: SpinLock<()>,
    /// Address of the owner's record, or 0.
    owner: AtomicUsize,
    /// The owner has a reference into the data. Used by the owner only.
    busy: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: references to the data are handed out under the lock, or to the owner, whose exclusion is the invariant.
unsafe impl<T: Send + Sync> Sync for SoloLock<T> {}
// SAFETY: owning the lock owns the data.
unsafe impl<T: Send> Send for SoloLock<T> {}

fn address(thread: &Thread) -> usize {
    core::ptr::from_ref(thread).addr()
}

impl<T> SoloLock<T> {
    /// Data that any thread may change.
    pub const fn shared(data: T) -> Self {
        let (owner, busy) = (AtomicUsize::new(0), AtomicBool::new(false));
        SoloLock { lock: SpinLock::new(()), owner, busy, data: UnsafeCell::new(data) }
    }

    /// Data that only `thread` may change.
    pub fn owned_by(thread: &Thread, data: T) -> Self {
        let mut solo = SoloLock::shared(data);
        solo.give_to(thread);
        solo
    }

    /// Makes `thread` the only one that may change the data.
    pub(crate) fn give_to(&mut self, thread: &Thread) {
        *self.owner.get_mut() = address(thread);
    }

    /// Whether the caller owns the data: then nobody else changes them, and it may look without the lock.
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.belongs_to(current())
    }

    #[inline]
    pub(crate) fn belongs_to(&self, thread: &Thread) -> bool {
        self.owner.load(Ordering::Relaxed) == address(thread)
    }

    /// Whether any thread may change the data.
    pub(crate) fn is_shared(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == 0
    }

    /// Looks at the data; the owner does so without the lock. `look` must not come back to this lock.
    ///
    /// # Panics
    /// When the owner is already looking or changing.
    #[inline(always)]
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        if !self.is_mine() {
            return self.read_locked(look);
        }
        assert!(!self.busy.swap_relaxed(true), "an owner came back to data that it is using");
        // SAFETY: only this thread may make a `&mut`, and `busy` keeps it from doing so.
        let result = look(unsafe { &*self.data.get() });
        self.busy.store(false, Ordering::Relaxed);
        result
    }

    /// [`SoloLock::read`] of who does not own the data. Apart, so that the owner's way is short enough to be inlined.
    #[inline(never)]
    fn read_locked<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        let _guard = self.lock.lock();
        // SAFETY: a `&mut` exists only under the lock.
        look(unsafe { &*self.data.get() })
    }

    /// The right to change the data.
    ///
    /// # Panics
    /// When another thread owns them, or the caller is looking at them.
    pub fn lock(&self) -> SoloGuard<'_, T> {
        let guard = self.lock.lock();
        let owner = self.owner.load(Ordering::Relaxed);
        let mine = owner == address(current());
        assert!(owner == 0 || mine, "data of one thread changed by another");
        if mine {
            assert!(!self.busy.swap_relaxed(true), "an owner changes data that it is using");
        }
        SoloGuard { solo: self, mine, _guard: guard }
    }

    /// Lets every thread change the data from now on; called by the owner before another gets the chance.
    ///
    /// # Panics
    /// When another thread owns the data.
    pub fn share(&self) {
        drop(self.lock());
        self.owner.store(0, Ordering::Release);
    }

    /// Makes the caller the owner of data that nobody else will change any more.
    ///
    /// # Panics
    /// When another thread owns the data.
    pub fn adopt(&self) {
        let guard = self.lock();
        self.owner.store(address(current()), Ordering::Relaxed);
        drop(guard);
    }

    /// Lets every thread change the data of an owner whose host thread is gone.
    pub fn forfeit(&self, dead: &Thread) {
        let _guard = self.lock.lock();
        if self.owner.load(Ordering::Relaxed) == address(dead) && dead.life.is_over() {
            self.owner.store(0, Ordering::Relaxed);
        }
    }
}

/// `swap` for a flag that one thread uses: no locked instruction.
trait SwapRelaxed {
    fn swap_relaxed(&self, value: bool) -> bool;
}

impl SwapRelaxed for AtomicBool {
    #[inline]
    fn swap_relaxed(&self, value: bool) -> bool {
        let old = self.load(Ordering::Relaxed);
        self.store(value, Ordering::Relaxed);
        old
    }
}

/// The right to change the data; ends when dropped.
#[must_use]
pub struct SoloGuard<'a, T> {
    solo: &'a SoloLock<T>,
    mine: bool,
    _guard: SpinLockGuard<'a, ()>,
}

impl<T> Deref for SoloGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is held, and an owner that is not the holder makes no `&mut` without it.
        unsafe { &*self.solo.data.get() }
    }
}

impl<T> DerefMut for SoloGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held by the owner, which has no other reference (`busy`), or there is no owner.
        unsafe { &mut *self.solo.data.get() }
    }
}

impl<T> Drop for SoloGuard<'_, T> {
    fn drop(&mut self) {
        if self.mine {
            self.solo.busy.store(false, Ordering::Relaxed);
        }
    }
}
