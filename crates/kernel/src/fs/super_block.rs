//! File systems and their types.
//!
//! Mirrors: fs/super.c, fs/filesystems.c, include/linux/fs.h (`super_block`, `file_system_type`), Linux 6.18.
//! Differs: types register in a table of the kernel; a type's `mount` gives a new (or the only) instance with its root.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;
use core::sync::atomic::{AtomicU32, Ordering};

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::new_encode_dev;
use acrida_uapi::statfs::Statfs;

use crate::fs::dcache::Dentry;

/// One instance of a file system.
#[doc(alias = "super_block")]
pub trait SuperBlock: Any + Send + Sync {
    fn type_name(&self) -> &'static str;
    fn statfs(&self, dentry: &Dentry) -> Result<Statfs, Error>;
    /// Writes everything to stable storage.
    fn sync(&self, dentry: &Dentry) -> Result<(), Error> {
        let _ = dentry;
        Ok(())
    }
    /// New options of a remount.
    fn reconfigure(&self, data: &[u8]) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }
    /// Options as /proc/mounts shows them, each with a leading comma.
    fn show_options(&self, out: &mut String) {
        let _ = out;
    }
}

/// What is mounted: an instance and the root of its tree.
pub struct Instance {
    pub sb: Arc<dyn SuperBlock>,
    pub root: Arc<Dentry>,
}

/// A kind of file system, by the name `mount` takes.
#[doc(alias = "file_system_type")]
pub struct FileSystemType {
    pub name: &'static str,
    /// `FS_REQUIRES_DEV`: /proc/filesystems shows no `nodev`.
    pub needs_device: bool,
    /// `source` and `data` are `mount`'s arguments.
    pub mount: fn(source: &[u8], data: &[u8]) -> Result<Instance, Error>,
}

/// Every kind there is.
pub static FILE_SYSTEMS: &[FileSystemType] = &[
    crate::fs::tmpfs::TMPFS,
    crate::drivers::base::devtmpfs::DEVTMPFS,
    crate::fs::proc::PROC,
    crate::drivers::tty::devpts::DEVPTS,
    crate::fs::locust::LOCUST,
    crate::fs::demofs::DEMOFS,
    crate::ipc::mqueue::MQUEUE,
];

/// The kind called `name`, or `ENODEV`.
#[doc(alias = "get_fs_type")]
pub fn file_system(name: &[u8]) -> Result<&'static FileSystemType, Errno> {
    FILE_SYSTEMS.iter().find(|kind| kind.name.as_bytes() == name).ok_or(Errno::ENODEV)
}

static NEXT_ANON: AtomicU32 = AtomicU32::new(0x1000);

/// A device number for an instance without a device. High enough not to meet the host's.
#[doc(alias = "get_anon_bdev")]
pub fn anon_dev() -> u32 {
    new_encode_dev(0, NEXT_ANON.fetch_add(1, Ordering::Relaxed))
}
