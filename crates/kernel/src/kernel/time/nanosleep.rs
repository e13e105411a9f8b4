//! Sleeping for a time.
//!
//! Mirrors: kernel/time/hrtimer.c (`hrtimer_nanosleep`), posix-timers.c (`clock_nanosleep`), Linux 6.18.
//! Differs: what `restart_syscall` continues is a closure with the point in time.
//! Locking: none.

use alloc::boxed::Box;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitError, WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::time::{CLOCK_THREAD_CPUTIME_ID, TIMER_ABSTIME, Timespec};

use super::clock::{TimerClock, timer_clock};
use crate::abi::{Flags, SysResult};
use crate::current;

/// The sleep was ended by a signal.
struct Interrupted;

fn sleep_until(clock: &TimerClock, expires: u64) -> Result<(), Interrupted> {
    let nobody_wakes = WaitQueueHead::new();
    loop {
        let now = clock.now();
        if now >= expires {
            return Ok(());
        }
        let deadline = match clock {
            TimerClock::Wall(ClockId::Monotonic) => expires,
            _ => platform().now(ClockId::Monotonic).saturating_add(clock.wait_for(expires - now)),
        };
        let options = WaitOptions::interruptible("hrtimer_nanosleep").until(Some(deadline));
        match nobody_wakes.wait_event(options, || None::<()>) {
            Err(WaitError::Interrupted) => return Err(Interrupted),
            // The clock was not reached (it may have been set back): again.
            _ => {}
        }
    }
}

/// A sleep for a span, now or continued: what is left goes to `left_out` when a signal ends it.
fn relative(clock: TimerClock, expires: u64, left_out: UserAddr) -> SysResult {
    if sleep_until(&clock, expires).is_ok() {
        return Ok(0);
    }
    let left = expires.saturating_sub(clock.now());
    if left == 0 {
        return Ok(0);
    }
    left_out.write_opt(&Timespec::from_nanos(left as i64))?;
    current().restart_block.set(Some(Box::new(move || relative(clock, expires, left_out))));
    Err(Restart::ERESTART_RESTARTBLOCK.into())
}

fn start_relative(clock: TimerClock, time: Timespec, left_out: UserAddr) -> SysResult {
    let expires = clock.now().saturating_add(time.to_nanos() as u64);
    relative(clock, expires, left_out)
}

/// `nanosleep(rqtp, rmtp)`.
pub fn sys_nanosleep(request: UserAddr, left: UserAddr) -> SysResult {
    let time = request.read::<Timespec>()?.validated()?;
    start_relative(TimerClock::Wall(ClockId::Monotonic), time, left)
}

/// `clock_nanosleep(which_clock, flags, rqtp, rmtp)`.
pub fn sys_clock_nanosleep(clock: i32, flags: Flags, request: UserAddr, left: UserAddr) -> SysResult {
    if clock == CLOCK_THREAD_CPUTIME_ID {
        // A thread that sleeps would wait for itself.
        return Err(Errno::EOPNOTSUPP.into());
    }
    let is_absolute = flags.0 & TIMER_ABSTIME != 0;
    let clock = match timer_clock(current(), clock)? {
        // Setting the clock must not change the length of a span.
        TimerClock::Wall(ClockId::Realtime) if !is_absolute => TimerClock::Wall(ClockId::Monotonic),
        clock => clock,
    };
    let time = request.read::<Timespec>()?.validated()?;
    if !is_absolute {
        return start_relative(clock, time, left);
    }
    match sleep_until(&clock, time.to_nanos() as u64) {
        Ok(()) => Ok(0),
        Err(Interrupted) => Err(Restart::ERESTARTNOHAND.into()),
    }
}
