//! flock: locks on whole files that belong to the open file.
//!
//! Mirrors: fs/locks.c (`flock_lock_inode`), Linux 6.18.

use alloc::vec::Vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{LOCK_EX, LOCK_MAND, LOCK_NB, LOCK_SH, LOCK_UN};

use super::range::{Kind, Owner};
use super::{FileLocks, OnConflict, owner_of_file};
use crate::abi::{Fd, Flags, SysResult};
use crate::fs::read_write::fdget;

/// The `flock` locks of one file: any number of readers, or one writer.
#[derive(Debug, Default)]
pub struct FlockList {
    held: Vec<(Owner, Kind)>,
}

impl FlockList {
    pub fn held(&self) -> &[(Owner, Kind)] {
        &self.held
    }

    /// Whether `owner` had a lock to lose.
    fn remove(&mut self, owner: Owner) -> bool {
        let before = self.held.len();
        self.held.retain(|lock| lock.0 != owner);
        self.held.len() < before
    }

    fn conflicts(&self, owner: Owner, kind: Kind) -> bool {
        self.held.iter().any(|lock| lock.0 != owner && lock.1.conflicts(kind))
    }
}

impl FileLocks {
    /// Takes the lock. A conversion first gives up what is held, and may lose it to somebody else, as on Linux.
    fn set_flock(&self, owner: Owner, kind: Kind, on_conflict: OnConflict) -> Result<(), Error> {
        self.acquire(on_conflict, |lists| {
            let flocks = &mut lists.flocks;
            if flocks.held.contains(&(owner, kind)) {
                return Some(Ok(()));
            }
            if flocks.remove(owner) {
                self.wake();
            }
            if flocks.conflicts(owner, kind) {
                return None;
            }
            flocks.held.push((owner, kind));
            Some(Ok(()))
        })
    }

    pub(super) fn clear_flock(&self, owner: Owner) {
        let mut lists = self.lists.lock();
        if lists.flocks.remove(owner) {
            self.wake();
        }
    }
}

pub fn sys_flock(fd: Fd, operation: Flags) -> SysResult {
    if operation.0 & LOCK_MAND != 0 {
        // Share modes never excluded anybody; Linux says so in its log and goes on.
        return Ok(0);
    }
    let kind = match operation.0 & !LOCK_NB {
        LOCK_SH => Some(Kind::Read),
        LOCK_EX => Some(Kind::Write),
        LOCK_UN => None,
        _ => return Err(Errno::EINVAL.into()),
    };
    let file = fdget(fd)?;
    let locks = FileLocks::of(&file);
    let Some(kind) = kind else {
        locks.clear_flock(owner_of_file(&file));
        return Ok(0);
    };
    if !file.readable() && !file.writable() {
        return Err(Errno::EBADF.into());
    }
    let on_conflict = if operation.0 & LOCK_NB != 0 { OnConflict::Fail } else { OnConflict::Wait };
    locks.set_flock(owner_of_file(&file), kind, on_conflict)?;
    Ok(0)
}
