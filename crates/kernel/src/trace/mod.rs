//! What the world tells about itself: records of calls, signals and ends, counters per call, and views on request.
//!
//! Mirrors: kernel/trace/trace_syscalls.c in role, Linux 6.18.
//! Differs: one ring for everything, in memory that the command reads (`acrida_trace_format::ring`); a record holds what
//! the call's pointers named, since nobody can look it up afterwards.
//! Locking: none. The switches are set at boot and stay; they are statics because every call looks at them, and one
//! process image serves one world.
//!
//! ```text
//!   entry::syscall ──SWITCHES == 0──► dispatch
//!         └──────── else ──► syscall::observed ──► dispatch ──► counters, trace ring ──pread──► acrida run --trace
//!   signal, exit, stop ──► event ──────────────────────────────────┘
//! ```

mod capture;
mod event;
mod syscall;
pub mod views;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::trace_ring;
use acrida_trace_format::boot::{Lists, flags};
use acrida_trace_format::ring::CallSet;

pub use event::{process_ended, process_stopped, signal_taken};
pub use syscall::observed;

/// `boot::flags::TRACE` and `STATS`, as this world was started.
static SWITCHES: AtomicU32 = AtomicU32::new(0);
/// Calls to record, one bit each.
static WANTED: [AtomicU64; 8] = [const { AtomicU64::new(u64::MAX) }; 8];

/// Whether calls are traced or counted. What an unobserved call pays is this load and its branch.
#[inline]
pub fn is_on() -> bool {
    SWITCHES.load(Ordering::Relaxed) != 0
}

fn has(flag: u64) -> bool {
    u64::from(SWITCHES.load(Ordering::Relaxed)) & flag != 0
}

fn wants(number: u64) -> bool {
    // Numbers that no table knows are rare and always of interest.
    let word = WANTED.get((number / 64) as usize);
    word.is_none_or(|word| word.load(Ordering::Relaxed) & 1 << (number % 64) != 0)
}

/// Sets the switches from the boot block; in the kernel process, before the first guest.
pub fn start(flag_bits: u64, lists: &Lists) {
    let switches = flag_bits & (flags::TRACE | flags::STATS);
    if switches == 0 {
        return;
    }
    if let Some(text) = lists.option("trace-calls") {
        for (wanted, bits) in WANTED.iter().zip(CallSet::decode(text).0) {
            wanted.store(bits, Ordering::Relaxed);
        }
    }
    trace_ring::init(platform().now(ClockId::Monotonic));
    SWITCHES.store(switches as u32, Ordering::Release);
}
