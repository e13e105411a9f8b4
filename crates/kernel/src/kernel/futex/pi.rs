//! Futexes whose word names the owner.
//!
//! Mirrors: kernel/futex/{pi,requeue}.c, Linux 6.18.
//! Differs: no priority is inherited, as the host schedules; a lock that is given up is free for whoever comes first.
//! Sleepers look now and then whether the owner still lives, as nothing on the host knows who it is.
//! Locking: none; the word is the lock.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sched::state;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::futex::{FUTEX_BITSET_MATCH_ANY, FUTEX_CLOCK_REALTIME, FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS};
use acrida_uapi::time::Timespec;

use super::wait::{Deadline, Wait};
use crate::abi::SysResult;
use crate::{Task, current, host};

/// How long a sleeper trusts its owner to live, ns.
const OWNER_CHECK: i64 = 100_000_000;

/// What one look at the word led to.
enum Attempt {
    Taken,
    /// Held by another; the word now says that somebody waits.
    Held {
        word: u32,
    },
    /// The owner does not exist.
    Orphaned {
        word: u32,
    },
}

/// Takes the word if it is free; else notes in it that somebody waits, if `waits`.
#[doc(alias = "futex_lock_pi_atomic")]
fn attempt(word: UserAddr, taken_with: u32, waits: bool) -> Result<Attempt, Errno> {
    let me = current();
    loop {
        let seen: u32 = word.read()?;
        let owner = seen & FUTEX_TID_MASK;
        if owner == me.tid() {
            return Err(Errno::EDEADLK);
        }
        if owner == 0 {
            let taken = me.tid() | seen & (FUTEX_WAITERS | FUTEX_OWNER_DIED) | taken_with;
            if platform().user_cmpxchg(word, seen, taken)? == seen {
                return Ok(Attempt::Taken);
            }
            continue;
        }
        // A leader keeps its number as long as its process lives.
        let lives = |task: Arc<Task>| task.thread.state.load(Ordering::SeqCst) != state::DEAD && !task.has_left();
        if !me.kernel.pids.task(owner).is_some_and(lives) {
            return Ok(Attempt::Orphaned { word: seen });
        }
        let marked = seen | FUTEX_WAITERS;
        if !waits || seen == marked || platform().user_cmpxchg(word, seen, marked)? == seen {
            return Ok(Attempt::Held { word: marked });
        }
    }
}

/// `FUTEX_TRYLOCK_PI`.
pub(super) fn try_lock(word: UserAddr) -> SysResult {
    match attempt(word, 0, false)? {
        Attempt::Taken => Ok(0),
        Attempt::Held { .. } => Err(Errno::EAGAIN.into()),
        Attempt::Orphaned { .. } => Err(Errno::ESRCH.into()),
    }
}

/// `FUTEX_LOCK_PI`, `FUTEX_LOCK_PI2`.
pub(super) fn lock(word: UserAddr, private: u32, deadline: Option<Deadline>) -> SysResult {
    // Whoever has slept cannot know whether others sleep on.
    let mut taken_with = 0;
    loop {
        let value = match attempt(word, taken_with, true)? {
            Attempt::Taken => return Ok(0),
            Attempt::Orphaned { .. } if taken_with == 0 => return Err(Errno::ESRCH.into()),
            Attempt::Orphaned { word: seen } => {
                let mine = current().tid() | FUTEX_OWNER_DIED | FUTEX_WAITERS;
                if platform().user_cmpxchg(word, seen, mine)? == seen {
                    return Ok(0);
                }
                continue;
            }
            Attempt::Held { word } => word,
        };
        taken_with = FUTEX_WAITERS;
        let (slice, is_last) = slice(deadline);
        match (Wait { word, private, value, deadline: Some(slice), bitset: FUTEX_BITSET_MATCH_ANY }).sleep() {
            Ok(_) | Err(Errno::EAGAIN) => {}
            Err(Errno::ETIMEDOUT) if !is_last => {}
            Err(Errno::EINTR) => return Err(Restart::ERESTARTNOINTR.into()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The end of the next sleep: the caller's deadline, or earlier to look after the owner.
fn slice(deadline: Option<Deadline>) -> (Deadline, bool) {
    let clock = deadline.map_or(0, |deadline| deadline.clock);
    let id = if clock == FUTEX_CLOCK_REALTIME { ClockId::Realtime } else { ClockId::Monotonic };
    let check = Timespec::from_nanos((platform().now(id) as i64).saturating_add(OWNER_CHECK));
    match deadline {
        Some(deadline) if deadline.time <= check => (deadline, true),
        _ => (Deadline { time: check, clock }, false),
    }
}

/// `FUTEX_UNLOCK_PI`.
pub(super) fn unlock(word: UserAddr, private: u32) -> SysResult {
    loop {
        let seen: u32 = word.read()?;
        if seen & FUTEX_TID_MASK != current().tid() {
            return Err(Errno::EPERM.into());
        }
        if platform().user_cmpxchg(word, seen, 0)? != seen {
            continue;
        }
        if seen & FUTEX_WAITERS != 0 {
            host::futex::wake(word, private, 1)?;
        }
        return Ok(0);
    }
}

/// `FUTEX_WAIT_REQUEUE_PI`: sleeps on one word, returns with the lock on the other.
pub(super) fn wait_requeue(wait: Wait, second: UserAddr) -> SysResult {
    if wait.word == second || wait.bitset == 0 {
        return Err(Errno::EINVAL.into());
    }
    let second = super::aligned(second)?;
    match wait.sleep() {
        Ok(_) => lock(second, wait.private, wait.deadline),
        // Before the requeue, a signal ends the wait as if woken for nothing.
        Err(Errno::EINTR) => Err(Restart::ERESTARTNOINTR.into()),
        Err(errno) => Err(errno.into()),
    }
}

/// `FUTEX_CMP_REQUEUE_PI`: everybody who would be moved is woken, and queues at `second` by itself. `counts` are to wake (1)
/// and to move.
pub(super) fn cmp_requeue(word: UserAddr, private: u32, counts: [u64; 2], second: UserAddr, expected: u32) -> SysResult {
    if counts[0] != 1 || word == second {
        return Err(Errno::EINVAL.into());
    }
    if word.read::<u32>()? != expected {
        return Err(Errno::EAGAIN.into());
    }
    let all = counts[1].saturating_add(1).min(i32::MAX as u64);
    Ok(host::futex::wake(word, private, all as u32)?)
}
