//! The end of an open file under every order that a thousand seeds give: it comes once, to whoever gave the last reference up,
//! and when that thread holds no lock any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::current;
use acrida_kernel::fs::file::{File, FileOperations, FileRef};
use acrida_platform_sim::{preempt, run};

const SEEDS: u64 = 1000;
const USERS: usize = 3;

#[derive(Default)]
struct World {
    /// One lock for each user, taken around the moment when it gives its reference up.
    locks: [SpinLock<()>; USERS],
    /// Ends that came under their thread's lock.
    under_a_lock: AtomicU32,
    ends: AtomicU32,
}

thread_local! {
    /// The calling user's lock is held.
    static HOLDS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

struct Watched(Arc<World>);

impl FileOperations for Watched {
    fn release(&self, _file: &File) {
        self.0.under_a_lock.fetch_add(HOLDS.get().into(), Ordering::Relaxed);
        self.0.ends.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_file_ends_once_and_under_no_lock() {
    for seed in 0..SEEDS {
        run(seed, move |sim| {
            let world = Arc::new(World::default());
            let file = File::anon(Arc::new(Watched(world.clone())), 0);
            let weak = FileRef::downgrade(&file);
            let users: Vec<_> = (0..USERS)
                .map(|user| {
                    let (world, file) = (world.clone(), file.clone());
                    sim.spawn("user", move |_| {
                        let guard = world.locks[user].lock();
                        HOLDS.set(true);
                        preempt();
                        drop(file);
                        preempt();
                        HOLDS.set(false);
                        drop(guard);
                        preempt();
                        current().task_work.run();
                    })
                })
                .collect();
            drop(file);
            current().task_work.run();
            users.into_iter().for_each(|user| sim.join(user));
            assert_eq!(world.ends.load(Ordering::Relaxed), 1, "seed {seed}");
            assert_eq!(world.under_a_lock.load(Ordering::Relaxed), 0, "seed {seed}");
            assert!(weak.upgrade().is_none());
        });
    }
}

/// Nobody gets a reference to a file between its last one and its end.
#[test]
fn a_file_that_waits_for_its_end_cannot_be_had() {
    run(0, |_| {
        let world = Arc::new(World::default());
        let file = File::anon(Arc::new(Watched(world.clone())), 0);
        let weak = FileRef::downgrade(&file);
        drop(file);
        assert!(weak.upgrade().is_none());
        assert_eq!(world.ends.load(Ordering::Relaxed), 0);
        current().task_work.run();
        assert_eq!(world.ends.load(Ordering::Relaxed), 1);
    });
}
