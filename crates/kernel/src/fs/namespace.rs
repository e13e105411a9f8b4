//! Mounts: which file system stands where.
//!
//! Mirrors: fs/namespace.c, fs/mount.h, Linux 6.18.
//! Differs: one namespace per world, no propagation; a mount knows the mounts on top of it, keyed by dentry. A walk counts as
//! a use of the mount it is in, as on Linux outside its RCU mode: one that only passes through may make an unmount `EBUSY`.
//! Locking: `MountNamespace::tree` serialises changes; `Mount::children` and `Mount::place` are leaf locks.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::change_lock::ChangeLock;
use acrida_kcore::sync::SpinLock;
use acrida_klib::seqlock::{SeqWrite, Sequence};
use acrida_uapi::errno::Errno;
use acrida_uapi::mount::MsFlags;

use crate::fs::dcache::{Dentry, Path};
use crate::fs::init_mount;
use crate::fs::proc::seq_file::Changes;
use crate::fs::super_block::{Instance, SuperBlock};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A file system (or a part of one) at a place.
#[doc(alias = "vfsmount")]
pub struct Mount {
    pub id: u64,
    pub sb: Arc<dyn SuperBlock>,
    /// What is seen at the place.
    pub root: Arc<Dentry>,
    /// What `mount` was given, for /proc/mounts.
    pub source: Vec<u8>,
    flags: AtomicU64,
    /// Open files that may write through this mount.
    writers: AtomicU32,
    /// Where it is mounted; `None` for the root and what was taken off.
    place: SpinLock<Option<Path>>,
    children: SpinLock<BTreeMap<usize, Arc<Mount>>>,
}

fn key(dentry: &Arc<Dentry>) -> usize {
    Arc::as_ptr(dentry).addr()
}

impl Mount {
    /// Mounted nowhere: for the paths of what has no name in any tree.
    #[doc(alias = "kern_mount")]
    pub fn internal(instance: Instance, source: &[u8]) -> Arc<Mount> {
        Mount::new(instance.sb, instance.root, source, MsFlags::empty())
    }

    pub fn new(sb: Arc<dyn SuperBlock>, root: Arc<Dentry>, source: &[u8], flags: MsFlags) -> Arc<Mount> {
        Arc::new(Mount {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            sb,
            root,
            source: source.to_vec(),
            flags: AtomicU64::new(flags.bits()),
            writers: AtomicU32::new(0),
            place: SpinLock::new(None),
            children: SpinLock::default(),
        })
    }

    pub fn flags(&self) -> MsFlags {
        MsFlags::from_bits_retain(self.flags.load(Ordering::Relaxed))
    }

    pub fn set_flags(&self, flags: MsFlags) {
        self.flags.store(flags.bits(), Ordering::Relaxed);
    }

    /// `EROFS` on a read-only mount.
    #[doc(alias = "mnt_want_write")]
    pub fn want_write(&self) -> Result<(), Errno> {
        if self.flags().contains(MsFlags::MS_RDONLY) { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// An open file writes through this mount, until [`Mount::writer_gone`].
    #[doc(alias = "mnt_get_write_access_file")]
    pub fn writer_came(&self) {
        self.writers.fetch_add(1, Ordering::AcqRel);
    }

    pub fn writer_gone(&self) {
        self.writers.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether files are open for writing.
    pub fn has_writers(&self) -> bool {
        self.writers.load(Ordering::Acquire) != 0
    }

    /// Whether set-id bits count for nothing here.
    pub fn nosuid(&self) -> bool {
        self.flags().contains(MsFlags::MS_NOSUID)
    }

    /// The place it covers.
    pub fn place(&self) -> Option<Path> {
        self.place.lock().clone()
    }

    /// The mount directly on `dentry` of this mount.
    #[doc(alias = "lookup_mnt")]
    pub fn child_at(&self, dentry: &Arc<Dentry>) -> Option<Arc<Mount>> {
        if !dentry.is_mountpoint() {
            return None;
        }
        self.children.lock().get(&key(dentry)).cloned()
    }

    pub fn children(&self) -> Vec<Arc<Mount>> {
        self.children.lock().values().cloned().collect()
    }

    /// The root of what is mounted here, as a path.
    pub fn root_path(self: &Arc<Self>) -> Path {
        Path { mnt: self.clone(), dentry: self.root.clone() }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // What other mounts of the file system use stays; the rest was kept for look-ups only.
        self.root.unpin_tree();
    }
}

/// The tree of mounts of a world.
#[doc(alias = "mnt_namespace")]
pub struct MountNamespace {
    root: Arc<Mount>,
    #[doc(alias = "namespace_sem")]
    #[doc(alias = "mount_lock")]
    tree: ChangeLock,
    changes: Arc<Changes>,
}

impl MountNamespace {
    /// The world's first tree: host files at `/`, our own file systems on /tmp, /dev, /dev/shm, /run, /proc, then `mounts`
    /// (`TYPE:[SOURCE:]PATH[:ro]`). Ours are left out where the host has no such directory. What of the host's `sockets` they
    /// cover is shown through them.
    pub fn new_world<'a>(mounts: &'a [Vec<u8>], sockets: &'a [Vec<u8>]) -> Result<Arc<MountNamespace>, init_mount::Refused<'a>> {
        init_mount::build(mounts, sockets)
    }

    pub fn with_root(instance: Instance, source: &[u8]) -> Arc<MountNamespace> {
        let root = Mount::internal(instance, source);
        Arc::new(MountNamespace { root, tree: ChangeLock::default(), changes: Arc::default() })
    }

    pub fn root(&self) -> Path {
        follow_mounts(self.root.root_path())
    }

    /// Looks at the tree, for [`MountNamespace::changed_since`].
    pub fn look(&self) -> Sequence {
        self.tree.look()
    }

    #[must_use]
    pub fn changed_since(&self, look: Sequence) -> bool {
        self.tree.changed_since(look)
    }

    /// Who polls /proc/self/mounts is told of them.
    pub fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// Puts `mount` on `at`, on top of whatever is mounted there.
    #[doc(alias = "do_add_mount")]
    pub fn attach(&self, mount: &Arc<Mount>, at: Path) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        let at = self.mountable(at)?;
        let old = put_on(mount, at, &tree.begin());
        debug_assert!(old.is_none(), "a mount in two places");
        self.changes.add();
        Ok(())
    }

    /// Takes `mount` off the tree; `EBUSY` if it is in use or something is mounted on it.
    #[doc(alias = "do_umount")]
    pub fn detach(&self, mount: &Arc<Mount>) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        if !mount.children.lock().is_empty() || is_busy(mount) {
            return Err(Errno::EBUSY);
        }
        take_off(mount, &tree.begin())?;
        self.changes.add();
        Ok(())
    }

    /// Takes `mount` and everything on it off the tree, and apart: who still uses one of them meets no other.
    #[doc(alias = "MNT_DETACH")]
    #[doc(alias = "umount_tree")]
    pub fn detach_all(&self, mount: &Arc<Mount>) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        let all = subtree(mount);
        let change = tree.begin();
        all.iter().rev().try_for_each(|mount| take_off(mount, &change))?;
        drop(change);
        self.changes.add();
        Ok(())
    }

    /// Moves a mount, which stays where it is unless it can stand at the new place.
    #[doc(alias = "do_move_mount")]
    pub fn relocate(&self, mount: &Arc<Mount>, to: Path) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        let to = self.mountable(to)?;
        let from = mount.place().ok_or(Errno::EINVAL)?;
        let change = tree.begin();
        uncover(&from, &change);
        put_on(mount, to, &change);
        drop(change);
        self.changes.add();
        Ok(())
    }

    /// Where a mount on `at` would stand: on top of what is mounted there; `ENOENT` when the place is in the tree no more.
    #[doc(alias = "lock_mount")]
    fn mountable(&self, at: Path) -> Result<Path, Errno> {
        let mounted = at.mnt.place.lock().is_some() || Arc::ptr_eq(&at.mnt, &self.root);
        if at.dentry.is_unhashed() || !mounted { Err(Errno::ENOENT) } else { Ok(follow_mounts(at)) }
    }

    /// Shows `look` every mount, parents before children, while none comes or goes: a reference here is no use of a mount.
    pub fn for_each(&self, look: impl FnMut(&Arc<Mount>)) {
        let _tree = self.tree.lock();
        subtree(&self.root).iter().for_each(look);
    }
}

/// A mount and all that is mounted on it, parents before children. The caller holds the tree.
#[doc(alias = "next_mnt")]
fn subtree(top: &Arc<Mount>) -> Vec<Arc<Mount>> {
    let mut all = alloc::vec![top.clone()];
    let mut next = 0;
    while let Some(mount) = all.get(next) {
        let children = mount.children();
        all.extend(children);
        next += 1;
    }
    all
}

/// Whether paths lead into the mount: besides the tree's reference and the caller's, every open file and directory has one.
fn is_busy(mount: &Arc<Mount>) -> bool {
    Arc::strong_count(mount) > 2
}

/// Mounts `mount` on `at`; where it was before.
#[doc(alias = "mnt_set_mountpoint")]
fn put_on(mount: &Arc<Mount>, at: Path, _change: &SeqWrite<'_>) -> Option<Path> {
    at.dentry.mount_added();
    at.mnt.children.lock().insert(key(&at.dentry), mount.clone());
    mount.place.lock().replace(at)
}

/// Takes the mount off that stands at `place`. The caller holds the mount.
#[doc(alias = "unhash_mnt")]
fn uncover(place: &Path, _change: &SeqWrite<'_>) {
    let removed = place.mnt.children.lock().remove(&key(&place.dentry));
    place.dentry.mount_removed();
    drop(removed);
}

fn take_off(mount: &Mount, change: &SeqWrite<'_>) -> Result<(), Errno> {
    let place = mount.place.lock().take().ok_or(Errno::EINVAL)?;
    uncover(&place, change);
    Ok(())
}

/// The top of what is mounted at `path`.
#[doc(alias = "traverse_mounts")]
pub fn follow_mounts(mut path: Path) -> Path {
    while let Some(mount) = path.mnt.child_at(&path.dentry) {
        path = mount.root_path();
    }
    path
}
