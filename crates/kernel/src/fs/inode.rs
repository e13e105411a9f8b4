//! Inodes: what a file system offers to the layer above.
//!
//! Mirrors: include/linux/fs.h (`inode`, `inode_operations`), fs/inode.c, Linux 6.18.
//! Differs: inode operations are one trait; a slot that Linux leaves empty is a default method with Linux's errno. The lock
//! around a change of names is the dentry's (`i_rwsem`).
//! Locking: an inode's own locks are taken after any dentry's.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering};

use acrida_kcore::sync::{SetOnce, SpinLock};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};

pub use crate::fs::attr::{Iattr, Kstat, Owner, SetTime};
pub use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::file::FileOperations;
use crate::fs::locks::FileLocks;
pub use crate::fs::namespace::Mount;
pub use crate::fs::readdir::DirContext;
use crate::kernel::cred::Cred;

/// Rights asked of [`Inode::permission`].
pub const MAY_EXEC: u32 = 1;
pub const MAY_WRITE: u32 = 2;
pub const MAY_READ: u32 = 4;
/// The right to enter a directory for good (`chdir`, `chroot`): a file system must not answer from memory.
pub const MAY_CHDIR: u32 = 0x40;

/// What a look-up in a directory found.
pub struct Looked {
    pub inode: Arc<dyn Inode>,
    /// Attributes that the look-up read anyway.
    pub stat: Option<Kstat>,
}

impl From<Arc<dyn Inode>> for Looked {
    fn from(inode: Arc<dyn Inode>) -> Self {
        Looked { inode, stat: None }
    }
}

/// What `create` made, or `open_child` found.
pub struct Created {
    pub inode: Arc<dyn Inode>,
    /// The file already opened, where the file system can only do both at once.
    pub ops: Option<Arc<dyn FileOperations>>,
}

/// Where a symbolic link leads.
pub enum Link {
    Text(Vec<u8>),
    /// Straight to a place, whatever the text says: /proc/PID/fd and its like.
    #[doc(alias = "nd_jump_link")]
    Jump(Path),
}

/// The right to say how a new object looks.
#[derive(Clone, Copy, Debug)]
pub struct NewNode {
    /// Kind and permissions, the umask already applied.
    pub mode: u32,
    /// Device number of a device node.
    pub rdev: u32,
}

/// What every inode has, whoever made it.
#[doc(alias = "inode")]
#[derive(Default)]
pub struct InodeCommon {
    /// Device number of the file system, as `st_dev` shows it.
    pub dev: u32,
    pub ino: u64,
    /// Advisory locks (`i_flctx`), made by their first user.
    pub locks: SetOnce<Box<FileLocks>>,
    /// The pipe of a FIFO while it is open (`i_pipe`); belongs to fs/pipe.
    pub pipe: SpinLock<alloc::sync::Weak<crate::fs::pipe::Pipe>>,
    /// The socket bound to this inode; belongs to net/unix.
    pub socket: SpinLock<Option<alloc::sync::Weak<dyn Any + Send + Sync>>>,
    /// Watches (`i_fsnotify_marks`); belongs to fs/notify.
    pub marks: crate::fs::notify::mark::Marks,
    /// `RWH_WRITE_LIFE_*`, as the last `F_SET_RW_HINT` said.
    #[doc(alias = "i_write_hint")]
    pub write_hint: AtomicU8,
    /// Writers if positive, programs that run from it if negative.
    #[doc(alias = "i_writecount")]
    writecount: AtomicI32,
    /// Open files that only read.
    #[doc(alias = "i_readcount")]
    readcount: AtomicI32,
    /// Changes of content and attributes that were made through us, where somebody asks.
    #[doc(alias = "i_version")]
    version: AtomicU32,
}

impl InodeCommon {
    pub fn new(dev: u32, ino: u64) -> Self {
        InodeCommon { dev, ino, ..InodeCommon::default() }
    }

    fn add_user(&self, step: i32) -> Result<(), Errno> {
        let allowed = |count: i32| if count * step >= 0 { Some(count + step) } else { None };
        match self.writecount.fetch_update(Ordering::AcqRel, Ordering::Acquire, allowed) {
            Ok(_) => Ok(()),
            Err(_) => Err(Errno::ETXTBSY),
        }
    }

    /// One writer more; `ETXTBSY` while the file is being run. Undone by [`InodeCommon::put_write_access`].
    pub fn get_write_access(&self) -> Result<(), Errno> {
        self.add_user(1)
    }

    /// Another number after each change of content or attributes through us.
    pub fn version(&self) -> u32 {
        self.version.load(Ordering::Acquire)
    }

    #[doc(alias = "inode_inc_iversion")]
    pub fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// Files open for writing; negative while a program runs from it.
    pub fn writers(&self) -> i32 {
        self.writecount.load(Ordering::Acquire)
    }

    /// Files open for reading only.
    pub fn readers(&self) -> i32 {
        self.readcount.load(Ordering::Acquire)
    }

    pub fn reader_came(&self) {
        self.readcount.fetch_add(1, Ordering::AcqRel);
    }

    pub fn reader_gone(&self) {
        self.readcount.fetch_sub(1, Ordering::AcqRel);
    }

    pub fn put_write_access(&self) {
        self.writecount.fetch_sub(1, Ordering::AcqRel);
    }

    /// One process more runs from the file; `ETXTBSY` while somebody writes it. Undone by [`InodeCommon::allow_write_access`].
    pub fn deny_write_access(&self) -> Result<(), Errno> {
        self.add_user(-1)
    }

    pub fn allow_write_access(&self) {
        self.writecount.fetch_add(1, Ordering::AcqRel);
    }
}

/// An object of a file system.
///
/// `dentry` is always a name of this inode, `dir` the dentry of this directory inode. Names are checked: not empty, not
/// `.` or `..`, at most 255 bytes, no slash. Permissions are checked by the caller unless [`Inode::checks_itself`].
#[doc(alias = "inode_operations")]
pub trait Inode: Any + Send + Sync {
    fn common(&self) -> &InodeCommon;

    /// Kind and permissions, owner: as last seen where the truth is elsewhere.
    fn owner(&self) -> Owner;

    /// `S_IF*`; never changes.
    fn kind(&self) -> u32 {
        self.owner().mode & S_IFMT
    }

    #[doc(alias = "getattr")]
    fn stat(&self, dentry: &Dentry) -> Result<Kstat, Error>;

    fn permission(&self, dentry: &Dentry, cred: &Cred, mask: u32) -> Result<(), Error> {
        let _ = dentry;
        Ok(crate::fs::attr::generic_permission(cred, self.owner(), mask)?)
    }

    /// Whether the file system makes every permission check of a changing call by itself.
    fn checks_itself(&self) -> bool {
        false
    }

    /// What stands at `name`, or `None`.
    fn lookup(&self, dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        let _ = (dir, name);
        Err(Errno::ENOTDIR.into())
    }

    /// Whether `child`, found in the cache under `name`, still holds in this directory; `now` is a recent coarse monotonic
    /// time, ns.
    #[doc(alias = "d_revalidate")]
    fn revalidate(&self, child: &Dentry, name: &[u8], now: u64) -> Revalidated {
        let _ = (child, name, now);
        Revalidated::Valid(None)
    }

    /// The next [`Inode::revalidate`] shall not rely on what it saw before.
    fn distrust(&self) {}

    /// Whether what the inode stands for still exists (a process's directory).
    fn is_live(&self) -> bool {
        true
    }

    /// A dentry of this inode was made; the file system may keep it alive for later look-ups.
    fn keep(&self, dentry: &Arc<Dentry>) {
        let _ = dentry;
    }

    /// A dentry of this inode lost its name: nobody will look it up again.
    fn unkeep(&self, dentry: &Dentry) {
        let _ = dentry;
    }

    /// The attributes of what stands at `name`, not following a link, where they can be had without an inode. `None`: look it
    /// up.
    fn stat_child(&self, dir: &Dentry, name: &[u8]) -> Result<Option<Kstat>, Error> {
        let _ = (dir, name);
        Ok(None)
    }

    /// Opens `name` without looking it up first, where that is cheaper. `None`: look it up, then open it. Only for opens that
    /// change nothing.
    #[doc(alias = "atomic_open")]
    fn open_child(&self, dir: &Arc<Dentry>, name: &[u8], flags: u32) -> Result<Option<Created>, Error> {
        let _ = (dir, name, flags);
        Ok(None)
    }

    /// A new regular file that must not exist (`EEXIST`); `flags` are those of the open that makes it.
    fn create(&self, dir: &Arc<Dentry>, name: &[u8], mode: u32, flags: u32) -> Result<Created, Error> {
        let _ = (dir, name, mode, flags);
        Err(Errno::EACCES.into())
    }

    fn mkdir(&self, dir: &Arc<Dentry>, name: &[u8], mode: u32) -> Result<(), Error> {
        let _ = (dir, name, mode);
        Err(Errno::EPERM.into())
    }

    fn mknod(&self, dir: &Arc<Dentry>, name: &[u8], node: NewNode) -> Result<(), Error> {
        let _ = (dir, name, node);
        Err(Errno::EPERM.into())
    }

    fn symlink(&self, dir: &Arc<Dentry>, name: &[u8], target: &[u8]) -> Result<(), Error> {
        let _ = (dir, name, target);
        Err(Errno::EPERM.into())
    }

    /// A new name for what `old` is.
    fn link(&self, dir: &Arc<Dentry>, name: &[u8], old: &Dentry) -> Result<(), Error> {
        let _ = (dir, name, old);
        Err(Errno::EPERM.into())
    }

    fn unlink(&self, dir: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        let _ = (dir, victim);
        Err(Errno::EPERM.into())
    }

    fn rmdir(&self, dir: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        let _ = (dir, victim);
        Err(Errno::EPERM.into())
    }

    fn rename(&self, how: &Rename<'_>) -> Result<(), Error> {
        let _ = how;
        Err(Errno::EPERM.into())
    }

    /// An unnamed file in this directory (`O_TMPFILE`).
    fn tmpfile(&self, dir: &Arc<Dentry>, mode: u32, flags: u32) -> Result<Created, Error> {
        let _ = (dir, mode, flags);
        Err(Errno::EPERM.into())
    }

    /// Where the link leads.
    fn get_link(&self, dentry: &Dentry) -> Result<Link, Error> {
        let _ = dentry;
        Err(Errno::EINVAL.into())
    }

    /// The text `readlink` gives; magic links answer without following.
    fn readlink(&self, dentry: &Dentry) -> Result<Vec<u8>, Error> {
        match self.get_link(dentry)? {
            Link::Text(text) => Ok(text),
            Link::Jump(path) => Ok(crate::fs::d_path::d_path(&path)),
        }
    }

    fn setattr(&self, dentry: &Dentry, attr: &Iattr) -> Result<(), Error> {
        let _ = (dentry, attr);
        Err(Errno::EPERM.into())
    }

    /// Opens the object; `flags` are `O_*`. FIFOs and sockets never get here, unless [`Inode::reopens_itself`].
    fn open(&self, path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let _ = (path, flags);
        Err(Errno::ENXIO.into())
    }

    /// Opens the object only as a place (`O_PATH`).
    fn open_path(&self, path: &Path) -> Result<Arc<dyn FileOperations>, Error> {
        let _ = path;
        Ok(Arc::new(crate::fs::open::PathOnly))
    }

    /// Whether `open` also opens FIFOs and sockets (files that are reached through a magic link).
    fn reopens_itself(&self) -> bool {
        false
    }

    /// The value of an extended attribute.
    fn getxattr(&self, dentry: &Dentry, name: &[u8]) -> Result<Vec<u8>, Error> {
        let _ = (dentry, name);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// `flags`: `XATTR_CREATE`, `XATTR_REPLACE`.
    fn setxattr(&self, dentry: &Dentry, name: &[u8], value: &[u8], flags: u32) -> Result<(), Error> {
        let _ = (dentry, name, value, flags);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// Names, each ended by NUL.
    fn listxattr(&self, dentry: &Dentry) -> Result<Vec<u8>, Error> {
        let _ = dentry;
        Ok(Vec::new())
    }

    fn removexattr(&self, dentry: &Dentry, name: &[u8]) -> Result<(), Error> {
        let _ = (dentry, name);
        Err(Errno::EOPNOTSUPP.into())
    }

    /// The host directory behind this one, for objects of the host below it.
    fn host_dir(&self) -> Option<&crate::fs::hostfs::HostInode> {
        None
    }
}

/// One `rename`: both places, and what stands there.
pub struct Rename<'a> {
    pub old_dir: &'a Arc<Dentry>,
    pub old: &'a Arc<Dentry>,
    pub new_dir: &'a Arc<Dentry>,
    pub new_name: &'a [u8],
    pub victim: Option<&'a Arc<Dentry>>,
    /// `RENAME_*`.
    pub flags: u32,
}

impl dyn Inode {
    /// The file system's own type, if it is `T`.
    pub fn downcast_ref<T: Inode>(&self) -> Option<&T> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }

    pub fn is_dir(&self) -> bool {
        self.kind() == S_IFDIR
    }

    pub fn is_symlink(&self) -> bool {
        self.kind() == S_IFLNK
    }

    pub fn is_regular(&self) -> bool {
        self.kind() == S_IFREG
    }

    pub fn is_fifo(&self) -> bool {
        self.kind() == S_IFIFO
    }

    pub fn is_socket(&self) -> bool {
        self.kind() == S_IFSOCK
    }

    pub fn is_device(&self) -> bool {
        matches!(self.kind(), S_IFCHR | S_IFBLK)
    }
}
