//! /dev/tty, /dev/console, and how a write to a terminal is cut.
//!
//! Mirrors: drivers/tty/tty_io.c (`tty_open_current_tty`, `do_tty_write`), Linux 6.18.
//! Differs: /dev/console is the host's.
//! Locking: the caller's relations for one look.

use acrida_uapi::errno::{Errno, Error};
use alloc::sync::Arc;

use crate::abi::SysResult;
use crate::current;
use crate::fs::dcache::Path;
use crate::fs::file::FileOperations;
use crate::fs::hostfs::open_device;
use crate::fs::iov_iter::IovIter;

/// The caller's controlling terminal, or `ENXIO`.
#[doc(alias = "tty_open_current_tty")]
pub fn open_current(_path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    let tty = current().process.relations.lock().tty.clone();
    tty.ok_or(Errno::ENXIO)?.open(flags)
}

pub fn open_console(_path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    open_device(b"/dev/console", flags)
}

/// Bytes taken from the program at a time.
const CHUNK: usize = 1024;

/// Gives `put` all of `from`, part by part; `put` takes some of a part and says how much. An error after the first byte only
/// ends the write.
#[doc(alias = "do_tty_write")]
pub(super) fn write_in_chunks(from: &mut IovIter<'_>, mut put: impl FnMut(&[u8]) -> SysResult) -> SysResult {
    let mut done = 0;
    let mut chunk = [0; CHUNK];
    while from.count() > 0 {
        let copied = from.copy_from(&mut chunk);
        if copied == 0 {
            return if done > 0 { Ok(done) } else { Err(Errno::EFAULT.into()) };
        }
        let mut at = 0;
        while at < copied {
            match put(&chunk[at..copied]) {
                Ok(taken) => at += taken,
                Err(error) if done + at == 0 => return Err(error),
                Err(_) => return Ok(done + at),
            }
        }
        done += copied;
    }
    Ok(done)
}
