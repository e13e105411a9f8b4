//! Bitmaps: arrays of words in which the next set or clear bit is found a word at a time.
//!
//! Linux: include/linux/find.h, include/linux/bitmap.h, lib/find_bit.c (6.12).
//! Differs: the length travels with the words; "nothing found" is `None`, not the length.
//! Locking: by the caller. No bit operation here is atomic (Linux's `set_bit` is, `__set_bit` is not).
//!
//! # In Linux
//! A bitmap is `unsigned long[]` and a number of bits that every call repeats. fd tables find the
//! lowest free descriptor with `find_next_zero_bit`, the O(1) run queue the best of 140 priorities
//! with `find_first_bit`. The cost is one load and one count-trailing-zeros per 64 bits.
//!
//! # Here
//! `Bitmap<S>` holds any storage of words: `Bitmap<[u64; 3]>` for the priorities,
//! `Bitmap<Vec<u64>>` for what grows.
//!
//! ```
//! use acrida_klib::bitmap::Bitmap;
//! let mut ready: Bitmap<[u64; 3]> = Bitmap::new([0; 3], 140);
//! ready.set(120);
//! ready.set(7);
//! assert_eq!(ready.find_first_bit(), Some(7));
//! assert_eq!(ready.find_next_bit(8), Some(120));
//! assert_eq!(ready.find_next_zero_bit(7), Some(8));
//! ```

use alloc::vec::Vec;
use core::ops::Range;

const BITS: usize = u64::BITS as usize;

/// A fixed number of bits in words of some storage.
///
/// # Invariants
/// The storage has `bits.div_ceil(64)` words or more, and the bits from `bits` on are 0 (so that
/// whole words can be searched and counted).
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "DECLARE_BITMAP")]
pub struct Bitmap<S> {
    words: S,
    bits: usize,
}

const fn word_of(bit: usize) -> usize {
    bit / BITS
}

const fn mask_of(bit: usize) -> u64 {
    1 << (bit % BITS)
}

/// The bits of word `index` that lie in the range.
fn mask_within(index: usize, range: &Range<usize>) -> u64 {
    let start = range.start.max(index * BITS);
    let end = range.end.min((index + 1) * BITS);
    match end.checked_sub(start) {
        None | Some(0) => 0,
        Some(count) => (u64::MAX >> (BITS - count)) << (start % BITS),
    }
}

impl<S: AsRef<[u64]>> Bitmap<S> {
    /// The number of bits.
    pub const fn len(&self) -> usize {
        self.bits
    }

    /// Whether no bit is set (a bitmap of no bits has none set).
    #[doc(alias = "bitmap_empty")]
    pub fn is_empty(&self) -> bool {
        self.find_first_bit().is_none()
    }

    /// Whether no bit is clear.
    #[doc(alias = "bitmap_full")]
    pub fn is_full(&self) -> bool {
        self.find_first_zero_bit().is_none()
    }

    /// How many bits are set.
    #[doc(alias = "bitmap_weight")]
    pub fn weight(&self) -> usize {
        self.used().iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether a bit is set. A bit past the end is not.
    #[doc(alias = "test_bit")]
    pub fn test(&self, bit: usize) -> bool {
        bit < self.bits && self.used()[word_of(bit)] & mask_of(bit) != 0
    }

    /// The words, lowest bits first.
    pub fn words(&self) -> &[u64] {
        self.used()
    }

    /// The lowest set bit.
    #[doc(alias = "sched_find_first_bit")]
    pub fn find_first_bit(&self) -> Option<usize> {
        self.find_next_bit(0)
    }

    /// The lowest clear bit.
    pub fn find_first_zero_bit(&self) -> Option<usize> {
        self.find_next_zero_bit(0)
    }

    /// The lowest set bit at or above `from`.
    pub fn find_next_bit(&self, from: usize) -> Option<usize> {
        self.find_next(from, |word| word)
    }

    /// The lowest clear bit at or above `from`.
    pub fn find_next_zero_bit(&self, from: usize) -> Option<usize> {
        // The bits past the end look clear: drop what was found there.
        self.find_next(from, |word| !word).filter(|&bit| bit < self.bits)
    }

    /// The highest set bit.
    pub fn find_last_bit(&self) -> Option<usize> {
        let words = self.used();
        let index = words.iter().rposition(|&word| word != 0)?;
        Some(index * BITS + words[index].ilog2() as usize)
    }

    /// The lowest `count` clear bits in a row at or above `from`; where they start.
    #[doc(alias = "bitmap_find_next_zero_area")]
    pub fn find_next_zero_area(&self, from: usize, count: usize) -> Option<usize> {
        let mut start = self.find_next_zero_bit(from)?;
        loop {
            let end = start.checked_add(count).filter(|&end| end <= self.bits)?;
            match self.find_next_bit(start) {
                Some(taken) if taken < end => start = self.find_next_zero_bit(taken)?,
                _ => return Some(start),
            }
        }
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

    fn used(&self) -> &[u64] {
        &self.words.as_ref()[..self.bits.div_ceil(BITS)]
    }

    fn find_next(&self, from: usize, view: impl Fn(u64) -> u64) -> Option<usize> {
        let words = self.used();
        let mut index = word_of(from);
        let mut word = view(*words.get(index)?) & (u64::MAX << (from % BITS));
        while word == 0 {
            index += 1;
            word = view(*words.get(index)?);
        }
        Some(index * BITS + word.trailing_zeros() as usize)
    }
}

impl<S: AsRef<[u64]> + AsMut<[u64]>> Bitmap<S> {
    /// A bitmap of `bits` bits over these words, with what they hold.
    ///
    /// # Panics
    /// If the storage has too few words.
    pub fn new(words: S, bits: usize) -> Self {
        assert!(bits.div_ceil(BITS) <= words.as_ref().len(), "bitmap storage too small");
        let mut map = Self { words, bits };
        // INVARIANT: nothing past the end.
        if let Some(last) = map.used_mut().last_mut()
            && !bits.is_multiple_of(BITS)
        {
            *last &= mask_of(bits) - 1;
        }
        map
    }

    /// Sets a bit; whether it was set before.
    ///
    /// # Panics
    /// If the bit is past the end.
    #[doc(alias = "__test_and_set_bit")]
    pub fn set(&mut self, bit: usize) -> bool {
        let (word, mask) = self.word_mut(bit);
        let was = *word & mask != 0;
        *word |= mask;
        was
    }

    /// Clears a bit; whether it was set before.
    ///
    /// # Panics
    /// If the bit is past the end.
    #[doc(alias = "__test_and_clear_bit")]
    pub fn clear(&mut self, bit: usize) -> bool {
        let (word, mask) = self.word_mut(bit);
        let was = *word & mask != 0;
        *word &= !mask;
        was
    }

    /// Sets a range of bits.
    ///
    /// # Panics
    /// If the range reaches past the end.
    #[doc(alias = "bitmap_set")]
    pub fn set_range(&mut self, range: Range<usize>) {
        self.for_range(range, |word, mask| *word |= mask);
    }

    /// Clears a range of bits.
    ///
    /// # Panics
    /// If the range reaches past the end.
    #[doc(alias = "bitmap_clear")]
    pub fn clear_range(&mut self, range: Range<usize>) {
        self.for_range(range, |word, mask| *word &= !mask);
    }

    fn used_mut(&mut self) -> &mut [u64] {
        let count = self.bits.div_ceil(BITS);
        &mut self.words.as_mut()[..count]
    }

    fn word_mut(&mut self, bit: usize) -> (&mut u64, u64) {
        assert!(bit < self.bits, "bit {bit} of {}", self.bits);
        (&mut self.used_mut()[word_of(bit)], mask_of(bit))
    }

    fn for_range(&mut self, range: Range<usize>, change: impl Fn(&mut u64, u64)) {
        assert!(range.end <= self.bits, "bits to {} of {}", range.end, self.bits);
        let first = word_of(range.start);
        for (index, word) in self.used_mut().iter_mut().enumerate().skip(first) {
            match mask_within(index, &range) {
                0 => break,
                mask => change(word, mask),
            }
        }
    }
}

impl<const WORDS: usize> Bitmap<[u64; WORDS]> {
    /// All bits of the words, all clear.
    #[doc(alias = "bitmap_zero")]
    pub const fn zeroed() -> Self {
        Self { words: [0; WORDS], bits: WORDS * BITS }
    }
}

impl Bitmap<Vec<u64>> {
    /// `bits` clear bits on the heap.
    #[doc(alias = "bitmap_zalloc")]
    pub fn with_len(bits: usize) -> Self {
        Self { words: alloc::vec![0; bits.div_ceil(BITS)], bits }
    }

    /// Makes room for more bits, clear ones. Never makes the bitmap shorter.
    #[doc(alias = "bitmap_copy_and_extend")]
    pub fn grow(&mut self, bits: usize) {
        if bits > self.bits {
            self.words.resize(bits.div_ceil(BITS), 0);
            self.bits = bits;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cases, steps};
    use proptest::prelude::*;

    #[test]
    fn what_the_words_held_past_the_end_is_gone() {
        let map = Bitmap::new([u64::MAX; 3], 140);
        assert_eq!((map.weight(), map.find_last_bit()), (140, Some(139)));
        assert!(map.is_full() && !map.test(140) && map.find_next_bit(140).is_none());
    }

    #[test]
    fn empty_and_growing() {
        let mut map = Bitmap::with_len(0);
        assert!(map.is_empty() && map.is_full() && map.find_next_zero_bit(0).is_none());
        map.grow(65);
        map.set_range(0..65);
        assert!(map.is_full());
        map.grow(66);
        assert_eq!(map.find_first_zero_bit(), Some(65));
        assert_eq!(map.find_next_bit(usize::MAX), None);
        assert_eq!(map.find_next_zero_area(0, usize::MAX), None);
    }

    #[test]
    #[should_panic(expected = "bit 140 of 140")]
    fn a_bit_past_the_end_is_a_bug() {
        Bitmap::new([0; 3], 140).set(140);
    }

    #[derive(Clone, Debug)]
    enum Op {
        Set(usize),
        Clear(usize),
        SetRange(usize, usize),
        ClearRange(usize, usize),
        Find(usize, usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        let at = || any::<prop::sample::Index>().prop_map(|index| index.index(1 << 16));
        prop_oneof![
            at().prop_map(Op::Set),
            at().prop_map(Op::Clear),
            (at(), at()).prop_map(|(a, b)| Op::SetRange(a, b)),
            (at(), at()).prop_map(|(a, b)| Op::ClearRange(a, b)),
            (at(), 0..70usize).prop_map(|(a, n)| Op::Find(a, n)),
        ]
    }

    fn apply(map: &mut Bitmap<Vec<u64>>, model: &mut [bool], op: Op) {
        let len = model.len();
        match op {
            Op::Set(bit) => assert_eq!(map.set(bit % len), core::mem::replace(&mut model[bit % len], true)),
            Op::Clear(bit) => assert_eq!(map.clear(bit % len), core::mem::replace(&mut model[bit % len], false)),
            Op::SetRange(a, b) | Op::ClearRange(a, b) => {
                let (start, end) = ((a % len).min(b % len), (a % len).max(b % len));
                let set = matches!(op, Op::SetRange(..));
                if set {
                    map.set_range(start..end)
                } else {
                    map.clear_range(start..end)
                }
                model[start..end].fill(set);
            }
            Op::Find(from, count) => {
                let from = from % (len + 2);
                let find = |wanted| (from..len).find(|&bit| model[bit] == wanted);
                assert_eq!(map.find_next_bit(from), find(true));
                assert_eq!(map.find_next_zero_bit(from), find(false));
                let free = |start: &usize| start + count <= len && !model[*start..start + count].contains(&true);
                let area = (from..len).filter(|&bit| !model[bit]).find(free);
                assert_eq!(map.find_next_zero_area(from, count), area);
            }
        }
    }

    proptest! {
        #![proptest_config(cases(500, 2))]

        #[test]
        fn behaves_as_a_vector_of_bool(len in 1..400usize, ops in prop::collection::vec(op(), 0..steps(400, 40) as usize)) {
            let (mut map, mut model) = (Bitmap::with_len(len), vec![false; len]);
            for op in ops {
                apply(&mut map, &mut model, op);
                assert_eq!(map.weight(), model.iter().filter(|&&bit| bit).count());
                assert_eq!(map.find_last_bit(), model.iter().rposition(|&bit| bit));
            }
            assert!(map.iter().eq((0..len).filter(|&bit| model[bit])));
            assert!((0..len).all(|bit| map.test(bit) == model[bit]));
        }
    }
}
