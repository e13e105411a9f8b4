//! timerfd: timers whose expiries are read from a file.
//!
//! Mirrors: fs/timerfd.c, Linux 6.18.
//! Differs: the timer is one of the kernel's own queue, which its thread serves and which may be late; a caller who looks
//! after the expiry and before that thread sees the expiry nevertheless ([`State::catch_up`]). A timer on the wall clock
//! learns of a step of the host's clock from `kernel/time/clock_set.rs`.
//! Locking: `state`, over the timer queue's; wake-ups are carried out after it.

mod state;

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::fmt::Write;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::capability::CAP_WAKE_ALARM;
use acrida_uapi::epoll::EPOLLIN;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::O_RDWR;
use acrida_uapi::time::{Itimerspec, TFD_CLOEXEC, TFD_IOC_SET_TICKS, TFD_NONBLOCK, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET};

use crate::abi::{Fd, Flags, SysResult};
use crate::current;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::{Blocking, fdget};
use crate::kernel::time::clock_set::{ClockSetListener, Listening};
use crate::kernel::time::{Timer, TimerFunction};

use state::{Cancel, Clock, State, TimerMode};

/// A timer that is a file.
#[doc(alias = "timerfd_ctx")]
pub struct Timerfd {
    clock: Clock,
    state: SpinLock<State>,
    wqh: Arc<WaitQueueHead>,
    timer: Timer,
    /// Held while a setting asks to be told of a step of the clock.
    listening: SpinLock<Option<Listening>>,
}

impl TimerFunction for Timerfd {
    #[doc(alias = "timerfd_tmrproc")]
    fn expired(&self, _now: u64) {
        {
            let mut state = self.state.lock();
            let now = state.now();
            if !state.catch_up(now) {
                self.restart(&state, now);
                return;
            }
        }
        self.wqh.wake_one(EPOLLIN);
    }
}

impl ClockSetListener for Timerfd {
    #[doc(alias = "timerfd_clock_was_set")]
    fn clock_was_set(&self) {
        {
            let mut state = self.state.lock();
            self.restart(&state, state.now());
            if state.cancel == Cancel::Never {
                return;
            }
            state.cancel = Cancel::WasSet;
            state.ticks += 1;
        }
        self.wqh.wake_one(EPOLLIN);
    }
}

impl Timerfd {
    fn new(clock: Clock) -> Arc<Timerfd> {
        Arc::new_cyclic(|me: &Weak<Timerfd>| Timerfd {
            clock,
            state: SpinLock::default(),
            wqh: Arc::default(),
            timer: Timer::new(&current().kernel.timers, me.clone()),
            listening: SpinLock::default(),
        })
    }

    /// Puts the timer on the queue if an expiry is to come.
    #[doc(alias = "hrtimer_restart")]
    fn restart(&self, state: &State, now: u64) {
        if state.armed {
            let left = state.expires.saturating_sub(now);
            self.timer.arm(platform().now(ClockId::Monotonic).saturating_add(left));
        }
    }

    /// [`State::take`] for a reader.
    fn take(&self) -> Option<Result<u64, Errno>> {
        let mut state = self.state.lock();
        let now = state.now();
        let was_armed = state.armed && state.expires > now;
        let taken = state.take(now)?;
        if !was_armed {
            self.restart(&state, now);
        }
        Some(taken)
    }

    /// Value and period now; a period that is over is followed by the next.
    fn get(&self) -> Itimerspec {
        let mut state = self.state.lock();
        let now = state.now();
        self.begin_next_period(&mut state, now);
        state.value(now)
    }

    fn begin_next_period(&self, state: &mut State, now: u64) {
        state.catch_up(now);
        if state.expired && state.interval != 0 {
            state.ticks += state.advance(now);
            self.restart(state, now);
        }
    }

    /// Sets it, and gives what it was set to before.
    #[doc(alias = "timerfd_setup")]
    fn set(self: &Arc<Self>, flags: u32, new: &Itimerspec) -> (Itimerspec, Result<(), Errno>) {
        let (value, mode) = (new.it_value.to_nanos() as u64, TimerMode::of(flags));
        self.listen(flags, value);
        let mut state = self.state.lock();
        let now = state.now();
        self.begin_next_period(&mut state, now);
        let before = state.value(now);
        self.timer.cancel();
        state.source = self.clock.counted(mode);
        let now = state.now();
        state.armed = value != 0;
        state.expires = if mode == TimerMode::Absolute || value == 0 { value } else { now.saturating_add(value) };
        state.interval = new.it_interval.to_nanos() as u64;
        (state.expired, state.ticks) = (false, 0);
        self.restart(&state, now);
        if state.was_canceled() {
            return (before, Err(Errno::ECANCELED));
        }
        state.settime_flags = flags;
        (before, Ok(()))
    }

    /// Asks to be told when the clock is set, or no longer.
    #[doc(alias = "timerfd_setup_cancel")]
    fn listen(self: &Arc<Self>, flags: u32, value: u64) {
        let on_wall_clock = self.clock.counted(TimerMode::of(flags)) == ClockId::Realtime;
        let cancels = on_wall_clock && flags & TFD_TIMER_CANCEL_ON_SET != 0;
        let mut state = self.state.lock();
        state.cancel = match (cancels, state.cancel) {
            (false, _) => Cancel::Never,
            (true, Cancel::Never) => Cancel::Armed,
            (true, as_before) => as_before,
        };
        drop(state);
        // Also without the flag: a step of the clock brings a point in time nearer.
        let wants = cancels || on_wall_clock && value != 0;
        let me: Weak<Timerfd> = Arc::downgrade(self);
        let new = wants.then(|| current().kernel.clock_set.listen(me)).flatten();
        let old = core::mem::replace(&mut *self.listening.lock(), new);
        drop(old);
    }
}

/// The private data: the timer thread and the file share the timer.
struct TimerfdFile(Arc<Timerfd>);

impl FileOperations for TimerfdFile {
    #[doc(alias = "timerfd_read_iter")]
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        if to.count() < size_of::<u64>() {
            return Err(Errno::EINVAL.into());
        }
        let ctx = &self.0;
        let taken = match (ctx.take(), Blocking::of(file, to)) {
            (Some(taken), _) => taken,
            (None, Blocking::No) => Err(Errno::EAGAIN),
            (None, Blocking::Yes) => {
                let options = WaitOptions::interruptible("timerfd_read");
                ctx.wqh.wait_event(options, || ctx.take()).map_err(|_| Error::from(Restart::ERESTARTSYS))?
            }
        };
        match to.copy_to(&taken?.to_ne_bytes()) {
            0 => Err(Errno::EFAULT.into()),
            copied => Ok(copied),
        }
    }

    fn can_nowait(&self) -> bool {
        true
    }

    /// Seeks succeed and do nothing.
    #[doc(alias = "noop_llseek")]
    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    #[doc(alias = "timerfd_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.0.wqh);
        let (ready, just_expired) = {
            let mut state = self.0.state.lock();
            let just_expired = state.armed && {
                let now = state.now();
                state.catch_up(now)
            };
            (state.ticks > 0, just_expired)
        };
        if just_expired {
            // Whoever else waits learns it together with the caller.
            self.0.wqh.wake_one(EPOLLIN);
        }
        Some(if ready { EPOLLIN } else { 0 })
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "timerfd_ioctl")]
    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        if cmd != TFD_IOC_SET_TICKS {
            return Err(Errno::ENOTTY.into());
        }
        let ticks: u64 = UserAddr(arg).read()?;
        if ticks == 0 {
            return Err(Errno::EINVAL.into());
        }
        {
            let mut state = self.0.state.lock();
            if state.was_canceled() {
                return Err(Errno::ECANCELED.into());
            }
            state.ticks = ticks;
        }
        self.0.wqh.wake_one(EPOLLIN);
        Ok(0)
    }

    #[doc(alias = "timerfd_release")]
    fn release(&self, _file: &File) {
        self.0.timer.cancel();
        let listening = self.0.listening.lock().take();
        drop(listening);
    }

    #[doc(alias = "timerfd_show")]
    fn show_fdinfo(&self, _file: &File, out: &mut String) {
        let state = *self.0.state.lock();
        let now = state.now();
        let Itimerspec { it_interval, it_value } = state.value(now);
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "clockid: {}\nticks: {}\nsettime flags: 0{:o}\nit_value: ({}, {})\nit_interval: ({}, {})\n",
            self.0.clock.id,
            state.ticks + u64::from(state.is_due(now)),
            state.settime_flags,
            it_value.tv_sec,
            it_value.tv_nsec,
            it_interval.tv_sec,
            it_interval.tv_nsec,
        );
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(String::from("anon_inode:[timerfd]"))
    }
}

/// `timerfd_create(clockid, flags)`.
pub fn sys_timerfd_create(clock: i32, flags: Flags) -> SysResult {
    let known = flags.0 & !(TFD_CLOEXEC | TFD_NONBLOCK) == 0;
    let clock = Clock::of(clock).filter(|_| known).ok_or(Errno::EINVAL)?;
    if clock.is_alarm() && !current().cred().capable(CAP_WAKE_ALARM) {
        return Err(Errno::EPERM.into());
    }
    let file = File::anon(Arc::new(TimerfdFile(Timerfd::new(clock))), O_RDWR | flags.0 & TFD_NONBLOCK);
    Ok(current().files().install(file, flags.0 & TFD_CLOEXEC != 0)? as usize)
}

/// The timer behind `fd`; `EINVAL` for another file.
#[doc(alias = "timerfd_fget")]
fn timerfd_of(fd: Fd) -> Result<Arc<Timerfd>, Errno> {
    let file = fdget(fd)?;
    file.private::<TimerfdFile>().map(|file| file.0.clone()).ok_or(Errno::EINVAL)
}

/// `timerfd_settime(ufd, flags, utmr, otmr)`.
pub fn sys_timerfd_settime(fd: Fd, flags: Flags, new: UserAddr, old: UserAddr) -> SysResult {
    let new: Itimerspec = new.read()?;
    if flags.0 & !(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) != 0 {
        return Err(Errno::EINVAL.into());
    }
    new.it_interval.validated()?;
    new.it_value.validated()?;
    let timer = timerfd_of(fd)?;
    // The descriptor may have come from somebody who could make it.
    if timer.clock.is_alarm() && !current().cred().capable(CAP_WAKE_ALARM) {
        return Err(Errno::EPERM.into());
    }
    let (before, done) = timer.set(flags.0, &new);
    done?;
    old.write_opt(&before)?;
    Ok(0)
}

/// `timerfd_gettime(ufd, otmr)`.
pub fn sys_timerfd_gettime(fd: Fd, value: UserAddr) -> SysResult {
    value.write(&timerfd_of(fd)?.get())?;
    Ok(0)
}
