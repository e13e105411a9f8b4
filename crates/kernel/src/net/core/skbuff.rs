//! Messages on their way: bytes of their own, pages by reference, and what they are charged.
//!
//! Linux's `sk_buff` has a linear head, allocated with the bytes a protocol copies in, and a list of page fragments. A
//! large `send` fills fragments of fresh pages; `sendfile` and `splice` put the *file's* pages there and copy nothing.
//!
//! ```text
//!   head: [ bytes ............ ]   frags: -> page run of its own | -> page of a file | ...
//!          0 .. head.len()                 .. up to len
//! ```
//!
//! Mirrors: include/linux/skbuff.h, net/core/skbuff.c, Linux 6.18.
//! Differs: a fragment may be a run of several pages; a buffer is never cloned. Page runs that a receiver has emptied are
//! kept for the next send ([`RunPool`]), uncleared: only bytes copied in are ever copied out.
//! Locking: the pool's lock is a leaf.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use acrida_kcore::frame::{Extent, PAGE_SIZE};
use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::Errno;

use crate::fs::iov_iter::IovIter;
use crate::fs::splice::{PageSlice, Pages};

/// Most page fragments of one buffer.
pub const MAX_SKB_FRAGS: usize = 17;
/// Most linear bytes that fit into one page, and into four, beside Linux's own data.
#[doc(alias = "SKB_MAX_HEAD")]
pub const MAX_HEAD: usize = PAGE_SIZE - SHARED_INFO;
#[doc(alias = "SKB_MAX_ALLOC")]
pub const MAX_ALLOC: usize = 4 * PAGE_SIZE - SHARED_INFO;

/// Linux's `sk_buff` and `skb_shared_info`: what a message costs beyond its bytes.
const SK_BUFF: usize = 256;
const SHARED_INFO: usize = 320;
/// The smallest head that Linux allocates.
const SMALL_HEAD: usize = 512;

/// Linear and paged bytes of a message to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub linear: usize,
    pub paged: usize,
}

impl Layout {
    /// All bytes linear as far as `max_head` allows, the rest in whole pages.
    pub fn of(len: usize, max_head: usize) -> Layout {
        let paged = len.min(len.saturating_sub(max_head).next_multiple_of(PAGE_SIZE));
        Layout { linear: len - paged, paged }
    }

    /// What the message is charged.
    #[doc(alias = "SKB_TRUESIZE")]
    #[inline]
    pub fn truesize(self) -> usize {
        let head = (self.linear.next_multiple_of(64) + SHARED_INFO).next_power_of_two().max(SMALL_HEAD);
        head + SK_BUFF + self.paged.next_multiple_of(PAGE_SIZE)
    }
}

/// A message's bytes.
#[doc(alias = "sk_buff")]
pub struct SkBuff {
    head: Vec<u8>,
    /// Bytes in pages.
    #[doc(alias = "skb_frag_t")]
    frags: Vec<PageSlice>,
    /// All bytes.
    len: usize,
    /// What the sender was charged.
    truesize: usize,
}

impl SkBuff {
    /// A message of the next bytes of `from`.
    ///
    /// # Errors
    /// `EFAULT` if not all of them can be read, `ENOMEM`.
    #[doc(alias = "skb_copy_datagram_from_iter")]
    #[inline]
    pub fn copy_from(from: &mut IovIter<'_>, layout: Layout) -> Result<SkBuff, Errno> {
        let mut skb = SkBuff::with_head(from, layout.linear)?;
        skb.truesize = layout.truesize();
        if layout.paged > 0 {
            skb.fill_pages(from, layout.paged)?;
        }
        Ok(skb)
    }

    fn with_head(from: &mut IovIter<'_>, len: usize) -> Result<SkBuff, Errno> {
        let mut head = vec![0; len];
        if from.copy_from(&mut head) < len {
            return Err(Errno::EFAULT);
        }
        Ok(SkBuff { head, frags: Vec::new(), len, truesize: 0 })
    }

    fn fill_pages(&mut self, from: &mut IovIter<'_>, mut left: usize) -> Result<(), Errno> {
        while left > 0 {
            let extent = RUNS.take()?;
            let len = left.min(RUN);
            let copied = from.copy_page_from(&extent, 0, len);
            self.frags.push(PageSlice::frames(extent, 0, len));
            if copied < len {
                return Err(Errno::EFAULT);
            }
            self.len += len;
            left -= len;
        }
        Ok(())
    }

    /// A message of references to pages.
    #[doc(alias = "skb_splice_from_iter")]
    pub fn of_pages(slices: &[PageSlice]) -> SkBuff {
        let mut frags: Vec<PageSlice> = Vec::with_capacity(slices.len());
        for slice in slices {
            match frags.last_mut() {
                Some(last) if last.start + last.len == slice.start && last.pages.is_same(&slice.pages) => last.len += slice.len,
                _ => frags.push(slice.clone()),
            }
        }
        let len = frags.iter().map(|frag| frag.len).sum();
        SkBuff { head: Vec::new(), frags, len, truesize: Layout { linear: 0, paged: 0 }.truesize() + len }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn truesize(&self) -> usize {
        self.truesize
    }

    /// Keeps the first `len` bytes at most; the charge stays.
    #[doc(alias = "pskb_trim")]
    pub fn trim(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Copies the bytes from `offset` on that fill `to`; `None` if there are not that many.
    #[doc(alias = "skb_copy_bits")]
    pub fn copy_bits(&self, offset: usize, to: &mut [u8]) -> Option<()> {
        let len = to.len();
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len);
        (inside && self.copy_to(&mut IovIter::kernel_out(to), offset, len) == len).then_some(())
    }

    /// Copies `len` bytes from `offset` on out; the bytes copied.
    #[doc(alias = "skb_copy_datagram_iter")]
    pub fn copy_to(&self, to: &mut IovIter<'_>, offset: usize, len: usize) -> usize {
        debug_assert!(offset + len <= self.len);
        let mut done = 0;
        if offset < self.head.len() {
            let want = len.min(self.head.len() - offset);
            done = to.copy_to(&self.head[offset..offset + want]);
            if done < want || done == len {
                return done;
            }
        }
        let mut skip = offset.saturating_sub(self.head.len());
        for frag in &self.frags {
            if skip >= frag.len {
                skip -= frag.len;
                continue;
            }
            let want = (len - done).min(frag.len - skip);
            let copied = frag.pages.copy_to(frag.start + skip, to, want);
            done += copied;
            skip = 0;
            if copied < want || done == len {
                break;
            }
        }
        done
    }
}

impl Drop for SkBuff {
    #[doc(alias = "skb_release_data")]
    fn drop(&mut self) {
        while let Some(frag) = self.frags.pop() {
            RUNS.keep(frag.pages);
        }
    }
}

/// Bytes of a pooled page run, which are the most that one piece of a stream has in fragments.
#[doc(alias = "UNIX_SKB_FRAGS_SZ")]
pub const RUN: usize = 32 << 10;
/// Runs kept at most.
const MOST_KEPT: usize = 16;

/// A page run; what it holds is old.
pub fn fresh_run() -> Result<Arc<Extent>, Errno> {
    RUNS.take()
}

/// Page runs that nobody uses now.
struct RunPool(SpinLock<Vec<Arc<Extent>>>);

static RUNS: RunPool = RunPool(SpinLock::new(Vec::new()));

impl RunPool {
    fn take(&self) -> Result<Arc<Extent>, Errno> {
        let kept = self.0.lock().pop();
        kept.or_else(|| Extent::new(RUN / PAGE_SIZE)).ok_or(Errno::ENOMEM)
    }

    /// Takes a run back unless somebody else refers to it (a file, another message).
    fn keep(&self, pages: Pages) {
        let Some(extent) = pages.into_own().filter(|extent| extent.len() == RUN) else { return };
        let mut kept = self.0.lock();
        if kept.len() < MOST_KEPT {
            kept.push(extent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_are_those_of_linux() {
        let charged = |len, max_head| Layout::of(len, max_head).truesize();
        for (len, bytes) in [
            (1, 768),
            (192, 768),
            (256, 1280),
            (1700, 2304),
            (3776, 4352),
            (3777, 4864),
            (5000, 6400),
            (8192, 8960),
            (36544, 37120),
        ] {
            assert_eq!(charged(len, MAX_HEAD), bytes, "a piece of {len} bytes of a stream");
        }
        for (len, bytes) in [(0, 768), (3777, 8448), (7873, 16640), (16064, 16640), (16065, 20736), (131_072, 135_424)] {
            assert_eq!(charged(len, MAX_ALLOC), bytes, "a datagram of {len} bytes");
        }
    }
}
