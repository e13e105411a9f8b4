//! A look-up without a lock against everything that may happen to the object meanwhile.
//!
//! The object's content lies in loom's cell, so a look at one that has ended, or that is not made yet, is an error.

use super::machine::thread::current;
use super::outcomes;
use super::primitive::{AtomicU32, Ordering};
use super::stable::{FreeList, Slot, Stable};
use super::sync::SpinLock;

use loom::cell::UnsafeCell;
use loom::thread;
use std::sync::Arc;

/// Something with a name, whose ends are counted.
struct Object {
    name: UnsafeCell<char>,
    ends: Arc<AtomicU32>,
}

// SAFETY: the cell is written only by the end; loom looks after it.
unsafe impl Sync for Object {}

impl Object {
    fn name(&self) -> char {
        // SAFETY: nobody writes it before the end.
        self.name.with(|name| unsafe { *name })
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: nobody looks at it any more.
        self.name.with_mut(|name| unsafe { *name = '-' });
        self.ends.fetch_add(1, Ordering::Relaxed);
    }
}

/// Objects of one kind, and a place for one.
#[derive(Clone)]
struct World {
    memory: &'static SpinLock<FreeList<Object>>,
    ends: Arc<AtomicU32>,
    slot: Arc<Slot<Object>>,
}

impl World {
    fn new() -> World {
        let memory = Box::leak(Box::new(SpinLock::new(FreeList::new())));
        World { memory, ends: Arc::new(AtomicU32::new(0)), slot: Arc::new(Slot::default()) }
    }

    fn object(&self, name: char) -> Stable<Object> {
        Stable::new(Object { name: UnsafeCell::new(name), ends: self.ends.clone() }, self.memory)
    }

    /// What a call does: looks the object up, uses it, and does what it put off.
    fn call(&self) -> Option<char> {
        let name = self.slot.get().map(|object| object.name());
        current().task_work.run();
        name
    }

    /// A call of another thread.
    fn reader(&self) -> thread::JoinHandle<Option<char>> {
        let world = self.clone();
        thread::spawn(move || world.call())
    }

    fn close(&self) {
        drop(self.slot.replace(None));
        current().task_work.run();
    }

    fn ends(&self) -> u32 {
        self.ends.load(Ordering::Relaxed)
    }
}

#[test]
fn a_look_up_during_a_close_finds_the_object_or_none() {
    let seen = outcomes(|| {
        let world = World::new();
        drop(world.slot.replace(Some(world.object('a'))));
        let reader = world.reader();
        world.close();
        let found = reader.join().unwrap();
        assert_eq!(world.ends(), 1);
        found
    });
    assert_eq!(seen, [None, Some('a')].into());
}

/// The memory of the object that a reader was about to count holds another one by then, which is in no slot.
#[test]
fn a_look_up_does_not_find_what_took_the_memory_over() {
    let seen = outcomes(|| {
        let world = World::new();
        let first = world.object('a');
        let place = Stable::as_ptr(&first);
        drop(world.slot.replace(Some(first)));
        let reader = world.reader();
        world.close();
        let other = world.object('x');
        let reused = Stable::as_ptr(&other) == place;
        let found = reader.join().unwrap();
        assert_eq!(other.name(), 'x');
        drop(other);
        current().task_work.run();
        assert_eq!(world.ends(), 2);
        (found, reused)
    });
    // Without reuse and found nothing: counted before the memory was free, and given back.
    assert_eq!(seen, [(None, false), (None, true), (Some('a'), false), (Some('a'), true)].into());
}

/// The number is closed, and given to another file in the same memory.
#[test]
fn a_look_up_during_close_and_reopen_finds_old_new_or_none() {
    let seen = outcomes(|| {
        let world = World::new();
        drop(world.slot.replace(Some(world.object('a'))));
        let reader = world.reader();
        world.close();
        drop(world.slot.replace(Some(world.object('b'))));
        let found = reader.join().unwrap();
        assert_eq!(world.ends(), 1);
        world.close();
        assert_eq!(world.ends(), 2);
        found
    });
    assert_eq!(seen, [None, Some('a'), Some('b')].into());
}

/// dup2 leaves no gap.
#[test]
fn a_look_up_during_a_replacement_finds_old_or_new() {
    let seen = outcomes(|| {
        let world = World::new();
        drop(world.slot.replace(Some(world.object('a'))));
        let reader = world.reader();
        drop(world.slot.replace(Some(world.object('b'))));
        current().task_work.run();
        let found = reader.join().unwrap();
        world.close();
        assert_eq!(world.ends(), 2);
        found
    });
    assert_eq!(seen, [Some('a'), Some('b')].into());
}

/// Two readers and the last put: whoever of the three gives the last reference up ends the object.
#[test]
fn the_last_of_several_ends_the_object_once() {
    let seen = outcomes(|| {
        let world = World::new();
        drop(world.slot.replace(Some(world.object('a'))));
        let readers = [(); 2].map(|()| {
            let world = world.clone();
            thread::spawn(move || world.call())
        });
        world.close();
        let found = readers.map(|reader| reader.join().unwrap());
        assert_eq!(world.ends(), 1);
        found
    });
    assert!(seen.contains(&[None, None]) && seen.contains(&[Some('a'), Some('a')]), "{seen:?}");
}

#[test]
fn a_weak_reference_finds_the_object_or_none_and_never_another() {
    let seen = outcomes(|| {
        let world = World::new();
        let object = world.object('a');
        let weak = Stable::downgrade(&object);
        let reader = {
            thread::spawn(move || {
                let name = weak.upgrade().map(|object| object.name());
                assert!(name.is_some() || weak.upgrade().is_none(), "an object that came back");
                drop(weak);
                current().task_work.run();
                name
            })
        };
        drop(object);
        current().task_work.run();
        let other = world.object('x');
        let found = reader.join().unwrap();
        drop(other);
        current().task_work.run();
        assert_eq!(world.ends(), 2);
        found
    });
    assert_eq!(seen, [None, Some('a')].into());
}
