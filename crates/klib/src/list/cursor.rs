//! Walking a list: a shared iterator, and a cursor that may change what it walks over.
//!
//! Linux: `list_for_each_entry`, `list_for_each_entry_safe` in include/linux/list.h (6.12).
//! Differs: the "safe" walk of Linux survives the removal of the current node only; the cursor
//! has no such trap, since removal goes through it.
//! Locking: by the caller, through the borrow of the list.

use super::{List, ListLink};
use crate::link::{Adapter, AdapterExt, AlreadyLinked, Node, Slot};
use alloc::sync::Arc;

/// The nodes of a list in order, from both ends.
pub struct Iter<'a, A: Adapter<Link = ListLink>> {
    front: Option<Node<'a, ListLink>>,
    back: Option<Node<'a, ListLink>>,
    list: &'a List<A>,
}

impl<A: Adapter<Link = ListLink>> List<A> {
    /// The nodes, first to last.
    #[doc(alias = "list_for_each_entry")]
    pub fn iter(&self) -> Iter<'_, A> {
        Iter { front: self.ends.first(), back: self.ends.last(), list: self }
    }

    /// A cursor at the first node.
    pub fn cursor_front_mut(&mut self) -> CursorMut<'_, A> {
        let at = Slot::new();
        at.set(self.ends.first());
        CursorMut { at, list: self }
    }

    /// A cursor at a node of this list; `None` if it is not on this list.
    pub fn cursor_at_mut(&mut self, node: &A::Value) -> Option<CursorMut<'_, A>> {
        let at = Slot::new();
        at.set(Some(self.handle_of(node)?));
        Some(CursorMut { at, list: self })
    }

    fn value<'t>(&'t self, node: Node<'t, ListLink>) -> &'t A::Value {
        // SAFETY: the handles of this module come from slots, which hold pointers of into_link.
        unsafe { A::value(node) }
    }
}

impl<'a, A: Adapter<Link = ListLink>> Iter<'a, A> {
    /// Ends the walk if `taken` was the last node between the two ends.
    fn take(&mut self, taken: Node<'a, ListLink>) -> &'a A::Value {
        if self.front == self.back {
            self.front = None;
            self.back = None;
        } else if self.front == Some(taken) {
            self.front = taken.next();
        } else {
            self.back = taken.prev();
        }
        self.list.value(taken)
    }
}

impl<'a, A: Adapter<Link = ListLink>> Iterator for Iter<'a, A> {
    type Item = &'a A::Value;

    fn next(&mut self) -> Option<&'a A::Value> {
        self.front.map(|node| self.take(node))
    }
}

impl<A: Adapter<Link = ListLink>> DoubleEndedIterator for Iter<'_, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.back.map(|node| self.take(node))
    }
}

impl<'a, A: Adapter<Link = ListLink>> IntoIterator for &'a List<A> {
    type Item = &'a A::Value;
    type IntoIter = Iter<'a, A>;

    fn into_iter(self) -> Iter<'a, A> {
        self.iter()
    }
}

/// A place in a list that is being changed: at a node, or past the last one.
///
/// # Invariants
/// `at` is empty or points to a node of `list`.
#[doc(alias = "list_for_each_entry_safe")]
pub struct CursorMut<'a, A: Adapter<Link = ListLink>> {
    at: Slot<ListLink>,
    list: &'a mut List<A>,
}

// SAFETY: the slot is a place in the list, which the cursor borrows mutably.
unsafe impl<A: Adapter<Link = ListLink>> Send for CursorMut<'_, A> where A::Value: Send + Sync {}
// SAFETY: as above; `&CursorMut` only reads.
unsafe impl<A: Adapter<Link = ListLink>> Sync for CursorMut<'_, A> where A::Value: Send + Sync {}

impl<A: Adapter<Link = ListLink>> CursorMut<'_, A> {
    fn at(&self) -> Option<Node<'_, ListLink>> {
        // SAFETY: a place in the list that is borrowed with self.
        unsafe { self.at.get() }
    }

    /// The node before the cursor: past the end that is the last node.
    fn before(&self) -> Option<Node<'_, ListLink>> {
        self.at().map_or_else(|| self.list.ends.last(), Node::prev)
    }

    /// The node behind the cursor: past the end that is the first node.
    fn behind(&self) -> Option<Node<'_, ListLink>> {
        self.at().map_or_else(|| self.list.ends.first(), Node::next)
    }

    /// Whether the list has no node at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The node under the cursor; `None` past the last.
    pub fn current(&self) -> Option<&A::Value> {
        self.at().map(|node| self.list.value(node))
    }

    /// A reference of the caller's own to the node under the cursor.
    pub fn current_arc(&self) -> Option<Arc<A::Value>> {
        self.list.arc(self.current()?)
    }

    /// One node towards the tail; from past the end to the first node.
    pub fn move_next(&mut self) {
        self.at.set(self.behind());
    }

    /// One node towards the head; from past the end to the last node.
    pub fn move_prev(&mut self) {
        self.at.set(self.before());
    }

    /// Unlinks the node under the cursor and moves to the one behind it.
    pub fn remove_current(&mut self) -> Option<Arc<A::Value>> {
        let node = self.at()?;
        self.at.set(node.next());
        Some(self.list.unlink(node))
    }

    /// Links a node before the cursor: past the end that is the tail.
    ///
    /// # Errors
    /// [`AlreadyLinked`] if its link is on a list.
    pub fn insert_before(&mut self, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.list.identity.own::<A>(node) }?;
        let (before, at) = (self.before(), self.at());
        self.list.ends.join(before, Some(node));
        self.list.ends.join(Some(node), at);
        Ok(())
    }

    /// Links a node behind the cursor: past the end that is the head.
    ///
    /// # Errors
    /// [`AlreadyLinked`] if its link is on a list.
    pub fn insert_after(&mut self, node: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>> {
        // SAFETY: linked below, and the handle does not leave this function.
        let node = unsafe { self.list.identity.own::<A>(node) }?;
        let (at, behind) = (self.at(), self.behind());
        self.list.ends.join(at, Some(node));
        self.list.ends.join(Some(node), behind);
        Ok(())
    }

    /// Moves every node of `other` to the tail; a cursor past the end stands at the first of them then.
    #[doc(alias = "list_splice_tail_init")]
    pub fn splice_back(&mut self, other: &mut List<A>) {
        let first = Slot::new();
        first.set(other.ends.first());
        self.list.splice_back(other);
        if self.at.is_empty() {
            self.at = first;
        }
    }

    /// Makes the node under the cursor the first one: those before it go behind the last, in their order.
    #[doc(alias = "list_rotate_to_front")]
    pub fn rotate_to_front(self) {
        let (Some(at), Some(first), Some(last)) = (self.at(), self.list.ends.first(), self.list.ends.last()) else { return };
        if let Some(before) = at.prev() {
            self.list.ends.join(Some(last), Some(first));
            self.list.ends.join(None, Some(at));
            self.list.ends.join(Some(before), None);
        }
    }
}
