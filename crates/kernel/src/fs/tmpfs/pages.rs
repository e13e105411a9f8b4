//! The content of a file in memory.
//!
//! ```text
//!   pages    0 1 2 3 | 4 5 6 7 | 8 .. 15 | 16 .. 31 | ...            each run one extent, made when first needed
//!   run         0         1         2          3
//! ```
//! Run k > 0 is as long as everything before it, up to 1 GiB; longer files go on in runs of 1 GiB. So a file of n bytes
//! has about log2(n) runs, and no run ever moves: a mapping of a page stays right while the file grows. Pages that are cut
//! off while a pipe or a socket has them queued are left to it; others take their place should the file grow again.
//!
//! Mirrors: mm/shmem.c (page cache of an inode), Linux 6.18.
//! Differs: a bit per page says whether it was written; a page that only a mapping touched is found by asking the host.
//! Locking: none; the owner's.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::frame::{Extent, PAGE_SIZE};
use acrida_klib::bitmap::Bitmap;

const PAGE: u64 = PAGE_SIZE as u64;
/// Pages of the first run.
const FIRST: u64 = 4;
/// Pages of the longest run.
const LONGEST: u64 = 1 << 18;
/// Index of the first run of the longest length.
const LONGEST_INDEX: u64 = (LONGEST / FIRST).trailing_zeros() as u64 + 1;

/// Where a page lies: index of its run, first page of the run, pages in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    index: u64,
    first: u64,
    pages: u64,
}

fn place(page: u64) -> Place {
    if page < FIRST {
        return Place { index: 0, first: 0, pages: FIRST };
    }
    if page >= LONGEST {
        let n = page / LONGEST;
        return Place { index: LONGEST_INDEX + n - 1, first: n * LONGEST, pages: LONGEST };
    }
    let pages = 1 << page.ilog2();
    Place { index: u64::from((page / FIRST).ilog2()) + 1, first: pages, pages }
}

/// One run.
struct Run {
    extent: Arc<Extent>,
    second: Option<Second>,
    /// Bit per page: holds data.
    present: Bitmap,
    /// A guest may have written any page of it.
    mapped: bool,
}

/// Memory in the place of pages that were cut off and left to others.
struct Second {
    extent: Arc<Extent>,
    /// Bit per page: it is here.
    pages: Bitmap,
}

impl Run {
    fn new(pages: u64) -> Option<Run> {
        Some(Run { extent: Extent::new(pages as usize)?, second: None, present: Bitmap::new(), mapped: false })
    }

    fn is_present(&self, page: u64) -> bool {
        self.present.test(page as usize)
    }

    /// Whether somebody besides the file holds pages of it.
    fn is_shared(&self) -> bool {
        Arc::strong_count(&self.extent) > 1 || self.second.as_ref().is_some_and(|second| Arc::strong_count(&second.extent) > 1)
    }

    /// Where the memory of `page` is.
    fn home(&self, page: u64) -> &Arc<Extent> {
        match &self.second {
            Some(second) if second.pages.test(page as usize) => &second.extent,
            _ => &self.extent,
        }
    }

    /// The first page from `page` on whose memory is elsewhere, or `end`.
    fn home_end(&self, page: u64, end: u64) -> u64 {
        let Some(Second { pages, .. }) = &self.second else { return end };
        let next = match pages.test(page as usize) {
            true => Some(pages.find_next_zero_bit(page as usize)),
            false => pages.find_next_bit(page as usize),
        };
        next.map_or(end, |next| end.min(next as u64))
    }

    /// Gives the memory of whole pages up, to the host or to those who have them queued. Somebody's pages that were cut off here
    /// once before are zeros for him.
    fn let_go(&mut self, pages: Range<u64>, all: u64) {
        let (start, len) = ((pages.start * PAGE) as usize, ((pages.end - pages.start) * PAGE) as usize);
        if let Some(second) = &self.second {
            second.extent.punch(start, len);
        }
        let is_queued = !self.mapped && Arc::strong_count(&self.extent) > 1;
        if is_queued && self.second.is_none() {
            self.second = Extent::new(all as usize).map(|extent| Second { extent, pages: Bitmap::new() });
        }
        match &mut self.second {
            Some(second) if is_queued => pages.for_each(|page| second.pages.assign(page as usize, true)),
            _ => self.extent.punch(start, len),
        }
    }
}

/// Bytes of one run: where a copy may go on without looking again.
#[derive(Clone)]
pub struct Span {
    pub extent: Arc<Extent>,
    /// Byte offset in the extent.
    pub start: usize,
    pub len: usize,
}

/// What stands at a position.
pub enum At {
    Data(Span),
    /// So many bytes read as zeros.
    Hole(u64),
}

/// The pages of a file.
#[derive(Default)]
pub struct Pages {
    runs: BTreeMap<u64, Run>,
    /// Pages that hold data.
    present: u64,
}

impl Pages {
    /// Pages that hold data.
    pub fn count(&self) -> u64 {
        self.present
    }

    /// What is at byte `pos`, and how far (at most `len` bytes) that goes on.
    pub fn at(&self, pos: u64, len: u64) -> At {
        let here = place(pos / PAGE);
        let run_end = (here.first + here.pages) * PAGE;
        let len = len.min(run_end - pos);
        let Some(run) = self.runs.get(&here.index) else { return At::Hole(len) };
        let page = pos / PAGE - here.first;
        let len = len.min((here.first + run.home_end(page, here.pages)) * PAGE - pos);
        let is_data = |page| run.mapped || run.is_present(page);
        let wanted = is_data(page);
        let mut end = (pos / PAGE + 1) * PAGE;
        while end < pos + len && is_data(end / PAGE - here.first) == wanted {
            end += PAGE;
        }
        let len = len.min(end - pos);
        if wanted {
            At::Data(Span { extent: run.home(page).clone(), start: (pos - here.first * PAGE) as usize, len: len as usize })
        } else {
            At::Hole(len)
        }
    }

    fn run(&mut self, here: Place) -> Option<&mut Run> {
        if !self.runs.contains_key(&here.index) {
            self.runs.insert(here.index, Run::new(here.pages)?);
        }
        self.runs.get_mut(&here.index)
    }

    /// Memory for `[pos, pos + len)`, as far as one run goes; `None` when there is no more.
    pub fn span(&mut self, pos: u64, len: u64) -> Option<Span> {
        let here = place(pos / PAGE);
        let run = self.run(here)?;
        let start = pos - here.first * PAGE;
        let len = len.min(run.home_end(start / PAGE, here.pages) * PAGE - start);
        Some(Span { extent: run.home(start / PAGE).clone(), start: start as usize, len: len as usize })
    }

    /// Pages of `[pos, pos + len)` that hold no data yet.
    pub fn missing(&self, pos: u64, len: u64) -> u64 {
        let (mut page, end) = (pos / PAGE, (pos + len).div_ceil(PAGE));
        let mut missing = 0;
        while page < end {
            let here = place(page);
            let stop = end.min(here.first + here.pages);
            missing += match self.runs.get(&here.index) {
                Some(run) => (page..stop).filter(|page| !run.is_present(page - here.first)).count() as u64,
                None => stop - page,
            };
            page = stop;
        }
        missing
    }

    /// Says that the pages of `[pos, pos + len)` hold data; gives how many did not before.
    pub fn mark(&mut self, pos: u64, len: u64) -> u64 {
        let mut new = 0;
        for page in pos / PAGE..(pos + len).div_ceil(PAGE) {
            let here = place(page);
            if let Some(run) = self.runs.get_mut(&here.index) {
                new += u64::from(!run.present.set((page - here.first) as usize));
            }
        }
        self.present += new;
        new
    }

    /// Says that a guest may write the pages of `[pos, pos + len)` through a mapping.
    pub fn map(&mut self, pos: u64, len: u64) {
        let mut page = pos / PAGE;
        while page * PAGE < pos + len {
            let here = place(page);
            if let Some(run) = self.runs.get_mut(&here.index) {
                run.mapped = true;
                let end = (pos + len).min((here.first + here.pages) * PAGE) - here.first * PAGE;
                run.extent.touch(end);
                if let Some(second) = &run.second {
                    second.extent.touch(end);
                }
            }
            page = here.first + here.pages;
        }
    }

    /// Whether somebody besides this file holds pages of it: mappings, pipes.
    pub fn is_shared(&self) -> bool {
        self.runs.values().any(Run::is_shared)
    }

    /// Makes `[pos, end)` read as zeros and gives whole pages back; gives how many held data.
    #[doc(alias = "shmem_truncate_range")]
    pub fn punch(&mut self, pos: u64, end: u64) -> u64 {
        let mut freed = 0;
        let mut dead = Vec::new();
        for (&index, run) in &mut self.runs {
            let here = place(run_first(index));
            let (first, last) = (here.first * PAGE, (here.first + here.pages) * PAGE);
            let (from, to) = (pos.max(first), end.min(last));
            if from >= to {
                continue;
            }
            if (from, to) == (first, last) && !run.mapped && run.is_shared() {
                // Somebody has the pages queued (a pipe, a socket) and keeps them as they are; the file lets go of them.
                freed += run.present.iter().count() as u64;
                dead.push(index);
                continue;
            }
            freed += punch_run(run, from - first, to - first, here.pages);
            let unused = (from, to) == (first, last) && !run.is_shared();
            if unused {
                dead.push(index);
            }
        }
        for index in dead {
            self.runs.remove(&index);
        }
        self.present -= freed;
        freed
    }
}

fn run_first(index: u64) -> u64 {
    match index {
        0 => 0,
        _ if index >= LONGEST_INDEX => (index - LONGEST_INDEX + 1) * LONGEST,
        _ => FIRST << (index - 1),
    }
}

/// Zeros bytes `[from, to)` of a run of `all` pages; whole pages are given up.
fn punch_run(run: &mut Run, from: u64, to: u64, all: u64) -> u64 {
    let (first_whole, end_whole) = (from.next_multiple_of(PAGE), to / PAGE * PAGE);
    let zero = |run: &Run, from: u64, to: u64| {
        if from < to && (run.mapped || run.is_present(from / PAGE)) {
            run.home(from / PAGE).zero(from as usize, (to - from) as usize);
        }
    };
    if first_whole > end_whole {
        zero(run, from, to);
        return 0;
    }
    zero(run, from, first_whole);
    zero(run, end_whole, to);
    let mut freed = 0;
    let pages = first_whole / PAGE..end_whole / PAGE;
    let in_use = run.mapped || pages.clone().any(|page| run.is_present(page));
    if in_use && first_whole < end_whole {
        run.let_go(pages.clone(), all);
    }
    for page in pages.start..pages.end.min(run.present.end() as u64) {
        freed += u64::from(run.present.clear(page as usize));
    }
    freed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_follow_each_other_without_gap_or_overlap() {
        let mut page = 0;
        for index in 0..LONGEST_INDEX + 3 {
            let here = place(page);
            assert_eq!((here.index, here.first), (index, page));
            assert_eq!(run_first(index), page);
            assert_eq!(place(page + here.pages - 1), here);
            page += here.pages;
        }
    }

    #[test]
    fn the_longest_runs_are_a_gibibyte() {
        assert_eq!(place(LONGEST).pages, LONGEST);
        assert_eq!(place(LONGEST - 1).pages, LONGEST / 2);
        assert_eq!(place(5 * LONGEST + 7).first, 5 * LONGEST);
    }
}
