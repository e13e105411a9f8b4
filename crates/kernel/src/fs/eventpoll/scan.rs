//! From the ready list to the caller: asking every ready item's file what is true now.
//!
//! Mirrors: fs/eventpoll.c (`ep_send_events`, `ep_item_poll`, `ep_ptable_queue_proc`), Linux 6.18.
//! Differs: what a scan has taken lies in the set, not on the scanner's stack, so that a thread killed from outside
//! leaves nothing behind that the next scan does not find.
//! Locking: all under the set's `interest`. A reference to a file that is taken here may be the last one by the time it is given
//! up; the file's end, which takes that lock, comes later.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::sync::SpinLockGuard;
use acrida_kcore::wait::{EntryKind, WaitQueueHead, unhook};
use acrida_klib::list::List;
use acrida_klib::rbtree::RbTree;
use acrida_uapi::epoll::{EPOLLET, EPOLLEXCLUSIVE, EPOLLONESHOT, EpollEvent};
use acrida_uapi::errno::Errno;

use super::Eventpoll;
use super::item::{ByFile, Epitem, FirstHook, MoreHook, NextHook, ReadyLink};
use crate::fs::fdtable::OwnTable;
use crate::fs::file::File;
use crate::fs::poll::{PollQueue, PollTable};
use crate::fs::select::DEFAULT_POLLMASK;

/// The items of a set, and what the scan under way has in hand.
#[derive(Default)]
pub struct Interest {
    pub(super) tree: RbTree<ByFile>,
    /// Hooks of items whose files have more than one wait queue, by the item's address.
    more_hooks: BTreeMap<usize, Vec<Arc<MoreHook>>>,
    /// Still to be asked.
    txlist: List<ReadyLink>,
    /// Reported, level-triggered: ready again at the end.
    put_back: List<ReadyLink>,
    /// Being reported; an edge or a one-shot.
    told: List<ReadyLink>,
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

/// Asks a file; a file that can no longer be asked has nothing to say.
fn ask(epi: &Epitem, table: impl FnOnce(u32, &Arc<File>) -> Option<u32>) -> u32 {
    let Some(file) = epi.ffd.file.upgrade() else { return 0 };
    let wanted = epi.events();
    table(wanted, &file).unwrap_or(DEFAULT_POLLMASK) & wanted
}

fn ask_now(wanted: u32, file: &Arc<File>) -> Option<u32> {
    file.ops.poll(&mut PollTable::none(wanted))
}

/// What of the item's interest holds now. A file that the caller has open under the item's number needs no reference.
#[inline]
#[doc(alias = "ep_item_poll")]
pub(super) fn item_events(epi: &Epitem, own: OwnTable<'_>) -> u32 {
    match own.same(epi.ffd.fd, epi.ffd.file.as_ptr()) {
        Some(file) => {
            let wanted = epi.events();
            ask_now(wanted, file).unwrap_or(DEFAULT_POLLMASK) & wanted
        }
        None => ask(epi, ask_now),
    }
}

impl Interest {
    /// Hangs a new item on its file's queues; what holds now.
    pub(super) fn watch(&mut self, epi: &Arc<Epitem>) -> u32 {
        let mut hooks = Hooks { epi, more: &mut self.more_hooks };
        ask(epi, |wanted, file| file.ops.poll(&mut PollTable::new(wanted, &mut hooks)))
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
    fn start_scan(&self, interest: &mut Interest) {
        let Interest { txlist, put_back, told, .. } = interest;
        if !put_back.is_empty() || !told.is_empty() {
            // Of a scan that never ended.
            txlist.splice_back(told);
            txlist.splice_back(put_back);
        }
        self.ready.lock().start_scan(&mut interest.txlist);
    }

    fn done_scan(&self, interest: &mut Interest) {
        let mut ready = self.ready.lock();
        let any = ready.done_scan(&mut interest.txlist, &mut interest.put_back);
        // It has been true since before the scan.
        if !any {
            self.available.store(false, Ordering::SeqCst);
        }
        drop(ready);
        // What is left, or came meanwhile, is for the next sleeper.
        if any && self.wq.is_active() {
            self.wq.wake_one(0);
        }
    }

    /// Hands events of at most `max` ready items to `put`, some at a time, each time with the number of those before. `put`
    /// says how many it took; one that it does not take ends the scan and stays ready. How many were taken.
    ///
    /// # Errors
    /// `EFAULT` when `put` took none of those it was given.
    #[doc(alias = "ep_send_events")]
    pub fn send_events(
        &self,
        max: usize,
        own: OwnTable<'_>,
        put: impl FnMut(usize, &[EpollEvent]) -> usize,
    ) -> Result<usize, Errno> {
        let mut interest = self.interest.lock();
        self.start_scan(&mut interest);
        let result = interest.send(max, own, put);
        self.done_scan(&mut interest);
        result
    }

    /// Whether any item has an event; items that have none leave the ready list.
    #[doc(alias = "__ep_eventpoll_poll")]
    pub(super) fn any_event(&self) -> bool {
        let mut interest: SpinLockGuard<'_, Interest> = self.interest.lock();
        self.start_scan(&mut interest);
        let mut found = false;
        while let Some(epi) = interest.txlist.front() {
            found = item_events(epi, OwnTable::default()) != 0;
            if found {
                break;
            }
            drop(interest.txlist.pop_front());
        }
        self.done_scan(&mut interest);
        found
    }
}

impl Interest {
    fn send(
        &mut self,
        max: usize,
        own: OwnTable<'_>,
        mut put: impl FnMut(usize, &[EpollEvent]) -> usize,
    ) -> Result<usize, Errno> {
        let mut sent = 0;
        loop {
            let mut batch = Batch::default();
            while batch.len < BATCH.min(max - sent) {
                let Some(epi) = self.txlist.front() else { break };
                let events = item_events(epi, own);
                if events == 0 {
                    drop(self.txlist.pop_front());
                    continue;
                }
                let stays = !epi.has(EPOLLET | EPOLLONESHOT);
                batch.push(EpollEvent { events, data: epi.data() }, stays);
                self.txlist.move_front_to(if stays { &mut self.put_back } else { &mut self.told });
            }
            if batch.len == 0 {
                return Ok(sent);
            }
            let taken = put(sent, &batch.events[..batch.len]);
            self.take_back(&batch, taken);
            self.let_go();
            sent += taken;
            if taken < batch.len {
                return if sent == 0 { Err(Errno::EFAULT) } else { Ok(sent) };
            }
        }
    }

    /// Puts those that were not taken back to where they were.
    fn take_back(&mut self, batch: &Batch, taken: usize) {
        for index in (taken..batch.len).rev() {
            let list = if batch.stays >> index & 1 != 0 { &mut self.put_back } else { &mut self.told };
            let Some(epi) = list.pop_back() else { return };
            let back = self.txlist.push_front(epi).is_ok();
            debug_assert!(back, "an item on two lists");
        }
    }

    /// Edges and one-shots that were told leave the ready list.
    fn let_go(&mut self) {
        while let Some(epi) = self.told.pop_front() {
            if epi.has(EPOLLONESHOT) {
                epi.mute();
            }
        }
    }
}

/// Events that are copied out together.
const BATCH: usize = 16;

#[derive(Default)]
struct Batch {
    events: [EpollEvent; BATCH],
    len: usize,
    /// Bit n: the item of event n is level-triggered.
    stays: u32,
}

impl Batch {
    fn push(&mut self, event: EpollEvent, stays: bool) {
        self.events[self.len] = event;
        self.stays |= u32::from(stays) << self.len;
        self.len += 1;
    }
}
