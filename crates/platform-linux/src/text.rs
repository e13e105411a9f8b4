//! The image's own text on large pages.
//!
//! Mirrors: nothing in Linux, whose text lies on large pages from the start.
//! Differs: a file's pages are not copied into the page tables of a forked process, so each new guest process would fault
//! the kernel's text in anew, some twenty faults that each map sixteen pages. One anonymous large page is inherited with
//! one entry.
//! Locking: runs once, at boot, in one thread.

use acrida_trace_format::layout::LARGE_PAGE;
use acrida_uapi::nr;

use crate::raw;

unsafe extern "C" {
    static __image_start: u8;
    static __text_end: u8;
}

const PROT_RW: u64 = 3;
const PROT_RX: u64 = 5;

/// Moves constants and text to anonymous large pages at the same addresses. Where the host has none to give, or does not
/// let anonymous memory be executed, everything stays as it is. Gives the bytes moved.
///
/// # Safety
/// Called once, before there is a second thread and before anything is remembered about the text's mappings.
pub unsafe fn move_to_large_pages() -> u64 {
    let (start, end) = ((&raw const __image_start) as u64, (&raw const __text_end) as u64);
    if start % LARGE_PAGE != 0 || !offered() {
        return 0;
    }
    let len = (end - start).next_multiple_of(LARGE_PAGE);
    let reserved = len + LARGE_PAGE;
    const PRIVATE_ANONYMOUS_NORESERVE: u64 = 0x4022;
    // SAFETY: new memory at an address of the host's choice.
    let area = unsafe { raw::syscall(nr::mmap, &[0, reserved, PROT_RW, PRIVATE_ANONYMOUS_NORESERVE, u64::MAX, 0]) };
    let Ok(area) = area else { return 0 };
    let area = area as u64;
    let at = area.next_multiple_of(LARGE_PAGE);
    // SAFETY: inside the reservation.
    let filled = unsafe { fill(at, len, start, end) };
    const MAYMOVE_FIXED: u64 = 3;
    // SAFETY: the same bytes come to lie where this code runs; data lies elsewhere (link.ld).
    let moved = filled && unsafe { raw::syscall(nr::mremap, &[at, len, len, MAYMOVE_FIXED, start]) }.is_ok();
    // SAFETY: what is left of the reservation, which nobody else knows of.
    let _ = unsafe { raw::syscall(nr::munmap, &[area, reserved]) };
    if moved { len } else { 0 }
}

/// Makes `[at, at + len)` an executable copy of `[start, end)`.
///
/// # Safety
/// `[at, at + len)` is fresh private memory of at least that size.
unsafe fn fill(at: u64, len: u64, start: u64, end: u64) -> bool {
    const MADV_HUGEPAGE: u64 = 14;
    // SAFETY: only a wish about fresh memory.
    if unsafe { raw::syscall(nr::madvise, &[at, len, MADV_HUGEPAGE]) }.is_err() {
        return false;
    }
    // SAFETY: the image is mapped readable from start to end; the copy is at least as long and apart from it.
    unsafe { core::ptr::copy_nonoverlapping(start as *const u8, at as *mut u8, (end - start) as usize) };
    // SAFETY: the copy's rights only.
    unsafe { raw::syscall(nr::mprotect, &[at, len, PROT_RX]) }.is_ok()
}

/// Whether the host gives large pages to who asks.
fn offered() -> bool {
    const O_CLOEXEC: u64 = 0o2_000_000;
    let path = c"/sys/kernel/mm/transparent_hugepage/enabled";
    // SAFETY: a NUL-terminated path.
    let Ok(fd) = (unsafe { raw::syscall(nr::open, &[path.as_ptr() as u64, O_CLOEXEC, 0]) }) else { return false };
    let mut text = [0u8; 64];
    // SAFETY: the buffer is valid.
    let got = unsafe { raw::syscall(nr::read, &[fd as u64, text.as_mut_ptr() as u64, text.len() as u64]) };
    // SAFETY: opened above.
    let _ = unsafe { raw::syscall(nr::close, &[fd as u64]) };
    let chosen = text[..got.unwrap_or(0)].split(|&b| b == b'[').nth(1).unwrap_or(b"never");
    chosen.starts_with(b"always") || chosen.starts_with(b"madvise")
}
