//! Which unused dentries of the host stay cached.
//!
//! Mirrors: fs/dcache.c (`dentry_lru`), Linux 6.18.
//! Differs: a clock of fixed size; a dentry that was used since the hand passed it gets another round.
//! Locking: none of its own; `HostFs::kept` is held, and what leaves is dropped after it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::fs::dcache::Dentry;

/// Directories and symbolic links kept; each directory may hold one host descriptor.
const MAX_KEPT: usize = 1024;
/// Entries the hand passes before it takes one that is in use.
const MAX_SECOND_CHANCES: usize = 32;

/// References that keep dentries alive.
#[derive(Default)]
pub struct Kept {
    ring: Vec<Arc<Dentry>>,
    hand: usize,
}

impl Kept {
    /// Keeps `dentry`; gives what has to go, for the caller to drop without locks.
    #[must_use]
    pub fn keep(&mut self, dentry: Arc<Dentry>) -> Option<Arc<Dentry>> {
        if self.ring.len() < MAX_KEPT {
            self.ring.push(dentry);
            return None;
        }
        for _ in 0..MAX_SECOND_CHANCES {
            if !self.ring[self.hand].take_referenced() {
                break;
            }
            self.hand = (self.hand + 1) % MAX_KEPT;
        }
        let old = core::mem::replace(&mut self.ring[self.hand], dentry);
        self.hand = (self.hand + 1) % MAX_KEPT;
        Some(old)
    }

    /// Gives up a dentry that lost its name; the caller drops it without locks.
    #[must_use]
    pub fn forget(&mut self, dentry: &Dentry) -> Option<Arc<Dentry>> {
        let index = self.ring.iter().position(|kept| core::ptr::eq(Arc::as_ptr(kept), dentry))?;
        let old = self.ring.swap_remove(index);
        if self.hand >= self.ring.len() {
            self.hand = 0;
        }
        Some(old)
    }
}
