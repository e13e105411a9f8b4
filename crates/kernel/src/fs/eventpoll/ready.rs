//! What is ready: the list that scans walk, and the one that callbacks fill.
//!
//! A callback must not wait for a scan, which holds the set's `interest` while it asks files. So it puts items on a list of its
//! own, the arrivals, and scans take those over. Whether an item is on either list stands in the item ([`Listed`]), with
//! the number of events that came while it was: a callback that finds the item listed has nothing else to do than to count, and a
//! scan takes an item off only if nothing was counted since before it asked the file.
//!
//! ```text
//!      callback                                    scan
//!      the file is ready                           seen = word
//!      on the list? ── yes: word += an event       ask the file
//!           └─ no: on it, among the arrivals       keep, or off it if word == seen
//! ```
//!
//! Mirrors: fs/eventpoll.c (`rdllist`, `ovflist`, `ep_start_scan`, `ep_done_scan`), Linux 6.18.
//! Differs: Linux has a list of arrivals (`ovflist`) only while a scan runs, and takes its lock at both ends of each scan; here
//! a scan that finds no arrivals and empties nothing takes no other lock than `interest`.
//! Locking: the list under `interest`, the arrivals under their own lock; an item is listed under that, taken off under `interest`.
//! Memory order: either the word's change by the callback comes before the scan's, which then fails, or the callback sees the
//! item off the list. What made the file ready comes before the callback's change, so a scan that sees that sees it too.

use acrida_kcore::primitive::{AtomicU32, Ordering};
use alloc::sync::Arc;

use acrida_klib::list::{CursorMut, List};

use super::Eventpoll;
use super::item::{Epitem, ReadyLink};

/// Whether an item is on the ready list or among the arrivals, and how many events came since.
#[derive(Debug, Default)]
pub struct Listed(AtomicU32);

/// The bit for "yes"; the others count.
const YES: u32 = 1;
const ONE_EVENT: u32 = 2;

/// A moment in the life of [`Listed`].
#[derive(Clone, Copy, Debug)]
pub struct Moment(u32);

impl Listed {
    #[doc(alias = "ep_is_linked")]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst) & YES != 0
    }

    /// The moment before the file is asked.
    #[inline]
    pub fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::Acquire))
    }

    /// Counts an event, if the item is listed.
    fn count(&self) -> bool {
        let counted = |word: u32| (word & YES != 0).then(|| word.wrapping_add(ONE_EVENT));
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted).is_ok()
    }

    /// The item goes on the list.
    fn set(&self) {
        self.0.fetch_or(YES, Ordering::SeqCst);
    }

    /// The item has left the list, unless an event came after `seen`.
    fn clear(&self, seen: Moment) -> bool {
        self.0.compare_exchange(seen.0, seen.0 & !YES, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }
}

impl Eventpoll {
    /// Whether a wait may find events.
    #[doc(alias = "ep_events_available")]
    pub fn has_events(&self) -> bool {
        // In this order: a scan that takes the arrivals over says so before it denies them.
        self.arrived.load(Ordering::SeqCst) || self.held.load(Ordering::SeqCst)
    }

    /// Puts an item that is on no list among the arrivals. Under their lock.
    fn arrive(&self, arrivals: &mut List<ReadyLink>, epi: Arc<Epitem>) {
        let fresh = arrivals.push_back(epi).is_ok();
        debug_assert!(fresh, "an item on another set's list");
        self.arrived.store(true, Ordering::SeqCst);
    }

    /// There is something to say about `epi`. Whether that is news.
    pub(super) fn note(&self, epi: &Arc<Epitem>) -> bool {
        if epi.listed.count() {
            return false;
        }
        let mut arrivals = self.arrivals.lock();
        // Who lists items does so under this lock.
        if epi.listed.count() {
            return false;
        }
        self.arrive(&mut arrivals, epi.clone());
        epi.listed.set();
        true
    }

    /// Puts what arrived behind the ready list.
    #[doc(alias = "ep_start_scan")]
    pub(super) fn take_arrivals(&self, ready: &mut CursorMut<'_, ReadyLink>) {
        if !self.arrived.load(Ordering::SeqCst) {
            return;
        }
        let mut arrivals = self.arrivals.lock();
        // At every moment one of the two says that there is something.
        self.held.store(true, Ordering::SeqCst);
        ready.splice_back(&mut arrivals);
        self.arrived.store(false, Ordering::SeqCst);
    }

    /// The item under the cursor has had its say: off the list, or among the arrivals if something came meanwhile.
    pub(super) fn take_off(&self, ready: &mut CursorMut<'_, ReadyLink>, seen: Moment) {
        let Some(epi) = ready.remove_current() else { return };
        if !epi.listed.clear(seen) {
            self.arrive(&mut self.arrivals.lock(), epi);
        }
    }

    /// Ends a walk over the ready list: first what it did not come to, then what arrived meanwhile, then what it passed.
    #[inline]
    #[doc(alias = "ep_done_scan")]
    pub(super) fn done_scan(&self, mut ready: CursorMut<'_, ReadyLink>) {
        self.take_arrivals(&mut ready);
        let any = !ready.is_empty();
        ready.rotate_to_front();
        if !any {
            self.held.store(false, Ordering::SeqCst);
        } else if self.wq.is_active() {
            // What is left is for the next sleeper.
            self.wq.wake_one(0);
        }
    }

    /// Takes an item off for good; no callback reaches it any more.
    pub(super) fn forget(&self, ready: &mut List<ReadyLink>, epi: &Epitem) {
        if !epi.listed.get() {
            return;
        }
        if ready.remove(epi).is_some() {
            self.held.store(!ready.is_empty(), Ordering::SeqCst);
            return;
        }
        let mut arrivals = self.arrivals.lock();
        let gone = arrivals.remove(epi);
        self.arrived.store(!arrivals.is_empty(), Ordering::SeqCst);
        drop(arrivals);
        drop(gone);
    }
}
