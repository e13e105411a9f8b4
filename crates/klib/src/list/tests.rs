//! The list against a `VecDeque`, and the refusals that make it safe.

use super::{List, ListLink};
use crate::adapter;
use crate::testing::{cases, steps};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

struct Item {
    id: usize,
    link: ListLink,
    second: ListLink,
}

adapter!(ByLink = Item { link: ListLink });
adapter!(BySecond = Item { second: ListLink });

fn item(id: usize) -> Arc<Item> {
    Arc::new(Item { id, link: ListLink::new(), second: ListLink::new() })
}

fn items(count: usize) -> Vec<Arc<Item>> {
    (0..count).map(item).collect()
}

fn ids(list: &List<ByLink>) -> Vec<usize> {
    list.iter().map(|item| item.id).collect()
}

#[test]
fn a_node_is_on_one_list_per_link() {
    let node = item(1);
    let mut here: List<ByLink> = List::new();
    let mut there: List<ByLink> = List::new();
    let mut second: List<BySecond> = List::new();
    here.push_back(node.clone()).unwrap();
    assert!(there.push_back(node.clone()).is_err());
    second.push_back(node.clone()).unwrap();
    assert!(there.remove(&node).is_none());
    assert!(here.contains(&node) && !there.contains(&node));
    assert_eq!(Arc::strong_count(&node), 3);
    assert!(here.remove(&node).is_some() && here.remove(&node).is_none());
    assert!(!node.link.is_linked() && node.second.is_linked());
    there.push_front(node.clone()).unwrap();
    assert_eq!(there.front().map(|item| item.id), Some(1));
}

#[test]
fn the_list_owns_one_reference_per_node() {
    let nodes = items(3);
    let mut list: List<ByLink> = List::new();
    nodes.iter().for_each(|node| list.push_back(node.clone()).unwrap());
    assert!(nodes.iter().all(|node| Arc::strong_count(node) == 2));
    let own = list.arc(&nodes[1]).unwrap();
    assert_eq!(Arc::strong_count(&own), 3);
    let moved = list;
    drop(moved);
    assert_eq!(Arc::strong_count(&own), 2);
    assert!(nodes.iter().all(|node| !node.link.is_linked()));
}

#[test]
fn the_list_alone_keeps_a_node_alive() {
    let mut list: List<ByLink> = List::new();
    list.push_back(item(1)).unwrap();
    list.push_back(item(2)).unwrap();
    let last = list.pop_back().unwrap();
    assert_eq!((last.id, Arc::strong_count(&last)), (2, 1));
    assert_eq!(ids(&list), [1]);
}

#[test]
fn a_scan_takes_the_list_and_puts_the_rest_back_in_front() {
    let nodes = items(4);
    let mut ready: List<ByLink> = List::new();
    nodes.iter().for_each(|node| ready.push_back(node.clone()).unwrap());
    let mut scan = core::mem::take(&mut ready);
    scan.pop_front();
    ready.push_back(item(9)).unwrap();
    assert!(!ready.contains(&nodes[1]));
    ready.splice_front(&mut scan);
    assert_eq!(ids(&ready), [1, 2, 3, 9]);
    assert!(scan.is_empty() && ready.contains(&nodes[1]));
    assert!(ready.remove(&nodes[2]).is_some());
    assert_eq!(ids(&ready), [1, 3, 9]);
}

#[test]
fn cursor_edits_around_itself() {
    let mut list: List<ByLink> = List::new();
    let mut cursor = list.cursor_front_mut();
    cursor.insert_before(item(2)).unwrap(); // past the end: the tail
    cursor.insert_after(item(1)).unwrap(); // past the end: the head
    cursor.move_next();
    cursor.insert_before(item(0)).unwrap();
    cursor.insert_after(item(10)).unwrap();
    assert_eq!(cursor.current().map(|item| item.id), Some(1));
    assert_eq!(cursor.remove_current().unwrap().id, 1);
    assert_eq!(cursor.current_arc().unwrap().id, 10);
    cursor.move_prev();
    cursor.move_prev();
    assert!(cursor.current().is_none());
    assert_eq!(ids(&list), [0, 10, 2]);
    list.retain(|item| item.id != 10);
    assert_eq!(list.iter().rev().map(|item| item.id).collect::<Vec<_>>(), [2, 0]);
}

#[test]
fn what_a_cursor_has_passed_goes_behind_what_arrived() {
    for passed in 0..=3 {
        let mut list: List<ByLink> = List::new();
        items(3).into_iter().for_each(|node| list.push_back(node).unwrap());
        let mut arrivals: List<ByLink> = List::new();
        arrivals.push_back(item(9)).unwrap();
        let mut cursor = list.cursor_front_mut();
        (0..passed).for_each(|_| cursor.move_next());
        cursor.splice_back(&mut arrivals);
        cursor.rotate_to_front();
        let expected: Vec<_> = (passed..3).chain([9]).chain(0..passed).collect();
        assert_eq!(ids(&list), expected);
        assert_eq!(list.iter().rev().map(|item| item.id).collect::<Vec<_>>(), expected.into_iter().rev().collect::<Vec<_>>());
        assert!(arrivals.is_empty() && list.iter().all(|item| list.contains(item)));
    }
}

#[test]
fn a_cursor_past_the_end_turns_nothing() {
    let mut list: List<ByLink> = List::new();
    list.cursor_front_mut().rotate_to_front();
    items(2).into_iter().for_each(|node| list.push_back(node).unwrap());
    let mut cursor = list.cursor_front_mut();
    cursor.splice_back(&mut List::new());
    cursor.move_prev();
    cursor.rotate_to_front();
    assert_eq!(ids(&list), [0, 1]);
}

#[test]
fn iteration_from_both_ends_meets_once() {
    let mut list: List<ByLink> = List::new();
    items(5).into_iter().for_each(|node| list.push_back(node).unwrap());
    let mut iter = list.iter();
    let mut seen = Vec::new();
    while let Some(node) = iter.next() {
        seen.push(node.id);
        seen.extend(iter.next_back().map(|node| node.id));
    }
    assert_eq!(seen, [0, 4, 1, 3, 2]);
    assert!(iter.next().is_none() && iter.next_back().is_none());
}

#[test]
fn threads_hand_nodes_between_two_locked_lists() {
    use std::sync::Mutex;
    let lists: [Mutex<List<ByLink>>; 2] = [Mutex::default(), Mutex::default()];
    let nodes = items(8);
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let (lists, nodes) = (&lists, &nodes);
            scope.spawn(move || {
                for step in 0..steps(20_000, 200) as usize {
                    let node = &nodes[(step * 7 + seed) % nodes.len()];
                    let mut list = lists[(step / 3 + seed) % 2].lock().unwrap();
                    if list.remove(node).is_none() {
                        let _ = list.push_back(node.clone());
                    }
                }
            });
        }
    });
    let left: usize = lists.iter().map(|list| list.lock().unwrap().iter().count()).sum();
    assert_eq!(left, nodes.iter().filter(|node| node.link.is_linked()).count());
}

#[derive(Clone, Debug)]
enum Op {
    PushBack(usize, usize),
    PushFront(usize, usize),
    PopFront(usize),
    PopBack(usize),
    Remove(usize, usize),
    MoveToBack(usize, usize),
    SpliceBack(usize),
    SpliceFront(usize),
    Take(usize),
    Retain(usize, usize),
}

fn op() -> impl Strategy<Value = Op> {
    let (which, node) = (0..2usize, 0..NODES);
    prop_oneof![
        8 => (which.clone(), node.clone()).prop_map(|(w, n)| Op::PushBack(w, n)),
        6 => (which.clone(), node.clone()).prop_map(|(w, n)| Op::PushFront(w, n)),
        2 => which.clone().prop_map(Op::PopFront),
        2 => which.clone().prop_map(Op::PopBack),
        5 => (which.clone(), node.clone()).prop_map(|(w, n)| Op::Remove(w, n)),
        3 => (which.clone(), node.clone()).prop_map(|(w, n)| Op::MoveToBack(w, n)),
        1 => which.clone().prop_map(Op::SpliceBack),
        1 => which.clone().prop_map(Op::SpliceFront),
        1 => which.clone().prop_map(Op::Take),
        1 => (which, 2..5usize).prop_map(|(w, m)| Op::Retain(w, m)),
    ]
}

const NODES: usize = 24;

/// Two lists that share nodes, and what they should hold.
struct Model {
    nodes: Vec<Arc<Item>>,
    lists: [List<ByLink>; 2],
    expect: [VecDeque<usize>; 2],
}

impl Model {
    fn new() -> Self {
        Self { nodes: items(NODES), lists: Default::default(), expect: Default::default() }
    }

    fn linked(&self, id: usize) -> bool {
        self.expect.iter().any(|list| list.contains(&id))
    }

    fn push(&mut self, which: usize, id: usize, front: bool) {
        let (list, node) = (&mut self.lists[which], self.nodes[id].clone());
        let done = if front { list.push_front(node) } else { list.push_back(node) };
        assert_eq!(done.is_ok(), !self.linked(id));
        match (done.is_ok(), front) {
            (true, true) => self.expect[which].push_front(id),
            (true, false) => self.expect[which].push_back(id),
            (false, _) => {}
        }
    }

    fn remove(&mut self, which: usize, id: usize) -> bool {
        let at = self.expect[which].iter().position(|&other| other == id);
        at.map(|at| self.expect[which].remove(at));
        at.is_some()
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::PushBack(which, id) => self.push(which, id, false),
            Op::PushFront(which, id) => self.push(which, id, true),
            Op::PopFront(which) => {
                let popped = self.lists[which].pop_front().map(|item| item.id);
                assert_eq!(popped, self.expect[which].pop_front());
            }
            Op::PopBack(which) => {
                let popped = self.lists[which].pop_back().map(|item| item.id);
                assert_eq!(popped, self.expect[which].pop_back());
            }
            Op::Remove(which, id) => {
                let removed = self.lists[which].remove(&self.nodes[id]).is_some();
                assert_eq!(removed, self.remove(which, id));
            }
            Op::MoveToBack(which, id) => {
                let moved = self.lists[which].move_to_back(&self.nodes[id]);
                assert_eq!(moved, self.remove(which, id));
                self.expect[which].extend(moved.then_some(id));
            }
            Op::SpliceBack(which) => {
                let [a, b] = &mut self.lists;
                if which == 0 {
                    a.splice_back(b)
                } else {
                    b.splice_back(a)
                }
                let moved = core::mem::take(&mut self.expect[1 - which]);
                self.expect[which].extend(moved);
            }
            Op::SpliceFront(which) => {
                let [a, b] = &mut self.lists;
                if which == 0 {
                    a.splice_front(b)
                } else {
                    b.splice_front(a)
                }
                let mut moved = core::mem::take(&mut self.expect[1 - which]);
                moved.append(&mut self.expect[which]);
                self.expect[which] = moved;
            }
            Op::Take(which) => {
                let taken = core::mem::take(&mut self.lists[which]);
                assert_eq!(ids(&taken), Vec::from(core::mem::take(&mut self.expect[which])));
            }
            Op::Retain(which, modulus) => {
                self.lists[which].retain(|item| item.id % modulus != 0);
                self.expect[which].retain(|id| id % modulus != 0);
            }
        }
    }

    fn check(&self) {
        for (list, expect) in self.lists.iter().zip(&self.expect) {
            assert!(list.iter().map(|item| &item.id).eq(expect));
            assert!(list.iter().rev().map(|item| &item.id).eq(expect.iter().rev()));
            assert_eq!(list.is_empty(), expect.is_empty());
        }
        for (id, node) in self.nodes.iter().enumerate() {
            assert_eq!(node.link.is_linked(), self.linked(id));
            assert_eq!(Arc::strong_count(node), 1 + usize::from(self.linked(id)));
        }
    }
}

proptest! {
    #![proptest_config(cases(400, 2))]

    #[test]
    fn two_lists_behave_as_two_deques(ops in prop::collection::vec(op(), 0..steps(600, 40) as usize)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
    }
}
