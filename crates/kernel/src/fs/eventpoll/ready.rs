//! What is ready: the list that callbacks fill, and the one beside it while a scan runs.
//!
//! Mirrors: fs/eventpoll.c (`rdllist`, `ovflist`, `ep_start_scan`, `ep_done_scan`), Linux 6.18.
//! Differs: the overflow list is an array in order of arrival, allocated only when an event meets a scan.
//! Locking: all under the set's `ready`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_klib::list::List;

use super::item::{Epitem, ReadyLink};

/// Items whose files may have events.
#[derive(Default)]
pub struct Ready {
    rdllist: List<ReadyLink>,
    /// `Some` while a scan runs.
    ovflist: Option<Vec<Arc<Epitem>>>,
}

impl Ready {
    /// There is something to say about `epi`.
    pub fn note(&mut self, epi: &Arc<Epitem>) {
        match &mut self.ovflist {
            Some(overflow) if !epi.overflowed.swap(true, Ordering::Relaxed) => overflow.push(epi.clone()),
            None if !epi.is_ready() => self.append(epi.clone()),
            _ => {}
        }
    }

    fn append(&mut self, epi: Arc<Epitem>) {
        let fresh = self.rdllist.push_back(epi).is_ok();
        debug_assert!(fresh, "an item on another set's list");
    }

    /// Takes an item off for good. Whether there is any left.
    pub fn forget(&mut self, epi: &Epitem) -> bool {
        let gone = self.rdllist.remove(epi);
        drop(gone);
        !self.rdllist.is_empty()
    }

    /// Begins a scan: gives the list away; what comes meanwhile overflows.
    ///
    /// A scan that never ended (its thread was killed from outside) is taken over: its overflow stays.
    #[doc(alias = "ep_start_scan")]
    pub fn start_scan(&mut self, txlist: &mut List<ReadyLink>) {
        txlist.splice_back(&mut self.rdllist);
        self.ovflist.get_or_insert_default();
    }

    /// Ends a scan: what it left over comes first, then what overflowed, then what it put back. Whether there is any.
    #[doc(alias = "ep_done_scan")]
    pub fn done_scan(&mut self, txlist: &mut List<ReadyLink>, put_back: &mut List<ReadyLink>) -> bool {
        debug_assert!(self.rdllist.is_empty(), "a callback must not touch the list during a scan");
        core::mem::swap(&mut self.rdllist, txlist);
        for epi in self.ovflist.take().unwrap_or_default() {
            epi.overflowed.store(false, Ordering::Relaxed);
            if !epi.is_ready() {
                self.append(epi);
            }
        }
        self.rdllist.splice_back(put_back);
        !self.rdllist.is_empty()
    }
}
