//! Taking mappings away: `munmap`.
//!
//! Mirrors: mm/mmap.c (`do_munmap`), Linux 6.18.
//! Locking: `MmStruct`'s lock, over the host call; files are let go after it.

use core::ops::Range;

use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::errno::Errno;

use super::mm_struct::{MmState, MmStruct, release};
use super::mmap::MAX_MAP_COUNT;
use super::patch::drop_stubs;
use super::vma::{VmFlags, Vma, page_align, page_start};
use crate::abi::SysResult;
use crate::current;

#[doc(alias = "munmap")]
pub fn sys_munmap(addr: UserAddr, len: u64) -> SysResult {
    current().mm().munmap(addr.0, len)?;
    Ok(0)
}

impl MmStruct {
    /// Unmaps `len` bytes (rounded up to pages) from `start`; holes are no error.
    #[doc(alias = "do_munmap")]
    pub fn munmap(&self, start: u64, len: u64) -> Result<(), Errno> {
        let range = check_range(start, len)?;
        let mut state = self.lock();
        let removed = unmap_locked(&mut state, range)?;
        drop(state);
        release(removed.into_iter());
        Ok(())
    }
}

/// The pages of a range to unmap.
pub fn check_range(start: u64, len: u64) -> Result<Range<u64>, Errno> {
    if start != page_start(start) || start > TASK_SIZE || len > TASK_SIZE - start {
        return Err(Errno::EINVAL);
    }
    let len = page_align(len).filter(|&len| len != 0).ok_or(Errno::EINVAL)?;
    Ok(start..start + len)
}

/// Unmaps; the caller lets the areas go without the lock.
pub fn unmap_locked(state: &mut MmState, range: Range<u64>) -> Result<alloc::vec::Vec<(u64, Vma)>, Errno> {
    if state.areas.is_free(range.clone()) {
        return Ok(alloc::vec::Vec::new());
    }
    // A hole in the middle of one area makes two of it.
    if state.areas.cuts(range.clone()) == 2 && state.areas.len() >= MAX_MAP_COUNT {
        let one = state.areas.get(range.start).is_some_and(|(_, vma)| vma.end > range.end);
        if one {
            return Err(Errno::ENOMEM);
        }
    }
    if state.areas.overlapping(range.clone()).any(|(_, vma)| vma.flags.contains(VmFlags::SEALED)) {
        return Err(Errno::EPERM);
    }
    platform().host().munmap(range.start, (range.end - range.start) as usize)?;
    let mut removed = state.areas.remove(range);
    drop_stubs(state, &mut removed);
    state.stack_uncounted = state.stack_uncounted.min(state.areas.totals().stack);
    Ok(removed)
}
