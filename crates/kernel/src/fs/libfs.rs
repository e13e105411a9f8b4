//! What many file systems of ours do alike.
//!
//! Mirrors: fs/libfs.c, fs/read_write.c (`generic_file_llseek`), Linux 6.18.

use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error};

use crate::fs::file::{File, Whence};

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
