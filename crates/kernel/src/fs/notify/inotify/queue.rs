//! Events that wait to be read.
//!
//! Mirrors: fs/notify/notification.c, fs/notify/inotify/inotify_fsnotify.c, Linux 6.18.
//! Differs: nothing but the names.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use acrida_uapi::inotify::{
    IN_ALL_EVENTS, IN_DELETE_SELF, IN_IGNORED, IN_ISDIR, IN_MOVE_SELF, IN_Q_OVERFLOW, IN_UNMOUNT, InotifyEvent,
};
use zerocopy::IntoBytes;

/// One event.
#[doc(alias = "inotify_event_info")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub wd: i32,
    pub mask: u32,
    pub cookie: u32,
    pub name: Box<[u8]>,
}

impl Queued {
    const OVERFLOW: i32 = -1;

    /// Bits as a program reads them.
    #[doc(alias = "inotify_mask_to_arg")]
    pub fn new(wd: i32, mask: u32, cookie: u32, name: &[u8]) -> Queued {
        let mut mask = mask & (IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW);
        if mask & (IN_MOVE_SELF | IN_DELETE_SELF) != 0 {
            // Never told with these, for the sake of old programs.
            mask &= !IN_ISDIR;
        }
        Queued { wd, mask, cookie, name: name.into() }
    }

    /// Bytes of the name as it is read: ended by NUL and padded to whole heads.
    #[doc(alias = "round_event_name_len")]
    fn name_len(&self) -> usize {
        match self.name.len() {
            0 => 0,
            len => (len + 1).next_multiple_of(size_of::<InotifyEvent>()),
        }
    }

    /// Bytes of the record.
    pub fn size(&self) -> usize {
        size_of::<InotifyEvent>() + self.name_len()
    }

    /// The record that a program reads.
    pub fn record(&self) -> Vec<u8> {
        // At most 256 bytes of name.
        let head = InotifyEvent { wd: self.wd, mask: self.mask, cookie: self.cookie, len: self.name_len() as u32 };
        let mut out = Vec::with_capacity(self.size());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&self.name);
        out.resize(self.size(), 0);
        out
    }

    /// Whether it says nothing new after `last`.
    #[doc(alias = "event_compare")]
    fn repeats(&self, last: &Queued) -> bool {
        last.mask & IN_IGNORED == 0 && last.mask == self.mask && last.wd == self.wd && last.name == self.name
    }
}

/// The queue of one group.
#[derive(Default)]
pub struct EventQueue {
    events: VecDeque<Queued>,
    /// An overflow is in the queue.
    overflown: bool,
}

impl EventQueue {
    /// Appends an event unless it repeats the last one; beyond `max` events only an overflow is noted, once. Whether
    /// the queue grew.
    #[doc(alias = "fsnotify_insert_event")]
    pub fn push(&mut self, event: Queued, max: usize) -> bool {
        if self.events.len() >= max {
            if core::mem::replace(&mut self.overflown, true) {
                return false;
            }
            self.events.push_back(Queued::new(Queued::OVERFLOW, IN_Q_OVERFLOW, 0, &[]));
            return true;
        }
        if self.events.back().is_some_and(|last| event.repeats(last)) {
            return false;
        }
        self.events.push_back(event);
        true
    }

    pub fn first(&self) -> Option<&Queued> {
        self.events.front()
    }

    pub fn pop(&mut self) -> Option<Queued> {
        let event = self.events.pop_front()?;
        self.overflown &= event.wd != Queued::OVERFLOW;
        Some(event)
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Bytes that reads would give.
    pub fn bytes(&self) -> usize {
        self.events.iter().map(Queued::size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_uapi::inotify::{IN_CREATE, IN_MODIFY};

    fn event(mask: u32, name: &[u8]) -> Queued {
        Queued::new(1, mask, 0, name)
    }

    #[test]
    fn only_a_repetition_of_the_last_one_is_left_out() {
        let mut queue = EventQueue::default();
        assert!(queue.push(event(IN_MODIFY, b"a"), 9));
        assert!(!queue.push(event(IN_MODIFY, b"a"), 9));
        assert!(queue.push(event(IN_MODIFY, b"b"), 9));
        assert!(queue.push(event(IN_MODIFY, b"a"), 9));
        assert!(queue.push(event(IN_IGNORED, b""), 9));
        assert!(queue.push(event(IN_IGNORED, b""), 9));
    }

    #[test]
    fn a_full_queue_overflows_once_until_that_is_read() {
        let mut queue = EventQueue::default();
        assert!(queue.push(event(IN_CREATE, b"a"), 1));
        assert!(queue.push(event(IN_CREATE, b"b"), 1));
        assert!(!queue.push(event(IN_CREATE, b"c"), 1));
        assert_eq!(queue.pop().map(|event| event.mask), Some(IN_CREATE));
        assert!(!queue.push(event(IN_CREATE, b"d"), 1));
        assert_eq!(queue.pop().map(|event| (event.wd, event.mask)), Some((-1, IN_Q_OVERFLOW)));
        assert!(queue.push(event(IN_CREATE, b"e"), 1));
    }

    #[test]
    fn names_are_padded_to_whole_heads() {
        assert_eq!(event(IN_CREATE, b"").record().len(), 16);
        assert_eq!(event(IN_CREATE, b"123456789012345").record().len(), 32);
        assert_eq!(event(IN_CREATE, b"1234567890123456").record().len(), 48);
    }

    #[test]
    fn directories_are_not_named_so_when_they_go() {
        assert_eq!(event(IN_DELETE_SELF | IN_ISDIR, b"").mask, IN_DELETE_SELF);
        assert_eq!(event(IN_CREATE | IN_ISDIR, b"d").mask, IN_CREATE | IN_ISDIR);
    }
}
