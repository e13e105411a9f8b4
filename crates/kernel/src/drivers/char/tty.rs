//! /dev/tty and /dev/console while terminals are the host's.
//!
//! Mirrors: drivers/tty/tty_io.c (`tty_open_current_tty`), Linux 6.18.
//! Differs: both are opened on the host; a world's processes are in the host session of the command.

use alloc::boxed::Box;

use acrida_uapi::errno::Error;

use crate::fs::dcache::Path;
use crate::fs::file::FileOperations;
use crate::fs::hostfs::open_device;

/// The caller's controlling terminal.
pub fn open_current(_path: &Path, flags: u32) -> Result<Box<dyn FileOperations>, Error> {
    open_device(b"/dev/tty", flags)
}

pub fn open_console(_path: &Path, flags: u32) -> Result<Box<dyn FileOperations>, Error> {
    open_device(b"/dev/console", flags)
}
