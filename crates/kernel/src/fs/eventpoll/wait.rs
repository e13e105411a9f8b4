//! epoll_wait and its kin: sleeping for events.
//!
//! Mirrors: fs/eventpoll.c (`ep_poll`, `do_epoll_wait`, `do_epoll_pwait`), Linux 6.18.
//! Differs: none that a program sees. A wait that a signal ends is never made again: `EINTR`, whatever `SA_RESTART` says.
//! Locking: none here.

use alloc::sync::Arc;

use acrida_kcore::uaccess::{UserAddr, copy_to_user};
use acrida_kcore::wait::{WaitError, WaitOptions};
use acrida_uapi::epoll::EpollEvent;
use acrida_uapi::errno::Errno;
use zerocopy::IntoBytes;

use super::Eventpoll;
use super::file::as_set;
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::fdtable::{OwnTable, with_file_and_table};
use crate::fs::file::File;
use crate::fs::select::timeout::{Timeout, TimeoutArg, with_sigmask};
use crate::kernel::signal::is_deliverable;

/// Where Linux's user space ends. A guest may say that its array reaches higher than our guests' memory does.
#[doc(alias = "TASK_SIZE_MAX")]
const USER_END: u64 = (1 << 47) - 4096;

/// Most events of one call (`EP_MAX_EVENTS`).
const MAX_EVENTS: usize = i32::MAX as usize / size_of::<EpollEvent>();

impl Eventpoll {
    /// Hands events of at most `max` ready items to the caller at `events`.
    fn take(&self, events: UserAddr, max: usize, own: OwnTable<'_>) -> Result<usize, Errno> {
        if !self.has_events() {
            return Ok(0);
        }
        self.send_events(max, own, |before, batch| {
            let at = events.add((before * size_of::<EpollEvent>()) as u64);
            (size_of_val(batch) - copy_to_user(at, batch.as_bytes())) / size_of::<EpollEvent>()
        })
    }

    /// [`Eventpoll::take`], asleep until there are any; 0 after the timeout.
    #[doc(alias = "ep_poll")]
    fn wait(&self, events: UserAddr, max: usize, timeout: Timeout) -> Result<usize, Errno> {
        let mut timed_out = timeout == Timeout::Now;
        loop {
            let taken = self.take(events, max, OwnTable::default())?;
            if taken > 0 || timed_out {
                return Ok(taken);
            }
            if current().thread.signal_pending() && is_deliverable(current()) {
                return Err(Errno::EINTR);
            }
            let options = WaitOptions::interruptible("ep_poll").until(timeout.deadline());
            timed_out = self.sleep(options) == Err(WaitError::TimedOut);
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
fn checked<'a>(file: &'a Arc<File>, events: UserAddr, max: i32) -> Result<(&'a Arc<Eventpoll>, usize), Errno> {
    let max = usize::try_from(max).ok().filter(|max| (1..=MAX_EVENTS).contains(max)).ok_or(Errno::EINVAL)?;
    if events.0.checked_add((max * size_of::<EpollEvent>()) as u64).is_none_or(|end| end > USER_END) {
        return Err(Errno::EFAULT);
    }
    as_set(file).map(|set| (set, max)).ok_or(Errno::EINVAL)
}

fn do_epoll_wait(epfd: Fd, events: UserAddr, max: i32, timeout: impl FnOnce() -> Timeout) -> SysResult {
    // What is ready already costs neither a reference to the set nor a look at the clock.
    let taken = with_file_and_table(epfd.0, |file, own| {
        let (set, max) = checked(file, events, max)?;
        set.take(events, max, own)
    })??;
    if taken > 0 {
        return Ok(taken);
    }
    let file = current().files.read(|files| files.get(epfd.0))?;
    let result = checked(&file, events, max).and_then(|(set, max)| set.wait(events, max, timeout()));
    Ok(result?)
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
