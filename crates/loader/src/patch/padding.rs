//! Bytes nobody executes, near enough for a two-byte jump.
//!
//! Assemblers fill up to an alignment with `nop` or `int3`: behind an unconditional jump inside a function, and between
//! functions. Such a run is free from its first byte on, as long as nothing jumps to it.

use alloc::vec::Vec;
use core::ops::Range;

use iced_x86::{Decoder, DecoderOptions};

use super::Text;
use super::code_map::{CodeMap, Ending};
use super::function::{Flow, Function, is_filler};

/// Longest run looked at; alignments beyond are not met.
const RUN_MAX: usize = 64;

/// Runs of filler that overlap `window`, as ranges of offsets: those inside a function, and the one behind it.
pub fn runs(text: &Text<'_>, map: &CodeMap, index: usize, function: &Function, window: &Range<u32>) -> Vec<Range<u32>> {
    let mut runs = Vec::new();
    // With hidden entries an alignment inside the function might be jumped to; behind it nobody has business.
    if !function.hidden_entries {
        inner_runs(function, window, &mut runs);
    }
    let end = map.extents[index].range.end;
    if window.contains(&end) && function.ending() == Ending::Stops {
        runs.extend(run_behind(text, map, end));
    }
    runs
}

fn inner_runs(function: &Function, window: &Range<u32>, runs: &mut Vec<Range<u32>>) {
    let first = function.insns.partition_point(|insn| insn.at < window.start);
    let mut at = first;
    while let Some(insn) = function.insns.get(at).filter(|insn| insn.at < window.end) {
        at += 1;
        if insn.flow != Flow::Stop {
            continue;
        }
        let start = insn.end();
        let fillers = function.insns[at..].iter().take_while(|insn| insn.filler);
        let end = fillers.last().map_or(start, |insn| insn.end());
        if end > start {
            runs.push(start..end);
        }
    }
}

/// The filler between the end of a function and the next known one.
fn run_behind(text: &Text<'_>, map: &CodeMap, start: u32) -> Option<Range<u32>> {
    let limit = map.next_label(start).map_or(text.bytes.len(), |label| label as usize);
    let bytes = text.bytes.get(start as usize..limit.min(start as usize + RUN_MAX))?;
    let mut decoder = Decoder::new(64, bytes, DecoderOptions::NONE);
    let mut len = 0;
    while decoder.can_decode() {
        let insn = decoder.decode();
        if insn.is_invalid() || !is_filler(&insn) {
            break;
        }
        len = decoder.position() as u32;
    }
    (len > 0).then_some(start..start + len)
}
