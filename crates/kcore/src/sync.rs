//! Locks that work between processes of one world.
//!
//! Mirrors: kernel/locking/{spinlock,mutex}.c, Linux 6.18.
//! Differs: any holder may be preempted by the host, so there is one kind: spin a little, then sleep on the word. The
//! word names the owner's host thread, so that a lock whose owner was killed from outside is found by whoever waits.
//! Memory order: Acquire on lock, Release on unlock.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use crate::platform::platform;
use crate::thread::current;

/// Somebody sleeps on the word.
const WAITERS: u32 = 1 << 31;
/// Rounds of `pause` before sleeping.
const SPINS: u32 = 200;
/// How long a waiter sleeps before it asks whether the owner still lives.
const CHECK_OWNER_NS: u64 = 20_000_000;

/// A mutual-exclusion lock around its data.
pub struct SpinLock<T: ?Sized> {
    word: AtomicU32,
    data: UnsafeCell<T>,
}

// SAFETY: the lock hands out one `&mut T` at a time.
unsafe impl<T: ?Sized + Send> Sync for SpinLock<T> {}
// SAFETY: owning the lock owns the data.
unsafe impl<T: ?Sized + Send> Send for SpinLock<T> {}

impl<T> SpinLock<T> {
    pub const fn new(data: T) -> Self {
        SpinLock { word: AtomicU32::new(0), data: UnsafeCell::new(data) }
    }

    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> SpinLock<T> {
    #[inline]
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        let me = owner_word();
        if self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_slow(me);
        }
        SpinLockGuard { lock: self }
    }

    #[inline]
    pub fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        let free = self.word.compare_exchange(0, owner_word(), Ordering::Acquire, Ordering::Relaxed).is_ok();
        free.then(|| SpinLockGuard { lock: self })
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    #[cold]
    #[inline(never)]
    fn lock_slow(&self, me: u32) {
        let mut spins = 0;
        loop {
            let seen = self.word.load(Ordering::Relaxed);
            if seen & !WAITERS == 0 {
                // Whoever came the slow way keeps the waiters bit: others may still sleep.
                let take = if spins >= SPINS { me | WAITERS } else { me | (seen & WAITERS) };
                if self.word.compare_exchange_weak(seen, take, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                    return;
                }
                continue;
            }
            assert!(seen & !WAITERS != me, "a thread took a lock that it holds");
            if spins < SPINS {
                spins += 1;
                core::hint::spin_loop();
                continue;
            }
            if seen & WAITERS == 0
                && self.word.compare_exchange(seen, seen | WAITERS, Ordering::Relaxed, Ordering::Relaxed).is_err()
            {
                continue;
            }
            if !platform().wait_word(&self.word, seen | WAITERS, CHECK_OWNER_NS) {
                self.take_from_the_dead();
            }
        }
    }

    /// Frees the word when its owner was killed from outside. Objects change state by one store where possible, so
    /// the survivors go on with what they find.
    #[cold]
    fn take_from_the_dead(&self) {
        let seen = self.word.load(Ordering::Relaxed);
        let owner = seen & !WAITERS;
        if owner != 0 && !platform().thread_alive(owner) {
            // A lost race means that somebody else freed it first.
            let _ = self.word.compare_exchange(seen, seen & WAITERS, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_next(&self) {
        platform().wake_word(&self.word, 1);
    }
}

#[inline]
fn owner_word() -> u32 {
    current().host_tid.load(Ordering::Relaxed)
}

/// The right to use the data; unlocks when dropped.
#[must_use]
pub struct SpinLockGuard<'a, T: ?Sized> {
    lock: &'a SpinLock<T>,
}

impl<T: ?Sized> Deref for SpinLockGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard exists only while the lock is held.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for SpinLockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard exists only while the lock is held, and is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized> Drop for SpinLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.lock.word.swap(0, Ordering::Release) & WAITERS != 0 {
            self.lock.wake_next();
        }
    }
}

impl<T: Default> Default for SpinLock<T> {
    fn default() -> Self {
        SpinLock::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for SpinLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpinLock").field("owner", &(self.word.load(Ordering::Relaxed) & !WAITERS)).finish_non_exhaustive()
    }
}

/// A value set once, early, and read for ever.
///
/// # Invariants
/// The value is there, and is not written again, once `state` is [`SET`].
pub struct SetOnce<T> {
    state: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

const UNSET: u32 = 0;
const BEING_SET: u32 = 1;
const SET: u32 = 2;

// SAFETY: written by the one thread that wins the state, read only after it was published.
unsafe impl<T: Send + Sync> Sync for SetOnce<T> {}

impl<T> SetOnce<T> {
    pub const fn new() -> Self {
        SetOnce { state: AtomicU32::new(UNSET), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Sets the value; `Err` gives it back when it was set before.
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.state.compare_exchange(UNSET, BEING_SET, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return Err(value);
        }
        // SAFETY: only the winner of the exchange gets here, and readers wait for the state that follows.
        unsafe { *self.value.get() = MaybeUninit::new(value) };
        // INVARIANT: it is there, and the exchange lets nobody in again.
        self.state.store(SET, Ordering::Release);
        Ok(())
    }

    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) != SET {
            return None;
        }
        // SAFETY: by the invariant nobody writes it any more.
        let value = unsafe { &*self.value.get() };
        // SAFETY: by the invariant it is there.
        Some(unsafe { value.assume_init_ref() })
    }
}

impl<T> Drop for SetOnce<T> {
    fn drop(&mut self) {
        if *self.state.get_mut() == SET {
            // SAFETY: by the invariant it is there; nothing reads it after this.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        SetOnce::new()
    }
}
