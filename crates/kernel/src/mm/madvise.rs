//! Hints about use of memory: `madvise`.
//!
//! Mirrors: mm/madvise.c, Linux 6.18 (with the guard advice of 6.13).
//! Differs: the host takes the advice; what it changes about an area is remembered here, for fork and /proc.
//! Locking: `MmStruct`'s lock, over the host call.

use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE};
use acrida_uapi::mman::*;

use super::fault::fault_in_range;
use super::mm_struct::{MmState, MmStruct};
use super::vma::{Backing, FilePages, VmFlags, Vma, page_align, page_start};
use crate::abi::SysResult;
use crate::{current, host};

#[doc(alias = "madvise")]
pub fn sys_madvise(start: UserAddr, len: u64, advice: i32) -> SysResult {
    current().mm().madvise(start.0, len, advice)?;
    Ok(0)
}

#[doc(alias = "madvise_behavior_valid")]
fn is_known(advice: i32) -> bool {
    matches!(advice, MADV_NORMAL..=MADV_DONTNEED | MADV_FREE..=MADV_COLLAPSE | MADV_HWPOISON..=MADV_GUARD_REMOVE)
}

/// What an advice does to an area's flags: removed, added.
fn flag_change(advice: i32) -> Option<(VmFlags, VmFlags)> {
    let none = VmFlags::empty();
    Some(match advice {
        MADV_NORMAL => (VmFlags::RAND_READ | VmFlags::SEQ_READ, none),
        MADV_RANDOM => (VmFlags::SEQ_READ, VmFlags::RAND_READ),
        MADV_SEQUENTIAL => (VmFlags::RAND_READ, VmFlags::SEQ_READ),
        MADV_DONTFORK => (none, VmFlags::DONTCOPY),
        MADV_DOFORK => (VmFlags::DONTCOPY, none),
        MADV_WIPEONFORK => (none, VmFlags::WIPEONFORK),
        MADV_KEEPONFORK => (VmFlags::WIPEONFORK, none),
        MADV_DONTDUMP => (none, VmFlags::DONTDUMP),
        MADV_DODUMP => (VmFlags::DONTDUMP, none),
        MADV_MERGEABLE => (none, VmFlags::MERGEABLE),
        MADV_UNMERGEABLE => (VmFlags::MERGEABLE, none),
        MADV_HUGEPAGE => (VmFlags::NOHUGEPAGE, VmFlags::HUGEPAGE),
        MADV_NOHUGEPAGE => (VmFlags::HUGEPAGE, VmFlags::NOHUGEPAGE),
        _ => return None,
    })
}

impl MmStruct {
    #[doc(alias = "do_madvise")]
    pub fn madvise(&self, start: u64, len: u64, advice: i32) -> Result<(), Error> {
        if !is_known(advice) || start != page_start(start) {
            return Err(Errno::EINVAL.into());
        }
        let len = page_align(len).ok_or(Errno::EINVAL)?;
        let end = start.checked_add(len).ok_or(Errno::EINVAL)?;
        if end == start {
            return Ok(());
        }
        if advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE {
            // The machine's memory is not ours to break.
            return Err(Errno::EPERM.into());
        }
        if advice == MADV_REMOVE && self.punch_file(start, end)? {
            return Ok(());
        }
        if start >= TASK_SIZE {
            return Err(Errno::ENOMEM.into());
        }
        let inside = end.min(TASK_SIZE);
        let populates = matches!(advice, MADV_POPULATE_READ | MADV_POPULATE_WRITE);
        let absent = if populates { fault_in_range(start..inside) } else { None };
        let taken = start..absent.unwrap_or(inside);
        if !taken.is_empty() {
            give(&mut self.lock(), taken.start, taken.end, advice)?;
        }
        if absent.is_some() {
            return Err(Errno::EFAULT.into());
        }
        if inside < end { Err(Errno::ENOMEM.into()) } else { Ok(()) }
    }

    /// `MADV_REMOVE` of pages of one of our own files: the file makes the hole.
    fn punch_file(&self, start: u64, end: u64) -> Result<bool, Error> {
        let (file, offset) = {
            let state = self.lock();
            let Some((at, vma)) = state.areas.get(start) else { return Ok(false) };
            let Backing::File { file, offset, pages: FilePages::Window(_) } = &vma.backing else { return Ok(false) };
            if vma.flags.contains(VmFlags::LOCKED) || end > vma.end {
                return Err(Errno::EINVAL.into());
            }
            if !vma.flags.contains(VmFlags::SHARED | VmFlags::MAYWRITE) {
                return Err(Errno::EACCES.into());
            }
            (file.file().clone(), offset + (start - at))
        };
        let mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        file.ops.fallocate(&file, mode, offset, end - start)?;
        Ok(true)
    }
}

/// Why an area does not take an advice. The host cannot tell everything: pages without a file page look anonymous to it,
/// and its locks are not ours.
fn refusal(advice: i32, vma: &Vma) -> Option<Errno> {
    let private = matches!(vma.backing, Backing::Anonymous);
    let locked = vma.flags.contains(VmFlags::LOCKED);
    let drops =
        matches!(advice, MADV_DONTNEED | MADV_FREE | MADV_DONTNEED_LOCKED | MADV_DONTFORK | MADV_WIPEONFORK | MADV_GUARD_INSTALL);
    if drops && private && vma.flags & (VmFlags::SEALED | VmFlags::WRITE) == VmFlags::SEALED {
        return Some(Errno::EPERM);
    }
    let refused = match advice {
        MADV_WIPEONFORK => !private,
        MADV_FREE => !private || locked,
        MADV_DONTNEED | MADV_COLD | MADV_PAGEOUT | MADV_REMOVE => locked,
        _ => false,
    };
    refused.then_some(Errno::EINVAL)
}

/// The areas in front of the first one that refuses take the advice.
fn give(state: &mut MmState, start: u64, end: u64, advice: i32) -> Result<(), Errno> {
    let refused = state.areas.overlapping(start..end).find_map(|(at, vma)| Some((at.max(start), refusal(advice, vma)?)));
    let Some((first, errno)) = refused else { return give_all(state, start, end, advice) };
    if first > start {
        // A hole in front is not told any more.
        let _ = give_all(state, start, first, advice);
    }
    Err(errno)
}

fn give_all(state: &mut MmState, start: u64, end: u64, advice: i32) -> Result<(), Errno> {
    let given = host::mm::madvise(start, (end - start) as usize, advice);
    // ENOMEM says that there was a hole: the areas around it have taken the advice.
    if let (Ok(()) | Err(Errno::ENOMEM), Some((removed, added))) = (given, flag_change(advice)) {
        state.areas.update(start..end, |_, vma| vma.flags = vma.flags - removed | added);
    }
    given
}
