//! Resizing and moving mappings: `mremap`.
//!
//! Mirrors: mm/mremap.c, Linux 6.18.
//! Differs: the host moves the pages, to the place that we choose.
//! Locking: `MmStruct`'s lock, over the host calls. A file that must give more pages is asked before.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::host::OldPlace;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mman::{MAP_FIXED, MAP_PRIVATE, MAP_SHARED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE};

use super::host_map::{apply_flags, install, relocate};
use super::mlock::lock_pages;
use super::mm_struct::{MmState, MmStruct, release};
use super::mmap::{MAX_MAP_COUNT, MapBacking, MmapRequest, Wanted, check_limits, check_lock_limit, find_area};
use super::munmap::unmap_locked;
use super::pieces::{Piece, without};
use super::vma::{Backing, FilePages, PAGE_SIZE, VmFlags, Vma, page_align, page_start};
use crate::abi::{Flags, SysResult};
use crate::current;
use crate::fs::file::FileRef;

#[doc(alias = "mremap")]
pub fn sys_mremap(old: UserAddr, old_len: u64, new_len: u64, flags: Flags, new: UserAddr) -> SysResult {
    let flags = u64::from(flags.0);
    let (old, new) = (old.0, new.0);
    let mm = current().mm();
    let (old_len, new_len) = check_arguments(old, old_len, new_len, flags, new)?;
    if flags & NEW_PLACE != 0 && mm.lock().areas.len() + 2 >= MAX_MAP_COUNT - 3 {
        return Err(Errno::ENOMEM.into());
    }
    if new_len > old_len || flags & NEW_PLACE != 0 {
        mm.show_plain_text(old, old_len)?;
    }
    let more = mm.pieces_for_growth(old, old_len, new_len)?;
    let mut state = mm.lock();
    let mut call = Mremap { old, old_len, new_len, flags, more, removed: Vec::new() };
    let result =
        if flags & MREMAP_FIXED != 0 && old_len == new_len { call.move_all(&mut state, new) } else { call.run(&mut state, new) };
    mm.note_peak(&state);
    drop(state);
    release(call.removed.into_iter());
    Ok(result? as usize)
}

/// What makes the new address an argument.
const NEW_PLACE: u64 = MREMAP_FIXED | MREMAP_DONTUNMAP;

/// The lengths in whole pages, if the arguments make sense together.
#[doc(alias = "check_mremap_params")]
fn check_arguments(old: u64, old_len: u64, new_len: u64, flags: u64, new: u64) -> Result<(u64, u64), Errno> {
    if flags & !(MREMAP_MAYMOVE | NEW_PLACE) != 0 || old != page_start(old) {
        return Err(Errno::EINVAL);
    }
    let old_len = page_align(old_len).ok_or(Errno::EINVAL)?;
    let new_len = page_align(new_len).filter(|&len| len != 0 && len <= TASK_SIZE).ok_or(Errno::EINVAL)?;
    if flags & NEW_PLACE == 0 {
        return Ok((old_len, new_len));
    }
    let overlap = old.saturating_add(old_len) > new && new.saturating_add(new_len) > old;
    if new > TASK_SIZE - new_len
        || new != page_start(new)
        || flags & MREMAP_MAYMOVE == 0
        || flags & MREMAP_DONTUNMAP != 0 && old_len != new_len
        || overlap
    {
        return Err(Errno::EINVAL);
    }
    Ok((old_len, new_len))
}

/// Pages of a file behind what an area maps of it.
struct More {
    file: FileRef,
    pieces: Vec<Piece>,
}

impl MmStruct {
    /// Puts the file's own pages where areas show patched text: the jumps do not survive a move. What the guest has
    /// written over the text (break points) is lost.
    fn show_plain_text(&self, addr: u64, len: u64) -> Result<(), Error> {
        let range = addr..addr.saturating_add(len.max(1));
        let patched: Vec<Wanted> =
            self.lock().areas.overlapping(range).filter_map(|(start, vma)| plain_text(start, vma)).collect();
        for wanted in patched {
            self.do_mmap_plain(&wanted)?;
        }
        Ok(())
    }

    /// Asks the file of the area at `addr` for the pages that growing to `new_len` adds, if its pages are pieces.
    fn pieces_for_growth(&self, addr: u64, old_len: u64, new_len: u64) -> Result<Option<More>, Error> {
        let (file, request) = {
            let state = self.lock();
            let Some((start, vma)) = state.areas.get(addr) else { return Ok(None) };
            let Backing::File { file, offset, pages: FilePages::Window(_) } = &vma.backing else { return Ok(None) };
            if new_len <= old_len {
                return Ok(None);
            }
            let sharing = if vma.is_shared() { MAP_SHARED } else { MAP_PRIVATE };
            let offset = offset + (addr - start) + old_len;
            let len = (new_len - old_len) as usize;
            (file.file().clone(), MmapRequest { len, prot: vma.flags.prot(), flags: sharing as u32, offset })
        };
        match file.ops.mmap(&file, &request)? {
            MapBacking::Window(pieces) => Ok(Some(More { file, pieces })),
            _ => Ok(None),
        }
    }
}

/// The mapping that would show an area's patched text as it is in the file.
fn plain_text(start: u64, vma: &Vma) -> Option<Wanted> {
    let Backing::File { file, offset, pages: FilePages::Patched(_) } = &vma.backing else { return None };
    let (prot, len) = (vma.flags.prot().into(), vma.end - start);
    Some(Wanted { addr: start, len, prot, flags: MAP_PRIVATE | MAP_FIXED, file: Some(file.file().clone()), offset: *offset })
}

struct Mremap {
    old: u64,
    old_len: u64,
    new_len: u64,
    flags: u64,
    more: Option<More>,
    removed: Vec<(u64, Vma)>,
}

impl Mremap {
    fn run(&mut self, state: &mut MmState, new: u64) -> Result<u64, Errno> {
        let (_, vma) = state.areas.get(self.old).ok_or(Errno::EFAULT)?;
        if vma.flags.contains(VmFlags::SEALED) {
            return Err(Errno::EPERM);
        }
        if self.flags & NEW_PLACE != 0 {
            return self.to(state, new);
        }
        if self.old_len >= self.new_len {
            if self.old_len > self.new_len {
                self.unmap(state, self.old + self.new_len, self.old_len - self.new_len)?;
            }
            return Ok(self.old);
        }
        let vma = self.resizable(state)?;
        if self.old.checked_add(self.old_len) == Some(vma.end) && self.grow_in_place(state, &vma)? {
            return Ok(self.old);
        }
        if self.flags & MREMAP_MAYMOVE == 0 {
            return Err(Errno::ENOMEM);
        }
        let place = find_area(state, 0, self.new_len, PAGE_SIZE, 0)?;
        self.move_to(state, &vma, place)
    }

    /// A move without change of size takes every area of the range; the distances between them stay (since Linux 6.17).
    #[doc(alias = "remap_move")]
    fn move_all(&mut self, state: &mut MmState, new: u64) -> Result<u64, Errno> {
        let range = self.old..self.old.saturating_add(self.old_len);
        let cut = |(start, vma): (u64, &Vma)| start.max(range.start)..vma.end.min(range.end);
        let areas: Vec<Range<u64>> = state.areas.overlapping(range.clone()).map(cut).collect();
        if areas.first().is_none_or(|first| first.start != range.start) {
            return Err(Errno::EFAULT);
        }
        for area in areas {
            self.old = area.start;
            self.old_len = area.end - area.start;
            self.new_len = self.old_len;
            self.to(state, new + (area.start - range.start))?;
        }
        Ok(new)
    }

    /// `MREMAP_FIXED` and `MREMAP_DONTUNMAP`.
    #[doc(alias = "mremap_to")]
    fn to(&mut self, state: &mut MmState, new: u64) -> Result<u64, Errno> {
        let vma = self.resizable(state)?;
        if self.flags & MREMAP_FIXED != 0 {
            self.unmap(state, new, self.new_len)?;
        }
        if self.old_len > self.new_len {
            self.unmap(state, self.old + self.new_len, self.old_len - self.new_len)?;
            self.old_len = self.new_len;
        }
        if self.flags & MREMAP_DONTUNMAP != 0 {
            check_limits(state, self.old, &Vma { end: self.old + self.old_len, ..vma.clone() }, 0)?;
        }
        let place = match self.flags & MREMAP_FIXED {
            0 => find_area(state, new, self.new_len, PAGE_SIZE, 0)?,
            _ => new,
        };
        self.move_to(state, &vma, place)
    }

    fn unmap(&mut self, state: &mut MmState, start: u64, len: u64) -> Result<(), Errno> {
        let range = super::munmap::check_range(start, len)?;
        self.removed.extend(unmap_locked(state, range)?);
        Ok(())
    }

    /// The area, cut to start at the old address, if it may change its size.
    #[doc(alias = "vma_to_resize")]
    fn resizable(&self, state: &MmState) -> Result<Vma, Errno> {
        let (start, vma) = state.areas.get(self.old).ok_or(Errno::EFAULT)?;
        if vma.flags.contains(VmFlags::SEALED) {
            return Err(Errno::EPERM);
        }
        if self.old_len == 0 && !vma.is_shared() {
            return Err(Errno::EINVAL);
        }
        // What is cut off may lie anywhere.
        if self.old_len.min(self.new_len) > vma.end - self.old {
            return Err(Errno::EFAULT);
        }
        let mut vma = vma.clone();
        vma.backing = vma.backing.advance(self.old - start);
        if self.new_len <= self.old_len {
            return Ok(vma);
        }
        let offset = vma.offset(self.old);
        offset.checked_add(self.new_len).ok_or(Errno::EINVAL)?;
        if vma.flags.contains(VmFlags::LOCKED) {
            check_lock_limit(state, self.new_len - self.old_len).map_err(|_| Errno::EAGAIN)?;
        }
        let grown = Vma { end: self.old.saturating_add(self.new_len - self.old_len), ..vma.clone() };
        check_limits(state, self.old, &grown, 0)?;
        self.add_pieces(&mut vma);
        Ok(vma)
    }

    /// Joins the pages that the file gave for the growth.
    fn add_pieces(&self, vma: &mut Vma) {
        if let (Backing::File { file, pages: FilePages::Window(pieces), .. }, Some(more)) = (&mut vma.backing, &self.more)
            && FileRef::ptr_eq(file.file(), &more.file)
        {
            let mut all: Vec<Piece> = pieces.to_vec();
            // The old pieces may reach beyond the area: they were made for a larger one.
            all.extend(without(&more.pieces, pieces));
            *pieces = Arc::new(all);
        }
    }

    /// Grows over free addresses behind the area; `false` when they are taken.
    fn grow_in_place(&self, state: &mut MmState, vma: &Vma) -> Result<bool, Errno> {
        let Some(end) = self.old.checked_add(self.new_len).filter(|&end| end <= TASK_SIZE) else { return Ok(false) };
        let tail = vma.end..end;
        if !state.areas.is_placeable(tail.clone()) {
            return Ok(false);
        }
        let host = platform().host();
        let backing = vma.backing.clone().advance(self.old_len);
        let in_pieces = matches!(&vma.backing, Backing::File { pages: FilePages::Window(_), .. });
        if in_pieces || host.mremap(self.old, self.old_len as usize, self.new_len as usize, self.old, OldPlace::Unmapped).is_err()
        {
            if matches!(vma.backing, Backing::Shared(..) | Backing::File { pages: FilePages::Host, .. }) {
                return Ok(false);
            }
            install(tail.clone(), vma.flags, &backing, None, 0)?;
            apply_flags(&tail, vma.flags);
        }
        state.areas.update(self.old..vma.end, |_, area| area.backing = vma.backing.clone());
        state.areas.insert(tail.start, Vma { end, flags: vma.flags, backing });
        if vma.flags.contains(VmFlags::LOCKED) {
            // Pages that cannot come in now are no error.
            let _ = lock_pages(tail.start, end - tail.start, vma.flags);
        }
        Ok(true)
    }

    #[doc(alias = "move_vma")]
    fn move_to(&mut self, state: &mut MmState, vma: &Vma, place: u64) -> Result<u64, Errno> {
        if state.areas.len() >= MAX_MAP_COUNT - 3 {
            return Err(Errno::ENOMEM);
        }
        let old: Range<u64> = self.old..self.old + self.old_len;
        let left = if self.flags & MREMAP_DONTUNMAP != 0 { OldPlace::Kept } else { OldPlace::Unmapped };
        relocate(&old, place, self.new_len, vma.flags, &vma.backing, left)?;
        if left == OldPlace::Kept {
            // Linux takes the lock from the whole area, not only from what has moved.
            let whole = state.areas.get(old.start).map_or(old, |(start, vma)| start..vma.end);
            state.areas.update(whole, |_, vma| vma.flags.remove(VmFlags::LOCKED | VmFlags::LOCKONFAULT));
        } else {
            self.removed.extend(state.areas.remove(old));
        }
        let end = place + self.new_len;
        state.areas.insert(place, Vma { end, flags: vma.flags, backing: vma.backing.clone() });
        if vma.flags.contains(VmFlags::LOCKED) {
            // Pages that cannot come in now are no error.
            let _ = lock_pages(place, self.new_len, vma.flags);
        }
        Ok(place)
    }
}
