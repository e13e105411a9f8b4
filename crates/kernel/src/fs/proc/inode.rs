//! What every object of procfs has in common.
//!
//! Mirrors: fs/proc/inode.c, fs/proc/generic.c, Linux 6.18.
//! Differs: an object is a small value that implements [`Node`]; one inode type wraps them all. Inodes are made at
//! look-up and die with their dentry; numbers are computed, so that listing and look-up agree.
//! Locking: `File::pos` for a seek.

use alloc::sync::Arc;

use acrida_uapi::dirent::{DT_DIR, DT_LNK, DT_REG};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFMT};

use crate::fs::attr::{Iattr, Kstat, Owner, current_time, generic_permission};
use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::inode::{Inode, InodeCommon, Link, Looked};
use crate::fs::readdir::DirContext;
use crate::kernel::cred::Cred;

/// An inode of procfs, whatever it shows.
pub type ProcRef = Arc<dyn Inode>;

/// One entry of a directory.
pub struct Entry<'a> {
    pub name: &'a [u8],
    pub ino: u64,
    /// Kind and permissions of what it names; only the kind counts.
    pub mode: u32,
    /// Where a listing that stops behind this entry goes on.
    pub next: u64,
}

/// Takes entries until it answers `false`.
pub type Emit<'a> = dyn FnMut(Entry<'_>) -> bool + 'a;

/// An object of procfs. The defaults are those of a plain file of root's that exists for ever.
pub trait Node: Send + Sync + Sized + 'static {
    /// Kind and permissions.
    fn mode(&self) -> u32;

    /// User and group.
    fn ids(&self) -> (u32, u32) {
        (0, 0)
    }

    fn nlink(&self) -> u32 {
        if self.mode() & S_IFMT == S_IFDIR { 2 } else { 1 }
    }

    fn size(&self) -> u64 {
        0
    }

    /// Whether what it shows is still there.
    fn is_live(&self) -> bool {
        true
    }

    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        let (uid, gid) = self.ids();
        generic_permission(cred, Owner { mode: self.mode(), uid, gid }, mask)
    }

    /// The child `name` of a directory; `dev` is the file system's device.
    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        let _ = (dev, name);
        Err(Errno::ENOTDIR.into())
    }

    /// The entries of a directory from position `from` (0: the first) on, without `.` and `..`.
    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        let _ = (from, emit);
        Err(Errno::ENOTDIR.into())
    }

    fn link(&self) -> Result<Link, Error> {
        Err(Errno::EINVAL.into())
    }

    /// Opens anything but a directory.
    fn open(&self, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let _ = flags;
        Err(Errno::ENXIO.into())
    }

    fn inode(self, dev: u32, ino: u64) -> ProcRef {
        let mode = self.mode();
        Arc::new(ProcInode { common: InodeCommon::new(dev, ino), node: Arc::new(self), kind: mode & S_IFMT })
    }
}

/// The inode of a [`Node`].
struct ProcInode<N: Node> {
    common: InodeCommon,
    node: Arc<N>,
    kind: u32,
}

impl<N: Node> Inode for ProcInode<N> {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        let (uid, gid) = self.node.ids();
        Owner { mode: self.node.mode(), uid, gid }
    }

    #[doc(alias = "proc_getattr")]
    #[doc(alias = "pid_getattr")]
    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        if !self.node.is_live() {
            return Err(Errno::ENOENT.into());
        }
        let Owner { mode, uid, gid } = self.owner();
        let now = current_time();
        Ok(Kstat {
            dev: self.common.dev,
            ino: self.common.ino,
            nlink: self.node.nlink(),
            mode,
            uid,
            gid,
            size: self.node.size(),
            blksize: 1024,
            atime: now,
            mtime: now,
            ctime: now,
            ..Kstat::default()
        })
    }

    fn permission(&self, _dentry: &Dentry, cred: &Cred, mask: u32) -> Result<(), Error> {
        Ok(self.node.permission(cred, mask)?)
    }

    fn lookup(&self, _dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        // Not "nothing there yet": nobody could make it.
        let found = self.node.lookup(self.common.dev, name)?.ok_or(Errno::ENOENT)?;
        Ok(Some(found.into()))
    }

    fn revalidate(&self, child: &Dentry, _name: &[u8], _now: u64) -> Revalidated {
        if child.inode().is_live() { Revalidated::Valid(None) } else { Revalidated::Stale }
    }

    fn is_live(&self) -> bool {
        self.node.is_live()
    }

    fn get_link(&self, _dentry: &Dentry) -> Result<Link, Error> {
        self.node.link()
    }

    /// Truncation and times are accepted and mean nothing; who owns what is not for the asking.
    #[doc(alias = "proc_setattr")]
    fn setattr(&self, _dentry: &Dentry, attr: &Iattr) -> Result<(), Error> {
        if attr.mode.is_some() || attr.uid.is_some() || attr.gid.is_some() {
            return Err(Errno::EPERM.into());
        }
        Ok(())
    }

    fn open(&self, _path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        if self.kind == S_IFDIR {
            return Ok(Arc::new(DirFile(self.node.clone())));
        }
        if !self.node.is_live() {
            return Err(Errno::ENOENT.into());
        }
        self.node.open(flags)
    }
}

/// An open directory of procfs.
struct DirFile<N: Node>(Arc<N>);

impl<N: Node> FileOperations for DirFile<N> {
    fn read(&self, _file: &FileRef, _to: &mut crate::fs::iov_iter::IovIter<'_>, _pos: &mut u64) -> crate::abi::SysResult {
        Err(Errno::EISDIR.into())
    }

    /// The end is where the beginning is.
    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        let mut pos = file.pos.lock();
        let base = match whence {
            Whence::Cur => *pos,
            Whence::Set | Whence::End => 0,
            _ => return Err(Errno::EINVAL.into()),
        };
        *pos = base.checked_add_signed(offset).filter(|&new| new <= MAX_POSITION).ok_or(Errno::EINVAL)?;
        Ok(*pos)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn iterate(&self, file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        if !self.0.is_live() {
            return Err(Errno::ENOENT.into());
        }
        let dentry = &file.path.as_ref().ok_or(Errno::ENOTDIR)?.dentry;
        let own = dentry.inode().common().ino;
        let parent = dentry.parent().map_or(own, |parent| parent.inode().common().ino);
        if ctx.pos == 0 && !ctx.emit(b".", own, DT_DIR, 1) {
            return Ok(());
        }
        if ctx.pos == 1 && !ctx.emit(b"..", parent, DT_DIR, FIRST) {
            return Ok(());
        }
        let from = ctx.pos - FIRST;
        self.0.list(from, &mut |entry| ctx.emit(entry.name, entry.ino, kind(entry.mode), entry.next + FIRST))
    }
}

/// What an open directory of procfs shows, if that is an `N`.
pub fn node_of<N: Node>(file: &File) -> Option<&N> {
    file.private::<DirFile<N>>().map(|dir| &*dir.0)
}

/// `MAX_NON_LFS`: procfs promises nothing beyond.
const MAX_POSITION: u64 = i32::MAX as u64;
/// Position of a directory's first own entry.
const FIRST: u64 = 2;

fn kind(mode: u32) -> u8 {
    match mode & S_IFMT {
        S_IFDIR => DT_DIR,
        S_IFLNK => DT_LNK,
        _ => DT_REG,
    }
}
