//! Walking a tree in order, from both ends.
//!
//! Linux: `rb_first`, `rb_next`, `rb_last`, `rb_prev` in lib/rbtree.c (6.12).
//! Differs: an iterator; it borrows the tree, so nothing can be erased under it.
//! Locking: by the caller, through the borrow of the tree.

use super::{RbLink, RbTree, Side};
use crate::link::{Adapter, Node};

/// The nodes of a tree in order.
pub struct Iter<'a, A: Adapter<Link = RbLink>> {
    front: Option<Node<'a, RbLink>>,
    back: Option<Node<'a, RbLink>>,
    tree: &'a RbTree<A>,
}

impl<A: Adapter<Link = RbLink>> RbTree<A> {
    /// The nodes, leftmost first.
    pub fn iter(&self) -> Iter<'_, A> {
        Iter { front: self.root.leftmost(), back: self.root.rightmost(), tree: self }
    }

    /// The nodes from one of this tree on; empty if it is not in this tree.
    pub fn iter_from(&self, node: &A::Value) -> Iter<'_, A> {
        let front = self.handle_of(node);
        Iter { front, back: front.and_then(|_| self.root.rightmost()), tree: self }
    }
}

impl<'a, A: Adapter<Link = RbLink>> Iter<'a, A> {
    /// Moves one end on, or ends the walk if `taken` was the last node between the two.
    fn take(&mut self, taken: Node<'a, RbLink>) -> &'a A::Value {
        if self.front == self.back {
            self.front = None;
            self.back = None;
        } else if self.front == Some(taken) {
            self.front = taken.neighbour(Side::Right);
        } else {
            self.back = taken.neighbour(Side::Left);
        }
        self.tree.value(taken)
    }
}

impl<'a, A: Adapter<Link = RbLink>> Iterator for Iter<'a, A> {
    type Item = &'a A::Value;

    fn next(&mut self) -> Option<&'a A::Value> {
        self.front.map(|node| self.take(node))
    }
}

impl<A: Adapter<Link = RbLink>> DoubleEndedIterator for Iter<'_, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.back.map(|node| self.take(node))
    }
}

impl<'a, A: Adapter<Link = RbLink>> IntoIterator for &'a RbTree<A> {
    type Item = &'a A::Value;
    type IntoIter = Iter<'a, A>;

    fn into_iter(self) -> Iter<'a, A> {
        self.iter()
    }
}
