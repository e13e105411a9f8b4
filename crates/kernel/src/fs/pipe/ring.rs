//! The bytes of a pipe: a ring of references to pages.
//!
//! Mirrors: include/linux/pipe_fs_i.h (`pipe_buffer`), fs/pipe.c, Linux 6.18.
//! Differs: what a later write may do to a buffer is one enum ([`Joint`]); an emptied page is kept for the next write
//! while nobody else refers to it.
//! Locking: none; the ring lies under its pipe's lock.

use alloc::boxed::Box;
use alloc::sync::Arc;

use acrida_kcore::frame::{Extent, PAGE_SIZE};
use acrida_uapi::errno::Errno;

use crate::fs::iov_iter::IovIter;
use crate::fs::splice::{PageSlice, Pages};

/// What may follow a buffer's last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// A small write may be appended to the same page.
    #[doc(alias = "PIPE_BUF_FLAG_CAN_MERGE")]
    Open,
    /// The page is not the pipe's alone, or was not written by `write`.
    Closed,
    /// One packet: a read ends with it and throws away what it does not take; splice leaves the rest.
    #[doc(alias = "PIPE_BUF_FLAG_PACKET")]
    Packet,
}

/// A run of bytes in one page; not empty while it is in a ring.
#[doc(alias = "pipe_buffer")]
#[derive(Clone, Debug)]
pub struct PipeBuffer {
    pub slice: PageSlice,
    pub joint: Joint,
}

impl PipeBuffer {
    pub fn len(&self) -> usize {
        self.slice.len
    }

    /// The first `len` bytes, which nobody may append to.
    pub fn head(&self, len: usize) -> PipeBuffer {
        let joint = if self.joint == Joint::Open { Joint::Closed } else { self.joint };
        PipeBuffer { slice: PageSlice { len, ..self.slice.clone() }, joint }
    }
}

/// What one pass over the ring did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    pub bytes: usize,
    /// A guest address was bad before anything of a buffer was taken.
    pub faulted: bool,
    /// The ring was full, and has a free slot now.
    pub made_room: bool,
}

/// The ring.
///
/// # Invariants
/// `slots.len()` is a power of two; exactly the slots `tail..head` (free-running, modulo the length) hold a buffer;
/// `head - tail <= slots.len()`.
pub struct Ring {
    slots: Box<[Option<PipeBuffer>]>,
    head: u32,
    tail: u32,
    /// A page nobody refers to, kept so that a small write allocates nothing.
    #[doc(alias = "tmp_page")]
    spare: Option<Arc<Extent>>,
}

fn empty_slots(count: u32) -> Box<[Option<PipeBuffer>]> {
    (0..count).map(|_| None).collect()
}

impl Ring {
    /// An empty ring of `slots` slots, a power of two.
    pub fn new(slots: u32) -> Ring {
        debug_assert!(slots.is_power_of_two());
        Ring { slots: empty_slots(slots), head: 0, tail: 0, spare: None }
    }

    /// Slots in all.
    #[doc(alias = "max_usage")]
    pub fn capacity(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Slots in use.
    #[doc(alias = "pipe_occupancy")]
    pub fn occupancy(&self) -> u32 {
        self.head.wrapping_sub(self.tail)
    }

    #[doc(alias = "pipe_empty")]
    pub fn is_empty(&self) -> bool {
        self.head == self.tail
    }

    #[doc(alias = "pipe_full")]
    pub fn is_full(&self) -> bool {
        self.occupancy() >= self.capacity()
    }

    /// Bytes queued.
    pub fn bytes(&self) -> usize {
        self.buffers().map(PipeBuffer::len).sum()
    }

    /// Buffers from the oldest on.
    pub fn buffers(&self) -> impl Iterator<Item = &PipeBuffer> {
        (0..self.occupancy()).filter_map(|n| self.slots[self.index(self.tail.wrapping_add(n))].as_ref())
    }

    fn index(&self, position: u32) -> usize {
        position as usize & (self.slots.len() - 1)
    }

    fn first_mut(&mut self) -> Option<&mut PipeBuffer> {
        let index = self.index(self.tail);
        self.slots[index].as_mut()
    }

    fn last_mut(&mut self) -> Option<&mut PipeBuffer> {
        if self.is_empty() {
            return None;
        }
        let index = self.index(self.head.wrapping_sub(1));
        self.slots[index].as_mut()
    }

    /// The oldest buffer.
    pub fn first(&self) -> Option<&PipeBuffer> {
        self.slots[self.index(self.tail)].as_ref()
    }

    /// Appends a buffer; the caller has checked that there is room.
    pub fn push(&mut self, buffer: PipeBuffer) {
        debug_assert!(!self.is_full() && buffer.len() > 0 && buffer.slice.start % PAGE_SIZE + buffer.len() <= PAGE_SIZE);
        let index = self.index(self.head);
        self.slots[index] = Some(buffer);
        // INVARIANT: the slot at `head` was filled just now.
        self.head = self.head.wrapping_add(1);
    }

    /// Takes the oldest buffer out.
    pub fn pop(&mut self) -> Option<PipeBuffer> {
        let index = self.index(self.tail);
        let buffer = self.slots[index].take()?;
        // INVARIANT: the slot at `tail` was emptied just now.
        self.tail = self.tail.wrapping_add(1);
        Some(buffer)
    }

    /// Drops the oldest buffer, keeping its page if it is nobody else's.
    #[doc(alias = "anon_pipe_buf_release")]
    fn release_first(&mut self) {
        if let Some(buffer) = self.pop() {
            self.keep(buffer.slice.pages);
        }
    }

    #[doc(alias = "anon_pipe_put_page")]
    fn keep(&mut self, pages: Pages) {
        // One-page extents are the pipe's own kind; a larger one is somebody's file.
        if self.spare.is_none() {
            self.spare = pages.into_own().filter(|extent| extent.len() == PAGE_SIZE);
        }
    }

    /// A page of the pipe's own, nobody else's; what it holds is old.
    #[doc(alias = "anon_pipe_get_page")]
    pub fn fresh_page(&mut self) -> Result<Arc<Extent>, Errno> {
        self.spare.take().or_else(|| Extent::new(1)).ok_or(Errno::ENOMEM)
    }

    /// Takes bytes off the oldest buffer; whether its slot is free now.
    pub fn consume(&mut self, bytes: usize) -> bool {
        let Some(first) = self.first_mut() else { return false };
        if bytes < first.len() {
            first.slice.advance(bytes);
            return false;
        }
        self.release_first();
        true
    }

    /// Moves bytes out until `to` is full, the ring is empty, or a packet ends.
    #[doc(alias = "pipe_read")]
    pub fn drain(&mut self, to: &mut IovIter<'_>) -> Drained {
        let mut drained = Drained::default();
        let was_full = self.is_full();
        while to.count() > 0 {
            let Some(buffer) = self.first_mut() else { break };
            let wanted = buffer.len().min(to.count());
            // A short copy takes nothing: the bytes stay for the next reader.
            if buffer.slice.copy_to(to, wanted) < wanted {
                drained.faulted = true;
                break;
            }
            drained.bytes += wanted;
            let packet = buffer.joint == Joint::Packet;
            // What a read does not take of a packet is lost.
            let taken = if packet { buffer.len() } else { wanted };
            if self.consume(taken) {
                drained.made_room = was_full;
            }
            if packet {
                break;
            }
        }
        drained
    }

    /// Appends the odd bytes of a write (what is left of it after whole pages) to the last buffer, if they all fit there.
    ///
    /// # Errors
    /// `EFAULT`, with nothing appended.
    pub fn merge(&mut self, from: &mut IovIter<'_>) -> Result<usize, Errno> {
        let odd = from.count() % PAGE_SIZE;
        let Some(last) = self.last_mut().filter(|last| last.joint == Joint::Open && odd <= last.slice.tail_room()) else {
            return Ok(0);
        };
        let slice = &mut last.slice;
        // What was written is in frames.
        let Pages::Frames(extent) = &slice.pages else { return Ok(0) };
        if from.copy_page_from(extent, slice.start + slice.len, odd) < odd {
            return Err(Errno::EFAULT);
        }
        slice.len += odd;
        Ok(odd)
    }

    /// Fills one slot with up to a page; the caller has checked that there is room.
    ///
    /// # Errors
    /// `EFAULT` or `ENOMEM`, with the ring as it was.
    pub fn append(&mut self, from: &mut IovIter<'_>, joint: Joint) -> Result<usize, Errno> {
        let wanted = from.count().min(PAGE_SIZE);
        let page = self.fresh_page()?;
        if from.copy_page_from(&page, 0, wanted) < wanted {
            self.keep(Pages::Frames(page));
            return Err(Errno::EFAULT);
        }
        self.push(PipeBuffer { slice: PageSlice::frames(page, 0, wanted), joint });
        Ok(wanted)
    }

    /// Gives the ring another number of slots, a power of two; `EBUSY` when what is queued does not fit.
    #[doc(alias = "pipe_resize_ring")]
    pub fn resize(&mut self, slots: u32) -> Result<(), Errno> {
        debug_assert!(slots.is_power_of_two());
        if slots < self.occupancy() {
            return Err(Errno::EBUSY);
        }
        let mut old = core::mem::replace(self, Ring::new(slots));
        self.spare = old.spare.take();
        while let Some(buffer) = old.pop() {
            self.push(buffer);
        }
        Ok(())
    }
}
