//! Which function every byte of a text belongs to.

use alloc::vec::Vec;
use core::ops::Range;

use super::Text;

/// Where a range is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Unwind,
    Symbol,
    /// Nothing names it; it lies between two functions that are known.
    Gap,
}

/// One function or part of one; offsets in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    pub range: Range<u32>,
    pub origin: Origin,
    pub landing_pads: bool,
}

/// Longest gap between known functions that is taken for code, in bytes.
const GAP_MAX: u32 = 1 << 16;

/// Whether control can go from the end of a function to the byte behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Stops,
    FallsThrough,
}

/// Extents in order and without overlap, and every offset that has a name.
pub struct CodeMap {
    pub extents: Vec<Extent>,
    labels: Vec<u32>,
}

impl CodeMap {
    /// Unwind ranges first, symbols for what they leave uncovered.
    pub fn new(text: &Text<'_>) -> Self {
        let mut extents = Vec::new();
        let mut labels = Vec::new();
        for frame in text.unwind.iter().flat_map(|unwind| unwind.ranges()) {
            if let Some(range) = offsets(text, frame.start, frame.len) {
                labels.push(range.start);
                extents.push(Extent { range, origin: Origin::Unwind, landing_pads: frame.landing_pads });
            }
        }
        for symbol in text.symbols {
            if let Some(range) = offsets(text, symbol.vaddr, symbol.len) {
                labels.push(range.start);
                extents.push(Extent { range, origin: Origin::Symbol, landing_pads: false });
            }
        }
        labels.sort_unstable();
        labels.dedup();
        Self { extents: without_overlap(extents), labels }
    }

    /// Index of the extent that contains an offset.
    pub fn containing(&self, at: u32) -> Option<usize> {
        let next = self.extents.partition_point(|extent| extent.range.start <= at);
        next.checked_sub(1).filter(|&index| at < self.extents[index].range.end)
    }

    /// The extent before a gap, if the offset is in one.
    pub fn before_gap(&self, at: u32) -> Option<usize> {
        let next = self.extents.partition_point(|extent| extent.range.start <= at);
        let (before, behind) = (self.extents.get(next.checked_sub(1)?)?, self.extents.get(next)?);
        let gap = before.range.end..behind.range.start;
        (gap.contains(&at) && gap.end - gap.start <= GAP_MAX).then(|| next - 1)
    }

    /// Makes the gap behind an extent code: part of that extent if control falls into it (glibc ends the unwind entry of
    /// `clone` before its `syscall`), else an extent of its own (local functions of a stripped file). Returns its index.
    pub fn claim_gap(&mut self, before: usize, ending: Ending) -> Option<usize> {
        let gap = self.extents[before].range.end..self.extents.get(before + 1)?.range.start;
        match ending {
            Ending::FallsThrough => {
                self.extents[before].range.end = gap.end;
                Some(before)
            }
            Ending::Stops => {
                self.extents.insert(before + 1, Extent { range: gap, origin: Origin::Gap, landing_pads: false });
                Some(before + 1)
            }
        }
    }

    /// Indices of the extents that share a byte with a range.
    pub fn overlapping(&self, range: &Range<u32>) -> Range<usize> {
        let first = self.extents.partition_point(|extent| extent.range.end <= range.start);
        let last = self.extents.partition_point(|extent| extent.range.start < range.end);
        first..last.max(first)
    }

    /// Whether a function starts in a range.
    pub fn has_label(&self, range: &Range<u32>) -> bool {
        let next = self.labels.partition_point(|&label| label < range.start);
        self.labels.get(next).is_some_and(|&label| label < range.end)
    }

    /// First function start at or after an offset.
    pub fn next_label(&self, at: u32) -> Option<u32> {
        self.labels.get(self.labels.partition_point(|&label| label < at)).copied()
    }
}

/// A range of addresses as offsets, if it lies in the text and text offsets fit 32 bits.
fn offsets(text: &Text<'_>, vaddr: u64, len: u64) -> Option<Range<u32>> {
    let start = vaddr.checked_sub(text.vaddr)?;
    let end = start.checked_add(len)?;
    let inside = end <= text.bytes.len() as u64 && start < text.bytes.len() as u64;
    inside.then_some(u32::try_from(start).ok()?..u32::try_from(end).ok()?)
}

/// Sorts, and settles overlaps: unwind ranges win over symbols; of two of a kind that overlap neither is believed,
/// except that one nested at the same start (an alias) is the same function.
fn without_overlap(mut extents: Vec<Extent>) -> Vec<Extent> {
    extents.retain(|extent| !extent.range.is_empty());
    extents.sort_by_key(|extent| (extent.range.start, extent.range.end));
    let (frames, symbols): (Vec<_>, Vec<_>) = extents.into_iter().partition(|extent| extent.origin == Origin::Unwind);
    let mut kept = disjoint(frames);
    let covered = kept.clone();
    kept.extend(disjoint(symbols).into_iter().filter(|symbol| {
        let first = covered.partition_point(|frame| frame.range.end <= symbol.range.start);
        covered.get(first).is_none_or(|frame| frame.range.start >= symbol.range.end)
    }));
    kept.sort_by_key(|extent| extent.range.start);
    kept
}

/// Of sorted extents, those that overlap no other; equal ones count once.
fn disjoint(sorted: Vec<Extent>) -> Vec<Extent> {
    let mut kept: Vec<Extent> = Vec::with_capacity(sorted.len());
    let mut reach = 0;
    for extent in sorted {
        if let Some(last) = kept.last_mut().filter(|last| last.range == extent.range) {
            last.landing_pads |= extent.landing_pads;
            continue;
        }
        if extent.range.start < reach {
            if kept.last().is_some_and(|last| last.range.end > extent.range.start) {
                kept.pop();
            }
            reach = reach.max(extent.range.end);
            continue;
        }
        reach = extent.range.end;
        kept.push(extent);
    }
    kept
}
