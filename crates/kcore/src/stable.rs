//! Counted references to objects whose memory stays objects', so that a look-up takes no lock.
//!
//! Mirrors: fs/file.c (`__fget_files_rcu`), include/linux/file_ref.h, mm/slab_common.c (`SLAB_TYPESAFE_BY_RCU`), Linux 6.18.
//! Differs: no grace periods. Memory never goes back to the heap but to a list of its kind, so a stale pointer is one to some
//! object, or to none, at any time; and a reader that the host kills holds nobody up.
//!
//! A [`Stable`] is an `Arc` in all but two things. A [`Slot`] that refers to the object gives references away to readers without a
//! lock:
//! ```text
//!   reader: slot ─► body     count it unless its count is 0     is it still in the slot?  no: give the count back, look again
//!   writer: other ─► slot    give the count back     at 0: the end; the body goes to the list, and may hold another object
//! ```
//! Whoever is counted keeps the body from holding another object, so what the second look sees is decided: the slot refers to the
//! object that was counted. And the object's end is put off (`task_work`) by whoever gives the last reference up, so it comes under
//! nobody's lock; the memory itself carries what that takes.
//!
//! Locking: the list of free memory has a leaf lock of its kind's.
//! Memory order: a count given back is a Release, and the end an Acquire; a new object's first count is a Release, and counting by way
//! of a slot or a [`Weak`] an Acquire. A reader that counts the next object in the body has therefore seen every change of
//! slots before the last reference to the former one went, and its second look does not find that one's.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::ptr::{NonNull, null_mut};

use crate::primitive::{AtomicPtr, AtomicUsize, Ordering, fence};
use crate::sync::SpinLock;
use crate::task_work::{self, Work};

/// What a body has, whatever is in it.
#[repr(C)]
pub(crate) struct Head {
    /// Puts the object's end off. While there is no object, its link is the free list's.
    end: Work,
    /// References; 0 while there is no object, or one that waits for its end.
    strong: AtomicUsize,
    /// Weak references, and one more as long as there is an object.
    weak: AtomicUsize,
}

impl Head {
    /// Counts one more reference, by the right of one that exists.
    #[inline]
    pub fn get(&self) {
        let before = self.strong.fetch_add(1, Ordering::Relaxed);
        assert!(before < isize::MAX as usize, "more references than there is memory");
    }

    /// Counts one more reference if there is any.
    #[inline]
    #[doc(alias = "file_ref_get")]
    fn get_not_zero(&self) -> bool {
        let mut count = self.strong.load(Ordering::Acquire);
        while count != 0 {
            match self.strong.compare_exchange(count, count + 1, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// Gives a reference back; the object's end is put off after the last one.
    ///
    /// # Safety
    /// `head` comes from a pointer to a whole body, and the reference is one of those counted.
    #[inline]
    #[doc(alias = "fput")]
    unsafe fn put(head: *const Head) {
        // SAFETY: a body's head, and bodies live for ever.
        if unsafe { (*head).strong.fetch_sub(1, Ordering::Release) } == 1 {
            fence(Ordering::Acquire);
            // SAFETY: there is an object, so its work, which comes first, is on no list; the count gets to 0 once for
            // each, and stays there.
            unsafe { task_work::add(head.cast_mut().cast()) };
        }
    }
}

/// Memory for an object. It is never freed.
///
/// # Invariants
/// There is an object, and nobody changes it, from the store of its first count until `end` runs, once, after `strong` became 0. The
/// memory is on no list then.
#[repr(C)]
pub(crate) struct Body<T: 'static> {
    pub head: Head,
    free: &'static SpinLock<FreeList<T>>,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the value is shared by references to the object only, and ended by one thread; the rest is made of atomics.
unsafe impl<T: Send + Sync> Sync for Body<T> {}
// SAFETY: a body is only ever a `&'static Body`.
unsafe impl<T: Send + Sync> Send for Body<T> {}

/// Memory that holds no object.
pub struct FreeList<T: 'static>(Option<&'static Body<T>>);

impl<T> FreeList<T> {
    pub const fn new() -> Self {
        FreeList(None)
    }
}

impl<T> Default for FreeList<T> {
    fn default() -> Self {
        FreeList::new()
    }
}

impl<T: Send + Sync> Body<T> {
    /// A body without object.
    fn take(free: &'static SpinLock<FreeList<T>>) -> &'static Body<T> {
        let mut list = free.lock();
        let Some(body) = list.0 else {
            drop(list);
            return Body::new(free);
        };
        let next = body.head.end.next.load(Ordering::Relaxed).cast::<Body<T>>();
        // SAFETY: the link of free memory is that of the list, and bodies live for ever.
        list.0 = unsafe { next.as_ref() };
        body
    }

    #[cold]
    fn new(free: &'static SpinLock<FreeList<T>>) -> &'static Body<T> {
        // SAFETY: `end` wants to be called once for each object, when it was put off.
        let end = unsafe { Work::new(Self::end) };
        let head = Head { end, strong: AtomicUsize::new(0), weak: AtomicUsize::new(0) };
        Box::leak(Box::new(Body { head, free, value: UnsafeCell::new(MaybeUninit::uninit()) }))
    }

    /// The object's end has come.
    ///
    /// # Safety
    /// `work` is the first field of a `Body<T>` whose object waits for its end.
    unsafe fn end(work: *mut Work) {
        // SAFETY: the caller's word; bodies live for ever.
        let body: &'static Body<T> = unsafe { &*work.cast::<Body<T>>() };
        // SAFETY: by the invariant there is an object, and nobody has a reference to it, or gets one.
        unsafe { (*body.value.get()).assume_init_drop() };
        body.put_weak();
    }

    fn put_weak(&'static self) {
        if self.head.weak.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        let mut list = self.free.lock();
        let next = list.0.map_or(null_mut(), |body| core::ptr::from_ref(body).cast_mut().cast());
        self.head.end.next.store(next, Ordering::Relaxed);
        list.0 = Some(self);
    }
}

/// A reference that keeps the object.
///
/// # Invariants
/// It is one of those counted in `strong`.
#[repr(transparent)]
pub struct Stable<T: Send + Sync + 'static>(pub(crate) &'static Body<T>);

impl<T: Send + Sync> Stable<T> {
    /// A new object, in memory of `free`'s kind.
    pub fn new(value: T, free: &'static SpinLock<FreeList<T>>) -> Stable<T> {
        let body = Body::take(free);
        // SAFETY: by the invariants there is no object, and the memory was the list's, or is new.
        unsafe { *body.value.get() = MaybeUninit::new(value) };
        body.head.weak.store(1, Ordering::Relaxed);
        // INVARIANT: the object is there.
        body.head.strong.store(1, Ordering::Release);
        Stable(body)
    }

    pub fn downgrade(this: &Self) -> Weak<T> {
        this.0.head.weak.fetch_add(1, Ordering::Relaxed);
        Weak(this.0)
    }

    /// Whether both refer to the same object.
    #[inline]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        core::ptr::eq(this.0, other.0)
    }

    /// Where the object is.
    #[inline]
    pub fn as_ptr(this: &Self) -> *const T {
        this.0.value.get().cast()
    }

    /// Without its count, which the pointer stands for.
    fn into_raw(this: Self) -> *mut Body<T> {
        core::ptr::from_ref(ManuallyDrop::new(this).0).cast_mut()
    }
}

impl<T: Send + Sync> Deref for Stable<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the invariants there is an object, and nobody changes it.
        unsafe { (*self.0.value.get()).assume_init_ref() }
    }
}

impl<T: Send + Sync> Clone for Stable<T> {
    #[inline]
    #[doc(alias = "get_file")]
    fn clone(&self) -> Self {
        self.0.head.get();
        Stable(self.0)
    }
}

impl<T: Send + Sync> Drop for Stable<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the invariant this reference is counted, and it is dropped once.
        unsafe { Head::put(core::ptr::from_ref(self.0).cast()) };
    }
}

impl<T: Send + Sync + fmt::Debug> fmt::Debug for Stable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A reference that keeps an object of any kind.
pub struct Held(NonNull<Head>);

// SAFETY: it can only be dropped, and its object may be dropped by any thread.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl<T: Send + Sync> From<Stable<T>> for Held {
    fn from(object: Stable<T>) -> Held {
        Held(NonNull::from(ManuallyDrop::new(object).0).cast())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: it has the count of the reference that it was made of, and is dropped once.
        unsafe { Head::put(self.0.as_ptr()) };
    }
}

/// A reference that does not keep the object, but the memory from holding another one.
pub struct Weak<T: Send + Sync + 'static>(&'static Body<T>);

impl<T: Send + Sync> Weak<T> {
    /// The object, unless it has come to its end or waits for it.
    pub fn upgrade(&self) -> Option<Stable<T>> {
        self.0.head.get_not_zero().then(|| Stable(self.0))
    }

    /// References to the object; those of look-ups that find themselves late may be among them for a moment.
    pub fn strong_count(&self) -> usize {
        self.0.head.strong.load(Ordering::SeqCst)
    }

    /// Where the object is, or was.
    #[inline]
    pub fn as_ptr(&self) -> *const T {
        self.0.value.get().cast()
    }
}

impl<T: Send + Sync> Clone for Weak<T> {
    fn clone(&self) -> Self {
        self.0.head.weak.fetch_add(1, Ordering::Relaxed);
        Weak(self.0)
    }
}

impl<T: Send + Sync> Drop for Weak<T> {
    fn drop(&mut self) {
        self.0.put_weak();
    }
}

impl<T: Send + Sync> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}

/// A place that refers to an object, or to none, and that anybody may look into.
#[repr(transparent)]
pub struct Slot<T: Send + Sync + 'static> {
    /// What [`Stable::into_raw`] gave, or null.
    pub(crate) body: AtomicPtr<Body<T>>,
    _owns: PhantomData<Stable<T>>,
}

impl<T: Send + Sync> Default for Slot<T> {
    fn default() -> Self {
        Slot { body: AtomicPtr::new(null_mut()), _owns: PhantomData }
    }
}

impl<T: Send + Sync> Slot<T> {
    /// A reference to the object that is there now.
    #[inline]
    #[doc(alias = "__fget_files_rcu")]
    pub fn get(&self) -> Option<Stable<T>> {
        loop {
            let seen = self.body.load(Ordering::Acquire);
            // SAFETY: null or a body, and bodies live for ever.
            let body = unsafe { seen.as_ref() }?;
            // Without a count the object has left the slot.
            if body.head.get_not_zero() {
                let found = Stable(body);
                if self.body.load(Ordering::Relaxed) == seen {
                    return Some(found);
                }
            }
            core::hint::spin_loop();
        }
    }

    /// Puts `new` there; gives what was there.
    pub fn replace(&self, new: Option<Stable<T>>) -> Option<Stable<T>> {
        let old = self.body.swap(new.map_or(null_mut(), Stable::into_raw), Ordering::AcqRel);
        // SAFETY: null or a body, and bodies live for ever.
        let body = unsafe { old.as_ref() }?;
        // INVARIANT: the count that the pointer stood for.
        Some(Stable(body))
    }
}

impl<T: Send + Sync> Drop for Slot<T> {
    fn drop(&mut self) {
        // A look first: most slots are empty, and an exchange is dear.
        if !self.body.load(Ordering::Relaxed).is_null() {
            drop(self.replace(None));
        }
    }
}
