//! epoll: a callback against a scan, a close against a callback, an addition against an event.
//!
//! `ready` is the kernel's own file, and so is the wait queue that items hang on. The rest of a set and of an item is here as far as
//! those need it; what a set does with them is in the order of `fs/eventpoll/{callback,scan,ctl}.rs`.

use crate::outcomes;
use crate::primitive::{AtomicBool, Ordering};
use crate::sched::state;
use crate::sync::SpinLock;
use crate::wait::{EntryKind, Hooked, WaitOptions, WaitQueueHead, Wake, Woken, unhook};

use acrida_klib::list::List;
use item::{Epitem, FirstHook, ReadyLink};
use loom::thread;
use std::sync::Arc;

#[path = "../../../kernel/src/fs/eventpoll/ready.rs"]
mod ready;

mod item {
    use super::ready::Listed;
    use super::{Eventpoll, WaitQueueHead};
    use crate::primitive::AtomicU32;
    use crate::wait::WaitHook;
    use acrida_klib::adapter;
    use acrida_klib::list::ListLink;
    use std::sync::Arc;

    pub struct Epitem {
        pub listed: Listed,
        pub hook: WaitHook,
        pub ep: Arc<Eventpoll>,
        pub file: Arc<File>,
        rdllink: ListLink,
    }

    /// Something to wait for: how many events there were, and who is to be told.
    pub struct File {
        pub events: AtomicU32,
        pub queue: Arc<WaitQueueHead>,
    }

    impl Epitem {
        pub fn new(ep: &Arc<Eventpoll>) -> Arc<Epitem> {
            let file = Arc::new(File { events: AtomicU32::new(0), queue: Arc::new(WaitQueueHead::new()) });
            Arc::new(Epitem { listed: Listed::default(), hook: WaitHook::new(), ep: ep.clone(), file, rdllink: ListLink::new() })
        }
    }

    adapter!(pub ReadyLink = Epitem { rdllink: ListLink });
    adapter!(pub FirstHook = Epitem { hook: WaitHook });
}

/// A set: what its ready list needs.
struct Eventpoll {
    interest: SpinLock<List<ReadyLink>>,
    held: AtomicBool,
    arrivals: SpinLock<List<ReadyLink>>,
    arrived: AtomicBool,
    wq: WaitQueueHead,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Level,
    Edge,
}

impl Eventpoll {
    fn new() -> Arc<Eventpoll> {
        Arc::new(Eventpoll {
            interest: SpinLock::new(List::new()),
            held: AtomicBool::new(false),
            arrivals: SpinLock::new(List::new()),
            arrived: AtomicBool::new(false),
            wq: WaitQueueHead::new(),
        })
    }

    /// `ep_insert`: hangs the item on its file's queue and asks the file.
    fn insert(&self, epi: &Arc<Epitem>) {
        let _interest = self.interest.lock();
        assert!(epi.file.queue.hook::<FirstHook>(EntryKind::Shared, epi.clone()).is_ok());
        if epi.file.events.load(Ordering::Relaxed) != 0 && self.note(epi) {
            self.wake_up();
        }
    }

    /// `ep_remove`.
    fn remove(&self, epi: &Epitem) {
        let mut interest = self.interest.lock();
        drop(unhook::<FirstHook>(epi));
        self.forget(&mut interest, epi);
    }

    fn wake_up(&self) {
        if self.wq.is_active() {
            self.wq.wake_one(0);
        }
    }

    /// `ep_send_events`: the number of events that its only item told of, if any.
    fn scan(&self, trigger: Trigger) -> Option<u32> {
        let mut interest = self.interest.lock();
        let mut cursor = interest.cursor_front_mut();
        self.take_arrivals(&mut cursor);
        let mut told = None;
        while let Some(epi) = cursor.current() {
            let seen = epi.listed.moment();
            let events = epi.file.events.load(Ordering::Relaxed);
            if events != 0 {
                told = Some(events);
            }
            if events != 0 && trigger == Trigger::Level {
                cursor.move_next();
            } else {
                self.take_off(&mut cursor, seen);
            }
        }
        self.done_scan(cursor);
        told
    }

    /// `epoll_wait`.
    fn wait(&self, trigger: Trigger) -> u32 {
        loop {
            if self.has_events()
                && let Some(told) = self.scan(trigger)
            {
                return told;
            }
            let options = WaitOptions::interruptible("ep_poll").exclusive();
            self.wq.wait_event(options, || self.has_events().then_some(())).unwrap();
        }
    }
}

impl Hooked for Epitem {
    /// `ep_poll_callback`.
    fn wake(this: &Arc<Self>, _wake: Wake) -> Woken {
        this.ep.note(this);
        this.ep.wake_up();
        Woken::Yes
    }
}

/// The file has one more event, and says so.
fn happen(epi: &Epitem) {
    epi.file.events.fetch_add(1, Ordering::Relaxed);
    epi.file.queue.wake_up(state::NORMAL, 1, 0);
}

/// A set that watches one file.
fn watched() -> (Arc<Eventpoll>, Arc<Epitem>) {
    let ep = Eventpoll::new();
    let epi = Epitem::new(&ep);
    ep.insert(&epi);
    (ep, epi)
}

/// The set's end: nothing may be left on a list or a queue, which would keep the item for ever.
fn finish(ep: &Eventpoll, epi: Arc<Epitem>) {
    ep.remove(&epi);
    assert!(!ep.has_events(), "a set without items has events");
    assert_eq!(Arc::strong_count(&epi), 1, "somebody still holds the item");
}

#[test]
fn an_edge_during_a_scan_is_told_now_or_later() {
    let seen = outcomes(|| {
        let (ep, epi) = watched();
        happen(&epi);
        let scanner = {
            let ep = ep.clone();
            thread::spawn(move || ep.scan(Trigger::Edge))
        };
        happen(&epi);
        let now = scanner.join().unwrap();
        let later = if ep.has_events() { ep.scan(Trigger::Edge) } else { None };
        assert_eq!(later.or(now), Some(2), "the last edge is lost");
        finish(&ep, epi);
        (now, later)
    });
    // The second edge: told at once, told twice (it came after the file was asked for it), told later.
    assert_eq!(seen, [(Some(2), None), (Some(2), Some(2)), (Some(1), Some(2))].into());
}

#[test]
fn a_sleeper_in_epoll_wait_is_told_of_an_event() {
    let seen = outcomes(|| {
        let (ep, epi) = watched();
        let waiter = {
            let ep = ep.clone();
            thread::spawn(move || ep.wait(Trigger::Edge))
        };
        happen(&epi);
        let told = waiter.join().unwrap();
        finish(&ep, epi);
        told
    });
    assert_eq!(seen, [1].into());
}

/// One event, which wakes one sleeper: what is level-triggered goes on to the next.
#[test]
fn two_sleepers_are_told_of_what_stays_ready() {
    let seen = outcomes(|| {
        let (ep, epi) = watched();
        let waiters = [(); 2].map(|()| {
            let ep = ep.clone();
            thread::spawn(move || ep.wait(Trigger::Level))
        });
        happen(&epi);
        let told = waiters.map(|waiter| waiter.join().unwrap());
        finish(&ep, epi);
        told
    });
    assert_eq!(seen, [[1, 1]].into());
}

/// Another thread looks at the set while the event comes: whoever of the two tells of it, the sleeper does not sleep on.
#[test]
fn a_scan_beside_a_sleeper_leaves_it_what_is_still_ready() {
    let seen = outcomes(|| {
        let (ep, epi) = watched();
        let waiter = {
            let ep = ep.clone();
            thread::spawn(move || ep.wait(Trigger::Level))
        };
        let other = {
            let ep = ep.clone();
            thread::spawn(move || ep.scan(Trigger::Level).is_some())
        };
        happen(&epi);
        assert_eq!(waiter.join().unwrap(), 1);
        let other = other.join().unwrap();
        finish(&ep, epi);
        other
    });
    assert_eq!(seen, [false, true].into());
}

/// What is ready stays to be seen while a scan has it in hand.
#[test]
fn a_look_during_a_scan_finds_what_is_ready() {
    let seen = outcomes(|| {
        let (ep, epi) = watched();
        happen(&epi);
        let looker = {
            let ep = ep.clone();
            thread::spawn(move || ep.has_events())
        };
        let told = ep.scan(Trigger::Level);
        assert!(looker.join().unwrap(), "a ready set that says it has no events");
        finish(&ep, epi);
        told
    });
    assert_eq!(seen, [Some(1)].into());
}

#[test]
fn nothing_is_left_of_an_item_that_is_closed_during_a_callback() {
    let seen = outcomes(|| {
        let (ep, epi) = watched();
        let waker = {
            let epi = epi.clone();
            thread::spawn(move || happen(&epi))
        };
        let before = ep.has_events();
        ep.remove(&epi);
        waker.join().unwrap();
        finish(&ep, epi);
        before
    });
    assert_eq!(seen, [false, true].into());
}

#[test]
fn an_event_during_an_addition_is_not_lost() {
    let seen = outcomes(|| {
        let ep = Eventpoll::new();
        let epi = Epitem::new(&ep);
        let waker = {
            let epi = epi.clone();
            thread::spawn(move || happen(&epi))
        };
        ep.insert(&epi);
        let at_once = ep.has_events();
        waker.join().unwrap();
        assert!(ep.has_events(), "lost");
        assert_eq!(ep.scan(Trigger::Edge), Some(1));
        finish(&ep, epi);
        at_once
    });
    assert_eq!(seen, [false, true].into());
}
