//! A small value that is read all the time and changed seldom.
//!
//! Mirrors: the use of `seqlock_t` in fs/inode.c and kernel/time, Linux 6.18.
//! Differs: readers that meet a writer take its lock: a writer here may lose its processor in the middle of a store.
//! Locking: `writer` is a leaf lock.
//! Memory order: as `acrida_klib::seqlock`.

use acrida_klib::seqlock::{SeqLock, Words};

use crate::sync::{SpinLock, SpinLockGuard};

/// A value of `N` words that is read without a lock.
#[doc(alias = "seqlock_t")]
pub struct SeqCell<T, const N: usize> {
    value: SeqLock<T, N>,
    writer: SpinLock<()>,
}

impl<T: Words<N>, const N: usize> SeqCell<T, N> {
    pub fn new(value: T) -> Self {
        SeqCell { value: SeqLock::new(value), writer: SpinLock::new(()) }
    }

    /// The value of one moment.
    #[inline]
    pub fn get(&self) -> T {
        match self.value.try_read() {
            Some(value) => value,
            None => self.get_after_writer(),
        }
    }

    /// A writer that was killed has left some words of the new value and some of the old.
    fn lock_writer(&self) -> SpinLockGuard<'_, ()> {
        self.writer.lock_or_repair(|()| self.value.end_abandoned())
    }

    #[cold]
    fn get_after_writer(&self) -> T {
        let _writer = self.lock_writer();
        self.value.read(core::hint::spin_loop)
    }

    /// Changes the value; nothing happens when `change` fails.
    ///
    /// # Errors
    /// What `change` says.
    pub fn try_update<E>(&self, change: impl FnOnce(&mut T) -> Result<(), E>) -> Result<(), E> {
        let _writer = self.lock_writer();
        let mut value = self.value.read(core::hint::spin_loop);
        change(&mut value)?;
        self.value.try_write(value).unwrap_or_else(|_| unreachable!("two writers under one lock"));
        Ok(())
    }

    /// Changes the value.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        let Ok(()) = self.try_update(|value| {
            change(value);
            Ok::<(), core::convert::Infallible>(())
        });
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.update(|old| *old = value);
    }
}
