//! Job control: all threads of a process stop together and go on together.
//!
//! Mirrors: kernel/signal.c (`do_signal_stop`, `task_participate_group_stop`, `exit_signals`), Linux 6.18.
//! Differs: what wait reports is in `Process::job`; there is no tracing.
//! Locking: `Process::sighand`; the state STOPPED is entered under it, so that a SIGCONT between decision and sleep is seen.

use core::sync::atomic::Ordering;

use acrida_kcore::sched::{schedule, set_current_state, state};
use acrida_kcore::sync::SpinLockGuard;
use acrida_kcore::thread::work;

use super::host::translate_host_signals;
use super::mask::retarget_shared_pending;
use super::parent::notify_parent_cldstop;
use super::send::wake_up;
use super::sighand::{ChildNews, Sighand};
use crate::kernel::task::Task;

/// Asks every thread of the process to stop because of `signo`.
pub(super) fn begin_group_stop(task: &Task, sighand: &mut Sighand, signo: i32) {
    sighand.stop.signo = signo;
    for thread in task.process.threads.lock().iter() {
        let mut signals = thread.signals.lock();
        let takes_part = !signals.stop_pending
            && !thread.exiting.load(Ordering::SeqCst)
            && thread.thread.state.load(Ordering::SeqCst) != state::STOPPED;
        if !takes_part {
            continue;
        }
        signals.stop_pending = true;
        drop(signals);
        sighand.stop.count += 1;
        if thread.tid() != task.tid() {
            wake_up(thread.thread, state::INTERRUPTIBLE);
        }
    }
}

/// Counts the task out of the group stop; the last one makes the process stopped and must tell the parent.
#[doc(alias = "task_participate_group_stop")]
fn participate(task: &Task, sighand: &mut Sighand) -> bool {
    if !core::mem::take(&mut task.signals.lock().stop_pending) {
        return false;
    }
    sighand.stop.count = sighand.stop.count.saturating_sub(1);
    let last = sighand.stop.count == 0;
    if last {
        let mut job = task.process.job.lock();
        job.stopped = Some(sighand.stop.signo);
        job.stop_unreported = true;
        job.continued = false;
    }
    last
}

/// The calling task's part in a group stop: sleeps until SIGCONT or death.
#[doc(alias = "do_signal_stop")]
pub(super) fn stop_here(task: &Task, mut sighand: SpinLockGuard<'_, Sighand>) {
    let last = participate(task, &mut sighand);
    task.thread.set_wchan("do_signal_stop");
    set_current_state(state::STOPPED);
    // A fatal signal may have come before the state was visible.
    if task.thread.has_work(work::EXIT) {
        set_current_state(state::RUNNING);
        return;
    }
    let signo = sighand.stop.signo;
    drop(sighand);
    if last {
        crate::trace::process_stopped(&task.process, signo);
        crate::boot::process_stopped(task, signo);
        notify_parent_cldstop(&task.process, ChildNews::Stopped);
    }
    loop {
        schedule(None);
        if task.thread.state.load(Ordering::SeqCst) == state::RUNNING {
            return;
        }
        // Still stopped: the host has a signal, perhaps the one that continues.
        task.thread.clear_work(work::HOST_SIGNAL);
        translate_host_signals(task, task.thread);
    }
}

/// A task that ends leaves its shared signals to others and no longer holds up a group stop.
pub fn exit_signals(task: &Task) {
    let mut sighand = task.process.sighand.lock();
    task.exiting.store(true, Ordering::SeqCst);
    let unblocked = !task.signals.lock().blocked;
    retarget_shared_pending(task, &sighand, unblocked);
    let last = participate(task, &mut sighand);
    drop(sighand);
    if last {
        notify_parent_cldstop(&task.process, ChildNews::Stopped);
    }
}
