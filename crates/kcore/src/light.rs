//! A table of references that anybody looks into without a lock, and its only user without counting.
//!
//! Mirrors: fs/file.c (`fdget`, `__fget_files_rcu`, `expand_fdtable`), Linux 6.18.
//! Differs: a table that is too small gets one more segment, as long as all before it, and none of them moves; so there is no old
//! array that readers might still be in. "Shared or not" is who owns the lock (solo.rs).
//!
//! The table's owner uses an object that the table refers to without counting itself (12 ns of a call of 25), since nobody
//! else can take the object away meanwhile. Should the owner itself come to do so while it uses the object, or let others, the
//! object is counted first:
//! ```text
//!   light() ─► Thread::uncounted = object ──── replace(), share() or the table's drop: object counted, `counted` set
//!                     │                                    │
//!              Light dropped: cleared        Light dropped: the count given back
//! ```
//!
//! Locking: slots change, and come to be, under the lock of `state`; they are read without. Nothing is dropped under it.
//! Memory order: of a slot, stable.rs; a segment is published by a Release store of its address.

use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::solo::{SoloGuard, SoloLock};
use crate::stable::{Slot, Stable};
use crate::thread::{Thread, current};

/// Slots that need no memory of their own.
#[doc(alias = "NR_OPEN_DEFAULT")]
const FIRST: usize = 64;
/// Segments beyond them, each as long as all before it.
const SEGMENTS: usize = 14;

/// The slots of a table.
///
/// # Invariants
/// `more[n]` is null or an array of `FIRST << n` slots, and stays what it is until the drop.
struct Slots<T: Send + Sync + 'static> {
    first: [Slot<T>; FIRST],
    more: [AtomicPtr<Slot<T>>; SEGMENTS],
}

impl<T: Send + Sync> Slots<T> {
    fn new() -> Self {
        Slots { first: core::array::from_fn(|_| Slot::default()), more: [const { AtomicPtr::new(null_mut()) }; SEGMENTS] }
    }

    #[inline]
    fn slot(&self, index: usize) -> Option<&Slot<T>> {
        self.first.get(index).or_else(|| self.slot_beyond(index))
    }

    /// A slot that is not among the first.
    fn slot_beyond(&self, index: usize) -> Option<&Slot<T>> {
        let (segment, place) = place_beyond(index);
        let slots = self.more.get(segment)?.load(Ordering::Acquire);
        if slots.is_null() {
            return None;
        }
        // SAFETY: by the invariant, and the place is below the segment's length.
        Some(unsafe { &*slots.add(place) })
    }

    /// Slots up to the last that there are; some before it may be missing.
    fn capacity(&self) -> usize {
        let is_there = |segment: &AtomicPtr<Slot<T>>| !segment.load(Ordering::Relaxed).is_null();
        self.more.iter().rposition(is_there).map_or(FIRST, |last| FIRST << (last + 1))
    }

    /// Makes sure that a slot is there. The caller holds the lock.
    fn grow(&self, index: usize) {
        if self.slot(index).is_some() {
            return;
        }
        let segment = place_beyond(index).0;
        let slots: Box<[Slot<T>]> = (0..FIRST << segment).map(|_| Slot::default()).collect();
        // INVARIANT: it was null, and others stay out.
        self.more[segment].store(Box::into_raw(slots).cast(), Ordering::Release);
    }
}

/// Segment and place of a slot that is not among the first.
fn place_beyond(index: usize) -> (usize, usize) {
    let segment = (index / FIRST).ilog2() as usize;
    (segment, index - (FIRST << segment))
}

impl<T: Send + Sync> Drop for Slots<T> {
    fn drop(&mut self) {
        for (segment, slots) in self.more.iter_mut().enumerate() {
            let slots = *slots.get_mut();
            if !slots.is_null() {
                let slots = core::ptr::slice_from_raw_parts_mut(slots, FIRST << segment);
                // SAFETY: by the invariant, made by `grow` of a box of that length; freed once.
                drop(unsafe { Box::from_raw(slots) });
            }
        }
    }
}

/// References by number, and what belongs to them.
///
/// # Invariants
/// A slot's content changes under the lock of `state` only, so only by its owner if it has one. An object that the owner uses
/// uncounted is referred to by a slot of a table that it owns, and stays so until [`count_uncounted`] ran.
pub struct LightTable<T: Send + Sync + 'static, S> {
    state: SoloLock<S>,
    slots: ManuallyDrop<Slots<T>>,
    /// The owner may be using an object uncounted.
    lit: AtomicBool,
}

impl<T: Send + Sync, S> LightTable<T, S> {
    /// An empty table that any thread may change.
    pub fn shared(state: S) -> Self {
        LightTable { state: SoloLock::shared(state), slots: ManuallyDrop::new(Slots::new()), lit: AtomicBool::new(false) }
    }

    /// Makes `thread` the one that may change the table.
    pub fn give_to(&mut self, thread: &Thread) {
        self.state.give_to(thread);
    }

    /// See [`SoloLock::is_mine`].
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.state.is_mine()
    }

    /// See [`SoloLock::share`].
    pub fn share(&self) {
        count_uncounted();
        self.state.share();
    }

    /// See [`SoloLock::adopt`].
    pub fn adopt(&self) {
        self.state.adopt();
    }

    /// See [`SoloLock::forfeit`].
    pub fn forfeit(&self, dead: &Thread) {
        self.state.forfeit(dead);
    }

    /// The object behind a number.
    #[inline]
    #[doc(alias = "fget")]
    pub fn get(&self, index: usize) -> Option<Stable<T>> {
        self.slots.slot(index)?.get()
    }

    /// The object behind a number: uncounted for the owner, as long as it uses no other in this way.
    #[inline(always)]
    #[doc(alias = "fdget")]
    pub fn light(&self, index: usize) -> Option<Light<T>> {
        let me = current();
        if !self.state.belongs_to(me) || me.uncounted.object.get().is_some() {
            return self.heavy(index);
        }
        let slot = self.slots.slot(index)?;
        // SAFETY: only this thread changes the slot, and not here.
        let body = unsafe { slot.look() }.as_ref()?.0;
        self.lit.store(true, Ordering::Relaxed);
        me.uncounted.object.set(Some(&body.head));
        // The slot has a count, and `count_uncounted` takes one before it can lose it; the drop gives back only what was taken.
        Some(Light { object: ManuallyDrop::new(Stable(body)), uncounted: true, _of_one_thread: PhantomData })
    }

    /// [`LightTable::light`] where the object must be counted.
    #[inline(never)]
    fn heavy(&self, index: usize) -> Option<Light<T>> {
        let object = ManuallyDrop::new(self.get(index)?);
        Some(Light { object, uncounted: false, _of_one_thread: PhantomData })
    }

    /// Looks at the table while nobody changes it; the owner does so without the lock. `look` must not come back to it.
    #[inline(always)]
    pub fn read<R>(&self, look: impl FnOnce(View<'_, T, S>) -> R) -> R {
        self.state.read(|state| look(View { state, slots: &self.slots }))
    }

    /// The right to change the table.
    ///
    /// # Panics
    /// As [`SoloLock::lock`].
    pub fn lock(&self) -> TableGuard<'_, T, S> {
        TableGuard { state: self.state.lock(), slots: &self.slots }
    }
}

impl<T: Send + Sync, S> Drop for LightTable<T, S> {
    /// References of another thread that may be using what they refer to are lost, not given back. An owner that leaves must
    /// therefore give its table up first, see [`LightTable::share`] and [`LightTable::forfeit`].
    fn drop(&mut self) {
        if self.is_mine() {
            count_uncounted();
        } else if !self.state.is_shared() && *self.lit.get_mut() {
            return;
        }
        // SAFETY: dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.slots) };
    }
}

/// A table that nobody changes as long as this exists.
pub struct View<'a, T: Send + Sync + 'static, S> {
    pub state: &'a S,
    slots: &'a Slots<T>,
}

impl<T: Send + Sync, S> Clone for View<'_, T, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync, S> Copy for View<'_, T, S> {}

impl<'a, T: Send + Sync, S> View<'a, T, S> {
    /// What is behind a number.
    #[inline]
    pub fn get(self, index: usize) -> Option<&'a Stable<T>> {
        // SAFETY: slots change under the lock, or by the owner alone, and who has a view holds that or is that.
        unsafe { self.slots.slot(index)?.look() }.as_ref()
    }

    /// No number from this one on has anything behind it.
    pub fn capacity(self) -> usize {
        self.slots.capacity()
    }
}

/// The right to change a table; ends when dropped.
#[must_use]
pub struct TableGuard<'a, T: Send + Sync + 'static, S> {
    state: SoloGuard<'a, S>,
    slots: &'a Slots<T>,
}

impl<T: Send + Sync, S> TableGuard<'_, T, S> {
    pub fn view(&self) -> View<'_, T, S> {
        View { state: &self.state, slots: self.slots }
    }

    /// Makes room for a number.
    ///
    /// # Panics
    /// When it is 2^20 or more.
    pub fn grow(&mut self, index: usize) {
        self.slots.grow(index);
    }

    /// Puts `new` behind a number that there is room for; gives what was there.
    pub fn replace(&mut self, index: usize, new: Option<Stable<T>>) -> Option<Stable<T>> {
        // INVARIANT: counted while the slot still refers to it.
        count_uncounted();
        self.slots.slot(index)?.replace(new)
    }
}

impl<T: Send + Sync, S> Deref for TableGuard<'_, T, S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.state
    }
}

impl<T: Send + Sync, S> DerefMut for TableGuard<'_, T, S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.state
    }
}

/// A reference to an object that is shared, counted only if need be. Of the thread that got it.
pub struct Light<T: Send + Sync + 'static> {
    object: ManuallyDrop<Stable<T>>,
    /// It stands in the thread's `uncounted`.
    uncounted: bool,
    _of_one_thread: PhantomData<*const ()>,
}

impl<T: Send + Sync> Deref for Light<T> {
    type Target = Stable<T>;
    #[inline]
    fn deref(&self) -> &Stable<T> {
        &self.object
    }
}

impl<T: Send + Sync> Drop for Light<T> {
    #[inline]
    fn drop(&mut self) {
        if self.uncounted {
            let uncounted = &current().uncounted;
            uncounted.object.set(None);
            if !uncounted.counted.replace(false) {
                return;
            }
        }
        // SAFETY: this reference has a count of its own, and is dropped once.
        unsafe { ManuallyDrop::drop(&mut self.object) };
    }
}

/// Takes a count of what the calling thread uses uncounted.
fn count_uncounted() {
    let uncounted = &current().uncounted;
    if let Some(object) = uncounted.object.get()
        && !uncounted.counted.replace(true)
    {
        object.get();
    }
}

impl<T: Send + Sync> Slot<T> {
    /// What is there, without a count of its own.
    ///
    /// # Safety
    /// Nobody replaces it while the reference is used.
    #[inline]
    unsafe fn look(&self) -> &Option<Stable<T>> {
        // SAFETY: a slot holds null or what a `Stable` consists of, which is how the option is laid out; nobody writes it.
        unsafe { &*self.body.as_ptr().cast::<Option<Stable<T>>>() }
    }
}
