//! eventfd: a counter that threads add to and wait for.
//!
//! Mirrors: fs/eventfd.c, Linux 6.18.
//! Differs: the counter changes by compare-and-swap (Linux takes the wait queue's lock).
//! Locking: none.
//! Memory order: the counter is changed before the queue's length is looked at, and a sleeper is on the queue before it
//! looks at the counter; all SeqCst.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE};
use acrida_uapi::fcntl::O_RDWR;

use crate::abi::{Flags, SysResult};
use crate::current;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;

/// What a read takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Everything.
    Counter,
    /// One.
    Semaphore,
}

/// The counter; at most `u64::MAX - 1` by writes, `u64::MAX` only by an overflowing signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count(u64);

impl Count {
    /// Takes what a read gives, or `None` when there is nothing.
    #[doc(alias = "eventfd_ctx_do_read")]
    fn take(&mut self, mode: Mode) -> Option<u64> {
        let taken = match mode {
            Mode::Semaphore => self.0.min(1),
            Mode::Counter => self.0,
        };
        self.0 -= taken;
        (taken > 0).then_some(taken)
    }

    /// Adds `value` if it fits.
    fn add(&mut self, value: u64) -> Option<()> {
        if u64::MAX - self.0 <= value {
            return None;
        }
        self.0 += value;
        Some(())
    }

    fn events(self) -> u32 {
        let readable = if self.0 > 0 { EPOLLIN } else { 0 };
        let overflown = if self.0 == u64::MAX { EPOLLERR } else { 0 };
        let writable = if self.0 < u64::MAX - 1 { EPOLLOUT } else { 0 };
        readable | overflown | writable
    }
}

/// An event counter.
#[doc(alias = "eventfd_ctx")]
pub struct Eventfd {
    count: AtomicU64,
    wqh: Arc<WaitQueueHead>,
    mode: Mode,
    id: u32,
}

static NEXT_ID: AtomicU32 = AtomicU32::new(0);

impl Eventfd {
    fn new(count: u32, mode: Mode) -> Self {
        Eventfd { count: AtomicU64::new(count.into()), wqh: Arc::default(), mode, id: NEXT_ID.fetch_add(1, Ordering::Relaxed) }
    }

    /// Tries `change` on the counter, and tells the others about `event` when it succeeds and somebody listens.
    fn change<R>(&self, event: u32, change: impl Fn(&mut Count) -> Option<R>) -> Option<R> {
        let mut old = self.count();
        loop {
            let mut count = old;
            let done = change(&mut count)?;
            match self.count.compare_exchange_weak(old.0, count.0, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) if self.wqh.is_active() => self.wqh.wake_one(event),
                Ok(_) => {}
                Err(other) => {
                    old = Count(other);
                    continue;
                }
            }
            return Some(done);
        }
    }

    fn count(&self) -> Count {
        Count(self.count.load(Ordering::SeqCst))
    }

    /// [`Eventfd::change`], waiting until it succeeds.
    fn change_or_wait<R>(&self, blocking: Blocking, event: u32, change: impl Fn(&mut Count) -> Option<R>) -> Result<R, Error> {
        match (self.change(event, &change), blocking) {
            (Some(done), _) => Ok(done),
            (None, Blocking::No) => Err(Errno::EAGAIN.into()),
            (None, Blocking::Yes) => {
                let options = WaitOptions::interruptible("eventfd");
                self.wqh.wait_event(options, || self.change(event, &change)).map_err(|_| Restart::ERESTARTSYS.into())
            }
        }
    }
}

impl Eventfd {
    /// Adds the value in one buffer, which has exactly its size.
    fn write_one(&self, file: &File, from: &mut IovIter<'_>) -> SysResult {
        let mut bytes = [0; 8];
        let len = from.user_segment().map_or(from.count(), |(_, len)| len);
        if len != bytes.len() {
            return Err(Errno::EINVAL.into());
        }
        if from.copy_from(&mut bytes) < bytes.len() {
            return Err(Errno::EFAULT.into());
        }
        let value = u64::from_ne_bytes(bytes);
        if value == u64::MAX {
            return Err(Errno::EINVAL.into());
        }
        self.change_or_wait(Blocking::of(file, from), EPOLLIN, |count| count.add(value))?;
        Ok(bytes.len())
    }
}

impl FileOperations for Eventfd {
    #[doc(alias = "eventfd_read")]
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        if to.count() < size_of::<u64>() {
            return Err(Errno::EINVAL.into());
        }
        let taken = self.change_or_wait(Blocking::of(file, to), EPOLLOUT, |count| count.take(self.mode))?;
        match to.copy_to(&taken.to_ne_bytes()) {
            8 => Ok(8),
            _ => Err(Errno::EFAULT.into()),
        }
    }

    fn can_splice_write(&self) -> bool {
        false
    }

    #[doc(alias = "eventfd_write")]
    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        // writev is one write for each segment: the value cannot be spread over several.
        let mut done = self.write_one(file, from)?;
        while from.count() > 0 {
            match self.write_one(file, from) {
                Ok(bytes) => done += bytes,
                Err(_) => break,
            }
        }
        Ok(done)
    }

    fn can_nowait(&self) -> bool {
        true
    }

    /// Seeks succeed and do nothing.
    #[doc(alias = "noop_llseek")]
    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    #[doc(alias = "eventfd_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.wqh);
        Some(self.count().events())
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "eventfd_release")]
    fn release(&self, _file: &File) {
        self.wqh.wake_all(EPOLLHUP);
    }

    #[doc(alias = "eventfd_show_fdinfo")]
    fn show_fdinfo(&self, _file: &File, out: &mut String) {
        let semaphore = u32::from(self.mode == Mode::Semaphore);
        // Writing to a String cannot fail.
        let _ = write!(out, "eventfd-count: {:16x}\neventfd-id: {}\neventfd-semaphore: {semaphore}\n", self.count().0, self.id,);
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(String::from("anon_inode:[eventfd]"))
    }
}

#[doc(alias = "do_eventfd")]
pub fn sys_eventfd2(count: u32, flags: Flags) -> SysResult {
    if flags.0 & !(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let mode = if flags.0 & EFD_SEMAPHORE != 0 { Mode::Semaphore } else { Mode::Counter };
    let file = File::anon(Arc::new(Eventfd::new(count, mode)), O_RDWR | flags.0 & EFD_NONBLOCK);
    Ok(current().files().install(file, flags.0 & EFD_CLOEXEC != 0)? as usize)
}

pub fn sys_eventfd(count: u32) -> SysResult {
    sys_eventfd2(count, Flags(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_gives_all_and_a_semaphore_one() {
        let mut count = Count(3);
        assert_eq!(count.take(Mode::Semaphore), Some(1));
        assert_eq!(count.take(Mode::Counter), Some(2));
        assert_eq!(count.take(Mode::Counter), None);
        assert_eq!(count.take(Mode::Semaphore), None);
    }

    #[test]
    fn the_largest_value_stays_free_for_overflow() {
        let mut count = Count(0);
        assert_eq!(count.add(u64::MAX - 1), Some(()));
        assert_eq!(count.events(), EPOLLIN);
        assert_eq!(count.add(1), None);
        assert_eq!(count.add(0), Some(()));
        assert_eq!(Count(0).events(), EPOLLOUT);
        assert_eq!(Count(u64::MAX - 2).events(), EPOLLIN | EPOLLOUT);
        assert_eq!(Count(u64::MAX).events(), EPOLLIN | EPOLLERR);
    }
}
