//! Which signals a task blocks, and whether one is deliverable.
//!
//! Mirrors: kernel/signal.c (`recalc_sigpending`, `set_current_blocked`, `set_user_sigmask`, `retarget_shared_pending`),
//! Linux 6.18.
//! Locking: as in `send`.

use core::sync::atomic::Ordering;

use acrida_kcore::sched::state;
use acrida_kcore::thread::work;
use acrida_uapi::signal::SigSet;

use super::send::wake_up;
use super::sighand::{Sighand, TaskSignals, blockable};
use crate::kernel::task::Task;

/// Whether the task has something to do on its way out.
pub(super) fn has_deliverable(task: &Task, sighand: &Sighand) -> bool {
    is_due(&task.signals.lock(), sighand)
}

fn is_due(signals: &TaskSignals, sighand: &Sighand) -> bool {
    let pending = signals.pending.set().union(sighand.shared.set());
    signals.stop_pending || sighand.stop.news.is_some() || !pending.difference(signals.blocked).is_empty()
}

/// Notes for the way out whether the task has something to do there; a set bit stays.
pub fn recalc_sigpending(task: &Task, sighand: &Sighand) {
    if has_deliverable(task, sighand) {
        task.thread.set_work(work::SIGPENDING);
    }
}

/// Replaces the calling task's mask; gives the one before.
pub fn set_current_blocked(task: &Task, mask: SigSet) -> SigSet {
    change_current_blocked(task, |_| mask)
}

/// Makes the calling task's mask what `change` makes of the one before; gives that.
pub(super) fn change_current_blocked(task: &Task, change: impl FnOnce(SigSet) -> SigSet) -> SigSet {
    // Only the task itself changes its mask.
    let old = task.signals.lock().blocked;
    let mask = blockable(change(old));
    if old != mask {
        set_blocked_locked(task, &task.process.sighand.lock(), mask);
    }
    old
}

#[doc(alias = "__set_task_blocked")]
pub(super) fn set_blocked_locked(task: &Task, sighand: &Sighand, mask: SigSet) {
    let (old, is_due) = {
        let mut signals = task.signals.lock();
        let old = core::mem::replace(&mut signals.blocked, mask);
        (old, is_due(&signals, sighand))
    };
    if task.thread.has_work(work::SIGPENDING) {
        retarget_shared_pending(task, sighand, mask.difference(old));
    }
    if is_due {
        task.thread.set_work(work::SIGPENDING);
    }
}

/// Signals for the process that this task was woken for and now refuses go to other threads.
pub(super) fn retarget_shared_pending(task: &Task, sighand: &Sighand, refused: SigSet) {
    let mut left = sighand.shared.set().intersection(refused);
    if left.is_empty() {
        return;
    }
    for other in task.process.threads.lock().iter() {
        if other.tid() == task.tid() || other.exiting.load(Ordering::SeqCst) {
            continue;
        }
        let blocked = other.signals.lock().blocked;
        if left.difference(blocked).is_empty() {
            continue;
        }
        left = left.intersection(blocked);
        if !other.thread.has_work(work::SIGPENDING) {
            wake_up(other.thread, state::INTERRUPTIBLE);
        }
        if left.is_empty() {
            return;
        }
    }
}

/// Blocks `mask` for the duration of a call (`ppoll`, `epoll_pwait`...); the old mask comes back with
/// [`restore_saved_sigmask`] or behind the handler that ended the call.
pub fn set_user_sigmask(task: &Task, mask: SigSet) {
    task.saved_sigmask.set(Some(set_current_blocked(task, mask)));
}

/// Puts the mask back that [`set_user_sigmask`] replaced; for a call that was not ended by a signal.
pub fn restore_saved_sigmask(task: &Task) {
    if let Some(mask) = task.saved_sigmask.take() {
        set_current_blocked(task, mask);
    }
}

/// Whether a signal really awaits the calling task, after the host's were looked at. Takes a false alarm back, so that a
/// call that fails with `EINTR` whatever happens next need not fail for one.
pub fn is_deliverable(task: &Task) -> bool {
    if task.thread.has_work(work::HOST_SIGNAL) {
        task.thread.clear_work(work::HOST_SIGNAL);
        super::translate_host_signals(task, task.thread);
    }
    let sighand = task.process.sighand.lock();
    let found = has_deliverable(task, &sighand) || task.thread.has_work(work::EXIT);
    if !found {
        task.thread.clear_work(work::SIGPENDING);
    }
    found
}
