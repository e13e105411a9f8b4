//! The calls on dispositions and masks.
//!
//! Mirrors: kernel/signal.c (`do_sigaction`, `sigprocmask`, `do_sigpending`), Linux 6.18.
//! Locking: as in `send`.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::signal::{KernelSigaction, SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SigSet, valid_signal};
use zerocopy::IntoBytes;

use super::mask::{change_current_blocked, set_current_blocked};
use super::send::{Target, send_timer_signal_locked};
use super::sighand::{KNOWN_FLAGS, blockable};
use crate::abi::{Signo, SysResult};
use crate::current;
use crate::kernel::task::Task;

/// `rt_sigaction(sig, act, oact, sigsetsize)`.
pub fn sys_rt_sigaction(signo: Signo, new: UserAddr, old: UserAddr, sigsetsize: usize) -> SysResult {
    if sigsetsize != SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    let new: Option<KernelSigaction> = new.read_opt()?;
    let before = do_sigaction(current(), signo.0, new)?;
    old.write_opt(&before)?;
    Ok(0)
}

/// Sets the action, if one is given; gives the one before.
fn do_sigaction(task: &Task, signo: i32, new: Option<KernelSigaction>) -> Result<KernelSigaction, Errno> {
    if !valid_signal(signo) || (new.is_some() && SigSet::UNBLOCKABLE.has(signo)) {
        return Err(Errno::EINVAL);
    }
    let mut sighand = task.process.sighand.lock();
    let Some(new) = new else { return Ok(sighand.action(signo)) };
    let new = KernelSigaction { sa_flags: new.sa_flags & KNOWN_FLAGS, sa_mask: blockable(new.sa_mask), ..new };
    let was_ignored = sighand.is_ignored(signo);
    let before = sighand.replace_action(signo, new);
    // POSIX: what becomes ignored is no longer pending, blocked or not.
    if sighand.is_ignored(signo) {
        let mask = SigSet::of(&[signo]);
        sighand.shared.flush(mask);
        for thread in task.process.threads.lock().iter() {
            thread.signals.lock().pending.flush(mask);
        }
    } else if was_ignored {
        for timer in task.process.timers.posix.take_ignored(signo) {
            let thread = timer.thread();
            let target = thread.as_deref().map_or(Target::Process(&task.process), Target::Task);
            send_timer_signal_locked(target, &mut sighand, &timer);
        }
    }
    Ok(before)
}

/// `rt_sigprocmask(how, nset, oset, sigsetsize)`.
pub fn sys_rt_sigprocmask(how: i32, new: UserAddr, old: UserAddr, sigsetsize: usize) -> SysResult {
    if sigsetsize != SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    let task = current();
    let before = match (new.read_opt::<SigSet>()?, how) {
        (None, _) => task.signals.lock().blocked,
        (Some(set), SIG_BLOCK) => change_current_blocked(task, |before| before.union(set)),
        (Some(set), SIG_UNBLOCK) => change_current_blocked(task, |before| before.difference(set)),
        (Some(set), SIG_SETMASK) => set_current_blocked(task, set),
        _ => return Err(Errno::EINVAL.into()),
    };
    old.write_opt(&before)?;
    Ok(0)
}

/// `rt_sigpending(uset, sigsetsize)`.
pub fn sys_rt_sigpending(set: UserAddr, sigsetsize: usize) -> SysResult {
    if sigsetsize > SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    let task = current();
    let pending = {
        let sighand = task.process.sighand.lock();
        let signals = task.signals.lock();
        signals.pending.set().union(sighand.shared.set()).intersection(signals.blocked)
    };
    set.write_bytes(&pending.as_bytes()[..sigsetsize])?;
    Ok(0)
}
