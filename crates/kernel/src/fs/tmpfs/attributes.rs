//! What `stat` of a tmpfs inode shows and a path walk asks: read without a lock.
//!
//! Mirrors: the attribute half of include/linux/fs.h (`inode`), Linux 6.18.
//! Differs: the fields change together, under a sequence count; Linux reads each by itself.
//! Locking: none but a leaf lock of `SeqCell`.

use acrida_kcore::seq_cell::SeqCell;
use acrida_klib::seqlock::Words;
use acrida_uapi::time::Timespec;

use crate::fs::attr::Owner;

/// What changes with `chmod`, `chown`, `utimes` and every write.
#[derive(Clone, Copy)]
pub struct Attr {
    pub owner: Owner,
    pub nlink: u32,
    pub atime: Timespec,
    pub mtime: Timespec,
    pub ctime: Timespec,
}

const WORDS: usize = 8;

fn time_words(time: Timespec) -> [u64; 2] {
    [time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned()]
}

fn time_of(words: [u64; 2]) -> Timespec {
    Timespec { tv_sec: words[0].cast_signed(), tv_nsec: words[1].cast_signed() }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Both halves; the casts cut on purpose.
fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

impl Words<WORDS> for Attr {
    fn into_words(self) -> [u64; WORDS] {
        let Owner { mode, uid, gid } = self.owner;
        let ([a, b], [c, d], [e, f]) = (time_words(self.atime), time_words(self.mtime), time_words(self.ctime));
        [pair(mode, uid), pair(gid, self.nlink), a, b, c, d, e, f]
    }

    fn from_words([first, second, a, b, c, d, e, f]: [u64; WORDS]) -> Self {
        let ((mode, uid), (gid, nlink)) = (halves(first), halves(second));
        let (atime, mtime, ctime) = (time_of([a, b]), time_of([c, d]), time_of([e, f]));
        Attr { owner: Owner { mode, uid, gid }, nlink, atime, mtime, ctime }
    }
}

/// The attributes of one inode.
pub type Attributes = SeqCell<Attr, WORDS>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_everything() {
        let time = |n: i64| Timespec { tv_sec: -n, tv_nsec: n };
        let owner = Owner { mode: 0o100_644, uid: 1000, gid: u32::MAX };
        let attr = Attr { owner, nlink: 7, atime: time(1), mtime: time(2), ctime: time(3) };
        let seen = Attr::from_words(attr.into_words());
        assert_eq!((seen.owner, seen.nlink), (owner, 7));
        assert_eq!([seen.atime, seen.mtime, seen.ctime], [attr.atime, attr.mtime, attr.ctime]);
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let attributes = Attributes::new(Attr::from_words([0; WORDS]));
        assert_eq!(
            attributes.try_update(|attr| {
                attr.nlink = 9;
                Err(1)
            }),
            Err(1)
        );
        assert_eq!(attributes.get().nlink, 0);
        attributes.update(|attr| attr.nlink = 2);
        assert_eq!(attributes.get().nlink, 2);
    }
}
