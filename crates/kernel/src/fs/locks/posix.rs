//! fcntl's record locks: `F_GETLK`, `F_SETLK`, `F_SETLKW` and their `F_OFD_` forms.
//!
//! Mirrors: fs/locks.c (`fcntl_getlk`, `fcntl_setlk`), Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::*;

use super::range::{Kind, LAST, Owner, Range, RecordLock};
use super::{FileLocks, OnConflict, owner_of_file, owner_of_table};
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::file::{File, FileRef};

/// What a request is about, read from a `struct flock`.
struct Request {
    range: Range,
    /// `None`: `F_UNLCK`.
    kind: Option<Kind>,
    owner: Owner,
}

impl Request {
    /// Checks in Linux's order: the range, then the type.
    #[doc(alias = "flock_to_posix_lock")]
    fn read(file: &FileRef, flock: &Flock, owner: Owner) -> Result<Request, Errno> {
        let range = range_of(base(file, flock.l_whence)?, flock.l_start, flock.l_len)?;
        let kind = match flock.l_type {
            F_RDLCK => Some(Kind::Read),
            F_WRLCK => Some(Kind::Write),
            F_UNLCK => None,
            _ => return Err(Errno::EINVAL),
        };
        Ok(Request { range, kind, owner })
    }

    fn wanted(&self) -> Option<RecordLock> {
        let pid = current().process.tgid;
        self.kind.map(|kind| RecordLock { owner: self.owner, kind, range: self.range, pid })
    }
}

/// The position that `l_start` counts from.
fn base(file: &FileRef, whence: i16) -> Result<i64, Errno> {
    match u32::try_from(whence) {
        Ok(SEEK_SET) => Ok(0),
        Ok(SEEK_CUR) => Ok(File::position(file).cast_signed()),
        Ok(SEEK_END) => {
            let stat = file.ops.stat(file).map_err(|error| error.errno().unwrap_or(Errno::EINVAL))?;
            Ok(stat.size.cast_signed())
        }
        _ => Err(Errno::EINVAL),
    }
}

/// `len` bytes from `base + start` on; to the end if `len` is 0, the ones before if it is negative.
#[doc(alias = "flock64_to_posix_lock")]
fn range_of(base: i64, start: i64, len: i64) -> Result<Range, Errno> {
    let unsigned = |position: i64| u64::try_from(position).map_err(|_| Errno::EINVAL);
    let start = base.checked_add(start).ok_or(Errno::EOVERFLOW)?;
    let first = unsigned(start)?;
    match len {
        0 => Ok(Range { first, last: LAST }),
        1.. => Ok(Range { first, last: unsigned(start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?)? }),
        _ => Ok(Range { first: unsigned(start.saturating_add(len))?, last: unsigned(start - 1)? }),
    }
}

/// Whether the command is about locks of the open file, whose `l_pid` must be 0.
fn is_ofd(cmd: u32) -> bool {
    matches!(cmd, F_OFD_GETLK | F_OFD_SETLK | F_OFD_SETLKW)
}

fn owner(cmd: u32, file: &File) -> Owner {
    if is_ofd(cmd) { owner_of_file(file) } else { owner_of_table(&current().files()) }
}

#[doc(alias = "fcntl_getlk")]
pub fn getlk(file: &FileRef, cmd: u32, arg: UserAddr) -> SysResult {
    let mut flock: Flock = arg.read()?;
    if !is_ofd(cmd) && !matches!(flock.l_type, F_RDLCK | F_WRLCK) {
        return Err(Errno::EINVAL.into());
    }
    let request = Request::read(file, &flock, owner(cmd, file))?;
    if is_ofd(cmd) && flock.l_pid != 0 {
        return Err(Errno::EINVAL.into());
    }
    let locks = FileLocks::of(file).lists.lock();
    let found = match request.wanted() {
        Some(wanted) => locks.records.conflict(&wanted).copied(),
        // Only the OFD form gets here: it asks for the file's own locks.
        None => locks.records.own(request.owner, request.range).copied(),
    };
    drop(locks);
    match found {
        Some(lock) => describe(&lock, &mut flock),
        None => flock.l_type = F_UNLCK,
    }
    arg.write(&flock)?;
    Ok(0)
}

#[doc(alias = "posix_lock_to_flock")]
fn describe(lock: &RecordLock, flock: &mut Flock) {
    flock.l_type = if lock.kind == Kind::Read { F_RDLCK } else { F_WRLCK };
    flock.l_whence = SEEK_SET as i16;
    flock.l_start = lock.range.first.cast_signed();
    flock.l_len = if lock.range.last == LAST { 0 } else { (lock.range.last - lock.range.first + 1).cast_signed() };
    flock.l_pid = match lock.owner {
        Owner::Table(_) => lock.pid.cast_signed(),
        Owner::File(_) => -1,
    };
}

#[doc(alias = "fcntl_setlk")]
pub fn setlk(fd: Fd, file: &FileRef, cmd: u32, arg: UserAddr) -> SysResult {
    let flock: Flock = arg.read()?;
    let request = Request::read(file, &flock, owner(cmd, file))?;
    check_mode(file, request.kind)?;
    if is_ofd(cmd) && flock.l_pid != 0 {
        return Err(Errno::EINVAL.into());
    }
    let locks = FileLocks::of(file);
    let Some(wanted) = request.wanted() else {
        locks.clear_records(request.owner, request.range);
        return Ok(0);
    };
    let on_conflict = if matches!(cmd, F_SETLKW | F_OFD_SETLKW) { OnConflict::Wait } else { OnConflict::Fail };
    locks.set_record(wanted, on_conflict)?;
    if !is_ofd(cmd) {
        undo_if_closed(fd, file, locks, &request)?;
    }
    Ok(0)
}

#[doc(alias = "check_fmode_for_setlk")]
fn check_mode(file: &File, kind: Option<Kind>) -> Result<(), Errno> {
    let allowed = match kind {
        Some(Kind::Read) => file.readable(),
        Some(Kind::Write) => file.writable(),
        None => true,
    };
    if allowed { Ok(()) } else { Err(Errno::EBADF) }
}

/// A close of the descriptor in another thread may have come between look-up and lock; nobody would give the lock up.
fn undo_if_closed(fd: Fd, file: &FileRef, locks: &FileLocks, request: &Request) -> Result<(), Error> {
    let still_open = current().files().get_any(fd.0).is_ok_and(|now| FileRef::ptr_eq(&now, file));
    if still_open {
        return Ok(());
    }
    locks.clear_records(request.owner, request.range);
    Err(Errno::EBADF.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_reach_to_the_end_forwards_or_backwards() {
        assert_eq!(range_of(10, 5, 0), Ok(Range { first: 15, last: LAST }));
        assert_eq!(range_of(10, 5, 3), Ok(Range { first: 15, last: 17 }));
        assert_eq!(range_of(0, 10, -5), Ok(Range { first: 5, last: 9 }));
        assert_eq!(range_of(0, i64::MAX, 1), Ok(Range { first: LAST, last: LAST }));
    }

    #[test]
    fn ranges_outside_any_file_are_refused() {
        assert_eq!(range_of(0, -1, 1), Err(Errno::EINVAL));
        assert_eq!(range_of(0, 4, -5), Err(Errno::EINVAL));
        assert_eq!(range_of(0, i64::MAX, 2), Err(Errno::EOVERFLOW));
        assert_eq!(range_of(1, i64::MAX, 0), Err(Errno::EOVERFLOW));
    }
}
