//! Addresses and buffers of the guest: types that claim nothing until the platform has copied.
//!
//! Mirrors: include/linux/uaccess.h, Linux 6.1.
//! Differs: guest memory is the calling process's own; a fault is caught by the platform and becomes `EFAULT`.

use acrida_uapi::errno::Errno;
use alloc::vec::Vec;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::platform::platform;

/// Guest addresses lie below this line; the kernel, the arena and the vdso above it.
pub const TASK_SIZE: u64 = 0x7c00_0000_0000;

/// An address in the calling guest process, not yet checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UserAddr(pub u64);

impl UserAddr {
    pub const NULL: UserAddr = UserAddr(0);

    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The address `bytes` further on; wraps, the copy checks the range.
    #[must_use]
    pub fn add(self, bytes: u64) -> UserAddr {
        UserAddr(self.0.wrapping_add(bytes))
    }

    /// Whether `len` bytes from here lie in guest space.
    pub fn access_ok(self, len: usize) -> bool {
        self.0.checked_add(len as u64).is_some_and(|end| end <= TASK_SIZE)
    }

    /// Fills `dst` from guest memory, or `EFAULT`.
    #[doc(alias = "copy_from_user")]
    pub fn read_bytes(self, dst: &mut [u8]) -> Result<(), Errno> {
        match platform().copy_from_user(dst, self) {
            0 => Ok(()),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Writes `src` to guest memory, or `EFAULT` (a part may have been written, as on Linux).
    #[doc(alias = "copy_to_user")]
    pub fn write_bytes(self, src: &[u8]) -> Result<(), Errno> {
        match platform().copy_to_user(self, src) {
            0 => Ok(()),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Reads one plain value.
    #[doc(alias = "get_user")]
    pub fn read<T: FromBytes + IntoBytes>(self) -> Result<T, Errno> {
        let mut value = T::new_zeroed();
        self.read_bytes(value.as_mut_bytes())?;
        Ok(value)
    }

    /// Writes one plain value.
    #[doc(alias = "put_user")]
    pub fn write<T: IntoBytes + Immutable>(self, value: &T) -> Result<(), Errno> {
        self.write_bytes(value.as_bytes())
    }

    /// Reads one plain value, or `None` from a null pointer.
    pub fn read_opt<T: FromBytes + IntoBytes>(self) -> Result<Option<T>, Errno> {
        if self.is_null() { Ok(None) } else { self.read().map(Some) }
    }

    /// Writes one plain value unless the pointer is null.
    pub fn write_opt<T: IntoBytes + Immutable>(self, value: &T) -> Result<(), Errno> {
        if self.is_null() { Ok(()) } else { self.write(value) }
    }

    /// A string up to (not with) its NUL; `too_long` when there is none within `max` bytes.
    #[doc(alias = "strncpy_from_user")]
    pub fn read_cstr(self, max: usize, too_long: Errno) -> Result<Vec<u8>, Errno> {
        let mut out = Vec::new();
        let mut chunk = [0u8; 256];
        while out.len() < max {
            let at = self.add(out.len() as u64);
            // Never past the page: the string may end right before an unmapped one.
            let to_page_end = 4096 - (at.0 % 4096) as usize;
            let want = to_page_end.min(chunk.len()).min(max - out.len());
            at.read_bytes(&mut chunk[..want])?;
            if let Some(nul) = chunk[..want].iter().position(|&b| b == 0) {
                out.extend_from_slice(&chunk[..nul]);
                return Ok(out);
            }
            out.extend_from_slice(&chunk[..want]);
        }
        Err(too_long)
    }
}
