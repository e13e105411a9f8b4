//! The trace ring: fixed-size records in the arena object, written by every thread of the world, read by the command.
//!
//! Header at [`HEADER_OFFSET`], call counters at [`COUNTERS_OFFSET`] (see [`crate::counters`]), records from
//! [`RECORDS_OFFSET`] on. A writer takes the next index from `Header::head`, clears the record's `seq`, writes the rest
//! and then stores `index + 1` as `seq`. A reader that finds another `seq` than it expects knows that the record is not
//! written yet (smaller) or was overwritten (larger): nobody waits for anybody, and what was lost is counted.

use alloc::vec::Vec;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::boot::TRACE_OFFSET;

/// Changes with every change of [`Header`] or [`Record`].
pub const VERSION: u32 = 1;
pub const MAGIC: u64 = u64::from_le_bytes(*b"acridaT1");

pub const HEADER_OFFSET: u64 = TRACE_OFFSET;
pub const COUNTERS_OFFSET: u64 = TRACE_OFFSET + 4096;
pub const RECORDS_OFFSET: u64 = TRACE_OFFSET + (1 << 20);
pub const RECORD_SIZE: usize = 512;
/// Records in the ring: what fits into 126 MiB. A power of two would waste half of it.
pub const CAPACITY: u64 = (126 << 20) / RECORD_SIZE as u64;
/// Room for captured bytes in one record.
pub const DATA_MAX: usize = RECORD_SIZE - 104;

/// First page of the ring.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Header {
    pub magic: u64,
    pub version: u32,
    pub record_size: u32,
    pub capacity: u64,
    /// Monotonic ns of boot.
    pub start_ns: u64,
    /// Records ever begun.
    pub head: u64,
}

/// What a record tells.
pub mod kind {
    /// A call that came back: `number`, `args`, `result`, `duration_ns`.
    pub const CALL: u16 = 1;
    /// A call that does not come back (exit): recorded when it is made.
    pub const CALL_NO_RETURN: u16 = 2;
    /// A signal is delivered: `number`, `args` = code, sender's pid (or fault address), handler.
    pub const SIGNAL: u16 = 3;
    /// A process has ended: `result` is its wait status.
    pub const EXIT: u16 = 4;
    /// Every thread of the process has stopped: `number` is the signal.
    pub const STOPPED: u16 = 5;
}

/// `result` of a call that is to be restarted: minus these, as Linux numbers them inside.
pub mod restart {
    pub const ERESTARTSYS: i64 = -512;
    pub const ERESTARTNOINTR: i64 = -513;
    pub const ERESTARTNOHAND: i64 = -514;
    pub const ERESTART_RESTARTBLOCK: i64 = -516;
}

/// One record.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Record {
    /// Index plus one; 0 while it is being written.
    pub seq: u64,
    pub kind: u16,
    /// Bytes used in `data`.
    pub data_len: u16,
    /// Call or signal number.
    pub number: u32,
    pub pid: u32,
    pub tid: u32,
    /// Monotonic ns.
    pub start_ns: u64,
    pub duration_ns: u64,
    pub result: i64,
    pub args: [u64; 6],
    /// Host calls made on the call's behalf.
    pub host_calls: u32,
    pub _reserved: u32,
    /// Captured memory: see [`Captures`].
    pub data: [u8; DATA_MAX],
}

const _: () = assert!(size_of::<Record>() == RECORD_SIZE);
const _: () = assert!(RECORDS_OFFSET + CAPACITY * RECORD_SIZE as u64 <= TRACE_OFFSET + (128 << 20));

impl Record {
    pub fn new(kind: u16) -> Record {
        Record { kind, ..Record::new_zeroed() }
    }

    /// Adds captured bytes of argument `arg`, as many as fit; `cut` says that there was more.
    pub fn capture(&mut self, arg: u8, what: u8, bytes: &[u8], cut: bool) {
        let used = usize::from(self.data_len);
        let Some(room) = DATA_MAX.checked_sub(used + 4) else { return };
        let len = bytes.len().min(room);
        let cut = cut || len < bytes.len();
        let head = [arg, what | if cut { capture::CUT } else { 0 }, len as u8, (len >> 8) as u8];
        self.data[used..used + 4].copy_from_slice(&head);
        self.data[used + 4..used + 4 + len].copy_from_slice(&bytes[..len]);
        self.data_len += 4 + len as u16;
    }

    /// Bytes that the writer must copy: the fixed part and what is used of `data`.
    pub fn used_bytes(&self) -> &[u8] {
        &self.as_bytes()[..RECORD_SIZE - DATA_MAX + usize::from(self.data_len)]
    }

    /// What was captured, in order.
    pub fn captures(&self) -> Captures<'_> {
        Captures { rest: &self.data[..usize::from(self.data_len).min(DATA_MAX)] }
    }

    /// Where record `index` lies in the arena object.
    pub fn offset(index: u64) -> u64 {
        RECORDS_OFFSET + (index % CAPACITY) * RECORD_SIZE as u64
    }
}

/// Kinds of captured memory.
pub mod capture {
    /// A path or other string.
    pub const STRING: u8 = 1;
    /// Bytes of a buffer.
    pub const BYTES: u8 = 2;
    /// One element of a list of strings; elements come in order.
    pub const ELEMENT: u8 = 3;
    /// Little-endian words of four bytes that the call wrote (descriptors of a pipe, a wait status).
    pub const WORDS: u8 = 4;
    /// More was there than was captured.
    pub const CUT: u8 = 0x80;
}

/// One piece of captured memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture<'a> {
    pub arg: u8,
    /// One of [`capture`]'s kinds.
    pub what: u8,
    pub cut: bool,
    pub bytes: &'a [u8],
}

/// Reads what [`Record::capture`] wrote; ends at the first broken piece.
pub struct Captures<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Captures<'a> {
    type Item = Capture<'a>;
    fn next(&mut self) -> Option<Capture<'a>> {
        let (&[arg, what, low, high], rest) = self.rest.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_at_checked(usize::from(low) | usize::from(high) << 8)?;
        self.rest = rest;
        Some(Capture { arg, what: what & !capture::CUT, cut: what & capture::CUT != 0, bytes })
    }
}

/// A set of call numbers, as an option of the boot block carries it: one hexadecimal digit per four calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSet(pub [u64; 8]);

impl CallSet {
    pub const ALL: CallSet = CallSet([u64::MAX; 8]);
    pub const NONE: CallSet = CallSet([0; 8]);

    pub fn insert(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }

    pub fn encode(&self) -> Vec<u8> {
        let digits = self.0.iter().flat_map(|word| (0..16).map(move |n| (word >> (4 * n)) & 15));
        digits.map(|d| b"0123456789abcdef"[d as usize]).collect()
    }

    /// Reads what [`CallSet::encode`] wrote; what is missing is not in the set.
    pub fn decode(text: &[u8]) -> CallSet {
        let mut set = CallSet::NONE;
        for (n, &digit) in text.iter().enumerate().take(128) {
            let value = char::from(digit).to_digit(16).unwrap_or(0);
            set.0[n / 16] |= u64::from(value) << (4 * (n % 16));
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_come_back_and_are_cut_at_the_end() {
        let mut record = Record::new(kind::CALL);
        record.capture(0, capture::STRING, b"/etc/passwd", false);
        record.capture(1, capture::BYTES, &[7; 1000], false);
        record.capture(2, capture::BYTES, b"no room", false);
        let mut all = record.captures();
        assert_eq!(all.next(), Some(Capture { arg: 0, what: capture::STRING, cut: false, bytes: b"/etc/passwd" }));
        let second = all.next().map(|c| (c.cut, c.bytes.len()));
        assert_eq!(second, Some((true, DATA_MAX - 4 - 11 - 4)));
        assert!(all.next().is_none());
        assert_eq!(record.used_bytes().len(), RECORD_SIZE);
    }

    #[test]
    fn broken_captures_end_the_list() {
        let mut record = Record::new(kind::CALL);
        record.data_len = u16::MAX;
        record.data = [0xff; DATA_MAX];
        assert!(record.captures().next().is_none());
    }

    #[test]
    fn call_sets_survive_the_trip() {
        let mut set = CallSet::NONE;
        for n in [0, 63, 64, 231, 511, 4000] {
            set.insert(n);
        }
        assert_eq!(CallSet::decode(&set.encode()), set);
        assert!(set.has(231) && !set.has(232) && !set.has(4000));
        assert_eq!(CallSet::decode(&CallSet::ALL.encode()), CallSet::ALL);
    }
}
