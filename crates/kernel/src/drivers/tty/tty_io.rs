//! /dev/tty and /dev/console.
//!
//! Mirrors: drivers/tty/tty_io.c (`tty_open_current_tty`), Linux 6.18.
//! Differs: /dev/console is the host's.

use alloc::boxed::Box;

use acrida_uapi::errno::{Errno, Error};

use crate::current;
use crate::fs::dcache::Path;
use crate::fs::file::FileOperations;
use crate::fs::hostfs::open_device;

/// The caller's controlling terminal, or `ENXIO`.
#[doc(alias = "tty_open_current_tty")]
pub fn open_current(_path: &Path, flags: u32) -> Result<Box<dyn FileOperations>, Error> {
    let tty = current().process.relations.lock().tty.clone();
    tty.ok_or(Errno::ENXIO)?.open(flags)
}

pub fn open_console(_path: &Path, flags: u32) -> Result<Box<dyn FileOperations>, Error> {
    open_device(b"/dev/console", flags)
}
