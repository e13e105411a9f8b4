//! Sleeping on a lock's word and on its owner's life.
//!
//! Mirrors: nothing in Linux; it stands where kernel/locking's slow paths meet the host.
//! Differs: one sleep on two words (`futex_waitv`, Linux 5.16). Older hosts sleep on the lock's alone and look at the other now
//! and then.
//! Locking: none.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::{ClockId, Platform};
use acrida_kcore::thread::{HostCallCounts, current};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::linux::Linux;
use crate::raw;

/// How long a waiter sleeps before it looks again: the host tells one waiter of an owner's end, who may be killed as well.
const LOOK_AGAIN_NS: u64 = 20_000_000;

const FUTEX_WAKE: u64 = 1;
const FUTEX_WAIT_BITSET: u64 = 9;
const FUTEX2_SIZE_U32: u32 = 2;
const CLOCK_MONOTONIC: u64 = 1;
const MATCH_ANY: u64 = u32::MAX as u64;

/// `struct futex_waitv`.
#[repr(C)]
struct Waiter {
    value: u64,
    address: u64,
    flags: u32,
    _reserved: u32,
}

impl Waiter {
    fn new(address: u64, value: u32) -> Waiter {
        Waiter { value: value.into(), address, flags: FUTEX2_SIZE_U32, _reserved: 0 }
    }
}

/// The host has no `futex_waitv`, or refuses it.
static ONE_WORD: AtomicBool = AtomicBool::new(false);

/// Sleeps while the lower half of `word` is that of `expected` and `life` is `alive`.
pub fn wait(word: &AtomicU64, expected: u64, life: &AtomicU32, alive: u32) {
    HostCallCounts::bump(&current().host_calls.waits);
    let until = Linux.now(ClockId::Monotonic) + LOOK_AGAIN_NS;
    let time = [until / 1_000_000_000, until % 1_000_000_000];
    // The lower half comes first in memory.
    let (address, half) = (word.as_ptr() as u64, expected as u32);
    if !ONE_WORD.load(Ordering::Relaxed) {
        let both = [Waiter::new(address, half), Waiter::new(life.as_ptr() as u64, alive)];
        let args = [both.as_ptr() as u64, both.len() as u64, 0, time.as_ptr() as u64, CLOCK_MONOTONIC];
        // SAFETY: the words live in the arena, the rest on this stack.
        if let Ok(_) | Err(Errno::EAGAIN | Errno::EINTR | Errno::ETIMEDOUT) = unsafe { raw::syscall(nr::futex_waitv, &args) } {
            return;
        }
        ONE_WORD.store(true, Ordering::Relaxed);
    }
    // SAFETY: as above.
    let _ = unsafe { raw::syscall(nr::futex, &[address, FUTEX_WAIT_BITSET, half.into(), time.as_ptr() as u64, 0, MATCH_ANY]) };
}

/// Wakes up to `n` who sleep on the word at `address`.
pub fn wake(address: u64, n: u32) {
    HostCallCounts::bump(&current().host_calls.waits);
    // SAFETY: the word lives in the arena.
    let _ = unsafe { raw::syscall6(nr::futex, [address, FUTEX_WAKE, n.into(), 0, 0, 0]) };
}
