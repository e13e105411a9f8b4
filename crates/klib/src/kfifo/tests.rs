//! The kfifo against a `VecDeque`: around the end of the buffer, across the wrap of the indices,
//! with lengths that no buffer has.

use super::{BadIndices, Kfifo};
use crate::testing::{cases, steps};
use proptest::prelude::*;
use std::collections::VecDeque;

#[test]
fn sizes_are_rounded_up() {
    let sizes = [0, 1, 2, 3, 64, 65].map(|size| Kfifo::<u8>::new(size).capacity());
    assert_eq!(sizes, [1, 1, 2, 4, 64, 128]);
}

#[test]
fn empty_and_full_differ_across_the_wrap() {
    let mut fifo: Kfifo<u8> = Kfifo::new(4);
    for start in [0, 1, u32::MAX - 5, u32::MAX - 3, u32::MAX - 1, u32::MAX] {
        fifo.set_indices(start, start).unwrap();
        assert!(fifo.is_empty() && !fifo.is_full());
        assert_eq!(fifo.put(b"abcdef"), 4);
        assert!(fifo.is_full() && fifo.available() == 0);
        assert_eq!(fifo.indices(), (start.wrapping_add(4), start));
        let mut read = [0; 9];
        assert_eq!(fifo.get(&mut read), 4);
        assert_eq!(&read, b"abcd\0\0\0\0\0");
    }
}

#[test]
fn indices_further_apart_than_the_size_are_refused() {
    let mut fifo: Kfifo<u8> = Kfifo::new(64);
    fifo.put(b"kept");
    for (enter, leave) in [(65, 0), (0, 1), (63, u32::MAX - 1)] {
        assert_eq!(fifo.set_indices(enter, leave), Err(BadIndices));
    }
    assert_eq!(fifo.indices(), (4, 0));
    fifo.set_indices(62, u32::MAX - 1).unwrap();
    assert!(fifo.is_full());
    fifo.reset();
    assert!(fifo.is_empty());
}

#[test]
fn a_short_fill_or_drain_counts_what_was_done() {
    let mut fifo: Kfifo<u8> = Kfifo::new(8);
    fifo.set_indices(6, 6).unwrap();
    let (mut enter, mut leave) = fifo.split();
    let mut pieces = Vec::new();
    let done = enter.put_with(usize::MAX, |piece| {
        pieces.push(piece.len());
        piece.fill(7);
        if pieces.len() == 2 { piece.len() - 1 } else { piece.len() }
    });
    assert_eq!((done, &pieces[..]), (7, &[2, 6][..]));
    assert_eq!(leave.get_with(usize::MAX, |piece| piece.len() - 1), 1);
    // A closure that claims more than there is cannot move the index past it.
    assert_eq!(leave.get_with(usize::MAX, |_| usize::MAX), 6);
    assert!(leave.fifo().is_empty());
}

#[test]
fn two_threads_pass_a_stream() {
    let total = steps(200_000, 400);
    let mut fifo: Kfifo<u32> = Kfifo::new(16);
    fifo.set_indices(u32::MAX - 1000, u32::MAX - 1000).unwrap();
    let (mut enter, mut leave) = fifo.into_halves();
    let writer = std::thread::spawn(move || {
        let mut next = 0;
        while next < total {
            let batch: Vec<u32> = (next..total.min(next + 1 + next % 21)).collect();
            next += u32::try_from(enter.put(&batch)).unwrap();
            std::thread::yield_now();
        }
    });
    let mut expect = 0;
    let mut buffer = [0; 11];
    while expect < total {
        assert!(leave.fifo().len() <= 16);
        let got = leave.get(&mut buffer);
        for &element in &buffer[..got] {
            assert_eq!(element, expect);
            expect += 1;
        }
        std::thread::yield_now();
    }
    writer.join().unwrap();
    assert!(leave.fifo().is_empty());
}

#[derive(Clone, Debug)]
enum Op {
    Put(usize),
    PutWith(usize, usize),
    Get(usize),
    GetWith(usize, usize),
    Peek(usize),
    Skip(usize),
}

/// Mostly near the size, sometimes as large as there is.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..80usize, 1 => Just(usize::MAX), 1 => (u32::MAX as usize)..usize::MAX]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..100usize).prop_map(Op::Put),
        3 => (length(), 0..80usize).prop_map(|(len, done)| Op::PutWith(len, done)),
        4 => (0..100usize).prop_map(Op::Get),
        3 => (length(), 0..80usize).prop_map(|(len, done)| Op::GetWith(len, done)),
        1 => (0..100usize).prop_map(Op::Peek),
        1 => length().prop_map(Op::Skip),
    ]
}

/// A queue, what it should hold, and the next value to put in.
struct Model {
    fifo: Kfifo<u16>,
    expect: VecDeque<u16>,
    next: u16,
}

impl Model {
    fn fresh(&mut self) -> u16 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    fn drain(&mut self, count: usize) -> Vec<u16> {
        self.expect.drain(..count).collect()
    }

    fn apply(&mut self, op: Op) {
        let (stored, room) = (self.fifo.len(), self.fifo.available());
        match op {
            Op::Put(len) => {
                let elements: Vec<u16> = (0..len).map(|_| self.fresh()).collect();
                assert_eq!(self.fifo.put(&elements), len.min(room));
                self.expect.extend(&elements[..len.min(room)]);
            }
            Op::PutWith(len, most) => {
                let mut left = most;
                let (first, mut value) = (self.next, self.next);
                let done = self.fifo.split().0.put_with(len, |piece| {
                    let count = left.min(piece.len());
                    left -= count;
                    piece[..count].fill_with(|| {
                        value = value.wrapping_add(1);
                        value
                    });
                    count
                });
                assert_eq!(done, len.min(room).min(most));
                self.next = value;
                self.expect.extend((1..=done).map(|n| first.wrapping_add(n as u16)));
            }
            Op::Get(len) => {
                let mut elements = vec![0; len];
                let got = self.fifo.get(&mut elements);
                assert_eq!(got, len.min(stored));
                assert_eq!(elements[..got], self.drain(got));
            }
            Op::GetWith(len, most) => {
                let mut elements = Vec::new();
                let got = self.fifo.split().1.get_with(len, |piece| {
                    let count = piece.len().min(most - elements.len());
                    elements.extend_from_slice(&piece[..count]);
                    count
                });
                assert_eq!(got, len.min(stored).min(most));
                assert_eq!(elements, self.drain(got));
            }
            Op::Peek(len) => {
                let mut elements = vec![0; len];
                let got = self.fifo.split().1.peek(&mut elements);
                assert_eq!(got, len.min(stored));
                assert!(elements[..got].iter().eq(self.expect.iter().take(got)));
            }
            Op::Skip(len) => {
                assert_eq!(self.fifo.split().1.skip(len), len.min(stored));
                self.drain(len.min(stored));
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(400, 3))]

    #[test]
    fn behaves_as_a_deque_of_bounded_length(
        size in 1..130u32,
        before_wrap in 0..600u32,
        ops in prop::collection::vec(op(), 0..steps(600, 30) as usize),
    ) {
        let mut model = Model { fifo: Kfifo::new(size), expect: VecDeque::new(), next: 0 };
        let start = 0u32.wrapping_sub(before_wrap);
        model.fifo.set_indices(start, start).unwrap();
        for op in ops {
            model.apply(op);
            assert_eq!(model.fifo.len(), model.expect.len());
            assert_eq!(model.fifo.len() + model.fifo.available(), model.fifo.capacity());
        }
    }
}
