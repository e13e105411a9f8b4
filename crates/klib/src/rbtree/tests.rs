//! The tree against a `BTreeMap`, its rules after every step, and how often it rotates.

use super::node::{Color, Side};
use super::{Place, RbLink, RbTree};
use crate::adapter;
use crate::link::Node;
use crate::testing::{cases, steps};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Item {
    key: u32,
    rbn: RbLink,
}

adapter!(ByKey = Item { rbn: RbLink });

fn item(key: u32) -> Arc<Item> {
    Arc::new(Item { key, rbn: RbLink::new() })
}

/// Inserts unless the key is there; the rotations it took.
fn insert(tree: &mut RbTree<ByKey>, node: Arc<Item>) -> Option<u32> {
    let key = node.key;
    match tree.descend(|other| key.cmp(&other.key)) {
        Place::Vacant(place) => Some(place.insert_counting(node).expect("the node is fresh")),
        Place::Occupied(_) => None,
    }
}

/// Removes as `RbTree::remove` does; the rotations it took.
fn erase(tree: &mut RbTree<ByKey>, key: u32) -> Option<u32> {
    let node = tree.handle_of(tree.find(|other| key.cmp(&other.key))?).expect("found here");
    let rotations = tree.root.erase(node);
    assert_eq!(RbTree::<ByKey>::disown(node).key, key);
    Some(rotations)
}

fn keys(tree: &RbTree<ByKey>) -> Vec<u32> {
    tree.iter().map(|item| item.key).collect()
}

/// Checks the rules of `rebalance` and every pointer; returns the number of nodes.
fn check(tree: &RbTree<ByKey>) -> usize {
    fn walk(tree: &RbTree<ByKey>, node: Option<Node<'_, RbLink>>, count: &mut usize) -> usize {
        let Some(node) = node else { return 1 };
        *count += 1;
        assert!(tree.contains(tree.value(node)));
        let mut blacks = [0; 2];
        for side in [Side::Left, Side::Right] {
            let child = node.child(side);
            if let Some(child) = child {
                assert!(child.parent() == Some(node));
                assert!(node.color() == Color::Black || child.color() == Color::Black, "red below red");
            }
            blacks[side as usize] = walk(tree, child, count);
        }
        assert_eq!(blacks[0], blacks[1], "black heights differ");
        blacks[0] + usize::from(node.color() == Color::Black)
    }
    let mut count = 0;
    if let Some(top) = tree.root.top() {
        assert!(top.color() == Color::Black && top.parent().is_none());
    }
    walk(tree, tree.root.top(), &mut count);
    let outermost = tree.root.top().map(|top| top.outermost(Side::Left));
    assert!(tree.root.leftmost() == outermost);
    count
}

#[test]
fn ascending_and_descending_runs_stay_balanced() {
    for keys_in in [(0..1000).collect::<Vec<u32>>(), (0..1000).rev().collect()] {
        let mut tree = RbTree::new();
        for key in keys_in {
            assert!(insert(&mut tree, item(key)).unwrap() <= 2);
        }
        assert_eq!(check(&tree), 1000);
        assert!(keys(&tree).into_iter().eq(0..1000));
        let pops = core::iter::from_fn(|| tree.pop_first());
        assert!(pops.map(|item| item.key).eq(0..1000));
        assert!(tree.is_empty() && tree.first().is_none() && tree.last().is_none());
    }
}

#[test]
fn neighbours_bounds_and_ranges() {
    let mut tree = RbTree::new();
    for key in (0..100).map(|n| n * 10) {
        insert(&mut tree, item(key));
    }
    let found = tree.first_where(|item| item.key >= 451).unwrap();
    assert_eq!(found.key, 460);
    assert_eq!(tree.next(found).unwrap().key, 470);
    assert_eq!(tree.prev(found).unwrap().key, 450);
    assert!(tree.iter_from(found).map(|item| item.key).eq((46..100).map(|n| n * 10)));
    assert!(tree.iter().rev().map(|item| item.key).eq((0..100).rev().map(|n| n * 10)));
    assert!(tree.prev(tree.first().unwrap()).is_none() && tree.next(tree.last().unwrap()).is_none());
    assert!(tree.first_where(|item| item.key > 990).is_none());
    let stranger = item(460);
    assert!(tree.next(&stranger).is_none() && tree.iter_from(&stranger).next().is_none());
}

#[test]
fn a_node_is_in_one_tree_per_link() {
    let (mut here, mut there): (RbTree<ByKey>, RbTree<ByKey>) = Default::default();
    let node = item(1);
    insert(&mut here, node.clone());
    let Place::Vacant(place) = there.descend(|_| unreachable!("it is empty")) else { panic!() };
    assert!(place.insert(node.clone()).is_err());
    assert!(there.is_empty() && there.remove(&node).is_none());
    assert_eq!(Arc::strong_count(&node), 2);
    let Place::Occupied(place) = here.descend(|other| 1.cmp(&other.key)) else { panic!() };
    assert_eq!(place.get().key, 1);
    drop(place.remove());
    assert!(!node.rbn.is_linked());
    assert_eq!(Arc::strong_count(&node), 1);
    insert(&mut there, node.clone());
    assert_eq!(Arc::strong_count(&there.arc(&node).unwrap()), 3);
    drop(there);
    assert_eq!(Arc::strong_count(&node), 1);
}

#[test]
fn replace_keeps_the_shape() {
    let mut tree = RbTree::new();
    let nodes: Vec<_> = (0..64).map(item).collect();
    nodes.iter().for_each(|node| _ = insert(&mut tree, node.clone()));
    for old in &nodes {
        let new = item(old.key);
        let given_back = tree.replace(old, new.clone()).unwrap();
        assert!(Arc::ptr_eq(&given_back, old) && !old.rbn.is_linked() && new.rbn.is_linked());
        assert_eq!(check(&tree), 64);
        assert!(tree.replace(old, item(old.key)).is_err());
    }
    assert!(keys(&tree).into_iter().eq(0..64));
}

#[test]
fn equal_keys_queue_behind_each_other() {
    use std::cmp::Ordering::Greater;
    let mut tree: RbTree<ByKey> = RbTree::new();
    let nodes: Vec<_> = (0..50).map(|_| item(7)).collect();
    for node in &nodes {
        let Place::Vacant(place) = tree.descend(|other| 7.cmp(&other.key).then(Greater)) else { panic!() };
        place.insert(node.clone()).unwrap();
    }
    assert!(tree.iter().zip(&nodes).all(|(a, b)| core::ptr::eq(a, &**b)));
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u32),
    Erase(u32),
    PopFirst,
    FirstWhere(u32),
}

fn op(keys: u32) -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..keys).prop_map(Op::Insert),
        5 => (0..keys).prop_map(Op::Erase),
        1 => Just(Op::PopFirst),
        1 => (0..keys).prop_map(Op::FirstWhere),
    ]
}

fn apply(tree: &mut RbTree<ByKey>, model: &mut BTreeMap<u32, Arc<Item>>, op: Op) {
    match op {
        Op::Insert(key) => {
            let node = item(key);
            let rotations = insert(tree, node.clone());
            assert_eq!(rotations.is_some(), !model.contains_key(&key));
            assert!(rotations.is_none_or(|count| count <= 2));
            model.entry(key).or_insert(node);
        }
        Op::Erase(key) => {
            let rotations = erase(tree, key);
            assert_eq!(rotations.is_some(), model.remove(&key).is_some());
            assert!(rotations.is_none_or(|count| count <= 3));
        }
        Op::PopFirst => {
            let popped = tree.pop_first().map(|item| item.key);
            assert_eq!(popped, model.pop_first().map(|(key, _)| key));
        }
        Op::FirstWhere(key) => {
            let found = tree.first_where(|item| item.key >= key).map(|item| item.key);
            assert_eq!(found, model.range(key..).next().map(|(&key, _)| key));
        }
    }
}

proptest! {
    #![proptest_config(cases(300, 2))]

    #[test]
    fn behaves_as_a_btree_map(ops in prop::collection::vec(op(64), 0..steps(800, 60) as usize)) {
        let (mut tree, mut model) = (RbTree::new(), BTreeMap::new());
        for op in ops {
            apply(&mut tree, &mut model, op);
            assert_eq!(check(&tree), model.len());
            assert_eq!(tree.last().map(|item| item.key), model.last_key_value().map(|(&key, _)| key));
        }
        assert!(keys(&tree).iter().eq(model.keys()));
        assert!(model.values().all(|node| Arc::strong_count(node) == 2));
    }
}

proptest! {
    #![proptest_config(cases(12, 1))]

    #[test]
    fn large_trees_keep_the_rules(ops in prop::collection::vec(op(4096), steps(20_000, 100) as usize)) {
        let (mut tree, mut model) = (RbTree::new(), BTreeMap::new());
        for (step, op) in ops.into_iter().enumerate() {
            apply(&mut tree, &mut model, op);
            if step % 512 == 0 {
                assert_eq!(check(&tree), model.len());
            }
        }
        assert!(keys(&tree).iter().eq(model.keys()));
    }
}

#[test]
fn the_bounds_on_rotations_are_reached() {
    let (mut most_insert, mut most_erase) = (0, 0);
    let mut tree = RbTree::new();
    let mut key = 1u32;
    for _ in 0..2000 {
        key = key.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        most_insert = most_insert.max(insert(&mut tree, item(key >> 22)).unwrap_or(0));
        most_erase = most_erase.max(erase(&mut tree, key >> 12 & 1023).unwrap_or(0));
    }
    assert_eq!((most_insert, most_erase), (2, 3));
}
