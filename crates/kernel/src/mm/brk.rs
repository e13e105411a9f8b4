//! The heap: `brk`.
//!
//! Mirrors: mm/mmap.c (`brk`, `do_brk_flags`), Linux 6.18.
//! Differs: the host's own brk is never used.
//! Locking: `MmStruct`'s lock, over the host call; `MmStruct::program` under it.

use acrida_kcore::host::MapRequest;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::MAP_PRIVATE;
use acrida_uapi::resource::RLIMIT_DATA;

use super::layout::PIE_BASE;
use super::mlock::lock_pages;
use super::mm_struct::{MmState, MmStruct, release};
use super::mmap::check_limits;
use super::munmap::unmap_locked;
use super::patch::stubs_end;
use super::vma::{Backing, PAGE_SIZE, VmFlags, Vma, page_align};
use crate::abi::SysResult;
use crate::current;

/// No position-independent program with an interpreter lies above this line.
const HIGHEST_PIE: u64 = 0x6000_0000_0000;

/// Start of the heap and its current end; not rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brk {
    pub start: u64,
    pub end: u64,
}

impl MmStruct {
    /// Puts the empty heap behind the program, which ends at `program_end`.
    pub fn set_brk(&self, program_end: u64) {
        let mut state = self.lock();
        // A program that lies among the libraries (static-pie) has no room behind it.
        let program_end = if program_end > HIGHEST_PIE { PIE_BASE } else { program_end };
        let end = stubs_end(&state, page_align(program_end).unwrap_or(program_end));
        let start = page_align(state.layout.randomize.brk_start(end)).unwrap_or(end);
        state.brk = Brk { start, end: start };
    }
}

/// Moves the end of the heap. Gives the new end, or the old one when it cannot move.
#[doc(alias = "brk")]
pub fn sys_brk(wanted: UserAddr) -> SysResult {
    let wanted = wanted.0;
    let mm = current().mm();
    let mut state = mm.lock();
    let old = state.brk;
    if wanted < old.start || wanted >= TASK_SIZE {
        return Ok(old.end as usize);
    }
    let (Some(old_page), Some(new_page)) = (page_align(old.end), page_align(wanted)) else {
        return Ok(old.end as usize);
    };
    if new_page < old_page {
        let Ok(removed) = unmap_locked(&mut state, new_page..old_page) else { return Ok(old.end as usize) };
        state.brk.end = wanted;
        drop(state);
        release(removed.into_iter());
        return Ok(wanted as usize);
    }
    let program = mm.program.lock();
    let data = (wanted - old.start) + program.end_data.saturating_sub(program.start_data);
    drop(program);
    if data > current().process.rlimit(RLIMIT_DATA as usize).rlim_cur {
        return Ok(old.end as usize);
    }
    if new_page > old_page && grow(&mm, &mut state, old_page, new_page).is_err() {
        return Ok(old.end as usize);
    }
    state.brk.end = wanted;
    Ok(wanted as usize)
}

/// Maps the heap's new pages.
#[doc(alias = "do_brk_flags")]
fn grow(mm: &MmStruct, state: &mut MmState, from: u64, to: u64) -> Result<(), Errno> {
    // Linux keeps one page between the heap and the next area.
    if !state.areas.is_placeable(from..to + PAGE_SIZE) {
        return Err(Errno::ENOMEM);
    }
    let flags = VmFlags::READ | VmFlags::WRITE | VmFlags::MAY | VmFlags::ACCOUNT | state.default_flags;
    let vma = Vma { end: to, flags, backing: Backing::Anonymous };
    check_limits(state, from, &vma, 0)?;
    platform().host().mmap(MapRequest {
        addr: from,
        len: (to - from) as usize,
        prot: flags.prot(),
        flags: MAP_PRIVATE as u32,
        fd: None,
        offset: 0,
    })?;
    state.areas.insert(from, vma);
    mm.note_peak(state);
    if flags.contains(VmFlags::LOCKED) {
        // Pages that cannot come in now are no error.
        let _ = lock_pages(from, to - from, flags);
    }
    Ok(())
}
