//! The choice of a method for each site.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Range;

use super::branches::{LongBranches, short_branches_into};
use super::code_map::{CodeMap, Origin};
use super::function::{Flow, Function};
use super::scan::{Positions, positions};
use super::{JUMP_LEN, Method, SYSCALL, Site, Text, Why, padding};

/// Most bytes between a replaced instruction and its site: a stub that repeats more is longer than the call it saves.
const REACH_MAX: u32 = 48;

/// `mov $15,%rax; syscall`: how libgcc, gdb and libunwind know a signal trampoline that has no unwind entry.
const SIGNAL_RETURN: [u8; 9] = [0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05];

/// Finds all sites of a text, in order, and what can be done about each.
///
/// Pairs `0f 05` inside other instructions are not listed. A text of 4 GiB or more is left alone entirely.
pub fn analyse(text: &Text<'_>) -> Vec<Site> {
    let pairs = pairs(text.bytes);
    if pairs.is_empty() || u32::try_from(text.bytes.len()).is_err() {
        return Vec::new();
    }
    let mut selection = Selection { text, map: CodeMap::new(text), long: None, decoded: BTreeMap::new(), slots: BTreeSet::new() };
    pairs.into_iter().filter_map(|at| Some(Site { at, method: selection.method(at)? })).collect()
}

/// Offsets of all `0f 05` byte pairs.
fn pairs(bytes: &[u8]) -> Vec<u32> {
    let [first, second] = SYSCALL;
    let mut pairs = Vec::new();
    let matches = |p: Positions| p.first_is(0xff, first) & p.second_is(0xff, second);
    positions(bytes, matches, |at| pairs.extend(u32::try_from(at)));
    pairs
}

struct Selection<'a> {
    text: &'a Text<'a>,
    map: CodeMap,
    /// Made when first needed: most texts with a byte pair or two have no site.
    long: Option<LongBranches>,
    /// Functions decoded so far, by the start of their extent; `None` for those that cannot be believed.
    decoded: BTreeMap<u32, Option<Box<Function>>>,
    /// Padding already given away.
    slots: BTreeSet<u32>,
}

impl Selection<'_> {
    /// The method for a byte pair, or `None` if it is part of another instruction.
    fn method(&mut self, at: u32) -> Option<Method> {
        let Some(index) = self.map.containing(at).or_else(|| self.claim_gap(at)) else {
            return Some(Method::Trap(Why::UnknownFunction));
        };
        self.decode(index);
        let Some(function) = self.function(index) else {
            return Some(Method::Trap(Why::UnsoundFunction));
        };
        let position = function.index_of(at).filter(|&i| function.insns[i].flow == Flow::Syscall)?;
        if self.is_signal_return(index, at) {
            return Some(Method::Trap(Why::SignalReturn));
        }
        let method = self.replace_instruction(index, position).or_else(|| self.use_padding(index, at));
        Some(method.unwrap_or(Method::Trap(Why::NoRoom)))
    }

    /// The extent that a gap with a byte pair in it becomes, if the function before it is known well enough.
    fn claim_gap(&mut self, at: u32) -> Option<usize> {
        let before = self.map.before_gap(at)?;
        self.decode(before);
        let ending = self.function(before)?.ending();
        let index = self.map.claim_gap(before, ending)?;
        self.decoded.remove(&self.map.extents[index].range.start);
        Some(index)
    }

    fn decode(&mut self, index: usize) {
        let extent = &self.map.extents[index];
        self.decoded.entry(extent.range.start).or_insert_with(|| Function::decode(self.text, extent).map(Box::new));
    }

    fn function(&self, index: usize) -> Option<&Function> {
        self.decoded.get(&self.map.extents[index].range.start)?.as_deref()
    }

    fn is_signal_return(&self, index: usize, at: u32) -> bool {
        let end = at as usize + SYSCALL.len();
        let bytes = end.checked_sub(SIGNAL_RETURN.len()).and_then(|start| self.text.bytes.get(start..end));
        self.map.extents[index].origin != Origin::Unwind && bytes == Some(&SIGNAL_RETURN[..])
    }

    /// The nearest instruction before the site that a jump fits over.
    fn replace_instruction(&mut self, index: usize, position: usize) -> Option<Method> {
        let function = self.function(index)?;
        let site = function.insns[position].at;
        let hidden_entries = function.hidden_entries;
        let before = function.insns[..position].iter().rev();
        let candidates: Vec<_> = before
            .take_while(|insn| insn.flow == Flow::Next && site - insn.at <= REACH_MAX)
            .take(if hidden_entries { 1 } else { usize::MAX })
            .copied()
            .collect();
        let insn = candidates.into_iter().find(|insn| u32::from(insn.len) >= JUMP_LEN)?;
        // Farther candidates would only add bytes that nobody may jump to.
        let free = !self.is_entered(index, &(insn.at + 1..site));
        free.then_some(Method::Instruction { start: insn.at, len: insn.len })
    }

    /// Five unused bytes of filler in reach of a two-byte jump.
    fn use_padding(&mut self, index: usize, at: u32) -> Option<Method> {
        let from = at + SYSCALL.len() as u32;
        let window = from.saturating_sub(128)..from.saturating_add(128).min(self.text.bytes.len() as u32);
        // A jump over the pair changes its second byte, too.
        if self.is_entered(index, &(at + 1..from)) {
            return None;
        }
        for neighbour in self.map.overlapping(&window) {
            self.decode(neighbour);
            let Some(function) = self.function(neighbour) else {
                continue;
            };
            for run in padding::runs(self.text, &self.map, neighbour, function, &window) {
                if let Some(slot) = self.free_slot(neighbour, run, &window) {
                    self.slots.insert(slot);
                    return Some(Method::Padding { slot });
                }
            }
        }
        None
    }

    fn free_slot(&mut self, index: usize, run: Range<u32>, window: &Range<u32>) -> Option<u32> {
        let starts = (run.start..).step_by(JUMP_LEN as usize).take_while(|slot| slot + JUMP_LEN <= run.end);
        for slot in starts.filter(|slot| window.contains(slot)) {
            // From the start of the run: a jump to a filler before the slot would run into it.
            if !self.slots.contains(&slot) && !self.is_entered(index, &(run.start..slot + JUMP_LEN)) {
                return Some(slot);
            }
        }
        None
    }

    /// Whether control may come to one of these bytes other than from the byte before; `index` is the extent they
    /// are in or follow.
    fn is_entered(&mut self, index: usize, range: &Range<u32>) -> bool {
        let text = self.text;
        let long = self.long.get_or_insert_with(|| LongBranches::scan(text.bytes));
        if long.lead_into(range) || self.map.has_label(range) {
            return true;
        }
        if self.function(index).is_none_or(|function| function.targets_into(range)) {
            return true;
        }
        short_branches_into(text.bytes, range).any(|at| match self.map.containing(at) {
            Some(own) if own == index => false,
            Some(other) => {
                self.decode(other);
                self.function(other).is_none_or(|function| function.branches_at(at))
            }
            None => true,
        })
    }
}
