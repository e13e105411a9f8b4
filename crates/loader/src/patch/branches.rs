//! Every place a direct long branch might lead to, wherever the branch itself is.
//!
//! Decoding all of a large library to find the few branches into a few bytes would cost more than the patches save.
//! Instead every byte position is taken for a possible branch. That finds all real ones, whatever the function
//! boundaries are, and some that are none; a false one costs a patch, never correctness. Chance hits are rare for
//! four-byte distances. For one-byte distances they are not, see [`short_branches_into`].

use alloc::vec::Vec;
use core::ops::Range;

use super::scan::{Positions, positions};

/// How far a short branch reaches: two bytes of its own and a signed byte.
pub const SHORT_BACK: u32 = 126;
pub const SHORT_AHEAD: u32 = 129;

/// A bit for every byte of a text: set if a long branch might lead there.
pub struct LongBranches {
    words: Vec<u64>,
    /// Length of the text in bytes.
    len: usize,
}

impl LongBranches {
    /// Looks at every position for `call`, `jmp`, `jcc` and `xbegin` with a four-byte distance.
    pub fn scan(bytes: &[u8]) -> Self {
        let mut branches = Self { words: alloc::vec![0u64; bytes.len().div_ceil(64)], len: bytes.len() };
        let opcodes = |p: Positions| {
            let call_or_jmp = p.first_is(0xfe, 0xe8);
            let jcc = p.first_is(0xff, 0x0f) & p.second_is(0xf0, 0x80);
            let xbegin = p.first_is(0xff, 0xc7) & p.second_is(0xff, 0xf8);
            call_or_jmp | jcc | xbegin
        };
        positions(bytes, opcodes, |at| {
            let opcode_len = if bytes[at] & 0xfe == 0xe8 { 1 } else { 2 };
            let distance = bytes.get(at + opcode_len..).and_then(|rest| rest.first_chunk());
            if let Some(&distance) = distance {
                branches.mark(at + opcode_len + 4, distance);
            }
        });
        branches
    }

    /// Notes the target of a branch that ends at `end`.
    fn mark(&mut self, end: usize, distance: [u8; 4]) {
        let target = (end as u64).wrapping_add_signed(i64::from(i32::from_le_bytes(distance)));
        if target < self.len as u64 {
            self.words[(target / 64) as usize] |= 1 << (target % 64);
        }
    }

    /// Whether any byte of a range may be a target.
    pub fn lead_into(&self, range: &Range<u32>) -> bool {
        range.clone().any(|at| self.words.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 != 0))
    }
}

/// Offsets that might hold a branch with a one-byte distance into a range.
pub fn short_branches_into<'a>(bytes: &'a [u8], range: &'a Range<u32>) -> impl Iterator<Item = u32> + 'a {
    let first = range.start.saturating_sub(SHORT_AHEAD);
    let last = range.end.saturating_add(SHORT_BACK).min(bytes.len().saturating_sub(1) as u32);
    (first..last).filter(move |&at| {
        let [opcode, distance] = [bytes[at as usize], bytes[at as usize + 1]];
        let short = matches!(opcode, 0x70..=0x7f | 0xe0..=0xe3 | 0xeb);
        let target = i64::from(at) + 2 + i64::from(distance as i8);
        short && i64::from(range.start) <= target && target < i64::from(range.end)
    })
}
