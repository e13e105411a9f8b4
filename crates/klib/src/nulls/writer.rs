//! Changing the chains of a nulls table.
//!
//! Linux: `hlist_nulls_add_head_rcu`, `hlist_nulls_del_init_rcu` in include/linux/rculist_nulls.h (6.12).
//! Differs: a removal retires the table's reference itself.
//! Locking: a writer is changed through `&mut`; the caller keeps it in the lock of its chains.
//! Memory order: see the module above.

use super::{Next, NullsLink, NullsTable, Reclaim};
use crate::link::{Adapter, AdapterExt, AlreadyLinked, Identity, Node};
use crate::primitive::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};
use alloc::sync::Arc;
use core::ptr::NonNull;

/// The only one that changes the chains `first`, `first + step`, `first + 2 * step` and so on.
///
/// # Invariants
/// The nodes on its chains, and only those, have its identity in their owner word.
///
/// When a writer is dropped its nodes stay, for readers may be walking them, until the table is.
pub struct NullsWriter<A: Adapter<Link = NullsLink>, R: Reclaim> {
    table: Arc<NullsTable<A, R>>,
    first: usize,
    step: usize,
    identity: Identity,
}

impl<A: Adapter<Link = NullsLink>, R: Reclaim> NullsWriter<A, R>
where
    A::Value: Send + Sync + 'static,
{
    /// The table, to read it or to know its size.
    pub fn table(&self) -> &Arc<NullsTable<A, R>> {
        &self.table
    }

    /// Whether this node is on one of this writer's chains.
    pub fn contains(&self, node: &A::Value) -> bool {
        A::link(node).owner.is(&self.identity)
    }

    /// Links a node at the head of the chain of `hash`.
    ///
    /// # Errors
    /// [`AlreadyLinked`] if its link is in a table, or has ever been in another one (a reader of
    /// that one might still stand on it and be led into this one).
    ///
    /// # Panics
    /// If the chain is another writer's.
    #[doc(alias = "hlist_nulls_add_head_rcu")]
    pub fn add(&mut self, hash: usize, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        let chain = self.table.chain_of(hash);
        assert!(chain % self.step == self.first, "chain {chain} is another writer's");
        if !self.settle(A::link(&node)) {
            return Err(AlreadyLinked(node));
        }
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.identity.own::<A>(node) }?;
        let head = &self.table.heads[chain];
        let first = head.load(Relaxed);
        // A reader may stand on the node from its last chain: this too publishes `first` to it.
        node.next.store(first, Release);
        node.slot.set(head);
        if let Next::Node(first) = Next::decode(first) {
            self.node(first).slot.set(&raw const node.link().next);
        }
        head.store(node.as_ptr().as_ptr(), Release);
        Ok(())
    }

    /// Unlinks a node; the table's reference to it is dropped after a grace period. False if it is
    /// not on one of this writer's chains.
    #[doc(alias = "hlist_nulls_del_init_rcu")]
    pub fn remove(&mut self, node: &A::Value) -> bool {
        if !self.contains(node) {
            return false;
        }
        let slot = A::link(node).slot.get();
        // SAFETY: linked on a chain of ours, so `slot` leads to a head of the table or to the link
        // before, and nobody else can take that out.
        let link = unsafe { &*slot }.load(Relaxed);
        if let Next::Node(link) = Next::decode(link) {
            self.table.reclaim.retire(self.unlink(link));
        }
        true
    }

    /// The nodes on this writer's chains.
    pub fn iter(&self) -> impl Iterator<Item = &A::Value> {
        let chains = (self.first..self.table.chains()).step_by(self.step);
        chains.flat_map(|chain| {
            let first = self.load(&self.table.heads[chain]);
            core::iter::successors(first, |node| self.load(&node.link().next)).map(|node| {
                // SAFETY: found in a chain, so the pointer is one of into_link.
                unsafe { A::value(node) }
            })
        })
    }

    /// Ties a link to this table for good. False if it is tied to another.
    fn settle(&self, link: &NullsLink) -> bool {
        let home = self.table.home;
        match link.home.compare_exchange(0, home, Relaxed, Relaxed) {
            Ok(_) => true,
            Err(other) => other == home,
        }
    }
}

impl<A: Adapter<Link = NullsLink>, R: Reclaim> NullsWriter<A, R> {
    pub(super) fn new(table: &Arc<NullsTable<A, R>>, first: usize, step: usize) -> Self {
        Self { table: table.clone(), first, step, identity: Identity::new() }
    }

    fn node(&self, link: NonNull<NullsLink>) -> Node<'_, NullsLink> {
        // SAFETY: the callers pass what they loaded from a chain of this writer's, which keeps its
        // nodes while the writer is borrowed.
        unsafe { Node::new(link) }
    }

    fn load(&self, from: &AtomicPtr<NullsLink>) -> Option<Node<'_, NullsLink>> {
        match Next::decode(from.load(Acquire)) {
            Next::Node(link) => Some(self.node(link)),
            Next::End(_) => None,
        }
    }

    /// Takes a node of these chains out. Its `next` stays, for the readers that stand on it.
    fn unlink(&self, link: NonNull<NullsLink>) -> Arc<A::Value> {
        let node = self.node(link);
        let next = node.next.load(Relaxed);
        let slot = node.slot.replace(core::ptr::null());
        // SAFETY: the node is linked, so `slot` leads to a head of the table or to the link before.
        unsafe { &*slot }.store(next, Release);
        if let Next::Node(next) = Next::decode(next) {
            self.node(next).slot.set(slot);
        }
        // INVARIANT: not on a chain any more, so no longer ours.
        node.owner.release();
        // SAFETY: the pointer came from into_link when the node was linked, and the table gives
        // that reference up here, once.
        unsafe { A::from_link(link) }
    }
}
