//! The nulls table: what readers may rely on while nodes move, and when nodes are dropped.

use super::{NullsLink, NullsTable, NullsWriter, Reclaim};
use crate::adapter;
use crate::testing::steps;
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

struct Sock {
    id: usize,
    chain: NullsLink,
}

adapter!(ById = Sock { chain: NullsLink });

fn sock(id: usize) -> Arc<Sock> {
    Arc::new(Sock { id, chain: NullsLink::new() })
}

/// Grace periods by counting: what is retired is dropped when no reader is left.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    readers: usize,
    retired: Vec<Arc<dyn Any + Send + Sync>>,
}

struct Section<'a>(&'a Counting);

// SAFETY: `retired` is emptied only while no guard exists at all.
unsafe impl Reclaim for Counting {
    type Guard<'a> = Section<'a>;

    fn enter(&self) -> Section<'_> {
        self.0.lock().unwrap().readers += 1;
        Section(self)
    }

    fn retire<T: Send + Sync + 'static>(&self, node: Arc<T>) {
        let mut state = self.0.lock().unwrap();
        if state.readers > 0 {
            state.retired.push(node);
        }
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap();
        state.readers -= 1;
        if state.readers == 0 {
            state.retired.clear();
        }
    }
}

type Table = Arc<NullsTable<ById, Counting>>;
type Writer = NullsWriter<ById, Counting>;

fn table(chains: usize, writers: usize) -> (Table, Vec<Writer>) {
    NullsTable::new(chains, writers, Counting::default())
}

fn ids(writer: &Writer) -> Vec<usize> {
    writer.iter().map(|sock| sock.id).collect()
}

#[test]
fn nodes_enter_at_the_head_and_leave_from_anywhere() {
    for gone in 0..3 {
        let (table, mut writers) = table(2, 1);
        let [writer] = &mut writers[..] else { panic!() };
        let socks: Vec<_> = (0..3).map(sock).collect();
        socks.iter().for_each(|sock| writer.add(0, sock.clone()).unwrap());
        assert_eq!(ids(writer), [2, 1, 0]);
        assert!(writer.add(1, socks[0].clone()).is_err());
        assert!(writer.remove(&socks[gone]) && !writer.remove(&socks[gone]));
        assert_eq!(Arc::strong_count(&socks[gone]), 1);
        let reader = table.read();
        for id in 0..3 {
            assert_eq!(reader.lookup(0, |sock| sock.id == id).is_some(), id != gone);
            assert!(reader.lookup(1, |sock| sock.id == id).is_none());
        }
        drop(reader);
        writer.add(1, socks[gone].clone()).unwrap();
        drop(writers);
        drop(table);
        assert!(socks.iter().all(|sock| Arc::strong_count(sock) == 1 && !sock.chain.is_linked()));
    }
}

#[test]
fn what_a_reader_found_outlives_its_removal() {
    let (table, mut writers) = table(1, 1);
    writers[0].add(0, sock(7)).unwrap();
    let reader = table.read();
    let found = reader.lookup(0, |_| true).unwrap();
    assert!(writers[0].remove(found));
    assert_eq!(found.id, 7);
    let late = reader.lookup_arc(0, |_| true);
    assert!(late.is_none());
    let weak = Arc::downgrade(&{
        let again = sock(8);
        writers[0].add(0, again.clone()).unwrap();
        again
    });
    let kept = reader.lookup_arc(0, |sock| sock.id == 8).unwrap();
    assert!(writers[0].remove(&kept));
    drop(reader);
    assert_eq!(Arc::strong_count(&kept), 1);
    drop(kept);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_reader_carried_away_starts_again() {
    let (table, mut writers) = table(2, 2);
    let [even, odd] = &mut writers[..] else { panic!() };
    let [x, y, z] = [1, 2, 3].map(sock);
    odd.add(1, y).unwrap();
    even.add(0, z).unwrap();
    even.add(0, x.clone()).unwrap();
    let mut path = Vec::new();
    let reader = table.read();
    let found = reader.lookup(0, |sock| {
        path.push(sock.id);
        if path.len() == 1 {
            assert!(even.remove(&x));
            odd.add(1, x.clone()).unwrap();
        }
        sock.id == 3
    });
    assert_eq!(found.map(|sock| sock.id), Some(3));
    drop(reader);
    assert_eq!(path, [1, 2, 3]); // x, then y at the end of the other chain, then z from our head
}

#[test]
fn a_node_stays_with_its_table_and_a_chain_with_its_writer() {
    let [(_table, mut here), (_other, mut there)] = [table(2, 2), table(2, 2)];
    let node = sock(1);
    here[0].add(0, node.clone()).unwrap();
    assert!(!here[1].remove(&node) && !there[0].remove(&node));
    assert!(here[0].remove(&node));
    assert!(there[0].add(0, node.clone()).is_err());
    here[1].add(1, node.clone()).unwrap();
    assert!(here[1].contains(&node) && !here[0].contains(&node));
}

#[test]
#[should_panic(expected = "chain 1 is another writer's")]
fn a_foreign_chain_is_a_bug() {
    let (_table, mut writers) = table(4, 2);
    let _ = writers[0].add(5, sock(1));
}

#[test]
fn a_node_that_stays_is_never_missed_while_others_move() {
    const CHAINS: usize = 4;
    let (table, writers) = table(CHAINS, 2);
    let writers: Vec<Mutex<Writer>> = writers.into_iter().map(Mutex::new).collect();
    let add = |hash: usize, node: &Arc<Sock>| writers[hash % 2].lock().unwrap().add(hash, node.clone()).is_ok();
    for id in 0..CHAINS {
        assert!(add(id, &sock(id))); // stays at the end of its chain
    }
    let movers: Vec<_> = (100..108).map(sock).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                for id in 0..CHAINS {
                    let reader = table.read();
                    let found = reader.lookup(id, |sock| sock.id == id);
                    assert_eq!(found.map(|sock| sock.id), Some(id));
                    assert!(reader.lookup_arc(id, |sock| sock.id == usize::MAX).is_none());
                }
            }
        });
        for step in 0..steps(50_000, 100) as usize {
            let mover = &movers[step % movers.len()];
            writers.iter().for_each(|writer| _ = writer.lock().unwrap().remove(mover));
            assert!(add(step * 7 / 3, mover));
        }
        stop.store(true, Relaxed);
    });
}
