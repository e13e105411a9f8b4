//! Sleeping and waking: how long a thread looks, and when it gives its processor away.
//!
//! Mirrors: nothing in Linux; it stands where `schedule` and `try_to_wake_up` meet the processor.
//! Differs: the host's sleep is dear where the waker runs on another processor (tens of microseconds on a virtual
//! machine), so a thread looks at its word for a while first. While it looks it lets others run in between: one that was
//! woken meanwhile can start at once on a processor that is awake. Where others are always waiting for the processor,
//! giving way costs their whole time slice, and the host's sleep is better: its wake-up goes before them.
//! Locking: none.
//! Memory order: the park word is exchanged with AcqRel; a token (1) is never lost, a sleeper (2) is always woken.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::platform::{ClockId, Parked, Platform};
use acrida_kcore::thread::{HostCallCounts, Thread, current};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::linux::Linux;
use crate::{boot, raw};

const EMPTY: u32 = 0;
const TOKEN: u32 = 1;
const PARKED: u32 = 2;

/// How long a thread whose last waker ran on another processor looks at its word: a wake-up through memory takes less
/// than 1 us.
const LOOK_NS: u64 = 20_000;
/// And how long one that has just woken somebody from the host's sleep: the answer comes after a start that takes 20 to 70 us on
/// a virtual machine. Looking for less than that is worst: both sides would go back to sleep just before the other's news.
const LOOK_AFTER_WAKE_NS: u64 = 60_000;
/// Rounds of looking before such a thread lets others run in between.
const ROUNDS_ALONE: u32 = 4;
/// Looks in a round.
const LOOKS: u32 = 32;
/// How often a thread whose waker shares its processor lets it run before it sleeps.
const YIELDS: u32 = 4;
/// Who gave way for longer than this met somebody with work of his own.
const SLICE_NS: u64 = 100_000;
/// Sleeps without giving way after that: at first, and at most.
const PATIENCE: (u32, u32) = (16, 1024);

const FUTEX_WAKE: u64 = 1;
const FUTEX_WAIT_BITSET: u64 = 9;

/// Blocks the calling thread until it is unparked, a host signal comes, or the deadline passes.
pub fn park(me: &Thread, deadline: Option<u64>) -> Parked {
    debug_assert!(me.wake_q.is_empty(), "a thread sleeps that owes others a wake-up");
    let word = &me.park;
    if take_token(word) {
        return Parked::Woken;
    }
    let waker = me.waker_cpu.load(Ordering::Relaxed);
    if waker != 0 && may_give_way(me) {
        let found = if boot::cpus() > 1 && waker - 1 != cpu() { look(me) } else { let_waker_run(me) };
        if found {
            return Parked::Woken;
        }
    }
    me.sleep_habits.woke_sleeper.store(0, Ordering::Relaxed);
    if word.compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Acquire).is_err() {
        take_token(word);
        return Parked::Woken;
    }
    HostCallCounts::bump(&me.host_calls.waits);
    let result = wait(word, PARKED, deadline);
    let token = word.swap(EMPTY, Ordering::AcqRel) == TOKEN;
    if result == Err(Errno::ETIMEDOUT) && !token { Parked::TimedOut } else { Parked::Woken }
}

/// Lets a parked thread go on; the caller may put the host's part off.
pub fn unpark(thread: &Thread) {
    thread.waker_cpu.store(cpu() + 1, Ordering::Relaxed);
    if thread.park.swap(TOKEN, Ordering::AcqRel) == PARKED {
        let me = current();
        me.sleep_habits.woke_sleeper.store(1, Ordering::Relaxed);
        let word = thread.park.as_ptr().addr();
        if !me.wake_q.add(word) {
            wake_at(word, 1);
        }
    }
}

/// Looks at the word; whether the token came.
fn look(me: &Thread) -> bool {
    let start = now();
    // Whoever was just woken from the host's sleep may have been put on this processor: let it start.
    let woke_sleeper = me.sleep_habits.woke_sleeper.load(Ordering::Relaxed) != 0;
    let (mut rounds, limit) = if woke_sleeper { (ROUNDS_ALONE, LOOK_AFTER_WAKE_NS) } else { (0, LOOK_NS) };
    let mut time = start;
    while time - start < limit {
        for _ in 0..LOOKS {
            if me.park.load(Ordering::Relaxed) == TOKEN {
                return take_token(&me.park);
            }
            core::hint::spin_loop();
        }
        rounds += 1;
        time = if rounds > ROUNDS_ALONE { give_way(me) } else { now() };
    }
    take_token(&me.park)
}

/// Gives the processor to a waker that shares it; whether the token came.
fn let_waker_run(me: &Thread) -> bool {
    (0..YIELDS).any(|_| {
        give_way(me);
        take_token(&me.park)
    })
}

/// By an exchange, not by a store: the look at the thread's state that follows must not pass it, or the token of a waker
/// that came in between would be overwritten with its news unseen.
fn take_token(word: &AtomicU32) -> bool {
    word.swap(EMPTY, Ordering::Acquire) == TOKEN
}

/// Whether giving way is worth a try: not for a while after somebody kept the processor.
fn may_give_way(me: &Thread) -> bool {
    let left = me.sleep_habits.straight_on.load(Ordering::Relaxed);
    if left != 0 {
        me.sleep_habits.straight_on.store(left - 1, Ordering::Relaxed);
    }
    left == 0
}

/// Lets whoever else wants this processor run; the time afterwards.
fn give_way(me: &Thread) -> u64 {
    let before = now();
    HostCallCounts::bump(&me.host_calls.waits);
    // SAFETY: no memory involved.
    let _ = unsafe { raw::syscall6(nr::sched_yield, [0; 6]) };
    let after = now();
    let habits = &me.sleep_habits;
    let patience = habits.patience.load(Ordering::Relaxed);
    if after - before > SLICE_NS {
        let next = (patience * 2).clamp(PATIENCE.0, PATIENCE.1);
        habits.patience.store(next, Ordering::Relaxed);
        habits.straight_on.store(next, Ordering::Relaxed);
    } else if patience != 0 {
        habits.patience.store(patience - 1, Ordering::Relaxed);
    }
    after
}

fn now() -> u64 {
    Linux.now(ClockId::Monotonic)
}

/// The processor this thread runs on.
fn cpu() -> u32 {
    let aux: u32;
    // SAFETY: reads the processor's number, which Linux keeps in TSC_AUX.
    unsafe { asm!("rdtscp", out("ecx") aux, out("eax") _, out("edx") _, options(nomem, nostack)) };
    aux & 0xfff
}

/// Sleeps on a shared word of the host while it is `expected`.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<u64>) -> Result<usize, Errno> {
    let time = deadline.map(|ns| [ns / 1_000_000_000, ns % 1_000_000_000]);
    let timeout = time.as_ref().map_or(0, |t| t.as_ptr() as u64);
    let match_any = u64::from(u32::MAX);
    // SAFETY: the word lives in the arena, the timeout on this stack.
    unsafe { raw::syscall(nr::futex, &[word.as_ptr() as u64, FUTEX_WAIT_BITSET, expected.into(), timeout, 0, match_any]) }
}

/// Wakes up to `n` sleepers of [`wait`] on a word that may be something else by now.
pub fn wake_at(word: usize, n: u32) {
    HostCallCounts::bump(&current().host_calls.waits);
    // SAFETY: the address is only compared with those that sleepers gave.
    let _ = unsafe { raw::syscall6(nr::futex, [word as u64, FUTEX_WAKE, n.into(), 0, 0, 0]) };
}
