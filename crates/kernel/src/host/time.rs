//! The host's clocks and CPU timers.
//!
//! Mirrors: nothing in Linux.
//! Differs: as `host`.

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use acrida_uapi::time::{Itimerval, Timespec, Timex, Tms};
use zerocopy::IntoBytes;

/// The host's clock `clock` (its number, not the guest's).
pub fn clock_gettime(clock: i32) -> Result<Timespec, Errno> {
    let mut time = Timespec::default();
    platform().host().call(nr::clock_gettime, &mut [Arg::Val(clock as u64), Arg::Out(time.as_mut_bytes())])?;
    Ok(time)
}

/// The resolution of the host's clock `clock`.
pub fn clock_getres(clock: i32) -> Result<Timespec, Errno> {
    let mut time = Timespec::default();
    platform().host().call(nr::clock_getres, &mut [Arg::Val(clock as u64), Arg::Out(time.as_mut_bytes())])?;
    Ok(time)
}

/// Reads an interval timer of the calling host process.
pub fn getitimer(which: i32) -> Result<Itimerval, Errno> {
    let mut value = Itimerval::default();
    platform().host().call(nr::getitimer, &mut [Arg::Val(which as u64), Arg::Out(value.as_mut_bytes())])?;
    Ok(value)
}

/// Sets an interval timer of the calling host process; what it was before.
pub fn setitimer(which: i32, value: &Itimerval) -> Result<Itimerval, Errno> {
    let mut old = Itimerval::default();
    let args = &mut [Arg::Val(which as u64), Arg::In(value.as_bytes()), Arg::Out(old.as_mut_bytes())];
    platform().host().call(nr::setitimer, args)?;
    Ok(old)
}

/// CPU time of the calling host process, in ticks.
pub fn times() -> Result<Tms, Errno> {
    let mut tms = Tms::default();
    platform().host().call(nr::times, &mut [Arg::Out(tms.as_mut_bytes())])?;
    Ok(tms)
}

/// The host's clock discipline; the caller only reads.
pub fn adjtimex(value: &mut Timex) -> Result<usize, Errno> {
    platform().host().call(nr::adjtimex, &mut [Arg::Out(value.as_mut_bytes())])
}
