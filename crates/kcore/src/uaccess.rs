//! Addresses and buffers of the guest: types that claim nothing until the platform has copied.
//!
//! Mirrors: include/linux/uaccess.h, Linux 6.18.
//! Differs: guest memory is the calling process's own; a fault is caught by the platform and becomes `EFAULT`, unless the
//! kernel can make the page present.

use acrida_uapi::errno::Errno;
use alloc::vec::Vec;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::platform::platform;
use crate::sync::SetOnce;

pub use acrida_trace_format::layout::TASK_SIZE;

/// An address in the calling guest process, not yet checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UserAddr(pub u64);

/// What a copy does to guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// Makes a page of the calling guest present, if it may have one; `false` when it may not.
pub type FaultIn = fn(UserAddr, Access) -> bool;

static FAULT_IN: SetOnce<FaultIn> = SetOnce::new();

/// Sets what copies ask about pages that the host does not map: the end of a stack, the new end of a file.
pub fn set_fault_in(fault_in: FaultIn) {
    // A second kernel in one test has the same.
    let _ = FAULT_IN.set(fault_in);
}

/// Copies `len` bytes that start at the guest address `user` with `copy`, which takes a number of bytes to skip and gives the bytes
/// *not* copied; pages that can be made present are. Gives the bytes not copied.
#[inline]
fn copy_with_faults(user: UserAddr, len: usize, access: Access, mut copy: impl FnMut(usize) -> usize) -> usize {
    let mut left = copy(0);
    while left > 0 {
        let done = len - left;
        let bad = user.add(done as u64);
        if !bad.access_ok(1) || !FAULT_IN.get().is_some_and(|fault_in| fault_in(bad, access)) {
            break;
        }
        let now = copy(done);
        if now == left {
            break;
        }
        left = now;
    }
    left
}

/// Fills `dst` from guest memory; gives the bytes *not* copied.
#[inline]
#[doc(alias = "raw_copy_from_user")]
pub fn copy_from_user(dst: &mut [u8], src: UserAddr) -> usize {
    copy_with_faults(src, dst.len(), Access::Read, |skip| platform().copy_from_user(&mut dst[skip..], src.add(skip as u64)))
}

/// Copies `src` to guest memory; gives the bytes *not* copied.
#[inline]
#[doc(alias = "raw_copy_to_user")]
pub fn copy_to_user(dst: UserAddr, src: &[u8]) -> usize {
    copy_with_faults(dst, src.len(), Access::Write, |skip| platform().copy_to_user(dst.add(skip as u64), &src[skip..]))
}

/// Copies between guest memory and the physical-memory window; gives the bytes *not* copied.
#[inline]
pub(crate) fn copy_user_window(user: UserAddr, window: u64, len: usize, access: Access) -> usize {
    copy_with_faults(user, len, access, |skip| {
        let (user, window) = (user.add(skip as u64), window + skip as u64);
        platform().copy_user_window(user, window, len - skip, access)
    })
}

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
        match copy_from_user(dst, self) {
            0 => Ok(()),
            _ => Err(Errno::EFAULT),
        }
    }

    /// Writes `src` to guest memory, or `EFAULT` (a part may have been written, as on Linux).
    #[doc(alias = "copy_to_user")]
    pub fn write_bytes(self, src: &[u8]) -> Result<(), Errno> {
        match copy_to_user(self, src) {
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

    /// A string up to (not with) its NUL.
    ///
    /// # Errors
    /// `too_long` when there is none within `max` bytes, `EFAULT`.
    pub fn read_cstr(self, max: usize, too_long: Errno) -> Result<Vec<u8>, Errno> {
        let text = self.read_cstr_start(max)?;
        if text.is_whole { Ok(text.bytes) } else { Err(too_long) }
    }

    /// At most the first `max` bytes of a string up to (not with) its NUL.
    ///
    /// # Errors
    /// `EFAULT`.
    #[doc(alias = "strncpy_from_user")]
    pub fn read_cstr_start(self, max: usize) -> Result<CstrStart, Errno> {
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
                return Ok(CstrStart { bytes: out, is_whole: true });
            }
            out.extend_from_slice(&chunk[..want]);
        }
        Ok(CstrStart { bytes: out, is_whole: false })
    }
}

/// The beginning of a guest's string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CstrStart {
    pub bytes: Vec<u8>,
    /// The NUL came behind `bytes`.
    pub is_whole: bool,
}
