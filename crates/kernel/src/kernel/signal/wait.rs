//! The calls that wait for signals.
//!
//! Mirrors: kernel/signal.c (`sigsuspend`, `do_sigtimedwait`, `sys_pause`, `sys_restart_syscall`), Linux 6.18.
//! Locking: as in `send`; nothing is held while a task sleeps.

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitError, WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::signal::SigSet;
use acrida_uapi::time::Timespec;

use super::deliver::dequeue;
use super::mask::{is_deliverable, recalc_sigpending, set_user_sigmask};
use super::queue::Queued;
use super::sighand::blockable;
use crate::abi::SysResult;
use crate::current;
use crate::kernel::task::Task;

/// Sleeps until a signal or the deadline (monotonic ns); nothing else wakes it.
fn sleep_for_signal(wchan: &'static str, deadline: Option<u64>) -> WaitError {
    let nobody_wakes = WaitQueueHead::new();
    match nobody_wakes.wait_event(WaitOptions::interruptible(wchan).until(deadline), || None::<core::convert::Infallible>) {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// `pause()`.
pub fn sys_pause() -> SysResult {
    sleep_for_signal("pause", None);
    Err(Restart::ERESTARTNOHAND.into())
}

/// `rt_sigsuspend(unewset, sigsetsize)`: the mask comes back on the way out, behind the handler's frame.
pub fn sys_rt_sigsuspend(set: UserAddr, sigsetsize: usize) -> SysResult {
    if sigsetsize != SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    let mask: SigSet = set.read()?;
    set_user_sigmask(current(), mask);
    sleep_for_signal("sigsuspend", None);
    Err(Restart::ERESTARTNOHAND.into())
}

/// `rt_sigtimedwait(uthese, uinfo, uts, sigsetsize)`: the number of the signal taken.
pub fn sys_rt_sigtimedwait(these: UserAddr, info: UserAddr, timeout: UserAddr, sigsetsize: usize) -> SysResult {
    if sigsetsize != SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    let these: SigSet = these.read()?;
    let timeout = match timeout.read_opt::<Timespec>()? {
        Some(time) => Some(time.validated()?.to_nanos() as u64),
        None => None,
    };
    let queued = do_sigtimedwait(current(), blockable(these), timeout)?;
    info.write_opt(&queued.info)?;
    Ok(queued.info.si_signo as usize)
}

/// Takes one of `these`, waiting for at most `timeout` ns.
fn do_sigtimedwait(task: &Task, these: SigSet, timeout: Option<u64>) -> Result<Queued, Errno> {
    let take = || {
        let mut sighand = task.process.sighand.lock();
        dequeue(task, &mut sighand, Some(these))
    };
    if let Some(queued) = take() {
        return Ok(queued);
    }
    if timeout == Some(0) {
        return Err(Errno::EAGAIN);
    }
    let deadline = timeout.map(|ns| platform().now(ClockId::Monotonic).saturating_add(ns));
    loop {
        unblock_while_waiting(task, these);
        let woken = sleep_for_signal("sigtimedwait", deadline);
        block_again(task);
        if let Some(queued) = take() {
            return Ok(queued);
        }
        if woken == WaitError::TimedOut {
            return Err(Errno::EAGAIN);
        }
        if is_deliverable(task) {
            return Err(Errno::EINTR);
        }
    }
}

/// Lets the awaited signals wake the task, but not kill it.
fn unblock_while_waiting(task: &Task, these: SigSet) {
    let sighand = task.process.sighand.lock();
    let mut signals = task.signals.lock();
    signals.real_blocked = signals.blocked;
    signals.blocked = signals.blocked.difference(these);
    drop(signals);
    recalc_sigpending(task, &sighand);
}

fn block_again(task: &Task) {
    let sighand = task.process.sighand.lock();
    let mut signals = task.signals.lock();
    signals.blocked = signals.real_blocked;
    signals.real_blocked = SigSet::EMPTY;
    drop(signals);
    recalc_sigpending(task, &sighand);
}

/// `restart_syscall()`: goes on with the call that a signal without a handler had interrupted.
pub fn sys_restart_syscall() -> SysResult {
    match current().restart_block.take() {
        Some(goes_on) => goes_on(),
        None => Err(Errno::EINTR.into()),
    }
}
