//! Clocks, sleeping and timers.
//!
//! Mirrors: kernel/time/{hrtimer,posix-timers,posix-clock,itimer,time}.c, Linux 6.18, cut by what is done.
//! Differs: one queue of timers on the monotonic clock, served by one kernel thread. Clocks are the host's. Timers on
//! CPU clocks look at the clock when it could have been reached. A step of the host's clock moves timerfds on
//! CLOCK_REALTIME, not the other timers that were set before it.

pub mod clock;
pub mod clock_set;
pub mod itimer;
pub mod nanosleep;
pub mod posix_timers;
pub mod queue;

use acrida_uapi::errno::Errno;

pub use queue::{Timer, TimerFunction, TimerQueue, start_timer_thread};

use crate::kernel::task::Task;

/// The timers of a process.
#[derive(Default)]
pub struct ProcessTimers {
    /// `ITIMER_REAL`.
    pub real: itimer::RealItimer,
    /// Made by `timer_create`.
    pub posix: posix_timers::PosixTimers,
}

impl ProcessTimers {
    /// The end of the process: nothing fires any more.
    pub fn cancel_all(&self) {
        self.real.cancel();
        self.posix.delete_all();
    }
}

/// exec's part: POSIX timers go, the interval timer stays.
#[doc(alias = "exit_itimers")]
pub fn exec_timers(task: &Task) {
    task.process.timers.posix.delete_all();
}

/// A span of the guest in nanoseconds.
fn span(seconds: i64, nanos: i64) -> Result<u64, Errno> {
    let time = acrida_uapi::time::Timespec { tv_sec: seconds, tv_nsec: nanos }.validated()?;
    Ok(time.to_nanos() as u64)
}
