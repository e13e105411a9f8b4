//! Faults that the host reports as SIGSEGV although the guest may have the page.
//!
//! Mirrors: mm/memory.c (`handle_mm_fault`), mm/mmap.c (`expand_stack`), mm/filemap.c (`filemap_fault`), Linux 6.18.
//! Differs: the host serves ordinary faults. Here are two kinds it cannot know: a stack that wants to grow, and a page of
//! one of our own files that did not exist when it was mapped.
//! Locking: `MmStruct`'s lock; the file is asked without it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::host::MapRequest;
use acrida_kcore::platform::platform;
use acrida_kcore::thread::work;
use acrida_kcore::uaccess::{Access, UserAddr};
use acrida_uapi::mman::{MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED};
use acrida_uapi::resource::RLIMIT_STACK;

use super::host_map::{apply_flags, map_pieces};
use super::mm_struct::{MmState, MmStruct};
use super::mmap::{MapBacking, MmapRequest, check_limits};
use super::pieces::{Piece, holds, without};
use super::vma::{Backing, FilePages, PAGE_SIZE, VmFlags, Vma, page_start};
use super::vma_tree::STACK_GUARD_GAP;
use crate::current;
use crate::fs::file::FileRef;

/// Bits of a page fault's error code.
const FAULT_WRITE: u64 = 2;
const FAULT_EXEC: u64 = 16;
/// A stack grows by this much at once, to have fewer faults.
const STACK_STEP: u64 = 128 << 10;
/// How much of a file one fault asks for.
const FAULT_AROUND: u64 = 2 << 20;

/// What must follow a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FaultAction {
    /// The page is there now: run the instruction again.
    Retry,
    /// It is the guest's error, as the host has reported it.
    Deliver,
    /// `SIGBUS` with `BUS_ADRERR`: the file has no such page.
    Bus,
}

/// Looks at a SIGSEGV of the calling thread's guest code before it becomes a signal. `error` is the processor's code.
#[doc(alias = "handle_mm_fault")]
pub fn handle_fault(addr: u64, error: u64) -> FaultAction {
    let mm = current().mm();
    let wanted = match (error & FAULT_WRITE, error & FAULT_EXEC) {
        (0, 0) => VmFlags::READ,
        (0, _) => VmFlags::EXEC,
        _ => VmFlags::WRITE,
    };
    let (file, request) = {
        let mut state = mm.lock();
        let Some((start, vma)) = state.areas.get(addr) else {
            return if expand_stack(&mm, &mut state, addr) { FaultAction::Retry } else { FaultAction::Deliver };
        };
        // On x86 writable and executable pages can be read.
        let readable = wanted == VmFlags::READ && !(vma.flags & VmFlags::RIGHTS).is_empty();
        if !vma.flags.contains(wanted) && !readable {
            return FaultAction::Deliver;
        }
        let Backing::File { file, offset, pages: FilePages::Window(pieces) } = &vma.backing else {
            return FaultAction::Deliver;
        };
        let at = offset + (page_start(addr) - start);
        if holds(pieces, at) {
            // Another thread has brought it in.
            return FaultAction::Retry;
        }
        let len = (vma.end - page_start(addr)).min(FAULT_AROUND);
        let sharing = if vma.is_shared() { MAP_SHARED } else { MAP_PRIVATE };
        let request = MmapRequest { len: len as usize, prot: vma.flags.prot(), flags: sharing as u32, offset: at };
        (file.file().clone(), request)
    };
    let Ok(MapBacking::Window(found)) = file.ops.mmap(&file, &request) else { return FaultAction::Bus };
    if !holds(&found, request.offset) {
        return FaultAction::Bus;
    }
    add_pages(&mut mm.lock(), addr, &file, &found);
    FaultAction::Retry
}

/// Makes a page that a kernel copy needs present: `false` when the guest has none there.
#[doc(alias = "fixup_user_fault")]
pub fn fault_in(addr: UserAddr, access: Access) -> bool {
    let error = match access {
        Access::Read => 0,
        Access::Write => FAULT_WRITE,
    };
    crate::kernel::task::try_current().is_some() && handle_fault(addr.0, error) == FaultAction::Retry
}

/// Makes the pages of files in `range` present that exist by now, for calls that let the host touch pages. Stops at the first
/// page that its file does not have, and gives its address; and when the caller is about to end.
#[doc(alias = "faultin_page_range")]
pub fn fault_in_range(range: Range<u64>) -> Option<u64> {
    let me = current();
    let mm = me.mm();
    let mut at = range.start;
    while !me.thread.has_work(work::EXIT) {
        // The lock is for the look only: the fault takes it.
        at = first_missing(&mm.lock(), at..range.end)?;
        match handle_fault(at, 0) {
            FaultAction::Retry => {}
            FaultAction::Bus => return Some(at),
            // The host refuses the page too.
            FaultAction::Deliver => return None,
        }
    }
    None
}

/// The first page in `range` of a file's area that has no page.
fn first_missing(state: &MmState, range: Range<u64>) -> Option<u64> {
    state.areas.overlapping(range.clone()).find_map(|(start, vma)| {
        let Backing::File { offset, pages: FilePages::Window(pieces), .. } = &vma.backing else { return None };
        let mut pages = (start.max(range.start)..vma.end.min(range.end)).step_by(PAGE_SIZE as usize);
        pages.find(|page| !holds(pieces, offset + (page - start)))
    })
}

/// Maps what the file has now and did not have before.
fn add_pages(state: &mut MmState, addr: u64, file: &FileRef, found: &[Piece]) {
    let Some((start, vma)) = state.areas.get(addr) else { return };
    let (end, flags) = (vma.end, vma.flags);
    let Backing::File { file: mapped, offset, pages: FilePages::Window(pieces) } = &vma.backing else { return };
    if !FileRef::ptr_eq(mapped.file(), file) {
        return;
    }
    let offset = *offset;
    let fresh = without(found, pieces);
    let all: Arc<Vec<Piece>> = Arc::new(pieces.iter().chain(&fresh).cloned().collect());
    if map_pieces(&(start..end), flags, &fresh, offset, 0).is_err() {
        // The guest tries again, and may find memory then.
        return;
    }
    apply_flags(&(start..end), flags);
    state.areas.update(start..end, |_, vma| {
        if let Backing::File { pages, .. } = &mut vma.backing {
            *pages = FilePages::Window(all.clone());
        }
    });
}

/// Grows the area above `addr` down to it, if it is a stack and has room and right.
fn expand_stack(mm: &MmStruct, state: &mut MmState, addr: u64) -> bool {
    let page = page_start(addr);
    let Some((start, vma)) = state.areas.find(addr) else { return false };
    if !vma.flags.contains(VmFlags::GROWSDOWN) {
        return false;
    }
    let top = vma.end;
    let lowest = top.saturating_sub(current().process.rlimit(RLIMIT_STACK as usize).rlim_cur);
    // A neighbour below that grows too, or that nobody can touch, needs no distance.
    let floor = state.areas.before(start).map_or(super::layout::MMAP_MIN_ADDR, |(_, below)| {
        let close = below.flags.contains(VmFlags::GROWSDOWN) || (below.flags & VmFlags::RIGHTS).is_empty();
        if close { below.end } else { below.end + STACK_GUARD_GAP }
    });
    let least = lowest.max(floor).next_multiple_of(PAGE_SIZE);
    if page < least {
        return false;
    }
    let new_start = start.saturating_sub(STACK_STEP).min(page).max(least);
    let grown = Vma { end: start, flags: vma.flags, backing: vma.backing.clone() };
    if check_limits(state, new_start, &grown, 0).is_err() {
        return false;
    }
    let request = MapRequest {
        addr: new_start,
        len: (start - new_start) as usize,
        prot: grown.flags.prot(),
        flags: (MAP_PRIVATE | MAP_NORESERVE) as u32,
        fd: None,
        offset: 0,
    };
    if platform().host().mmap(request).is_err() {
        return false;
    }
    state.areas.insert(new_start, grown);
    if state.layout.stack_top == top {
        // It is larger than what was mapped ahead.
        state.stack_uncounted = 0;
    }
    mm.note_peak(state);
    true
}
