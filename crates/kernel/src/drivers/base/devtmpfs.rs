//! /dev: our own devices, and the host's where we have none.
//!
//! Mirrors: drivers/base/devtmpfs.c, Linux 6.18.
//! Differs: a tmpfs whose root shows the host's /dev below its own entries.

use acrida_uapi::errno::Error;
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::stat::{S_IFCHR, S_IFDIR, S_IFLNK};
use alloc::sync::Arc;

use crate::drivers::char::DEVICES;
use crate::fs::dcache::Dentry;
use crate::fs::hostfs::HostInode;
use crate::fs::inode::Inode;
use crate::fs::namei::{Lookup, lookup};
use crate::fs::super_block::{FileSystemType, Instance};
use crate::fs::tmpfs::dir::Directory;
use crate::fs::tmpfs::inode::{Body, TmpInode};
use crate::fs::tmpfs::options::Options;
use crate::fs::tmpfs::{Kind, new_instance};

/// `mount -t devtmpfs`; what was at /dev before shows through.
pub const DEVTMPFS: FileSystemType = FileSystemType {
    name: "devtmpfs",
    needs_device: false,
    mount: |_, _| {
        let dev = lookup(AT_FDCWD, b"/dev", Lookup::FOLLOW)?.path;
        mount(host_dev(dev.inode(), &dev.dentry))
    },
};

const LINKS: [(&[u8], &[u8]); 4] =
    [(b"fd", b"/proc/self/fd"), (b"stdin", b"/proc/self/fd/0"), (b"stdout", b"/proc/self/fd/1"), (b"stderr", b"/proc/self/fd/2")];

/// The host's directory behind an inode, if it is one, ready to be asked without its dentry.
pub fn host_dev(inode: &Arc<dyn Inode>, dentry: &Dentry) -> Option<Arc<HostInode>> {
    let any: Arc<dyn core::any::Any + Send + Sync> = inode.clone();
    let host: Arc<HostInode> = any.downcast().ok()?;
    host.dir_fd(dentry).ok()?;
    Some(host)
}

/// A new /dev over the host's.
pub fn mount(below: Option<Arc<HostInode>>) -> Result<Instance, Error> {
    let options = Options { max_blocks: 0, max_inodes: 0, mode: 0o755, uid: 0, gid: 0 };
    let instance = new_instance(Kind::Devtmpfs, options, below)?;
    let Some(root) = instance.root.inode().downcast_ref::<TmpInode>() else { return Ok(instance) };
    for device in DEVICES {
        root.plant(device.name, S_IFCHR | device.mode, Body::Special(device.rdev()))?;
    }
    for (name, target) in LINKS {
        root.plant(name, S_IFLNK | 0o777, Body::Symlink(target.to_vec()))?;
    }
    root.plant(b"pts", S_IFDIR | 0o755, Body::Directory(Directory::default()))?;
    root.plant(b"shm", S_IFDIR | 0o1777, Body::Directory(Directory::default()))?;
    root.plant(b"mqueue", S_IFDIR | 0o1777, Body::Directory(Directory::default()))?;
    Ok(instance)
}
