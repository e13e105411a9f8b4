//! One watched file.
//!
//! Mirrors: fs/eventpoll.c (`struct epitem`), Linux 6.18.
//! Differs: the hook for the first wait queue lies in the item, since nearly every file has one; the hooks for more are
//! boxes of their own ([`MoreHook`]), kept by the set. An item keeps its file's operations, but not its file.
//! Locking: see the module; `events` and `data` change under the set's `interest`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering::{self as Cmp};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitHook;
use acrida_klib::adapter;
use acrida_klib::list::{List, ListLink};
use acrida_klib::rbtree::RbLink;
use acrida_uapi::epoll::{EPOLLERR, EPOLLET, EPOLLEXCLUSIVE, EPOLLHUP, EPOLLONESHOT, EPOLLWAKEUP, EpollEvent};

use super::Eventpoll;
use super::ready::Listed;
use crate::fs::file::{File, FileOperations, FileRef, WeakFile};

/// Bits of an interest that are no events.
#[doc(alias = "EP_PRIVATE_BITS")]
const PRIVATE_BITS: u32 = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;

/// A file in a set: the open file, under one of its numbers. The same file can be in a set once per number.
///
/// What a scan looks at comes first and lies in one line of the cache, with the counts that `Arc` puts before it.
#[doc(alias = "epitem")]
#[repr(C)]
pub struct Epitem {
    /// Never the last reference: the file outlives its time in the set.
    pub(super) ops: Arc<dyn FileOperations>,
    data: AtomicU64,
    events: AtomicU32,
    pub(super) listed: Listed,
    rdllink: ListLink,
    pub(super) hook: WaitHook,
    pub(super) ep: Arc<Eventpoll>,
    pub(super) file: WeakFile,
    fllink: ListLink,
    rbn: RbLink,
    fd: i32,
    /// The file has more than one wait queue: the set keeps more hooks.
    pub(super) more_hooks: AtomicBool,
}

/// With the counts of its `Arc` three lines of the cache; Linux has 128 bytes and a hook of 64.
const _: () = assert!(size_of::<Epitem>() + 2 * size_of::<usize>() == 192);

adapter!(pub ByFile = Epitem { rbn: RbLink });
adapter!(pub ReadyLink = Epitem { rdllink: ListLink });
adapter!(pub WatcherLink = Epitem { fllink: ListLink });
adapter!(pub FirstHook = Epitem { hook: WaitHook });

/// An item's entry on its file's second or third wait queue.
pub struct MoreHook {
    pub(super) hook: WaitHook,
    pub(super) epi: Arc<Epitem>,
}

adapter!(pub NextHook = MoreHook { hook: WaitHook });

impl Epitem {
    pub fn new(ep: &Arc<Eventpoll>, file: &FileRef, fd: i32, event: EpollEvent) -> Arc<Epitem> {
        Arc::new(Epitem {
            ops: file.ops.clone(),
            data: AtomicU64::new(event.data),
            events: AtomicU32::new(event.events | EPOLLERR | EPOLLHUP),
            listed: Listed::default(),
            rdllink: ListLink::new(),
            hook: WaitHook::new(),
            ep: ep.clone(),
            file: FileRef::downgrade(file),
            fllink: ListLink::new(),
            rbn: RbLink::new(),
            fd,
            more_hooks: AtomicBool::new(false),
        })
    }

    /// Where the key (`file`, `fd`) lies from this item's.
    #[doc(alias = "ep_cmp_ffd")]
    pub fn place_of(&self, file: *const File, fd: i32) -> Cmp {
        (file.addr(), fd).cmp(&(self.file.as_ptr().addr(), self.fd))
    }

    /// What is asked for, with the input flags.
    pub fn events(&self) -> u32 {
        self.events.load(Ordering::SeqCst)
    }

    pub fn data(&self) -> u64 {
        self.data.load(Ordering::Relaxed)
    }

    /// Asks for something else; visible to every callback before the file is asked again.
    pub fn set_event(&self, event: EpollEvent) {
        self.data.store(event.data, Ordering::Relaxed);
        self.events.store(event.events | EPOLLERR | EPOLLHUP, Ordering::SeqCst);
    }

    pub fn has(&self, flag: u32) -> bool {
        self.events() & flag != 0
    }

    /// A one-shot item has been reported: it is mute until it is changed.
    pub fn mute(&self) {
        self.events.fetch_and(PRIVATE_BITS, Ordering::SeqCst);
    }

    /// Whether a wake-up with this key (0: unknown) is of interest.
    pub fn wants(&self, key: u32) -> bool {
        let events = self.events();
        events & !PRIVATE_BITS != 0 && (key == 0 || key & events != 0)
    }

    pub fn fd(&self) -> i32 {
        self.fd
    }
}

/// The items that watch one file.
#[doc(alias = "f_ep")]
#[derive(Default)]
pub struct Watchers {
    list: SpinLock<List<WatcherLink>>,
    /// Whether there are any, without the lock. Changed under it.
    any: AtomicBool,
}

impl Watchers {
    pub fn is_empty(&self) -> bool {
        !self.any.load(Ordering::SeqCst)
    }

    #[doc(alias = "attach_epitem")]
    pub fn attach(&self, epi: Arc<Epitem>) {
        let mut list = self.list.lock();
        let fresh = list.push_back(epi).is_ok();
        debug_assert!(fresh, "an item watches one file");
        self.any.store(true, Ordering::Relaxed);
    }

    pub fn detach(&self, epi: &Epitem) {
        let mut list = self.list.lock();
        let gone = list.remove(epi);
        self.any.store(!list.is_empty(), Ordering::Relaxed);
        drop(list);
        drop(gone);
    }

    /// Takes one of them off, if there is one.
    pub fn pop(&self) -> Option<Arc<Epitem>> {
        let mut list = self.list.lock();
        let epi = list.pop_front();
        self.any.store(!list.is_empty(), Ordering::Relaxed);
        epi
    }

    /// [`Watchers::pop`] when nobody else can reach the file any more.
    pub fn pop_mut(&mut self) -> Option<Arc<Epitem>> {
        self.list.get_mut().pop_front()
    }

    /// The sets that watch the file, once per item.
    pub fn sets(&self) -> Vec<Arc<Eventpoll>> {
        self.list.lock().iter().map(|epi| epi.ep.clone()).collect()
    }
}
