//! Locks that work between processes of one world.
//!
//! Mirrors: kernel/locking/{spinlock,mutex}.c, Linux 6.18.
//! Differs: any holder may be preempted by the host, so there is one kind: spin a little, then sleep on the word. The
//! word is the address of the owner's record, whose life says whether the host killed the owner: then whoever waits frees the
//! lock. A waiter sleeps on both words, so it is woken by either.
//! Memory order: Acquire on lock, Release on unlock.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::{cmp, fmt};

use acrida_trace_format::layout::ARENA_SIZE;

use crate::life::is_killed;
use crate::platform::platform;
use crate::thread::{Thread, current};

/// Somebody sleeps on the word.
const WAITERS: u64 = 1;
/// Nobody holds the lock, or the first to hold it after an owner that was killed.
const OWNER_DIED: u64 = 1 << 63;
const OWNER: u64 = !(WAITERS | OWNER_DIED);
/// Records are aligned to 64 bytes: an owner's address moves down so far that the lower half of the word, on which the host lets
/// waiters sleep, differs for any two records of the arena, and has room for the bit above.
const OWNER_SHIFT: u32 = 5;
/// Rounds of `pause` before sleeping.
const SPINS: u32 = 200;

const _: () = assert!(align_of::<Thread>() > 1 << OWNER_SHIFT && ARENA_SIZE <= 1 << (32 + OWNER_SHIFT));

/// A mutual-exclusion lock around its data.
pub struct SpinLock<T: ?Sized> {
    word: AtomicU64,
    data: UnsafeCell<T>,
}

// SAFETY: the lock hands out one `&mut T` at a time.
unsafe impl<T: ?Sized + Send> Sync for SpinLock<T> {}
// SAFETY: owning the lock owns the data.
unsafe impl<T: ?Sized + Send> Send for SpinLock<T> {}

/// Both locks, taken in the order of their addresses; the second guard is missing if they are one.
#[doc(alias = "double_lock")]
pub fn lock_pair<'a, T>(a: &'a SpinLock<T>, b: &'a SpinLock<T>) -> (SpinLockGuard<'a, T>, Option<SpinLockGuard<'a, T>>) {
    match core::ptr::from_ref(a).cmp(&core::ptr::from_ref(b)) {
        cmp::Ordering::Equal => (a.lock(), None),
        cmp::Ordering::Less => {
            let first = a.lock();
            (first, Some(b.lock()))
        }
        cmp::Ordering::Greater => {
            let second = b.lock();
            (a.lock(), Some(second))
        }
    }
}

impl<T> SpinLock<T> {
    pub const fn new(data: T) -> Self {
        SpinLock { word: AtomicU64::new(0), data: UnsafeCell::new(data) }
    }

    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> SpinLock<T> {
    #[inline]
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        self.lock_or_repair(|_| {})
    }

    /// As [`SpinLock::lock`]; `repair` makes good what an owner that was killed may have left half-done.
    #[inline]
    #[doc(alias = "EOWNERDEAD")]
    pub fn lock_or_repair(&self, repair: impl FnOnce(&mut T)) -> SpinLockGuard<'_, T> {
        let me = owner_word();
        let fast = self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_ok();
        let broken = !fast && self.lock_slow(me);
        let mut guard = SpinLockGuard::new(self);
        if broken {
            repair(&mut guard);
        }
        guard
    }

    #[inline]
    pub fn try_lock(&self) -> Option<SpinLockGuard<'_, T>> {
        let free = self.word.compare_exchange(0, owner_word(), Ordering::Acquire, Ordering::Relaxed).is_ok();
        free.then(|| SpinLockGuard::new(self))
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Whether the last owner was killed.
    #[cold]
    #[inline(never)]
    fn lock_slow(&self, me: u64) -> bool {
        let mut spins = 0;
        loop {
            let seen = self.word.load(Ordering::Acquire);
            if seen & OWNER == 0 {
                // Whoever came the slow way keeps the waiters bit: others may still sleep.
                let take = me | seen | if spins >= SPINS { WAITERS } else { 0 };
                if self.word.compare_exchange_weak(seen, take, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                    return seen & OWNER_DIED != 0;
                }
                continue;
            }
            assert!(seen & OWNER != me, "a thread took a lock that it holds");
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
            let life = life_of_owner(seen);
            let alive = life.load(Ordering::Acquire);
            if is_killed(alive) {
                self.take_from_the_dead(seen | WAITERS, life);
            } else {
                platform().wait_lock(&self.word, seen | WAITERS, life, alive);
            }
        }
    }

    /// Frees the word, whose owner was killed from outside. Objects change state by one store where possible, so the survivors
    /// go on with what they find. The record of a thread that was killed with a lock is never another's, so the word
    /// cannot have come to name a living owner in the same way.
    #[cold]
    fn take_from_the_dead(&self, seen: u64, life: &AtomicU32) {
        // A lost race means that somebody else freed it first.
        if self.word.compare_exchange(seen, WAITERS | OWNER_DIED, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // The host has woken one of those who wait for its locks.
            platform().wake_life(life);
        }
    }

    #[cold]
    #[inline(never)]
    fn wake_next(&self) {
        platform().wake_lock(&self.word);
    }
}

#[inline]
fn owner_word() -> u64 {
    core::ptr::from_ref(current()).expose_provenance() as u64 >> OWNER_SHIFT
}

/// The word that says whether the owner lives. It may have let the lock go and ended since `seen` was read: then this is the life
/// of nobody, or of the record's next user, and the lock's word has changed.
fn life_of_owner(seen: u64) -> &'static AtomicU32 {
    let owner = core::ptr::with_exposed_provenance::<Thread>(((seen & OWNER) << OWNER_SHIFT) as usize);
    // SAFETY: the address of a record, whose memory stays a record's (see `Thread::free`); the life is made of atomics.
    unsafe { &(*owner).life }.word()
}

/// The right to use the data; unlocks when dropped.
#[must_use]
pub struct SpinLockGuard<'a, T: ?Sized> {
    lock: &'a SpinLock<T>,
}

impl<'a, T: ?Sized> SpinLockGuard<'a, T> {
    #[inline]
    fn new(lock: &'a SpinLock<T>) -> Self {
        #[cfg(debug_assertions)]
        current().locks_held.fetch_add(1, Ordering::Relaxed);
        SpinLockGuard { lock }
    }
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
        #[cfg(debug_assertions)]
        current().locks_held.fetch_sub(1, Ordering::Relaxed);
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
        f.debug_struct("SpinLock").field("locked", &(self.word.load(Ordering::Relaxed) != 0)).finish_non_exhaustive()
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
