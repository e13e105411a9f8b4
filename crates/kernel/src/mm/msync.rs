//! Mapped files and the disk, mapped pages and memory: `msync`, `mincore`.
//!
//! Mirrors: mm/msync.c, mm/mincore.c, Linux 6.18.
//! Differs: the host writes its files back and knows which pages are in; our own files have nothing below them.
//! Locking: `MmStruct`'s lock only to look; the host calls may take long.

use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::{MS_ASYNC, MS_INVALIDATE, MS_SYNC};

use super::vma::{Backing, FilePages, PAGE_SIZE, VmFlags, page_align, page_start};
use crate::abi::{BufOut, Flags, SysResult};
use crate::{current, host};

#[doc(alias = "msync")]
pub fn sys_msync(start: UserAddr, len: u64, flags: Flags) -> SysResult {
    let (start, flags) = (start.0, flags.0);
    if flags & !(MS_ASYNC | MS_INVALIDATE | MS_SYNC) != 0
        || start != page_start(start)
        || flags & (MS_ASYNC | MS_SYNC) == MS_ASYNC | MS_SYNC
    {
        return Err(Errno::EINVAL.into());
    }
    // A length that wraps to 0 is no error in Linux either.
    let end = start.checked_add(page_align(len).unwrap_or(0)).ok_or(Errno::ENOMEM)?;
    if end == start {
        return Ok(0);
    }
    let range = start..end;
    let mut of_host: Vec<(u64, u64)> = Vec::new();
    let covered = {
        let mm = current().mm();
        let state = mm.lock();
        for (at, vma) in state.areas.overlapping(range.clone()) {
            if flags & MS_INVALIDATE != 0 && vma.flags.contains(VmFlags::LOCKED) {
                return Err(Errno::EBUSY.into());
            }
            if vma.is_shared() && matches!(vma.backing, Backing::File { pages: FilePages::Host, .. }) {
                of_host.push((at.max(start), vma.end.min(end)));
            }
        }
        state.areas.covers(range)
    };
    for (from, to) in of_host {
        host::mm::msync(from, (to - from) as usize, flags)?;
    }
    if covered { Ok(0) } else { Err(Errno::ENOMEM.into()) }
}

#[doc(alias = "mincore")]
pub fn sys_mincore(start: UserAddr, len: u64, vec: BufOut) -> SysResult {
    let addr = start.0;
    if addr != page_start(addr) {
        return Err(Errno::EINVAL.into());
    }
    let len = usize::try_from(len).map_err(|_| Errno::ENOMEM)?;
    if !start.access_ok(len) {
        return Err(Errno::ENOMEM.into());
    }
    let pages = len.div_ceil(PAGE_SIZE as usize);
    if !vec.0.access_ok(pages) {
        return Err(Errno::EFAULT.into());
    }
    host::mm::mincore(addr, len, vec.0)?;
    Ok(0)
}
