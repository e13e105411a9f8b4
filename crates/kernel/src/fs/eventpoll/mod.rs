//! epoll: sets of files that are waited for together.
//!
//! In Linux a set (`struct eventpoll`) keeps one item per watched (file, descriptor) in a red-black tree. An item hangs on
//! the file's wait queue for as long as it exists; when the file wakes that queue, the item's callback puts the item on
//! the set's ready list and wakes one thread that sleeps in `epoll_wait`. So a wait costs what is ready, not what is
//! watched. `epoll_wait` walks the ready list, asks each item's file what is true *now*, and leaves level-triggered items
//! ready, behind the others. Events that arrive while it does so go to a list of their own and are merged afterwards.
//!
//! ```text
//!                      file's wait queue wakes
//!     in the tree only ──────────────────────► ready list ◄──────────────────┐
//!            ▲                                     │ a scan begins            │
//!            │                                     ▼                          │ level-triggered,
//!            │  not ready any more,          being scanned ── reported ───────┤ or an event came
//!            └── edge-triggered, one-shot ─────────┘                          │ meanwhile
//!                                                  └── no room, bad buffer ───┘ (at the front)
//! ```
//!
//! - [`item`]: one watched file, and the lists that items are on
//! - [`ready`]: the ready list and what arrives beside it
//! - [`callback`]: from a file's wait queue to the ready list
//! - [`scan`]: from the ready list to the caller
//! - [`ctl`]: adding, changing, taking off
//! - [`wait`]: sleeping for events
//! - [`nested`]: sets in sets: how deep, how many ways up, and no circles
//! - [`file`]: a set as a file
//!
//! Mirrors: fs/eventpoll.c, Linux 6.18.
//! Differs: an item asks its file without a reference to it. No busy polling of network devices: its parameters are kept and shown. `EPOLLWAKEUP` holds nothing
//! awake.
//! Locking: `Nesting::lock` (all sets), then `interest` (sets from the outside in, `ep->mtx`), then a file's own locks
//! and its wait queue, then `arrivals` (`ep->lock`), then `wq`. Callbacks run under a file's wait queue and take `arrivals`,
//! `wq`, and the queue of those who wait for this set. `Watchers` is a leaf.
//! Memory order: `arrived` and the queue's length are SeqCst on both sides: a callback stores `arrived` before it looks for
//! sleepers, a sleeper is on the queue before it looks at `arrived`. For items see [`ready`].

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_klib::list::List;

pub mod callback;
pub mod ctl;
pub mod file;
pub mod item;
pub mod nested;
pub mod ready;
pub mod scan;
pub mod wait;

use file::BusyPoll;
use item::ReadyLink;
pub use item::Watchers;
use nested::Nesting;
use scan::Interest;

/// A set of watched files.
#[doc(alias = "eventpoll")]
pub struct Eventpoll {
    /// Every item, and those that are ready. Held while files are asked and events are copied out.
    #[doc(alias = "mtx")]
    interest: SpinLock<Interest>,
    /// Whether `interest` has ready items. Changed under it.
    held: AtomicBool,
    /// Items that have become ready since the last scan took them over.
    #[doc(alias = "ovflist")]
    arrivals: SpinLock<List<ReadyLink>>,
    /// Whether there are any. Changed under their lock.
    arrived: AtomicBool,
    /// Threads in `epoll_wait`.
    wq: WaitQueueHead,
    /// Those who wait for this set to have events: other sets, poll, select.
    poll_wait: Arc<WaitQueueHead>,
    /// Items of other sets that watch this one.
    refs: Watchers,
    user: Arc<UserWatches>,
    /// The last walk that came here, and how deep it found the sets below or above: under [`Nesting::lock`].
    generation: AtomicU64,
    loop_check_depth: AtomicU32,
    busy_poll: SpinLock<BusyPoll>,
}

impl Eventpoll {
    #[doc(alias = "ep_alloc")]
    pub fn new(user: Arc<UserWatches>) -> Arc<Eventpoll> {
        Arc::new(Eventpoll {
            interest: SpinLock::default(),
            held: AtomicBool::new(false),
            arrivals: SpinLock::default(),
            arrived: AtomicBool::new(false),
            wq: WaitQueueHead::new(),
            poll_wait: Arc::default(),
            refs: Watchers::default(),
            user,
            generation: AtomicU64::new(0),
            loop_check_depth: AtomicU32::new(0),
            busy_poll: SpinLock::default(),
        })
    }
}

/// How many files one user watches, in all sets together.
#[derive(Default)]
pub struct UserWatches(AtomicU64);

impl UserWatches {
    /// One more, unless there are `max` already.
    pub fn charge(&self, max: u64) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < max).then_some(count + 1)).is_ok()
    }

    pub fn uncharge(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What all sets of a world share.
#[derive(Default)]
pub struct Epolls {
    pub nesting: Nesting,
    users: SpinLock<BTreeMap<u32, Arc<UserWatches>>>,
}

impl Epolls {
    /// The count of the user `uid`.
    pub fn watches_of(&self, uid: u32) -> Arc<UserWatches> {
        self.users.lock().entry(uid).or_default().clone()
    }
}
