//! Bitmaps: arrays of words in which the next set or clear bit is found a word at a time.
//!
//! Linux: include/linux/find.h, include/linux/bitmap.h, lib/find_bit.c (6.12).
//! Differs: the words grow when a bit past their end is set; all bits there are clear.
//! Locking: by the caller. No bit operation here is atomic (Linux's `set_bit` is, `__set_bit` is not).
//!
//! # In Linux
//! A bitmap is `unsigned long[]` and a number of bits that every call repeats. fd tables find the
//! lowest free descriptor with `find_next_zero_bit`. The cost is one load and one
//! count-trailing-zeros per 64 bits.
//!
//! # Here
//! ```
//! use acrida_klib::bitmap::Bitmap;
//! let mut open = Bitmap::new();
//! assert!(!open.set(0) && !open.set(1) && !open.set(100));
//! assert_eq!(open.find_next_zero_bit(0), 2);
//! assert!(open.clear(1) && !open.clear(1));
//! assert!(open.iter().eq([0, 100]));
//! ```

use alloc::vec::Vec;

const BITS: usize = u64::BITS as usize;

/// Bits from 0 on, as many as are needed.
#[derive(Clone, Debug, Default)]
pub struct Bitmap {
    words: Vec<u64>,
}

const fn mask_of(bit: usize) -> u64 {
    1 << (bit % BITS)
}

impl Bitmap {
    /// No bit is set.
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Bits from this one on are clear.
    pub fn end(&self) -> usize {
        self.words.len() * BITS
    }

    /// Whether a bit is set.
    #[doc(alias = "test_bit")]
    pub fn test(&self, bit: usize) -> bool {
        self.words.get(bit / BITS).is_some_and(|word| word & mask_of(bit) != 0)
    }

    /// The bits from `64 * index` on, the first one lowest.
    pub fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    /// How many bits are set.
    #[doc(alias = "bitmap_weight")]
    pub fn weight(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Sets a bit; whether it was set before.
    #[doc(alias = "__test_and_set_bit")]
    pub fn set(&mut self, bit: usize) -> bool {
        let index = bit / BITS;
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        let old = self.words[index];
        self.words[index] = old | mask_of(bit);
        old & mask_of(bit) != 0
    }

    /// Clears a bit; whether it was set before.
    #[doc(alias = "__test_and_clear_bit")]
    pub fn clear(&mut self, bit: usize) -> bool {
        let Some(word) = self.words.get_mut(bit / BITS) else { return false };
        let old = *word;
        *word = old & !mask_of(bit);
        old & mask_of(bit) != 0
    }

    /// Makes a bit what `value` says.
    #[doc(alias = "__assign_bit")]
    pub fn assign(&mut self, bit: usize, value: bool) {
        if value {
            self.set(bit)
        } else {
            self.clear(bit)
        };
    }

    /// The lowest clear bit at or above `from`.
    pub fn find_next_zero_bit(&self, from: usize) -> usize {
        self.find_next(from, |word| !word).unwrap_or(from.max(self.end()))
    }

    /// The lowest set bit at or above `from`.
    pub fn find_next_bit(&self, from: usize) -> Option<usize> {
        self.find_next(from, |word| word)
    }

    /// The set bits, ascending.
    #[doc(alias = "for_each_set_bit")]
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let mut from = 0;
        core::iter::from_fn(move || {
            let bit = self.find_next_bit(from)?;
            from = bit + 1;
            Some(bit)
        })
    }

    fn find_next(&self, from: usize, view: impl Fn(u64) -> u64) -> Option<usize> {
        let mut index = from / BITS;
        let mut word = view(*self.words.get(index)?) & (u64::MAX << (from % BITS));
        while word == 0 {
            index += 1;
            word = view(*self.words.get(index)?);
        }
        Some(index * BITS + word.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cases, steps};
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    #[test]
    fn full_words_and_the_end() {
        let mut map = Bitmap::new();
        assert_eq!((map.find_next_zero_bit(0), map.find_next_zero_bit(70), map.find_next_bit(0)), (0, 70, None));
        (0..64).for_each(|bit| map.assign(bit, true));
        assert_eq!((map.end(), map.find_next_zero_bit(0), map.find_next_bit(usize::MAX)), (64, 64, None));
        assert!(!map.clear(64) && map.end() == 64);
    }

    proptest! {
        #![proptest_config(cases(500, 2))]

        #[test]
        fn behaves_as_a_set(ops in prop::collection::vec((0..400usize, 0..4), 0..steps(400, 40) as usize)) {
            let (mut map, mut model) = (Bitmap::new(), BTreeSet::new());
            for (bit, op) in ops {
                match op {
                    0 => assert_eq!(map.set(bit), !model.insert(bit)),
                    1 => assert_eq!(map.clear(bit), model.remove(&bit)),
                    2 => assert_eq!(map.find_next_bit(bit), model.range(bit..).next().copied()),
                    _ => assert_eq!(Some(map.find_next_zero_bit(bit)), (bit..).find(|bit| !model.contains(bit))),
                }
                assert_eq!(map.test(bit), model.contains(&bit));
            }
            assert_eq!((0..7).map(|index| map.word(index).count_ones() as usize).sum::<usize>(), model.len());
            assert_eq!(map.weight(), model.len());
            assert!(map.iter().eq(model));
        }
    }
}
