//! The areas of one address space, ordered by address.
//!
//! Mirrors: mm/mmap.c (`find_vma`, `vma_merge`, `split_vma`, `vm_unmapped_area`), Linux 6.18.
//! Differs: a B-tree map keyed by start. The search for a free place goes down from the top and remembers how large the
//! holes are that it passed, so that it does not pass them again (Linux 2.6's cached hole size; exact, not a guess).
//! Locking: none here; `MmStruct` has the lock.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use super::vma::{PAGE_SIZE, VmFlags, Vma};

/// Free bytes kept below an area that grows down.
#[doc(alias = "stack_guard_gap")]
pub const STACK_GUARD_GAP: u64 = 256 * PAGE_SIZE;

/// Bytes of areas by kind, as /proc/PID/status counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub total: u64,
    pub data: u64,
    pub stack: u64,
    pub exec: u64,
    pub locked: u64,
}

/// Where the last search for a free place from the top went.
///
/// # Invariants
/// No hole between `from` and `top` is larger than `hole`.
#[derive(Clone, Copy, Default)]
struct Passed {
    top: u64,
    from: u64,
    hole: u64,
}

/// Areas that never overlap, with their totals.
#[derive(Clone, Default)]
pub struct VmaTree {
    areas: BTreeMap<u64, Vma>,
    totals: Totals,
    passed: Passed,
}

impl VmaTree {
    pub fn new() -> VmaTree {
        VmaTree::default()
    }

    #[doc(alias = "map_count")]
    pub fn len(&self) -> usize {
        self.areas.len()
    }

    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &Vma)> {
        self.areas.iter().map(|(start, vma)| (*start, vma))
    }

    /// Every area, by value.
    #[allow(clippy::should_implement_trait)]
    pub fn into_iter(self) -> impl Iterator<Item = (u64, Vma)> {
        self.areas.into_iter()
    }

    /// The area that contains `addr`.
    #[doc(alias = "vma_lookup")]
    pub fn get(&self, addr: u64) -> Option<(u64, &Vma)> {
        let (start, vma) = self.areas.range(..=addr).next_back()?;
        (addr < vma.end).then_some((*start, vma))
    }

    /// The first area that ends behind `addr`.
    #[doc(alias = "find_vma")]
    pub fn find(&self, addr: u64) -> Option<(u64, &Vma)> {
        self.get(addr).or_else(|| self.areas.range(addr..).next().map(|(start, vma)| (*start, vma)))
    }

    /// The last area that starts below `addr`.
    pub fn before(&self, addr: u64) -> Option<(u64, &Vma)> {
        self.areas.range(..addr).next_back().map(|(start, vma)| (*start, vma))
    }

    /// The areas that overlap `range`, in order.
    pub fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = (u64, &Vma)> {
        let first = self.get(range.start).map_or(range.start, |(start, _)| start);
        // An empty range overlaps nothing.
        let end = range.end.max(first);
        self.areas.range(first..end).map(|(start, vma)| (*start, vma)).filter(move |_| !range.is_empty())
    }

    /// Whether no area overlaps `range`.
    pub fn is_free(&self, range: Range<u64>) -> bool {
        self.overlapping(range).next().is_none()
    }

    /// Whether areas cover all of `range`.
    pub fn covers(&self, range: Range<u64>) -> bool {
        let mut at = range.start;
        for (start, vma) in self.overlapping(range.clone()) {
            if start > at {
                return false;
            }
            at = vma.end;
        }
        at >= range.end
    }

    /// Bytes of `range` that areas cover.
    #[doc(alias = "count_vma_pages_range")]
    pub fn covered_bytes(&self, range: Range<u64>) -> u64 {
        self.overlapping(range.clone()).map(|(start, vma)| vma.end.min(range.end) - start.max(range.start)).sum()
    }

    fn count(totals: &mut Totals, start: u64, vma: &Vma, apply: fn(u64, u64) -> u64) {
        let len = vma.end - start;
        let add = |field: &mut u64, counts: bool| {
            if counts {
                *field = apply(*field, len);
            }
        };
        add(&mut totals.total, true);
        add(&mut totals.data, vma.is_data());
        add(&mut totals.stack, vma.flags.contains(VmFlags::GROWSDOWN));
        let exec = VmFlags::EXEC | VmFlags::WRITE | VmFlags::GROWSDOWN;
        add(&mut totals.exec, vma.flags & exec == VmFlags::EXEC);
        add(&mut totals.locked, vma.flags.contains(VmFlags::LOCKED));
    }

    fn put(&mut self, start: u64, vma: Vma) {
        debug_assert!(start < vma.end);
        Self::count(&mut self.totals, start, &vma, |sum, len| sum + len);
        self.areas.insert(start, vma);
    }

    fn take(&mut self, start: u64) -> Option<Vma> {
        let vma = self.areas.remove(&start)?;
        Self::count(&mut self.totals, start, &vma, |sum, len| sum - len);
        Some(vma)
    }

    /// Makes `addr` a border between two areas if it lies inside one.
    #[doc(alias = "split_vma")]
    fn split(&mut self, addr: u64) {
        let Some((start, vma)) = self.get(addr) else { return };
        if start == addr {
            return;
        }
        let tail = Vma { backing: vma.backing.clone().advance(addr - start), ..vma.clone() };
        // The totals stay: both parts count as the whole did.
        if let Some(head) = self.areas.get_mut(&start) {
            head.end = addr;
        }
        self.areas.insert(addr, tail);
    }

    /// Joins the areas on both sides of `addr` when they are one.
    fn join(&mut self, addr: u64) {
        let Some((start, before)) = self.areas.range(..addr).next_back() else { return };
        let Some(after) = self.areas.get(&addr) else { return };
        if before.end != addr || !before.can_merge(*start, after) {
            return;
        }
        let (start, end) = (*start, after.end);
        self.areas.remove(&addr);
        if let Some(before) = self.areas.get_mut(&start) {
            before.end = end;
        }
    }

    /// Adds an area where none is, and joins it with its neighbours.
    pub fn insert(&mut self, start: u64, vma: Vma) {
        debug_assert!(self.is_free(start..vma.end));
        let end = vma.end;
        self.put(start, vma);
        self.join(end);
        self.join(start);
    }

    /// Takes out everything in `range`; areas at its borders are cut.
    pub fn remove(&mut self, range: Range<u64>) -> Vec<(u64, Vma)> {
        self.split(range.start);
        self.split(range.end);
        let starts: Vec<u64> = self.areas.range(range.clone()).map(|(start, _)| *start).collect();
        let removed: Vec<_> = starts.into_iter().filter_map(|start| Some((start, self.take(start)?))).collect();
        if !removed.is_empty() {
            self.forget_passed(range);
        }
        removed
    }

    /// Changes every area in `range` (cutting at its borders), then joins what has become equal.
    pub fn update(&mut self, range: Range<u64>, mut change: impl FnMut(u64, &mut Vma)) {
        self.split(range.start);
        self.split(range.end);
        let starts: Vec<u64> = self.areas.range(range.clone()).map(|(start, _)| *start).collect();
        for start in &starts {
            if let Some(mut vma) = self.take(*start) {
                change(*start, &mut vma);
                self.put(*start, vma);
            }
        }
        self.join(range.end);
        for start in starts.into_iter().rev() {
            self.join(start);
        }
        self.join(range.start);
    }

    /// How many areas more there are after cutting at both ends of `range`.
    pub fn cuts(&self, range: Range<u64>) -> usize {
        let inside = |addr| self.get(addr).is_some_and(|(start, _)| start != addr);
        usize::from(inside(range.start)) + usize::from(inside(range.end))
    }

    /// Lowest address that must stay free in front of the area at `start`.
    #[doc(alias = "vm_start_gap")]
    pub fn guarded_start(start: u64, vma: &Vma) -> u64 {
        if vma.flags.contains(VmFlags::GROWSDOWN) { start.saturating_sub(STACK_GUARD_GAP) } else { start }
    }

    /// Whether a new area may take `range`: free, and not in the guard gap of the next one.
    pub fn is_placeable(&self, range: Range<u64>) -> bool {
        let next = self.find(range.start);
        next.is_none_or(|(start, vma)| range.end <= Self::guarded_start(start, vma))
    }

    /// The highest place for `len` bytes in `within` whose start is a multiple of `align`.
    #[doc(alias = "unmapped_area_topdown")]
    pub fn find_hole_down(&mut self, len: u64, within: Range<u64>, align: u64) -> Option<u64> {
        let known = self.passed.top == within.end && len > self.passed.hole && self.passed.from > within.start;
        let mut end = if known { self.passed.from } else { within.end };
        let mut largest = if known { self.passed.hole } else { 0 };
        loop {
            // `end` is the upper border of a hole; the area below decides where the hole starts.
            let below = self.before(end).map_or(0, |(_, vma)| vma.end);
            let hole_start = below.max(within.start);
            if end > hole_start && end - hole_start >= len {
                let place = (end - len) & !(align - 1);
                if place >= hole_start {
                    self.passed = Passed { top: within.end, from: end, hole: largest };
                    return Some(place);
                }
            }
            largest = largest.max(end.saturating_sub(hole_start));
            if below <= within.start {
                return None;
            }
            // The area that starts last below `end` closes the hole; go on below it.
            let (start, vma) = self.before(end)?;
            end = Self::guarded_start(start, vma).min(end);
            if end <= within.start {
                return None;
            }
        }
    }

    /// The lowest place for `len` bytes in `within` whose start is a multiple of `align`.
    #[doc(alias = "unmapped_area")]
    pub fn find_hole_up(&self, len: u64, within: Range<u64>, align: u64) -> Option<u64> {
        let mut at = within.start;
        loop {
            at = at.checked_next_multiple_of(align)?;
            let end = at.checked_add(len)?;
            if end > within.end {
                return None;
            }
            match self.find(at) {
                Some((start, vma)) if Self::guarded_start(start, vma) < end => at = vma.end,
                _ => return Some(at),
            }
        }
    }

    /// Re-establishes the invariant of `passed` after `range` became free.
    fn forget_passed(&mut self, range: Range<u64>) {
        // INVARIANT: a hole above `from` may have grown; one that ends at or below it is searched anyway.
        if range.end > self.passed.from {
            self.passed = Passed::default();
        }
    }
}
