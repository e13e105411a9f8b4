//! Every interleaving of the lock-free structures, by loom.
//!
//! Linux: none; compare tools/memory-model/litmus-tests (6.12).
//! Run: `RUSTFLAGS="--cfg loom" cargo test -p acrida-klib --test loom --release`.
#![cfg(loom)]

use acrida_klib::kfifo::Kfifo;
use acrida_klib::seqlock::SeqLock;
use loom::sync::Arc;
use loom::thread;

/// A few preemptions find what there is to find; more only take longer.
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(check);
}

#[test]
fn kfifo_passes_elements_in_order_across_the_wrap() {
    model(|| {
        let mut fifo: Kfifo<u8> = Kfifo::new(2);
        fifo.set_indices(u32::MAX, u32::MAX).unwrap();
        let (mut enter, mut leave) = fifo.into_halves();
        let writer = thread::spawn(move || {
            let first = enter.put(&[1, 2, 3]);
            first + enter.put(&[3, 4][..1])
        });
        let mut got = Vec::new();
        let mut buffer = [0; 2];
        for _ in 0..2 {
            let count = leave.get(&mut buffer);
            got.extend_from_slice(&buffer[..count]);
        }
        assert!(leave.fifo().len() <= leave.fifo().capacity());
        let put = writer.join().unwrap();
        let count = leave.get(&mut buffer);
        got.extend_from_slice(&buffer[..count]);
        assert_eq!(got, [1, 2, 3][..put]);
    });
}

#[test]
fn seqlock_readers_see_whole_values() {
    model(|| {
        let lock: Arc<SeqLock<[u64; 2], 2>> = Arc::new(SeqLock::new([0, 0]));
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || {
                lock.try_write([1, 1]).unwrap();
                lock.try_write([2, 2]).unwrap();
            })
        };
        let mut newest = 0;
        for _ in 0..2 {
            if let Some([a, b]) = lock.try_read() {
                assert_eq!(a, b, "half a value");
                assert!(a >= newest, "an older value");
                newest = a;
            }
        }
        writer.join().unwrap();
        assert_eq!(lock.try_read(), Some([2, 2]));
    });
}

#[test]
fn seqlock_writers_exclude_each_other() {
    model(|| {
        let lock: Arc<SeqLock<[u64; 2], 2>> = Arc::new(SeqLock::new([0, 0]));
        let add = |lock: &SeqLock<[u64; 2], 2>| {
            u64::from(lock.try_update(|words| words.map(|word| word + 1)).is_ok())
        };
        let other = {
            let lock = lock.clone();
            thread::spawn(move || add(&lock))
        };
        let mine = add(&lock);
        let sum = mine + other.join().unwrap();
        assert!(sum >= 1);
        assert_eq!(lock.try_read(), Some([sum, sum]));
    });
}
