//! Puts an area's pages at the host.
//!
//! Mirrors: nothing in Linux; it stands where `mmap_region` fills page tables lazily.
//! Differs: one host mapping per piece; bytes of a file that has no page there stay without access until a fault asks.
//! Locking: called under the lock of `MmStruct`.

use core::ops::Range;

use acrida_kcore::host::{HostFd, MapRequest, OldPlace};
use acrida_kcore::platform::platform;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::{MADV_DONTFORK, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, PROT_NONE};

use super::patch::ImagePages;
use super::pieces::{Piece, visible};
use super::vma::{Backing, FilePages, VmFlags};

/// A host file and the byte offset in it that the area starts at.
pub type HostFile = (HostFd, u64);

/// Maps `range` with fresh pages, over whatever is there. `extra` are further host `MAP_*` flags.
pub fn install(
    range: Range<u64>,
    flags: VmFlags,
    backing: &Backing,
    host_file: Option<HostFile>,
    extra: u64,
) -> Result<(), Errno> {
    let host = platform().host();
    let sharing = if flags.contains(VmFlags::SHARED) { MAP_SHARED } else { MAP_PRIVATE };
    // The caller may ask the host for another type of its own (MAP_DROPPABLE).
    let sharing = if extra & acrida_uapi::mman::MAP_TYPE != 0 { 0 } else { sharing };
    let request = MapRequest {
        addr: range.start,
        len: (range.end - range.start) as usize,
        prot: flags.prot(),
        flags: (sharing | extra) as u32,
        fd: None,
        offset: 0,
    };
    if let Some((pieces, offset)) = pieces_of(backing) {
        let covered: u64 = visible(pieces, offset, &range).map(|(at, _)| at.end - at.start).sum();
        if covered < range.end - range.start {
            host.mmap(MapRequest { prot: PROT_NONE as u32, flags: (MAP_PRIVATE | MAP_NORESERVE) as u32, ..request })?;
        }
        return map_pieces(&range, flags, pieces, offset, extra & MAP_POPULATE);
    }
    let host_file = match backing {
        Backing::File { pages: FilePages::Host, .. } => host_file,
        _ => image_file(backing),
    };
    match host_file {
        Some((fd, offset)) => host.mmap(MapRequest { fd: Some(fd), offset, ..request }),
        None => host.mmap(request),
    }
}

/// The pages of the patched image behind an area, if there is one.
fn image_pages(backing: &Backing) -> Option<ImagePages<'_>> {
    match backing {
        Backing::File { pages: FilePages::Patched(image), offset, .. } => Some(image.text_pages(*offset)),
        Backing::Stubs(image) => Some(image.stub_pages()),
        _ => None,
    }
}

/// The host file of the patched image behind an area.
fn image_file(backing: &Backing) -> Option<HostFile> {
    match image_pages(backing)? {
        ImagePages::File(fd, at) => Some((fd, at)),
        ImagePages::Pieces(_) => None,
    }
}

/// The pieces behind an area and the byte of the file that it starts with, if it has pieces.
fn pieces_of(backing: &Backing) -> Option<(&[Piece], u64)> {
    let (pieces, offset) = match backing {
        Backing::File { pages: FilePages::Window(pieces), offset, .. } => return Some((pieces.as_slice(), *offset)),
        Backing::File { offset, .. } => (image_pages(backing)?, *offset),
        _ => (image_pages(backing)?, 0),
    };
    match pieces {
        ImagePages::Pieces(pieces) => Some((pieces, offset)),
        ImagePages::File(..) => None,
    }
}

/// Maps the pieces of a file that lie in `range`, which starts at `offset` in the file; `extra` as in [`install`].
pub fn map_pieces(range: &Range<u64>, flags: VmFlags, pieces: &[Piece], offset: u64, extra: u64) -> Result<(), Errno> {
    let host = platform().host();
    let shared = flags.contains(VmFlags::SHARED);
    if shared && flags.contains(VmFlags::MAYWRITE) {
        for piece in pieces {
            piece.extent.touch(piece.start + piece.len);
        }
    }
    for (at, object) in visible(pieces, offset, range) {
        host.mmap(MapRequest {
            addr: at.start,
            len: (at.end - at.start) as usize,
            prot: flags.prot(),
            flags: (extra | if shared { MAP_SHARED } else { MAP_PRIVATE }) as u32,
            fd: Some(host.physmem_fd()),
            offset: object,
        })?;
    }
    Ok(())
}

/// Tells the host what it must know about fresh pages of an area that was there before.
pub fn apply_flags(range: &Range<u64>, flags: VmFlags) {
    if flags.contains(VmFlags::DONTCOPY) {
        // A mapped range always takes it.
        let _ = crate::host::mm::madvise(range.start, (range.end - range.start) as usize, MADV_DONTFORK);
    }
}

/// Gives the pages of `range` new rights; bytes of a file that has no page there stay without access.
pub fn protect(range: &Range<u64>, flags: VmFlags, backing: &Backing) -> Result<(), Errno> {
    let host = platform().host();
    let Some((pieces, offset)) = pieces_of(backing) else {
        return host.mprotect(range.start, (range.end - range.start) as usize, flags.prot());
    };
    for (at, _) in visible(pieces, offset, range) {
        host.mprotect(at.start, (at.end - at.start) as usize, flags.prot())?;
    }
    Ok(())
}

/// Moves the pages of `range` to `to`, growing or shrinking to `new_len`; what is behind the old length comes up fresh.
pub fn relocate(
    range: &Range<u64>,
    to: u64,
    new_len: u64,
    flags: VmFlags,
    backing: &Backing,
    old: OldPlace,
) -> Result<(), Errno> {
    let host = platform().host();
    let Some((pieces, offset)) = pieces_of(backing) else {
        return host.mremap(range.start, (range.end - range.start) as usize, new_len as usize, to, old);
    };
    // One host mapping per piece: the new place comes up as a whole, then what the guest may have changed is moved over.
    install(to..to + new_len, flags, backing, None, 0)?;
    apply_flags(&(to..to + new_len), flags);
    if range.is_empty() {
        return Ok(());
    }
    for (at, _) in visible(pieces, offset, range) {
        let len = (at.end - at.start) as usize;
        host.mremap(at.start, len, len, to + (at.start - range.start), old)?;
    }
    match old {
        OldPlace::Kept => Ok(()),
        OldPlace::Unmapped => host.munmap(range.start, (range.end - range.start) as usize),
    }
}
