//! Pages of host files in pipes and messages: references into the host's page cache.
//!
//! Mirrors: mm/filemap.c (`splice_folio_into_pipe`), mm/truncate.c, Linux 6.18, in what a reader of the reference sees.
//! Differs: the reference names a place in the file, and the bytes are fetched when they are consumed; so a change of the file
//! is seen, as it is in a page. A page that is cut off a file keeps its bytes on Linux: before a file of which pages are lent
//! is cut through us, those that will be cut off are copied. Cut by another program, they read as zeros.
//! Locking: `HostRun::kept` over the host call that reads the file, so that a page is copied before it is cut or not at all;
//! `Lent` is a leaf.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use acrida_kcore::frame::{Extent, PAGE_SIZE};
use acrida_kcore::sync::SpinLock;

use super::file::transfer;
use super::handle::HostHandle;
use crate::fs::inode::Inode;
use crate::fs::iov_iter::IovIter;
use crate::host::io::{Blocking, Direction};

/// What one reference covers at most: the pages of a pipe.
pub const MOST: u64 = 16 * PAGE_SIZE as u64;

/// Pages of a host file, by their place in it.
pub struct HostRun {
    handle: Arc<HostHandle>,
    /// Knows the run as long as there is one.
    _inode: Arc<dyn Inode>,
    /// Of the first page.
    pos: u64,
    len: usize,
    kept: SpinLock<Option<Kept>>,
}

/// Pages that have been cut off the file.
struct Kept {
    /// Offset of the first one in the run.
    from: usize,
    /// As long as the run.
    bytes: Arc<Extent>,
}

impl HostRun {
    /// Pages that begin at `pos`, which begins a page.
    pub fn new(handle: Arc<HostHandle>, inode: Arc<dyn Inode>, pos: u64, len: usize) -> Arc<HostRun> {
        Arc::new(HostRun { handle, _inode: inode, pos, len, kept: SpinLock::default() })
    }

    /// Copies out of the run; the bytes copied, short at a bad address.
    pub fn copy_to(&self, start: usize, to: &mut IovIter<'_>, len: usize) -> usize {
        let len = len.min(to.count());
        let kept = self.kept.lock();
        let in_file = kept.as_ref().map_or(len, |kept| kept.from.saturating_sub(start).min(len));
        let done = self.read(start, to, in_file);
        match &*kept {
            Some(kept) if done == in_file => done + to.copy_page_to(&kept.bytes, start + done, len - done),
            _ => done,
        }
    }

    /// Copies bytes of the file; what it no longer has is zeros.
    fn read(&self, start: usize, to: &mut IovIter<'_>, len: usize) -> usize {
        let behind = to.count() - len;
        to.truncate(len);
        let mut pos = self.pos + start as u64;
        let mut fetch = |to: &mut IovIter<'_>| {
            // What the host cannot read from its disk reads as zeros, too.
            transfer(self.handle.fd(), to, Direction::Read, &mut pos, true, Blocking::Never).unwrap_or(0)
        };
        let mut done = fetch(to);
        while done < len {
            // The file has ended, or the host met a page of the guest that it does not know.
            let mut chunk = [0; 512];
            let chunk = &mut chunk[..(len - done).min(512)];
            fetch(&mut IovIter::kernel_out(chunk));
            let copied = to.copy_to(chunk);
            done += copied;
            if copied < chunk.len() {
                break;
            }
        }
        to.reexpand(behind);
        done
    }

    /// The file is about to end at `size`: the pages behind its last one are copied.
    fn keep(&self, size: u64) {
        let from = size.next_multiple_of(PAGE_SIZE as u64).saturating_sub(self.pos) as usize;
        let mut kept = self.kept.lock();
        let to = kept.as_ref().map_or(self.len, |kept| kept.from);
        if from >= to {
            return;
        }
        let bytes = match kept.take() {
            Some(kept) => kept.bytes,
            // Without memory the pages are lost, as to another program's cut.
            None => match Extent::new(self.len.div_ceil(PAGE_SIZE)) {
                Some(bytes) => bytes,
                None => return,
            },
        };
        self.read(from, &mut IovIter::pages(&bytes, from, to - from), to - from);
        *kept = Some(Kept { from, bytes });
    }
}

impl fmt::Debug for HostRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostRun").field("pos", &self.pos).field("len", &self.len).finish_non_exhaustive()
    }
}

/// The runs of one file that somebody refers to.
#[derive(Default)]
pub struct Lent {
    runs: SpinLock<Vec<Weak<HostRun>>>,
    any: AtomicBool,
}

impl Lent {
    pub fn add(&self, run: &Arc<HostRun>) {
        let mut runs = self.runs.lock();
        if runs.len() == runs.capacity() {
            runs.retain(|run| run.strong_count() > 0);
        }
        runs.push(Arc::downgrade(run));
        self.any.store(true, Ordering::SeqCst);
    }

    /// The file is about to end at `size`, by a call of ours.
    pub fn cut(&self, size: u64) {
        if !self.any.load(Ordering::SeqCst) {
            return;
        }
        let alive: Vec<_> = self.runs.lock().iter().filter_map(Weak::upgrade).collect();
        alive.iter().for_each(|run| run.keep(size));
    }
}
