//! Hash table of chains from which a node can be unlinked without its chain's head.
//!
//! Linux: `hlist_head`, `hlist_node` in include/linux/list.h, include/linux/hashtable.h (6.12).
//! Differs: the heads are one table that owns the nodes, since a lone head could not be moved
//! while a node points at it; the caller still computes the hash.
//! Locking: by the caller, one lock for the table; whatever changes it takes `&mut HlistTable`.
//! For a lock per bucket, and readers without one, see `nulls`.
//!
//! # In Linux
//! A head is one pointer instead of two, which halves a large table. The link's second word,
//! `pprev`, points not at the previous node but at the pointer that points here, be it in a node
//! or in the head. So `hlist_del` writes through `pprev` and needs to know neither the chain nor
//! the hash: what is found by another way (a socket being closed) leaves the table in O(1).
//!
//! # Here
//! ```text
//!   table         ┌─ Sock ───────┐      ┌─ Sock ───────┐
//!   ┌──────┐ ───► │ next         │ ───► │ next: none   │
//!   │ head │      │              │      │              │
//!   └──────┘ ◄─── │ slot (pprev) │   ┌─ │ slot (pprev) │
//!                 └─ ▲ next ─────┘   │  └──────────────┘
//!                    └───────────────┘
//! ```
//!
//! ```
//! use acrida_klib::{adapter, hlist::{HlistLink, HlistTable}};
//! use std::sync::Arc;
//!
//! struct Sock { name: &'static str, chain: HlistLink }
//! adapter!(ByName = Sock { chain: HlistLink });
//! fn hash(name: &str) -> usize { name.len() }
//!
//! let mut bound: HlistTable<ByName> = HlistTable::new(16);
//! let sock = Arc::new(Sock { name: "dbus", chain: HlistLink::new() });
//! bound.add(hash(sock.name), sock.clone()).unwrap();
//! assert!(bound.chain(hash("dbus")).any(|sock| sock.name == "dbus"));
//! assert!(bound.remove(&sock).is_some()); // no hash needed
//! ```

#[cfg(test)]
mod tests;

use crate::link::{Adapter, AdapterExt, AlreadyLinked, Identity, Linkable, Node, Owner, Slot};
use alloc::sync::Arc;
use core::cell::Cell;
use core::marker::PhantomData;

/// The field that makes a structure linkable in an [`HlistTable`].
#[doc(alias = "hlist_node")]
pub struct HlistLink {
    next: Slot<HlistLink>,
    /// While linked: the slot that points to this link.
    #[doc(alias = "pprev")]
    slot: Cell<*const Slot<HlistLink>>,
    owner: Owner,
}

// SAFETY: the pointers are touched only by who borrows the table that owns the link (mutably to
// write), or has claimed the owner word; the owner word is atomic.
unsafe impl Send for HlistLink {}
// SAFETY: as above; `&HlistLink` alone gives no access to the pointers.
unsafe impl Sync for HlistLink {}

impl HlistLink {
    /// A link that is in no table.
    #[doc(alias = "INIT_HLIST_NODE")]
    pub const fn new() -> Self {
        Self { next: Slot::new(), slot: Cell::new(core::ptr::null()), owner: Owner::new() }
    }

    /// Whether the link is in a table now. Firm only under the lock of the tables it can be in.
    #[doc(alias = "hlist_unhashed")]
    pub fn is_linked(&self) -> bool {
        self.owner.is_linked()
    }
}

impl Default for HlistLink {
    fn default() -> Self {
        Self::new()
    }
}

impl Linkable for HlistLink {
    fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl<'t> Node<'t, HlistLink> {
    fn next(self) -> Option<Self> {
        // SAFETY: self is linked in a table that is borrowed for 't.
        unsafe { self.link().next.get() }
    }

    /// Puts the node into a slot, before what the slot points to.
    fn enter(self, slot: &Slot<HlistLink>) {
        // SAFETY: the slot is a table's head, and the table is borrowed with the node.
        let next: Option<Self> = unsafe { slot.get() };
        self.link().next.set(next);
        if let Some(next) = next {
            next.link().slot.set(&raw const self.link().next);
        }
        slot.set(Some(self));
        self.link().slot.set(slot);
    }

    #[doc(alias = "__hlist_del")]
    fn leave(self) {
        let next = self.next();
        // SAFETY: while a node is linked the pointer leads to a head of its table or to the link
        // before it, both alive while the table is borrowed for 't.
        let slot = unsafe { &*self.link().slot.get() };
        slot.set(next);
        if let Some(next) = next {
            next.link().slot.set(slot);
        }
        self.link().next.set(None);
        self.link().slot.set(core::ptr::null());
    }
}

/// Chains of `Arc<A::Value>`, linked through the field that `A` names.
///
/// # Invariants
/// Every node reachable from a head has this table's identity in its owner word, holds one
/// reference that belongs to the table, and its `slot` points to the one slot that points to it.
/// No other node has that identity.
#[doc(alias = "hlist_head")]
#[doc(alias = "DECLARE_HASHTABLE")]
pub struct HlistTable<A: Adapter<Link = HlistLink>> {
    /// An Arc, though never shared: a Box claims to be the only way to its contents when it is
    /// moved, and the first node of each chain points in here.
    heads: Arc<[Slot<HlistLink>]>,
    identity: Identity,
    owns: PhantomData<Arc<A::Value>>,
}

// SAFETY: a table is a set of `Arc`s; `&HlistTable` gives `&Value` and clones of the `Arc`s, and
// never writes a slot.
unsafe impl<A: Adapter<Link = HlistLink>> Send for HlistTable<A> where A::Value: Send + Sync {}
// SAFETY: as above.
unsafe impl<A: Adapter<Link = HlistLink>> Sync for HlistTable<A> where A::Value: Send + Sync {}

impl<A: Adapter<Link = HlistLink>> HlistTable<A> {
    /// A table of that many chains, rounded up to a power of two.
    #[doc(alias = "hash_init")]
    pub fn new(chains: usize) -> Self {
        let heads = (0..chains.next_power_of_two()).map(|_| Slot::new()).collect();
        Self { heads, identity: Identity::new(), owns: PhantomData }
    }

    /// How many chains there are.
    #[doc(alias = "HASH_SIZE")]
    pub fn chains(&self) -> usize {
        self.heads.len()
    }

    /// Whether nothing is linked here. Linear in the number of chains.
    #[doc(alias = "hash_empty")]
    pub fn is_empty(&self) -> bool {
        self.heads.iter().all(Slot::is_empty)
    }

    /// Whether this node is in this table.
    pub fn contains(&self, node: &A::Value) -> bool {
        A::link(node).owner.is(&self.identity)
    }

    /// Links a node at the head of the chain that the low bits of `hash` name.
    ///
    /// # Errors
    /// [`AlreadyLinked`] if its link is in a table, this or another; nothing is changed then.
    #[doc(alias = "hlist_add_head")]
    #[doc(alias = "hash_add")]
    pub fn add(&mut self, hash: usize, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.identity.own::<A>(node) }?;
        node.enter(self.head(hash));
        Ok(())
    }

    /// Unlinks a node in O(1), whatever chain it is on, and gives the table's reference back;
    /// `None` if it is not in this table.
    #[doc(alias = "hlist_del_init")]
    #[doc(alias = "hash_del")]
    pub fn remove(&mut self, node: &A::Value) -> Option<Arc<A::Value>> {
        let node = self.handle_of(node)?;
        Some(self.unlink(node))
    }

    /// A reference of the caller's own to a node of this table; `None` if it is not in this table.
    pub fn arc(&self, node: &A::Value) -> Option<Arc<A::Value>> {
        let node = self.handle_of(node)?;
        // SAFETY: the node is linked here, so its pointer came from into_link and the table still
        // has that reference.
        Some(unsafe { A::clone_link(node.as_ptr()) })
    }

    /// The nodes of one chain, last added first.
    #[doc(alias = "hlist_for_each_entry")]
    #[doc(alias = "hash_for_each_possible")]
    pub fn chain(&self, hash: usize) -> impl Iterator<Item = &A::Value> {
        // SAFETY: the head of a table that is borrowed for as long as the iterator.
        let first: Option<Node<'_, HlistLink>> = unsafe { self.head(hash).get() };
        core::iter::successors(first, |node| node.next()).map(|node| {
            // SAFETY: the handles come from slots, which hold pointers of into_link.
            unsafe { A::value(node) }
        })
    }

    /// All nodes, chain by chain.
    #[doc(alias = "hash_for_each")]
    pub fn iter(&self) -> impl Iterator<Item = &A::Value> {
        (0..self.chains()).flat_map(|hash| self.chain(hash))
    }

    fn head(&self, hash: usize) -> &Slot<HlistLink> {
        &self.heads[hash & (self.chains() - 1)]
    }

    /// The handle of a node of this table, taken from the slot that points to it: only that
    /// pointer reaches the whole node (see the module `link`).
    fn handle_of(&self, node: &A::Value) -> Option<Node<'_, HlistLink>> {
        if !self.contains(node) {
            return None;
        }
        // SAFETY: the owner word says that it is linked here, so `slot` leads to a head of this
        // table or to another of its nodes, which are alive while it is borrowed.
        let slot = unsafe { &*A::link(node).slot.get() };
        // SAFETY: a slot of this table, which self borrows.
        unsafe { slot.get() }
    }

    /// Takes a node of this table out and gives the table's reference to it back. The shared
    /// borrow lets the handle in; the callers hold the table mutably.
    fn unlink(&self, node: Node<'_, HlistLink>) -> Arc<A::Value> {
        node.leave();
        // INVARIANT: no longer reachable from a head, so no longer ours.
        node.owner.release();
        // SAFETY: the pointer came from into_link when the node was linked, and the table gives
        // that reference up here, once.
        unsafe { A::from_link(node.as_ptr()) }
    }
}

impl<A: Adapter<Link = HlistLink>> Drop for HlistTable<A> {
    fn drop(&mut self) {
        for head in self.heads.iter() {
            // SAFETY: a head of this table, which self borrows; a new handle for every node.
            while let Some(node) = unsafe { head.get() } {
                drop(self.unlink(node));
            }
        }
    }
}
