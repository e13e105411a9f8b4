//! The hash table against a vector of vectors.

use super::{HlistLink, HlistTable};
use crate::adapter;
use crate::testing::{cases, steps};
use proptest::prelude::*;
use std::sync::Arc;

struct Item {
    id: usize,
    chain: HlistLink,
}

adapter!(ById = Item { chain: HlistLink });

fn items(count: usize) -> Vec<Arc<Item>> {
    (0..count).map(|id| Arc::new(Item { id, chain: HlistLink::new() })).collect()
}

fn ids(table: &HlistTable<ById>, hash: usize) -> Vec<usize> {
    table.chain(hash).map(|item| item.id).collect()
}

#[test]
fn a_node_is_in_one_table() {
    let [mut here, mut there] = [HlistTable::<ById>::new(1), HlistTable::new(1)];
    let nodes = items(2);
    here.add(7, nodes[0].clone()).unwrap();
    assert!(there.add(7, nodes[0].clone()).is_err() && there.remove(&nodes[0]).is_none());
    assert!(here.remove(&nodes[1]).is_none() && !here.contains(&nodes[1]));
    assert_eq!(Arc::strong_count(&here.arc(&nodes[0]).unwrap()), 3);
    let moved = here;
    drop(moved);
    assert!(!nodes[0].chain.is_linked());
    assert_eq!(Arc::strong_count(&nodes[0]), 1);
}

#[test]
fn first_middle_and_last_leave_without_the_head() {
    for gone in 0..3 {
        let nodes = items(3);
        let mut table: HlistTable<ById> = HlistTable::new(4);
        nodes.iter().for_each(|node| table.add(2, node.clone()).unwrap());
        // The first node points into the table: a move must not matter.
        let mut table = *Box::new(table);
        assert_eq!(table.remove(&nodes[gone]).unwrap().id, gone);
        let rest: Vec<usize> = (0..3).rev().filter(|&id| id != gone).collect();
        assert_eq!(ids(&table, 2), rest);
        table.add(2, nodes[gone].clone()).unwrap();
        assert_eq!(ids(&table, 6)[0], gone);
    }
}

#[derive(Clone, Debug)]
enum Op {
    Add(usize, usize),
    Remove(usize),
}

const NODES: usize = 32;
const CHAINS: usize = 4;

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![(0..64usize, 0..NODES).prop_map(|(hash, id)| Op::Add(hash, id)), (0..NODES).prop_map(Op::Remove),]
}

proptest! {
    #![proptest_config(cases(400, 2))]

    #[test]
    fn behaves_as_vectors(ops in prop::collection::vec(op(), 0..steps(600, 40) as usize)) {
        let nodes = items(NODES);
        let mut table: HlistTable<ById> = HlistTable::new(CHAINS);
        let mut model: [Vec<usize>; CHAINS] = Default::default();
        for op in ops {
            match op {
                Op::Add(hash, id) => {
                    let fresh = !model.iter().any(|chain| chain.contains(&id));
                    assert_eq!(table.add(hash, nodes[id].clone()).is_ok(), fresh);
                    if fresh {
                        model[hash % CHAINS].insert(0, id);
                    }
                }
                Op::Remove(id) => {
                    let there = model.iter().any(|chain| chain.contains(&id));
                    assert_eq!(table.remove(&nodes[id]).is_some(), there);
                    model.iter_mut().for_each(|chain| chain.retain(|&other| other != id));
                }
            }
            for (hash, chain) in model.iter().enumerate() {
                assert_eq!(&ids(&table, hash), chain);
            }
            assert_eq!(table.is_empty(), model.iter().all(Vec::is_empty));
        }
        assert_eq!(table.iter().count(), model.iter().map(Vec::len).sum::<usize>());
        assert!(nodes.iter().all(|node| {
            Arc::strong_count(node) == 1 + usize::from(table.contains(node))
        }));
    }
}
