//! Slices of pages: out of files, into files.
//!
//! Mirrors: fs/splice.c (`copy_splice_read`, `iter_file_splice_write`), mm/filemap.c (`splice_folio_into_pipe`), Linux 6.18.

use alloc::sync::Arc;

use acrida_kcore::frame::{Extent, PAGE_SIZE, PageRef};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::uio::RWF_NOWAIT;

use crate::abi::SysResult;
use crate::fs::file::File;
use crate::fs::iov_iter::IovIter;
use crate::fs::read_write::Blocking;

/// Bytes `offset..offset + len` of a page, by reference.
///
/// # Invariants
/// `offset + len <= PAGE_SIZE`.
#[derive(Clone, Debug)]
pub struct PageSlice {
    pub page: PageRef,
    pub offset: usize,
    pub len: usize,
}

impl PageSlice {
    /// `len` bytes from byte `start` of `extent` on, not beyond the page that it lies in.
    pub fn of_extent(extent: Arc<Extent>, start: usize, len: usize) -> PageSlice {
        let offset = start % PAGE_SIZE;
        PageSlice { page: PageRef { extent, start: start - offset }, offset, len: len.min(PAGE_SIZE - offset) }
    }

    /// Where the first byte lies in the page's extent.
    pub fn start(&self) -> usize {
        self.page.start + self.offset
    }

    /// Copies the first `len` bytes out; the bytes copied.
    pub fn copy_to(&self, to: &mut IovIter<'_>, len: usize) -> usize {
        to.copy_page_to(&self.page.extent, self.start(), len)
    }

    /// The bytes, to be read by a write.
    pub fn iter(&self) -> IovIter<'_> {
        IovIter::pages(&self.page.extent, self.start(), self.len)
    }
}

/// The next bytes of a file: its own page if it can be had, else `fresh` filled; `None` at the end.
pub fn next_slice(
    file: &Arc<File>,
    pos: &mut u64,
    len: usize,
    blocking: Blocking,
    fresh: impl FnOnce() -> Result<PageRef, Error>,
) -> Result<Option<PageSlice>, Error> {
    if let Some(slice) = file.ops.page_slice(file, *pos, len) {
        *pos += slice.len as u64;
        return Ok(Some(slice));
    }
    let page = fresh()?;
    let want = len.min(PAGE_SIZE);
    let mut to = IovIter::pages(&page.extent, page.start, want);
    if blocking == Blocking::No && file.ops.can_nowait() {
        to.set_flags(RWF_NOWAIT);
    }
    let got = file.ops.read(file, &mut to, pos)?;
    Ok((got > 0).then_some(PageSlice { page, offset: 0, len: got }))
}

/// Writes a slice to a file; the bytes taken.
pub fn put_slice(file: &Arc<File>, slice: &PageSlice, pos: &mut u64) -> SysResult {
    if !file.ops.can_splice_write() {
        return Err(Errno::EINVAL.into());
    }
    file.ops.write(file, &mut slice.iter(), pos)
}
