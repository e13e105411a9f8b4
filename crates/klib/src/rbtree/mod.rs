//! Red-black tree of nodes that carry their own link.
//!
//! Linux: include/linux/rbtree.h, lib/rbtree.c, `struct rb_root_cached` (6.12).
//! Differs: the descent is a function of the caller's that answers left, right or here, so that
//! a place can only be used for what was found there; every tree caches its leftmost node; the
//! tree owns one `Arc` per linked node and refuses nodes that are elsewhere.
//! Locking: by the caller; whatever changes the tree takes `&mut RbTree`.
//!
//! # In Linux
//! The tree knows no keys. The caller walks down itself, comparing as it likes, until it stands
//! before an empty child pointer; `rb_link_node` hangs the new node there and `rb_insert_color`
//! repairs the colours. So there is no indirect call per comparison, the node can be keyed by
//! whatever the lock protects, and nothing is allocated: eventpoll keys by (file, fd), timers by
//! expiry, memory areas by address, with the same hundred lines of repair.
//!
//! # Here
//! The same in three words: [`descend`](RbTree::descend) walks, and [`Place`] is where it ended.
//!
//! ```
//! use acrida_klib::{adapter, rbtree::{Place, RbLink, RbTree}};
//! use std::sync::Arc;
//!
//! struct Epitem { key: (u64, i32), rbn: RbLink }
//! adapter!(ByKey = Epitem { rbn: RbLink });
//!
//! let mut tree: RbTree<ByKey> = RbTree::new();
//! for fd in [5, 3, 4] {
//!     let key = (0xf11e, fd);
//!     match tree.descend(|epi| key.cmp(&epi.key)) {
//!         Place::Vacant(place) => place.insert(Arc::new(Epitem { key, rbn: RbLink::new() })).unwrap(),
//!         Place::Occupied(_) => panic!("EEXIST"),
//!     }
//! }
//! assert_eq!(tree.first().unwrap().key.1, 3);
//! assert!(tree.find(|epi| (0xf11e, 4).cmp(&epi.key)).is_some());
//! ```
//!
//! ```text
//!      root ──► (4 black) ◄────────── parent word: address of the parent | colour in bit 0
//!               /       \
//!        (3 red)         (5 red)      leftmost ──► 3
//! ```

mod iter;
mod node;
mod place;
mod rebalance;
#[cfg(test)]
mod tests;

pub use iter::Iter;
pub use node::RbLink;
pub use place::{Occupied, Place, Vacant};

use crate::link::{Adapter, AdapterExt, AlreadyLinked, Identity, Linkable, Node, Slot};
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::marker::PhantomData;
use node::Side;

/// The head of a tree, and the pointer work that needs it.
struct Root {
    top: Slot<RbLink>,
    leftmost: Slot<RbLink>,
}

impl Root {
    const fn new() -> Self {
        Self { top: Slot::new(), leftmost: Slot::new() }
    }

    fn top(&self) -> Option<Node<'_, RbLink>> {
        // SAFETY: the slot is the head of the tree that is borrowed with self.
        unsafe { self.top.get() }
    }

    fn leftmost(&self) -> Option<Node<'_, RbLink>> {
        // SAFETY: the slot is the head of the tree that is borrowed with self.
        unsafe { self.leftmost.get() }
    }

    fn rightmost(&self) -> Option<Node<'_, RbLink>> {
        self.top().map(|top| top.outermost(Side::Right))
    }

    /// Hangs another subtree, or nothing, where `old` hangs. `old` keeps its own pointers.
    #[doc(alias = "__rb_change_child")]
    fn replace(&self, old: Node<'_, RbLink>, new: Option<Node<'_, RbLink>>) {
        let parent = old.parent();
        match parent {
            Some(parent) => parent.slot(parent.side_of(old)).set(new),
            None => self.top.set(new),
        }
        if let Some(new) = new {
            new.set_parent(parent);
        }
    }

    /// Takes a node out; says how many rotations the repair took.
    fn erase(&self, node: Node<'_, RbLink>) -> u32 {
        if self.leftmost() == Some(node) {
            self.leftmost.set(node.neighbour(Side::Right));
        }
        let rotations = rebalance::erase(self, node);
        node.forget_neighbours();
        rotations
    }

    /// The handle of a linked node, taken from the slot it hangs in: only that pointer reaches
    /// the whole node (see the module `link`).
    fn canonical<'t>(&'t self, node: Node<'t, RbLink>) -> Option<Node<'t, RbLink>> {
        match node.parent() {
            Some(parent) => parent.child(parent.side_of(node)),
            None => self.top(),
        }
    }
}

/// A tree of `Arc<A::Value>`, linked through the field that `A` names, in the order that the
/// descents of the caller give it.
///
/// # Invariants
/// Every node reachable from `root.top` has this tree's identity in its owner word and holds one
/// reference that belongs to the tree; no other node has that identity. `root.leftmost` is the
/// first of them. The colours follow the rules in `rebalance`.
#[doc(alias = "rb_root")]
#[doc(alias = "rb_root_cached")]
pub struct RbTree<A: Adapter<Link = RbLink>> {
    root: Root,
    identity: Identity,
    owns: PhantomData<Arc<A::Value>>,
}

// SAFETY: a tree is a set of `Arc`s; `&RbTree` gives `&Value` and clones of the `Arc`s, and
// never writes a slot.
unsafe impl<A: Adapter<Link = RbLink>> Send for RbTree<A> where A::Value: Send + Sync {}
// SAFETY: as above.
unsafe impl<A: Adapter<Link = RbLink>> Sync for RbTree<A> where A::Value: Send + Sync {}

impl<A: Adapter<Link = RbLink>> RbTree<A> {
    /// An empty tree.
    #[doc(alias = "RB_ROOT")]
    pub const fn new() -> Self {
        Self { root: Root::new(), identity: Identity::new(), owns: PhantomData }
    }

    /// Whether nothing is linked here.
    #[doc(alias = "RB_EMPTY_ROOT")]
    pub fn is_empty(&self) -> bool {
        self.root.top.is_empty()
    }

    /// Whether this node is in this tree.
    pub fn contains(&self, node: &A::Value) -> bool {
        A::link(node).owner().is(&self.identity)
    }

    /// The leftmost node, in O(1).
    #[doc(alias = "rb_first_cached")]
    pub fn first(&self) -> Option<&A::Value> {
        self.root.leftmost().map(|node| self.value(node))
    }

    /// The rightmost node.
    #[doc(alias = "rb_last")]
    pub fn last(&self) -> Option<&A::Value> {
        self.root.rightmost().map(|node| self.value(node))
    }

    /// The node behind one of this tree; `None` also if that is not in this tree.
    #[doc(alias = "rb_next")]
    pub fn next(&self, node: &A::Value) -> Option<&A::Value> {
        self.handle_of(node)?.neighbour(Side::Right).map(|node| self.value(node))
    }

    /// The node before one of this tree; `None` also if that is not in this tree.
    #[doc(alias = "rb_prev")]
    pub fn prev(&self, node: &A::Value) -> Option<&A::Value> {
        self.handle_of(node)?.neighbour(Side::Left).map(|node| self.value(node))
    }

    /// Looks a node up. `go` says where the wanted key lies from a node: `key.cmp(&node.key)`.
    #[doc(alias = "rb_find")]
    pub fn find(&self, mut go: impl FnMut(&A::Value) -> Ordering) -> Option<&A::Value> {
        let mut next = self.root.top();
        while let Some(node) = next {
            next = match go(self.value(node)) {
                Ordering::Less => node.child(Side::Left),
                Ordering::Greater => node.child(Side::Right),
                Ordering::Equal => return Some(self.value(node)),
            };
        }
        None
    }

    /// The first node that `reached` says yes to; it must go on saying yes for all behind that.
    #[doc(alias = "find_vma")]
    pub fn first_where(&self, mut reached: impl FnMut(&A::Value) -> bool) -> Option<&A::Value> {
        let mut best = None;
        let mut next = self.root.top();
        while let Some(node) = next {
            let side = if reached(self.value(node)) { Side::Left } else { Side::Right };
            if side == Side::Left {
                best = Some(node);
            }
            next = node.child(side);
        }
        best.map(|node| self.value(node))
    }

    /// Walks down to a node or to an empty place. `go` says where the new key lies from a node:
    /// `key.cmp(&node.key)`. For a tree with equal keys, answer `Greater` instead of `Equal`
    /// (behind the equal ones), never `Equal`.
    pub fn descend(&mut self, mut go: impl FnMut(&A::Value) -> Ordering) -> Place<'_, A> {
        let mut above = None;
        let mut next = self.root.top();
        while let Some(node) = next {
            let side = match go(self.value(node)) {
                Ordering::Less => Side::Left,
                Ordering::Greater => Side::Right,
                Ordering::Equal => return Place::occupied(self, node.as_ptr()),
            };
            above = Some((node.as_ptr(), side));
            next = node.child(side);
        }
        Place::vacant(self, above)
    }

    /// Unlinks a node and gives the tree's reference back; `None` if it is not in this tree.
    #[doc(alias = "rb_erase")]
    pub fn remove(&mut self, node: &A::Value) -> Option<Arc<A::Value>> {
        let node = self.handle_of(node)?;
        Some(self.unlink(node))
    }

    /// Unlinks the leftmost node.
    pub fn pop_first(&mut self) -> Option<Arc<A::Value>> {
        let node = self.root.leftmost()?;
        Some(self.unlink(node))
    }

    /// Puts `new` where `old` is, without a descent or a repair; the caller knows that the order
    /// is kept. Gives the tree's reference to `old` back.
    ///
    /// # Errors
    /// [`AlreadyLinked`] with `new` if its link is in a tree, or if `old` is not in this one.
    #[doc(alias = "rb_replace_node")]
    pub fn replace(&mut self, old: &A::Value, new: Arc<A::Value>) -> Result<Arc<A::Value>, AlreadyLinked<A::Value>> {
        let Some(old) = self.handle_of(old).map(Node::as_ptr) else {
            return Err(AlreadyLinked(new));
        };
        // SAFETY: linked below, and the handle does not leave this function.
        let new = unsafe { self.identity.own::<A>(new) }?;
        // SAFETY: the handle was made above, and the tree has not been changed since.
        let old = unsafe { Node::new(old) };
        new.take_place_of(&self.root, old);
        if self.root.leftmost() == Some(old) {
            self.root.leftmost.set(Some(new));
        }
        Ok(Self::disown(old))
    }

    /// A reference of the caller's own to a node of this tree; `None` if it is not in this tree.
    pub fn arc(&self, node: &A::Value) -> Option<Arc<A::Value>> {
        let node = self.handle_of(node)?;
        // SAFETY: the node is linked here, so its pointer came from into_link and the tree still
        // has that reference.
        Some(unsafe { A::clone_link(node.as_ptr()) })
    }

    /// Unlinks everything, in order.
    pub fn clear(&mut self) {
        while self.pop_first().is_some() {}
    }

    fn handle_of(&self, node: &A::Value) -> Option<Node<'_, RbLink>> {
        if !self.contains(node) {
            return None;
        }
        // SAFETY: the owner word says that the node is linked in this tree, which self borrows.
        let node = unsafe { Node::new(A::link(node).into()) };
        self.root.canonical(node)
    }

    fn value<'t>(&'t self, node: Node<'t, RbLink>) -> &'t A::Value {
        // SAFETY: the handles of this module come from slots, which hold pointers of into_link.
        unsafe { A::value(node) }
    }

    /// Takes a node of this tree out and gives the tree's reference to it back. The shared borrow
    /// lets the handle in; the callers hold the tree mutably.
    fn unlink(&self, node: Node<'_, RbLink>) -> Arc<A::Value> {
        self.root.erase(node);
        Self::disown(node)
    }

    /// Gives up a node that is no longer reachable from the root.
    fn disown(node: Node<'_, RbLink>) -> Arc<A::Value> {
        // INVARIANT: not reachable, so no longer ours.
        node.owner().release();
        // SAFETY: the pointer came from into_link when the node was linked, and the tree gives
        // that reference up here, once.
        unsafe { A::from_link(node.as_ptr()) }
    }
}

impl<A: Adapter<Link = RbLink>> Default for RbTree<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Adapter<Link = RbLink>> Drop for RbTree<A> {
    fn drop(&mut self) {
        self.clear();
    }
}
