//! Dentries: the names that are in use, and the tree they form.
//!
//! Mirrors: fs/dcache.c, include/linux/dcache.h, Linux 6.18.
//! Differs: there are no negative dentries; a parent knows its children weakly, so an unused dentry is gone at once unless
//! its file system keeps it ([`Inode::keep`], [`Dentry::pin`]); whoever looks a cached entry up asks the directory whether it
//! still holds.
//! Locking: `names` of a directory from the look-up of a name to its change, over the calls of the file system; of two
//! directories by address, under `Kernel::renames`. Then `children` before `place`; `pin` is a leaf; two `children` locks by
//! address too (only `d_move` takes two). No reference to a dentry is dropped under `children` or `place`: the drop takes the
//! parent's `children`.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::sync::{SpinLock, SpinLockGuard, lock_pair};

use crate::fs::inode::{Inode, Kstat, Mount};
use crate::fs::notify::fsnotify;

/// What a cached entry is worth.
pub enum Revalidated {
    /// It holds; attributes if they had to be read.
    Valid(Option<Kstat>),
    Stale,
}

struct Place {
    name: Arc<[u8]>,
    parent: Option<Arc<Dentry>>,
}

type Children = BTreeMap<Arc<[u8]>, Weak<Dentry>>;

/// A name in a directory and the inode behind it.
#[doc(alias = "dentry")]
pub struct Dentry {
    place: SpinLock<Place>,
    inode: Arc<dyn Inode>,
    children: SpinLock<Children>,
    /// A reference to itself, as long as it has its name.
    pin: SpinLock<Option<Arc<Dentry>>>,
    /// The name is gone (or never was): removed, replaced, or found stale.
    #[doc(alias = "d_unhashed")]
    unhashed: AtomicBool,
    /// Used since the keeper looked last (`DCACHE_REFERENCED`).
    referenced: AtomicBool,
    /// Held by whoever changes the directory's names, and by look-ups that met one who does (`i_rwsem`).
    names: SpinLock<()>,
    /// Counts children that lost their name here, so that a look-up knows that its answer is older; odd while one is about to.
    removals: AtomicU64,
    /// Mounts on this dentry (`DCACHE_MOUNTED`).
    mounts: AtomicU32,
}

impl Dentry {
    fn new(name: Arc<[u8]>, parent: Option<Arc<Dentry>>, inode: Arc<dyn Inode>) -> Arc<Dentry> {
        Arc::new(Dentry {
            pin: SpinLock::new(None),
            place: SpinLock::new(Place { name, parent }),
            inode,
            children: SpinLock::default(),
            unhashed: AtomicBool::new(false),
            referenced: AtomicBool::new(true),
            names: SpinLock::new(()),
            removals: AtomicU64::new(0),
            mounts: AtomicU32::new(0),
        })
    }

    /// The root of a file system.
    #[doc(alias = "d_make_root")]
    pub fn root(inode: Arc<dyn Inode>) -> Arc<Dentry> {
        Dentry::new(Arc::from(*b"/"), None, inode)
    }

    /// A name outside every tree: what /proc/PID/fd shows for pipes and their like.
    #[doc(alias = "d_alloc_pseudo")]
    pub fn anonymous(name: &[u8], inode: Arc<dyn Inode>) -> Arc<Dentry> {
        Dentry::new(name.into(), None, inode)
    }

    /// A file without a name in the directory `dir` (`O_TMPFILE`).
    pub fn unnamed(dir: &Arc<Dentry>, inode: Arc<dyn Inode>) -> Arc<Dentry> {
        let name = alloc::format!("#{}", inode.common().ino);
        let dentry = Dentry::new(name.as_bytes().into(), Some(dir.clone()), inode);
        dentry.unhashed.store(true, Ordering::Relaxed);
        dentry
    }

    #[inline]
    pub fn inode(&self) -> &Arc<dyn Inode> {
        &self.inode
    }

    pub fn name(&self) -> Arc<[u8]> {
        self.place.lock().name.clone()
    }

    /// `None` at the root of a file system.
    pub fn parent(&self) -> Option<Arc<Dentry>> {
        self.place.lock().parent.clone()
    }

    /// Name and parent of one moment.
    pub fn place(&self) -> (Arc<[u8]>, Option<Arc<Dentry>>) {
        let place = self.place.lock();
        (place.name.clone(), place.parent.clone())
    }

    /// Whether the name is gone.
    pub fn is_unhashed(&self) -> bool {
        self.unhashed.load(Ordering::Acquire)
    }

    /// Whether it was used since the last question.
    pub fn take_referenced(&self) -> bool {
        self.referenced.swap(false, Ordering::Relaxed)
    }

    pub fn is_mountpoint(&self) -> bool {
        self.mounts.load(Ordering::Acquire) != 0
    }

    pub fn mount_added(&self) {
        self.mounts.fetch_add(1, Ordering::AcqRel);
    }

    pub fn mount_removed(&self) {
        self.mounts.fetch_sub(1, Ordering::AcqRel);
    }

    /// The cached child `name`, not asked whether it still holds.
    #[doc(alias = "d_lookup")]
    pub fn child(&self, name: &[u8]) -> Option<Arc<Dentry>> {
        let child = self.children.lock().get(name)?.upgrade()?;
        child.referenced.store(true, Ordering::Relaxed);
        Some(child)
    }

    /// The state of this directory as to names taken from it; see [`Dentry::add`].
    pub fn removals(&self) -> Removals {
        Removals(self.removals.load(Ordering::Acquire))
    }

    /// Keeps others from changing names of this directory.
    #[doc(alias = "inode_lock")]
    pub fn lock_names(&self) -> SpinLockGuard<'_, ()> {
        self.names.lock()
    }

    /// As [`Dentry::lock_names`], for somebody who will take a name away: until the end no look-up is sure of its answer.
    pub fn begin_removal(&self) -> Removal<'_> {
        let lock = self.names.lock();
        // The number is odd already if the last one to begin was killed from outside.
        let removals = self.removals.load(Ordering::Relaxed);
        self.removals.store((removals + 1) | 1, Ordering::Release);
        Removal { dir: self, _lock: lock }
    }

    fn count_removal(&self) {
        self.removals.fetch_add(2, Ordering::AcqRel);
    }

    /// The child `name` with this inode: the cached one if it is the same object, else a new one in its place. `None` when
    /// a name was taken from the directory after `removals` was read: the inode was looked up too early.
    #[doc(alias = "d_add")]
    pub fn add(self: &Arc<Self>, name: &[u8], inode: Arc<dyn Inode>, removals: Removals) -> Option<Arc<Dentry>> {
        let mut children = self.children.lock();
        if self.removals() != removals {
            return None;
        }
        let old = children.get(name).and_then(Weak::upgrade);
        if let Some(old) = &old
            && Arc::ptr_eq(&old.inode, &inode)
        {
            let old = old.clone();
            drop(children);
            return Some(old);
        }
        let name: Arc<[u8]> = name.into();
        let dentry = Dentry::new(name.clone(), Some(self.clone()), inode);
        children.insert(name, Arc::downgrade(&dentry));
        drop(children);
        if let Some(old) = old {
            old.lose_name();
        }
        dentry.inode.keep(&dentry);
        Some(dentry)
    }

    /// The child `name`, just made. Should it have lost its name already it is not cached.
    pub fn add_made(self: &Arc<Self>, name: &[u8], inode: Arc<dyn Inode>) -> Arc<Dentry> {
        let removals = self.removals();
        match self.add(name, inode.clone(), removals) {
            Some(dentry) => dentry,
            None => Dentry::new(name.into(), Some(self.clone()), inode),
        }
    }

    /// Takes the name out of its parent.
    #[doc(alias = "d_drop")]
    fn unhash(&self) {
        if self.lose_name() {
            let (name, parent) = self.place();
            if let Some(parent) = parent {
                parent.count_removal();
                parent.forget(&name, self);
            }
        }
    }

    /// Takes the name of `child` away, whose directory says that it no longer holds, and gives the new state; `None` when a name
    /// was taken from the directory after `removals` was read: `child` may have moved.
    #[doc(alias = "d_invalidate")]
    pub fn drop_stale(&self, child: &Dentry, removals: Removals) -> Option<Removals> {
        let mut children = self.children.lock();
        if self.removals() != removals {
            return None;
        }
        let name = child.name();
        if children.get(&name).is_some_and(|weak| core::ptr::eq(weak.as_ptr(), child)) {
            children.remove(&name);
        }
        self.count_removal();
        let removals = self.removals();
        drop(children);
        child.lose_name();
        Some(removals)
    }

    /// Its file system has just removed `victim`, or rather the name it was found under: another thread may have put a new
    /// object there before that, whose entry is then not to be relied on.
    #[doc(alias = "d_delete")]
    pub fn removed(&self, victim: &Dentry) {
        self.count_removal();
        let name = victim.name();
        victim.unhash();
        if let Some(other) = self.child(&name) {
            other.inode.distrust();
        }
    }

    /// Keeps the dentry until it loses its name or [`Dentry::unpin_tree`].
    #[doc(alias = "dget")]
    pub fn pin(self: &Arc<Self>) {
        let mut pin = self.pin.lock();
        if !self.is_unhashed() {
            *pin = Some(self.clone());
        }
    }

    /// Lets go of everything pinned in the tree: its file system is no longer mounted.
    #[doc(alias = "d_genocide")]
    pub fn unpin_tree(self: &Arc<Self>) {
        let mut left = alloc::vec![self.clone()];
        while let Some(dentry) = left.pop() {
            left.extend(dentry.children.lock().values().filter_map(Weak::upgrade));
            let pin = dentry.pin.lock().take();
            drop(pin);
        }
    }

    /// Marks the name as gone; `false` when it was already.
    fn lose_name(&self) -> bool {
        let first = !self.unhashed.swap(true, Ordering::AcqRel);
        let pin = self.pin.lock().take();
        drop(pin);
        self.inode.unkeep(self);
        first
    }

    /// A removed directory or file that gets a name again (`linkat` of an `O_TMPFILE` file).
    pub fn rehash(self: &Arc<Self>, dir: &Arc<Dentry>, name: &[u8]) {
        let mut children = dir.children.lock();
        let left = self.put_at(dir, name.into(), &mut children);
        drop(children);
        drop(left);
        self.inode.keep(self);
    }

    /// Gives the dentry the name `name` in `dir`, whose children are locked; what stood there, and the former parent, to be
    /// dropped without the lock.
    fn put_at(
        self: &Arc<Self>,
        dir: &Arc<Dentry>,
        name: Arc<[u8]>,
        children: &mut Children,
    ) -> (Option<Weak<Dentry>>, Option<Arc<Dentry>>) {
        let replaced = children.insert(name.clone(), Arc::downgrade(self));
        let mut place = self.place.lock();
        place.name = name;
        let former = place.parent.replace(dir.clone());
        self.unhashed.store(false, Ordering::Release);
        (replaced, former)
    }

    fn forget(&self, name: &[u8], child: &Dentry) {
        let mut children = self.children.lock();
        if children.get(name).is_some_and(|weak| core::ptr::eq(weak.as_ptr(), child)) {
            children.remove(name);
        }
    }

    /// Whether `self` is `other` or lies below it.
    #[doc(alias = "is_subdir")]
    pub fn is_at_or_below(self: &Arc<Self>, other: &Arc<Dentry>) -> bool {
        let mut at = Some(self.clone());
        while let Some(dentry) = at {
            if Arc::ptr_eq(&dentry, other) {
                return true;
            }
            at = dentry.parent();
        }
        false
    }
}

/// Moves `dentry` to another name; what was there loses its name, or takes the old one if `exchange` names it. The caller has
/// begun a removal in both directories.
pub fn d_move(dentry: &Arc<Dentry>, new_dir: &Arc<Dentry>, new_name: &[u8], exchange: Option<&Arc<Dentry>>) {
    let (old_name, old_dir) = dentry.place();
    let Some(old_dir) = old_dir else { return };
    let (mut from, mut to) = lock_pair(&old_dir.children, &new_dir.children);
    from.remove(&*old_name);
    let (replaced, former) = dentry.put_at(new_dir, new_name.into(), to.as_mut().unwrap_or(&mut from));
    let other_left = exchange.map(|other| other.put_at(&old_dir, old_name, &mut from));
    drop((from, to));
    drop((former, other_left));
    match exchange {
        Some(other) => other.inode.keep(other),
        None => {
            if let Some(replaced) = replaced.and_then(|weak| weak.upgrade()) {
                replaced.lose_name();
            }
        }
    }
    dentry.inode.keep(dentry);
}

/// What [`Dentry::removals`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removals(u64);

impl Removals {
    /// Somebody is about to take a name away, or was killed over it.
    pub fn is_one_begun(self) -> bool {
        self.0 % 2 != 0
    }
}

/// The right to take names from a directory; nobody else changes its names meanwhile.
#[must_use]
pub struct Removal<'a> {
    dir: &'a Dentry,
    _lock: SpinLockGuard<'a, ()>,
}

impl<'a> Removal<'a> {
    /// In two directories, which may be one; the caller holds `Kernel::renames` if they are not.
    #[doc(alias = "lock_rename")]
    pub fn begin_both(a: &'a Dentry, b: &'a Dentry) -> (Removal<'a>, Option<Removal<'a>>) {
        if core::ptr::eq(a, b) {
            return (a.begin_removal(), None);
        }
        let (first, second) = if core::ptr::from_ref(a) < core::ptr::from_ref(b) { (a, b) } else { (b, a) };
        (first.begin_removal(), Some(second.begin_removal()))
    }
}

impl Drop for Removal<'_> {
    fn drop(&mut self) {
        self.dir.removals.fetch_add(1, Ordering::AcqRel);
    }
}

impl Drop for Dentry {
    /// Leaves the parent, and drops parents that nobody else holds one after the other: the tree may be deep, the stack is not.
    fn drop(&mut self) {
        fsnotify::dentry_gone(&*self.inode);
        let place = self.place.get_mut();
        let Some(mut parent) = place.parent.take() else { return };
        let name = place.name.clone();
        parent.forget(&name, self);
        while let Some(mut dead) = Arc::into_inner(parent) {
            let place = dead.place.get_mut();
            let name = place.name.clone();
            match place.parent.take() {
                Some(next) => {
                    // The dead dentry has moved: compare by what its weak reference says, not by address.
                    next.forget_dead(&name);
                    parent = next;
                }
                None => break,
            }
        }
    }
}

impl Dentry {
    fn forget_dead(&self, name: &[u8]) {
        let mut children = self.children.lock();
        if children.get(name).is_some_and(|weak| weak.strong_count() == 0) {
            children.remove(name);
        }
    }
}

/// A place in the tree of mounts.
#[doc(alias = "path")]
#[derive(Clone)]
pub struct Path {
    pub mnt: Arc<Mount>,
    pub dentry: Arc<Dentry>,
}

impl PartialEq for Path {
    fn eq(&self, other: &Path) -> bool {
        Arc::ptr_eq(&self.mnt, &other.mnt) && Arc::ptr_eq(&self.dentry, &other.dentry)
    }
}

impl Path {
    #[inline]
    pub fn inode(&self) -> &Arc<dyn Inode> {
        self.dentry.inode()
    }

    /// Whether it is the root of its mount.
    pub fn is_mount_root(&self) -> bool {
        Arc::ptr_eq(&self.dentry, &self.mnt.root)
    }

    /// Whether it is below the root of its mount, which may show a part of a file system only.
    #[doc(alias = "path_connected")]
    pub fn is_connected(&self) -> bool {
        self.mnt.root.parent().is_none() || self.dentry.is_at_or_below(&self.mnt.root)
    }

    #[doc(alias = "path_is_under")]
    pub fn is_at_or_below(&self, root: &Path) -> bool {
        let mut at = self.clone();
        while !Arc::ptr_eq(&at.mnt, &root.mnt) {
            let Some(place) = at.mnt.place() else { return false };
            at = place;
        }
        at.dentry.is_at_or_below(&root.dentry)
    }

    /// The attributes.
    #[doc(alias = "vfs_getattr")]
    pub fn stat(&self) -> Result<Kstat, acrida_uapi::errno::Error> {
        self.inode().stat(&self.dentry)
    }
}
