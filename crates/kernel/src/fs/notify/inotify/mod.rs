//! inotify: marks on inodes, and one queue of events for each group of them.
//!
//! - [`queue`]: events that wait to be read
//! - [`user`]: the system calls and the file
//!
//! Mirrors: fs/notify/inotify, fs/notify/group.c, Linux 6.18.
//! Differs: a group's marks are found by number in the group and by inode in the inode, without a list of all.
//! Locking: `Group::marks`, then the list of an inode; `Group::queue` and `Inotify`'s fields are leaves.

pub mod queue;
pub mod user;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::{EPOLLIN, EPOLLRDNORM};
use acrida_uapi::errno::Errno;
use acrida_uapi::inotify::{IN_ALL_EVENTS, IN_EXCL_UNLINK, IN_IGNORED, IN_MASK_ADD, IN_MASK_CREATE, IN_ONESHOT, IN_UNMOUNT};
use acrida_uapi::siginfo::POLL_IN;

use self::queue::{EventQueue, Queued};
use super::mark::{Event, Group, Mark};
use crate::fs::dcache::Path;
use crate::fs::fasync::FasyncQueue;
use crate::fs::super_block::SuperBlock;
use crate::kernel;

/// Events that a program can ask for, and what it can ask of the watch itself.
#[doc(alias = "INOTIFY_USER_MASK")]
const USER_MASK: u32 = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

/// A mark's mask for what a program asked: it is told of unmounts unasked.
#[doc(alias = "inotify_arg_to_mask")]
fn mark_mask(asked: u32) -> u32 {
    asked & USER_MASK | IN_UNMOUNT
}

/// What one user has of it.
#[doc(alias = "UCOUNT_INOTIFY_INSTANCES")]
#[doc(alias = "UCOUNT_INOTIFY_WATCHES")]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Usage {
    instances: u64,
    watches: u64,
}

/// All groups of a world.
#[derive(Default)]
pub struct Inotify {
    users: SpinLock<BTreeMap<u32, Usage>>,
    groups: SpinLock<Vec<Weak<InotifyGroup>>>,
}

impl Inotify {
    /// Changes a user's numbers unless `change` says no.
    fn account(&self, uid: u32, change: impl FnOnce(&mut Usage) -> bool) -> bool {
        let mut users = self.users.lock();
        let usage = users.entry(uid).or_default();
        let changed = change(usage);
        if *usage == Usage::default() {
            users.remove(&uid);
        }
        changed
    }

    /// Marks on inodes of this file system.
    pub fn marks_on(&self, sb: &Arc<dyn SuperBlock>) -> Vec<Arc<Mark>> {
        let groups: Vec<_> = self.groups.lock().iter().filter_map(Weak::upgrade).collect();
        let mut found = Vec::new();
        for group in groups {
            found.extend(group.marks.lock().by_wd.values().filter(|mark| Arc::ptr_eq(&mark.sb, sb)).cloned());
        }
        found
    }
}

#[derive(Default)]
struct Table {
    by_wd: BTreeMap<i32, Arc<Mark>>,
    /// The number given last; numbers are not used again before they run out.
    last_wd: i32,
}

impl Table {
    /// The next free number.
    #[doc(alias = "idr_alloc_cyclic")]
    fn next_wd(&mut self) -> i32 {
        loop {
            self.last_wd = self.last_wd.checked_add(1).unwrap_or(1);
            if !self.by_wd.contains_key(&self.last_wd) {
                return self.last_wd;
            }
        }
    }
}

/// What `inotify_init` makes.
#[doc(alias = "fsnotify_group")]
pub struct InotifyGroup {
    queue: SpinLock<EventQueue>,
    #[doc(alias = "notification_waitq")]
    wait: Arc<WaitQueueHead>,
    marks: SpinLock<Table>,
    max_events: usize,
    /// Whose limits it counts against.
    uid: u32,
    fasync: FasyncQueue,
}

impl InotifyGroup {
    /// A group of user `uid`; `EMFILE` when there are too many.
    #[doc(alias = "inotify_new_group")]
    fn new(uid: u32) -> Result<Arc<InotifyGroup>, Errno> {
        let (inotify, sysctl) = (&kernel().inotify, &kernel().sysctl);
        let limit = sysctl.inotify_max_user_instances.get();
        let granted = inotify.account(uid, |usage| {
            let fits = usage.instances < limit;
            usage.instances += u64::from(fits);
            fits
        });
        if !granted {
            return Err(Errno::EMFILE);
        }
        let group = Arc::new(InotifyGroup {
            queue: SpinLock::default(),
            wait: Arc::default(),
            marks: SpinLock::default(),
            max_events: usize::try_from(sysctl.inotify_max_queued_events.get()).unwrap_or(usize::MAX),
            uid,
            fasync: FasyncQueue::new(),
        });
        let mut groups = inotify.groups.lock();
        groups.retain(|group| group.strong_count() > 0);
        groups.push(Arc::downgrade(&group));
        Ok(group)
    }

    /// Queues an event for the watch `wd`.
    fn queue(&self, wd: i32, event: &Event<'_>) {
        let queued = Queued::new(wd, event.mask, event.cookie, event.name);
        if self.queue.lock().push(queued, self.max_events) {
            self.wait.wake_all(EPOLLIN | EPOLLRDNORM);
            self.fasync.kill(POLL_IN);
        }
    }

    /// Watches `path` for the events of `mask`, or changes the watch there is; gives its number.
    #[doc(alias = "inotify_update_watch")]
    fn watch(self: &Arc<Self>, path: &Path, mask: u32) -> Result<i32, Errno> {
        let marks = &path.inode().common().marks;
        let mut table = self.marks.lock();
        if let Some(mark) = marks.of(self) {
            if mask & IN_MASK_CREATE != 0 {
                return Err(Errno::EEXIST);
            }
            let kept = if mask & IN_MASK_ADD != 0 { mark.mask() } else { 0 };
            mark.set_mask(kept | mark_mask(mask));
            return Ok(mark.id());
        }
        let wd = table.next_wd();
        let limit = kernel().sysctl.inotify_max_user_watches.get();
        let granted = kernel().inotify.account(self.uid, |usage| {
            let fits = usage.watches < limit;
            usage.watches += u64::from(fits);
            fits
        });
        if !granted {
            return Err(Errno::ENOSPC);
        }
        let mark = Mark::new(self.as_weak(), wd, path, mark_mask(mask));
        table.by_wd.insert(wd, mark.clone());
        marks.insert(&mark);
        Ok(wd)
    }

    fn as_weak(self: &Arc<Self>) -> Weak<dyn Group> {
        let weak: Weak<InotifyGroup> = Arc::downgrade(self);
        weak
    }

    /// Takes the watch out of group and inode; whether it was there.
    fn detach(&self, wd: i32) -> bool {
        let Some(mark) = self.marks.lock().by_wd.remove(&wd) else { return false };
        mark.end();
        mark.inode.common().marks.remove(&mark);
        kernel().inotify.account(self.uid, |usage| {
            usage.watches -= 1;
            true
        });
        true
    }

    /// The end of the group's file.
    #[doc(alias = "fsnotify_destroy_group")]
    fn shut_down(&self) {
        let watches: Vec<i32> = self.marks.lock().by_wd.keys().copied().collect();
        for wd in watches {
            self.detach(wd);
        }
        kernel().inotify.account(self.uid, |usage| {
            usage.instances -= 1;
            true
        });
    }
}

impl Group for InotifyGroup {
    #[doc(alias = "inotify_handle_inode_event")]
    fn handle(&self, id: i32, event: &Event<'_>) {
        self.queue(id, event);
    }

    /// And says so.
    fn destroy(&self, mark: &Arc<Mark>) {
        let wd = mark.id();
        if self.detach(wd) {
            self.queue(wd, &Event::plain(IN_IGNORED));
        }
    }
}
