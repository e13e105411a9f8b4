//! Function ranges out of Go's own table, which stripped Go programs keep.
//!
//! Format: Go's `src/runtime/symtab.go`, `pcHeader`; the form of Go 1.18 to 1.25 for 64-bit machines. A program whose table
//! is relocated (position independent) names no text start and yields nothing.

use alloc::vec::Vec;

use super::{Symbol, cursor::Cursor};

const MAGIC_1_18: u32 = 0xffff_fff0;
const MAGIC_1_20: u32 = 0xffff_fff1;
/// From the start of the header to the function count, the text start and the offset of the function table.
const NFUNC: usize = 8;
const TEXT_START: usize = 24;
const FUNCTION_TABLE: usize = 64;
const ENTRY_LEN: usize = 8;

/// All functions; each ends where the next one starts, so the padding between them is inside.
pub fn functions(table: &[u8]) -> Option<Vec<Symbol>> {
    let mut head = Cursor::new(table, 0);
    let magic = head.u32()?;
    head.skip(2)?;
    let (quantum, pointer_len) = (head.u8()?, head.u8()?);
    if !matches!(magic, MAGIC_1_18 | MAGIC_1_20) || quantum != 1 || pointer_len != 8 {
        return None;
    }
    let count = usize::try_from(Cursor::new(table, NFUNC).u64()?).ok()?;
    let text = Cursor::new(table, TEXT_START).u64().filter(|&start| start != 0)?;
    let at = usize::try_from(Cursor::new(table, FUNCTION_TABLE).u64()?).ok()?;
    let entries = table.get(at..)?.chunks(ENTRY_LEN).take(count.checked_add(1)?);
    let starts: Vec<u64> = entries.map_while(|entry| Cursor::new(entry, 0).u32()).map(u64::from).collect();
    let pairs = starts.windows(2);
    Some(pairs.map(|pair| Symbol { vaddr: text.wrapping_add(pair[0]), len: pair[1].saturating_sub(pair[0]) }).collect())
}
