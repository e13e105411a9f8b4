//! Inodes of tmpfs, and the kinds they come in.
//!
//! Mirrors: mm/shmem.c (`shmem_get_inode`), fs/inode.c (`inode_init_owner`), Linux 6.18.
//! Locking: `attr` holds a leaf lock of its own.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kcore::sync::SpinLock;
use acrida_uapi::capability::CAP_FSETID;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::F_SEAL_EXEC;
use acrida_uapi::stat::{
    S_IALLUGO, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_IXGRP, S_IXUGO, STATX_ATTR_APPEND, STATX_ATTR_IMMUTABLE,
    STATX_BTIME,
};
use acrida_uapi::time::Timespec;

use crate::current;
use crate::fs::attr::{Iattr, Kstat, Owner, current_time};
use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::file::FileOperations;
use crate::fs::hostfs::HostInode;
use crate::fs::inode::{Created, Inode, InodeCommon, Link, Looked, NewNode, Rename};
use crate::fs::locust::file::LocustFile;
use crate::fs::tmpfs::attributes::{Attr, Attributes};
use crate::fs::tmpfs::dir::Directory;
use crate::fs::tmpfs::file::{DirFile, Opened, RegularFile, ShmemFile, written};
use crate::fs::tmpfs::{Kind, TmpFs};
use crate::kernel::task::try_current;

/// The kind of an inode with its content.
pub enum Body {
    Directory(Directory),
    Regular(RegularFile),
    Symlink(Vec<u8>),
    /// FIFOs, sockets and devices: the device number.
    Special(u32),
}

/// An inode of a tmpfs.
#[doc(alias = "shmem_inode_info")]
pub struct TmpInode {
    common: InodeCommon,
    /// `S_IF*`.
    kind: u32,
    pub fs: Arc<TmpFs>,
    pub(super) attr: Attributes,
    btime: Timespec,
    pub(super) body: Body,
    pub(super) xattrs: SpinLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl TmpInode {
    pub fn new(fs: &Arc<TmpFs>, owner: Owner, nlink: u32, body: Body) -> Result<Arc<TmpInode>, Errno> {
        TmpInode::numbered(fs, None, owner, nlink, body)
    }

    /// As [`TmpInode::new`], with a number of the caller's choice.
    pub fn numbered(fs: &Arc<TmpFs>, ino: Option<u64>, owner: Owner, nlink: u32, body: Body) -> Result<Arc<TmpInode>, Errno> {
        let next = fs.charge_inode()?;
        let ino = ino.unwrap_or(next);
        let now = current_time();
        Ok(Arc::new(TmpInode {
            common: InodeCommon::new(fs.dev, ino),
            kind: owner.mode & S_IFMT,
            fs: fs.clone(),
            attr: Attributes::new(Attr { owner, nlink, atime: now, mtime: now, ctime: now }),
            btime: now,
            body,
            xattrs: SpinLock::default(),
        }))
    }

    /// The root; names that are not in it are looked for in `below`.
    pub fn new_root(fs: &Arc<TmpFs>, owner: Owner, below: Option<Arc<HostInode>>) -> Result<Arc<TmpInode>, Errno> {
        TmpInode::new(fs, owner, 2, Body::Directory(Directory::over(below)))
    }

    /// Whose a new object in this directory is: the caller's, with the directory's group if that is handed on.
    #[doc(alias = "inode_init_owner")]
    pub(super) fn new_owner(&self, mut mode: u32) -> Owner {
        let cred = current().cred();
        let dir = self.attr.get().owner;
        if dir.mode & S_ISGID == 0 {
            return Owner { mode, uid: cred.fsuid, gid: cred.fsgid };
        }
        if mode & S_IFMT == S_IFDIR {
            mode |= S_ISGID;
        } else if mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP && !cred.in_group(dir.gid) && !cred.capable(CAP_FSETID) {
            mode &= !S_ISGID;
        }
        Owner { mode, uid: cred.fsuid, gid: dir.gid }
    }

    /// Makes `name` in this directory for root: what a file system is filled with before anybody sees it.
    pub fn plant(&self, name: &[u8], mode: u32, body: Body) -> Result<(), Errno> {
        self.make_owned(name, Owner { mode, uid: 0, gid: 0 }, body).map(drop)
    }

    pub(super) fn directory(&self) -> Result<&Directory, Errno> {
        match &self.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub fn regular(&self) -> Option<&RegularFile> {
        match &self.body {
            Body::Regular(file) => Some(file),
            _ => None,
        }
    }

    /// Whether a regular file could grow.
    pub fn has_room(&self) -> bool {
        self.regular().is_some_and(|content| content.has_room(&self.fs))
    }

    /// A new size, of a regular file; what is beyond it is gone, also from all memory that shows it.
    pub(super) fn truncate(&self, size: u64) -> Result<(), Errno> {
        let file = self.regular().ok_or(Errno::EINVAL)?;
        let shrinks = size < file.size();
        file.truncate(&self.fs, size)?;
        written(self);
        if shrinks
            && file.is_mapped()
            && let Some(task) = try_current()
        {
            crate::mm::unmap_mapping_range(task, self, size.next_multiple_of(PAGE_SIZE as u64));
        }
        Ok(())
    }

    /// The content changed.
    pub(super) fn modified(&self) {
        let now = current_time();
        self.attr.update(|attr| (attr.mtime, attr.ctime) = (now, now));
    }

    pub(super) fn changed(&self) {
        let now = current_time();
        self.attr.update(|attr| attr.ctime = now);
    }

    /// The tmpfs inode behind a dentry; `EXDEV` when it is another file system's.
    pub(super) fn of(dentry: &Dentry) -> Result<&TmpInode, Errno> {
        dentry.inode().downcast_ref::<TmpInode>().ok_or(Errno::EXDEV)
    }

    /// Attributes.
    pub fn kstat(&self) -> Kstat {
        let attr = self.attr.get();
        let (size, pages, rdev) = match &self.body {
            Body::Directory(directory) => (directory.size(), 0, 0),
            Body::Regular(file) => {
                let (size, pages) = file.extent();
                (size, pages, 0)
            }
            Body::Symlink(text) => (text.len() as u64, 0, 0),
            Body::Special(rdev) => (0, 0, *rdev),
        };
        Kstat {
            dev: self.common.dev,
            ino: self.common.ino,
            nlink: attr.nlink,
            mode: attr.owner.mode,
            uid: attr.owner.uid,
            gid: attr.owner.gid,
            rdev,
            size,
            blksize: PAGE_SIZE as u32,
            blocks: pages * (PAGE_SIZE as u64 / 512),
            atime: attr.atime,
            mtime: attr.mtime,
            ctime: attr.ctime,
            btime: self.btime,
            extra_mask: STATX_BTIME,
            attributes: 0,
            attributes_mask: STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE,
            ..Kstat::default()
        }
    }
}

impl Drop for TmpInode {
    fn drop(&mut self) {
        if let Body::Regular(file) = &self.body {
            self.fs.uncharge(file.pages());
        }
        self.fs.uncharge_inode();
    }
}

impl Inode for TmpInode {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        self.attr.get().owner
    }

    fn kind(&self) -> u32 {
        self.kind
    }

    /// The names of a tmpfs are its own: they stay cached until they are removed. (Those of a locust go by themselves.)
    fn keep(&self, dentry: &Arc<Dentry>) {
        if self.fs.kind != Kind::Locust {
            dentry.pin();
        }
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(self.kstat())
    }

    fn lookup(&self, dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        let directory = self.directory()?;
        match (directory.get(name), directory.below()) {
            (Some(inode), _) => Ok(Some(Looked::from(inode as Arc<dyn Inode>))),
            (None, Some(below)) => below.lookup(dir, name),
            (None, None) => Ok(None),
        }
    }

    /// The entries are the truth: a name may have been removed between a look-up and its entry in the cache.
    fn revalidate(&self, child: &Dentry, name: &[u8], now: u64) -> Revalidated {
        let Ok(directory) = self.directory() else { return Revalidated::Stale };
        match child.inode().downcast_ref::<TmpInode>() {
            Some(inode) if directory.holds(name, inode) => Revalidated::Valid(None),
            None if directory.get(name).is_none() => {
                directory.below().map_or(Revalidated::Stale, |below| below.revalidate(child, name, now))
            }
            _ => Revalidated::Stale,
        }
    }

    fn create(&self, _dir: &Arc<Dentry>, name: &[u8], mode: u32, _flags: u32) -> Result<Created, Error> {
        let inode = self.make(name, S_IFREG | mode, Body::Regular(self.fs.regular(RegularFile::default())))?;
        Ok(Created { inode, ops: None })
    }

    fn mkdir(&self, _dir: &Arc<Dentry>, name: &[u8], mode: u32) -> Result<(), Error> {
        self.make(name, S_IFDIR | mode, Body::Directory(Directory::default()))?;
        Ok(())
    }

    fn mknod(&self, _dir: &Arc<Dentry>, name: &[u8], node: NewNode) -> Result<(), Error> {
        self.make(name, node.mode, Body::Special(node.rdev))?;
        Ok(())
    }

    fn symlink(&self, _dir: &Arc<Dentry>, name: &[u8], target: &[u8]) -> Result<(), Error> {
        self.make(name, S_IFLNK | 0o777, Body::Symlink(target.to_vec()))?;
        Ok(())
    }

    fn link(&self, _dir: &Arc<Dentry>, name: &[u8], old: &Dentry) -> Result<(), Error> {
        if self.fs.kind == Kind::Locust && !old.is_unhashed() {
            return Err(Errno::EPERM.into());
        }
        Ok(self.make_link(name, old)?)
    }

    fn unlink(&self, _dir: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        Ok(self.remove(victim)?)
    }

    fn rmdir(&self, _dir: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        Ok(self.remove_dir(victim)?)
    }

    fn rename(&self, how: &Rename<'_>) -> Result<(), Error> {
        Ok(self.move_entry(how)?)
    }

    fn tmpfile(&self, _dir: &Arc<Dentry>, mode: u32, flags: u32) -> Result<Created, Error> {
        let file = self.fs.regular(RegularFile::unnamed(flags & acrida_uapi::fcntl::O_EXCL == 0));
        let inode = TmpInode::new(&self.fs, self.new_owner(S_IFREG | mode), 0, Body::Regular(file))?;
        Ok(Created { inode, ops: None })
    }

    fn get_link(&self, _dentry: &Dentry) -> Result<Link, Error> {
        match &self.body {
            Body::Symlink(text) => Ok(Link::Text(text.clone())),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    fn setattr(&self, _dentry: &Dentry, attr: &Iattr) -> Result<(), Error> {
        if let Some(size) = attr.size {
            let file = self.regular().ok_or(Errno::EINVAL)?;
            if file.size() != size {
                self.truncate(size)?;
            }
        }
        if let Some(mode) = attr.mode
            && self.regular().is_some_and(|file| file.has_seal(F_SEAL_EXEC))
            && (mode ^ self.owner().mode) & S_IXUGO != 0
        {
            return Err(Errno::EPERM.into());
        }
        if attr.size.is_some() && attr.mode.is_none() && attr.atime.is_none() && attr.mtime.is_none() {
            return Ok(());
        }
        let now = current_time();
        self.attr.update(|own| {
            own.owner.uid = attr.uid.unwrap_or(own.owner.uid);
            own.owner.gid = attr.gid.unwrap_or(own.owner.gid);
            if let Some(mode) = attr.mode {
                own.owner.mode = own.owner.mode & S_IFMT | mode & S_IALLUGO;
            }
            own.atime = attr.atime.map_or(own.atime, |time| time.resolve());
            own.mtime = attr.mtime.map_or(own.mtime, |time| time.resolve());
            own.ctime = now;
        });
        Ok(())
    }

    fn open(&self, path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        match &self.body {
            Body::Directory(_) => Ok(Arc::new(DirFile)),
            Body::Regular(content) => match content.swarm() {
                Some(swarm) => LocustFile::open(swarm, path),
                None => Ok(Arc::new(ShmemFile { opened: Opened::ByOpen })),
            },
            Body::Special(rdev) if self.kind == S_IFCHR => crate::drivers::char::open(*rdev, path, flags),
            _ => Err(Errno::ENXIO.into()),
        }
    }

    fn getxattr(&self, _dentry: &Dentry, name: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.get_attribute(name)?)
    }

    fn setxattr(&self, _dentry: &Dentry, name: &[u8], value: &[u8], flags: u32) -> Result<(), Error> {
        Ok(self.set_attribute(name, value, flags)?)
    }

    fn listxattr(&self, _dentry: &Dentry) -> Result<Vec<u8>, Error> {
        Ok(self.list_attributes())
    }

    fn removexattr(&self, _dentry: &Dentry, name: &[u8]) -> Result<(), Error> {
        Ok(self.remove_attribute(name)?)
    }

    fn host_dir(&self) -> Option<&HostInode> {
        self.directory().ok()?.below().map(|below| &**below)
    }
}
