//! Where a process stands in the file tree.
//!
//! Mirrors: include/linux/fs_struct.h, Linux 6.18.
//! Locking: `inner` is a leaf lock, which the only user need not take to read (`SoloLock`).

use alloc::sync::Arc;

use acrida_kcore::solo::SoloLock;
use acrida_kcore::thread::Thread;

use crate::fs::inode::Path;

/// Root, current directory and umask; shared with `CLONE_FS`.
pub struct FsStruct {
    inner: SoloLock<Inner>,
}

#[derive(Clone)]
struct Inner {
    root: Path,
    pwd: Path,
    umask: u32,
}

impl FsStruct {
    pub fn new(root: Path, pwd: Path, umask: u32) -> Arc<FsStruct> {
        Arc::new(FsStruct { inner: SoloLock::shared(Inner { root, pwd, umask }) })
    }

    /// A copy for `thread` alone.
    #[doc(alias = "copy_fs_struct")]
    pub fn copy(&self, thread: &Thread) -> Arc<FsStruct> {
        Arc::new(FsStruct { inner: SoloLock::owned_by(thread, self.inner.read(Inner::clone)) })
    }

    /// The caller is the only user from now on.
    pub fn adopt(&self) {
        self.inner.adopt();
    }

    /// Other threads than the caller will use it too (`CLONE_FS`).
    pub fn share(&self) {
        self.inner.share();
    }

    pub fn root(&self) -> Path {
        self.inner.read(|inner| inner.root.clone())
    }

    pub fn pwd(&self) -> Path {
        self.inner.read(|inner| inner.pwd.clone())
    }

    pub fn umask(&self) -> u32 {
        self.inner.read(|inner| inner.umask)
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
