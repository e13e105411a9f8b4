//! The old way to show other pages of a file: `remap_file_pages`.
//!
//! Mirrors: mm/mmap.c (`remap_file_pages`), Linux 6.18, which also only emulates it with new mappings.
//! Locking: `MmStruct`'s lock, over the host call for memory without a file; a file is mapped anew without it.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::{MAP_FIXED, MAP_POPULATE, MAP_SHARED};

use super::mmap::Wanted;
use super::vma::{Backing, PAGE_SHIFT, page_start};
use crate::abi::{Flags, SysResult};
use crate::{current, host};

#[doc(alias = "remap_file_pages")]
pub fn sys_remap_file_pages(start: UserAddr, size: u64, prot: Flags, page: u64, flags: Flags) -> SysResult {
    let (start, size) = (page_start(start.0), page_start(size));
    let _ = flags;
    let end = start.checked_add(size).filter(|&end| end > start).ok_or(Errno::EINVAL)?;
    if prot.0 != 0 || page.checked_add(size >> PAGE_SHIFT).is_none() {
        return Err(Errno::EINVAL.into());
    }
    let offset = page.checked_mul(1 << PAGE_SHIFT).ok_or(Errno::EINVAL)?;
    let mm = current().mm();
    let (file, rights) = {
        let mut state = mm.lock();
        let (_, vma) = state.areas.get(start).filter(|(_, vma)| vma.is_shared()).ok_or(Errno::EINVAL)?;
        // Linux also takes several areas of the same file in a row.
        if end > vma.end {
            return Err(Errno::EINVAL.into());
        }
        let rights = vma.flags.prot();
        match &vma.backing {
            Backing::File { file, .. } => (file.file().clone(), rights),
            Backing::Shared(object, _) => {
                let object = object.clone();
                host::mm::remap_file_pages(start, size as usize, page)?;
                state.areas.update(start..end, |at, vma| {
                    vma.backing = Backing::Shared(object.clone(), offset + (at - start));
                });
                return Ok(0);
            }
            Backing::Anonymous | Backing::Stubs(_) => return Err(Errno::EINVAL.into()),
        }
    };
    let flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
    mm.do_mmap(&Wanted { addr: start, len: size, prot: rights.into(), flags, file: Some(file), offset })?;
    Ok(0)
}
