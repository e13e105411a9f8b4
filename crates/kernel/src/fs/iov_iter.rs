//! Where the bytes of a read or write go to or come from.
//!
//! Mirrors: lib/iov_iter.c, Linux 6.18.
//! Differs: two directions share one type; each copy gives the bytes moved, short at a bad guest address.

use alloc::vec::Vec;

use acrida_kcore::frame::Extent;
use acrida_kcore::uaccess::{UserAddr, copy_from_user, copy_to_user};
use acrida_uapi::uio::Iovec;

enum Kind<'a> {
    User(UserAddr),
    /// Segments left and the offset into the first.
    UserVec(&'a [Iovec], usize),
    KernelOut(&'a mut [u8], usize),
    KernelIn(&'a [u8], usize),
    /// Bytes of pages, from the position on: filled or read.
    Pages(&'a Extent, usize),
}

/// A position in one or several buffers.
pub struct IovIter<'a> {
    kind: Kind<'a>,
    count: usize,
    /// `RWF_*` of this call (Linux's `ki_flags`).
    flags: u32,
}

impl<'a> IovIter<'a> {
    /// One guest buffer.
    pub fn user(addr: UserAddr, len: usize) -> Self {
        IovIter { kind: Kind::User(addr), count: len, flags: 0 }
    }

    /// Guest buffers, already checked (`import_iovec`); `count` is the sum of their lengths.
    pub fn user_vec(segments: &'a [Iovec]) -> Self {
        IovIter { kind: Kind::UserVec(segments, 0), count: segments.iter().map(|s| s.iov_len as usize).sum(), flags: 0 }
    }

    /// A kernel buffer that is filled.
    pub fn kernel_out(buf: &'a mut [u8]) -> Self {
        let count = buf.len();
        IovIter { kind: Kind::KernelOut(buf, 0), count, flags: 0 }
    }

    /// A kernel buffer that is read.
    pub fn kernel_in(buf: &'a [u8]) -> Self {
        IovIter { kind: Kind::KernelIn(buf, 0), count: buf.len(), flags: 0 }
    }

    /// A part of pages, which is filled or read.
    #[doc(alias = "iov_iter_bvec")]
    pub fn pages(extent: &'a Extent, start: usize, len: usize) -> Self {
        // A host call may fill them behind the extent's back.
        extent.touch((start + len) as u64);
        IovIter { kind: Kind::Pages(extent, start), count: len, flags: 0 }
    }

    /// `RWF_*` of this call.
    pub fn flags(&self) -> u32 {
        self.flags
    }

    pub fn set_flags(&mut self, flags: u32) {
        self.flags = flags;
    }

    /// Whether this one call must not block (`RWF_NOWAIT`).
    #[doc(alias = "IOCB_NOWAIT")]
    pub fn nowait(&self) -> bool {
        self.flags & acrida_uapi::uio::RWF_NOWAIT != 0
    }

    /// Whether a write goes to the end of the file: by `O_APPEND` in the file's flags unless the call says otherwise.
    #[doc(alias = "IOCB_APPEND")]
    pub fn appends(&self, file_flags: u32) -> bool {
        use acrida_uapi::uio::{RWF_APPEND, RWF_NOAPPEND};
        let by_file = file_flags & acrida_uapi::fcntl::O_APPEND != 0;
        self.flags & RWF_APPEND != 0 || by_file && self.flags & RWF_NOAPPEND == 0
    }

    /// Bytes left.
    #[doc(alias = "iov_iter_count")]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Forgets what is left beyond `max` bytes.
    #[doc(alias = "iov_iter_truncate")]
    pub fn truncate(&mut self, max: usize) {
        self.count = self.count.min(max);
    }

    /// Takes back what [`IovIter::truncate`] forgot.
    #[doc(alias = "iov_iter_reexpand")]
    pub fn reexpand(&mut self, bytes: usize) {
        self.count += bytes;
    }

    /// The next guest range `(address, length)`, not longer than what is left; `None` for kernel buffers or at the end.
    #[inline]
    pub fn user_segment(&mut self) -> Option<(UserAddr, usize)> {
        if self.count == 0 {
            return None;
        }
        match &mut self.kind {
            Kind::User(addr) => Some((*addr, self.count)),
            Kind::UserVec(segments, offset) => {
                while segments.first().is_some_and(|s| s.iov_len as usize == *offset) {
                    *segments = &segments[1..];
                    *offset = 0;
                }
                let first = segments.first()?;
                let len = (first.iov_len as usize - *offset).min(self.count);
                Some((UserAddr(first.iov_base).add(*offset as u64), len))
            }
            _ => None,
        }
    }

    /// The one guest range that is left, if it is one.
    #[inline]
    pub fn only_user_segment(&mut self) -> Option<(UserAddr, usize)> {
        match self.kind {
            Kind::User(addr) => Some((addr, self.count)),
            _ => self.user_segment().filter(|&(_, len)| len == self.count),
        }
    }

    /// Every guest range that is left; `None` for kernel buffers.
    pub fn user_segments(&self) -> Option<Vec<Iovec>> {
        let (segments, mut skip) = match &self.kind {
            Kind::User(addr) => return Some(alloc::vec![Iovec { iov_base: addr.0, iov_len: self.count as u64 }]),
            Kind::UserVec(segments, offset) => (segments, *offset as u64),
            _ => return None,
        };
        let mut left = self.count as u64;
        let mut out = Vec::with_capacity(segments.len());
        for segment in *segments {
            let len = (segment.iov_len - skip).min(left);
            if len > 0 {
                out.push(Iovec { iov_base: segment.iov_base + skip, iov_len: len });
            }
            left -= len;
            skip = 0;
        }
        Some(out)
    }

    /// What is left of a kernel buffer that is filled.
    pub fn kernel_out_segment(&mut self) -> Option<&mut [u8]> {
        match &mut self.kind {
            Kind::KernelOut(buf, pos) => Some(&mut buf[*pos..*pos + self.count]),
            _ => None,
        }
    }

    /// What is left of a kernel buffer that is read.
    pub fn kernel_in_segment(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::KernelIn(buf, pos) => Some(&buf[*pos..*pos + self.count]),
            _ => None,
        }
    }

    /// What is left of pages: byte offset in the physical-memory window, length.
    pub fn window_segment(&self) -> Option<(u64, usize)> {
        match &self.kind {
            Kind::Pages(extent, pos) => Some((extent.offset() + *pos as u64, self.count)),
            _ => None,
        }
    }

    /// Moves on by `bytes` without copying.
    #[inline]
    #[doc(alias = "iov_iter_advance")]
    pub fn advance(&mut self, mut bytes: usize) {
        bytes = bytes.min(self.count);
        self.count -= bytes;
        match &mut self.kind {
            Kind::User(addr) => *addr = addr.add(bytes as u64),
            Kind::KernelOut(_, pos) | Kind::KernelIn(_, pos) | Kind::Pages(_, pos) => *pos += bytes,
            Kind::UserVec(segments, offset) => {
                while bytes > 0 {
                    let Some(first) = segments.first() else { return };
                    let step = (first.iov_len as usize - *offset).min(bytes);
                    *offset += step;
                    bytes -= step;
                    if *offset == first.iov_len as usize {
                        *segments = &segments[1..];
                        *offset = 0;
                    }
                }
            }
        }
    }

    /// Runs `copy(guest address, offset in this copy, length) -> copied` over guest segments.
    #[inline]
    fn each_user(&mut self, len: usize, mut copy: impl FnMut(UserAddr, usize, usize) -> usize) -> usize {
        // One buffer, as nearly always: 20 instructions less than a round of the loop.
        if let Kind::User(addr) = &mut self.kind {
            let copied = copy(*addr, 0, len);
            *addr = addr.add(copied as u64);
            self.count -= copied;
            return copied;
        }
        let mut done = 0;
        while done < len {
            let Some((addr, segment)) = self.user_segment() else { break };
            let want = segment.min(len - done);
            let copied = copy(addr, done, want);
            self.advance(copied);
            done += copied;
            if copied < want {
                break;
            }
        }
        done
    }

    /// Copies `src` out; the bytes copied.
    #[doc(alias = "copy_to_iter")]
    pub fn copy_to(&mut self, src: &[u8]) -> usize {
        let len = src.len().min(self.count);
        match &mut self.kind {
            Kind::KernelOut(buf, pos) => {
                buf[*pos..*pos + len].copy_from_slice(&src[..len]);
                *pos += len;
                self.count -= len;
                len
            }
            Kind::Pages(extent, pos) => {
                extent.write(*pos, &src[..len]);
                self.advance(len);
                len
            }
            Kind::KernelIn(..) => 0,
            _ => self.each_user(len, |addr, at, n| n - copy_to_user(addr, &src[at..at + n])),
        }
    }

    /// Fills `dst`; the bytes copied.
    #[doc(alias = "copy_from_iter")]
    pub fn copy_from(&mut self, dst: &mut [u8]) -> usize {
        let len = dst.len().min(self.count);
        match &mut self.kind {
            Kind::KernelIn(buf, pos) => {
                dst[..len].copy_from_slice(&buf[*pos..*pos + len]);
                *pos += len;
                self.count -= len;
                len
            }
            Kind::Pages(extent, pos) => {
                extent.read(*pos, &mut dst[..len]);
                self.advance(len);
                len
            }
            Kind::KernelOut(..) => 0,
            _ => self.each_user(len, |addr, at, n| n - copy_from_user(&mut dst[at..at + n], addr)),
        }
    }

    /// Copies out of pages; the bytes copied.
    #[doc(alias = "copy_page_to_iter")]
    pub fn copy_page_to(&mut self, extent: &Extent, start: usize, len: usize) -> usize {
        let len = len.min(self.count);
        match &mut self.kind {
            Kind::KernelOut(buf, pos) => {
                extent.read(start, &mut buf[*pos..*pos + len]);
                *pos += len;
                self.count -= len;
                len
            }
            Kind::Pages(to, pos) => {
                extent.copy_to(start, to, *pos, len);
                self.advance(len);
                len
            }
            Kind::KernelIn(..) => 0,
            _ => self.each_user(len, |addr, at, n| extent.copy_to_user(start + at, addr, n)),
        }
    }

    /// Copies into pages; the bytes copied.
    #[doc(alias = "copy_page_from_iter")]
    pub fn copy_page_from(&mut self, extent: &Extent, start: usize, len: usize) -> usize {
        let len = len.min(self.count);
        match &mut self.kind {
            Kind::KernelIn(buf, pos) => {
                extent.write(start, &buf[*pos..*pos + len]);
                *pos += len;
                self.count -= len;
                len
            }
            Kind::Pages(from, pos) => {
                from.copy_to(*pos, extent, start, len);
                self.advance(len);
                len
            }
            Kind::KernelOut(..) => 0,
            _ => self.each_user(len, |addr, at, n| extent.copy_from_user(start + at, addr, n)),
        }
    }
}
