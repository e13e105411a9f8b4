//! Where a timer stands, and what a read finds.
//!
//! Mirrors: fs/timerfd.c (`struct timerfd_ctx`), Linux 6.18.
//! Locking: by the owner.

use acrida_kcore::platform::{ClockId, platform};
use acrida_uapi::errno::Errno;
use acrida_uapi::time::{
    CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_ALARM, Itimerspec, TFD_TIMER_ABSTIME,
    Timespec,
};

use crate::kernel::time::posix_timers::forward;

/// Which clock, by the number that fdinfo shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) id: i32,
    pub(super) source: ClockId,
}

/// What a setting's value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerMode {
    /// A point in time.
    Absolute,
    /// A span.
    Relative,
}

impl TimerMode {
    pub(super) fn of(flags: u32) -> TimerMode {
        if flags & TFD_TIMER_ABSTIME != 0 { TimerMode::Absolute } else { TimerMode::Relative }
    }
}

impl Clock {
    pub(super) fn of(id: i32) -> Option<Clock> {
        let source = match id {
            CLOCK_MONOTONIC => ClockId::Monotonic,
            CLOCK_REALTIME | CLOCK_REALTIME_ALARM => ClockId::Realtime,
            CLOCK_BOOTTIME | CLOCK_BOOTTIME_ALARM => ClockId::Boottime,
            _ => return None,
        };
        Some(Clock { id, source })
    }

    /// The clock that a setting counts on: a step of the wall clock must not change the length of a span.
    pub(super) fn counted(self, mode: TimerMode) -> ClockId {
        match (self.source, mode) {
            (ClockId::Realtime, TimerMode::Relative) => ClockId::Monotonic,
            (source, _) => source,
        }
    }

    /// Whether it would wake a sleeping machine, which takes a capability.
    #[doc(alias = "isalarm")]
    pub(super) fn is_alarm(self) -> bool {
        matches!(self.id, CLOCK_REALTIME_ALARM | CLOCK_BOOTTIME_ALARM)
    }
}

/// Whether the clock was set under a timer that asked to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cancel {
    /// Nobody asked.
    #[default]
    Never,
    /// `TFD_TIMER_CANCEL_ON_SET`.
    Armed,
    /// It was, and nobody was told yet.
    #[doc(alias = "timerfd_canceled")]
    WasSet,
}

/// Where the timer stands.
///
/// # Invariants
/// Not both `armed` and `expired`.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// What the setting counts on.
    pub(super) source: ClockId,
    /// Next or last expiry on that clock, ns; 0 if it was never set.
    pub(super) expires: u64,
    pub(super) interval: u64,
    /// The next expiry is still to come.
    pub(super) armed: bool,
    /// It came, and the next period has not begun: it begins when somebody looks.
    pub(super) expired: bool,
    /// Expiries since the last read, without the periods that passed while `expired`.
    pub(super) ticks: u64,
    pub(super) cancel: Cancel,
    /// `TFD_TIMER_*` of the last setting.
    pub(super) settime_flags: u32,
}

impl Default for State {
    fn default() -> Self {
        State {
            source: ClockId::Monotonic,
            expires: 0,
            interval: 0,
            armed: false,
            expired: false,
            ticks: 0,
            cancel: Cancel::Never,
            settime_flags: 0,
        }
    }
}

impl State {
    pub(super) fn now(&self) -> u64 {
        platform().now(self.source)
    }

    pub(super) fn is_due(&self, now: u64) -> bool {
        self.armed && self.expires <= now
    }

    /// Notes the expiry if its time has come.
    #[doc(alias = "timerfd_triggered")]
    pub(super) fn catch_up(&mut self, now: u64) -> bool {
        let due = self.is_due(now);
        if due {
            (self.armed, self.expired) = (false, true);
            self.ticks += 1;
        }
        due
    }

    /// Begins the next period of a timer that expired; the expiries that are not in `ticks` yet.
    pub(super) fn advance(&mut self, now: u64) -> u64 {
        if !core::mem::take(&mut self.expired) || self.interval == 0 {
            return 0;
        }
        let (next, periods) = forward(self.expires, self.interval, now);
        (self.expires, self.armed) = (next, true);
        periods.saturating_sub(1)
    }

    /// Takes what a read gives, or `None` when there is nothing.
    pub(super) fn take(&mut self, now: u64) -> Option<Result<u64, Errno>> {
        self.catch_up(now);
        if self.was_canceled() {
            (self.ticks, self.expired) = (0, false);
            return Some(Err(Errno::ECANCELED));
        }
        if self.ticks == 0 {
            return None;
        }
        let more = self.advance(now);
        Some(Ok(core::mem::take(&mut self.ticks) + more))
    }

    /// Whether the clock was set; tells it once.
    pub(super) fn was_canceled(&mut self) -> bool {
        let told = self.cancel == Cancel::WasSet;
        if told {
            self.cancel = Cancel::Armed;
        }
        told
    }

    #[doc(alias = "timerfd_get_remaining")]
    pub(super) fn value(&self, now: u64) -> Itimerspec {
        let span = |ns: u64| Timespec::from_nanos(ns as i64);
        Itimerspec { it_interval: span(self.interval), it_value: span(self.expires.saturating_sub(now)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(expires: u64, interval: u64) -> State {
        State { expires, interval, armed: true, ..State::default() }
    }

    #[test]
    fn a_single_shot_is_read_once() {
        let mut state = armed(100, 0);
        assert_eq!(state.take(99), None);
        assert_eq!(state.take(100), Some(Ok(1)));
        assert_eq!(state.take(500), None);
        assert_eq!(state.value(500).it_value, Timespec::default());
    }

    #[test]
    fn periods_that_passed_unread_are_counted() {
        let mut state = armed(100, 10);
        assert!(state.catch_up(100));
        assert!(!state.catch_up(145), "the next period begins when somebody looks");
        assert_eq!(state.take(145), Some(Ok(5)));
        assert_eq!((state.expires, state.armed), (150, true));
        assert_eq!(state.take(149), None);
    }

    #[test]
    fn a_step_of_the_clock_is_told_once_and_takes_the_ticks() {
        let mut state = State { cancel: Cancel::WasSet, ticks: 3, ..armed(100, 0) };
        assert_eq!(state.take(50), Some(Err(Errno::ECANCELED)));
        assert_eq!(state.take(50), None);
        assert_eq!(state.take(100), Some(Ok(1)));
    }
}
