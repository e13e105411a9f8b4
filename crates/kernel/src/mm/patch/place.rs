//! Patched texts and their stubs in an address space.
//!
//! Mirrors: nothing in Linux.
//! Locking: under the lock of `MmStruct`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::platform::platform;

use super::TextImage;
use crate::current;
use crate::mm::host_map::{HostFile, install};
use crate::mm::mm_struct::MmState;
use crate::mm::vma::{Backing, FilePages, VmFlags, Vma};

/// A part of a mapping with one backing.
pub struct Part {
    pub range: Range<u64>,
    pub backing: Backing,
    pub host_file: Option<HostFile>,
}

/// Cuts a file mapping so that its text comes from `image`, whose stubs are put in place. Whatever is not text, or
/// everything if there is no place for the stubs, stays with `whole`.
pub fn parts(state: &mut MmState, whole: Part, flags: VmFlags, image: Option<&Arc<TextImage>>) -> Vec<Part> {
    let (Some(image), Backing::File { offset, .. }, true) = (image, &whole.backing, flags.contains(VmFlags::EXEC)) else {
        return alloc::vec![whole];
    };
    let end = offset + (whole.range.end - whole.range.start);
    let text = image.in_file().start.max(*offset)..image.in_file().end.min(end);
    // The address of any byte of the file.
    let base = whole.range.start.wrapping_sub(*offset);
    if text.is_empty() || place_stubs(state, &whole.range, base.wrapping_add(image.in_file().start), image).is_err() {
        return alloc::vec![whole];
    }
    let start = base.wrapping_add(text.start);
    let (head, rest) = whole.cut(start);
    let (middle, tail) = rest.cut(base.wrapping_add(text.end));
    let middle = middle.with_image(image);
    [head, middle, tail].into_iter().filter(|part| !part.range.is_empty()).collect()
}

impl Part {
    /// What is below `addr` and what is not.
    fn cut(self, addr: u64) -> (Part, Part) {
        let into = addr - self.range.start;
        let tail = Part {
            range: addr..self.range.end,
            backing: self.backing.clone().advance(into),
            host_file: self.host_file.map(|(fd, offset)| (fd, offset + into)),
        };
        (Part { range: self.range.start..addr, ..self }, tail)
    }

    fn with_image(mut self, image: &Arc<TextImage>) -> Part {
        if let Backing::File { pages, .. } = &mut self.backing {
            *pages = FilePages::Patched(image.clone());
        }
        self
    }
}

/// Maps the stubs that belong to a text whose first page is (or would be) at `base`, unless they are there. `with` is
/// the range about to be mapped.
fn place_stubs(state: &mut MmState, with: &Range<u64>, base: u64, image: &Arc<TextImage>) -> Result<(), ()> {
    let start = base.wrapping_add(image.distance());
    let range = start..start.checked_add(image.stubs_len()).ok_or(())?;
    if let Some((at, vma)) = state.areas.get(start)
        && at == start
        && matches!(&vma.backing, Backing::Stubs(there) if Arc::ptr_eq(there, image))
    {
        return Ok(());
    }
    let apart = range.end <= with.start || range.start >= with.end;
    if !apart || range.end > acrida_kcore::uaccess::TASK_SIZE || !state.areas.is_placeable(range.clone()) {
        return Err(());
    }
    let flags = VmFlags::READ | VmFlags::EXEC | VmFlags::MAYREAD | VmFlags::MAYEXEC;
    let backing = Backing::Stubs(image.clone());
    install(range.clone(), flags, &backing, None, 0).map_err(|_| ())?;
    state.areas.insert(range.start, Vma { end: range.end, flags, backing });
    Ok(())
}

/// Takes the stubs of texts away whose last page is among the `removed` areas.
pub fn drop_stubs(state: &mut MmState, removed: &mut Vec<(u64, Vma)>) {
    let bases: Vec<(u64, Arc<TextImage>)> = removed.iter().filter_map(|(start, vma)| text_base(*start, vma)).collect();
    for (base, image) in bases {
        let text = base..base + (image.in_file().end - image.in_file().start);
        if state.areas.overlapping(text).any(|(_, vma)| is_text_of(vma, &image)) {
            continue;
        }
        let start = base.wrapping_add(image.distance());
        let Some((at, vma)) = state.areas.get(start) else { continue };
        let range = at..vma.end;
        if matches!(&vma.backing, Backing::Stubs(there) if Arc::ptr_eq(there, &image))
            && platform().host().munmap(range.start, (range.end - range.start) as usize).is_ok()
        {
            removed.extend(state.areas.remove(range));
        }
    }
}

fn is_text_of(vma: &Vma, image: &Arc<TextImage>) -> bool {
    matches!(&vma.backing, Backing::File { pages: FilePages::Patched(there), .. } if Arc::ptr_eq(there, image))
}

/// The image that an area shows, and the address of the image's first page.
fn text_base(start: u64, vma: &Vma) -> Option<(u64, Arc<TextImage>)> {
    let Backing::File { offset, pages: FilePages::Patched(image), .. } = &vma.backing else { return None };
    Some((start.wrapping_sub(offset - image.in_file().start), image.clone()))
}

/// The first address behind stubs that lie at `addr`, or `addr`.
pub fn stubs_end(state: &MmState, addr: u64) -> u64 {
    match state.areas.get(addr) {
        Some((_, vma)) if matches!(vma.backing, Backing::Stubs(_)) => vma.end,
        _ => addr,
    }
}

/// Where the calling guest's thread at `rip` would be if nothing were patched. For signal frames: unwinders and
/// cancellation look at the address.
pub fn rewind(rip: u64) -> u64 {
    let mm = current().mm();
    let state = mm.lock();
    let Some((start, vma)) = state.areas.get(rip) else { return rip };
    let found = match &vma.backing {
        Backing::Stubs(image) => image.rewind(start.wrapping_sub(image.distance()), rip),
        _ => text_base(start, vma).and_then(|(base, image)| image.rewind(base, rip)),
    };
    found.unwrap_or(rip)
}
