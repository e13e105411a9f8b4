//! Reading clocks, and refusing to set them.
//!
//! Mirrors: kernel/time/posix-timers.c, time.c, posix-cpu-timers.c, Linux 6.18.
//! Differs: clocks are the host's; a CPU clock's number is translated, as it names a process. Nothing may set a clock.
//! Locking: none.

use alloc::sync::{Arc, Weak};
use core::sync::atomic::Ordering;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_WAKE_ALARM;
use acrida_uapi::errno::Errno;
use acrida_uapi::time::*;

use crate::abi::SysResult;
use crate::kernel::resource::cpu_times;
use crate::kernel::task::{Process, Task};
use crate::{current, host};

/// In a CPU clock's number: what is counted, and whether it is a thread's.
const CPUCLOCK_CLOCK_MASK: i32 = 3;
const CPUCLOCK_SCHED: i32 = 2;
const CPUCLOCK_PERTHREAD_MASK: i32 = 4;
/// A clock behind a descriptor (PTP hardware), which the world has none of.
const CLOCKFD: i32 = 3;

/// A clock that timers and sleeps can use.
#[derive(Clone)]
pub enum TimerClock {
    Wall(ClockId),
    /// A process's CPU clock, by the host's number.
    Cpu {
        process: Weak<Process>,
        host_clock: i32,
    },
}

impl TimerClock {
    /// Nanoseconds.
    pub fn now(&self) -> u64 {
        match self {
            TimerClock::Wall(id) => platform().now(*id),
            // A process that is gone makes no progress.
            TimerClock::Cpu { host_clock, .. } => host::time::clock_gettime(*host_clock).map_or(0, |time| time.to_nanos() as u64),
        }
    }

    /// The least time on the monotonic clock in which this one can advance by `left` ns.
    pub fn wait_for(&self, left: u64) -> u64 {
        /// Between two looks at a CPU clock: a host tick.
        const LOOK: u64 = 1_000_000;
        match self {
            TimerClock::Wall(_) => left,
            TimerClock::Cpu { process, .. } => {
                let threads = process.upgrade().map_or(1, |process| process.threads.lock().len().max(1));
                (left / threads as u64).max(LOOK)
            }
        }
    }
}

const fn host_cpu_clock(host_id: u32, which: i32) -> i32 {
    (!(host_id as i32)) << 3 | which
}

/// The process that a CPU clock's number names, and what is counted of it.
fn cpu_clock(task: &Task, clock: i32) -> Result<(Arc<Process>, Arc<Task>), Errno> {
    let id = !(clock >> 3);
    if clock & (CPUCLOCK_CLOCK_MASK | CPUCLOCK_PERTHREAD_MASK) == CLOCKFD || clock & CPUCLOCK_CLOCK_MASK > CPUCLOCK_SCHED {
        return Err(Errno::EINVAL);
    }
    let tid = if id == 0 && clock & CPUCLOCK_PERTHREAD_MASK == 0 {
        task.process.tgid
    } else if id == 0 {
        task.tid()
    } else {
        id as u32
    };
    let target = task.kernel.pids.task(tid).ok_or(Errno::EINVAL)?;
    let allowed = match clock & CPUCLOCK_PERTHREAD_MASK {
        0 => target.is_leader(),
        _ => target.process.tgid == task.process.tgid,
    };
    if allowed { Ok((target.process.clone(), target)) } else { Err(Errno::EINVAL) }
}

/// The clock that a guest's number names, for timers and sleeps.
///
/// # Errors
/// `EINVAL` for no clock, `EOPNOTSUPP` for one without timers, `EPERM` for an alarm clock.
#[doc(alias = "clockid_to_kclock")]
pub fn timer_clock(task: &Task, clock: i32) -> Result<TimerClock, Errno> {
    let of_process = |process: &Arc<Process>, which| TimerClock::Cpu {
        process: Arc::downgrade(process),
        host_clock: host_cpu_clock(process.host_pid(), which),
    };
    match clock {
        CLOCK_REALTIME | CLOCK_TAI => Ok(TimerClock::Wall(ClockId::Realtime)),
        CLOCK_MONOTONIC => Ok(TimerClock::Wall(ClockId::Monotonic)),
        CLOCK_BOOTTIME => Ok(TimerClock::Wall(ClockId::Boottime)),
        CLOCK_REALTIME_ALARM | CLOCK_BOOTTIME_ALARM if !task.cred().capable(CAP_WAKE_ALARM) => Err(Errno::EPERM),
        CLOCK_REALTIME_ALARM => Ok(TimerClock::Wall(ClockId::Realtime)),
        CLOCK_BOOTTIME_ALARM => Ok(TimerClock::Wall(ClockId::Boottime)),
        CLOCK_PROCESS_CPUTIME_ID | CLOCK_THREAD_CPUTIME_ID => Ok(of_process(&task.process, CPUCLOCK_SCHED)),
        CLOCK_MONOTONIC_RAW | CLOCK_REALTIME_COARSE | CLOCK_MONOTONIC_COARSE => Err(Errno::EOPNOTSUPP),
        ..0 => {
            let (process, _) = cpu_clock(task, clock)?;
            Ok(of_process(&process, clock & CPUCLOCK_CLOCK_MASK))
        }
        _ => Err(Errno::EINVAL),
    }
}

/// The host's number of a guest's clock.
fn host_clock(clock: i32) -> Result<i32, Errno> {
    if clock >= 0 {
        return Ok(clock);
    }
    let (process, task) = cpu_clock(current(), clock)?;
    let which = clock & (CPUCLOCK_CLOCK_MASK | CPUCLOCK_PERTHREAD_MASK);
    let host_id =
        if which & CPUCLOCK_PERTHREAD_MASK != 0 { task.thread.host_tid.load(Ordering::Relaxed) } else { process.host_pid() };
    Ok(host_cpu_clock(host_id, which))
}

/// `clock_gettime(which_clock, tp)`.
pub fn sys_clock_gettime(clock: i32, time: UserAddr) -> SysResult {
    let now = match clock {
        CLOCK_REALTIME => Timespec::from_nanos(platform().now(ClockId::Realtime) as i64),
        CLOCK_MONOTONIC => Timespec::from_nanos(platform().now(ClockId::Monotonic) as i64),
        _ => host::time::clock_gettime(host_clock(clock)?)?,
    };
    time.write(&now)?;
    Ok(0)
}

/// `clock_getres(which_clock, tp)`.
pub fn sys_clock_getres(clock: i32, resolution: UserAddr) -> SysResult {
    let ours = host::time::clock_getres(host_clock(clock)?)?;
    resolution.write_opt(&ours)?;
    Ok(0)
}

/// `clock_settime(which_clock, tp)`: the clocks are the host's.
pub fn sys_clock_settime(clock: i32, time: UserAddr) -> SysResult {
    // Only this one can be set; CPU clocks answer as Linux's do.
    match clock {
        CLOCK_REALTIME => {}
        ..0 => {
            cpu_clock(current(), clock)?;
            return Err(Errno::EPERM.into());
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    time.read::<Timespec>()?.validated()?;
    Err(Errno::EPERM.into())
}

/// `gettimeofday(tv, tz)`.
pub fn sys_gettimeofday(time: UserAddr, zone: UserAddr) -> SysResult {
    time.write_opt(&Timeval::from_nanos(platform().now(ClockId::Realtime) as i64))?;
    zone.write_opt(&Timezone::default())?;
    Ok(0)
}

/// `settimeofday(tv, tz)`: refused, once the arguments are found to be good.
pub fn sys_settimeofday(time: UserAddr, zone: UserAddr) -> SysResult {
    if let Some(time) = time.read_opt::<Timeval>()? {
        time.to_timespec().filter(|time| time.is_valid()).ok_or(Errno::EINVAL)?;
    }
    zone.read_opt::<Timezone>()?;
    Err(Errno::EPERM.into())
}

/// `time(tloc)`.
pub fn sys_time(at: UserAddr) -> SysResult {
    let seconds = platform().now(ClockId::Realtime) / NSEC_PER_SEC as u64;
    at.write_opt(&seconds)?;
    Ok(seconds as usize)
}

/// `times(tbuf)`: ticks since boot.
pub fn sys_times(buffer: UserAddr) -> SysResult {
    const TICK: u64 = NSEC_PER_SEC as u64 / USER_HZ as u64;
    if !buffer.is_null() {
        let [user, system] = cpu_times(&current().process.child_usage.lock());
        let own = host::time::times()?;
        let tms = Tms { tms_cutime: (user / TICK) as i64, tms_cstime: (system / TICK) as i64, ..own };
        buffer.write(&tms)?;
    }
    Ok((platform().now(ClockId::Monotonic) / TICK) as usize)
}

/// `adjtimex(txc_p)`: reading only.
pub fn sys_adjtimex(timex: UserAddr) -> SysResult {
    let mut value: Timex = timex.read()?;
    if value.modes != 0 {
        return Err(Errno::EPERM.into());
    }
    let state = host::time::adjtimex(&mut value)?;
    timex.write(&value)?;
    Ok(state)
}

/// `clock_adjtime(which_clock, utx)`.
pub fn sys_clock_adjtime(clock: i32, timex: UserAddr) -> SysResult {
    match clock {
        CLOCK_REALTIME => sys_adjtimex(timex),
        CLOCK_MONOTONIC..=CLOCK_TAI => Err(Errno::EOPNOTSUPP.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}
