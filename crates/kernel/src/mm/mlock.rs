//! Locked memory: `mlock`, `mlock2`, `munlock`, `mlockall`, `munlockall`.
//!
//! Mirrors: mm/mlock.c, Linux 6.18.
//! Differs: whether a lock is allowed, and how much is locked, is our own account; the host is asked to keep the pages,
//! and when it refuses (its limit is not the guest's) they are at least made present.
//! Locking: `MmStruct`'s lock.

use core::ops::Range;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::{MADV_POPULATE_READ, MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT};

use super::fault::fault_in_range;
use super::mm_struct::MmState;
use super::mmap::{MAX_MAP_COUNT, check_can_lock, check_lock_limit};
use super::vma::{VmFlags, page_align, page_start};
use crate::abi::{Flags, SysResult};
use crate::{current, host};

const LOCK_FLAGS: VmFlags = VmFlags::LOCKED.union(VmFlags::LOCKONFAULT);

/// Asks the host to keep pages in memory, as far as it lets us; `ENOMEM` when pages cannot be made present.
pub fn lock_pages(start: u64, len: u64, flags: VmFlags) -> Result<(), Errno> {
    let on_fault = flags.contains(VmFlags::LOCKONFAULT);
    if host::mm::mlock(start, len as usize, on_fault).is_ok() || on_fault {
        return Ok(());
    }
    host::mm::madvise(start, len as usize, MADV_POPULATE_READ).map_err(|_| Errno::ENOMEM)
}

#[doc(alias = "mlock")]
pub fn sys_mlock(start: UserAddr, len: u64) -> SysResult {
    do_mlock(start.0, len, VmFlags::LOCKED)
}

#[doc(alias = "mlock2")]
pub fn sys_mlock2(start: UserAddr, len: u64, flags: Flags) -> SysResult {
    match flags.0 {
        0 => do_mlock(start.0, len, VmFlags::LOCKED),
        MLOCK_ONFAULT => do_mlock(start.0, len, LOCK_FLAGS),
        _ => Err(Errno::EINVAL.into()),
    }
}

#[doc(alias = "munlock")]
pub fn sys_munlock(start: UserAddr, len: u64) -> SysResult {
    let Some(range) = pages_around(start.0, len)? else { return Ok(0) };
    apply(&mut current().mm().lock(), range, VmFlags::empty())?;
    Ok(0)
}

/// The pages that touch `len` bytes at `start`; `None` for no bytes.
fn pages_around(start: u64, len: u64) -> Result<Option<Range<u64>>, Errno> {
    let first = page_start(start);
    // Linux lets the length wrap to nothing before it looks at the end.
    let len = page_align(len.wrapping_add(start - first)).unwrap_or(0);
    let end = first.checked_add(len).ok_or(Errno::EINVAL)?;
    Ok((end != first).then_some(first..end))
}

fn do_mlock(start: u64, len: u64, flags: VmFlags) -> SysResult {
    check_can_lock()?;
    let Some(range) = pages_around(start, len)? else { return Ok(0) };
    let mm = current().mm();
    check_more(&mm.lock(), &range)?;
    if !flags.contains(VmFlags::LOCKONFAULT) {
        // A page that its file does not have keeps the host from bringing it in, below.
        let _ = fault_in_range(range.clone());
    }
    let mut state = mm.lock();
    // Another thread may have locked more meanwhile.
    check_more(&state, &range)?;
    apply(&mut state, range, flags)?;
    Ok(0)
}

/// Whether what is not yet locked of `range` may be.
fn check_more(state: &MmState, range: &Range<u64>) -> Result<(), Errno> {
    let locked = state.areas.overlapping(range.clone()).filter(|(_, vma)| vma.flags.contains(VmFlags::LOCKED));
    let already: u64 = locked.map(|(start, vma)| vma.end.min(range.end) - start.max(range.start)).sum();
    check_lock_limit(state, range.end - range.start - already)
}

/// Sets the lock flags of every area in `range`; `ENOMEM` for a hole, after the areas in front of it.
#[doc(alias = "apply_vma_lock_flags")]
fn apply(state: &mut MmState, range: Range<u64>, flags: VmFlags) -> Result<(), Errno> {
    if state.areas.len() + state.areas.cuts(range.clone()) > MAX_MAP_COUNT {
        return Err(Errno::ENOMEM);
    }
    let mut end = range.start;
    for (start, vma) in state.areas.overlapping(range.clone()) {
        if start > end {
            break;
        }
        end = vma.end.min(range.end);
    }
    let covered = range.start..end;
    if covered.is_empty() {
        return Err(Errno::ENOMEM);
    }
    state.areas.update(covered.clone(), |_, vma| vma.flags = vma.flags - LOCK_FLAGS | flags);
    // With a hole in it the host, too, locks what is in front and brings no page in.
    let len = if covered.end < range.end { range.end - range.start } else { covered.end - covered.start };
    let done = if flags.is_empty() {
        // The host may never have locked them.
        let _ = host::mm::munlock(range.start, len as usize);
        Ok(())
    } else if covered.end < range.end {
        let _ = host::mm::mlock(range.start, len as usize, flags.contains(VmFlags::LOCKONFAULT));
        Ok(())
    } else {
        lock_pages(range.start, len, flags)
    };
    if covered.end < range.end { Err(Errno::ENOMEM) } else { done }
}

#[doc(alias = "mlockall")]
pub fn sys_mlockall(flags: Flags) -> SysResult {
    let flags = flags.0;
    if flags & (MCL_CURRENT | MCL_FUTURE) == 0 || flags & !(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0 {
        return Err(Errno::EINVAL.into());
    }
    check_can_lock()?;
    let wanted = if flags & MCL_ONFAULT != 0 { LOCK_FLAGS } else { VmFlags::LOCKED };
    let mm = current().mm();
    let mut state = mm.lock();
    if flags & MCL_CURRENT != 0 {
        let total = state.total_vm();
        let locked = state.areas.totals().locked;
        check_lock_limit(&state, total.saturating_sub(locked))?;
    }
    state.default_flags -= LOCK_FLAGS;
    if flags & MCL_FUTURE != 0 {
        state.default_flags |= wanted;
    }
    if flags & MCL_CURRENT != 0 {
        lock_all(&mut state, wanted);
    }
    Ok(0)
}

#[doc(alias = "munlockall")]
pub fn sys_munlockall() -> SysResult {
    let mm = current().mm();
    let mut state = mm.lock();
    state.default_flags -= LOCK_FLAGS;
    lock_all(&mut state, VmFlags::empty());
    Ok(0)
}

/// Area by area: kernel memory above guest space is not the guest's to lock.
fn lock_all(state: &mut MmState, flags: VmFlags) {
    let ranges: alloc::vec::Vec<_> = state.areas.iter().map(|(start, vma)| start..vma.end).collect();
    for range in ranges {
        // As in Linux, pages that cannot come in are no error here.
        let _ = apply(state, range, flags);
    }
}
