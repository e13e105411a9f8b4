//! SIGIO: who is told by a signal that a file became ready (`O_ASYNC`, `F_SETOWN`, `F_SETSIG`).
//!
//! Mirrors: fs/fcntl.c (`fasync_helper`, `kill_fasync`, `send_sigio`), Linux 6.18.
//! Differs: a file names its queues (`FileOperations::fasync`) and this file puts it on them or takes it off; an entry
//! holds the file weakly.
//! Locking: a queue's lock is a leaf; signals are sent after it was dropped.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_uapi::epoll::*;
use acrida_uapi::fcntl::FASYNC;
use acrida_uapi::siginfo::{POLL_ERR, POLL_IN, POLL_MSG, POLL_OUT, POLL_PRI, SI_SIGIO, SigInfo};
use acrida_uapi::signal::{SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGIO, SIGSEGV, SIGSYS, SIGTRAP, SIGURG};

use crate::abi::Fd;
use crate::fs::file::{File, FileOwner, FileRef, Hears, WeakFile};
use crate::kernel;
use crate::kernel::cred::Cred;
use crate::kernel::pid::Tables;
use crate::kernel::signal::{Target, send_signal};
use crate::kernel::task::{Pid, Process, Task};

/// Whether a file wants `SIGIO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sigio {
    On,
    Off,
}

impl Sigio {
    pub fn of(flags: u32) -> Sigio {
        if flags & FASYNC != 0 { Sigio::On } else { Sigio::Off }
    }
}

/// One file that wants to hear.
#[doc(alias = "fasync_struct")]
struct Listener {
    file: WeakFile,
    /// The descriptor it was asked for with, for `si_fd`.
    fd: i32,
}

/// Files to be told of one kind of event.
#[derive(Default)]
pub struct FasyncQueue {
    listeners: SpinLock<Vec<Listener>>,
    /// Lets an event nobody listens to cost one load.
    len: AtomicUsize,
}

/// The queues a file belongs to, at most one per direction.
pub type FasyncQueues<'a> = [Option<&'a FasyncQueue>; 2];

impl FasyncQueue {
    pub const fn new() -> Self {
        FasyncQueue { listeners: SpinLock::new(Vec::new()), len: AtomicUsize::new(0) }
    }

    #[doc(alias = "fasync_add_entry")]
    fn join(&self, file: &FileRef, fd: Fd) {
        let mut listeners = self.listeners.lock();
        match listeners.iter_mut().find(|listener| listener.file.as_ptr() == FileRef::as_ptr(file)) {
            Some(listener) => listener.fd = fd.0,
            None => listeners.push(Listener { file: FileRef::downgrade(file), fd: fd.0 }),
        }
        self.len.store(listeners.len(), Ordering::Release);
    }

    /// Takes the listeners off that `gone` names.
    #[doc(alias = "fasync_remove_entry")]
    fn leave(&self, gone: impl Fn(&Listener) -> bool) {
        let mut listeners = self.listeners.lock();
        listeners.retain(|listener| !gone(listener));
        self.len.store(listeners.len(), Ordering::Release);
    }

    /// Tells every listener; `band` is a `POLL_*` code.
    #[doc(alias = "kill_fasync")]
    #[inline]
    pub fn kill(&self, band: i32) {
        if self.len.load(Ordering::Acquire) != 0 {
            self.kill_slow(band);
        }
    }

    #[cold]
    fn kill_slow(&self, band: i32) {
        let targets: Vec<(FileRef, i32)> = {
            let listeners = self.listeners.lock();
            listeners.iter().filter_map(|listener| Some((listener.file.upgrade()?, listener.fd))).collect()
        };
        for (file, fd) in targets {
            send_sigio(&file, fd, band);
        }
    }
}

/// Puts the file on its queues or takes it off; `None` when it has none.
#[doc(alias = "fasync_helper")]
pub fn set(file: &FileRef, fd: Fd, wanted: Sigio) -> Option<()> {
    let queues = file.ops.fasync(file);
    let mut known = None;
    for queue in queues.into_iter().flatten() {
        match wanted {
            Sigio::On => queue.join(file, fd),
            Sigio::Off => queue.leave(|listener| listener.file.as_ptr() == FileRef::as_ptr(file)),
        }
        known = Some(());
    }
    known?;
    file.note_flags(FASYNC, if wanted == Sigio::On { FASYNC } else { 0 });
    Some(())
}

/// Takes a dying file off its queues.
pub fn release(file: &File) {
    if Sigio::of(file.flags()) == Sigio::On {
        for queue in file.ops.fasync(file).into_iter().flatten() {
            queue.leave(|listener| listener.file.strong_count() == 0);
        }
    }
}

/// Sends the file's owner its signal.
pub fn send_sigio(file: &File, fd: i32, band: i32) {
    let owner = file.owner.lock().clone();
    let info = match owner.signum {
        0 => SigInfo::kernel(SIGIO),
        signo => SigInfo::poll(signo, code_for(signo, band), i64::from(events_of(band)), fd),
    };
    send_to_owner(&owner, info);
}

/// Tells the file's owner, if it has one, of urgent data.
pub fn send_sigurg(file: &File) {
    let owner = file.owner.lock().clone();
    send_to_owner(&owner, SigInfo::kernel(SIGURG));
}

/// One who is told.
pub enum Listening {
    Thread(Arc<Task>),
    Process(Arc<Process>),
}

impl Hears {
    /// Whether nobody was ever named.
    pub fn is_nobody(&self) -> bool {
        match self {
            Hears::Thread(task) => task.ptr_eq(&Weak::new()),
            Hears::Process(process) => process.ptr_eq(&Weak::new()),
            Hears::ProcessOf(task) => task.ptr_eq(&Weak::new()),
            Hears::Group(pgrp) => *pgrp == 0,
        }
    }

    /// References to those; to be given up without the pid table's lock, as they may be the last ones.
    pub fn upgrade(&self) -> Named {
        match self {
            Hears::Thread(task) => Named::Thread(task.upgrade()),
            Hears::Process(process) => Named::Process(process.upgrade()),
            Hears::ProcessOf(task) => Named::ProcessOf(task.upgrade()),
            Hears::Group(pgrp) => Named::Group(*pgrp),
        }
    }
}

/// [`Hears`], kept alive.
pub enum Named {
    Thread(Option<Arc<Task>>),
    Process(Option<Arc<Process>>),
    ProcessOf(Option<Arc<Task>>),
    Group(Pid),
}

impl Named {
    /// Those who are still there to hear.
    pub fn listeners(&self, tables: &Tables) -> Vec<Listening> {
        let is_task = |task: &&Arc<Task>| tables.tasks.get(&task.tid()).is_some_and(|now| Arc::ptr_eq(now, task));
        let is_process =
            |process: &&Arc<Process>| tables.processes.get(&process.tgid).is_some_and(|now| Arc::ptr_eq(now, process));
        let thread = |task: &Arc<Task>| Listening::Thread(task.clone());
        let process = |process: &Arc<Process>| Listening::Process(process.clone());
        match self {
            Named::Thread(task) => task.iter().filter(is_task).map(thread).collect(),
            Named::Process(named) => named.iter().filter(is_process).map(process).collect(),
            Named::ProcessOf(task) => task.iter().filter(is_task).map(|task| process(&task.process)).collect(),
            Named::Group(0) => Vec::new(),
            Named::Group(pgrp) => tables.group(*pgrp).iter().map(process).collect(),
        }
    }
}

fn send_to_owner(owner: &FileOwner, info: SigInfo) {
    let named = owner.hears.upgrade();
    // Under the table's lock, as kill: no child of a group's member is missed.
    let tables = kernel().pids.lock();
    for listening in named.listeners(&tables) {
        match listening {
            Listening::Thread(task) if may_signal(owner, &task.cred()) => deliver(Target::Task(&task), info),
            Listening::Thread(_) => {}
            Listening::Process(process) => {
                let leader = process.threads.lock().first().cloned();
                if leader.is_some_and(|leader| may_signal(owner, &leader.cred())) {
                    deliver(Target::Process(&process), info);
                }
            }
        }
    }
}

/// A queued signal that finds no room becomes a plain `SIGIO`.
#[doc(alias = "send_sigio_to_task")]
fn deliver(target: Target<'_>, info: SigInfo) {
    if send_signal(target, info.into()).is_err() {
        // A classic signal needs no room.
        let _ = send_signal(target, SigInfo::kernel(SIGIO).into());
    }
}

/// Whether whoever became the file's owner-setter may signal a task with these credentials.
#[doc(alias = "sigio_perm")]
fn may_signal(owner: &FileOwner, cred: &Cred) -> bool {
    owner.euid == 0 || [cred.suid, cred.uid].iter().any(|id| [owner.euid, owner.uid].contains(id))
}

/// `si_code`: the band, unless the signal has codes of its own that could be mistaken for it.
fn code_for(signo: i32, band: i32) -> i32 {
    let own_codes = matches!(signo, SIGILL | SIGFPE | SIGSEGV | SIGBUS | SIGTRAP | SIGCHLD | SIGSYS);
    if own_codes { SI_SIGIO } else { band }
}

/// `si_band` for a `POLL_*` code.
#[doc(alias = "band_table")]
fn events_of(band: i32) -> u32 {
    match band {
        POLL_IN => EPOLLIN | EPOLLRDNORM,
        POLL_OUT => EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
        POLL_MSG => EPOLLIN | EPOLLRDNORM | EPOLLMSG,
        POLL_ERR => EPOLLERR,
        POLL_PRI => EPOLLPRI | EPOLLRDBAND,
        _ => EPOLLHUP | EPOLLERR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_with_codes_of_their_own_do_not_get_the_band() {
        assert_eq!(code_for(SIGIO, POLL_IN), POLL_IN);
        assert_eq!(code_for(40, POLL_OUT), POLL_OUT);
        assert_eq!(code_for(SIGCHLD, POLL_IN), SI_SIGIO);
    }
}
