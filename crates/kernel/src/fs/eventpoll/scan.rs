//! From the ready list to the caller: asking every ready item's file what is true now.
//!
//! Mirrors: fs/eventpoll.c (`ep_send_events`, `ep_item_poll`, `ep_ptable_queue_proc`), Linux 6.18.
//! Differs: a file is asked without a reference to it: the item keeps the file's operations, and the end of a file waits for
//! `interest` before it goes on (see [`super::ctl::release_file`]). Items that stay ready are not moved one by one; the list
//! is turned at the end.
//! Locking: all under the set's `interest`.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::wait::{EntryKind, WaitQueueHead, unhook};
use acrida_klib::list::List;
use acrida_klib::rbtree::RbTree;
use acrida_uapi::epoll::{EPOLLET, EPOLLEXCLUSIVE, EPOLLONESHOT, EpollEvent};
use acrida_uapi::errno::Errno;

use super::Eventpoll;
use super::item::{ByFile, Epitem, FirstHook, MoreHook, NextHook, ReadyLink};
use crate::fs::poll::{DEFAULT_POLLMASK, PollQueue, PollTable};

/// The items of a set, and those that may have events.
#[derive(Default)]
pub struct Interest {
    pub(super) tree: RbTree<ByFile>,
    #[doc(alias = "rdllist")]
    pub(super) ready: List<ReadyLink>,
    /// Hooks of items whose files have more than one wait queue, by the item's address.
    more_hooks: BTreeMap<usize, Vec<Arc<MoreHook>>>,
}

/// Hangs an item on the wait queues that its file names.
struct Hooks<'a> {
    epi: &'a Arc<Epitem>,
    more: &'a mut BTreeMap<usize, Vec<Arc<MoreHook>>>,
}

impl PollQueue for Hooks<'_> {
    #[doc(alias = "ep_ptable_queue_proc")]
    fn queue(&mut self, queue: &Arc<WaitQueueHead>) {
        let kind = if self.epi.has(EPOLLEXCLUSIVE) { EntryKind::Exclusive } else { EntryKind::Shared };
        if queue.hook::<FirstHook>(kind, self.epi.clone()).is_ok() {
            return;
        }
        let hook = Arc::new(MoreHook { hook: Default::default(), epi: self.epi.clone() });
        let fresh = queue.hook::<NextHook>(kind, hook.clone()).is_ok();
        debug_assert!(fresh, "a new hook");
        self.epi.more_hooks.store(true, Ordering::Relaxed);
        self.more.entry(Arc::as_ptr(self.epi).addr()).or_default().push(hook);
    }
}

impl Epitem {
    fn ask<'t>(&self, table: impl FnOnce(u32) -> PollTable<'t>) -> u32 {
        let wanted = self.events();
        self.ops.poll(&mut table(wanted)).unwrap_or(DEFAULT_POLLMASK) & wanted
    }

    /// What of the interest holds now. Under the set's `interest`.
    #[inline]
    #[doc(alias = "ep_item_poll")]
    pub(super) fn holds(&self) -> u32 {
        self.ask(PollTable::none)
    }
}

impl Interest {
    /// Hangs a new item on its file's queues; what holds now.
    pub(super) fn watch(&mut self, epi: &Arc<Epitem>) -> u32 {
        let mut hooks = Hooks { epi, more: &mut self.more_hooks };
        epi.ask(|wanted| PollTable::new(wanted, &mut hooks))
    }

    /// Takes an item off its file's queues. No callback reaches it afterwards.
    #[doc(alias = "ep_unregister_pollwait")]
    pub(super) fn unwatch(&mut self, epi: &Epitem) {
        drop(unhook::<FirstHook>(epi));
        if epi.more_hooks.load(Ordering::Relaxed) {
            let hooks = self.more_hooks.remove(&core::ptr::from_ref(epi).addr()).unwrap_or_default();
            for hook in hooks {
                drop(unhook::<NextHook>(&hook));
            }
        }
    }
}

impl Eventpoll {
    /// Hands events of at most `max` ready items to `put`, one by one, each with the number of those before. One that `put` says
    /// no to ends the scan and stays ready. How many were taken.
    ///
    /// # Errors
    /// `EFAULT` when `put` did not even take the first.
    #[doc(alias = "ep_send_events")]
    pub fn send_events(&self, max: usize, mut put: impl FnMut(usize, &EpollEvent) -> bool) -> Result<usize, Errno> {
        let mut interest = self.interest.lock();
        let mut cursor = interest.ready.cursor_front_mut();
        self.take_arrivals(&mut cursor);
        let mut sent = 0;
        let mut refused = false;
        while sent < max {
            let Some(epi) = cursor.current() else { break };
            let seen = epi.listed.moment();
            let events = epi.holds();
            if events == 0 {
                self.take_off(&mut cursor, seen);
                continue;
            }
            if !put(sent, &EpollEvent { events, data: epi.data() }) {
                refused = sent == 0;
                break;
            }
            sent += 1;
            if !epi.has(EPOLLET | EPOLLONESHOT) {
                cursor.move_next();
                continue;
            }
            if epi.has(EPOLLONESHOT) {
                epi.mute();
            }
            self.take_off(&mut cursor, seen);
        }
        self.done_scan(cursor);
        if refused { Err(Errno::EFAULT) } else { Ok(sent) }
    }

    /// Whether any item has an event; items that have none leave the ready list.
    #[doc(alias = "__ep_eventpoll_poll")]
    pub(super) fn any_event(&self) -> bool {
        let mut interest = self.interest.lock();
        let mut cursor = interest.ready.cursor_front_mut();
        self.take_arrivals(&mut cursor);
        let mut found = false;
        while let Some(epi) = cursor.current() {
            let seen = epi.listed.moment();
            found = epi.holds() != 0;
            if found {
                break;
            }
            self.take_off(&mut cursor, seen);
        }
        self.done_scan(cursor);
        found
    }
}
