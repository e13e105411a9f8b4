//! Pages of a file that was cut leave the memory that shows them.
//!
//! Mirrors: mm/memory.c (`unmap_mapping_range`), mm/truncate.c (`truncate_pagecache`), Linux 6.18.
//! Differs: it reaches the calling process. Another process that has the file mapped goes on seeing the old pages (as zeros)
//! until it maps them anew: nobody but a process itself can change its mappings on the host.
//! Locking: `MmStruct`'s lock, over the host calls; the file holds no lock of its own.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::host::MapRequest;
use acrida_kcore::platform::platform;
use acrida_uapi::mman::{MAP_NORESERVE, MAP_PRIVATE, PROT_NONE};

use super::host_map::apply_flags;
use super::mm_struct::MmStruct;
use super::pieces::{Piece, before};
use super::vma::{Backing, FilePages, VmFlags, Vma};
use crate::fs::inode::Inode;

/// An area that shows pages which are gone.
struct Stale {
    area: Range<u64>,
    gone: Range<u64>,
    flags: VmFlags,
    kept: Vec<Piece>,
}

impl MmStruct {
    /// Takes what `inode`, cut to `end` bytes (whole pages), no longer has out of every area: a fault asks the file again.
    #[doc(alias = "unmap_mapping_range")]
    pub fn unmap_cut_pages(&self, inode: &dyn Inode, end: u64) {
        let mut state = self.lock();
        let stale: Vec<Stale> = state.areas.iter().filter_map(|(start, vma)| stale(start, vma, inode, end)).collect();
        for Stale { area, gone, flags, kept } in stale {
            let request = MapRequest {
                addr: gone.start,
                len: (gone.end - gone.start) as usize,
                prot: PROT_NONE as u32,
                flags: (MAP_PRIVATE | MAP_NORESERVE) as u32,
                fd: None,
                offset: 0,
            };
            // The host may have no room for another mapping: then the old pages stay, as zeros.
            if platform().host().mmap(request).is_err() {
                continue;
            }
            apply_flags(&gone, flags);
            let kept = Arc::new(kept);
            state.areas.update(area, |_, vma| {
                if let Backing::File { pages, .. } = &mut vma.backing {
                    *pages = FilePages::Window(kept.clone());
                }
            });
        }
    }
}

fn stale(start: u64, vma: &Vma, inode: &dyn Inode, end: u64) -> Option<Stale> {
    let Backing::File { file, offset, pages: FilePages::Window(pieces) } = &vma.backing else { return None };
    let shown = file.file().inode()?;
    let gone = start.saturating_add(end.saturating_sub(*offset))..vma.end;
    let affected = core::ptr::addr_eq(Arc::as_ptr(shown), inode) && !gone.is_empty();
    affected.then(|| Stale { area: start..vma.end, gone, flags: vma.flags, kept: before(pieces, end) })
}
