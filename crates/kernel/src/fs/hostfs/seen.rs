//! What is remembered of the host's objects.
//!
//! Mirrors: nothing in Linux.
//! Locking: none; the inode keeps it in a `SeqCell`.

use acrida_klib::seqlock::Words;
use acrida_uapi::stat::{S_IFLNK, S_IFMT};
use acrida_uapi::time::Timespec;

use crate::fs::inode::{Kstat, Owner};

/// What the host said last, and what tells this object from a later one with the same number.
#[derive(Clone, Copy)]
pub struct Seen {
    pub owner: Owner,
    btime: Timespec,
    /// For symbolic links, whose numbers are reused fast and whose text never changes.
    mtime: Timespec,
}

pub const SEEN_WORDS: usize = 6;

impl Words<SEEN_WORDS> for Seen {
    fn into_words(self) -> [u64; SEEN_WORDS] {
        let Owner { mode, uid, gid } = self.owner;
        let time = |time: Timespec| [time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned()];
        let ([a, b], [c, d]) = (time(self.btime), time(self.mtime));
        [u64::from(mode), u64::from(uid) | u64::from(gid) << 32, a, b, c, d]
    }

    fn from_words([mode, ids, a, b, c, d]: [u64; SEEN_WORDS]) -> Self {
        let time = |sec: u64, nsec: u64| Timespec { tv_sec: sec.cast_signed(), tv_nsec: nsec.cast_signed() };
        // The halves that `into_words` put together.
        let owner = Owner { mode: mode as u32, uid: ids as u32, gid: (ids >> 32) as u32 };
        Seen { owner, btime: time(a, b), mtime: time(c, d) }
    }
}

impl Seen {
    pub fn of(stat: &Kstat) -> Seen {
        Seen { owner: Owner { mode: stat.mode, uid: stat.uid, gid: stat.gid }, btime: stat.btime, mtime: stat.mtime }
    }

    pub fn is_same_object(&self, later: &Seen) -> bool {
        let kind = self.owner.mode & S_IFMT;
        kind == later.owner.mode & S_IFMT && self.btime == later.btime && (kind != S_IFLNK || self.mtime == later.mtime)
    }
}
