//! Marks: who wants to know what of an inode.
//!
//! Mirrors: fs/notify/mark.c, include/linux/fsnotify_backend.h (`fsnotify_mark`, `fsnotify_mark_connector`), Linux 6.18.
//! Differs: a mark keeps its inode alive as on Linux, and knows its file system for the day it is unmounted.
//! Locking: `Marks::list` is a leaf but for what [`Marks::insert`] says.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_uapi::inotify::{IN_ALL_EVENTS, IN_EXCL_UNLINK, IN_ONESHOT, IN_UNMOUNT};

use crate::fs::dcache::Path;
use crate::fs::inode::Inode;
use crate::fs::super_block::SuperBlock;

/// A name of a directory became another of the same directory (dnotify's own event).
pub const FS_RENAME: u32 = 0x1000_0000;

/// Marks in all worlds of this image: 0 lets an event cost one load.
static MARKS: AtomicUsize = AtomicUsize::new(0);

/// Whether there is a mark anywhere.
#[inline]
pub fn anybody_watches() -> bool {
    MARKS.load(Ordering::Relaxed) != 0
}

/// What happened to an object or to a name in it.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// `IN_*`, [`FS_RENAME`].
    pub mask: u32,
    /// Joins the two halves of a rename.
    pub cookie: u32,
    pub name: &'a [u8],
    /// It came through a file whose name is gone.
    pub unlinked: bool,
}

impl Event<'_> {
    pub const fn plain(mask: u32) -> Event<'static> {
        Event { mask, cookie: 0, name: &[], unlinked: false }
    }
}

/// Who is told: the other side of a mark.
#[doc(alias = "fsnotify_group")]
#[doc(alias = "fsnotify_ops")]
pub trait Group: Send + Sync {
    /// Something happened that the mark named `id` asks for.
    #[doc(alias = "handle_inode_event")]
    fn handle(&self, id: i32, event: &Event<'_>);

    /// Takes `mark` away.
    #[doc(alias = "fsnotify_destroy_mark")]
    fn destroy(&self, mark: &Arc<Mark>);
}

/// One watch.
#[doc(alias = "fsnotify_mark")]
pub struct Mark {
    group: Weak<dyn Group>,
    /// Its name in the group (inotify's watch number, dnotify's descriptor), -1 once it is gone.
    id: AtomicI32,
    pub inode: Arc<dyn Inode>,
    pub sb: Arc<dyn SuperBlock>,
    /// Events and `IN_EXCL_UNLINK`, `IN_ONESHOT`.
    mask: AtomicU32,
}

impl Mark {
    pub fn new(group: Weak<dyn Group>, id: i32, path: &Path, mask: u32) -> Arc<Mark> {
        MARKS.fetch_add(1, Ordering::Relaxed);
        let (inode, sb) = (path.inode().clone(), path.mnt.sb.clone());
        Arc::new(Mark { group, id: AtomicI32::new(id), inode, sb, mask: AtomicU32::new(mask) })
    }

    pub fn id(&self) -> i32 {
        self.id.load(Ordering::Acquire)
    }

    /// Gives it another name; a gone one has none.
    pub fn set_id(&self, id: i32) {
        self.id.store(id, Ordering::Release);
    }

    /// Ends it: nothing is told under its name from now on.
    pub fn end(&self) {
        self.set_id(-1);
    }

    pub fn mask(&self) -> u32 {
        self.mask.load(Ordering::Relaxed)
    }

    /// Asks for something else.
    pub fn set_mask(&self, mask: u32) {
        self.mask.store(mask, Ordering::Relaxed);
        self.inode.common().marks.recount();
    }

    fn wanted(&self) -> u32 {
        self.mask() & (IN_ALL_EVENTS | FS_RENAME | IN_UNMOUNT)
    }

    /// Tells the group, if the mark wants to know.
    #[doc(alias = "fsnotify_handle_inode_event")]
    fn tell(self: &Arc<Self>, event: &Event<'_>) {
        let mask = self.mask();
        if self.wanted() & event.mask == 0 || event.unlinked && mask & IN_EXCL_UNLINK != 0 {
            return;
        }
        let (Some(group), id @ 0..) = (self.group.upgrade(), self.id()) else { return };
        group.handle(id, event);
        if mask & IN_ONESHOT != 0 {
            group.destroy(self);
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        MARKS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The marks on one inode.
#[doc(alias = "i_fsnotify_marks")]
#[derive(Default)]
pub struct Marks {
    list: SpinLock<Vec<Arc<Mark>>>,
    /// What any of them wants.
    #[doc(alias = "i_fsnotify_mask")]
    wanted: AtomicU32,
    /// The object lost its last name while it was in use.
    nameless: AtomicBool,
}

impl Marks {
    fn list(&self) -> Vec<Arc<Mark>> {
        self.list.lock().clone()
    }

    #[doc(alias = "fsnotify_recalc_mask")]
    fn recount(&self) {
        let list = self.list.lock();
        let wanted = list.iter().fold(0, |all, mark| all | mark.wanted());
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Whether anybody watches.
    pub fn any(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) != 0
    }

    /// Adds a mark; the caller holds the lock of its group's marks.
    pub fn insert(&self, mark: &Arc<Mark>) {
        self.list.lock().push(mark.clone());
        self.recount();
    }

    pub fn remove(&self, mark: &Arc<Mark>) {
        let mut list = self.list.lock();
        let at = list.iter().position(|other| Arc::ptr_eq(other, mark));
        let removed = at.map(|at| list.remove(at));
        drop(list);
        self.recount();
        drop(removed);
    }

    /// The mark of `group`.
    #[doc(alias = "fsnotify_find_mark")]
    pub fn of<G: Group>(&self, group: &Arc<G>) -> Option<Arc<Mark>> {
        self.list.lock().iter().find(|mark| core::ptr::addr_eq(mark.group.as_ptr(), Arc::as_ptr(group))).cloned()
    }

    /// Tells whoever wants to know.
    #[doc(alias = "fsnotify")]
    pub fn tell(&self, event: &Event<'_>) {
        if self.wanted.load(Ordering::Relaxed) & event.mask != 0 {
            for mark in self.list() {
                mark.tell(event);
            }
        }
    }

    /// The object is gone: so are its marks.
    #[doc(alias = "fsnotify_inode_delete")]
    pub fn remove_all(&self) {
        for mark in self.list() {
            if let Some(group) = mark.group.upgrade() {
                group.destroy(&mark);
            }
        }
    }

    /// The last name went while the object was in use.
    pub fn set_nameless(&self) {
        self.nameless.store(true, Ordering::Release);
    }

    /// Whether the end of its use is the end of the object; once.
    pub fn take_nameless(&self) -> bool {
        self.nameless.load(Ordering::Acquire) && self.nameless.swap(false, Ordering::AcqRel)
    }
}
