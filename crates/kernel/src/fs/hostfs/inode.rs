//! Inodes of the host: where they are, what is known of them, and how they change.
//!
//! Mirrors: fs/hostfs/hostfs_kern.c (inode operations), Linux 6.18.
//! Differs: an inode is reached through a descriptor if there is one, else by its dentry's name in its directory.
//! Locking: `open` and `link` are leaf locks; none is held over a host call.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::host::HostFd;
use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::seq_cell::SeqCell;
use acrida_kcore::sync::{SetOnce, SpinLock};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_DIRECTORY, O_NOFOLLOW, O_PATH};
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IRUSR};
use acrida_uapi::time::{Timespec, UTIME_NOW, UTIME_OMIT};

use crate::fs::attr::generic_permission;
use crate::fs::file::FileOperations;
use crate::fs::hostfs::file::HostFile;
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::lent::Lent;
use crate::fs::hostfs::seen::{SEEN_WORDS, Seen};
use crate::fs::hostfs::{HostFs, dir};
use crate::fs::inode::{
    Created, Dentry, Iattr, Inode, InodeCommon, Kstat, Link, Looked, MAY_CHDIR, MAY_EXEC, MAY_READ, MAY_WRITE, NewNode, Owner,
    Path, Rename, Revalidated, SetTime,
};
use crate::host;
use crate::kernel::cred::Cred;
use crate::kernel::task::try_current;

/// How long a cached directory or symbolic link is believed, in monotonic nanoseconds.
pub const TRUSTED_NS: u64 = 100_000_000;

/// An object of the host's file systems.
pub struct HostInode {
    common: InodeCommon,
    /// `S_IF*`.
    kind: u32,
    fs: Arc<HostFs>,
    seen: SeqCell<Seen, SEEN_WORDS>,
    /// Monotonic time of the last look, ns.
    seen_at: AtomicU64,
    /// A directory's `O_PATH` descriptor, once something was looked up in it.
    dir: SetOnce<Arc<HostHandle>>,
    /// Descriptors of open files of this inode.
    open: SpinLock<OpenHandles>,
    /// A symbolic link's text.
    link: SpinLock<Option<Vec<u8>>>,
    /// Pages that pipes and messages refer to.
    pub(super) lent: Lent,
}

/// The descriptors through which an object is reached that has lost its name. Nearly always there is one at most.
#[derive(Debug, Default)]
struct OpenHandles {
    last: Weak<HostHandle>,
    earlier: Vec<Weak<HostHandle>>,
}

impl OpenHandles {
    fn add(&mut self, handle: &Arc<HostHandle>) {
        let last = core::mem::replace(&mut self.last, Arc::downgrade(handle));
        if last.strong_count() == 0 {
            return;
        }
        if self.earlier.len() == self.earlier.capacity() {
            self.earlier.retain(|handle| handle.strong_count() > 0);
        }
        self.earlier.push(last);
    }

    fn any(&self) -> Option<Arc<HostHandle>> {
        self.last.upgrade().or_else(|| self.earlier.iter().rev().find_map(Weak::upgrade))
    }
}

/// How the host reaches an object: `name` in `fd`, or `fd` itself when the name is empty.
pub struct Spot {
    pub fd: HostFd,
    pub name: Arc<[u8]>,
    _keep: (Option<Arc<HostHandle>>, Option<Arc<Dentry>>),
}

impl Spot {
    /// The object that a descriptor refers to.
    pub fn of_handle(handle: Arc<HostHandle>) -> Spot {
        Spot { fd: handle.fd(), name: Arc::from([]), _keep: (Some(handle), None) }
    }

    /// Changes attributes of an object of this kind.
    pub fn set_attributes(&self, kind: u32, attr: &Iattr) -> Result<(), Errno> {
        if attr.chown {
            host::fs::fchownat(self.fd, &self.name, attr.uid.unwrap_or(u32::MAX), attr.gid.unwrap_or(u32::MAX))?;
        }
        if let Some(mode) = attr.mode {
            if kind == S_IFLNK {
                return Err(Errno::EOPNOTSUPP);
            }
            host::fs::fchmodat(HostFd::CWD, &self.path(), mode)?;
        }
        if let Some(size) = attr.size {
            host::fs::truncate(&self.path(), size)?;
        }
        if attr.atime.is_some() || attr.mtime.is_some() {
            let times = [attr.atime, attr.mtime].map(|time| match time {
                None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
                Some(SetTime::Now) => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
                Some(SetTime::At(time)) => time,
            });
            host::fs::utimensat(self.fd, &self.name, &times)?;
        }
        Ok(())
    }

    /// A path of the host for calls that take nothing else.
    pub fn path(&self) -> Vec<u8> {
        host::fs::fd_path(self.fd, &self.name)
    }
}

fn now() -> u64 {
    platform().now(ClockId::MonotonicCoarse)
}

impl HostInode {
    pub(super) fn new(fs: Arc<HostFs>, stat: &Kstat) -> HostInode {
        HostInode {
            common: InodeCommon::new(stat.dev, stat.ino),
            kind: stat.mode & S_IFMT,
            fs,
            seen: SeqCell::new(Seen::of(stat)),
            seen_at: AtomicU64::new(now()),
            dir: SetOnce::new(),
            open: SpinLock::default(),
            link: SpinLock::new(None),
            lent: Lent::default(),
        }
    }

    pub(super) fn fs(&self) -> &Arc<HostFs> {
        &self.fs
    }

    pub fn mode(&self) -> u32 {
        self.seen.get().owner.mode
    }

    pub(super) fn is_same_object(&self, stat: &Kstat) -> bool {
        self.common.dev == stat.dev && self.common.ino == stat.ino && self.seen.get().is_same_object(&Seen::of(stat))
    }

    /// Takes new attributes over.
    pub(super) fn saw(&self, stat: &Kstat) {
        self.seen.set(Seen::of(stat));
        self.seen_at.store(now(), Ordering::Relaxed);
    }

    pub(super) fn set_dir_handle(&self, handle: Arc<HostHandle>) {
        // Set before: the descriptor that is there serves as well.
        let _ = self.dir.set(handle);
    }

    /// Remembers a descriptor of this inode while it is open.
    pub(super) fn opened(&self, handle: &Arc<HostHandle>) {
        self.open.lock().add(handle);
    }

    fn handle(&self) -> Option<Arc<HostHandle>> {
        self.dir.get().cloned().or_else(|| self.open.lock().any())
    }

    /// Where the host finds the object.
    pub fn spot(&self, dentry: &Dentry) -> Result<Spot, Errno> {
        if let Some(handle) = self.handle() {
            return Ok(Spot::of_handle(handle));
        }
        self.named_spot(dentry)
    }

    /// An `O_PATH` descriptor of the object.
    pub fn open_place(&self, dentry: &Dentry) -> Result<HostHandle, Errno> {
        let spot = self.spot(dentry)?;
        let fd = if spot.name.is_empty() {
            host::fs::openat(HostFd::CWD, &spot.path(), O_PATH, 0)?
        } else {
            host::fs::openat(spot.fd, &spot.name, O_PATH | O_NOFOLLOW, 0)?
        };
        Ok(HostHandle::new(fd))
    }

    /// The name in its directory, even when there is a descriptor.
    pub fn named_spot(&self, dentry: &Dentry) -> Result<Spot, Errno> {
        let (name, parent) = dentry.place();
        let parent = parent.ok_or(Errno::ENOENT)?;
        if dentry.is_unhashed() {
            return Err(Errno::ENOENT);
        }
        let fd = HostInode::of(&parent)?.dir_fd(&parent)?;
        Ok(Spot { fd, name, _keep: (None, Some(parent)) })
    }

    /// The `O_PATH` descriptor of this directory; it lives as long as the inode.
    pub fn dir_fd(&self, dentry: &Dentry) -> Result<HostFd, Errno> {
        if let Some(handle) = self.dir.get() {
            return Ok(handle.fd());
        }
        let spot = self.spot(dentry)?;
        let name: &[u8] = if spot.name.is_empty() { b"." } else { &spot.name };
        let fd = host::fs::openat(spot.fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)?;
        let fresh = Arc::new(HostHandle::new(fd));
        let Err(fresh) = self.dir.set(fresh.clone()) else { return Ok(fresh.fd()) };
        // Another thread was faster: its descriptor stays, and ours goes unless that thread stopped in the middle.
        let theirs = self.dir.get().map(|handle| handle.fd());
        Ok(theirs.unwrap_or_else(|| alloc::boxed::Box::leak(alloc::boxed::Box::new(fresh)).fd()))
    }

    /// Every entry of this directory but the dots.
    pub fn list(&self, dentry: &Dentry) -> Result<Vec<dir::Entry>, Error> {
        dir::list(self.dir_fd(dentry)?)
    }

    /// Whether the host still has this object at `dentry`'s name.
    fn compare(&self, dentry: &Dentry, now: u64) -> Revalidated {
        let trusted = self.is_cacheable() && self.common.dev != self.fs.proc_dev;
        // Another thread may have looked later than the walk began.
        if trusted && now.saturating_sub(self.seen_at.load(Ordering::Relaxed)) < TRUSTED_NS {
            return Revalidated::Valid(None);
        }
        let Ok(spot) = self.named_spot(dentry) else { return Revalidated::Stale };
        match host::fs::statx(spot.fd, &spot.name) {
            Ok(stat) if self.is_same_object(&stat) => {
                self.saw(&stat);
                Revalidated::Valid(Some(stat))
            }
            _ => Revalidated::Stale,
        }
    }

    /// Whether the host was asked just now, as it is on the way to a file.
    fn is_fresh(&self) -> bool {
        self.seen_at.load(Ordering::Relaxed) == now()
    }

    /// Whether the owner may read it, and `cred` is the owner: no access list changes that.
    fn is_readable_by_owner(&self, cred: &Cred) -> bool {
        let owner = self.owner();
        owner.uid == cred.fsuid && owner.mode & S_IRUSR != 0
    }

    /// Whether it is worth keeping while nobody uses it.
    fn is_cacheable(&self) -> bool {
        matches!(self.kind, S_IFDIR | S_IFLNK)
    }

    fn is_dir(&self) -> bool {
        self.kind == S_IFDIR
    }
}

impl Drop for HostInode {
    fn drop(&mut self) {
        self.fs.forget((self.common.dev, self.common.ino));
    }
}

impl Inode for HostInode {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        self.seen.get().owner
    }

    fn kind(&self) -> u32 {
        self.kind
    }

    fn stat(&self, dentry: &Dentry) -> Result<Kstat, Error> {
        let spot = self.spot(dentry)?;
        let stat = host::fs::statx(spot.fd, &spot.name)?;
        self.saw(&stat);
        Ok(stat)
    }

    /// The way through a directory is checked against what was seen last; everything else by the host.
    fn permission(&self, dentry: &Dentry, cred: &Cred, mask: u32) -> Result<(), Error> {
        if mask == MAY_EXEC && self.is_dir() && generic_permission(cred, self.owner(), mask).is_ok() {
            return Ok(());
        }
        if mask & MAY_CHDIR != 0 {
            // Somebody will stand here, also after the name is gone.
            self.dir_fd(dentry)?;
        }
        if mask == MAY_READ && self.is_regular() && self.is_fresh() && self.is_readable_by_owner(cred) {
            return Ok(());
        }
        let spot = self.spot(dentry)?;
        let is_caller = try_current().is_none_or(|task| {
            let own = task.cred();
            own.fsuid == cred.fsuid && own.fsgid == cred.fsgid
        });
        if is_caller {
            return Ok(host::fs::faccessat(spot.fd, &spot.name, mask & (MAY_READ | MAY_WRITE | MAY_EXEC))?);
        }
        let stat = host::fs::statx(spot.fd, &spot.name)?;
        self.saw(&stat);
        Ok(generic_permission(cred, self.owner(), mask)?)
    }

    fn checks_itself(&self) -> bool {
        true
    }

    fn lookup(&self, dentry: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        let fd = self.dir_fd(dentry)?;
        match host::fs::statx(fd, name) {
            Ok(stat) => Ok(Some(Looked { inode: self.fs.inode(&stat), stat: Some(stat) })),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    fn revalidate(&self, child: &Dentry, _name: &[u8], now: u64) -> Revalidated {
        child.inode().downcast_ref::<HostInode>().map_or(Revalidated::Stale, |inode| inode.compare(child, now))
    }

    fn distrust(&self) {
        self.seen_at.store(0, Ordering::Relaxed);
    }

    fn keep(&self, dentry: &Arc<Dentry>) {
        if self.is_cacheable() {
            let old = self.fs.kept.lock().keep(dentry.clone());
            drop(old);
        }
    }

    fn unkeep(&self, dentry: &Dentry) {
        if self.is_cacheable() {
            let old = self.fs.kept.lock().forget(dentry);
            drop(old);
        }
    }

    fn stat_child(&self, dentry: &Dentry, name: &[u8]) -> Result<Option<Kstat>, Error> {
        Ok(Some(host::fs::statx(self.dir_fd(dentry)?, name)?))
    }

    fn open_child(&self, dentry: &Arc<Dentry>, name: &[u8], flags: u32) -> Result<Option<Created>, Error> {
        dir::open_child(self, self.dir_fd(dentry)?, name, flags)
    }

    fn create(&self, dentry: &Arc<Dentry>, name: &[u8], mode: u32, flags: u32) -> Result<Created, Error> {
        dir::create(self, self.dir_fd(dentry)?, name, mode, flags)
    }

    fn mkdir(&self, dentry: &Arc<Dentry>, name: &[u8], mode: u32) -> Result<(), Error> {
        Ok(host::fs::mkdirat(self.dir_fd(dentry)?, name, mode)?)
    }

    fn mknod(&self, dentry: &Arc<Dentry>, name: &[u8], node: NewNode) -> Result<(), Error> {
        Ok(host::fs::mknodat(self.dir_fd(dentry)?, name, node.mode, node.rdev)?)
    }

    fn symlink(&self, dentry: &Arc<Dentry>, name: &[u8], target: &[u8]) -> Result<(), Error> {
        Ok(host::fs::symlinkat(target, self.dir_fd(dentry)?, name)?)
    }

    fn link(&self, dentry: &Arc<Dentry>, name: &[u8], old: &Dentry) -> Result<(), Error> {
        dir::link(self.dir_fd(dentry)?, name, old)
    }

    fn unlink(&self, dentry: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        Ok(host::fs::unlinkat(self.dir_fd(dentry)?, &victim.name(), 0)?)
    }

    fn rmdir(&self, dentry: &Arc<Dentry>, victim: &Dentry) -> Result<(), Error> {
        Ok(host::fs::unlinkat(self.dir_fd(dentry)?, &victim.name(), acrida_uapi::fcntl::AT_REMOVEDIR)?)
    }

    fn rename(&self, how: &Rename<'_>) -> Result<(), Error> {
        let to = HostInode::of(how.new_dir)?.dir_fd(how.new_dir)?;
        let from = self.dir_fd(how.old_dir)?;
        Ok(host::fs::renameat2(from, &how.old.name(), to, how.new_name, how.flags)?)
    }

    fn tmpfile(&self, dentry: &Arc<Dentry>, mode: u32, flags: u32) -> Result<Created, Error> {
        dir::tmpfile(self, self.dir_fd(dentry)?, mode, flags)
    }

    fn get_link(&self, dentry: &Dentry) -> Result<Link, Error> {
        if self.kind != S_IFLNK {
            return Err(Errno::EINVAL.into());
        }
        if let Some(text) = &*self.link.lock() {
            return Ok(Link::Text(text.clone()));
        }
        let spot = self.spot(dentry)?;
        let text = host::fs::readlinkat(spot.fd, &spot.name)?;
        if self.common.dev != self.fs.proc_dev {
            *self.link.lock() = Some(text.clone());
        }
        Ok(Link::Text(text))
    }

    fn setattr(&self, dentry: &Dentry, attr: &Iattr) -> Result<(), Error> {
        let spot = self.spot(dentry)?;
        if let Some(size) = attr.size {
            self.lent.cut(size);
        }
        spot.set_attributes(self.kind, attr)?;
        self.common.changed();
        self.distrust();
        if self.is_dir() {
            // Searching it is decided here: know the new rights at once.
            let stat = host::fs::statx(spot.fd, &spot.name)?;
            self.saw(&stat);
        }
        Ok(())
    }

    fn open(&self, path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        HostFile::open(self, path, flags)
    }

    fn open_path(&self, path: &Path) -> Result<Arc<dyn FileOperations>, Error> {
        HostFile::open_path(self, path)
    }

    fn getxattr(&self, dentry: &Dentry, name: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(host::xattr::get(&self.spot(dentry)?.path(), name)?)
    }

    fn setxattr(&self, dentry: &Dentry, name: &[u8], value: &[u8], flags: u32) -> Result<(), Error> {
        Ok(host::xattr::set(&self.spot(dentry)?.path(), name, value, flags)?)
    }

    fn listxattr(&self, dentry: &Dentry) -> Result<Vec<u8>, Error> {
        Ok(host::xattr::list(&self.spot(dentry)?.path())?)
    }

    fn removexattr(&self, dentry: &Dentry, name: &[u8]) -> Result<(), Error> {
        Ok(host::xattr::remove(&self.spot(dentry)?.path(), name)?)
    }

    fn host_dir(&self) -> Option<&HostInode> {
        Some(self)
    }
}

impl HostInode {
    /// Whether it is on the file system of the host's /dev.
    pub(super) fn is_among_devices(&self) -> bool {
        self.common.dev == self.fs.dev_dev
    }

    pub(super) fn is_regular(&self) -> bool {
        self.kind == S_IFREG
    }
}
