//! Where a descent ended: on a node, or at an empty place below one.
//!
//! Linux: the `parent` and `link` of `rb_link_node` in include/linux/rbtree.h (6.12).
//! Differs: a place borrows the tree, so it cannot be used after the tree has changed.
//! Locking: by the caller, through the borrow of the tree.

use super::{RbLink, RbTree, Side, rebalance};
use crate::link::{Adapter, AlreadyLinked, Node};
use alloc::sync::Arc;
use core::ptr::NonNull;

/// The end of a [`descend`](RbTree::descend).
pub enum Place<'a, A: Adapter<Link = RbLink>> {
    /// Nothing there: a node may be hung in.
    Vacant(Vacant<'a, A>),
    /// The node to which the caller answered `Equal`.
    Occupied(Occupied<'a, A>),
}

impl<'a, A: Adapter<Link = RbLink>> Place<'a, A> {
    pub(super) fn vacant(tree: &'a mut RbTree<A>, above: Option<(NonNull<RbLink>, Side)>) -> Self {
        Self::Vacant(Vacant { tree, above })
    }

    pub(super) fn occupied(tree: &'a mut RbTree<A>, node: NonNull<RbLink>) -> Self {
        Self::Occupied(Occupied { tree, node })
    }
}

/// An empty place.
///
/// # Invariants
/// `above` is a node of `tree` without a child on that side; if there is none, the tree is empty.
#[must_use]
pub struct Vacant<'a, A: Adapter<Link = RbLink>> {
    tree: &'a mut RbTree<A>,
    above: Option<(NonNull<RbLink>, Side)>,
}

impl<A: Adapter<Link = RbLink>> Vacant<'_, A> {
    /// Hangs a node in here and repairs the colours.
    ///
    /// # Errors
    /// [`AlreadyLinked`] if its link is in a tree, this or another; nothing is changed then.
    #[doc(alias = "rb_link_node")]
    #[doc(alias = "rb_insert_color")]
    pub fn insert(self, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        self.insert_counting(node).map(|_rotations| ())
    }

    /// As [`insert`](Self::insert); says how many rotations the repair took.
    pub(super) fn insert_counting(self, node: Arc<A::Value>) -> Result<u32, AlreadyLinked<A::Value>> {
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.tree.identity.own::<A>(node) }?;
        let root = &self.tree.root;
        match self.above {
            Some((above, side)) => {
                // SAFETY: by the invariant a node of the tree, which self borrows.
                let above = unsafe { Node::new(above) };
                above.adopt(side, Some(node));
                if side == Side::Left && root.leftmost() == Some(above) {
                    root.leftmost.set(Some(node));
                }
            }
            None => {
                root.top.set(Some(node));
                root.leftmost.set(Some(node));
            }
        }
        Ok(rebalance::after_insert(root, node))
    }
}

/// A node found by a descent.
///
/// # Invariants
/// `node` is a node of `tree`.
#[must_use]
pub struct Occupied<'a, A: Adapter<Link = RbLink>> {
    tree: &'a mut RbTree<A>,
    node: NonNull<RbLink>,
}

impl<'a, A: Adapter<Link = RbLink>> Occupied<'a, A> {
    /// The node.
    pub fn get(&self) -> &A::Value {
        self.tree.value(self.handle())
    }

    /// The node, for as long as the tree is borrowed.
    pub fn into_ref(self) -> &'a A::Value {
        // SAFETY: by the invariant a node of the tree, which stays borrowed for 'a.
        let node = unsafe { Node::new(self.node) };
        let tree: &'a RbTree<A> = self.tree;
        tree.value(node)
    }

    /// Unlinks the node and gives the tree's reference back.
    pub fn remove(self) -> Arc<A::Value> {
        self.tree.unlink(self.handle())
    }

    fn handle(&self) -> Node<'_, RbLink> {
        // SAFETY: by the invariant a node of the tree, which self borrows.
        unsafe { Node::new(self.node) }
    }
}
