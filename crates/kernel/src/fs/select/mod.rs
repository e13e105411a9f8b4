//! select and poll: waiting for any of several files.
//!
//! Every file is asked for its events; while none has any, the asker has put itself on all their wait queues on the
//! way ([`Poller`]) and sleeps until one of them wakes it, then asks again. It registers in the first round only, and
//! no longer once a file was found ready.
//!
//! - [`poll`]: the calls that name files in an array
//! - [`fd_set`]: the calls that name them in bitmaps
//! - [`timeout`]: when they give up, what is left of the time, the signal mask while they wait
//!
//! Mirrors: fs/select.c, Linux 6.18.
//! Differs: no busy polling of network devices.

use alloc::sync::Arc;

use acrida_kcore::wait::{Poller, WaitError, WaitQueueHead};
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP};
use acrida_uapi::errno::{Errno, Error, Restart};

use crate::current;
use crate::fs::fdtable::with_files;
use crate::fs::file::FileRef;
use crate::fs::poll::{DEFAULT_POLLMASK, PollQueue, PollTable};
use timeout::Timeout;

pub mod fd_set;
pub mod poll;
pub mod timeout;

/// Puts the poller on the queues of one file.
struct Registrar<'a> {
    poller: &'a Poller,
    file: &'a FileRef,
    key: u32,
}

impl PollQueue for Registrar<'_> {
    fn queue(&mut self, queue: &Arc<WaitQueueHead>) {
        self.poller.join(queue, self.key, self.file.clone().into());
    }
}

/// Sleeps until `file` has `event` (`EPOLLIN` or `EPOLLOUT`), an error or a hang-up: for calls that hold a lock where the file's own
/// functions would sleep. They let go of it, wait here, and try again.
///
/// # Errors
/// `EAGAIN` when the file's time is over; what the file says for a signal.
pub fn wait_ready(file: &FileRef, event: u32, wchan: &'static str) -> Result<(), Error> {
    let key = event | EPOLLERR | EPOLLHUP;
    let (deadline, interrupted) = file.ops.sleep_limit(event);
    Poller::with(|poller| {
        let mut registrar = Registrar { poller, file, key };
        let mut events = file.ops.poll(&mut PollTable::new(key, &mut registrar));
        while events.is_some_and(|events| events & key == 0) {
            poller.sleep(deadline, wchan).map_err(|error| match error {
                WaitError::TimedOut => Errno::EAGAIN.into(),
                WaitError::Interrupted => interrupted,
            })?;
            events = file.ops.poll(&mut PollTable::none(key));
        }
        Ok(())
    })
}

/// One round over the files: asks each for its events, and registers while that is of use.
struct Round<'a> {
    poller: Option<&'a Poller>,
}

impl Round<'_> {
    /// The events of the file behind `fd` (all it has, whatever `key` says), or `None` when there is no file.
    #[doc(alias = "vfs_poll")]
    fn events(&self, fd: i32, key: u32) -> Option<u32> {
        let ask = |file: &FileRef| match self.poller {
            Some(poller) => {
                let mut registrar = Registrar { poller, file, key };
                file.ops.poll(&mut PollTable::new(key, &mut registrar))
            }
            None => file.ops.poll(&mut PollTable::none(key)),
        };
        let events = with_files([fd], |[file]| ask(file)).ok()?;
        Some(events.unwrap_or(DEFAULT_POLLMASK))
    }

    /// A file was ready: there will be no sleep.
    fn stop_registering(&mut self) {
        self.poller = None;
    }
}

/// Runs rounds of `scan`, which counts ready files, until there are any; 0 after the timeout.
///
/// # Errors
/// `ERESTARTNOHAND` when a signal came first.
#[doc(alias = "do_poll")]
#[doc(alias = "do_select")]
fn wait_for_events(
    timeout: Timeout,
    wchan: &'static str,
    mut scan: impl FnMut(&mut Round<'_>) -> usize,
) -> Result<usize, Restart> {
    Poller::with(|poller| {
        let mut timed_out = timeout == Timeout::Now;
        let mut round = Round { poller: (!timed_out).then_some(poller) };
        loop {
            let ready = scan(&mut round);
            if ready > 0 {
                return Ok(ready);
            }
            if current().thread.signal_pending() {
                return Err(Restart::ERESTARTNOHAND);
            }
            if timed_out {
                return Ok(0);
            }
            round.stop_registering();
            timed_out = poller.sleep(timeout.deadline(), wchan) == Err(WaitError::TimedOut);
        }
    })
}
