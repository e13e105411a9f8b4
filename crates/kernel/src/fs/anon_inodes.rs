//! Objects outside every tree: the file system they are said to be on, and the inodes of files without a path.
//!
//! Mirrors: fs/anon_inodes.c, Linux 6.18.
//! Differs: an inode is made only when a path to the file is asked for (`AT_EMPTY_PATH`, /proc/PID/fd/N).
//! Locking: `PseudoInode::attr` is a leaf.

use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFIFO, S_IFMT, S_IFSOCK};
use acrida_uapi::statfs::{ANON_INODE_FS_MAGIC, PIPEFS_MAGIC, SOCKFS_MAGIC, Statfs};
use zerocopy::FromZeros;

use crate::fs::attr::{Kstat, Owner, SetTime, current_time};
use crate::fs::dcache::{Dentry, Path};
use crate::fs::file::{FileOperations, FileRef};
use crate::fs::inode::{Iattr, Inode, InodeCommon};
use crate::fs::super_block::{Instance, SuperBlock};
use crate::{current, kernel};

struct AnonFs;

impl SuperBlock for AnonFs {
    fn type_name(&self) -> &'static str {
        "anon_inodefs"
    }

    /// Pipes and sockets are on file systems of their own in Linux.
    fn statfs(&self, dentry: &Dentry) -> Result<Statfs, Error> {
        let magic = match dentry.inode().kind() {
            S_IFIFO => PIPEFS_MAGIC,
            S_IFSOCK => SOCKFS_MAGIC,
            _ => ANON_INODE_FS_MAGIC,
        };
        let mut out = Statfs::new_zeroed();
        (out.f_type, out.f_bsize, out.f_namelen) = (magic, 4096, 255);
        Ok(out)
    }
}

/// The internal file system's instance.
pub fn instance() -> Instance {
    let root = Dentry::root(Arc::new(RootInode(InodeCommon::default())));
    Instance { sb: Arc::new(AnonFs), root }
}

struct RootInode(InodeCommon);

impl Inode for RootInode {
    fn common(&self) -> &InodeCommon {
        &self.0
    }

    fn owner(&self) -> Owner {
        Owner { mode: acrida_uapi::stat::S_IFDIR, uid: 0, gid: 0 }
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(Kstat { mode: acrida_uapi::stat::S_IFDIR, ..Kstat::default() })
    }
}

/// An object that can be opened once more by a path to an open file of it.
pub trait Reopen: Send + Sync {
    fn reopen(self: Arc<Self>, flags: u32) -> Result<Arc<dyn FileOperations>, Error>;
}

/// The inode that a path to a file without one leads to. It keeps the object, not the file open.
struct FileInode {
    /// `None`: a file that is only a mechanism.
    pseudo: Option<Arc<PseudoInode>>,
    reopens: Option<Arc<dyn Reopen>>,
    /// Of a mechanism.
    common: InodeCommon,
}

impl Inode for FileInode {
    fn common(&self) -> &InodeCommon {
        self.pseudo.as_ref().map_or(&self.common, |pseudo| pseudo.common())
    }

    fn owner(&self) -> Owner {
        let stat = self.pseudo.as_ref().map_or_else(anon_stat, |pseudo| pseudo.stat());
        Owner { mode: stat.mode, uid: stat.uid, gid: stat.gid }
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(self.pseudo.as_ref().map_or_else(anon_stat, |pseudo| pseudo.stat()))
    }

    fn setattr(&self, _dentry: &Dentry, attr: &Iattr) -> Result<(), Error> {
        match &self.pseudo {
            Some(pseudo) => pseudo.setattr(attr),
            None => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    fn open(&self, _path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        self.reopens.clone().ok_or(Errno::ENXIO)?.reopen(flags)
    }

    fn reopens_itself(&self) -> bool {
        true
    }
}

/// Where an open file stands; a place outside every tree for a file without a path.
pub fn path_of(file: &FileRef) -> Path {
    if let Some(path) = &file.path {
        return path.clone();
    }
    let name = file.ops.link_name(file).unwrap_or_default();
    let inode =
        FileInode { pseudo: file.ops.pseudo_inode().cloned(), reopens: file.ops.reopens(), common: InodeCommon::default() };
    Path { mnt: kernel().anon_mount.clone(), dentry: Dentry::anonymous(name.as_bytes(), Arc::new(inode)) }
}

/// What a pipe or socket without a path has of an inode.
pub struct PseudoInode {
    common: InodeCommon,
    attr: SpinLock<Kstat>,
}

impl PseudoInode {
    /// A new one with a number of its own, the caller's; `mode` is kind and permissions.
    #[doc(alias = "alloc_anon_inode")]
    pub fn new(dev: u32, mode: u32) -> Arc<PseudoInode> {
        let (cred, now) = (current().cred(), current_time());
        let common = InodeCommon::new(dev, kernel().next_ino());
        let attr = Kstat {
            dev,
            ino: common.ino,
            nlink: 1,
            mode,
            uid: cred.fsuid,
            gid: cred.fsgid,
            blksize: 4096,
            atime: now,
            mtime: now,
            ctime: now,
            ..Kstat::default()
        };
        Arc::new(PseudoInode { common, attr: SpinLock::new(attr) })
    }

    pub fn common(&self) -> &InodeCommon {
        &self.common
    }

    pub fn stat(&self) -> Kstat {
        *self.attr.lock()
    }

    /// Changes what was asked for; these objects have no size.
    #[doc(alias = "simple_setattr")]
    pub fn setattr(&self, change: &Iattr) -> Result<(), Error> {
        if change.size.is_some() {
            return Err(Errno::EINVAL.into());
        }
        let mut attr = self.attr.lock();
        if let Some(mode) = change.mode {
            attr.mode = attr.mode & S_IFMT | mode & !S_IFMT;
        }
        attr.uid = change.uid.unwrap_or(attr.uid);
        attr.gid = change.gid.unwrap_or(attr.gid);
        attr.atime = change.atime.map_or(attr.atime, SetTime::resolve);
        attr.mtime = change.mtime.map_or(attr.mtime, SetTime::resolve);
        attr.ctime = current_time();
        Ok(())
    }
}

/// Attributes of the files that are only a mechanism (eventfd, epoll...): on Linux they share one inode.
pub fn anon_stat() -> Kstat {
    Kstat { nlink: 1, mode: 0o600, blksize: 4096, ..Kstat::default() }
}
