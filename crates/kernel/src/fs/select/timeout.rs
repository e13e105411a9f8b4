//! When select and poll give up, and what they say about the time left.
//!
//! Mirrors: fs/select.c (`poll_select_set_timeout`, `poll_select_finish`), Linux 6.18.

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::thread::work;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::signal::SigSet;
use acrida_uapi::time::{NSEC_PER_USEC, Timespec, Timeval, USEC_PER_SEC};

use crate::abi::SysResult;
use crate::current;
use crate::kernel::signal::{restore_saved_sigmask, set_user_sigmask};

/// When a wait gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    Never,
    /// Without sleeping.
    Now,
    /// Monotonic nanoseconds.
    At(u64),
}

impl Timeout {
    /// `span` from now on; `EINVAL` for what is no span.
    #[doc(alias = "poll_select_set_timeout")]
    pub fn after(span: Timespec) -> Result<Timeout, Errno> {
        match span.validated()?.to_nanos() {
            0 => Ok(Timeout::Now),
            nanos => Ok(Timeout::At(now().saturating_add(nanos.cast_unsigned()))),
        }
    }

    /// The same in milliseconds, negative for no end.
    pub fn after_millis(millis: i32) -> Timeout {
        match u64::try_from(millis) {
            Err(_) => Timeout::Never,
            Ok(0) => Timeout::Now,
            Ok(millis) => Timeout::At(now() + millis * 1_000_000),
        }
    }

    pub fn deadline(self) -> Option<u64> {
        match self {
            Timeout::Never => None,
            Timeout::Now => Some(0),
            Timeout::At(deadline) => Some(deadline),
        }
    }

    fn left(self) -> Timespec {
        let nanos = self.deadline().unwrap_or(0).saturating_sub(now());
        Timespec::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

fn now() -> u64 {
    platform().now(ClockId::Monotonic)
}

/// Where the caller's timeout came from, and where what is left of it goes.
#[derive(Clone, Copy, Debug)]
pub enum TimeoutArg {
    Timespec(UserAddr),
    Timeval(UserAddr),
}

impl TimeoutArg {
    /// Reads the timeout; a null pointer waits for ever.
    pub fn read(self) -> Result<Timeout, Errno> {
        let span = match self {
            TimeoutArg::Timespec(addr) => addr.read_opt::<Timespec>()?,
            TimeoutArg::Timeval(addr) => addr.read_opt::<Timeval>()?.map(carry),
        };
        span.map_or(Ok(Timeout::Never), Timeout::after)
    }

    /// Ends a call: writes back what is left. When that fails, the call cannot be made again with the new timeout, so
    /// a restart becomes `EINTR`.
    #[doc(alias = "poll_select_finish")]
    pub fn finish(self, timeout: Timeout, result: SysResult) -> SysResult {
        let Timeout::At(_) = timeout else { return result };
        let left = timeout.left();
        let written = match self {
            TimeoutArg::Timespec(addr) => addr.write(&left),
            TimeoutArg::Timeval(addr) => addr.write(&Timeval { tv_sec: left.tv_sec, tv_usec: left.tv_nsec / NSEC_PER_USEC }),
        };
        match (written, result) {
            (Err(_), Err(Error::Restart(_))) => Err(Errno::EINTR.into()),
            (_, result) => result,
        }
    }
}

/// select accepts any number of microseconds.
fn carry(time: Timeval) -> Timespec {
    Timespec {
        tv_sec: time.tv_sec.wrapping_add(time.tv_usec / USEC_PER_SEC),
        tv_nsec: time.tv_usec % USEC_PER_SEC * NSEC_PER_USEC,
    }
}

/// Makes a call under the signal mask at `mask` (unchanged if null). The old mask comes back at once, or after the
/// handler when a signal ended the call.
///
/// # Errors
/// `EINVAL` for a size that is not a mask's, `EFAULT`, and those of the call.
#[doc(alias = "set_user_sigmask")]
pub fn with_sigmask(mask: UserAddr, size: usize, call: impl FnOnce() -> SysResult) -> SysResult {
    if mask.is_null() {
        return call();
    }
    if size != SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    set_user_sigmask(current(), mask.read()?);
    let result = call();
    match result {
        Err(Error::Restart(Restart::ERESTARTNOHAND)) => {}
        // No restart, so nothing else asks for the way out that puts the old mask back.
        Err(Error::Errno(Errno::EINTR)) => current().thread.set_work(work::SIGPENDING),
        _ => restore_saved_sigmask(current()),
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_carry_into_seconds() {
        assert_eq!(carry(Timeval { tv_sec: 1, tv_usec: 2_500_000 }), Timespec { tv_sec: 3, tv_nsec: 500_000_000 });
        assert!(!carry(Timeval { tv_sec: 0, tv_usec: -1 }).is_valid());
    }
}
