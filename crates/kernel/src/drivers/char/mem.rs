//! The devices that are nothing: null, zero, full.
//!
//! Mirrors: drivers/char/mem.c, Linux 6.18.
//! Locking: `File::pos` for a seek.

use acrida_kcore::frame::PAGE_SIZE;
use acrida_uapi::errno::{Errno, Error};

use crate::abi::SysResult;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::mm::{MapBacking, MmapRequest};

static ZEROS: [u8; PAGE_SIZE] = [0; PAGE_SIZE];

/// Takes everything.
fn write_null(from: &mut IovIter<'_>) -> SysResult {
    let count = from.count();
    from.advance(count);
    Ok(count)
}

fn read_zero(to: &mut IovIter<'_>) -> SysResult {
    let mut done = 0;
    while to.count() > 0 {
        let copied = to.copy_to(&ZEROS);
        if copied == 0 {
            return if done == 0 { Err(Errno::EFAULT.into()) } else { Ok(done) };
        }
        done += copied;
    }
    Ok(done)
}

/// Every position is the start.
#[doc(alias = "null_lseek")]
fn rewind(file: &File) -> Result<u64, Error> {
    *file.pos.lock() = 0;
    Ok(0)
}

/// /dev/null.
pub struct Null;

impl FileOperations for Null {
    fn read(&self, _file: &FileRef, _to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        Ok(0)
    }

    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        write_null(from)
    }

    fn llseek(&self, file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        rewind(file)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn atomic_pos(&self) -> bool {
        false
    }

    fn can_nowait(&self) -> bool {
        true
    }
}

/// /dev/zero.
pub struct Zero;

impl FileOperations for Zero {
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        read_zero(to)
    }

    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        write_null(from)
    }

    fn llseek(&self, file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        rewind(file)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn atomic_pos(&self) -> bool {
        false
    }

    fn can_nowait(&self) -> bool {
        true
    }

    fn mmap(&self, _file: &FileRef, _request: &MmapRequest) -> Result<MapBacking, Error> {
        Ok(MapBacking::Anonymous)
    }
}

/// /dev/full.
pub struct Full;

impl FileOperations for Full {
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        read_zero(to)
    }

    fn write(&self, _file: &FileRef, _from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        Err(Errno::ENOSPC.into())
    }

    fn can_splice_write(&self) -> bool {
        false
    }

    fn llseek(&self, file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        rewind(file)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn atomic_pos(&self) -> bool {
        false
    }
}
