//! Rights of mapped pages: `mprotect`.
//!
//! Mirrors: mm/mprotect.c, Linux 6.18.
//! Locking: `MmStruct`'s lock, over the host call.

use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::{PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE};
use acrida_uapi::mman::{PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE};

use super::host_map;
use super::mm_struct::{MmState, MmStruct};
use super::mmap::{MAX_MAP_COUNT, check_data_limit};
use super::vma::{VmFlags, Vma, page_align, page_start};
use crate::abi::{Flags, SysResult};
use crate::current;

#[doc(alias = "mprotect")]
pub fn sys_mprotect(start: UserAddr, len: u64, prot: Flags) -> SysResult {
    current().mm().mprotect(start.0, len, prot.0.into())?;
    Ok(0)
}

impl MmStruct {
    /// Changes rights area by area; what comes before the first refusal stays changed, as in Linux.
    #[doc(alias = "do_mprotect_pkey")]
    pub fn mprotect(&self, start: u64, len: u64, prot: u64) -> Result<(), Errno> {
        let grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
        let prot = prot & !grows;
        if grows == PROT_GROWSDOWN | PROT_GROWSUP || start != page_start(start) {
            return Err(Errno::EINVAL);
        }
        if len == 0 {
            return Ok(());
        }
        let end = page_align(len).and_then(|len| start.checked_add(len)).filter(|&end| end > start).ok_or(Errno::ENOMEM)?;
        if prot & !(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM) != 0 {
            return Err(Errno::EINVAL);
        }
        let mut state = self.lock();
        let start = match (state.areas.find(start), grows) {
            (None, _) => return Err(Errno::ENOMEM),
            (Some((first, _)), PROT_GROWSDOWN) if first >= end => return Err(Errno::ENOMEM),
            (Some((first, vma)), PROT_GROWSDOWN) if vma.flags.contains(VmFlags::GROWSDOWN) => first,
            (Some((first, _)), 0) if first > start => return Err(Errno::ENOMEM),
            (Some(_), 0) => start,
            // Areas that grow up do not exist on x86.
            _ => return Err(Errno::EINVAL),
        };
        protect_areas(&mut state, start..end, VmFlags::from_prot(prot))
    }
}

fn protect_areas(state: &mut MmState, range: Range<u64>, rights: VmFlags) -> Result<(), Errno> {
    let areas: Vec<(u64, Vma)> = state.areas.overlapping(range.clone()).map(|(start, vma)| (start, vma.clone())).collect();
    let mut at = range.start;
    for (start, vma) in areas {
        if start > at {
            return Err(Errno::ENOMEM);
        }
        let part = at..vma.end.min(range.end);
        at = part.end;
        protect_part(state, part, start, vma, rights)?;
    }
    if at < range.end { Err(Errno::ENOMEM) } else { Ok(()) }
}

#[doc(alias = "mprotect_fixup")]
fn protect_part(state: &mut MmState, part: Range<u64>, start: u64, vma: Vma, rights: VmFlags) -> Result<(), Errno> {
    let flags = (vma.flags - VmFlags::RIGHTS | rights).accounted();
    // MAY* are the rights four bits up.
    if rights.bits() & !(vma.flags.bits() >> 4) != 0 {
        return Err(Errno::EACCES);
    }
    if vma.flags.contains(VmFlags::SEALED) && flags != vma.flags {
        return Err(Errno::EPERM);
    }
    if flags == vma.flags {
        return Ok(());
    }
    if state.areas.len() + state.areas.cuts(part.clone()) > MAX_MAP_COUNT {
        return Err(Errno::ENOMEM);
    }
    let after = Vma { end: part.end, flags, ..Vma::default() };
    if after.is_data() && !vma.is_data() {
        check_data_limit(state, part.end - part.start)?;
    }
    let backing = vma.backing.advance(part.start - start);
    host_map::protect(&part, flags, &backing)?;
    state.areas.update(part, |_, vma| vma.flags = flags);
    Ok(())
}

/// `pkey_mprotect`: only "no key" exists, as on processors without protection keys.
#[doc(alias = "pkey_mprotect")]
pub fn sys_pkey_mprotect(start: UserAddr, len: u64, prot: Flags, pkey: i32) -> SysResult {
    if pkey != -1 {
        return Err(Errno::EINVAL.into());
    }
    sys_mprotect(start, len, prot)
}

#[doc(alias = "pkey_alloc")]
pub fn sys_pkey_alloc(flags: u64, access: u64) -> SysResult {
    if flags != 0 || access & !(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE) != 0 {
        return Err(Errno::EINVAL.into());
    }
    Err(Errno::ENOSPC.into())
}
