//! A node of the tree, seen as a link: children by side, and the parent word.
//!
//! Linux: `struct rb_node` in include/linux/rbtree_types.h, `rb_next` in lib/rbtree.c (6.12).
//! Differs: an unlinked node is told by its owner word, not by a parent word that points to itself.
//! Locking: by the caller, who borrows the tree.
//!
//! A link is aligned to its pointers, so the lowest bit of its address is 0 and the parent word
//! has room for the colour there: 0 red, 1 black, as in Linux. A node that is hung in has the
//! bit clear by itself.

use crate::link::{Linkable, Node, Owner, Slot};
use core::cell::Cell;
use core::ptr::NonNull;

/// The field that makes a structure linkable in an [`RbTree`](super::RbTree).
#[doc(alias = "rb_node")]
pub struct RbLink {
    #[doc(alias = "__rb_parent_color")]
    parent_color: Cell<*mut RbLink>,
    children: [Slot<RbLink>; 2],
    owner: Owner,
}

const _: () = assert!(align_of::<RbLink>() > BLACK, "the colour needs a free bit in the address");

const BLACK: usize = 1;

// SAFETY: the pointers are touched only by who borrows the tree that owns the link (mutably to
// write), or has claimed the owner word; the owner word is atomic.
unsafe impl Send for RbLink {}
// SAFETY: as above; `&RbLink` alone gives no access to the pointers.
unsafe impl Sync for RbLink {}

impl RbLink {
    /// A link that is in no tree.
    #[doc(alias = "RB_CLEAR_NODE")]
    pub const fn new() -> Self {
        Self { parent_color: Cell::new(core::ptr::null_mut()), children: [Slot::new(), Slot::new()], owner: Owner::new() }
    }

    /// Whether the link is in a tree now. Firm only under the lock of the trees it can be in.
    #[doc(alias = "RB_EMPTY_NODE")]
    pub fn is_linked(&self) -> bool {
        self.owner.is_linked()
    }
}

impl Default for RbLink {
    fn default() -> Self {
        Self::new()
    }
}

impl Linkable for RbLink {
    fn owner(&self) -> &Owner {
        &self.owner
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Color {
    Red,
    Black,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl<'t> Node<'t, RbLink> {
    pub(super) fn child(self, side: Side) -> Option<Self> {
        // SAFETY: self is linked in a tree that is borrowed for 't.
        unsafe { self.slot(side).get() }
    }

    /// The place for a child.
    pub(super) fn slot(self, side: Side) -> &'t Slot<RbLink> {
        &self.link().children[side as usize]
    }

    /// Hangs a subtree, or nothing, below the node.
    pub(super) fn adopt(self, side: Side, child: Option<Self>) {
        self.slot(side).set(child);
        if let Some(child) = child {
            child.set_parent(Some(self));
        }
    }

    /// On which side of this node a child hangs.
    pub(super) fn side_of(self, child: Self) -> Side {
        if self.child(Side::Left) == Some(child) { Side::Left } else { Side::Right }
    }

    pub(super) fn parent(self) -> Option<Self> {
        let parent = NonNull::new(self.parent_color.get().map_addr(|word| word & !BLACK))?;
        // SAFETY: self is linked in a tree that is borrowed for 't, and so is its parent.
        Some(unsafe { Node::new(parent) })
    }

    /// Keeps the colour.
    pub(super) fn set_parent(self, parent: Option<Self>) {
        let parent = parent.map_or(core::ptr::null_mut(), |node| node.as_ptr().as_ptr());
        let color = self.parent_color.get().addr() & BLACK;
        self.parent_color.set(parent.map_addr(|word| word | color));
    }

    pub(super) fn color(self) -> Color {
        match self.parent_color.get().addr() & BLACK {
            BLACK => Color::Black,
            _ => Color::Red,
        }
    }

    /// Keeps the parent.
    pub(super) fn set_color(self, color: Color) {
        let black = if color == Color::Black { BLACK } else { 0 };
        self.parent_color.set(self.parent_color.get().map_addr(|word| word & !BLACK | black));
    }

    /// The last node when walking down on one side.
    pub(super) fn outermost(self, side: Side) -> Self {
        let mut node = self;
        while let Some(child) = node.child(side) {
            node = child;
        }
        node
    }

    /// The neighbour in order: towards `Right` the next, towards `Left` the previous.
    #[doc(alias = "rb_next")]
    #[doc(alias = "rb_prev")]
    pub(super) fn neighbour(self, toward: Side) -> Option<Self> {
        if let Some(child) = self.child(toward) {
            return Some(child.outermost(toward.other()));
        }
        let mut node = self;
        loop {
            let parent = node.parent()?;
            if parent.side_of(node) != toward {
                return Some(parent);
            }
            node = parent;
        }
    }

    /// Takes place, children and colour of a linked node, and leaves that one empty.
    pub(super) fn take_place_of(self, root: &super::Root, old: Self) {
        root.replace(old, Some(self));
        self.adopt(Side::Left, old.child(Side::Left));
        self.adopt(Side::Right, old.child(Side::Right));
        self.set_color(old.color());
        old.forget_neighbours();
    }

    pub(super) fn forget_neighbours(self) {
        self.slot(Side::Left).set(None);
        self.slot(Side::Right).set(None);
        self.parent_color.set(core::ptr::null_mut());
    }
}
