//! Arrays that a call copies in from the guest: short ones lie on the kernel stack, long ones on the heap.
//!
//! Mirrors: the `fast` arrays of lib/iov_iter.c and fs/select.c, Linux 6.18.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

/// `len` elements; up to `N` of them cost no allocation.
///
/// # Invariants
/// `long` is empty and `len <= N`, or `long` holds all elements.
pub struct UserArray<T, const N: usize> {
    short: [T; N],
    long: Vec<T>,
    len: usize,
}

impl<T: FromZeros + Clone, const N: usize> UserArray<T, N> {
    pub fn zeroed(len: usize) -> Self {
        let long = if len > N { vec![T::new_zeroed(); len] } else { Vec::new() };
        UserArray { short: <[T; N]>::new_zeroed(), long, len }
    }
}

impl<T: FromBytes + IntoBytes + Immutable + Clone, const N: usize> UserArray<T, N> {
    /// Copies `len` elements from `addr`, or `EFAULT`.
    pub fn read(addr: UserAddr, len: usize) -> Result<Self, Errno> {
        let mut array = Self::zeroed(len);
        addr.read_bytes(array.as_mut_bytes())?;
        Ok(array)
    }
}

impl<T, const N: usize> Deref for UserArray<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long }
    }
}

impl<T, const N: usize> DerefMut for UserArray<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        if self.long.is_empty() { &mut self.short[..self.len] } else { &mut self.long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_arrays_look_alike() {
        for len in [0, 3, 4, 5] {
            let mut array = UserArray::<u32, 4>::zeroed(len);
            array.fill(7);
            assert_eq!(*array, *vec![7; len]);
        }
    }
}
