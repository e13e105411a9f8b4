//! Leases: a promise to tell the holder before somebody else opens the file in a way that conflicts.
//!
//! Mirrors: fs/locks.c (`generic_setlease`, `__break_lease`), Linux 6.18.
//! Differs: who breaks a lease waits on the file's queue like everybody else; expiry is looked at by the waiters.
//! Locking: the list lies under `FileLocks::lists`; the holder is told after it was dropped.

use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::wait::{WaitError, WaitOptions};
use acrida_uapi::capability::CAP_LEASE;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::{F_RDLCK, F_UNLCK, F_WRLCK, O_ACCMODE, O_NONBLOCK, O_RDONLY};
use acrida_uapi::siginfo::POLL_MSG;

use super::range::{Kind, Owner};
use super::{FileLocks, owner_of_file};
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::fasync::send_sigio;
use crate::fs::fcntl::set_owner_if_none;
use crate::fs::file::{File, FileRef, WeakFile};
use crate::fs::inode::InodeCommon;

/// How long a holder may take (`/proc/sys/fs/lease-break-time`).
const LEASE_BREAK_NS: u64 = 45_000_000_000;

/// What a holder was asked to come down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    #[doc(alias = "FL_DOWNGRADE_PENDING")]
    Read,
    #[doc(alias = "FL_UNLOCK_PENDING")]
    Nothing,
}

#[derive(Debug)]
struct Lease {
    holder: Owner,
    file: WeakFile,
    /// The descriptor it was asked for with, for `si_fd`.
    fd: i32,
    kind: Kind,
    asked: Option<Asked>,
}

/// The leases of one file: several for reading, or one for writing.
#[derive(Debug, Default)]
pub struct LeaseList {
    held: Vec<Lease>,
}

impl LeaseList {
    /// `F_*LCK` as `F_GETLEASE` reports it: what is left once the holder did what it was asked.
    #[doc(alias = "target_leasetype")]
    fn kind_of(&self, holder: Owner) -> i16 {
        match self.held.iter().find(|lease| lease.holder == holder) {
            None => F_UNLCK,
            Some(Lease { asked: Some(Asked::Nothing), .. }) => F_UNLCK,
            Some(Lease { asked: Some(Asked::Read), .. }) | Some(Lease { kind: Kind::Read, .. }) => F_RDLCK,
            Some(_) => F_WRLCK,
        }
    }

    fn remove(&mut self, holder: Owner) -> bool {
        let before = self.held.len();
        self.held.retain(|lease| lease.holder != holder);
        self.held.len() < before
    }

    /// Whether another holder keeps `holder` from a lease of this kind.
    fn refuses(&self, holder: Owner, kind: Kind) -> bool {
        let others = self.held.iter().filter(|lease| lease.holder != holder);
        others.into_iter().any(|lease| kind == Kind::Write || lease.asked == Some(Asked::Nothing))
    }

    fn conflicts(&self, opener: Kind) -> bool {
        self.held.iter().any(|lease| lease.kind.conflicts(opener))
    }

    /// Notes what `opener` needs of each holder; gives those who must be told.
    fn ask(&mut self, opener: Kind) -> Vec<(WeakFile, i32)> {
        let wanted = if opener == Kind::Write { Asked::Nothing } else { Asked::Read };
        let in_the_way = self.held.iter_mut().filter(|lease| lease.kind.conflicts(opener));
        in_the_way
            .filter_map(|lease| {
                let news = lease.asked.is_none() || lease.asked == Some(Asked::Read) && wanted == Asked::Nothing;
                lease.asked = if news { Some(wanted) } else { lease.asked };
                news.then(|| (lease.file.clone(), lease.fd))
            })
            .collect()
    }

    /// Does for the holders what they were asked and did not do in time.
    #[doc(alias = "time_out_leases")]
    fn expire(&mut self) {
        self.held.retain(|lease| lease.asked != Some(Asked::Nothing));
        for lease in &mut self.held {
            if lease.asked.take() == Some(Asked::Read) {
                lease.kind = Kind::Read;
            }
        }
    }
}

impl FileLocks {
    /// Gives the file a lease, or changes the one it has.
    #[doc(alias = "generic_add_lease")]
    fn set_lease(&self, file: &FileRef, fd: Fd, kind: Kind, inode: &InodeCommon) -> Result<(), Errno> {
        let holder = owner_of_file(file);
        let mut lists = self.lists.lock();
        if lists.leases.refuses(holder, kind) || is_open_otherwise(file, kind, inode) {
            return Err(Errno::EAGAIN);
        }
        match lists.leases.held.iter_mut().find(|lease| lease.holder == holder) {
            Some(lease) => (lease.kind, lease.asked) = (kind, None),
            None => {
                let file = FileRef::downgrade(file);
                lists.leases.held.push(Lease { holder, file, fd: fd.0, kind, asked: None });
            }
        }
        self.wake();
        Ok(())
    }

    /// Whether there was a lease to give up.
    pub(super) fn clear_lease(&self, holder: Owner) -> bool {
        let mut lists = self.lists.lock();
        let held = lists.leases.remove(holder);
        if held {
            self.wake();
        }
        held
    }

    /// Asks the holders of conflicting leases to give way to an open with `flags`, and waits until they do or their time
    /// is over.
    ///
    /// # Errors
    /// `EWOULDBLOCK` with `O_NONBLOCK` (the holders were asked), `ERESTARTSYS`.
    #[doc(alias = "__break_lease")]
    pub fn break_lease(&self, flags: u32) -> Result<(), Error> {
        let opener = if flags & O_ACCMODE == O_RDONLY { Kind::Read } else { Kind::Write };
        loop {
            let mut lists = self.lists.lock();
            if !lists.leases.conflicts(opener) {
                return Ok(());
            }
            let told = lists.leases.ask(opener);
            drop(lists);
            for (file, fd) in told {
                if let Some(file) = file.upgrade() {
                    send_sigio(&file, fd, POLL_MSG);
                }
            }
            if flags & O_NONBLOCK != 0 {
                return Err(Errno::EWOULDBLOCK.into());
            }
            let deadline = platform().now(ClockId::Monotonic) + LEASE_BREAK_NS;
            let options = WaitOptions::interruptible("break_lease").until(Some(deadline));
            let gone = self.waiters.wait_event(options, || (!self.lists.lock().leases.conflicts(opener)).then_some(()));
            match gone {
                Ok(()) => {}
                Err(WaitError::Interrupted) => return Err(Restart::ERESTARTSYS.into()),
                Err(WaitError::TimedOut) => self.lists.lock().leases.expire(),
            }
        }
    }
}

/// Whether somebody besides `file` has the inode open in a way that the lease promises not to happen unnoticed.
#[doc(alias = "check_conflicting_open")]
fn is_open_otherwise(file: &File, kind: Kind, inode: &InodeCommon) -> bool {
    let own = |counts: bool| i32::from(counts);
    match kind {
        Kind::Read => inode.writers() > 0,
        Kind::Write => inode.writers() != own(file.writable()) || inode.readers() != own(file.readable() && !file.writable()),
    }
}

#[doc(alias = "fcntl_getlease")]
pub fn getlease(file: &File) -> SysResult {
    let kind = FileLocks::of(file).lists.lock().leases.kind_of(owner_of_file(file));
    Ok(kind.cast_unsigned().into())
}

#[doc(alias = "fcntl_setlease")]
pub fn setlease(fd: Fd, file: &FileRef, kind: u32) -> SysResult {
    let (inode, common) = (file.inode().ok_or(Errno::EINVAL)?, file.inode_common());
    let cred = current().cred();
    if cred.fsuid != inode.owner().uid && !cred.capable(CAP_LEASE) {
        return Err(Errno::EACCES.into());
    }
    if !inode.is_regular() {
        return Err(Errno::EINVAL.into());
    }
    let locks = FileLocks::of(file);
    let kind = match i16::try_from(kind) {
        Ok(F_UNLCK) if locks.clear_lease(owner_of_file(file)) => return Ok(0),
        Ok(F_UNLCK) => return Err(Errno::EAGAIN.into()),
        Ok(F_RDLCK) => Kind::Read,
        Ok(F_WRLCK) => Kind::Write,
        _ => return Err(Errno::EINVAL.into()),
    };
    locks.set_lease(file, fd, kind, common)?;
    set_owner_if_none(file)?;
    Ok(0)
}

/// [`FileLocks::break_lease`] of an inode that may have no locks at all.
pub fn break_lease(inode: &InodeCommon, flags: u32) -> Result<(), Error> {
    match inode.locks.get() {
        Some(locks) => locks.break_lease(flags),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::fs::file::FileOperations;

    struct Nothing;
    impl FileOperations for Nothing {}

    /// A file that never comes to its end, as that would be a task's work.
    fn a_file() -> WeakFile {
        let file = core::mem::ManuallyDrop::new(File::anon(Arc::new(Nothing), 0));
        FileRef::downgrade(&file)
    }

    fn list(kinds: &[Kind]) -> LeaseList {
        let lease = |(n, &kind): (u64, &Kind)| Lease { holder: Owner::File(n), file: a_file(), fd: 0, kind, asked: None };
        LeaseList { held: (0..).zip(kinds).map(lease).collect() }
    }

    #[test]
    fn a_reader_asks_the_writer_to_come_down_and_readers_nothing() {
        let mut leases = list(&[Kind::Write]);
        assert_eq!(leases.ask(Kind::Read).len(), 1);
        assert_eq!(leases.kind_of(Owner::File(0)), F_RDLCK);
        // Asked once is enough, until more is asked.
        assert!(leases.ask(Kind::Read).is_empty());
        assert_eq!(leases.ask(Kind::Write).len(), 1);
        assert_eq!(leases.kind_of(Owner::File(0)), F_UNLCK);
        assert!(list(&[Kind::Read, Kind::Read]).ask(Kind::Read).is_empty());
    }

    #[test]
    fn time_does_what_the_holder_did_not() {
        let mut leases = list(&[Kind::Write]);
        leases.ask(Kind::Read);
        leases.expire();
        assert!(!leases.conflicts(Kind::Read) && leases.conflicts(Kind::Write));
        leases.ask(Kind::Write);
        leases.expire();
        assert!(!leases.conflicts(Kind::Write));
    }

    #[test]
    fn a_lease_for_writing_stands_alone() {
        let leases = list(&[Kind::Read]);
        assert!(leases.refuses(Owner::File(9), Kind::Write));
        assert!(!leases.refuses(Owner::File(9), Kind::Read));
        assert!(!leases.refuses(Owner::File(0), Kind::Write));
    }
}
