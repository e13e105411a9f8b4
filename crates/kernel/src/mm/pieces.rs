//! Runs of pages behind mappings of our own files.
//!
//! Mirrors: nothing in Linux; it stands where `filemap_fault` finds single pages.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::frame::Extent;

/// A run of pages of the physical-memory object that holds some pages of a file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Byte offset in the file.
    pub offset: u64,
    pub len: u64,
    pub extent: Arc<Extent>,
    /// Byte offset in the extent.
    pub start: u64,
}

/// The parts of `range` that pieces cover: guest addresses and place in the physical-memory object.
pub fn visible<'a>(pieces: &'a [Piece], offset: u64, range: &Range<u64>) -> impl Iterator<Item = (Range<u64>, u64)> + 'a {
    let (start, len) = (range.start, range.end - range.start);
    pieces.iter().filter_map(move |piece| {
        let from = piece.offset.max(offset);
        let to = (piece.offset + piece.len).min(offset + len);
        let object = piece.extent.offset() + piece.start + from.saturating_sub(piece.offset);
        (from < to).then(|| (start + (from - offset)..start + (to - offset), object))
    })
}

/// The parts of `found` that `known` does not have.
pub fn without(found: &[Piece], known: &[Piece]) -> Vec<Piece> {
    let known: Vec<(u64, u64)> = known.iter().map(|piece| (piece.offset, piece.len)).collect();
    let cut = |piece: &Piece| {
        let piece = piece.clone();
        let parts = uncovered(&[(piece.offset, piece.len)], &known);
        parts.into_iter().map(move |(offset, len)| Piece {
            offset,
            len,
            start: piece.start + (offset - piece.offset),
            extent: piece.extent.clone(),
        })
    };
    found.iter().flat_map(cut).collect()
}

/// The parts of the spans (start, length) in `found` that no span in `known` covers.
fn uncovered(found: &[(u64, u64)], known: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    let mut left = found.to_vec();
    while let Some((start, len)) = left.pop() {
        let end = start + len;
        let Some((known_start, known_len)) = known.iter().find(|(at, len)| *at < end && start < at + len) else {
            out.push((start, len));
            continue;
        };
        let known_end = known_start + known_len;
        if start < *known_start {
            left.push((start, known_start - start));
        }
        if known_end < end {
            left.push((known_end, end - known_end));
        }
    }
    out
}

/// What the pieces have of the file's first `end` bytes.
pub fn before(pieces: &[Piece], end: u64) -> Vec<Piece> {
    let cut = |piece: &Piece| Piece { len: piece.len.min(end.saturating_sub(piece.offset)), ..piece.clone() };
    pieces.iter().map(cut).filter(|piece| piece.len > 0).collect()
}

/// Whether one of the pieces holds the byte at `offset` of the file.
pub fn holds(pieces: &[Piece], offset: u64) -> bool {
    pieces.iter().any(|piece| (piece.offset..piece.offset + piece.len).contains(&offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(found: &[(u64, u64)], known: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let mut out: Vec<_> = uncovered(found, known);
        out.sort_unstable();
        out
    }

    #[test]
    fn only_what_is_new_is_left() {
        assert_eq!(spans(&[(0, 10)], &[]), [(0, 10)]);
        assert_eq!(spans(&[(0, 10)], &[(3, 2), (8, 9)]), [(0, 3), (5, 3)]);
        assert_eq!(spans(&[(0, 4), (4, 4)], &[(0, 8)]), []);
        assert_eq!(spans(&[(2, 2)], &[(0, 2), (4, 1)]), [(2, 2)]);
    }
}
