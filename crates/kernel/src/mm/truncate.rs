//! Pages of a file that was cut leave the memory that shows them.
//!
//! Mirrors: mm/memory.c (`unmap_mapping_range`), mm/truncate.c (`truncate_pagecache`), Linux 6.18.
//! Differs: nobody but a process itself can change its mappings on the host. So whoever cuts a file notes that in the other
//! address spaces and makes their threads look; each does it before its guest code goes on. Who runs guest code at the time is
//! waited for, as Linux waits for processors to forget a translation.
//! Locking: `MmStruct`'s lock, over the host calls; the file holds no lock of its own. The pid table's, for a copy.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering;

use acrida_kcore::host::MapRequest;
use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sched::state;
use acrida_kcore::thread::work;
use acrida_kcore::wait::WaitOptions;
use acrida_uapi::mman::{MAP_NORESERVE, MAP_PRIVATE, PROT_NONE};

use super::host_map::apply_flags;
use super::mm_struct::{MmState, MmStruct};
use super::pieces::{Piece, before};
use super::vma::{Backing, FilePages, VmFlags, Vma};
use crate::fs::inode::Inode;
use crate::kernel::task::Task;

/// An area that shows pages which are gone.
struct Stale {
    area: Range<u64>,
    gone: Range<u64>,
    flags: VmFlags,
    kept: Vec<Piece>,
}

/// A file that was cut, and to how many bytes (whole pages).
#[derive(Clone)]
pub struct Cut {
    inode: Arc<dyn Inode>,
    end: u64,
}

/// How long a thread that runs is waited for before it is looked at again, and how often: one that somebody has stopped on the host
/// does not run.
const LOOK_NS: u64 = 1_000_000;
const LOOKS: u32 = 100;

/// Takes what `inode`, cut to `end` bytes (whole pages), no longer has out of all memory that shows it.
pub fn unmap_mapping_range(task: &Task, inode: &dyn Inode, end: u64) {
    let mine = task.mm();
    unmap_cut_pages(&mut mine.lock(), inode, end);
    let mut told: Vec<(Arc<Task>, Arc<MmStruct>)> = Vec::new();
    // A look may pass a copy before it is made, and the original after that. So there are looks until one finds nothing; who
    // has applied a cut by then is told again, so not for ever.
    let _ = (0..LOOKS).find(|_| !tell_others(task, &mine, inode, end, &mut told));
    for (other, mm) in told {
        mm.wait_for_cuts(&other);
    }
}

/// Tells every thread with memory that shows something of what was cut; whether there is one that nobody had told.
fn tell_others(
    task: &Task,
    mine: &Arc<MmStruct>,
    inode: &dyn Inode,
    end: u64,
    told: &mut Vec<(Arc<Task>, Arc<MmStruct>)>,
) -> bool {
    let mut found = false;
    for process in task.kernel.pids.processes() {
        let threads: Vec<Arc<Task>> = process.threads.lock().clone();
        let mut looked_at: Option<(Arc<MmStruct>, Noted)> = None;
        for other in threads {
            let mm = other.mm();
            // Threads of a process have the same.
            let noted = match &looked_at {
                Some((last, noted)) if Arc::ptr_eq(last, &mm) => *noted,
                _ if Arc::ptr_eq(&mm, mine) => Noted::NotShown,
                _ => mm.note_cut(inode, end),
            };
            looked_at = Some((mm.clone(), noted));
            found |= noted == Noted::Now;
            if noted != Noted::NotShown {
                other.thread.set_work(work::UNMAP);
                platform().interrupt(other.thread);
                told.push((other, mm));
            }
        }
    }
    found
}

/// What an address space had to do with a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noted {
    NotShown,
    Before,
    Now,
}

impl MmState {
    /// Applies what others have cut; to be given to [`MmStruct::have_applied`] when the lock is free.
    pub fn take_cuts(&mut self) -> Vec<Cut> {
        let cuts = core::mem::take(&mut self.cuts);
        for cut in &cuts {
            unmap_cut_pages(self, &*cut.inode, cut.end);
        }
        cuts
    }
}

impl MmStruct {
    /// Notes a cut of a file if some area shows it.
    fn note_cut(&self, inode: &dyn Inode, end: u64) -> Noted {
        let mut state = self.lock();
        let shown =
            state.areas.iter().find_map(|(start, vma)| stale(start, vma, inode, end).and_then(|_| vma.file()?.inode().cloned()));
        let Some(inode) = shown else { return Noted::NotShown };
        if state.cuts.iter().any(|cut| Arc::ptr_eq(&cut.inode, &inode) && cut.end == end) {
            return Noted::Before;
        }
        state.cuts.push(Cut { inode, end });
        Noted::Now
    }

    /// Does in the caller's own address space what others have noted.
    pub fn apply_cuts(&self) {
        let cuts = self.lock().take_cuts();
        self.have_applied(cuts);
    }

    /// Wakes who waited for that; call without the lock, as inodes go.
    pub fn have_applied(&self, cuts: Vec<Cut>) {
        drop(cuts);
        self.cuts_applied.wake_all(0);
    }

    /// Until `task`, one of this address space, cannot see pages any more that are cut off.
    fn wait_for_cuts(&self, task: &Task) {
        let gone = || {
            let runs = task.thread.state.load(Ordering::SeqCst) == state::RUNNING && !task.thread.life.is_over();
            (!runs || self.lock().cuts.is_empty()).then_some(())
        };
        for _ in 0..LOOKS {
            let until = platform().now(ClockId::Monotonic) + LOOK_NS;
            let options = WaitOptions::uninterruptible("unmap_mapping_range").until(Some(until));
            if self.cuts_applied.wait_event(options, gone).is_ok() {
                return;
            }
        }
    }
}

/// Takes what `inode`, cut to `end` bytes, no longer has out of every area: a fault asks the file again.
fn unmap_cut_pages(state: &mut MmState, inode: &dyn Inode, end: u64) {
    let stale: Vec<Stale> = state.areas.iter().filter_map(|(start, vma)| stale(start, vma, inode, end)).collect();
    for Stale { area, gone, flags, kept } in stale {
        let request = MapRequest {
            addr: gone.start,
            len: (gone.end - gone.start) as usize,
            prot: PROT_NONE as u32,
            flags: (MAP_PRIVATE | MAP_NORESERVE) as u32,
            fd: None,
            offset: 0,
        };
        // The host may have no room for another mapping: then the old pages stay, as zeros.
        if platform().host().mmap(request).is_err() {
            continue;
        }
        apply_flags(&gone, flags);
        let kept = Arc::new(kept);
        state.areas.update(area, |_, vma| {
            if let Backing::File { pages, .. } = &mut vma.backing {
                *pages = FilePages::Window(kept.clone());
            }
        });
    }
}

fn stale(start: u64, vma: &Vma, inode: &dyn Inode, end: u64) -> Option<Stale> {
    let Backing::File { file, offset, pages: FilePages::Window(pieces) } = &vma.backing else { return None };
    let shown = file.file().inode()?;
    let gone = start.saturating_add(end.saturating_sub(*offset))..vma.end;
    let affected = core::ptr::addr_eq(Arc::as_ptr(shown), inode) && !gone.is_empty();
    affected.then(|| Stale { area: start..vma.end, gone, flags: vma.flags, kept: before(pieces, end) })
}
