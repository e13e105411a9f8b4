//! Doubly linked list of nodes that carry their own link.
//!
//! Linux: include/linux/list.h (6.12).
//! Differs: the list is not a ring through its head but ends in empty pointers, because the head
//! of a ring must never move and a Rust value may; a linked node is owned by the list (one `Arc`);
//! a link knows its list, so `remove` of a node that is elsewhere is refused, not undefined.
//! Locking: by the caller; whatever changes the list takes `&mut List`.
//!
//! # In Linux
//! `struct list_head { next, prev }` is both head and link. `list_add_tail(&epi->rdllink,
//! &ep->rdllist)` writes four pointers and allocates nothing, so it can be done under a spinlock
//! in an interrupt; `list_del` needs the node only. An unlinked node points to itself.
//!
//! # Here
//! ```text
//!   List { first, last, identity: 7 }
//!           |      \____________________________.
//!           v                                    v
//!   .-- Epitem --.        .-- Epitem --.        .-- Epitem --.
//!   |  next ----------->  |  next ----------->  |  next: none |
//!   |  prev: none |  <----------- prev |  <----------- prev   |
//!   |  owner: 7   |       |  owner: 7  |        |  owner: 7   |
//! ```
//! Linking allocates nothing either: the list keeps the `Arc` it is given as a raw pointer. The
//! owner word is the price of safety: moving nodes between two lists one by one or by
//! [`List::splice_back`] rewrites it per node. Taking a whole list (`core::mem::take`) and
//! splicing into an empty one are O(1), which are the cases that epoll and the work queues have.

mod cursor;
#[cfg(test)]
mod tests;

pub use cursor::{CursorMut, Iter};

use crate::link::{Adapter, AdapterExt, AlreadyLinked, Identity, Linkable, Node, Owner, Slot};
use alloc::sync::Arc;
use core::marker::PhantomData;

/// The field that makes a structure linkable on a [`List`].
#[doc(alias = "list_head")]
pub struct ListLink {
    next: Slot<ListLink>,
    prev: Slot<ListLink>,
    owner: Owner,
}

// SAFETY: the slots are touched only by who borrows the list that owns the link (mutably to
// write), or has claimed the owner word; the owner word is atomic.
unsafe impl Send for ListLink {}
// SAFETY: as above; `&ListLink` alone gives no access to the slots.
unsafe impl Sync for ListLink {}

impl ListLink {
    /// A link that is on no list.
    #[doc(alias = "INIT_LIST_HEAD")]
    pub const fn new() -> Self {
        Self { next: Slot::new(), prev: Slot::new(), owner: Owner::new() }
    }

    /// Whether the link is on a list now. Somebody else's list may change that at any time; the
    /// answer is firm only under the lock of the lists it can be on.
    pub fn is_linked(&self) -> bool {
        self.owner.is_linked()
    }
}

impl Default for ListLink {
    fn default() -> Self {
        Self::new()
    }
}

impl Linkable for ListLink {
    fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl<'t> Node<'t, ListLink> {
    fn next(self) -> Option<Self> {
        // SAFETY: self is linked in a list that is borrowed for 't.
        unsafe { self.link().next.get() }
    }

    fn prev(self) -> Option<Self> {
        // SAFETY: self is linked in a list that is borrowed for 't.
        unsafe { self.link().prev.get() }
    }
}

/// Both ends of a list, and the pointer work; it knows nothing of the nodes around the links.
struct Ends {
    first: Slot<ListLink>,
    last: Slot<ListLink>,
}

impl Ends {
    const fn new() -> Self {
        Self { first: Slot::new(), last: Slot::new() }
    }

    fn first(&self) -> Option<Node<'_, ListLink>> {
        // SAFETY: the slot is the head of the list that is borrowed with self.
        unsafe { self.first.get() }
    }

    fn last(&self) -> Option<Node<'_, ListLink>> {
        // SAFETY: the slot is the head of the list that is borrowed with self.
        unsafe { self.last.get() }
    }

    /// Makes two nodes neighbours; nothing on one side stands for the end of the list.
    fn join(&self, prev: Option<Node<'_, ListLink>>, next: Option<Node<'_, ListLink>>) {
        prev.map_or(&self.first, |node| &node.link().next).set(next);
        next.map_or(&self.last, |node| &node.link().prev).set(prev);
    }

    #[doc(alias = "__list_del")]
    fn detach(&self, node: Node<'_, ListLink>) {
        self.join(node.prev(), node.next());
        node.next.set(None);
        node.prev.set(None);
    }

    /// The handle of a node of this list, taken from its neighbour's slot: only that pointer
    /// reaches the whole node (see the module `link`).
    ///
    /// # Safety
    /// The link is linked in this list.
    unsafe fn handle_of(&self, link: &ListLink) -> Option<Node<'_, ListLink>> {
        // SAFETY: linked here by the caller's word, and the list is borrowed with self.
        let prev = unsafe { link.prev.get() };
        prev.map_or_else(|| self.first(), Node::next)
    }
}

/// A list of `Arc<A::Value>`, linked through the field that `A` names.
///
/// # Invariants
/// Every node reachable from `ends` has this list's identity in its owner word and holds one
/// reference that belongs to the list; no other node has that identity.
#[doc(alias = "list_head")]
pub struct List<A: Adapter<Link = ListLink>> {
    ends: Ends,
    identity: Identity,
    owns: PhantomData<Arc<A::Value>>,
}

// SAFETY: a list is a set of `Arc`s; `&List` gives `&Value` and clones of the `Arc`s, and never
// writes a slot.
unsafe impl<A: Adapter<Link = ListLink>> Send for List<A> where A::Value: Send + Sync {}
// SAFETY: as above.
unsafe impl<A: Adapter<Link = ListLink>> Sync for List<A> where A::Value: Send + Sync {}

impl<A: Adapter<Link = ListLink>> List<A> {
    /// An empty list.
    #[doc(alias = "LIST_HEAD")]
    pub const fn new() -> Self {
        Self { ends: Ends::new(), identity: Identity::new(), owns: PhantomData }
    }

    /// Whether nothing is linked here.
    #[doc(alias = "list_empty")]
    pub fn is_empty(&self) -> bool {
        self.ends.first.is_empty()
    }

    /// Whether this node is on this list.
    pub fn contains(&self, node: &A::Value) -> bool {
        A::link(node).owner.is(&self.identity)
    }

    /// The first node.
    #[doc(alias = "list_first_entry")]
    pub fn front(&self) -> Option<&A::Value> {
        self.iter().next()
    }

    /// The last node.
    #[doc(alias = "list_last_entry")]
    pub fn back(&self) -> Option<&A::Value> {
        self.iter().next_back()
    }

    /// Links a node at the tail.
    ///
    /// # Errors
    /// [`AlreadyLinked`] if its link is on a list, this or another; nothing is changed then.
    #[doc(alias = "list_add_tail")]
    pub fn push_back(&mut self, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.identity.own::<A>(node) }?;
        let last = self.ends.last();
        self.ends.join(last, Some(node));
        self.ends.join(Some(node), None);
        Ok(())
    }

    /// Links a node at the head.
    ///
    /// # Errors
    /// [`AlreadyLinked`] as for [`push_back`](Self::push_back).
    #[doc(alias = "list_add")]
    pub fn push_front(&mut self, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.identity.own::<A>(node) }?;
        let first = self.ends.first();
        self.ends.join(Some(node), first);
        self.ends.join(None, Some(node));
        Ok(())
    }

    /// Unlinks the first node.
    pub fn pop_front(&mut self) -> Option<Arc<A::Value>> {
        let node = self.ends.first()?;
        Some(self.unlink(node))
    }

    /// Unlinks the last node.
    pub fn pop_back(&mut self) -> Option<Arc<A::Value>> {
        let node = self.ends.last()?;
        Some(self.unlink(node))
    }

    /// Unlinks a node in O(1) and gives the list's reference back; `None` if it is not on this list.
    #[doc(alias = "list_del_init")]
    pub fn remove(&mut self, node: &A::Value) -> Option<Arc<A::Value>> {
        let node = self.handle_of(node)?;
        Some(self.unlink(node))
    }

    /// A reference of the caller's own to a node of this list; `None` if it is not on this list.
    pub fn arc(&self, node: &A::Value) -> Option<Arc<A::Value>> {
        let node = self.handle_of(node)?;
        // SAFETY: the node is linked here, so its pointer came from into_link and the list still
        // has that reference.
        Some(unsafe { A::clone_link(node.as_ptr()) })
    }

    /// Moves a node of this list to the tail. False if it is not on this list.
    #[doc(alias = "list_move_tail")]
    pub fn move_to_back(&mut self, node: &A::Value) -> bool {
        let Some(node) = self.handle_of(node) else {
            return false;
        };
        self.ends.detach(node);
        self.ends.join(self.ends.last(), Some(node));
        self.ends.join(Some(node), None);
        true
    }

    /// Moves every node of `other` behind the nodes of this list.
    ///
    /// O(1) when this list is empty, otherwise linear in `other` (each owner word is rewritten).
    #[doc(alias = "list_splice_tail_init")]
    pub fn splice_back(&mut self, other: &mut Self) {
        if self.is_empty() {
            return core::mem::swap(self, other);
        }
        other.hand_over(&mut self.identity);
        let moved = core::mem::replace(&mut other.ends, Ends::new());
        if let (Some(first), Some(last)) = (moved.first(), moved.last()) {
            self.ends.join(self.ends.last(), Some(first));
            self.ends.last.set(Some(last));
        }
    }

    /// Moves every node of `other` before the nodes of this list; cost as
    /// [`splice_back`](Self::splice_back).
    #[doc(alias = "list_splice_init")]
    pub fn splice_front(&mut self, other: &mut Self) {
        if self.is_empty() {
            return core::mem::swap(self, other);
        }
        other.hand_over(&mut self.identity);
        let moved = core::mem::replace(&mut other.ends, Ends::new());
        if let (Some(first), Some(last)) = (moved.first(), moved.last()) {
            self.ends.join(Some(last), self.ends.first());
            self.ends.first.set(Some(first));
        }
    }

    /// Unlinks every node that `keep` says no to, in order.
    #[doc(alias = "list_for_each_entry_safe")]
    pub fn retain(&mut self, mut keep: impl FnMut(&A::Value) -> bool) {
        let mut cursor = self.cursor_front_mut();
        while let Some(node) = cursor.current() {
            if keep(node) {
                cursor.move_next();
            } else {
                cursor.remove_current();
            }
        }
    }

    /// Unlinks everything, front to back.
    pub fn clear(&mut self) {
        while self.pop_front().is_some() {}
    }

    fn handle_of(&self, node: &A::Value) -> Option<Node<'_, ListLink>> {
        if !self.contains(node) {
            return None;
        }
        // SAFETY: the owner word says that it is linked in this list.
        unsafe { self.ends.handle_of(A::link(node)) }
    }

    /// Takes a node of this list out and gives the list's reference to it back. The shared borrow
    /// lets the handle in; the callers hold the list mutably.
    fn unlink(&self, node: Node<'_, ListLink>) -> Arc<A::Value> {
        self.ends.detach(node);
        // INVARIANT: no longer reachable from `ends`, so no longer ours.
        node.owner.release();
        // SAFETY: the pointer came from into_link when the node was linked, and the list gives
        // that reference up here, once.
        unsafe { A::from_link(node.as_ptr()) }
    }

    /// Writes another list's name into every node; the caller moves them there.
    fn hand_over(&mut self, to: &mut Identity) {
        let mut next = self.ends.first();
        while let Some(node) = next {
            node.owner.transfer(to);
            next = node.next();
        }
    }
}

impl<A: Adapter<Link = ListLink>> Default for List<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Adapter<Link = ListLink>> Drop for List<A> {
    fn drop(&mut self) {
        self.clear();
    }
}
