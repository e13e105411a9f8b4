//! Futexes.
//!
//! Mirrors: kernel/futex/{syscalls,core,waitwake}.c, Linux 6.18.
//! Differs: a guest word is a host word, so plain waiting and waking is the host's; this keeps the guest's clocks, restarts
//! and errors, and knows whether anybody sleeps at all. What names a thread in the word (priority inheritance, robust lists) is done here, as thread numbers are
//! the world's own. Requeueing to a PI futex wakes, and each woken thread queues at the lock by itself.
//! Locking: none; words are changed by compare-and-swap.

mod pi;
mod robust;
mod sleepers;
mod wait;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::futex::*;
use acrida_uapi::time::Timespec;

use crate::abi::{Flags, SysResult};
use crate::host;

pub use robust::{exit_robust_list, mm_release, sys_get_robust_list, sys_set_robust_list, sys_set_tid_address};

use wait::{Deadline, Wait, futex_wait};

/// The guest's word of a futex, aligned.
///
/// # Errors
/// `EINVAL` for an odd address; an address outside the guest's memory fails with `EFAULT` when it is used.
fn aligned(word: UserAddr) -> Result<UserAddr, Errno> {
    if word.0 % 4 == 0 { Ok(word) } else { Err(Errno::EINVAL) }
}

/// Wakes up to `count` sleepers with a bit of `bitset`.
#[doc(alias = "futex_wake")]
fn wake(word: UserAddr, op: u32, count: u32, bitset: u32) -> SysResult {
    if sleepers::any(word) || !word.access_ok(size_of::<u32>()) {
        return Ok(host::futex::operation(word, op, count, [0, bitset.into()], UserAddr::NULL)?);
    }
    if op & FUTEX_PRIVATE_FLAG == 0 {
        // A word that others may see must exist to be found.
        word.read::<u32>()?;
    }
    Ok(0)
}

fn has_timeout(command: u32) -> bool {
    matches!(command, FUTEX_WAIT | FUTEX_LOCK_PI | FUTEX_LOCK_PI2 | FUTEX_WAIT_BITSET | FUTEX_WAIT_REQUEUE_PI)
}

/// `futex(uaddr, op, val, utime, uaddr2, val3)`; `utime` is a number in the forms that have no timeout.
pub fn sys_futex(word: UserAddr, op: Flags, value: u32, time: u64, second: UserAddr, value3: u32) -> SysResult {
    let command = op.0 & FUTEX_CMD_MASK;
    let private = op.0 & FUTEX_PRIVATE_FLAG;
    let realtime = op.0 & FUTEX_CLOCK_REALTIME;
    let time_spec = match has_timeout(command) {
        true => UserAddr(time).read_opt::<Timespec>()?.map(Timespec::validated).transpose()?,
        false => None,
    };
    if realtime != 0 && !matches!(command, FUTEX_WAIT_BITSET | FUTEX_WAIT_REQUEUE_PI | FUTEX_LOCK_PI2) {
        return Err(Errno::ENOSYS.into());
    }
    let until = |clock: u32| time_spec.map(|time| Deadline { time, clock });
    match command {
        FUTEX_WAIT => {
            let deadline = time_spec.map(Deadline::after);
            futex_wait(Wait { word: aligned(word)?, private, value, deadline, bitset: FUTEX_BITSET_MATCH_ANY })
        }
        FUTEX_WAIT_BITSET if value3 == 0 => Err(Errno::EINVAL.into()),
        FUTEX_WAIT_BITSET => futex_wait(Wait { word: aligned(word)?, private, value, deadline: until(realtime), bitset: value3 }),
        FUTEX_WAKE => wake(aligned(word)?, op.0, value, FUTEX_BITSET_MATCH_ANY),
        FUTEX_WAKE_BITSET if value3 == 0 => Err(Errno::EINVAL.into()),
        FUTEX_WAKE_BITSET => wake(aligned(word)?, op.0, value, value3),
        FUTEX_REQUEUE | FUTEX_CMP_REQUEUE | FUTEX_WAKE_OP => {
            if command != FUTEX_WAKE_OP {
                sleepers::moving_to(second);
            }
            Ok(host::futex::operation(aligned(word)?, op.0, value, [time, value3.into()], second)?)
        }
        // Its timeout is on the real-time clock whatever the flag says.
        FUTEX_LOCK_PI => pi::lock(aligned(word)?, private, until(FUTEX_CLOCK_REALTIME)),
        FUTEX_LOCK_PI2 => pi::lock(aligned(word)?, private, until(realtime)),
        FUTEX_TRYLOCK_PI => pi::try_lock(aligned(word)?),
        FUTEX_UNLOCK_PI => pi::unlock(aligned(word)?, private),
        FUTEX_WAIT_REQUEUE_PI => {
            pi::wait_requeue(Wait { word: aligned(word)?, private, value, deadline: until(realtime), bitset: value3 }, second)
        }
        FUTEX_CMP_REQUEUE_PI => pi::cmp_requeue(aligned(word)?, private, [u64::from(value), time], aligned(second)?, value3),
        _ => Err(Errno::ENOSYS.into()),
    }
}
