//! Sleeping, waking, epoll's ready list and the look-up of files in every interleaving of their threads, by loom.
//!
//! Compiled here are the kernel's own files (`kcore/src/{sched,stable,task_work,wait}.rs`, `fs/eventpoll/ready.rs`), with loom's threads,
//! locks and atomics below them: this file stands for the crate around them, so that their `crate::` and `acrida_kcore::` lead
//! to [`machine`]. A wake-up that is lost is a deadlock, which loom reports with its interleaving.
//!
//! A model that explores one interleaving passes too, so each test names the outcomes that must have been seen. loom (0.7)
//! remembers one last access per atomic: a thread that loads an atomic and then stores it hides an earlier load by another
//! thread. So the main thread, which loom runs first, has the side that stores what the other only reads.

extern crate alloc;
extern crate self as acrida_kcore;

#[path = "../../src"]
#[allow(dead_code, unused_imports, reason = "the models use a part of what the kernel uses")]
mod kcore {
    pub mod sched;
    pub mod stable;
    pub mod task_work;
    pub mod wait;
}
mod eventpoll;
#[allow(dead_code, reason = "a machine has more than one model needs")]
mod machine;
mod stable_slot;
mod wait_queue;

use kcore::{sched, stable, task_work, wait};
use machine::{platform, primitive, sync, thread, wake_q};

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// How often loom may take the processor from a thread that could go on; most errors need one or two.
const PREEMPTIONS: usize = 2;

/// What `check` returned over all interleavings.
fn outcomes<R, F>(check: F) -> BTreeSet<R>
where
    R: Ord + Send + Debug + 'static,
    F: Fn() -> R + Sync + Send + 'static,
{
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let all = seen.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(move || {
        let outcome = check();
        seen.lock().unwrap().insert(outcome);
    });
    std::mem::take(&mut *all.lock().unwrap())
}
