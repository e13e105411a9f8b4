//! Sleeping on a word.
//!
//! Mirrors: kernel/futex/waitwake.c (`futex_wait`), Linux 6.18.
//! Differs: the host sleeps. Every timeout is turned into a point in time first, so that a sleep that is begun again ends when
//! the first one would have ended.
//! Locking: none.

use alloc::boxed::Box;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sched::state;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::time::Timespec;

use super::sleepers::Sleeper;
use crate::abi::SysResult;
use crate::{current, host};

/// When a sleep ends by itself.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    pub time: Timespec,
    /// `FUTEX_CLOCK_REALTIME`, or 0 for the monotonic clock.
    pub clock: u32,
}

impl Deadline {
    /// A span from now, which ends on the monotonic clock.
    pub fn after(span: Timespec) -> Deadline {
        let now = platform().now(ClockId::Monotonic) as i64;
        Deadline { time: Timespec::from_nanos(now.saturating_add(span.to_nanos())), clock: 0 }
    }
}

/// One sleep.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    pub word: UserAddr,
    /// `FUTEX_PRIVATE_FLAG` or 0.
    pub private: u32,
    pub value: u32,
    pub deadline: Option<Deadline>,
    pub bitset: u32,
}

impl Wait {
    /// Sleeps; `EINTR` only when there is something to do on the way out.
    pub fn sleep(&self) -> Result<usize, Errno> {
        let thread = current().thread;
        let flags = self.private | self.deadline.map_or(0, |deadline| deadline.clock);
        let deadline = self.deadline.as_ref().map(|deadline| &deadline.time);
        let _sleeper = Sleeper::new(self.word);
        thread.set_wchan("futex_wait_queue");
        thread.state.store(state::IN_HOST, Ordering::Release);
        let result = loop {
            match host::futex::wait(self.word, flags, self.value, deadline, self.bitset) {
                Err(Errno::EINTR) if !thread.signal_pending() => {}
                result => break result,
            }
        };
        thread.state.store(state::RUNNING, Ordering::Release);
        result
    }
}

/// Waits, with the restart that Linux gives it.
pub(super) fn futex_wait(wait: Wait) -> SysResult {
    match wait.sleep() {
        Err(Errno::EINTR) if wait.deadline.is_none() => Err(Restart::ERESTARTSYS.into()),
        Err(Errno::EINTR) => {
            current().restart_block.set(Some(Box::new(move || futex_wait(wait))));
            Err(Restart::ERESTART_RESTARTBLOCK.into())
        }
        result => Ok(result?),
    }
}
