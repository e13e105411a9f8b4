//! Points in time, timers and clocks.
//!
//! Mirrors `include/uapi/linux/{time.h,time_types.h,times.h,timerfd.h,timex.h}` (v6.18).

use crate::errno::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Clocks.
pub const CLOCK_REALTIME: i32 = 0;
pub const CLOCK_MONOTONIC: i32 = 1;
pub const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
pub const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
pub const CLOCK_MONOTONIC_RAW: i32 = 4;
pub const CLOCK_REALTIME_COARSE: i32 = 5;
pub const CLOCK_MONOTONIC_COARSE: i32 = 6;
pub const CLOCK_BOOTTIME: i32 = 7;
pub const CLOCK_REALTIME_ALARM: i32 = 8;
pub const CLOCK_BOOTTIME_ALARM: i32 = 9;
pub const CLOCK_TAI: i32 = 11;
/// Number of clocks with a fixed number.
pub const MAX_CLOCKS: i32 = 16;

/// The time given is a point in time, not a span.
pub const TIMER_ABSTIME: u32 = 1;

// timerfd flags.
pub const TFD_TIMER_ABSTIME: u32 = 0x1;
pub const TFD_TIMER_CANCEL_ON_SET: u32 = 0x2;
pub const TFD_CLOEXEC: u32 = 0x8_0000;
pub const TFD_NONBLOCK: u32 = 0x800;
/// Sets the count of expiries of a timerfd (checkpoint and restore).
pub const TFD_IOC_SET_TICKS: u32 = 0x4008_5400;

// Interval timers.
pub const ITIMER_REAL: i32 = 0;
pub const ITIMER_VIRTUAL: i32 = 1;
pub const ITIMER_PROF: i32 = 2;

/// Clock ticks in a second, as `times`, `/proc` and `siginfo` count them.
pub const USER_HZ: u32 = 100;
pub const NSEC_PER_SEC: i64 = 1_000_000_000;
pub const NSEC_PER_USEC: i64 = 1_000;
pub const NSEC_PER_MSEC: i64 = 1_000_000;
pub const USEC_PER_SEC: i64 = 1_000_000;

/// Seconds and nanoseconds; a point in time or a span.
#[doc(alias = "timespec")]
#[doc(alias = "__kernel_timespec")]
#[derive(PartialOrd, Ord, Hash)]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Timespec {
    pub tv_sec: i64,
    /// 0 to 999,999,999 in a valid one.
    pub tv_nsec: i64,
}

impl Timespec {
    /// The span or point that lies `ns` nanoseconds after zero.
    #[doc(alias = "ns_to_timespec64")]
    pub const fn from_nanos(ns: i64) -> Timespec {
        Timespec { tv_sec: ns.div_euclid(NSEC_PER_SEC), tv_nsec: ns.rem_euclid(NSEC_PER_SEC) }
    }

    /// Nanoseconds after zero; what does not fit becomes the largest or smallest number.
    #[doc(alias = "timespec64_to_ns")]
    pub const fn to_nanos(self) -> i64 {
        self.tv_sec.saturating_mul(NSEC_PER_SEC).saturating_add(self.tv_nsec)
    }

    /// Whether Linux accepts it: not before zero, nanoseconds in range.
    #[doc(alias = "timespec64_valid")]
    pub const fn is_valid(self) -> bool {
        self.tv_sec >= 0 && self.tv_nsec >= 0 && self.tv_nsec < NSEC_PER_SEC
    }

    /// Itself if valid, else `EINVAL`.
    pub const fn validated(self) -> core::result::Result<Timespec, Errno> {
        if self.is_valid() { Ok(self) } else { Err(Errno::EINVAL) }
    }
}

/// Seconds and microseconds.
#[doc(alias = "timeval")]
#[doc(alias = "__kernel_old_timeval")]
#[derive(PartialOrd, Ord, Hash)]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Timeval {
    pub tv_sec: i64,
    /// 0 to 999,999 in a valid one.
    pub tv_usec: i64,
}

impl Timeval {
    /// The span or point `ns` nanoseconds after zero, rounded down.
    #[doc(alias = "ns_to_kernel_old_timeval")]
    pub const fn from_nanos(ns: i64) -> Timeval {
        let exact = Timespec::from_nanos(ns);
        Timeval { tv_sec: exact.tv_sec, tv_usec: exact.tv_nsec / NSEC_PER_USEC }
    }

    /// The same in nanoseconds; `None` unless the microseconds are in range.
    pub const fn to_timespec(self) -> Option<Timespec> {
        if self.tv_usec >= 0 && self.tv_usec < USEC_PER_SEC {
            Some(Timespec { tv_sec: self.tv_sec, tv_nsec: self.tv_usec * NSEC_PER_USEC })
        } else {
            None
        }
    }
}

/// A timer's next expiry and its period; both zero: disarmed.
#[doc(alias = "itimerspec")]
#[doc(alias = "__kernel_itimerspec")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Itimerspec {
    pub it_interval: Timespec,
    pub it_value: Timespec,
}

/// The same for `setitimer`.
#[doc(alias = "itimerval")]
#[doc(alias = "__kernel_old_itimerval")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Itimerval {
    pub it_interval: Timeval,
    pub it_value: Timeval,
}

/// What `times` fills in, in ticks of 1/[`USER_HZ`] second.
#[doc(alias = "tms")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Tms {
    pub tms_utime: i64,
    pub tms_stime: i64,
    pub tms_cutime: i64,
    pub tms_cstime: i64,
}

/// The obsolete second argument of `gettimeofday`.
#[doc(alias = "timezone")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Timezone {
    pub tz_minuteswest: i32,
    pub tz_dsttime: i32,
}

/// What `adjtimex` reads and fills in; units are nanoseconds in place of microseconds with `STA_NANO`.
#[doc(alias = "timex")]
#[doc(alias = "__kernel_timex")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Timex {
    /// `ADJ_*`: what to set.
    pub modes: u32,
    pub _pad0: u32,
    pub offset: i64,
    pub freq: i64,
    pub maxerror: i64,
    pub esterror: i64,
    /// `STA_*`.
    pub status: i32,
    pub _pad1: u32,
    pub constant: i64,
    pub precision: i64,
    pub tolerance: i64,
    pub time: Timeval,
    pub tick: i64,
    pub ppsfreq: i64,
    pub jitter: i64,
    pub shift: i32,
    pub _pad2: u32,
    pub stabil: i64,
    pub jitcnt: i64,
    pub calcnt: i64,
    pub errcnt: i64,
    pub stbcnt: i64,
    /// TAI minus UTC, in seconds.
    pub tai: i32,
    pub _reserved: [u32; 11],
}

/// `status`: the clock is not synchronised.
pub const STA_UNSYNC: i32 = 0x0040;
/// `status`: nanoseconds.
pub const STA_NANO: i32 = 0x2000;
/// What `adjtimex` returns for an unsynchronised clock.
pub const TIME_ERROR: i32 = 5;
/// What it returns for a good one.
pub const TIME_OK: i32 = 0;

/// The argument of `utime`, in seconds.
#[doc(alias = "utimbuf")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Utimbuf {
    pub actime: i64,
    pub modtime: i64,
}

/// In place of nanoseconds in `utimensat`: the current time.
pub const UTIME_NOW: i64 = 0x3fff_ffff;
/// In place of nanoseconds in `utimensat`: leave it alone.
pub const UTIME_OMIT: i64 = 0x3fff_fffe;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_stay_in_range_before_zero() {
        assert_eq!(Timespec::from_nanos(-1), Timespec { tv_sec: -1, tv_nsec: 999_999_999 });
        assert_eq!(Timespec::from_nanos(-1).to_nanos(), -1);
        assert_eq!(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }.to_nanos(), i64::MAX);
        assert!(!Timespec { tv_sec: 0, tv_nsec: NSEC_PER_SEC }.is_valid());
        assert_eq!(Timeval { tv_sec: 1, tv_usec: USEC_PER_SEC }.to_timespec(), None);
    }
}
