//! The kernel's heap: size classes over one shared region at a fixed address.
//!
//! Mirrors: mm/slab_common.c (`kmalloc` caches), Linux 6.1.
//! Differs: no per-processor caches; a free object of a class is threaded on one list, most recently used first, so that
//! hot memory stays dense (a child process refaults every shared page that it touches).
//! Locking: one leaf lock per class and one over the unused rest.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicU64, Ordering};

use crate::sync::SpinLock;

/// Where the arena lies in every process: in the same GiB as the image, so that both hang on one page table.
pub const ARENA_BASE: u64 = 0x7d00_0800_0000;
/// Bytes of the arena; untouched pages cost nothing.
pub const ARENA_SIZE: u64 = 64 << 30;
/// The first part is not heap: boot parameters, trace ring and the image's writable data.
pub const HEAP_OFFSET: u64 = 256 << 20;

const SMALL: [usize; 16] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096];
const LARGE: usize = 20;
/// Bytes taken from the rest for one class of small objects.
const SLAB: usize = 16 << 10;

struct FreeList {
    head: *mut FreeObject,
}
// SAFETY: reached only under its lock.
unsafe impl Send for FreeList {}

struct FreeObject {
    next: *mut FreeObject,
}

/// The heap of one world.
pub struct Arena {
    classes: [SpinLock<FreeList>; SMALL.len() + LARGE],
    used: SpinLock<u64>,
    live: AtomicU64,
}

impl Default for Arena {
    fn default() -> Self {
        Arena::new()
    }
}

impl Arena {
    pub const fn new() -> Self {
        Arena {
            classes: [const { SpinLock::new(FreeList { head: core::ptr::null_mut() }) }; SMALL.len() + LARGE],
            used: SpinLock::new(HEAP_OFFSET),
            live: AtomicU64::new(0),
        }
    }

    /// Bytes in live objects, rounded up to their classes.
    pub fn live_bytes(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    /// Bytes of the arena ever used.
    pub fn used_bytes(&self) -> u64 {
        *self.used.lock()
    }

    /// `(class, bytes)` for a layout.
    fn class_of(layout: Layout) -> Option<(usize, usize)> {
        let size = layout.size().max(layout.align()).max(16);
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

// SAFETY: every object is handed out once until it is freed; classes are at least as large and aligned as asked.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((class, bytes)) = Self::class_of(layout) else { return core::ptr::null_mut() };
        let mut list = self.classes[class].lock();
        self.live.fetch_add(bytes as u64, Ordering::Relaxed);
        let head = list.head;
        if head.is_null() {
            return self.refill(&mut list, bytes);
        }
        // SAFETY: on the free list, hence a free object of this class.
        list.head = unsafe { (*head).next };
        head.cast()
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let Some((class, bytes)) = Self::class_of(layout) else { return };
        let mut list = self.classes[class].lock();
        self.live.fetch_sub(bytes as u64, Ordering::Relaxed);
        let object = ptr.cast::<FreeObject>();
        // SAFETY: the caller gives the object back; it is at least 16 bytes.
        unsafe { object.write(FreeObject { next: list.head }) };
        list.head = object;
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
