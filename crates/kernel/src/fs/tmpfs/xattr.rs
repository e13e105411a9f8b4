//! Extended attributes of tmpfs.
//!
//! Mirrors: mm/shmem.c (`shmem_xattr_handlers`), fs/xattr.c (`simple_xattr`), Linux 6.18.
//! Locking: `TmpInode::xattrs` is a leaf.

use alloc::vec::Vec;

use acrida_uapi::errno::Errno;
use acrida_uapi::xattr::{XATTR_CREATE, XATTR_REPLACE};

use crate::fs::tmpfs::inode::TmpInode;

/// Bytes of names and values that one inode may hold.
const MAX_BYTES: usize = 128 << 10;

fn check_space(name: &[u8]) -> Result<(), Errno> {
    let known = [&b"user."[..], b"trusted.", b"security."];
    match known.iter().find(|prefix| name.starts_with(prefix)) {
        Some(prefix) if name.len() == prefix.len() => Err(Errno::EINVAL),
        Some(_) => Ok(()),
        None => Err(Errno::EOPNOTSUPP),
    }
}

impl TmpInode {
    pub(super) fn get_attribute(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        check_space(name)?;
        self.xattrs.lock().get(name).cloned().ok_or(Errno::ENODATA)
    }

    pub(super) fn set_attribute(&self, name: &[u8], value: &[u8], flags: u32) -> Result<(), Errno> {
        check_space(name)?;
        let mut xattrs = self.xattrs.lock();
        let exists = xattrs.contains_key(name);
        if exists && flags & XATTR_CREATE != 0 {
            return Err(Errno::EEXIST);
        }
        if !exists && flags & XATTR_REPLACE != 0 {
            return Err(Errno::ENODATA);
        }
        let others = xattrs.iter().filter(|(key, _)| key.as_slice() != name);
        let used: usize = others.map(|(key, value)| key.len() + value.len()).sum();
        if used + name.len() + value.len() > MAX_BYTES {
            return Err(Errno::ENOSPC);
        }
        xattrs.insert(name.to_vec(), value.to_vec());
        drop(xattrs);
        self.changed();
        Ok(())
    }

    pub(super) fn list_attributes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for name in self.xattrs.lock().keys() {
            out.extend_from_slice(name);
            out.push(0);
        }
        out
    }

    pub(super) fn remove_attribute(&self, name: &[u8]) -> Result<(), Errno> {
        check_space(name)?;
        let removed = self.xattrs.lock().remove(name).is_some();
        if !removed {
            return Err(Errno::ENODATA);
        }
        self.changed();
        Ok(())
    }
}
