//! Host files: the host's directory tree, passed through.
//!
//! Mirrors: fs/hostfs/hostfs_kern.c, Linux 6.18, in purpose only.
//! Linux keeps a path per inode and opens it by name each time. Here the last component of a path is one host call
//! relative to a cached descriptor of its directory, and is never followed by the host:
//! ```text
//!   /usr/lib/libc.so      dentry "usr" -- dentry "lib" ------------- "libc.so": statx(fd of lib, "libc.so")
//!                            O_PATH fd       O_PATH fd                          openat(fd of lib, "libc.so", O_NOFOLLOW)
//! ```
//! Directories and symbolic links stay cached ([`kept`]) and are compared with the host again when the last look is
//! older than [`inode::TRUSTED_NS`]: the host may change them below us. Changes made through us are seen at once.
//! Nothing else is cached: a file's attributes are the host's at the time of the call, and a name that was not there is
//! looked for again.
//! Differs from a disk file system of Linux: permissions are checked by the host, which knows the task's file-system ids;
//! only the way through cached directories is checked here.
//! Locking: `HostFs::inodes` and `Kept` are leaf locks.

mod dir;
mod file;
pub mod handle;
pub mod inherited;
pub mod inode;
mod kept;
pub mod lent;
mod seen;
pub mod watch;
pub mod window;

pub use file::HOST_POSITION;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};

use acrida_kcore::host::HostFd;
use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_DIRECTORY, O_PATH};
use acrida_uapi::nr;
use acrida_uapi::stat::S_IFMT;
use acrida_uapi::statfs::Statfs;

use crate::fs::attr::Kstat;
use crate::fs::dcache::Dentry;
use crate::fs::file::FileOperations;
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::kept::Kept;
use crate::fs::super_block::{Instance, SuperBlock};
use crate::host;

pub use inherited::wrap_inherited;
pub use inode::HostInode;

/// Opens a device of the host by its path there.
pub fn open_device(path: &[u8], flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    file::HostFile::open_device(path, flags)
}

/// The host's tree.
pub struct HostFs {
    /// Live inodes by device and number, so that two opens of one file meet in one inode.
    inodes: SpinLock<BTreeMap<(u32, u64), Weak<HostInode>>>,
    kept: SpinLock<Kept>,
    /// Device of the host's /dev, where a mere open may do something.
    dev_dev: u32,
    /// Device of the host's /proc, whose links depend on who reads them.
    proc_dev: u32,
}

impl HostFs {
    /// The whole tree of the host, as this process sees it.
    pub fn new() -> Result<Instance, Error> {
        let root_fd = host::fs::openat(HostFd::CWD, b"/", O_PATH | O_DIRECTORY, 0)?;
        let handle = Arc::new(HostHandle::new(root_fd));
        let proc_dev = host::fs::statx(root_fd, b"proc/self").map_or(0, |stat| stat.dev);
        let dev_dev = host::fs::statx(root_fd, b"dev/null").map_or(0, |stat| stat.dev);
        let fs = Arc::new(HostFs { inodes: SpinLock::default(), kept: SpinLock::default(), dev_dev, proc_dev });
        let inode = fs.inode(&host::fs::statx(root_fd, b"")?);
        inode.set_dir_handle(handle);
        Ok(Instance { sb: fs, root: Dentry::root(inode) })
    }

    /// The inode with these attributes: the live one, or a new one.
    #[doc(alias = "iget5_locked")]
    fn inode(self: &Arc<Self>, stat: &Kstat) -> Arc<HostInode> {
        let key = (stat.dev, stat.ino);
        let mut inodes = self.inodes.lock();
        let live = inodes.get(&key).and_then(Weak::upgrade);
        if let Some(live) = &live
            && live.is_same_object(stat)
        {
            let live = live.clone();
            drop(inodes);
            live.saw(stat);
            return live;
        }
        let inode = Arc::new(HostInode::new(self.clone(), stat));
        inodes.insert(key, Arc::downgrade(&inode));
        drop(inodes);
        // A different object under the same number: the old one is dropped outside the lock.
        drop(live);
        inode
    }

    fn forget(&self, key: (u32, u64)) {
        let mut inodes = self.inodes.lock();
        if inodes.get(&key).is_some_and(|weak| weak.strong_count() == 0) {
            inodes.remove(&key);
        }
    }
}

impl SuperBlock for HostFs {
    fn type_name(&self) -> &'static str {
        "hostfs"
    }

    fn statfs(&self, dentry: &Dentry) -> Result<Statfs, Error> {
        let inode = HostInode::of(dentry)?;
        let spot = inode.spot(dentry)?;
        if spot.name.is_empty() {
            return Ok(host::fs::fstatfs(spot.fd)?);
        }
        let fd = HostHandle::new(host::fs::openat(spot.fd, &spot.name, O_PATH | acrida_uapi::fcntl::O_NOFOLLOW, 0)?);
        Ok(host::fs::fstatfs(fd.fd())?)
    }

    fn sync(&self, dentry: &Dentry) -> Result<(), Error> {
        // syncfs wants a descriptor that is really open; the directory is.
        let inode = HostInode::of(dentry)?;
        let dir = match dentry.parent() {
            Some(parent) if !inode_is_dir(inode) => parent,
            _ => return self.sync_dir(inode, dentry),
        };
        let parent = HostInode::of(&dir)?;
        self.sync_dir(parent, &dir)
    }
}

impl HostFs {
    fn sync_dir(&self, inode: &HostInode, dentry: &Dentry) -> Result<(), Error> {
        let fd = inode.dir_fd(dentry)?;
        let open = HostHandle::new(host::fs::openat(fd, b".", O_DIRECTORY, 0)?);
        Ok(host::fs::sync_call(nr::syncfs, open.fd())?)
    }
}

fn inode_is_dir(inode: &HostInode) -> bool {
    inode.mode() & S_IFMT == acrida_uapi::stat::S_IFDIR
}

impl HostInode {
    /// The host directory or file behind a dentry; `EXDEV` when it is not the host's.
    pub fn of(dentry: &Dentry) -> Result<&HostInode, Errno> {
        let inode = dentry.inode();
        inode.host_dir().or_else(|| inode.downcast_ref::<HostInode>()).ok_or(Errno::EXDEV)
    }
}
