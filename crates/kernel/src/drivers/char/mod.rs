//! Character devices: which number is which, and how it is opened.
//!
//! Mirrors: fs/char_dev.c, drivers/char/mem.c (`devlist`), Linux 6.18.
//! Differs: one table; devices that are not in it are the host's, and are opened through the host.
//! Locking: none of its own.

pub mod mem;
pub mod random;

use alloc::sync::Arc;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::new_encode_dev;

use crate::drivers::tty;
use crate::fs::dcache::Path;
use crate::fs::file::FileOperations;

/// How a device is opened; `flags` are `O_*`.
type Open = fn(path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error>;

/// One device.
pub struct Device {
    /// In /dev.
    pub name: &'static [u8],
    pub major: u32,
    pub minor: u32,
    /// Permissions in /dev.
    pub mode: u32,
    open: Open,
}

impl Device {
    pub const fn rdev(&self) -> u32 {
        new_encode_dev(self.major, self.minor)
    }
}

/// Devices of our own.
pub static DEVICES: &[Device] = &[
    Device { name: b"null", major: 1, minor: 3, mode: 0o666, open: |_, _| Ok(Arc::new(mem::Null)) },
    Device { name: b"zero", major: 1, minor: 5, mode: 0o666, open: |_, _| Ok(Arc::new(mem::Zero)) },
    Device { name: b"full", major: 1, minor: 7, mode: 0o666, open: |_, _| Ok(Arc::new(mem::Full)) },
    Device { name: b"random", major: 1, minor: 8, mode: 0o666, open: |_, _| Ok(Arc::new(random::Random)) },
    Device { name: b"urandom", major: 1, minor: 9, mode: 0o666, open: |_, _| Ok(Arc::new(random::Urandom)) },
    Device { name: b"tty", major: 5, minor: 0, mode: 0o666, open: tty::open_current },
    Device { name: b"console", major: 5, minor: 1, mode: 0o600, open: tty::open_console },
    Device { name: b"ptmx", major: 5, minor: 2, mode: 0o666, open: tty::devpts::open_ptmx },
];

/// Opens the device with this number.
#[doc(alias = "chrdev_open")]
pub fn open(rdev: u32, path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    let device = DEVICES.iter().find(|device| device.rdev() == rdev).ok_or(Errno::ENXIO)?;
    (device.open)(path, flags)
}
