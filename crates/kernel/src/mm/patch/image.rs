//! The patched text of one file.
//!
//! Mirrors: nothing in Linux.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::frame::Extent;
use acrida_kcore::host::HostFd;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::TASK_SIZE;
use acrida_loader::patch::{Layout, Method, Rewind, SYSCALL, Stubs, TextFile, analyse, apply};
use acrida_loader::{Prot, Role, Source};

use crate::fs::hostfs::handle::HostHandle;
use crate::mm::pieces::Piece;
use crate::mm::vma::{PAGE_SIZE, page_align, page_start};

/// Larger texts stay as they are: looking at them takes too long.
const TEXT_MAX: u64 = 64 << 20;
/// Bytes read at once when looking for call sites.
const CHUNK: usize = 64 << 10;

/// The measures of an image.
pub struct Shape {
    /// The text's pages, as bytes of the file.
    pub in_file: Range<u64>,
    pub stubs_len: u64,
    /// From the address of `in_file.start` to the stub area.
    pub distance: u64,
    /// From the address of `in_file.start` to the first byte of the text.
    pub text_start: u64,
}

/// Where the patched pages are; the stubs' follow the text's.
pub enum Home {
    /// One extent of the physical-memory object.
    Frames { text: Vec<Piece>, stubs: Vec<Piece>, extent: Arc<Extent> },
    /// A host file that nobody changes, from byte `text` on.
    File { file: HostHandle, text: u64 },
}

/// A text with jumps, and the stubs they lead to.
pub struct TextImage {
    shape: Shape,
    home: Home,
    sites: Stubs,
}

/// The pages of a text or of its stubs.
pub enum ImagePages<'a> {
    Pieces(&'a [Piece]),
    /// A host file, and where in it they start.
    File(HostFd, u64),
}

impl TextImage {
    pub fn new(shape: Shape, home: Home, sites: Stubs) -> TextImage {
        TextImage { shape, home, sites }
    }

    /// The text's pages, as bytes of the file.
    pub fn in_file(&self) -> Range<u64> {
        self.shape.in_file.clone()
    }

    pub fn text_len(&self) -> u64 {
        self.shape.in_file.end - self.shape.in_file.start
    }

    pub fn stubs_len(&self) -> u64 {
        self.shape.stubs_len
    }

    /// From the address of `in_file().start` to the stub area.
    pub fn distance(&self) -> u64 {
        self.shape.distance
    }

    /// From the address of `in_file().start` to the first byte of the text.
    pub fn text_start(&self) -> u64 {
        self.shape.text_start
    }

    /// The positions in stubs and used padding, with what they stand for.
    pub fn rewinds(&self) -> &[Rewind] {
        &self.sites.rewinds
    }

    /// The patched pages of the text; `offset` in the guest's file, which the pieces and the place in the host's file count from.
    pub fn text_pages(&self, offset: u64) -> ImagePages<'_> {
        match &self.home {
            Home::Frames { text, .. } => ImagePages::Pieces(text),
            Home::File { file, text } => ImagePages::File(file.fd(), text + (offset - self.shape.in_file.start)),
        }
    }

    /// The stub area: offset 0 is its start.
    pub fn stub_pages(&self) -> ImagePages<'_> {
        match &self.home {
            Home::Frames { stubs, .. } => ImagePages::Pieces(stubs),
            Home::File { file, text } => ImagePages::File(file.fd(), text + self.text_len()),
        }
    }

    /// The pages of text and stubs, one behind the other, of an image that was made in this world.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let Home::Frames { extent, .. } = &self.home else { return None };
        let mut bytes = vec![0; (self.text_len() + self.shape.stubs_len) as usize];
        extent.read(0, &mut bytes);
        Some(bytes)
    }

    /// Makes the image of an ELF file; `None` when it is none, has no call sites, or none that can be patched.
    pub fn make(source: &dyn Source) -> Option<TextImage> {
        let plan = acrida_loader::plan(source, Role::Interpreter, TASK_SIZE).ok()?;
        let mut texts = plan.segments.iter().filter(|segment| segment.prot.contains(Prot::EXEC));
        let (text, None) = (texts.next()?, texts.next()) else { return None };
        if text.filesz > TEXT_MAX || !has_calls(source, text.offset, text.filesz)? {
            return None;
        }
        let read = TextFile::read(source).ok()??;
        let parsed = read.text();
        let sites = analyse(&parsed);
        if sites.iter().all(|site| matches!(site.method, Method::Trap(_))) {
            return None;
        }
        let in_file = page_start(text.offset)..page_align(text.offset + text.filesz)?;
        let text_start = text.offset - in_file.start;
        let stub_vaddr = page_align(plan.span.end)?;
        let mut bytes = parsed.bytes.to_vec();
        let layout = Layout { text_vaddr: text.vaddr, stub_vaddr, entry: platform().kernel_entry() };
        let mut sites = apply(&mut bytes, &sites, &layout);
        let stub_bytes = core::mem::take(&mut sites.bytes);
        if sites.patched.is_empty() {
            return None;
        }
        let text_len = in_file.end - in_file.start;
        let stubs_len = page_align(stub_bytes.len() as u64)?;
        let extent = Extent::new(((text_len + stubs_len) / PAGE_SIZE) as usize)?;
        let mut pages = vec![0; text_len as usize];
        // The pages' bytes around the segment come from the file too; it may end within the last page.
        read_up_to(source, in_file.start, &mut pages[..text_start as usize])?;
        let behind = text_start as usize + bytes.len();
        read_up_to(source, in_file.start + behind as u64, &mut pages[behind..])?;
        pages[text_start as usize..behind].copy_from_slice(&bytes);
        extent.write(0, &pages);
        extent.write(text_len as usize, &stub_bytes);
        let piece = |offset, len, start| vec![Piece { offset, len, extent: extent.clone(), start }];
        let home = Home::Frames { text: piece(in_file.start, text_len, 0), stubs: piece(0, stubs_len, text_len), extent };
        let shape = Shape { stubs_len, distance: stub_vaddr - (text.vaddr - text_start), text_start, in_file };
        Some(TextImage { shape, home, sites })
    }

    /// Where a thread at `addr` would be without the patches; `base` is the address of `in_file.start`.
    pub fn rewind(&self, base: u64, addr: u64) -> Option<u64> {
        let text = base + self.shape.text_start;
        let position = addr.wrapping_sub(text).cast_signed();
        self.sites.rewind(position).map(|at| text + u64::from(at))
    }
}

/// Whether the bytes of a `syscall` occur at all.
fn has_calls(source: &dyn Source, offset: u64, len: u64) -> Option<bool> {
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    while done < len {
        let want = (len - done).min(CHUNK as u64) as usize;
        let got = read_up_to(source, offset + done, &mut chunk[..want])?;
        if contains_call(&chunk[..got]) {
            return Some(true);
        }
        if got < want || done + want as u64 >= len {
            break;
        }
        // One byte again: the pair may lie across the border.
        done += want as u64 - 1;
    }
    Some(false)
}

fn contains_call(bytes: &[u8]) -> bool {
    bytes.windows(SYSCALL.len()).any(|pair| pair == SYSCALL)
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(source: &dyn Source, offset: u64, buf: &mut [u8]) -> Option<usize> {
    let mut done = 0;
    while done < buf.len() {
        match source.read_at(offset + done as u64, &mut buf[done..]).ok()? {
            0 => break,
            n => done += n,
        }
    }
    Some(done)
}
