//! Slices of pages: out of files, into files.
//!
//! Mirrors: fs/splice.c (`iter_file_splice_write`), mm/filemap.c (`splice_folio_into_pipe`), Linux 6.18.
//! Differs: a page is a frame of ours, or one in the host's page cache, which is named by its place in its file.

use alloc::sync::Arc;

use acrida_kcore::frame::{Extent, PAGE_SIZE};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::uio::RWF_NOWAIT;

use crate::abi::SysResult;
use crate::fs::file::FileRef;
use crate::fs::hostfs::lent::HostRun;
use crate::fs::iov_iter::IovIter;
use crate::fs::read_write::Blocking;

/// A run of pages, by reference.
#[derive(Clone, Debug)]
pub enum Pages {
    Frames(Arc<Extent>),
    /// In the host's page cache.
    Host(Arc<HostRun>),
}

impl Pages {
    /// Copies out of the run; the bytes copied, short at a bad address.
    #[doc(alias = "copy_page_to_iter")]
    pub fn copy_to(&self, start: usize, to: &mut IovIter<'_>, len: usize) -> usize {
        match self {
            Pages::Frames(extent) => to.copy_page_to(extent, start, len),
            Pages::Host(run) => run.copy_to(start, to, len),
        }
    }

    pub fn is_same(&self, other: &Pages) -> bool {
        match (self, other) {
            (Pages::Frames(one), Pages::Frames(other)) => Arc::ptr_eq(one, other),
            (Pages::Host(one), Pages::Host(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// The frames, if they are of ours and nobody else refers to them.
    pub fn into_own(self) -> Option<Arc<Extent>> {
        match self {
            Pages::Frames(extent) if Arc::strong_count(&extent) == 1 => Some(extent),
            _ => None,
        }
    }
}

/// Bytes of a run of pages, by reference. In a pipe they lie in one page.
#[derive(Clone, Debug)]
pub struct PageSlice {
    pub pages: Pages,
    /// Offset of the first byte in the run.
    pub start: usize,
    pub len: usize,
}

impl PageSlice {
    pub fn frames(extent: Arc<Extent>, start: usize, len: usize) -> PageSlice {
        PageSlice { pages: Pages::Frames(extent), start, len }
    }

    /// The first bytes, as far as they lie in one page, but at most `len`.
    pub fn first_page(&self, len: usize) -> PageSlice {
        PageSlice { len: self.len.min(len).min(PAGE_SIZE - self.start % PAGE_SIZE), ..self.clone() }
    }

    /// Gives the first `bytes` up.
    pub fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.len -= bytes;
    }

    /// Where the last byte's page has room: bytes up to its end.
    pub fn tail_room(&self) -> usize {
        (self.start + self.len).next_multiple_of(PAGE_SIZE) - (self.start + self.len)
    }

    /// Copies the first `len` bytes out; the bytes copied.
    pub fn copy_to(&self, to: &mut IovIter<'_>, len: usize) -> usize {
        self.pages.copy_to(self.start, to, len)
    }
}

/// The next bytes of a file: its own pages if they can be had, else `fresh` filled with up to a page; `None` at the end. With
/// [`Blocking::No`] no stream is waited for.
pub fn next_slice(
    file: &FileRef,
    pos: &mut u64,
    len: usize,
    blocking: Blocking,
    fresh: impl FnOnce() -> Result<Arc<Extent>, Error>,
) -> Result<Option<PageSlice>, Error> {
    if let Some(slice) = file.ops.page_run(file, *pos, len) {
        *pos += slice.len as u64;
        return Ok(Some(slice));
    }
    let page = fresh()?;
    let mut to = IovIter::pages(&page, 0, len.min(PAGE_SIZE));
    if blocking == Blocking::No {
        to.set_flags(RWF_NOWAIT);
    }
    let got = file.ops.read(file, &mut to, pos)?;
    Ok((got > 0).then(|| PageSlice::frames(page, 0, got)))
}

/// Writes a slice to a file; the bytes taken. With [`Blocking::No`] no stream is waited for.
pub fn put_slice(file: &FileRef, slice: &PageSlice, pos: &mut u64, blocking: Blocking) -> SysResult {
    if !file.ops.can_splice_write() {
        return Err(Errno::EINVAL.into());
    }
    let mut write = |page: &Arc<Extent>, start: usize, len: usize| {
        let mut from = IovIter::pages(page, start, len);
        if blocking == Blocking::No {
            from.set_flags(RWF_NOWAIT);
        }
        file.ops.write(file, &mut from, pos)
    };
    match &slice.pages {
        Pages::Frames(extent) => write(extent, slice.start, slice.len),
        Pages::Host(_) => {
            // From one file of the host to a file of any kind: through a page of ours.
            let page = Extent::new(slice.len.div_ceil(PAGE_SIZE)).ok_or(Errno::ENOMEM)?;
            let got = slice.copy_to(&mut IovIter::pages(&page, 0, slice.len), slice.len);
            write(&page, 0, got)
        }
    }
}
