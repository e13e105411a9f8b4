//! What a parent hears of its children.
//!
//! Mirrors: kernel/signal.c (`do_notify_parent`, `do_notify_parent_cldstop`), Linux 6.18.
//! Differs: whether a child is reaped by itself is asked apart, under the lock under which it becomes a zombie.
//! Locking: takes the parent's `sighand`; the caller does not hold its own. The end of a child is told under the pid
//! table's lock, so that whoever finds the zombie finds the signal pending too.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::{ClockId, platform};
use acrida_uapi::siginfo::{CLD_CONTINUED, CLD_STOPPED, SigInfo};
use acrida_uapi::signal::{SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, SIGCHLD, SIGCONT, valid_signal};
use acrida_uapi::time::{NSEC_PER_SEC, USER_HZ};
use acrida_uapi::wait::WaitStatus;

use super::send::{Target, send_locked};
use super::sighand::ChildNews;
use crate::kernel::pid::INIT_PID;
use crate::kernel::task::{Process, try_current};
use crate::kernel::wait::cld_code;

fn parent_of(process: &Process) -> Option<Arc<Process>> {
    process.relations.lock().parent.upgrade()
}

/// The details of a message about `process`.
fn child_info(process: &Process, code: i32, status: i32) -> SigInfo {
    let mine = try_current().filter(|task| task.process.tgid == process.tgid);
    let uid = process.uid.load(Ordering::Relaxed);
    // The host knows the time only of the process that asks.
    let time = mine.map_or(0, |_| platform().now(ClockId::ProcessCpu));
    let ticks = time / (NSEC_PER_SEC as u64 / u64::from(USER_HZ));
    SigInfo::chld(code, process.tgid as i32, uid, status, ticks as i64, 0)
}

/// Whether nobody will wait for `process`, so that it must not become a zombie. (Init keeps none.)
pub fn is_auto_reaped(process: &Process) -> bool {
    let Some(parent) = parent_of(process).filter(|parent| parent.tgid != INIT_PID) else { return true };
    if process.exit_signal.load(Ordering::Relaxed) != SIGCHLD {
        return false;
    }
    let sighand = parent.sighand.lock();
    let action = sighand.action(SIGCHLD);
    action.sa_handler == SIG_IGN || action.sa_flags & SA_NOCLDWAIT != 0
}

/// Sends the parent the signal that tells of the end of `process`; the caller holds the pid table. Gives the parent, whose
/// waiters are to be woken once the table is free.
#[doc(alias = "do_notify_parent")]
#[must_use]
pub fn notify_parent(process: &Process) -> Option<Arc<Process>> {
    let parent = parent_of(process)?;
    let status = WaitStatus::from_raw(process.exit_status.load(Ordering::SeqCst));
    let (code, value) = cld_code(status);
    let mut info = child_info(process, code, value);
    let mut signo = process.exit_signal.load(Ordering::Relaxed);
    let mut sighand = parent.sighand.lock();
    if signo == SIGCHLD && sighand.action(SIGCHLD).sa_handler == SIG_IGN {
        signo = 0;
    }
    // The old `clone` takes numbers that are no signals: then there is none.
    if valid_signal(signo) {
        info.si_signo = signo;
        // A full queue loses the details, never the signal: SIGCHLD is no real-time signal.
        let _ = send_locked(Target::Process(&parent), &mut sighand, info.into());
    }
    drop(sighand);
    Some(parent)
}

/// Tells the parent that `process` stopped or went on.
#[doc(alias = "do_notify_parent_cldstop")]
pub fn notify_parent_cldstop(process: &Arc<Process>, news: ChildNews) {
    let Some(parent) = parent_of(process) else { return };
    let info = match news {
        ChildNews::Continued => child_info(process, CLD_CONTINUED, SIGCONT),
        ChildNews::Stopped => {
            let signo = process.sighand.lock().stop.signo;
            child_info(process, CLD_STOPPED, signo)
        }
    };
    let mut sighand = parent.sighand.lock();
    let action = sighand.action(SIGCHLD);
    if action.sa_handler != SIG_IGN && action.sa_flags & SA_NOCLDSTOP == 0 {
        let _ = send_locked(Target::Process(&parent), &mut sighand, info.into());
    }
    drop(sighand);
    // Waiters are woken even when the signal is not wanted.
    parent.wait_chldexit.wake_all(0);
}
