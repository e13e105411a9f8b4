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
use acrida_uapi::fcntl::FASYNC;

use crate::abi::Fd;
use crate::fs::file::File;

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
    file: Weak<File>,
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
    fn join(&self, file: &Arc<File>, fd: Fd) {
        let mut listeners = self.listeners.lock();
        match listeners.iter_mut().find(|listener| listener.file.as_ptr() == Arc::as_ptr(file)) {
            Some(listener) => listener.fd = fd.0,
            None => listeners.push(Listener { file: Arc::downgrade(file), fd: fd.0 }),
        }
        self.len.store(listeners.len(), Ordering::Release);
    }

    #[doc(alias = "fasync_remove_entry")]
    fn leave(&self, file: *const File) {
        let mut listeners = self.listeners.lock();
        listeners.retain(|listener| listener.file.as_ptr() != file);
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
        let targets: Vec<(Arc<File>, i32)> = {
            let listeners = self.listeners.lock();
            listeners.iter().filter_map(|listener| Some((listener.file.upgrade()?, listener.fd))).collect()
        };
        for (file, fd) in targets {
            send_sigio(&file, fd, band);
            crate::fs::file::fput(file);
        }
    }
}

/// Puts the file on its queues or takes it off; `None` when it has none.
#[doc(alias = "fasync_helper")]
pub fn set(file: &Arc<File>, fd: Fd, wanted: Sigio) -> Option<()> {
    let queues = file.ops.fasync(file);
    let mut known = None;
    for queue in queues.into_iter().flatten() {
        match wanted {
            Sigio::On => queue.join(file, fd),
            Sigio::Off => queue.leave(Arc::as_ptr(file)),
        }
        known = Some(());
    }
    known?;
    let flag = if wanted == Sigio::On { FASYNC } else { 0 };
    file.set_flags(file.flags() & !FASYNC | flag);
    Some(())
}

/// Takes a dying file off its queues.
pub fn release(file: &File) {
    if Sigio::of(file.flags()) == Sigio::On {
        for queue in file.ops.fasync(file).into_iter().flatten() {
            queue.leave(file);
        }
    }
}

/// Sends the file's owner its signal.
fn send_sigio(file: &File, _fd: i32, _band: i32) {
    let _owner = *file.owner.lock();
}
