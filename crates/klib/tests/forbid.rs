//! The crate as its main user meets it: epoll in miniature, under `forbid(unsafe_code)`.
//!
//! Linux: fs/eventpoll.c (6.12), reduced to its structures.
#![forbid(unsafe_code)]

use acrida_klib::adapter;
use acrida_klib::list::{List, ListLink};
use acrida_klib::rbtree::{Place, RbLink, RbTree};
use std::sync::{Arc, Mutex, Weak};

/// Known by (file, fd), as in `struct epoll_filefd`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    file: usize,
    fd: i32,
}

struct Epitem {
    key: Key,
    eventpoll: Weak<Eventpoll>,
    rbn: RbLink,
    rdllink: ListLink,
}

adapter!(ByKey = Epitem { rbn: RbLink });
adapter!(
    /// On the ready list.
    Ready = Epitem { rdllink: ListLink }
);

#[derive(Default)]
struct Inner {
    items: RbTree<ByKey>,
    ready: List<Ready>,
}

#[derive(Default)]
struct Eventpoll {
    inner: Mutex<Inner>,
}

impl Eventpoll {
    fn insert(self: &Arc<Self>, key: Key) -> Result<Arc<Epitem>, &'static str> {
        let mut inner = self.inner.lock().unwrap();
        let Place::Vacant(place) = inner.items.descend(|epi| key.cmp(&epi.key)) else {
            return Err("EEXIST");
        };
        let (rbn, rdllink) = (RbLink::new(), ListLink::new());
        let epi = Arc::new(Epitem { key, eventpoll: Arc::downgrade(self), rbn, rdllink });
        place.insert(epi.clone()).expect("a new item is in no tree");
        Ok(epi)
    }

    fn remove(&self, key: Key) -> Result<(), &'static str> {
        let mut inner = self.inner.lock().unwrap();
        let Place::Occupied(place) = inner.items.descend(|epi| key.cmp(&epi.key)) else {
            return Err("ENOENT");
        };
        let epi = place.remove();
        inner.ready.remove(&epi);
        Ok(())
    }

    /// Level-triggered: what is given out goes to the tail again.
    fn wait(&self, most: usize) -> Vec<i32> {
        let mut inner = self.inner.lock().unwrap();
        let mut scan = std::mem::take(&mut inner.ready);
        let mut events = Vec::new();
        while events.len() < most
            && let Some(epi) = scan.pop_front()
        {
            events.push(epi.key.fd);
            inner.ready.push_back(epi).expect("just taken off");
        }
        inner.ready.splice_front(&mut scan);
        events
    }
}

/// The callback of a wait queue: holds no reference to the set.
fn poll_callback(epi: &Arc<Epitem>) {
    let Some(eventpoll) = epi.eventpoll.upgrade() else {
        return;
    };
    let mut inner = eventpoll.inner.lock().unwrap();
    if inner.items.contains(epi) && !epi.rdllink.is_linked() {
        inner.ready.push_back(epi.clone()).expect("not linked, under the lock");
    }
}

#[test]
fn ready_items_take_turns() {
    let eventpoll = Arc::new(Eventpoll::default());
    let items: Vec<_> = (0..3).map(|fd| eventpoll.insert(Key { file: 9, fd }).unwrap()).collect();
    assert!(eventpoll.insert(Key { file: 9, fd: 1 }).is_err());
    for epi in items.iter().chain(&items) {
        poll_callback(epi);
    }
    assert_eq!(eventpoll.wait(2), [0, 1]);
    assert_eq!(eventpoll.wait(2), [2, 0]);
    eventpoll.remove(Key { file: 9, fd: 1 }).unwrap();
    poll_callback(&items[1]); // a late wake-up of what has left the set
    assert_eq!(eventpoll.wait(9), [2, 0]);
}

#[test]
fn the_set_goes_before_its_items() {
    let eventpoll = Arc::new(Eventpoll::default());
    let epi = eventpoll.insert(Key { file: 9, fd: 3 }).unwrap();
    poll_callback(&epi);
    assert_eq!(Arc::strong_count(&epi), 3);
    drop(eventpoll);
    assert_eq!(Arc::strong_count(&epi), 1);
    assert!(!epi.rbn.is_linked() && !epi.rdllink.is_linked());
    poll_callback(&epi);
}

#[test]
fn the_key_orders_by_file_then_descriptor() {
    let eventpoll = Arc::new(Eventpoll::default());
    for (file, fd) in [(2, 0), (1, 7), (1, 3)] {
        eventpoll.insert(Key { file, fd }).unwrap();
    }
    let inner = eventpoll.inner.lock().unwrap();
    assert!(inner.items.iter().map(|epi| (epi.key.file, epi.key.fd)).eq([(1, 3), (1, 7), (2, 0)]));
}
