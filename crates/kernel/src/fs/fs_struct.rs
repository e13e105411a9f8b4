//! Where a process stands in the file tree.
//!
//! Mirrors: include/linux/fs_struct.h, Linux 6.1.
//! Locking: `inner` is a leaf lock.

use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;

use crate::fs::inode::Path;

/// Root, current directory and umask; shared with `CLONE_FS`.
pub struct FsStruct {
    inner: SpinLock<Inner>,
}

#[derive(Clone)]
struct Inner {
    root: Path,
    pwd: Path,
    umask: u32,
}

impl FsStruct {
    pub fn new(root: Path, pwd: Path, umask: u32) -> Arc<FsStruct> {
        Arc::new(FsStruct { inner: SpinLock::new(Inner { root, pwd, umask }) })
    }

    #[doc(alias = "copy_fs_struct")]
    pub fn copy(&self) -> Arc<FsStruct> {
        Arc::new(FsStruct { inner: SpinLock::new(self.inner.lock().clone()) })
    }

    pub fn root(&self) -> Path {
        self.inner.lock().root.clone()
    }

    pub fn pwd(&self) -> Path {
        self.inner.lock().pwd.clone()
    }

    pub fn umask(&self) -> u32 {
        self.inner.lock().umask
    }

    pub fn set_root(&self, root: Path) {
        let old = core::mem::replace(&mut self.inner.lock().root, root);
        drop(old);
    }

    pub fn set_pwd(&self, pwd: Path) {
        let old = core::mem::replace(&mut self.inner.lock().pwd, pwd);
        drop(old);
    }

    /// Sets the mask, gives the old one.
    pub fn set_umask(&self, umask: u32) -> u32 {
        core::mem::replace(&mut self.inner.lock().umask, umask & 0o777)
    }
}
