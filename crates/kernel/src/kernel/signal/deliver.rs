//! Taking a signal on the way to user mode, and doing what its action says.
//!
//! Mirrors: kernel/signal.c (`get_signal`), arch/x86/kernel/signal.c (`arch_do_signal_or_restart`), Linux 6.18.
//! Differs: one handler is set up per pass; the exit loop comes again while more is deliverable, so frames nest as on Linux.
//! Locking: `Process::sighand` while a signal is chosen; none while its frame is written.

use core::sync::atomic::Ordering;

use acrida_kcore::regs::UserFrame;
use acrida_kcore::sync::SpinLockGuard;
use acrida_kcore::thread::work;
use acrida_uapi::siginfo::{SI_KERNEL, SigInfo};
use acrida_uapi::signal::{
    KernelSigaction, SA_NODEFER, SA_RESETHAND, SIG_DFL, SIG_IGN, SIGALRM, SIGKILL, SIGSEGV, SIGSTOP, SigSet,
};
use acrida_uapi::wait::WaitStatus;

use super::mask::{has_deliverable, restore_saved_sigmask, set_blocked_locked};
use super::parent::notify_parent_cldstop;
use super::queue::Queued;
use super::restart::{apply, resolve};
use super::send::{force_fatal_sig, force_sig};
use super::sighand::{Sighand, blockable};
use super::{frame, stop};
use crate::kernel::exit::{do_exit, do_group_exit};
use crate::kernel::task::Task;

/// A signal for which a handler must run.
struct Caught {
    info: SigInfo,
    action: KernelSigaction,
}

/// The signal part of the way to user mode; called again while there is work.
pub fn exit_work(task: &Task, user: &mut UserFrame) {
    task.thread.clear_work(work::STOP);
    let restart = task.restart.take();
    match get_signal(task) {
        Some(caught) => {
            if let Some(restart) = restart {
                apply(resolve(restart, Some(caught.action.sa_flags)), &mut user.regs);
            }
            handle_signal(task, user, &caught);
        }
        None => {
            if let Some(restart) = restart {
                apply(resolve(restart, None), &mut user.regs);
            }
            // Nothing ended the call that had replaced the mask.
            restore_saved_sigmask(task);
        }
    }
    // The registers are no longer those that the call left.
    user.regs.orig_rax = u64::MAX;
    if user.regs.rip >= frame::CANONICAL_END {
        // Sets work, so that the loop comes here again before anything jumps.
        force_sig(SigInfo::fault(SIGSEGV, SI_KERNEL, 0), task);
    }
}

/// Takes what is pending until a handler has to run; stops, ends or ignores on the way.
fn get_signal(task: &Task) -> Option<Caught> {
    loop {
        if task.thread.has_work(work::EXIT) {
            leave(task);
        }
        let mut sighand = task.process.sighand.lock();
        if let Some(news) = sighand.stop.news.take() {
            drop(sighand);
            notify_parent_cldstop(&task.process, news);
            continue;
        }
        if task.signals.lock().stop_pending {
            stop::stop_here(task, sighand);
            continue;
        }
        let Some(queued) = dequeue(task, &mut sighand, None) else {
            // Under the lock: a sender that comes later sets it again.
            task.thread.clear_work(work::SIGPENDING);
            return None;
        };
        let signo = queued.info.si_signo;
        let action = sighand.action(signo);
        crate::trace::signal_taken(task, &queued.info, action.sa_handler);
        match action.sa_handler {
            SIG_IGN => {}
            SIG_DFL => default_action(task, sighand, signo),
            _ => {
                if action.sa_flags & SA_RESETHAND != 0 {
                    sighand.reset_handler(signo);
                }
                return Some(Caught { info: queued.info, action });
            }
        }
    }
}

/// The thread ends with its process, or alone when another thread is at exec.
fn leave(task: &Task) -> ! {
    do_exit(match task.process.group_exit.load(Ordering::SeqCst) {
        -1 => WaitStatus::signaled(SIGKILL, false),
        status => WaitStatus::from_raw(status),
    })
}

fn default_action<'a>(task: &'a Task, mut sighand: SpinLockGuard<'a, Sighand>, signo: i32) {
    if SigSet::IGNORE.has(signo) {
        return;
    }
    if !SigSet::STOP.has(signo) {
        drop(sighand);
        // No core file is written, so none is claimed.
        do_group_exit(WaitStatus::signaled(signo, false));
    }
    if signo != SIGSTOP {
        // Nobody could continue an orphaned group. The look needs the pid table, which comes before this lock.
        let continued = sighand.stop.continued;
        drop(sighand);
        let pgrp = task.process.relations.lock().pgrp;
        if task.kernel.pids.lock().is_orphaned(pgrp, None) {
            return;
        }
        sighand = task.process.sighand.lock();
        if sighand.stop.continued != continued {
            return;
        }
    }
    stop::begin_group_stop(task, &mut sighand, signo);
    if task.signals.lock().stop_pending {
        stop::stop_here(task, sighand);
    }
}

/// Takes the next signal that is not blocked: faults first, then the task's own, then the process's. `wanted` narrows the
/// choice for `rt_sigtimedwait` and signalfd.
#[doc(alias = "dequeue_signal")]
pub fn dequeue(task: &Task, sighand: &mut Sighand, wanted: Option<SigSet>) -> Option<Queued> {
    loop {
        let mut queued = dequeue_any(task, sighand, wanted)?;
        match queued.timer.take() {
            // Its timer has disowned it.
            Some(timer) if !timer.signal_taken(&mut queued.info) => {}
            _ => return Some(queued),
        }
    }
}

fn dequeue_any(task: &Task, sighand: &mut Sighand, wanted: Option<SigSet>) -> Option<Queued> {
    let mut signals = task.signals.lock();
    let blocked = wanted.map_or(signals.blocked, |set| !set);
    let synchronous = if wanted.is_none() { signals.pending.dequeue_synchronous(blocked) } else { None };
    let own = synchronous.or_else(|| signals.pending.dequeue(blocked));
    drop(signals);
    if own.is_some() {
        return own;
    }
    let queued = sighand.shared.dequeue(blocked)?;
    if queued.info.si_signo == SIGALRM {
        // The interval timer goes on only when its signal has been taken.
        task.process.timers.real.signal_taken();
    }
    Some(queued)
}

/// Builds the frame and blocks what must not interrupt the handler.
fn handle_signal(task: &Task, user: &mut UserFrame, caught: &Caught) {
    let signo = caught.info.si_signo;
    let saved = task.saved_sigmask.take();
    let mask = saved.unwrap_or(task.signals.lock().blocked);
    if frame::setup(task, user, &caught.info, &caught.action, mask).is_err() {
        if let Some(mask) = saved {
            task.saved_sigmask.set(Some(mask));
        }
        signal_setup_failed(task, signo);
        return;
    }
    let sighand = task.process.sighand.lock();
    let mut blocked = task.signals.lock().blocked.union(caught.action.sa_mask);
    if caught.action.sa_flags & SA_NODEFER == 0 {
        blocked.add(signo);
    }
    set_blocked_locked(task, &sighand, blockable(blocked));
    if !has_deliverable(task, &sighand) {
        task.thread.clear_work(work::SIGPENDING);
    }
}

/// There is no room for the frame: SIGSEGV, and no second chance for it.
#[doc(alias = "force_sigsegv")]
pub(super) fn signal_setup_failed(task: &Task, signo: i32) {
    if signo == SIGSEGV {
        force_fatal_sig(SIGSEGV, task);
    } else {
        force_sig(SigInfo::kernel(SIGSEGV), task);
    }
}
