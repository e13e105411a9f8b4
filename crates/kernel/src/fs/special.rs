//! Structures whose size the caller gives.
//!
//! Mirrors: include/linux/uaccess.h (`copy_struct_from_user`), Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use zerocopy::{FromBytes, IntoBytes};

/// A structure of which the caller knows `size` bytes: what is missing is zero, what we do not know must be (`E2BIG`).
pub fn copy_struct_from_user<T: FromBytes + IntoBytes>(addr: UserAddr, size: usize) -> Result<T, Errno> {
    let mut value = T::new_zeroed();
    let known = size.min(size_of::<T>());
    if size > 4096 {
        return Err(Errno::E2BIG);
    }
    let mut surplus = alloc::vec![0u8; size - known];
    addr.add(known as u64).read_bytes(&mut surplus)?;
    if surplus.iter().any(|&b| b != 0) {
        return Err(Errno::E2BIG);
    }
    addr.read_bytes(&mut value.as_mut_bytes()[..known])?;
    Ok(value)
}
