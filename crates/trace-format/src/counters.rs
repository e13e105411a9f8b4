//! Counters per system call, in the arena object behind the trace ring's header.
//!
//! Written with relaxed additions by every thread while `boot::flags::STATS` is set; read by the command at the end.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Calls with counters of their own; the last row takes every larger number.
pub const ROWS: usize = 513;

/// One row.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct CallCounters {
    pub calls: u64,
    pub errors: u64,
    /// Time between entry and result, ns; sleep included.
    pub ns: u64,
    /// Host calls on the call's behalf, without the two kinds below.
    pub host_calls: u64,
    /// Host calls that put a thread to sleep or woke one.
    pub host_waits: u64,
    /// Host calls that changed the guest's or the kernel's memory.
    pub host_maps: u64,
}

/// Bytes of all rows.
pub const SIZE: usize = ROWS * size_of::<CallCounters>();

const _: () = assert!(crate::ring::COUNTERS_OFFSET + SIZE as u64 <= crate::ring::RECORDS_OFFSET);
