//! Areas that cannot change any more: `mseal`.
//!
//! Mirrors: mm/mseal.c, Linux 6.10.
//! Differs: only our own checks look at the seal.
//! Locking: `MmStruct`'s lock.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;

use super::vma::{VmFlags, page_align, page_start};
use crate::abi::SysResult;
use crate::current;

#[doc(alias = "mseal")]
pub fn sys_mseal(start: UserAddr, len: u64, flags: u64) -> SysResult {
    let start = start.0;
    if flags != 0 || start != page_start(start) {
        return Err(Errno::EINVAL.into());
    }
    let len = page_align(len).ok_or(Errno::EINVAL)?;
    let end = start.checked_add(len).ok_or(Errno::EINVAL)?;
    if start == end {
        return Ok(0);
    }
    let mm = current().mm();
    let mut state = mm.lock();
    if !state.areas.covers(start..end) {
        return Err(Errno::ENOMEM.into());
    }
    state.areas.update(start..end, |_, vma| vma.flags |= VmFlags::SEALED);
    Ok(0)
}
