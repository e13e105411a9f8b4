//! epoll_wait and its kin: sleeping for events.
//!
//! Mirrors: fs/eventpoll.c (`ep_poll`, `do_epoll_wait`, `do_epoll_pwait`), Linux 6.18.
//! Differs: none that a program sees. A wait that a signal ends is never made again: `EINTR`, whatever `SA_RESTART` says.
//! Locking: none here.

use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitError, WaitOptions};
use acrida_uapi::epoll::EpollEvent;
use acrida_uapi::errno::Errno;

use super::Eventpoll;
use super::file::as_set;
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::file::FileRef;
use crate::fs::iovec::access_ok;
use crate::fs::read_write::fdget;
use crate::fs::select::timeout::{Timeout, TimeoutArg, with_sigmask};
use crate::kernel::signal::is_deliverable;

/// Most events of one call (`EP_MAX_EVENTS`).
const MAX_EVENTS: usize = i32::MAX as usize / size_of::<EpollEvent>();

impl Eventpoll {
    /// Hands events of at most `max` ready items to the caller at `events`.
    #[inline]
    fn take(&self, events: UserAddr, max: usize) -> Result<usize, Errno> {
        if !self.has_events() {
            return Ok(0);
        }
        self.send_events(max, |before, event| events.add((before * size_of::<EpollEvent>()) as u64).write(event).is_ok())
    }

    /// [`Eventpoll::take`], asleep until there are any; 0 after the timeout. Nothing was there a moment ago.
    #[cold]
    #[doc(alias = "ep_poll")]
    fn wait(&self, events: UserAddr, max: usize, timeout: Timeout) -> Result<usize, Errno> {
        let mut timed_out = timeout == Timeout::Now;
        loop {
            if timed_out {
                return Ok(0);
            }
            if current().thread.signal_pending() && is_deliverable(current()) {
                return Err(Errno::EINTR);
            }
            let options = WaitOptions::interruptible("ep_poll").until(timeout.deadline());
            timed_out = self.sleep(options) == Err(WaitError::TimedOut);
            let taken = self.take(events, max)?;
            if taken > 0 {
                return Ok(taken);
            }
        }
    }

    /// Sleeps until a wait may find events. One sleeper is woken per event; the others sleep on.
    ///
    /// # Errors
    /// As [`acrida_kcore::wait::WaitQueueHead::wait_event`].
    pub fn sleep(&self, options: WaitOptions) -> Result<(), WaitError> {
        self.wq.wait_event(options.exclusive(), || self.has_events().then_some(()))
    }
}

/// The set behind a file, after Linux's checks.
#[doc(alias = "ep_check_params")]
fn checked<'a>(file: &'a FileRef, events: UserAddr, max: i32) -> Result<(&'a Arc<Eventpoll>, usize), Errno> {
    let max = usize::try_from(max).ok().filter(|max| (1..=MAX_EVENTS).contains(max)).ok_or(Errno::EINVAL)?;
    access_ok(events, max * size_of::<EpollEvent>())?;
    as_set(file).map(|set| (set, max)).ok_or(Errno::EINVAL)
}

#[inline]
fn do_epoll_wait(epfd: Fd, events: UserAddr, max: i32, timeout: impl FnOnce() -> Timeout) -> SysResult {
    let file = fdget(epfd)?;
    let (set, max) = checked(&file, events, max)?;
    match set.take(events, max)? {
        // The clock is asked only now.
        0 => Ok(set.wait(events, max, timeout())?),
        taken => Ok(taken),
    }
}

pub fn sys_epoll_wait(epfd: Fd, events: UserAddr, max: i32, millis: i32) -> SysResult {
    do_epoll_wait(epfd, events, max, || Timeout::after_millis(millis))
}

pub fn sys_epoll_pwait(epfd: Fd, events: UserAddr, max: i32, millis: i32, mask: UserAddr, mask_size: usize) -> SysResult {
    with_sigmask(mask, mask_size, || do_epoll_wait(epfd, events, max, || Timeout::after_millis(millis)))
}

pub fn sys_epoll_pwait2(epfd: Fd, events: UserAddr, max: i32, timeout: UserAddr, mask: UserAddr, mask_size: usize) -> SysResult {
    let timeout = TimeoutArg::Timespec(timeout).read()?;
    with_sigmask(mask, mask_size, || do_epoll_wait(epfd, events, max, || timeout))
}
