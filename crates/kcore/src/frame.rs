//! Physical memory: page frames that guests can map, pipes can pass on and queued buffers can refer to.
//!
//! Mirrors: mm/page_alloc.c, Linux 6.18, for what a page cache needs.
//! Differs: memory is one sparse shared object mapped at a fixed window in every process; an [`Extent`] is a run of pages
//! of a power-of-two length, so a file maps with few VMAs. Pages cost nothing until touched. The last reference to an
//! extent gives it back, whoever holds it: an inode, a pipe buffer, a queued socket buffer.
//! Locking: one leaf lock over the free lists.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_trace_format::layout::{WINDOW_BASE, WINDOW_SIZE};

use crate::platform::platform;
use crate::sync::SpinLock;
use crate::uaccess::{Access, UserAddr, copy_user_window};

pub const PAGE_SIZE: usize = 4096;
/// Largest extent: 2^24 pages (64 GiB).
const MAX_ORDER: usize = 24;
/// Extents with more touched bytes than this are given back to the host instead of being cleared by hand.
const CLEAR_BY_HAND: u64 = 64 << 10;

struct Free {
    /// Bytes of the window ever handed out.
    used: u64,
    lists: [Vec<u64>; MAX_ORDER + 1],
}

static FREE: SpinLock<Free> = SpinLock::new(Free { used: 0, lists: [const { Vec::new() }; MAX_ORDER + 1] });
static PAGES_IN_USE: AtomicU64 = AtomicU64::new(0);

/// A run of zeroed pages in the window.
#[derive(Debug)]
pub struct Extent {
    offset: u64,
    order: u8,
    /// Bytes from the start that may be nonzero.
    touched: AtomicU64,
}

impl Extent {
    /// A run of at least `pages` pages, or `None` when the window is used up.
    #[doc(alias = "alloc_pages")]
    pub fn new(pages: usize) -> Option<Arc<Extent>> {
        let order = pages.max(1).next_power_of_two().trailing_zeros() as usize;
        if order > MAX_ORDER {
            return None;
        }
        let len = (PAGE_SIZE as u64) << order;
        let offset = {
            let mut free = FREE.lock();
            match free.lists[order].pop() {
                Some(offset) => offset,
                None => {
                    // Aligned to its size up to 2 MiB, so that large pages can serve it.
                    let align = len.min(2 << 20);
                    let offset = free.used.next_multiple_of(align);
                    if offset + len > WINDOW_SIZE {
                        return None;
                    }
                    free.used = offset + len;
                    offset
                }
            }
        };
        PAGES_IN_USE.fetch_add(1 << order, Ordering::Relaxed);
        Some(Arc::new(Extent { offset, order: order as u8, touched: AtomicU64::new(0) }))
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        PAGE_SIZE << self.order
    }

    pub fn is_empty(&self) -> bool {
        false
    }

    /// Where the run starts in the physical-memory object, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Says that `[0, end)` may be nonzero, because a guest mapped it writable.
    pub fn touch(&self, end: u64) {
        let end = end.min(self.len() as u64);
        // The usual case needs no locked instruction.
        if self.touched.load(Ordering::Relaxed) < end {
            self.touched.fetch_max(end, Ordering::Relaxed);
        }
    }

    fn at(&self, pos: usize, len: usize) -> *mut u8 {
        assert!(pos.checked_add(len).is_some_and(|end| end <= self.len()), "page access outside its extent");
        (WINDOW_BASE + self.offset + pos as u64) as *mut u8
    }

    pub fn read(&self, pos: usize, dst: &mut [u8]) {
        // SAFETY: inside the window, which is always mapped; guests may write at the same time, bytes have no invariants.
        unsafe { core::ptr::copy(self.at(pos, dst.len()), dst.as_mut_ptr(), dst.len()) };
    }

    pub fn write(&self, pos: usize, src: &[u8]) {
        self.touch((pos + src.len()) as u64);
        // SAFETY: as in `read`.
        unsafe { core::ptr::copy(src.as_ptr(), self.at(pos, src.len()), src.len()) };
    }

    pub fn zero(&self, pos: usize, len: usize) {
        // SAFETY: as in `read`.
        unsafe { self.at(pos, len).write_bytes(0, len) };
    }

    /// Copies out to the guest; gives the bytes copied (short at a bad address).
    pub fn copy_to_user(&self, pos: usize, dst: UserAddr, len: usize) -> usize {
        let window = self.at(pos, len) as u64;
        len - copy_user_window(dst, window, len, Access::Write)
    }

    /// Copies in from the guest; gives the bytes copied (short at a bad address).
    pub fn copy_from_user(&self, pos: usize, src: UserAddr, len: usize) -> usize {
        let window = self.at(pos, len) as u64;
        self.touch((pos + len) as u64);
        len - copy_user_window(src, window, len, Access::Read)
    }

    /// Copies between extents.
    pub fn copy_to(&self, pos: usize, to: &Extent, to_pos: usize, len: usize) {
        to.touch((to_pos + len) as u64);
        // SAFETY: both inside the window; `copy` allows overlap.
        unsafe { core::ptr::copy(self.at(pos, len), to.at(to_pos, len), len) };
    }

    /// Gives the pages in `[pos, pos + len)` back to the host; they read as zeros.
    pub fn punch(&self, pos: usize, len: usize) {
        let _ = self.at(pos, len);
        platform().host().punch_window(self.offset + pos as u64, len);
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        let touched = self.touched.load(Ordering::Relaxed);
        if touched > CLEAR_BY_HAND {
            self.punch(0, touched.next_multiple_of(PAGE_SIZE as u64) as usize);
        } else if touched > 0 {
            self.zero(0, touched as usize);
        }
        PAGES_IN_USE.fetch_sub(1 << self.order, Ordering::Relaxed);
        FREE.lock().lists[self.order as usize].push(self.offset);
    }
}

/// Pages reserved now (not: touched).
pub fn pages_in_use() -> u64 {
    PAGES_IN_USE.load(Ordering::Relaxed)
}
