//! Locked memory: `mlock`, `mlock2`, `munlock`, `mlockall`, `munlockall`.
//!
//! Mirrors: mm/mlock.c, Linux 6.1.
//! Differs: whether a lock is allowed, and how much is locked, is our own account; the host is asked to keep the pages,
//! and when it refuses (its limit is not the guest's) they are at least made present.
//! Locking: `MmStruct`'s lock.

use acrida_uapi::mman::MADV_POPULATE_READ;

use super::vma::VmFlags;
use crate::host;

/// Asks the host to keep pages in memory, as far as it lets us.
pub fn lock_pages(start: u64, len: u64, flags: VmFlags) {
    let on_fault = flags.contains(VmFlags::LOCKONFAULT);
    if host::mlock(start, len as usize, on_fault).is_err() && !on_fault {
        let _ = host::madvise(start, len as usize, MADV_POPULATE_READ);
    }
}
