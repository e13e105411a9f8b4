//! From a file's wait queue to the ready list.
//!
//! Mirrors: fs/eventpoll.c (`ep_poll_callback`, `ep_poll_safewake`), Linux 6.18.
//! Locking: runs under the file's wait queue.
//! Memory order: the waker made the event true, and passed a full fence, before the interest is read here; see
//! `Eventpoll::modify` for the other side.

use alloc::sync::Arc;

use acrida_kcore::wait::{Hooked, Wake, Woken};
use acrida_uapi::epoll::{EPOLL_URING_WAKE, EPOLLEXCLUSIVE, EPOLLIN, EPOLLOUT};

use super::Eventpoll;
use super::item::{Epitem, MoreHook};

/// Whether an exclusive wake-up that found a sleeper is used up by this item.
///
/// One that only tells of reading is not, for an item that waits to write, and the other way round.
fn is_used_up(events: u32, key: u32) -> bool {
    match key & (EPOLLIN | EPOLLOUT) {
        0 => true,
        EPOLLIN => events & EPOLLIN != 0,
        EPOLLOUT => events & EPOLLOUT != 0,
        _ => false,
    }
}

impl Epitem {
    #[doc(alias = "ep_poll_callback")]
    fn event(self: &Arc<Self>, key: u32) -> Woken {
        let exclusive = self.has(EPOLLEXCLUSIVE);
        let mut used_up = !exclusive;
        if self.wants(key) {
            self.ep.note(self);
            let slept = self.ep.wake_up(key);
            used_up |= slept && is_used_up(self.events(), key);
        }
        if used_up { Woken::Yes } else { Woken::No }
    }
}

impl Eventpoll {
    /// Tells one sleeper, and those who wait for this set. Whether there was a sleeper.
    pub(super) fn wake_up(&self, key: u32) -> bool {
        let slept = self.wq.is_active();
        if slept {
            self.wq.wake_one(0);
        }
        if self.poll_wait.is_active() {
            self.poll_wait.wake_one(EPOLLIN | key & EPOLL_URING_WAKE);
        }
        slept
    }
}

impl Hooked for Epitem {
    fn wake(this: &Arc<Self>, wake: Wake) -> Woken {
        this.event(wake.key)
    }
}

impl Hooked for MoreHook {
    fn wake(this: &Arc<Self>, wake: Wake) -> Woken {
        this.epi.event(wake.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_uapi::epoll::{EPOLLHUP, EPOLLRDNORM};

    #[test]
    fn an_exclusive_wake_up_is_used_up_by_who_waits_for_its_direction() {
        assert!(is_used_up(EPOLLIN, EPOLLIN | EPOLLRDNORM));
        assert!(!is_used_up(EPOLLIN, EPOLLOUT));
        assert!(is_used_up(EPOLLOUT, EPOLLOUT));
        assert!(is_used_up(EPOLLOUT, EPOLLHUP));
        assert!(!is_used_up(EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLOUT));
        assert!(is_used_up(EPOLLIN, 0));
    }
}
