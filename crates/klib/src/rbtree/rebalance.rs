//! The colour work: repair after an insertion and after an erasure.
//!
//! Linux: lib/rbtree.c, `__rb_insert`, `____rb_erase_color` (6.12).
//! Differs: the two mirror images of every case are one, since children are indexed by side;
//! nothing is inlined by hand. The functions return how often they rotated, for the tests.
//! Locking: by the caller, who borrows the tree mutably.
//!
//! # The rules
//! 1. The root is black.
//! 2. A red node has no red child.
//! 3. Every way down from a node to a missing child meets the same number of black nodes.
//!
//! So no way down is more than twice as long
//! as another, and each repair touches O(log n) colours but only a bounded number of pointers.

use super::Root;
use super::node::{Color, RbLink, Side};
use crate::link::Node;

/// Restores rule 2 above a red node that was just hung into the tree. Rotates at most twice.
#[doc(alias = "rb_insert_color")]
pub(super) fn after_insert(root: &Root, inserted: Node<'_, RbLink>) -> u32 {
    let mut node = inserted;
    loop {
        let Some(parent) = node.parent() else {
            node.set_color(Color::Black);
            return 0;
        };
        if parent.color() == Color::Black {
            return 0;
        }
        let grandparent = parent.parent().expect("a red node has a parent: the root is black");
        let side = grandparent.side_of(parent);
        match grandparent.child(side.other()) {
            Some(uncle) if uncle.color() == Color::Red => {
                // Push the black of the grandparent down to both; the grandparent may now clash.
                parent.set_color(Color::Black);
                uncle.set_color(Color::Black);
                grandparent.set_color(Color::Red);
                node = grandparent;
            }
            _ => return rotate_grandparent(root, grandparent, side, parent.side_of(node)),
        }
    }
}

/// The two reds become children of one black: the last step of an insertion.
fn rotate_grandparent(root: &Root, grandparent: Node<'_, RbLink>, side: Side, inner: Side) -> u32 {
    let mut rotations = 1;
    let parent = grandparent.child(side).expect("the clash was found below it");
    if inner != side {
        rotate(root, parent, side);
        rotations += 1;
    }
    let top = grandparent.child(side).expect("a rotation keeps the place filled");
    top.set_color(Color::Black);
    grandparent.set_color(Color::Red);
    rotate(root, grandparent, side.other());
    rotations
}

/// Takes a node out and restores the rules. Rotates at most three times.
#[doc(alias = "rb_erase")]
pub(super) fn erase(root: &Root, node: Node<'_, RbLink>) -> u32 {
    let (hole, lost) = detach(root, node);
    match lost {
        Color::Red => 0,
        Color::Black => after_erase(root, hole),
    }
}

/// Below which node, and on which side, a black node is missing. No node: the whole tree.
type Hole<'t> = Option<(Node<'t, RbLink>, Side)>;

/// Takes a node out; tells where, and which colour, the tree lost.
fn detach<'t>(root: &'t Root, node: Node<'t, RbLink>) -> (Hole<'t>, Color) {
    let parent = node.parent();
    let (left, right) = (node.child(Side::Left), node.child(Side::Right));
    let (Some(left), Some(right)) = (left, right) else {
        let hole = parent.map(|parent| (parent, parent.side_of(node)));
        root.replace(node, left.or(right));
        return (hole, node.color());
    };
    // Two children: the successor, which has no left child, takes the node's place and colour.
    let successor = right.outermost(Side::Left);
    let lost = successor.color();
    let hole = match successor.parent() {
        Some(above) if above != node => {
            root.replace(successor, successor.child(Side::Right));
            successor.adopt(Side::Right, Some(right));
            (above, Side::Left)
        }
        _ => (successor, Side::Right),
    };
    root.replace(node, Some(successor));
    successor.adopt(Side::Left, Some(left));
    successor.set_color(node.color());
    (Some(hole), lost)
}

/// Restores rule 3: every way through the hole is one black short.
fn after_erase<'t>(root: &'t Root, mut hole: Hole<'t>) -> u32 {
    let mut rotations = 0;
    loop {
        let below = match hole {
            Some((parent, side)) => parent.child(side),
            None => root.top(),
        };
        if let Some(red) = below.filter(|node| node.color() == Color::Red) {
            red.set_color(Color::Black);
            return rotations;
        }
        // The whole tree is one black shorter: that is no fault.
        let Some((parent, side)) = hole else {
            return rotations;
        };
        let mut sibling = sibling_of_hole(parent, side);
        if sibling.color() == Color::Red {
            // Its children are black; one of them becomes the sibling.
            sibling.set_color(Color::Black);
            parent.set_color(Color::Red);
            rotate(root, parent, side);
            rotations += 1;
            sibling = sibling_of_hole(parent, side);
        }
        let is_red = |side| sibling.child(side).is_some_and(|node| node.color() == Color::Red);
        if is_red(side) || is_red(side.other()) {
            return rotations + fill_from_sibling(root, parent, side, sibling);
        }
        // Take a black from the sibling's side too: now everything below the parent is short.
        sibling.set_color(Color::Red);
        hole = parent.parent().map(|above| (above, above.side_of(parent)));
    }
}

fn sibling_of_hole<'t>(parent: Node<'t, RbLink>, side: Side) -> Node<'t, RbLink> {
    parent.child(side.other()).expect("rule 3: a side that lost a black had a sibling")
}

/// The sibling has a red child to spare: moves a black node over to the short side.
fn fill_from_sibling(root: &Root, parent: Node<'_, RbLink>, side: Side, sibling: Node<'_, RbLink>) -> u32 {
    let far = side.other();
    let mut rotations = 1;
    let outer = sibling.child(far).filter(|node| node.color() == Color::Red);
    match outer {
        Some(outer) => outer.set_color(Color::Black),
        // The red child is the inner one: it comes up first and pushes the sibling outwards.
        None => {
            rotate(root, sibling, far);
            rotations += 1;
        }
    }
    let top = sibling_of_hole(parent, side);
    top.set_color(parent.color());
    parent.set_color(Color::Black);
    rotate(root, parent, side);
    rotations
}

/// Moves a node down to `toward`; its other child takes its place.
///
/// ```text
///        node                  up
///        /  \                 /  \
///     one    up    ---->   node   three       (toward: left)
///           /  \           /  \
///        two    three   one    two
/// ```
#[doc(alias = "__rb_rotate_set_parents")]
fn rotate(root: &Root, node: Node<'_, RbLink>, toward: Side) {
    let up = node.child(toward.other()).expect("a rotation lifts a child");
    let two = up.child(toward);
    root.replace(node, Some(up));
    node.adopt(toward.other(), two);
    up.adopt(toward, Some(node));
}
