//! Sending: what is dropped, where a signal queues, who is woken for it.
//!
//! Mirrors: kernel/signal.c (`prepare_signal`, `__send_signal_locked`, `complete_signal`, `force_sig_info_to_task`),
//! Linux 6.18.
//! Differs: a fatal signal marks the group exit here, as on Linux, but threads learn it from `work::EXIT`, not from a queued
//! SIGKILL. `RLIMIT_SIGPENDING` counts a process's queue, not a user's. A process without threads (init, a zombie) takes
//! nothing.
//! Locking: `Process::sighand`, then `Process::threads`, then `Task::signals`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_kcore::sched::state;
use acrida_kcore::thread::{self, Thread, work};
use acrida_uapi::errno::Errno;
use acrida_uapi::resource::RLIMIT_SIGPENDING;
use acrida_uapi::siginfo::{SI_USER, SigInfo};
use acrida_uapi::signal::{SIG_IGN, SIGCONT, SIGKILL, SIGRTMIN, SigSet};
use acrida_uapi::wait::WaitStatus;

use super::queue::Queued;
use super::sighand::{ChildNews, Sighand};
use crate::kernel::task::{Process, Task};
use crate::kernel::time::posix_timers::PosixTimer;

/// Who is to take a signal.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// Only this thread.
    Task(&'a Task),
    /// Any thread of the process.
    Process(&'a Arc<Process>),
}

impl<'a> Target<'a> {
    fn process(self) -> &'a Arc<Process> {
        match self {
            Target::Task(task) => &task.process,
            Target::Process(process) => process,
        }
    }
}

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Queued,
    /// An ordinary signal that was pending already.
    AlreadyPending,
    /// Nobody would notice it.
    Ignored,
}

/// Sends to one thread; for the kernel's own use, where there is nobody to tell of a full queue.
#[doc(alias = "send_sig_info")]
pub fn send_to_task(info: SigInfo, task: &Task) {
    let _ = send_signal(Target::Task(task), info.into());
}

/// Sends to the calling thread as if it had done so itself (`SIGPIPE`).
#[doc(alias = "send_sig")]
pub fn send_sig_self(signo: i32) {
    let task = crate::current();
    send_to_task(SigInfo::kill(signo, SI_USER, task.process.tgid.cast_signed(), task.cred().uid), task);
}

/// Sends to a process; as [`send_to_task`].
#[doc(alias = "group_send_sig_info")]
pub fn send_to_process(info: SigInfo, process: &Arc<Process>) {
    let _ = send_signal(Target::Process(process), info.into());
}

/// Sends a signal.
///
/// # Errors
/// `EAGAIN` when a queued real-time signal would pass `RLIMIT_SIGPENDING`.
#[doc(alias = "do_send_sig_info")]
pub fn send_signal(target: Target<'_>, queued: Queued) -> Result<Sent, Errno> {
    let mut sighand = target.process().sighand.lock();
    send_locked(target, &mut sighand, queued)
}

/// Sends a timer's signal, which is in no queue; the timer is told when it is ignored.
#[doc(alias = "posixtimer_send_sigqueue")]
pub fn send_timer_signal(target: Target<'_>, timer: &PosixTimer) {
    send_timer_signal_locked(target, &mut target.process().sighand.lock(), timer);
}

/// [`send_timer_signal`] for a caller that holds the process's `sighand`.
pub(super) fn send_timer_signal_locked(target: Target<'_>, sighand: &mut Sighand, timer: &PosixTimer) {
    let Some(queued) = timer.signal(target.process()) else { return };
    if send_locked(target, sighand, queued) == Ok(Sent::Ignored) {
        timer.signal_ignored();
    }
}

/// [`send_signal`] for a caller that holds the process's `sighand`.
#[doc(alias = "__send_signal_locked")]
pub(super) fn send_locked(target: Target<'_>, sighand: &mut Sighand, queued: Queued) -> Result<Sent, Errno> {
    let process = target.process();
    let info = queued.info;
    let signo = info.si_signo;
    if !prepare_signal(target, sighand, signo) {
        return Ok(Sent::Ignored);
    }
    let limit = process.rlimit(RLIMIT_SIGPENDING as usize).rlim_cur;
    let enqueue = |pending: &mut super::queue::SigPending| {
        if signo < SIGRTMIN && queued.timer.is_none() && pending.set().has(signo) {
            return Ok(Sent::AlreadyPending);
        }
        // Ordinary signals from the kernel or from kill are told even when the queue is full.
        let exempt = queued.timer.is_some() || (signo < SIGRTMIN && info.si_code >= SI_USER);
        if exempt || (pending.len() as u64) < limit {
            pending.push(queued);
        } else if signo >= SIGRTMIN && info.si_code != SI_USER {
            return Err(Errno::EAGAIN);
        } else {
            pending.mark(signo);
        }
        Ok(Sent::Queued)
    };
    let sent = match target {
        Target::Task(task) => enqueue(&mut task.signals.lock().pending)?,
        Target::Process(_) => enqueue(&mut sighand.shared)?,
    };
    if sent == Sent::Queued {
        sighand.signalfd.wake_all(u32::from(acrida_uapi::poll::POLLIN));
        complete_signal(target, sighand, signo);
    }
    Ok(sent)
}

/// The side effects of stop and continue signals; whether the signal is to be queued.
fn prepare_signal(target: Target<'_>, sighand: &mut Sighand, signo: i32) -> bool {
    let process = target.process();
    let threads = process.threads.lock();
    if threads.is_empty() || process.group_exit.load(Ordering::SeqCst) != -1 {
        return false;
    }
    if SigSet::STOP.has(signo) {
        let continues = SigSet::of(&[SIGCONT]);
        sighand.shared.flush(continues);
        for task in threads.iter() {
            task.signals.lock().pending.flush(continues);
        }
    } else if signo == SIGCONT {
        continue_process(process, sighand, &threads);
    }
    let blocks = |task: &Task| {
        let signals = task.signals.lock();
        signals.blocked.union(signals.real_blocked).has(signo)
    };
    // What is blocked is never ignored: its action may have changed by the time it is unblocked.
    let blocked = match target {
        Target::Task(task) => blocks(task),
        Target::Process(_) => first_choice(process, &threads).is_some_and(|task| blocks(task)),
    };
    blocked || !sighand.is_ignored(signo)
}

/// SIGCONT's effect, which it has even when it is blocked, caught or ignored.
fn continue_process(process: &Process, sighand: &mut Sighand, threads: &[Arc<Task>]) {
    sighand.stop.continued = sighand.stop.continued.wrapping_add(1);
    sighand.shared.flush(SigSet::STOP);
    for task in threads {
        let mut signals = task.signals.lock();
        signals.pending.flush(SigSet::STOP);
        signals.stop_pending = false;
        drop(signals);
    }
    let mut job = process.job.lock();
    // A stop that was under way is reported as a stop, and followed by a continuation only for wait.
    let news = match (job.stopped, sighand.stop.count) {
        (Some(_), _) => Some(ChildNews::Continued),
        (None, 0) => None,
        (None, _) => Some(ChildNews::Stopped),
    };
    if news.is_some() {
        sighand.stop.news = news;
        sighand.stop.count = 0;
        job.stopped = None;
        job.stop_unreported = false;
        job.continued = true;
    }
    drop(job);
    for task in threads {
        // Whoever wakes tells the parent.
        if news.is_some() {
            task.thread.set_work(work::SIGPENDING);
        }
        task.thread.wake_up_state(state::STOPPED);
    }
}

/// The thread that a signal for the process is offered first: its leader, or the oldest one left.
fn first_choice<'t>(process: &Process, threads: &'t [Arc<Task>]) -> Option<&'t Arc<Task>> {
    threads.iter().find(|t| t.tid() == process.tgid).or_else(|| threads.first())
}

fn wants_signal(task: &Task, signo: i32) -> bool {
    if task.signals.lock().blocked.has(signo) || task.exiting.load(Ordering::SeqCst) {
        return false;
    }
    if signo == SIGKILL {
        return true;
    }
    let run_state = task.thread.state.load(Ordering::SeqCst);
    if run_state == state::STOPPED {
        return false;
    }
    is_current(task.thread) || run_state == state::RUNNING || !task.thread.has_work(work::SIGPENDING)
}

/// Finds a thread to take the signal and wakes it; a fatal signal ends the whole process at once.
fn complete_signal(target: Target<'_>, sighand: &mut Sighand, signo: i32) {
    let process = target.process();
    let threads = process.threads.lock();
    let chosen = match target {
        Target::Task(task) => wants_signal(task, signo).then_some(task),
        Target::Process(_) => choose_thread(process, sighand, &threads, signo),
    };
    // If nobody wants it now, whoever unblocks it will find it.
    let Some(chosen) = chosen else { return };
    let kills = sighand.is_fatal(signo)
        && !chosen.signals.lock().real_blocked.has(signo)
        && (signo == SIGKILL || !SigSet::COREDUMP.has(signo));
    if kills {
        kill_threads(process, &threads, WaitStatus::signaled(signo, false));
    } else {
        wake_up(chosen.thread, state::INTERRUPTIBLE);
    }
}

fn choose_thread<'t>(process: &Process, sighand: &mut Sighand, threads: &'t [Arc<Task>], signo: i32) -> Option<&'t Task> {
    let first = first_choice(process, threads)?;
    if wants_signal(first, signo) {
        return Some(first);
    }
    let start = sighand.next_target % threads.len();
    let at = (start..threads.len()).chain(0..start).find(|&at| wants_signal(&threads[at], signo))?;
    sighand.next_target = at;
    Some(&threads[at])
}

/// Marks the group exit and sends every thread to it.
fn kill_threads(process: &Process, threads: &[Arc<Task>], status: WaitStatus) {
    // An exit under way keeps its own status.
    let _ = process.group_exit.compare_exchange(-1, status.raw(), Ordering::SeqCst, Ordering::SeqCst);
    for task in threads {
        task.thread.set_work(work::EXIT);
        wake_up(task.thread, state::NORMAL | state::STOPPED);
    }
}

fn is_current(thread: &Thread) -> bool {
    core::ptr::eq(thread, thread::current())
}

/// Makes a thread look at its signals, in whichever of `states` it sleeps, or in guest code.
#[doc(alias = "signal_wake_up")]
pub(super) fn wake_up(thread: &Thread, states: u32) {
    thread.set_work(work::SIGPENDING);
    // The caller is in the kernel and will look on its way out.
    if !is_current(thread) && !thread.wake_up_state(states) {
        platform().interrupt(thread);
    }
}

/// Sends what a thread cannot refuse: blocked or ignored, it meets the default action.
#[doc(alias = "force_sig_info")]
pub fn force_sig(info: SigInfo, task: &Task) {
    force(info, task, Handler::Keep);
}

/// As [`force_sig`], but a handler gets no chance either.
pub fn force_fatal_sig(signo: i32, task: &Task) {
    force(SigInfo::kernel(signo), task, Handler::Default);
}

#[derive(PartialEq, Eq)]
enum Handler {
    Keep,
    Default,
}

#[doc(alias = "force_sig_info_to_task")]
fn force(info: SigInfo, task: &Task, handler: Handler) {
    let signo = info.si_signo;
    let mut sighand = task.process.sighand.lock();
    let blocked = task.signals.lock().blocked.has(signo);
    if blocked || handler == Handler::Default || sighand.action(signo).sa_handler == SIG_IGN {
        sighand.reset_handler(signo);
        task.signals.lock().blocked.del(signo);
    }
    // Never over the limit: it is the kernel's own.
    let _ = send_locked(Target::Task(task), &mut sighand, info.into());
    task.thread.set_work(work::SIGPENDING);
}
