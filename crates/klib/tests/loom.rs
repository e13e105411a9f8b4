//! Every interleaving of the lock-free structures, by loom.
//!
//! Linux: none; compare tools/memory-model/litmus-tests (6.12).
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p acrida-klib --test loom --release`.
//!
//! A model that explores one interleaving passes too, so every test also says which outcomes must
//! have been seen. loom (0.7) remembers one last access per atomic: a thread that loads an atomic
//! and then stores it hides an earlier load by another thread. So the main thread, which loom runs
//! first, always has the side that stores what the other only reads.
#![cfg(loom)]

use acrida_klib::kfifo::Kfifo;
use acrida_klib::seqlock::{SeqLock, WriterBusy};
use loom::sync::Arc;
use loom::thread;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Mutex;

/// What `check` returned over all interleavings.
fn outcomes<R, F>(check: F) -> BTreeSet<R>
where
    R: Ord + Send + Debug + 'static,
    F: Fn() -> R + Sync + Send + 'static,
{
    let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
    let all = seen.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let outcome = check();
        seen.lock().unwrap().insert(outcome);
    });
    let mut all = all.lock().unwrap();
    std::mem::take(&mut all)
}

type Pair = SeqLock<[u64; 2], 2>;

#[test]
fn kfifo_reader_takes_what_was_put_across_the_wrap() {
    let seen = outcomes(|| {
        let mut fifo: Kfifo<u8> = Kfifo::new(2);
        fifo.set_indices(u32::MAX, u32::MAX).unwrap();
        let (mut enter, mut leave) = fifo.into_halves();
        let reader = thread::spawn(move || {
            let mut got = Vec::new();
            let mut buffer = [0; 2];
            for _ in 0..2 {
                let count = leave.get(&mut buffer);
                got.extend_from_slice(&buffer[..count]);
            }
            got
        });
        assert_eq!(enter.put(&[1]), 1);
        assert_eq!(enter.put(&[2]), 1);
        reader.join().unwrap()
    });
    assert_eq!(seen, [vec![], vec![1], vec![1, 2]].into());
}

#[test]
fn kfifo_writer_reuses_what_was_taken() {
    let seen = outcomes(|| {
        let mut fifo: Kfifo<u8> = Kfifo::new(2);
        fifo.set_indices(u32::MAX, u32::MAX).unwrap();
        let (mut enter, mut leave) = fifo.into_halves();
        enter.put(&[1, 2]);
        let writer = thread::spawn(move || (enter.put(&[3, 4]), enter));
        let mut got = [0; 2];
        assert_eq!(leave.get(&mut got[..1]), 1);
        assert!(leave.fifo().len() <= 2);
        assert_eq!(leave.get(&mut got[1..]), 1);
        assert_eq!(got, [1, 2]);
        let (put, _enter) = writer.join().unwrap();
        let mut rest = [0; 3];
        assert_eq!(leave.get(&mut rest), put);
        assert_eq!(rest[..put], [3, 4][..put]);
        put
    });
    assert_eq!(seen, [0, 1, 2].into());
}

#[test]
fn seqlock_readers_see_whole_values() {
    let seen = outcomes(|| {
        let lock: Arc<Pair> = Arc::new(SeqLock::new([0, 0]));
        let reader = {
            let lock = lock.clone();
            thread::spawn(move || lock.try_read())
        };
        lock.try_write([1, 1]).unwrap();
        lock.try_write([2, 2]).unwrap();
        assert_eq!(lock.try_read(), Some([2, 2]));
        reader.join().unwrap()
    });
    assert_eq!(seen, [None, Some([0, 0]), Some([1, 1]), Some([2, 2])].into());
}

#[test]
fn seqlock_values_never_go_back() {
    let seen = outcomes(|| {
        let lock: Arc<Pair> = Arc::new(SeqLock::new([0, 0]));
        let reader = {
            let lock = lock.clone();
            thread::spawn(move || [lock.try_read(), lock.try_read()])
        };
        lock.try_write([1, 1]).unwrap();
        reader.join().unwrap()
    });
    let (old, new) = (Some([0, 0]), Some([1, 1]));
    assert!(!seen.contains(&[new, old]) && !seen.contains(&[new, None]), "{seen:?}");
    assert!(seen.is_superset(&[[old, old], [old, new], [None, new], [new, new]].into()), "{seen:?}");
}

#[test]
fn seqlock_writers_exclude_each_other() {
    let seen = outcomes(|| {
        let lock: Arc<Pair> = Arc::new(SeqLock::new([0, 0]));
        let add = |lock: &Pair| lock.try_update(|words| words.map(|word| word + 1));
        let other = {
            let lock = lock.clone();
            thread::spawn(move || add(&lock))
        };
        let both = [add(&lock), other.join().unwrap()];
        let sum = both.iter().filter(|done| done.is_ok()).count() as u64;
        assert_eq!(lock.try_read(), Some([sum, sum]));
        both.map(|done| done == Err(WriterBusy))
    });
    assert_eq!(seen, [[false, false], [false, true], [true, false]].into());
}
