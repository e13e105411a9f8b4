//! A table of references: its owner, who does not count what it uses, and others, who look up while it changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::light::LightTable;
use acrida_kcore::stable::{FreeList, Stable};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::current;
use acrida_platform_sim::{preempt, run};

const SEEDS: u64 = 1000;

struct Object {
    name: usize,
    ends: Arc<AtomicU32>,
}

impl Drop for Object {
    fn drop(&mut self) {
        self.ends.fetch_add(1, Ordering::Relaxed);
    }
}

type Table = LightTable<Object, ()>;

static MEMORY: SpinLock<FreeList<Object>> = SpinLock::new(FreeList::new());

fn put(table: &Table, index: usize, name: usize, ends: &Arc<AtomicU32>) {
    let mut guard = table.lock();
    guard.grow(index);
    drop(guard.replace(index, Some(Stable::new(Object { name, ends: ends.clone() }, &MEMORY))));
}

fn close(table: &Table, index: usize) {
    drop(table.lock().replace(index, None));
    current().task_work.run();
}

#[test]
fn an_owner_goes_on_with_what_it_takes_out_itself() {
    run(0, |_| {
        let ends = Arc::new(AtomicU32::new(0));
        let mut table = Table::shared(());
        table.give_to(current());
        put(&table, 3, 7, &ends);
        let used = table.light(3).unwrap();
        close(&table, 3);
        assert_eq!((used.name, ends.load(Ordering::Relaxed)), (7, 0));
        drop(used);
        current().task_work.run();
        assert_eq!(ends.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn an_owner_goes_on_with_what_others_take_out_once_they_may() {
    run(0, |sim| {
        let ends = Arc::new(AtomicU32::new(0));
        let mut table = Table::shared(());
        table.give_to(current());
        put(&table, 3, 7, &ends);
        let table = Arc::new(table);
        let used = table.light(3).unwrap();
        table.share();
        let other = {
            let table = table.clone();
            sim.spawn("other", move |_| close(&table, 3))
        };
        sim.join(other);
        assert_eq!((used.name, ends.load(Ordering::Relaxed)), (7, 0));
        drop(used);
        current().task_work.run();
        assert_eq!(ends.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_table_grows_to_any_number() {
    run(0, |_| {
        let ends = Arc::new(AtomicU32::new(0));
        let table = Table::shared(());
        let numbers = [0, 63, 64, 127, 128, 5000, (1 << 20) - 1];
        for index in numbers {
            put(&table, index, index, &ends);
        }
        assert!(numbers.iter().all(|&index| table.get(index).is_some_and(|object| object.name == index)));
        assert_eq!(table.read(|table| table.capacity()), 1 << 20);
        assert!([1, 65, 300, 1 << 20, u32::MAX as usize].iter().all(|&index| table.get(index).is_none()));
        drop(table);
        current().task_work.run();
        assert_eq!(ends.load(Ordering::Relaxed), numbers.len() as u32);
    });
}

/// Objects are named after the numbers at which they are: no look-up finds another's.
#[test]
fn look_ups_find_what_belongs_there_while_it_changes() {
    const NUMBERS: usize = 3;
    for seed in 0..SEEDS {
        run(seed, move |sim| {
            let ends = Arc::new(AtomicU32::new(0));
            let table = Arc::new(Table::shared(()));
            let users: Vec<_> = (0..3)
                .map(|user| {
                    let (table, ends) = (table.clone(), ends.clone());
                    sim.spawn("user", move |_| {
                        for index in (0..NUMBERS).cycle().skip(user).take(2 * NUMBERS) {
                            put(&table, index, index, &ends);
                            preempt();
                            let used = table.light((index + 1) % NUMBERS);
                            preempt();
                            close(&table, index);
                            assert!(used.is_none_or(|used| used.name == (index + 1) % NUMBERS), "seed {seed}");
                        }
                        current().task_work.run();
                    })
                })
                .collect();
            users.into_iter().for_each(|user| sim.join(user));
            (0..NUMBERS).for_each(|index| close(&table, index));
            assert_eq!(ends.load(Ordering::Relaxed), 3 * 2 * NUMBERS as u32, "seed {seed}");
        });
    }
}
