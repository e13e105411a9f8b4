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

use super::inotify::Group;
use crate::fs::inode::Inode;
use crate::fs::super_block::SuperBlock;

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
    /// `IN_*`.
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

/// One watch.
#[doc(alias = "inotify_inode_mark")]
pub struct Mark {
    group: Weak<Group>,
    /// The watch's number, -1 once it is gone.
    wd: AtomicI32,
    pub inode: Arc<dyn Inode>,
    pub sb: Arc<dyn SuperBlock>,
    /// Events and `IN_EXCL_UNLINK`, `IN_ONESHOT`.
    mask: AtomicU32,
}

impl Mark {
    /// Events that a program can ask for, and what it can ask of the watch itself.
    pub const USER_MASK: u32 = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

    pub fn new(group: Weak<Group>, wd: i32, inode: Arc<dyn Inode>, sb: Arc<dyn SuperBlock>, mask: u32) -> Arc<Mark> {
        MARKS.fetch_add(1, Ordering::Relaxed);
        Arc::new(Mark { group, wd: AtomicI32::new(wd), inode, sb, mask: AtomicU32::new(mask & Mark::USER_MASK) })
    }

    pub fn wd(&self) -> i32 {
        self.wd.load(Ordering::Acquire)
    }

    /// Ends it: nothing is told under its number from now on.
    pub fn end(&self) {
        self.wd.store(-1, Ordering::Release);
    }

    pub fn mask(&self) -> u32 {
        self.mask.load(Ordering::Relaxed)
    }

    /// Asks for something else.
    pub fn set_mask(&self, mask: u32) {
        self.mask.store(mask & Mark::USER_MASK, Ordering::Relaxed);
        self.inode.common().marks.recount();
    }

    fn wanted(&self) -> u32 {
        self.mask() & IN_ALL_EVENTS | IN_UNMOUNT
    }

    /// Tells the group, if the mark wants to know.
    #[doc(alias = "fsnotify_handle_inode_event")]
    fn tell(self: &Arc<Self>, event: &Event<'_>) {
        let mask = self.mask();
        if self.wanted() & event.mask == 0 || event.unlinked && mask & IN_EXCL_UNLINK != 0 {
            return;
        }
        let (Some(group), wd @ 0..) = (self.group.upgrade(), self.wd()) else { return };
        group.queue(wd, event);
        if mask & IN_ONESHOT != 0 {
            group.remove(self);
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
    pub fn of(&self, group: &Arc<Group>) -> Option<Arc<Mark>> {
        self.list.lock().iter().find(|mark| mark.group.as_ptr() == Arc::as_ptr(group)).cloned()
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
                group.remove(&mark);
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
