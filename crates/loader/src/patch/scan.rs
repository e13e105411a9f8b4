//! Finding two-byte patterns in megabytes of text, eight positions at a time.

const LOW: u64 = 0x0101_0101_0101_0101;
const WIDTH: usize = 8;

/// Eight neighbouring positions: at each one a byte, and the byte behind it.
#[derive(Clone, Copy)]
pub struct Positions {
    first: u64,
    second: u64,
}

/// For each of eight positions the top bit of its byte.
pub type Mask = u64;

impl Positions {
    /// Where the first byte, limited to the bits of `mask`, is `value`.
    pub fn first_is(self, mask: u8, value: u8) -> Mask {
        equal(self.first, mask, value)
    }

    /// Where the second byte, limited to the bits of `mask`, is `value`.
    pub fn second_is(self, mask: u8, value: u8) -> Mask {
        equal(self.second, mask, value)
    }
}

/// The top bit of every byte of `word` that equals `value` under `mask`, and no other bit.
fn equal(word: u64, mask: u8, value: u8) -> Mask {
    let difference = (word & (LOW * u64::from(mask))) ^ (LOW * u64::from(value));
    let low_seven = LOW * 0x7f;
    !(((difference & low_seven) + low_seven) | difference | low_seven)
}

/// Calls `hit` with each position that `matches` marks and that has a byte behind it, in order.
pub fn positions(bytes: &[u8], matches: impl Fn(Positions) -> Mask, mut hit: impl FnMut(usize)) {
    let Some(last) = bytes.len().checked_sub(1) else {
        return;
    };
    let (first, _) = bytes[..last].as_chunks::<WIDTH>();
    let (second, _) = bytes[1..].as_chunks::<WIDTH>();
    let mut report = |at: usize, mut mask: Mask| {
        while mask != 0 {
            hit(at + (mask.trailing_zeros() / 8) as usize);
            mask &= mask - 1;
        }
    };
    for (index, (&first, &second)) in first.iter().zip(second).enumerate() {
        let word = Positions { first: u64::from_le_bytes(first), second: u64::from_le_bytes(second) };
        report(index * WIDTH, matches(word));
    }
    for at in first.len() * WIDTH..last {
        let word = Positions { first: u64::from(bytes[at]), second: u64::from(bytes[at + 1]) };
        report(at, matches(word) & 0xff);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn finds_what_a_plain_loop_finds() {
        let mut state = 1u32;
        let bytes: Vec<u8> = (0..4096)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [0x0f, 0x05, 0x85, 0x00, 0x80, 0xff, 0x0e, 0x8f][(state >> 29) as usize]
            })
            .collect();
        for len in (0..40).chain([4095, 4096]) {
            let mut found = Vec::new();
            let matches = |p: Positions| p.first_is(0xff, 0x0f) & p.second_is(0xf0, 0x80);
            positions(&bytes[..len], matches, |at| found.push(at));
            let pairs = bytes[..len].windows(2).enumerate();
            let want: Vec<usize> = pairs.filter(|(_, w)| w[0] == 0x0f && w[1] & 0xf0 == 0x80).map(|(at, _)| at).collect();
            assert_eq!(found, want);
        }
    }
}
