//! The kernel's heap: size classes over one shared region at a fixed address.
//!
//! Mirrors: mm/slab_common.c (`kmalloc` caches), Linux 6.18.
//! Differs: what is a cache per processor there is one per thread here ([`Magazine`]), since a thread may lose its processor
//! anywhere. Behind them a free object of a class is threaded on one list, most recently used first, so that hot memory stays
//! dense (a child process refaults every shared page that it touches).
//! Locking: one leaf lock per class and one over the unused rest; a magazine is its thread's alone.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

use acrida_trace_format::layout::{ARENA_BASE, ARENA_SIZE, HEAP_OFFSET};

use crate::frame::PAGE_SIZE;
use crate::sync::SpinLock;
use crate::thread::current;

const SMALL: [usize; 16] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096];
const LARGE: usize = 20;
/// Bytes taken from the rest for one class of small objects.
const SLAB: usize = 16 << 10;

struct FreeList {
    head: *mut FreeObject,
    /// Bytes of the class in use, or in a magazine.
    live: u64,
}
// SAFETY: reached only under its lock.
unsafe impl Send for FreeList {}

struct FreeObject {
    next: *mut FreeObject,
}

/// Classes that threads keep free objects of: up to 512 bytes.
const CACHED: usize = 10;
/// Objects of a class that a thread keeps.
const MAGAZINE: u32 = 16;
/// Objects that move between a thread and the heap at once, at most.
const BATCH: u32 = 8;

/// Free objects that one thread keeps for itself: an object got and given back costs 4 ns here, 40 under a lock.
#[derive(Default)]
pub struct Magazine {
    lists: [Cell<Kept>; CACHED],
    /// How many more objects of a class are taken with the next one. It starts at none and grows: most processes are short, and
    /// each object on the way costs them a miss of the cache.
    more: [Cell<u32>; CACHED],
}

#[derive(Clone, Copy)]
struct Kept {
    head: *mut FreeObject,
    count: u32,
}

impl Default for Kept {
    fn default() -> Self {
        Kept { head: core::ptr::null_mut(), count: 0 }
    }
}

/// The heap of one world.
pub struct Arena {
    classes: [SpinLock<FreeList>; SMALL.len() + LARGE],
    used: SpinLock<u64>,
}

impl Default for Arena {
    fn default() -> Self {
        Arena::new()
    }
}

impl Arena {
    pub const fn new() -> Self {
        Arena {
            classes: [const { SpinLock::new(FreeList { head: core::ptr::null_mut(), live: 0 }) }; SMALL.len() + LARGE],
            used: SpinLock::new(HEAP_OFFSET),
        }
    }

    /// Bytes in live objects, rounded up to their classes; free objects in magazines count too.
    pub fn live_bytes(&self) -> u64 {
        self.classes.iter().map(|class| class.lock().live).sum()
    }

    /// Bytes of the arena ever used.
    pub fn used_bytes(&self) -> u64 {
        *self.used.lock()
    }

    /// `(class, bytes)` for a layout; nothing is aligned to more than a page.
    #[inline]
    fn class_of(layout: Layout) -> Option<(usize, usize)> {
        if layout.align() > PAGE_SIZE {
            return None;
        }
        let size = layout.size().max(layout.align()).max(16);
        if size <= 512 && layout.align() <= 16 {
            let class = usize::from(CLASS_BY_SIZE[size.div_ceil(16)]);
            return Some((class, SMALL[class]));
        }
        if size <= 4096 {
            // Classes that are no power of two are aligned to 16 (48, 96...) or to their largest power-of-two factor.
            let fits = |bytes: usize| bytes >= size && (1usize << bytes.trailing_zeros()) >= layout.align();
            return SMALL.iter().position(|&bytes| fits(bytes)).map(|class| (class, SMALL[class]));
        }
        let order = size.next_power_of_two().trailing_zeros() as usize - 13;
        (order < LARGE).then_some((SMALL.len() + order, 8192 << order))
    }

    fn carve(&self, bytes: usize) -> *mut u8 {
        let mut used = self.used.lock();
        let start = used.next_multiple_of(bytes.clamp(16, 4096) as u64);
        let end = start + bytes as u64;
        if end > ARENA_SIZE {
            return core::ptr::null_mut();
        }
        *used = end;
        (ARENA_BASE + start) as *mut u8
    }

    fn refill(&self, list: &mut FreeList, bytes: usize) -> *mut u8 {
        if bytes > 4096 {
            return self.carve(bytes);
        }
        // Slabs start on page boundaries, so a power-of-two object is aligned to its size.
        let slab = self.carve(SLAB.next_multiple_of(4096));
        if slab.is_null() {
            return slab;
        }
        let count = SLAB / bytes;
        for index in (1..count).rev() {
            let object = slab.wrapping_add(index * bytes).cast::<FreeObject>();
            // SAFETY: inside the fresh slab, aligned to at least 16.
            unsafe { object.write(FreeObject { next: list.head }) };
            list.head = object;
        }
        slab
    }
}

/// Class of a small object by its size in units of 16 bytes.
static CLASS_BY_SIZE: [u8; 33] = {
    let mut table = [0; 33];
    let mut units = 1;
    while units <= 32 {
        let mut class = 0;
        while SMALL[class] < units * 16 {
            class += 1;
        }
        table[units] = class as u8;
        units += 1;
    }
    table
};

impl Arena {
    /// An object of the class, from under its lock.
    fn take(&self, class: usize, bytes: usize) -> *mut u8 {
        let mut list = self.classes[class].lock();
        list.live += bytes as u64;
        self.pop(&mut list, bytes)
    }

    fn pop(&self, list: &mut FreeList, bytes: usize) -> *mut u8 {
        let head = list.head;
        if head.is_null() {
            return self.refill(list, bytes);
        }
        // SAFETY: on the free list, hence a free object of this class.
        list.head = unsafe { (*head).next };
        head.cast()
    }

    /// Gives the object back under the lock of its class.
    ///
    /// # Safety
    /// `ptr` is an object of the class that nobody uses any more.
    unsafe fn give(&self, class: usize, bytes: usize, ptr: *mut u8) {
        let mut list = self.classes[class].lock();
        list.live -= bytes as u64;
        let object = ptr.cast::<FreeObject>();
        // SAFETY: the caller gives the object back; it is at least 16 bytes.
        unsafe { object.write(FreeObject { next: list.head }) };
        list.head = object;
    }

    /// An object for the caller and some for its magazine, which is empty.
    #[cold]
    fn take_batch(&self, magazine: &Magazine, class: usize) -> *mut u8 {
        let (kept, more) = (&magazine.lists[class], &magazine.more[class]);
        let bytes = SMALL[class];
        let mut list = self.classes[class].lock();
        for _ in 0..more.get() {
            if list.head.is_null() {
                // A fresh slab is not spread over the threads.
                break;
            }
            let object = self.pop(&mut list, bytes);
            list.live += bytes as u64;
            // SAFETY: just taken off the list; nobody else knows it.
            unsafe { kept.set(kept.get().with(object)) };
        }
        more.set((2 * more.get() + 1).min(BATCH - 1));
        list.live += bytes as u64;
        self.pop(&mut list, bytes)
    }

    /// Gives a part of a full magazine back.
    #[cold]
    fn give_batch(&self, kept: &Cell<Kept>, class: usize, count: u32) {
        for _ in 0..count {
            let Some((object, rest)) = kept.get().pop() else { return };
            kept.set(rest);
            // SAFETY: it was free, and is in no magazine any more.
            unsafe { self.give(class, SMALL[class], object) };
        }
    }
}

impl Magazine {
    /// Gives back what a thread kept that does not run any more.
    pub(crate) fn drain(&self) {
        for (kept, bytes) in self.lists.iter().zip(SMALL) {
            let Ok(layout) = Layout::from_size_align(bytes, 16) else { continue };
            while let Some((object, rest)) = kept.get().pop() {
                kept.set(rest);
                // SAFETY: an object of the heap's class for this layout, in no list any more.
                unsafe { alloc::alloc::dealloc(object, layout) };
            }
        }
    }
}

impl Kept {
    /// With one object more on top.
    ///
    /// # Safety
    /// `object` is a free object of the list's class, at least 16 bytes, in no other list.
    unsafe fn with(self, object: *mut u8) -> Kept {
        let object = object.cast::<FreeObject>();
        // SAFETY: passed on to the caller.
        unsafe { object.write(FreeObject { next: self.head }) };
        Kept { head: object, count: self.count + 1 }
    }

    fn pop(self) -> Option<(*mut u8, Kept)> {
        if self.head.is_null() {
            return None;
        }
        // SAFETY: what is on the list is a free object.
        let next = unsafe { (*self.head).next };
        Some((self.head.cast(), Kept { head: next, count: self.count - 1 }))
    }
}

// SAFETY: every object is handed out once until it is freed; classes are at least as large and aligned as asked.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((class, bytes)) = Self::class_of(layout) else { return core::ptr::null_mut() };
        let magazine = &current().magazine;
        let Some(kept) = magazine.lists.get(class) else { return self.take(class, bytes) };
        match kept.get().pop() {
            Some((object, rest)) => {
                kept.set(rest);
                object
            }
            None => self.take_batch(magazine, class),
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let Some((class, bytes)) = Self::class_of(layout) else { return };
        let Some(kept) = current().magazine.lists.get(class) else {
            // SAFETY: passed on to the caller.
            return unsafe { self.give(class, bytes, ptr) };
        };
        if kept.get().count >= MAGAZINE {
            self.give_batch(kept, class, BATCH);
        }
        // SAFETY: the caller gives the object up.
        unsafe { kept.set(kept.get().with(ptr)) };
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new_layout) = Layout::from_size_align(new_size, layout.align()) else { return core::ptr::null_mut() };
        if Self::class_of(layout).map(|c| c.0) == Self::class_of(new_layout).map(|c| c.0) {
            return ptr;
        }
        // SAFETY: a valid layout of nonzero size.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            // SAFETY: both objects are live and distinct.
            unsafe { core::ptr::copy_nonoverlapping(ptr, new, layout.size().min(new_size)) };
            // SAFETY: the caller gives the old object up.
            unsafe { self.dealloc(ptr, layout) };
        }
        new
    }
}
