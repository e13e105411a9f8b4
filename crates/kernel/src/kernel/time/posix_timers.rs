//! POSIX per-process timers.
//!
//! Mirrors: kernel/time/posix-timers.c, posix-cpu-timers.c, kernel/signal.c (`posixtimer_send_sigqueue`), Linux 6.18.
//! Differs: a timer on a CPU clock sleeps for the least time in which the clock could reach its goal, then looks again. A
//! thread's CPU clock cannot be read from the timer thread; it is taken to advance with its process's.
//! A timer has one signal, which lies in a queue of pending signals, or waits for its action to be other than to ignore it.
//! Every expiry meanwhile is an overrun. Who sets the timer anew disowns a signal that is still pending: it is dropped when
//! it would be taken, unless the timer has expired again by then.
//! Locking: `Process::sighand`, then the table of timers, then `PosixTimer::state`, which is not held while a signal is sent.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::resource::RLIMIT_SIGPENDING;
use acrida_uapi::siginfo::{SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, SigInfo, Sigevent};
use acrida_uapi::signal::{SIGALRM, valid_signal};
use acrida_uapi::time::{Itimerspec, TIMER_ABSTIME, Timespec};

use super::clock::{TimerClock, timer_clock};
use super::queue::{Timer, TimerFunction};
use crate::abi::{Flags, SysResult};
use crate::current;
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::kernel::signal::{Queued, Target, send_timer_signal};
use crate::kernel::task::{Process, Task};

/// Most overruns that are reported.
#[doc(alias = "DELAYTIMER_MAX")]
const OVERRUN_MAX: u64 = i32::MAX as u64;

/// The timers of one process.
#[derive(Default)]
pub struct PosixTimers(SpinLock<Table>);

#[derive(Default)]
struct Table {
    timers: BTreeMap<i32, Arc<PosixTimer>>,
    next_id: i32,
}

/// Who is told of an expiry.
enum Notify {
    Nobody,
    Process(Weak<Process>),
    Task(Weak<Task>),
}

/// One timer.
#[doc(alias = "k_itimer")]
pub struct PosixTimer {
    id: i32,
    clock: TimerClock,
    /// The clock as it was asked for, and `SIGEV_*`.
    asked: (i32, i32),
    notify: Notify,
    signo: i32,
    value: u64,
    state: SpinLock<State>,
    timer: Timer,
}

/// Where a timer's signal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Reserve,
    /// In a queue of pending signals.
    Queued,
    /// It would be ignored: it is sent once it would not.
    #[doc(alias = "ignored_posix_timers")]
    Ignored,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// On the timer's clock, ns; `None` while disarmed.
    expires: Option<u64>,
    interval: u64,
    signal: Place,
    /// Counts the settings of the timer.
    #[doc(alias = "it_signal_seq")]
    setting: u32,
    /// The setting whose expiry the signal tells of.
    #[doc(alias = "it_sigqueue_seq")]
    told: u32,
    /// Overruns of the signal that was taken last.
    overrun_last: u64,
    deleted: bool,
}

/// The first expiry after `now` of a timer that expired at `expires`, and how many periods were left out.
#[doc(alias = "hrtimer_forward")]
pub fn forward(expires: u64, interval: u64, now: u64) -> (u64, u64) {
    if interval == 0 || now < expires {
        return (expires, 0);
    }
    let periods = (now - expires) / interval + 1;
    (expires.saturating_add(periods.saturating_mul(interval)), periods)
}

impl TimerFunction for PosixTimer {
    #[doc(alias = "posix_timer_fn")]
    fn expired(&self, _now: u64) {
        let now = self.clock.now();
        {
            let mut state = self.state.lock();
            let Some(expires) = state.expires.filter(|_| !state.rests() && !state.deleted) else { return };
            if expires > now {
                self.arm(expires, now);
                return;
            }
            if matches!(self.notify, Notify::Nobody) {
                // Nothing to tell: gettime computes from the clock.
                return;
            }
            state.told = state.setting;
            if state.signal == Place::Queued {
                // The signal of an older setting tells of this expiry as well.
                return;
            }
            state.signal = Place::Queued;
        }
        self.send();
    }
}

impl State {
    /// The last expiry was not yet heard of; the timer rests until then.
    #[doc(alias = "POSIX_TIMER_REQUEUE_PENDING")]
    fn rests(&self) -> bool {
        self.signal != Place::Reserve && self.told == self.setting
    }

    /// Nobody takes the signal. A timer with periods keeps it until somebody would.
    #[doc(alias = "posixtimer_sig_ignore")]
    fn note_ignored(&mut self) {
        let is_kept = self.rests() && self.interval != 0 && !self.deleted;
        self.signal = if is_kept { Place::Ignored } else { Place::Reserve };
        if !is_kept && self.told == self.setting {
            self.expires = None;
        }
    }
}

impl PosixTimer {
    /// Sends the signal, which is in no queue.
    fn send(&self) {
        match &self.notify {
            Notify::Nobody => {}
            Notify::Process(process) => {
                if let Some(process) = process.upgrade() {
                    send_timer_signal(Target::Process(&process), self);
                }
            }
            Notify::Task(task) => {
                if let Some(task) = task.upgrade() {
                    send_timer_signal(Target::Task(&task), self);
                }
            }
        }
    }

    /// The signal as it is queued; `None` once the timer is deleted.
    pub fn signal(&self, process: &Process) -> Option<Queued> {
        let timer = process.timers.posix.0.lock().timers.get(&self.id).cloned()?;
        Some(Queued { info: SigInfo::timer(self.signo, self.id, 0, self.value), timer: Some(timer) })
    }

    /// The thread that the signal is for, unless it is for the process.
    pub fn thread(&self) -> Option<Arc<Task>> {
        match &self.notify {
            Notify::Task(task) => task.upgrade(),
            _ => None,
        }
    }

    fn arm(&self, expires: u64, now: u64) {
        let wait = self.clock.wait_for(expires.saturating_sub(now));
        self.timer.arm(platform().now(ClockId::Monotonic).saturating_add(wait));
    }

    /// Starts the next period, or ends a one-shot timer; the periods left out.
    fn next_period(&self, state: &mut State) -> u64 {
        let Some(expires) = state.expires else { return 0 };
        if state.interval == 0 {
            state.expires = None;
            return 0;
        }
        let now = self.clock.now();
        let (next, periods) = forward(expires, state.interval, now);
        state.expires = Some(next);
        self.arm(next, now);
        periods.saturating_sub(1)
    }

    /// Its signal is about to be delivered: the details get the overruns, and the next period begins. `false`: the timer
    /// has been set anew or deleted since, and nobody wants the signal.
    #[doc(alias = "posixtimer_deliver_signal")]
    #[must_use]
    pub fn signal_taken(&self, info: &mut SigInfo) -> bool {
        let mut state = self.state.lock();
        let is_wanted = state.rests() && !state.deleted;
        state.signal = Place::Reserve;
        if is_wanted {
            let overruns = self.next_period(&mut state).min(OVERRUN_MAX);
            state.overrun_last = overruns;
            info.set_si_overrun(overruns as i32);
        }
        is_wanted
    }

    /// Its signal was not queued, or taken back, because it is ignored.
    pub fn signal_ignored(&self) {
        self.state.lock().note_ignored();
    }

    fn set(&self, value: u64, interval: u64, absolute: bool) -> Itimerspec {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let before = self.left(&state, now);
        // A disarmed timer has no period either.
        state.interval = if value == 0 { 0 } else { interval };
        state.setting = state.setting.wrapping_add(1);
        if state.signal == Place::Ignored {
            state.signal = Place::Reserve;
        }
        state.overrun_last = 0;
        self.timer.cancel();
        state.expires = (value != 0).then(|| if absolute { value } else { now.saturating_add(value) });
        if let Some(expires) = state.expires {
            self.arm(expires, now);
        }
        before
    }

    /// Time left and period, as `timer_gettime` shows them.
    #[doc(alias = "common_timer_get")]
    fn left(&self, state: &State, now: u64) -> Itimerspec {
        let silent = matches!(self.notify, Notify::Nobody);
        let value = match state.expires {
            None => 0,
            Some(expires) if state.interval != 0 && (state.rests() || silent) => forward(expires, state.interval, now).0 - now,
            Some(_) if state.rests() => 0,
            Some(expires) if expires > now => expires - now,
            // Due: a silent one has ended, another is about to be served.
            Some(_) => u64::from(!silent),
        };
        let span = |ns: u64| Timespec::from_nanos(ns as i64);
        Itimerspec { it_interval: span(state.interval), it_value: span(value) }
    }

    fn delete(&self) {
        let mut state = self.state.lock();
        state.deleted = true;
        state.expires = None;
        self.timer.cancel();
    }
}

impl PosixTimers {
    fn find(&self, id: i32) -> Result<Arc<PosixTimer>, Errno> {
        self.0.lock().timers.get(&id).cloned().ok_or(Errno::EINVAL)
    }

    /// Takes out what waited for `signo` to be no longer ignored; the caller sends it, under the process's `sighand`.
    #[doc(alias = "posixtimer_sig_unignore")]
    pub fn take_ignored(&self, signo: i32) -> Vec<Arc<PosixTimer>> {
        let table = self.0.lock();
        let is_kept = |timer: &&Arc<PosixTimer>| {
            let mut state = timer.state.lock();
            let is_kept = timer.signo == signo && state.signal == Place::Ignored;
            if is_kept {
                state.signal = Place::Queued;
            }
            is_kept
        };
        table.timers.values().filter(is_kept).cloned().collect()
    }

    pub(super) fn delete_all(&self) {
        let timers = core::mem::take(&mut self.0.lock().timers);
        let timers: Vec<_> = timers.into_values().collect();
        for timer in timers {
            timer.delete();
        }
    }
}

/// Whom `event` names, or `EINVAL`.
#[doc(alias = "good_sigevent")]
fn receiver(task: &Task, event: &Sigevent) -> Result<Notify, Errno> {
    let by_signal = matches!(event.sigev_notify, SIGEV_SIGNAL | SIGEV_THREAD | SIGEV_THREAD_ID);
    if by_signal && !valid_signal(event.sigev_signo) {
        return Err(Errno::EINVAL);
    }
    match event.sigev_notify {
        SIGEV_NONE => Ok(Notify::Nobody),
        SIGEV_SIGNAL | SIGEV_THREAD => Ok(Notify::Process(Arc::downgrade(&task.process))),
        SIGEV_THREAD_ID => {
            let tid = u32::try_from(event.tid).map_err(|_| Errno::EINVAL)?;
            let target = task.kernel.pids.task(tid).filter(|t| t.process.tgid == task.process.tgid);
            Ok(Notify::Task(Arc::downgrade(&target.ok_or(Errno::EINVAL)?)))
        }
        _ => Err(Errno::EINVAL),
    }
}

/// `timer_create(which_clock, timer_event_spec, created_timer_id)`.
pub fn sys_timer_create(which: i32, event: UserAddr, id_out: UserAddr) -> SysResult {
    let task = current();
    let event: Option<Sigevent> = event.read_opt()?;
    let clock = timer_clock(task, which)?;
    if !has_room(task) {
        return Err(Errno::EAGAIN.into());
    }
    let notify = match &event {
        Some(event) => receiver(task, event)?,
        None => Notify::Process(Arc::downgrade(&task.process)),
    };
    let table = &task.process.timers.posix;
    let id = {
        let mut table = table.0.lock();
        let id = table.next_id;
        table.next_id = id.checked_add(1).unwrap_or(0);
        id
    };
    let asked = (which, event.as_ref().map_or(SIGEV_SIGNAL, |event| event.sigev_notify));
    let (signo, value) = event.map_or((SIGALRM, id as u64), |e| (e.sigev_signo, e.sigev_value));
    id_out.write(&id)?;
    let timer = Arc::new_cyclic(|me: &Weak<PosixTimer>| PosixTimer {
        id,
        clock,
        asked,
        notify,
        signo,
        value,
        state: SpinLock::default(),
        timer: Timer::new(&task.kernel.timers, me.clone()),
    });
    table.0.lock().timers.insert(id, timer);
    Ok(0)
}

/// /proc/PID/timers.
#[doc(alias = "proc_timers_operations")]
pub fn show_timers(process: &Process, out: &mut SeqFile) {
    // The youngest first.
    let timers: Vec<Arc<PosixTimer>> = process.timers.posix.0.lock().timers.values().rev().cloned().collect();
    for timer in timers {
        let (clock, manner) = timer.asked;
        let how = match manner & !SIGEV_THREAD_ID {
            SIGEV_NONE => "none",
            SIGEV_THREAD => "thread",
            _ => "signal",
        };
        let (kind, number) = match &timer.notify {
            Notify::Task(task) => ("tid", task.upgrade().map_or(0, |task| task.tid())),
            _ if manner & SIGEV_THREAD_ID != 0 => ("tid", 0),
            _ => ("pid", process.tgid),
        };
        seq_printf!(
            out,
            "ID: {}\nsignal: {}/{:016x}\nnotify: {how}/{kind}.{number}\nClockID: {clock}\n",
            timer.id,
            timer.signo,
            timer.value
        );
    }
}

/// Whether the signal that a timer keeps in reserve still fits below the limit.
#[doc(alias = "sigqueue_alloc")]
fn has_room(task: &Task) -> bool {
    let shared = task.process.sighand.lock().shared.len();
    let own = task.signals.lock().pending.len();
    let timers = task.process.timers.posix.0.lock().timers.len();
    ((shared + own + timers) as u64) < task.process.rlimit(RLIMIT_SIGPENDING as usize).rlim_cur
}

/// `timer_settime(timer_id, flags, new_setting, old_setting)`.
pub fn sys_timer_settime(id: i32, flags: Flags, new: UserAddr, old: UserAddr) -> SysResult {
    if new.is_null() {
        return Err(Errno::EINVAL.into());
    }
    let new: Itimerspec = new.read()?;
    let interval = super::span(new.it_interval.tv_sec, new.it_interval.tv_nsec)?;
    let value = super::span(new.it_value.tv_sec, new.it_value.tv_nsec)?;
    let timer = current().process.timers.posix.find(id)?;
    let before = timer.set(value, interval, flags.0 & TIMER_ABSTIME != 0);
    old.write_opt(&before)?;
    Ok(0)
}

/// `timer_gettime(timer_id, setting)`.
pub fn sys_timer_gettime(id: i32, setting: UserAddr) -> SysResult {
    let timer = current().process.timers.posix.find(id)?;
    let left = timer.left(&timer.state.lock(), timer.clock.now());
    setting.write(&left)?;
    Ok(0)
}

/// `timer_getoverrun(timer_id)`.
pub fn sys_timer_getoverrun(id: i32) -> SysResult {
    let timer = current().process.timers.posix.find(id)?;
    let overruns = timer.state.lock().overrun_last;
    Ok(overruns as usize)
}

/// `timer_delete(timer_id)`.
pub fn sys_timer_delete(id: i32) -> SysResult {
    let timer = current().process.timers.posix.0.lock().timers.remove(&id).ok_or(Errno::EINVAL)?;
    timer.delete();
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_skips_what_has_passed() {
        assert_eq!(forward(100, 10, 99), (100, 0));
        assert_eq!(forward(100, 10, 100), (110, 1));
        assert_eq!(forward(100, 10, 135), (140, 4));
        assert_eq!(forward(100, 0, 135), (100, 0));
    }
}
