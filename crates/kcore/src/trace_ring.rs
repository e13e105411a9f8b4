//! The kernel's side of the trace ring and of the call counters: plain memory at fixed places of the arena.
//!
//! Mirrors: kernel/trace/ring_buffer.c in role, Linux 6.18.
//! Differs: one ring for the world, records of one size, and the oldest is overwritten; the reader is another program,
//! which reads the arena object with `pread` (see `acrida_trace_format::ring`).
//! Locking: none. A writer owns the record whose index it took. Two writers meet in one record only if one of them
//! sleeps while the others write the whole ring; the reader then finds a wrong `seq`, or at worst one mixed record.
//! Memory order: `seq` is cleared, then (release fence) the body is written, then `seq` is stored with Release; a reader
//! whose copy has the right `seq` has the whole record, unless `head` has come round to it meanwhile: a number is taken
//! before anything is overwritten.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use acrida_trace_format::counters::{CallCounters, ROWS};
use acrida_trace_format::layout::ARENA_BASE;
use acrida_trace_format::ring::{CAPACITY, COUNTERS_OFFSET, HEADER_OFFSET, Header, MAGIC, RECORD_SIZE, Record, VERSION};

fn at(offset: u64) -> *mut u8 {
    (ARENA_BASE + offset) as *mut u8
}

fn word(offset: u64) -> &'static AtomicU64 {
    // SAFETY: offsets come from the constants of trace-format, all inside the arena's first 256 MiB and multiples of 8;
    // the arena is mapped for as long as the process lives, and these words are only ever used as atomics.
    unsafe { &*at(offset).cast::<AtomicU64>() }
}

/// Makes the ring ready; once, at boot, before anything is recorded.
pub fn init(start_ns: u64) {
    let header =
        Header { magic: MAGIC, version: VERSION, record_size: RECORD_SIZE as u32, capacity: CAPACITY, start_ns, head: 0 };
    // SAFETY: the header's page of the arena; no writer exists yet, and the reader copes with any content.
    unsafe { at(HEADER_OFFSET).cast::<Header>().write(header) };
}

/// Appends a record; `seq` is filled in here.
pub fn push(record: &Record) {
    let head = word(HEADER_OFFSET + core::mem::offset_of!(Header, head) as u64);
    let index = head.fetch_add(1, Ordering::Relaxed);
    let offset = Record::offset(index);
    let seq = word(offset);
    seq.store(0, Ordering::Relaxed);
    fence(Ordering::Release);
    // The first word is the sequence number.
    let body = &record.used_bytes()[size_of::<u64>()..];
    // SAFETY: `offset` names a record inside the ring and `body` is shorter than one; readers use `pread` and check.
    unsafe { core::ptr::copy_nonoverlapping(body.as_ptr(), at(offset + size_of::<u64>() as u64), body.len()) };
    seq.store(index + 1, Ordering::Release);
}

/// Adds to the counters of call `number`.
pub fn count(number: usize, more: &CallCounters) {
    let row = number.min(ROWS - 1);
    let words = [more.calls, more.errors, more.ns, more.host_calls, more.host_waits, more.host_maps];
    const _: () = assert!(size_of::<CallCounters>() == 6 * size_of::<u64>());
    for (n, value) in words.into_iter().enumerate().filter(|&(_, value)| value != 0) {
        let offset = row * size_of::<CallCounters>() + n * size_of::<u64>();
        word(COUNTERS_OFFSET + offset as u64).fetch_add(value, Ordering::Relaxed);
    }
}
