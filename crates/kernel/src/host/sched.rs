//! How the host schedules the world's threads.
//!
//! Mirrors: nothing in Linux.
//! Differs: as `host`. Threads are named by the host's numbers, 0 is the caller's.

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use acrida_uapi::sched::{SchedAttr, SchedParam};
use zerocopy::IntoBytes;

/// How a thread is scheduled now.
///
/// # Errors
/// `ESRCH` when it is gone.
pub fn attributes(tid: u64) -> Result<SchedAttr, Errno> {
    let mut attr = SchedAttr::default();
    let size = size_of::<SchedAttr>() as u64;
    call(nr::sched_getattr, &mut [Arg::Val(tid), Arg::Out(attr.as_mut_bytes()), Arg::Val(size), Arg::Val(0)])?;
    Ok(attr)
}

/// # Errors
/// The host's: `EINVAL` for what makes no sense, `ESRCH`, `EPERM`, `EBUSY`.
pub fn set_attributes(tid: u64, attr: &SchedAttr) -> Result<(), Errno> {
    call(nr::sched_setattr, &mut [Arg::Val(tid), Arg::In(attr.as_bytes()), Arg::Val(0)])
}

/// # Errors
/// As [`set_attributes`].
pub fn set_param(tid: u64, param: &SchedParam) -> Result<(), Errno> {
    call(nr::sched_setparam, &mut [Arg::Val(tid), Arg::In(param.as_bytes())])
}

/// `policy` may carry `SCHED_RESET_ON_FORK`.
///
/// # Errors
/// As [`set_attributes`].
pub fn set_scheduler(tid: u64, policy: i32, param: &SchedParam) -> Result<(), Errno> {
    call(nr::sched_setscheduler, &mut [Arg::Val(tid), Arg::Val(policy as u64), Arg::In(param.as_bytes())])
}

fn call(number: u32, args: &mut [Arg<'_>]) -> Result<(), Errno> {
    platform().host().call(number, args).map(drop)
}
