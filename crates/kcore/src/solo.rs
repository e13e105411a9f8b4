//! A lock that its only user need not take to read.
//!
//! Mirrors: fs/file.c (`__fget_light`: "if the table is not shared"), Linux 6.18, as a type.
//! Differs: Linux counts the users of one kind of table; here a thread owns the data, and whoever breaks that is stopped.
//!
//! The owner is the one thread that changes the data. It changes them under the lock, so others can read them under it;
//! it reads them without. Data without an owner are under the lock for everybody.
//!
//! [`SoloLock::light`] goes one step further, as `fdget` does: the owner uses an object that the data refer to without counting
//! itself (12 ns of a call of 25), since nobody else can take the object away meanwhile. Should the owner itself come to
//! change the data while it uses the object, it is counted first:
//! ```text
//!   light() ─► Thread::uncounted = object ──── lock() or the lock's drop: object counted, `counted` set
//!                     │                                    │
//!              Light dropped: cleared        Light dropped: the count given back
//! ```
//!
//! Locking: a leaf lock, held only in this file's functions and by [`SoloGuard`].
//! Memory order: the owner sees its own stores; a change of owner happens under the lock, or by the old owner itself.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::sync::{SpinLock, SpinLockGuard};
use crate::thread::{Thread, current};

/// Data that one thread, or several, may change.
///
/// # Invariants
/// While `owner` is a thread, no other thread makes a `&mut T`; the owner makes one only under the lock, and only while
/// it has no `&T` (`busy`). An object that the owner uses uncounted was referred to by data of a lock that it owns, and stays
/// so until [`count_uncounted`] ran.
pub struct SoloLock<T> {
    lock: SpinLock<()>,
    /// Address of the owner's record, or 0.
    owner: AtomicUsize,
    /// The owner has a reference into the data. Used by the owner only.
    busy: AtomicBool,
    /// The owner may be using an object uncounted.
    lit: AtomicBool,
    data: ManuallyDrop<UnsafeCell<T>>,
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
        let data = ManuallyDrop::new(UnsafeCell::new(data));
        let (busy, lit) = (AtomicBool::new(false), AtomicBool::new(false));
        SoloLock { lock: SpinLock::new(()), owner: AtomicUsize::new(0), busy, lit, data }
    }

    /// Data that only `thread` may change.
    pub fn owned_by(thread: &Thread, data: T) -> Self {
        let solo = SoloLock::shared(data);
        solo.owner.store(address(thread), Ordering::Relaxed);
        solo
    }

    /// Whether the caller owns the data: then nobody else changes them, and it may look without the lock.
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == address(current())
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

    /// An object that the data refer to, found by `find`: uncounted for the owner, as long as it uses no other in this way.
    #[inline(always)]
    #[doc(alias = "__fget_light")]
    pub fn light<U: Send + Sync + 'static>(&self, find: impl FnOnce(&T) -> Option<&Arc<U>>) -> Option<Light<U>> {
        let me = current();
        if self.owner.load(Ordering::Relaxed) != address(me) || !me.uncounted.object.get().is_null() {
            return self.heavy(find);
        }
        assert!(!self.busy.load(Ordering::Relaxed), "an owner came back to data that it is using");
        // SAFETY: only this thread may make a `&mut`, and it does not while `find` runs, which cannot come back here.
        let object = Arc::as_ptr(find(unsafe { &*self.data.get() })?);
        self.lit.store(true, Ordering::Relaxed);
        me.uncounted.count.set(Some(count::<U>));
        me.uncounted.object.set(object.cast());
        // SAFETY: the data hold a count, and `count_uncounted` takes one before they can lose it; `Light` gives back
        // only what was taken.
        let object = unsafe { Arc::from_raw(object) };
        Some(Light { object: ManuallyDrop::new(object), uncounted: true, _of_one_thread: PhantomData })
    }

    /// [`SoloLock::light`] where the object must be counted.
    #[inline(never)]
    fn heavy<U: Send + Sync + 'static>(&self, find: impl FnOnce(&T) -> Option<&Arc<U>>) -> Option<Light<U>> {
        self.read(|data| find(data).cloned()).map(Light::counted)
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
            count_uncounted();
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

impl<T> Drop for SoloLock<T> {
    /// Data of another thread that may be using what they refer to are lost, not freed. An owner that leaves must therefore
    /// give its data up first, see [`SoloLock::share`] and [`SoloLock::forfeit`].
    fn drop(&mut self) {
        match *self.owner.get_mut() {
            0 => {}
            owner if owner == address(current()) => count_uncounted(),
            _ if *self.lit.get_mut() => return,
            _ => {}
        }
        // SAFETY: dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.data) };
    }
}

/// A reference to an object that is shared, counted only if need be. Of the thread that got it.
pub struct Light<U: 'static> {
    object: ManuallyDrop<Arc<U>>,
    /// It stands in the thread's `uncounted`.
    uncounted: bool,
    _of_one_thread: PhantomData<*const ()>,
}

impl<U> Light<U> {
    /// One that is counted like any other reference.
    pub fn counted(object: Arc<U>) -> Light<U> {
        Light { object: ManuallyDrop::new(object), uncounted: false, _of_one_thread: PhantomData }
    }
}

impl<U> Deref for Light<U> {
    type Target = Arc<U>;
    #[inline]
    fn deref(&self) -> &Arc<U> {
        &self.object
    }
}

impl<U> Drop for Light<U> {
    #[inline]
    fn drop(&mut self) {
        if self.uncounted {
            let uncounted = &current().uncounted;
            uncounted.object.set(core::ptr::null());
            if !uncounted.counted.replace(false) {
                return;
            }
        }
        // SAFETY: this reference has a count of its own, and is dropped once.
        unsafe { ManuallyDrop::drop(&mut self.object) };
    }
}

/// Takes a count of an `Arc<U>` by the address of what it points to.
///
/// # Safety
/// `object` comes from `Arc::as_ptr` of an `Arc<U>` that still exists.
unsafe fn count<U>(object: *const ()) {
    // SAFETY: passed on to the caller.
    unsafe { Arc::increment_strong_count(object.cast::<U>()) };
}

/// Takes a count of what the calling thread uses uncounted: its data are about to change.
fn count_uncounted() {
    let uncounted = &current().uncounted;
    if uncounted.object.get().is_null() || uncounted.counted.get() {
        return;
    }
    if let Some(count) = uncounted.count.get() {
        // SAFETY: by the lock's invariant the data that refer to the object are still unchanged.
        unsafe { count(uncounted.object.get()) };
        uncounted.counted.set(true);
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
