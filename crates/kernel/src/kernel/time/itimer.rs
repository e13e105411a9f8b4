//! Interval timers: `alarm`, `setitimer`.
//!
//! Mirrors: kernel/time/itimer.c, Linux 6.18.
//! Differs: `ITIMER_VIRTUAL` and `ITIMER_PROF` are the host's own, as a process here is a process there; its signals are
//! translated like any other host signal.
//! Locking: `state`, under `Process::sighand` when a signal is taken; never held while one is sent.

use alloc::sync::{Arc, Weak};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::siginfo::SigInfo;
use acrida_uapi::signal::SIGALRM;
use acrida_uapi::time::{ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL, Itimerval, NSEC_PER_SEC, NSEC_PER_USEC, Timeval};

use super::queue::{Timer, TimerFunction, TimerQueue};
use crate::abi::SysResult;
use crate::kernel::signal::send_to_process;
use crate::kernel::task::Process;
use crate::{current, host};

/// `ITIMER_REAL` of one process; made when it is first set.
#[derive(Default)]
pub struct RealItimer(SpinLock<Option<Arc<Armed>>>);

struct Armed {
    process: Weak<Process>,
    state: SpinLock<State>,
    timer: Timer,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Monotonic ns of the next expiry; none while idle or while the signal of the last one is pending.
    expires: Option<u64>,
    /// The expiry whose signal is not yet taken.
    fired: Option<u64>,
    interval: u64,
}

impl TimerFunction for Armed {
    #[doc(alias = "it_real_fn")]
    fn expired(&self, now: u64) {
        {
            let mut state = self.state.lock();
            if state.expires.is_none_or(|expires| expires > now) {
                return;
            }
            state.fired = state.expires.take();
        }
        if let Some(process) = self.process.upgrade() {
            send_to_process(SigInfo::kernel(SIGALRM), &process);
        }
    }
}

impl RealItimer {
    /// Sets expiry and period, in ns from now; 0 disarms. Gives what was left before.
    fn set(&self, queue: &Arc<TimerQueue>, process: &Arc<Process>, value: u64, interval: u64) -> (u64, u64) {
        let armed = {
            let mut slot = self.0.lock();
            if slot.is_none() && value == 0 {
                return (0, 0);
            }
            slot.get_or_insert_with(|| {
                Arc::new_cyclic(|me: &Weak<Armed>| Armed {
                    process: Arc::downgrade(process),
                    state: SpinLock::default(),
                    timer: Timer::new(queue, me.clone()),
                })
            })
            .clone()
        };
        let now = platform().now(ClockId::Monotonic);
        let mut state = armed.state.lock();
        let before = state.left(now);
        if value == 0 {
            *state = State::default();
            armed.timer.cancel();
        } else {
            let expires = now.saturating_add(value);
            *state = State { expires: Some(expires), fired: None, interval };
            armed.timer.arm(expires);
        }
        before
    }

    fn get(&self) -> (u64, u64) {
        let now = platform().now(ClockId::Monotonic);
        let armed = self.0.lock().clone();
        armed.map_or((0, 0), |armed| armed.state.lock().left(now))
    }

    pub(super) fn cancel(&self) {
        if let Some(armed) = self.0.lock().take() {
            armed.timer.cancel();
        }
    }

    /// SIGALRM has been taken: the next period begins. Periods that passed meanwhile are left out.
    pub fn signal_taken(&self) {
        let Some(armed) = self.0.lock().clone() else { return };
        let mut state = armed.state.lock();
        let Some(fired) = state.fired.take().filter(|_| state.interval != 0) else { return };
        let now = platform().now(ClockId::Monotonic);
        let expires = super::posix_timers::forward(fired, state.interval, now).0;
        state.expires = Some(expires);
        armed.timer.arm(expires);
    }
}

impl State {
    /// Time to the next expiry (0: idle) and period.
    fn left(&self, now: u64) -> (u64, u64) {
        // An expiry that is due but not yet served is not reported as idle.
        let left = self.expires.map_or(0, |expires| expires.saturating_sub(now).max(NSEC_PER_USEC as u64));
        (left, self.interval)
    }
}

fn to_itimerval((value, interval): (u64, u64)) -> Itimerval {
    Itimerval { it_interval: Timeval::from_nanos(interval as i64), it_value: Timeval::from_nanos(value as i64) }
}

fn to_nanos(time: Timeval) -> Result<u64, Errno> {
    let time = time.to_timespec().ok_or(Errno::EINVAL)?;
    super::span(time.tv_sec, time.tv_nsec)
}

/// `getitimer(which, value)`.
pub fn sys_getitimer(which: i32, value: UserAddr) -> SysResult {
    let now = match which {
        ITIMER_REAL => to_itimerval(current().process.timers.real.get()),
        ITIMER_VIRTUAL | ITIMER_PROF => host::time::getitimer(which)?,
        _ => return Err(Errno::EINVAL.into()),
    };
    value.write(&now)?;
    Ok(0)
}

/// `setitimer(which, value, ovalue)`; no value disarms.
pub fn sys_setitimer(which: i32, value: UserAddr, old: UserAddr) -> SysResult {
    let value: Itimerval = value.read_opt()?.unwrap_or_default();
    let (first, interval) = (to_nanos(value.it_value)?, to_nanos(value.it_interval)?);
    let task = current();
    let before = match which {
        ITIMER_REAL => {
            let real = &task.process.timers.real;
            to_itimerval(real.set(&task.kernel.timers, &task.process, first, interval))
        }
        ITIMER_VIRTUAL | ITIMER_PROF => {
            crate::kernel::lend::own_host_process()?;
            host::time::setitimer(which, &value)?
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    old.write_opt(&before)?;
    Ok(0)
}

/// `alarm(seconds)`: the seconds that were left, rounded as Linux does.
pub fn sys_alarm(seconds: u32) -> SysResult {
    let task = current();
    let value = u64::from(seconds) * NSEC_PER_SEC as u64;
    let (left, _) = task.process.timers.real.set(&task.kernel.timers, &task.process, value, 0);
    Ok(rounded_seconds(left))
}

/// To the nearest second, but a running timer never reads as none.
fn rounded_seconds(left: u64) -> usize {
    let second = NSEC_PER_SEC as u64;
    let (whole, rest) = (left / second, left % second);
    let up = (whole == 0 && rest != 0) || rest >= second / 2;
    (whole + u64::from(up)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarm_rounds_to_the_nearest_second_and_never_to_none() {
        let ms = 1_000_000;
        let given = [0, ms, 499 * ms, 1499 * ms, 1500 * ms, 1999 * ms, 2000 * ms];
        assert_eq!(given.map(rounded_seconds), [0, 1, 1, 1, 2, 2, 2]);
    }

    #[test]
    fn a_timer_that_is_due_is_not_idle() {
        let state = State { expires: Some(5_000), fired: None, interval: 7 };
        assert_eq!(state.left(1_000), (4_000, 7));
        assert_eq!(state.left(9_000), (1_000, 7));
        assert_eq!(State::default().left(9_000), (0, 0));
    }
}
