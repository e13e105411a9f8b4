//! Locks as /proc/locks and /proc/PID/fdinfo show them.
//!
//! Mirrors: fs/locks.c (`lock_get_status`), Linux 6.18.
//! Differs: a `flock` lock does not remember who took it; the caller says whom to name.
//! Locking: a copy of the lists is shown.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use acrida_uapi::stat::new_decode_dev;

use super::range::{Kind, LAST, Owner, Range};
use super::{FileLocks, WHOLE_FILE, owner_of_file, owner_of_table};
use crate::fs::fdtable::FilesStruct;
use crate::fs::file::File;

/// The three kinds, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Posix,
    Ofd,
    Flock,
}

/// A lock somebody holds.
#[derive(Clone, Copy, Debug)]
pub struct HeldLock {
    family: Family,
    kind: Kind,
    range: Range,
    owner: Owner,
    pid: u32,
}

impl FileLocks {
    /// Every lock on the file: records, then `flock`.
    pub fn held(&self) -> Vec<HeldLock> {
        let lists = self.lists.lock();
        let records = lists.records.held().iter().map(|lock| {
            let family = if matches!(lock.owner, Owner::Table(_)) { Family::Posix } else { Family::Ofd };
            HeldLock { family, kind: lock.kind, range: lock.range, owner: lock.owner, pid: lock.pid }
        });
        let flocks = lists.flocks.held().iter().map(|&(owner, kind)| HeldLock {
            family: Family::Flock,
            kind,
            range: WHOLE_FILE,
            owner,
            pid: 0,
        });
        records.chain(flocks).collect()
    }
}

impl HeldLock {
    /// Whether the lock came about through `file`, open in `files`.
    pub fn belongs_to(&self, file: &File, files: &FilesStruct) -> bool {
        self.owner == owner_of_file(file) || self.owner == owner_of_table(files)
    }

    /// One line; `holder` is named where the lock itself does not know.
    pub fn line(&self, number: usize, holder: u32, (dev, ino): (u32, u64)) -> String {
        let (family, pid) = match self.family {
            Family::Posix => ("POSIX ", i64::from(self.pid)),
            Family::Ofd => ("OFDLCK", -1),
            Family::Flock => ("FLOCK ", i64::from(holder)),
        };
        let kind = if self.kind == Kind::Write { "WRITE" } else { "READ" };
        let (major, minor) = new_decode_dev(dev);
        let mut line = String::new();
        let _ = write!(line, "{number}: {family} ADVISORY  {kind} {pid} {major:02x}:{minor:02x}:{ino} {} ", self.range.first);
        let _ = match self.range.last {
            LAST => writeln!(line, "EOF"),
            last => writeln!(line, "{last}"),
        };
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_linux_writes_them() {
        let whole = HeldLock { family: Family::Flock, kind: Kind::Write, range: WHOLE_FILE, owner: Owner::File(1), pid: 0 };
        assert_eq!(whole.line(1, 31815, (0xfe00, 5972012)), "1: FLOCK  ADVISORY  WRITE 31815 fe:00:5972012 0 EOF\n");
        let range = Range { first: 2, last: 9 };
        let posix = HeldLock { family: Family::Posix, kind: Kind::Read, range, owner: Owner::Table(1), pid: 7 };
        assert_eq!(posix.line(2, 0, (1, 3)), "2: POSIX  ADVISORY  READ 7 00:01:3 2 9\n");
    }
}
