//! The directory of queues, and queues as inodes.
//!
//! Mirrors: ipc/mqueue.c (`mqueue_get_inode`, `mqueue_create`, `mqueue_unlink`), Linux 6.18.
//! Locking: attributes are leaf locks.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::dirent::{DT_DIR, DT_REG};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mqueue::MqAttr;
use acrida_uapi::stat::{S_IFDIR, S_IFREG, S_ISVTX};

use super::file::{FILENT_SIZE, MqFile};
use super::queue::Queue;
use super::{MqFs, limits};
use crate::abi::SysResult;
use crate::current;
use crate::fs::attr::current_time;
use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::inode::{Created, Iattr, Inode, InodeCommon, Kstat, Looked, Owner};
use crate::fs::iov_iter::IovIter;
use crate::fs::libfs::{dir_llseek, owner_of, simple_setattr};
use crate::fs::readdir::DirContext;

pub const ROOT_INO: u64 = 1;
/// What an entry adds to the directory's size.
const DIRENT_SIZE: u64 = 20;

fn new_attributes(dev: u32, ino: u64, mode: u32) -> Kstat {
    let now = current_time();
    let times = Kstat { atime: now, mtime: now, ctime: now, ..Kstat::default() };
    Kstat { dev, ino, nlink: 1, mode, size: FILENT_SIZE, blksize: 4096, ..times }
}

/// A queue.
pub struct MqInode {
    common: InodeCommon,
    fs: Arc<MqFs>,
    attr: SpinLock<Kstat>,
    pub queue: Queue,
    /// User and bytes of `RLIMIT_MSGQUEUE`.
    charged: (u32, u64),
    /// Itself, for the files that are opened.
    this: alloc::sync::Weak<MqInode>,
}

impl MqInode {
    /// A message came or went.
    pub fn changed(&self) {
        let now = current_time();
        let mut attr = self.attr.lock();
        (attr.atime, attr.mtime, attr.ctime) = (now, now, now);
    }

    /// A size that means nothing.
    pub fn set_size(&self, size: u64) {
        self.attr.lock().size = size;
    }

    /// Its text was read.
    pub fn accessed(&self) {
        let now = current_time();
        let mut attr = self.attr.lock();
        (attr.atime, attr.ctime) = (now, now);
    }
}

impl Drop for MqInode {
    #[doc(alias = "mqueue_evict_inode")]
    fn drop(&mut self) {
        self.fs.uncharge(self.charged);
    }
}

impl Inode for MqInode {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        owner_of(&self.attr)
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(*self.attr.lock())
    }

    fn setattr(&self, _dentry: &Dentry, change: &Iattr) -> Result<(), Error> {
        simple_setattr(&self.attr, change);
        Ok(())
    }

    fn open(&self, _path: &Path, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let this = self.this.upgrade().ok_or(Errno::ENXIO)?;
        Ok(Arc::new(MqFile(this)))
    }
}

/// The directory.
pub struct MqRoot {
    common: InodeCommon,
    fs: Arc<MqFs>,
    attr: SpinLock<Kstat>,
}

impl MqRoot {
    pub fn new(fs: Arc<MqFs>) -> MqRoot {
        let attr = new_attributes(fs.dev, ROOT_INO, S_IFDIR | S_ISVTX | 0o777);
        let attr = SpinLock::new(Kstat { nlink: 2, size: 2 * DIRENT_SIZE, ..attr });
        MqRoot { common: InodeCommon::new(fs.dev, ROOT_INO), fs, attr }
    }

    fn find(&self, name: &[u8]) -> Option<Arc<MqInode>> {
        self.fs.queues.lock().get(name).cloned()
    }

    /// A new queue; `mode` has the umask applied.
    #[doc(alias = "mqueue_create_attr")]
    pub fn make(&self, name: &[u8], mode: u32, wanted: Option<MqAttr>) -> Result<Arc<MqInode>, Errno> {
        self.fs.count_queue()?;
        let charged = limits(wanted).and_then(|size| Ok((size, self.fs.charge(size)?)));
        let (size, charged) = charged.inspect_err(|_| {
            self.fs.count.fetch_sub(1, Ordering::Relaxed);
        })?;
        let (ino, cred) = (self.fs.next_ino.fetch_add(1, Ordering::Relaxed), current().cred());
        let attr = new_attributes(self.fs.dev, ino, S_IFREG | mode);
        let inode = Arc::new_cyclic(|this| MqInode {
            common: InodeCommon::new(self.fs.dev, ino),
            fs: self.fs.clone(),
            attr: SpinLock::new(Kstat { uid: cred.fsuid, gid: cred.fsgid, ..attr }),
            queue: Queue::new(size),
            charged,
            this: this.clone(),
        });
        {
            let mut queues = self.fs.queues.lock();
            if queues.contains_key(name) {
                drop(queues);
                return Err(Errno::EEXIST);
            }
            queues.insert(name.into(), inode.clone());
        }
        self.entries_changed();
        Ok(inode)
    }

    fn entries_changed(&self) {
        let entries = self.fs.queues.lock().len() as u64;
        let now = current_time();
        let mut attr = self.attr.lock();
        (attr.atime, attr.mtime, attr.ctime) = (now, now, now);
        attr.size = (2 + entries) * DIRENT_SIZE;
    }
}

impl Inode for MqRoot {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        owner_of(&self.attr)
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(*self.attr.lock())
    }

    fn setattr(&self, _dentry: &Dentry, change: &Iattr) -> Result<(), Error> {
        simple_setattr(&self.attr, change);
        Ok(())
    }

    fn lookup(&self, _dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        Ok(self.find(name).map(|inode| Looked::from(inode as Arc<dyn Inode>)))
    }

    fn revalidate(&self, child: &Dentry, _name: &[u8], _now: u64) -> Revalidated {
        let cached = Arc::as_ptr(child.inode()).cast::<u8>();
        match self.find(&child.name()) {
            Some(inode) if core::ptr::eq(Arc::as_ptr(&inode).cast::<u8>(), cached) => Revalidated::Valid(None),
            _ => Revalidated::Stale,
        }
    }

    fn create(&self, _dir: &Arc<Dentry>, name: &[u8], mode: u32, _flags: u32) -> Result<Created, Error> {
        let inode = self.make(name, mode, None)?;
        Ok(Created { inode, ops: None })
    }

    fn unlink(&self, _dir: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        let gone = self.fs.queues.lock().remove(&*victim.name()).ok_or(Errno::ENOENT)?;
        {
            let mut attr = gone.attr.lock();
            attr.nlink = 0;
            attr.ctime = current_time();
        }
        drop(gone);
        self.entries_changed();
        Ok(())
    }

    fn open(&self, _path: &Path, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        Ok(Arc::new(Listing(self.fs.clone())))
    }
}

/// The open directory. Positions: `.`, `..`, then inode numbers, which only grow.
struct Listing(Arc<MqFs>);

impl FileOperations for Listing {
    fn read(&self, _file: &FileRef, _to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        Err(Errno::EISDIR.into())
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        dir_llseek(file, offset, whence)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn fsync(&self, _file: &FileRef, _datasync: bool) -> Result<(), Error> {
        Ok(())
    }

    fn iterate(&self, _file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        if ctx.pos == 0 && !ctx.emit(b".", ROOT_INO, DT_DIR, 1) {
            return Ok(());
        }
        if ctx.pos == 1 && !ctx.emit(b"..", ROOT_INO, DT_DIR, 2) {
            return Ok(());
        }
        let mut entries: Vec<(u64, Arc<[u8]>)> =
            self.0.queues.lock().iter().map(|(name, inode)| (inode.common.ino, name.clone())).collect();
        entries.sort_unstable_by_key(|(ino, _)| *ino);
        let from = ctx.pos;
        for (ino, name) in entries.into_iter().filter(|(ino, _)| ino + 1 > from) {
            if !ctx.emit(&name, ino, DT_REG, ino + 1) {
                break;
            }
        }
        Ok(())
    }
}
