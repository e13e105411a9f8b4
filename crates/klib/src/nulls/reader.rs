//! Looking up in a nulls table.
//!
//! Linux: `__inet_lookup_established` in net/ipv4/inet_hashtables.c is the pattern (6.12).
//! Differs: no comparison after the reference is taken, since a node is not used for something
//! else before the read-side section ends.
//! Locking and memory order: see the module above.

use super::{Next, NullsLink, NullsTable, Reclaim};
use crate::link::{Adapter, AdapterExt, Node};
use crate::primitive::Ordering::Acquire;
use alloc::sync::Arc;

/// A read-side section: what it finds stays alive until it is dropped.
#[must_use]
pub struct NullsReader<'t, A: Adapter<Link = NullsLink>, R: Reclaim + 't> {
    table: &'t NullsTable<A, R>,
    _guard: R::Guard<'t>,
}

impl<'t, A: Adapter<Link = NullsLink>, R: Reclaim> NullsReader<'t, A, R> {
    pub(super) fn new(table: &'t NullsTable<A, R>) -> Self {
        Self { table, _guard: table.reclaim.enter() }
    }

    /// The first node of the chain of `hash` that `matches`. It was in the table at some time
    /// during the call; a node that was there all the time is not missed.
    #[doc(alias = "hlist_nulls_for_each_entry_rcu")]
    pub fn lookup(&self, hash: usize, matches: impl FnMut(&A::Value) -> bool) -> Option<&A::Value> {
        let node = self.find(hash, matches)?;
        // SAFETY: found in a chain, so the pointer is one of into_link.
        Some(unsafe { A::value(node) })
    }

    /// As [`lookup`](Self::lookup), with a reference of the caller's own.
    #[doc(alias = "refcount_inc_not_zero")]
    pub fn lookup_arc(&self, hash: usize, matches: impl FnMut(&A::Value) -> bool) -> Option<Arc<A::Value>> {
        let node = self.find(hash, matches)?;
        // SAFETY: the pointer is one of into_link, and the table's reference is at most retired,
        // not dropped, while the section lasts.
        Some(unsafe { A::clone_link(node.as_ptr()) })
    }

    fn find(&self, hash: usize, mut matches: impl FnMut(&A::Value) -> bool) -> Option<Node<'_, NullsLink>> {
        let chain = self.table.chain_of(hash);
        let head = &self.table.heads[chain];
        'again: loop {
            let mut next = head.load(Acquire);
            loop {
                let link = match Next::decode(next) {
                    Next::Node(link) => link,
                    Next::End(end) if end == chain => return None,
                    Next::End(_) => continue 'again,
                };
                // SAFETY: whatever is reached from a head in the section was linked in this table
                // in the section, so its reference is not dropped before the section ends.
                let node = unsafe { Node::new(link) };
                // SAFETY: found in a chain, so the pointer is one of into_link.
                if matches(unsafe { A::value(node) }) {
                    return Some(node);
                }
                next = node.next.load(Acquire);
            }
        }
    }
}
