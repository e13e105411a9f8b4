//! One sleeper on many queues: what `poll` and `select` wait with.
//!
//! Mirrors: fs/select.c (`poll_wqueues`, `poll_table_entry`, `pollwake`), Linux 6.18.
//! Differs: the entries of a small set lie in the poller, which never moves, since only shared references to it exist.
//! Locking: an entry is reached under its queue's lock, or by the poller's own thread while it is on no queue.
//! Memory order: `triggered` is stored before the waker reads the sleeper's state, and read after the sleeper wrote
//! it, both SeqCst: the same pair as a condition's (see `wait.rs`).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::mem::MaybeUninit;

use super::{EntryKind, Node, WaitError, WaitOptions, WaitQueueHead, Wake, Woken, sleep_until};
use crate::primitive::{AtomicBool, Ordering};
use crate::stable::Held;
use crate::thread::{Thread, current};

/// Entries that cost no allocation (`N_INLINE_POLL_ENTRIES`).
const INLINE: usize = 9;

/// A thread that waits for any of several queues.
#[doc(alias = "poll_wqueues")]
pub struct Poller {
    thread: &'static Thread,
    triggered: AtomicBool,
    /// # Invariants
    /// The first `used` entries are initialised and linked.
    inline: UnsafeCell<[MaybeUninit<Entry>; INLINE]>,
    used: Cell<usize>,
    /// Boxed entries beyond the inline ones, initialised and linked.
    more: RefCell<Vec<*mut Entry>>,
}

#[doc(alias = "poll_table_entry")]
#[repr(C)]
struct Entry {
    node: Node,
    poller: *const Poller,
    key: u32,
    head: Arc<WaitQueueHead>,
    /// What must live while the entry is on its queue: the polled file.
    _keep: Held,
}

/// # Safety
/// The entry is an [`Entry`]'s.
#[doc(alias = "pollwake")]
unsafe fn wake_poller(node: *mut Node, wake: Wake) -> Woken {
    // SAFETY: the node is the first field of its entry, which stays until it is unlinked.
    let (poller, key) = unsafe { ((*node.cast::<Entry>()).poller, (*node.cast::<Entry>()).key) };
    if wake.key != 0 && wake.key & key == 0 {
        return Woken::No;
    }
    // SAFETY: the entry is on its queue, so the poller was not dropped yet; wakers use only its atomics and its thread.
    let poller = unsafe { &*poller };
    poller.triggered.store(true, Ordering::SeqCst);
    if poller.thread.wake_up_state(wake.mode) { Woken::Yes } else { Woken::No }
}

impl Poller {
    /// Runs `body` with a poller of the calling thread; every registration ends with it.
    #[doc(alias = "poll_initwait")]
    pub fn with<R>(body: impl FnOnce(&Poller) -> R) -> R {
        let me = current();
        me.count_queued(1);
        body(&Poller {
            thread: me,
            triggered: AtomicBool::new(false),
            inline: UnsafeCell::new([const { MaybeUninit::uninit() }; INLINE]),
            used: Cell::new(0),
            more: RefCell::new(Vec::new()),
        })
    }

    /// Registers on `head` for wake-ups whose key meets `key`; `keep` lives as long.
    #[doc(alias = "__pollwait")]
    pub fn join(&self, head: &Arc<WaitQueueHead>, key: u32, keep: Held) {
        let node = Node::new(EntryKind::Shared, wake_poller);
        let at = self.place(Entry { node, poller: self, key, head: head.clone(), _keep: keep });
        // SAFETY: the entry stays in place until the drop of the poller unlinks it.
        unsafe { head.link(at.cast()) };
    }

    /// Gives `entry` a place that it keeps.
    fn place(&self, entry: Entry) -> *mut Entry {
        let used = self.used.get();
        if used == INLINE {
            let at = Box::into_raw(Box::new(entry));
            self.more.borrow_mut().push(at);
            return at;
        }
        let at = self.inline.get().cast::<Entry>().wrapping_add(used);
        // SAFETY: `used` is below the array's length, and that slot is unused.
        unsafe { at.write(entry) };
        self.used.set(used + 1);
        at
    }

    /// Sleeps until a queue's wake-up since the last call (or since the registrations).
    ///
    /// # Errors
    /// As [`WaitQueueHead::wait_event`]; the sleep is interruptible.
    #[doc(alias = "poll_schedule_timeout")]
    pub fn sleep(&self, deadline: Option<u64>, wchan: &'static str) -> Result<(), WaitError> {
        let options = WaitOptions::interruptible(wchan).until(deadline);
        sleep_until(options, || self.triggered.swap(false, Ordering::SeqCst).then_some(()))
    }
}

impl Drop for Poller {
    #[doc(alias = "poll_freewait")]
    fn drop(&mut self) {
        for index in 0..self.used.get() {
            let at = self.inline.get().cast::<Entry>().wrapping_add(index);
            // SAFETY: one of the initialised, linked entries.
            unsafe { (*at).head.unlink(at.cast()) };
            // SAFETY: unlinked, so nobody else reaches it; dropped once.
            unsafe { at.drop_in_place() };
        }
        for at in self.more.take() {
            // SAFETY: as above.
            unsafe { (*at).head.unlink(at.cast()) };
            // SAFETY: boxed by `place`, unlinked.
            drop(unsafe { Box::from_raw(at) });
        }
        self.thread.count_queued(-1);
    }
}
