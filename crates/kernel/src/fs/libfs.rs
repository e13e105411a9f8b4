//! What many file systems of ours do alike.
//!
//! Mirrors: fs/libfs.c, fs/read_write.c (`generic_file_llseek`), Linux 6.18.
//! Locking: `File::pos`; the attributes' lock is a leaf.

use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::S_IFMT;

use crate::fs::attr::{SetTime, current_time};
use crate::fs::file::{File, Whence};
use crate::fs::inode::{Iattr, Kstat, Owner};

/// `lseek` of a file whose position is at `pos` and whose end is at `size`; data everywhere, one hole at the end.
pub fn generic_llseek(pos: &SpinLock<u64>, offset: i64, whence: Whence, size: u64) -> Result<u64, Error> {
    let mut pos = pos.lock();
    let base = match whence {
        Whence::Set => 0,
        Whence::Cur => pos.cast_signed(),
        Whence::End => size.cast_signed(),
        Whence::Data | Whence::Hole => {
            let at = u64::try_from(offset).ok().filter(|&at| at < size).ok_or(Errno::ENXIO)?;
            *pos = if whence == Whence::Data { at } else { size };
            return Ok(*pos);
        }
    };
    let target = base.checked_add(offset).ok_or(Errno::EINVAL)?;
    *pos = u64::try_from(target).map_err(|_| Errno::EINVAL)?;
    Ok(*pos)
}

/// `lseek` of a directory whose positions are opaque: only set and current make sense.
#[doc(alias = "dcache_dir_lseek")]
pub fn dir_llseek(file: &File, offset: i64, whence: Whence) -> Result<u64, Error> {
    match whence {
        Whence::Set | Whence::Cur => generic_llseek(&file.pos, offset, whence, 0),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Changes attributes that are only kept.
pub fn simple_setattr(attr: &SpinLock<Kstat>, change: &Iattr) {
    let mut attr = attr.lock();
    if let Some(mode) = change.mode {
        attr.mode = attr.mode & S_IFMT | mode & !S_IFMT;
    }
    attr.size = change.size.unwrap_or(attr.size);
    attr.uid = change.uid.unwrap_or(attr.uid);
    attr.gid = change.gid.unwrap_or(attr.gid);
    attr.atime = change.atime.map_or(attr.atime, SetTime::resolve);
    attr.mtime = change.mtime.map_or(attr.mtime, SetTime::resolve);
    attr.ctime = current_time();
}

/// Whose inode it is, from attributes that are only kept.
pub fn owner_of(attr: &SpinLock<Kstat>) -> Owner {
    let attr = attr.lock();
    Owner { mode: attr.mode, uid: attr.uid, gid: attr.gid }
}
