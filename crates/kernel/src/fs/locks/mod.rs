//! Advisory locks on files: `flock`, and record locks of processes (POSIX) and of open files (OFD).
//!
//! The three differ in whose a lock is. A POSIX lock belongs to a descriptor table: a forked child does not have it, and
//! closing *any* descriptor of the file gives it up. OFD and `flock` locks belong to the open file: every copy of the
//! descriptor shares them, and they go with the last one. POSIX and OFD locks cover bytes and exclude each other;
//! `flock` covers the file and knows nothing of them.
//!
//! Whoever must wait sleeps on the file's one queue and tries again after each release. Waiters for POSIX locks are
//! noted in the kernel's [`WaitGraph`](deadlock::WaitGraph); who would close a circle gets `EDEADLK`.
//!
//! - [`range`]: which bytes are held by whom
//! - [`deadlock`]: who waits for whom
//! - [`posix`]: `fcntl(F_SETLK...)`
//! - [`flock`]: `flock`
//! - [`lease`]: `fcntl(F_SETLEASE)`
//! - [`show`]: /proc/locks
//!
//! Mirrors: fs/locks.c, Linux 6.18.
//! Differs: waiters hang on the file, not on the lock that blocks them.
//! Locking: `FileLocks::lists` (Linux's `flc_lock`), then the kernel's `lock_waits`.

use alloc::boxed::Box;
use core::sync::atomic::Ordering;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Error, Restart};

use crate::fs::fdtable::FilesStruct;
use crate::fs::file::File;
use crate::{current, kernel};
use flock::FlockList;
use lease::LeaseList;
use range::{LAST, Owner, Range, RecordLock, RecordLocks};

pub mod deadlock;
pub mod flock;
pub mod lease;
pub mod posix;
pub mod range;
pub mod show;

const WHOLE_FILE: Range = Range { first: 0, last: LAST };

#[derive(Default)]
struct Lists {
    records: RecordLocks,
    flocks: FlockList,
    leases: LeaseList,
}

/// The locks of one inode; made by the first.
#[doc(alias = "file_lock_context")]
#[derive(Default)]
pub struct FileLocks {
    lists: SpinLock<Lists>,
    waiters: WaitQueueHead,
}

/// How a request ends that finds somebody else's lock in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    Fail,
    Wait,
}

impl FileLocks {
    /// The locks of what `file` has open.
    #[doc(alias = "locks_get_lock_context")]
    pub fn of(file: &File) -> &FileLocks {
        file.used_locks.store(true, Ordering::Relaxed);
        let slot = &file.inode_common().locks;
        loop {
            if let Some(locks) = slot.get() {
                return locks;
            }
            // Lost to another first user: theirs serves, in a moment.
            let _ = slot.set(Box::default());
        }
    }

    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Makes everybody who waits here try again.
    #[doc(alias = "locks_wake_up_blocks")]
    fn wake(&self) {
        if self.waiters.is_active() {
            kernel().lock_waits.lock().forget_place(self.address());
            self.waiters.wake_all(0);
        }
    }

    /// Tries until `attempt` succeeds, as `on_conflict` says.
    fn acquire(
        &self,
        on_conflict: OnConflict,
        mut attempt: impl FnMut(&mut Lists) -> Option<Result<(), Errno>>,
    ) -> Result<(), Error> {
        let tried = attempt(&mut self.lists.lock());
        match (tried, on_conflict) {
            (Some(done), _) => Ok(done?),
            (None, OnConflict::Fail) => Err(Errno::EAGAIN.into()),
            (None, OnConflict::Wait) => {
                let options = WaitOptions::interruptible("locks_lock_inode_wait");
                let done = self.waiters.wait_event(options, || attempt(&mut self.lists.lock()));
                kernel().lock_waits.lock().forget(current().tid());
                Ok(done.map_err(|_| Restart::ERESTARTSYS)??)
            }
        }
    }

    /// Takes a record lock.
    ///
    /// # Errors
    /// `EAGAIN` or a wait when somebody else's is in the way, `EDEADLK` when the wait would never end.
    fn set_record(&self, wanted: RecordLock, on_conflict: OnConflict) -> Result<(), Error> {
        self.acquire(on_conflict, |lists| match lists.records.conflict(&wanted) {
            None => {
                // A write lock turned into a read lock lets readers in.
                let held_some = lists.records.own(wanted.owner, wanted.range).is_some();
                lists.records.set(wanted);
                if held_some {
                    self.wake();
                }
                Some(Ok(()))
            }
            Some(conflict) if on_conflict == OnConflict::Wait && self.closes_circle(&wanted, conflict.owner) => {
                Some(Err(Errno::EDEADLK))
            }
            Some(_) => None,
        })
    }

    /// Notes a wait for `holder`; whether it can be foreseen not to end. Waits for or of open files are not judged.
    #[doc(alias = "posix_locks_deadlock")]
    fn closes_circle(&self, wanted: &RecordLock, holder: Owner) -> bool {
        matches!(wanted.owner, Owner::Table(_))
            && !kernel().lock_waits.lock().wait(current().tid(), self.address(), wanted.owner, holder)
    }

    fn clear_records(&self, owner: Owner, range: Range) {
        let mut lists = self.lists.lock();
        if lists.records.clear(owner, range) {
            self.wake();
        }
    }

    /// The file's last reference is gone: its OFD and `flock` locks go.
    #[doc(alias = "locks_remove_file")]
    pub fn file_closed(&self, file: &File) {
        let owner = owner_of_file(file);
        self.clear_records(owner, WHOLE_FILE);
        self.clear_flock(owner);
        self.clear_lease(owner);
    }

    /// A descriptor of the file was closed in `files`: that table's POSIX locks go.
    #[doc(alias = "locks_remove_posix")]
    pub fn table_closed(&self, files: &FilesStruct) {
        self.clear_records(owner_of_table(files), WHOLE_FILE);
    }
}

fn owner_of_file(file: &File) -> Owner {
    Owner::File(file.id())
}

fn owner_of_table(files: &FilesStruct) -> Owner {
    Owner::Table(files.id())
}
