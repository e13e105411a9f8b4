//! epoll_ctl: adding, changing, taking off; and the end of watched files and of sets.
//!
//! Mirrors: fs/eventpoll.c (`do_epoll_ctl`, `ep_insert`, `ep_modify`, `ep_remove`, `eventpoll_release_file`), Linux 6.18.
//! Locking: see the module. Who takes an item out of the tree, under `interest`, takes it everywhere else off.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_klib::rbtree::Place;
use acrida_uapi::epoll::*;
use acrida_uapi::errno::Errno;

use super::file::as_set;
use super::item::Epitem;
use super::nested::{Check, watchers};
use super::scan::Interest;
use super::{Epolls, Eventpoll};
use crate::abi::{Fd, SysResult};
use crate::fs::fdtable::with_files;
use crate::fs::file::{File, FileRef};
use crate::kernel;

/// What may stand beside `EPOLLEXCLUSIVE`.
#[doc(alias = "EPOLLEXCLUSIVE_OK_BITS")]
const EXCLUSIVE_OK: u32 = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

/// What `epoll_ctl` shall do.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    Add(EpollEvent),
    Modify(EpollEvent),
    Delete,
    /// A number that means nothing.
    Unknown,
}

impl Operation {
    fn event(self) -> Option<EpollEvent> {
        match self {
            Operation::Add(event) | Operation::Modify(event) => Some(event),
            Operation::Delete | Operation::Unknown => None,
        }
    }

    /// `EINVAL` for an exclusive interest that cannot be.
    fn check_exclusive(self, target: &File) -> Result<(), Errno> {
        if self.event().is_none_or(|event| event.events & EPOLLEXCLUSIVE == 0) {
            return Ok(());
        }
        match self {
            Operation::Add(event) if as_set(target).is_none() && event.events & !EXCLUSIVE_OK == 0 => Ok(()),
            _ => Err(Errno::EINVAL),
        }
    }
}

impl Interest {
    #[doc(alias = "ep_find")]
    fn find(&self, file: &FileRef, fd: i32) -> Option<Arc<Epitem>> {
        let file = FileRef::as_ptr(file);
        let epi = self.tree.find(|epi| epi.place_of(file, fd))?;
        self.tree.arc(epi)
    }
}

impl Eventpoll {
    /// Adds `file` under the number `fd`.
    ///
    /// # Errors
    /// `EEXIST`, `ENOSPC` when the user watches `max` files already, `EINVAL` when wake-ups would take too many ways.
    #[doc(alias = "ep_insert")]
    pub fn insert(
        self: &Arc<Self>,
        (file, fd): (&FileRef, i32),
        event: EpollEvent,
        max: u64,
        check: Option<&mut Check<'_>>,
    ) -> Result<(), Errno> {
        let mut interest = self.interest.lock();
        let key = FileRef::as_ptr(file);
        let Place::Vacant(place) = interest.tree.descend(|epi| epi.place_of(key, fd)) else {
            return Err(Errno::EEXIST);
        };
        if !self.user.charge(max) {
            return Err(Errno::ENOSPC);
        }
        let epi = Epitem::new(self, file, fd, event);
        watchers(file).attach(epi.clone());
        let fresh = place.insert(epi.clone()).is_ok();
        debug_assert!(fresh, "a new item");
        if let Some(check) = check {
            if as_set(file).is_none() {
                check.count_ways_of(file);
            }
            if !check.ways_are_few() {
                drop(interest.tree.remove(&epi));
                self.removed(&mut interest, &epi, Some(file));
                return Err(Errno::EINVAL);
            }
        }
        if interest.watch(&epi) != 0 && self.note(&epi) {
            self.wake_up(0);
        }
        Ok(())
    }

    /// Changes what an item waits for.
    #[doc(alias = "ep_modify")]
    fn modify(&self, epi: &Arc<Epitem>, event: EpollEvent) {
        // Before the file is asked: a callback that comes after the file's answer sees the new interest.
        epi.set_event(event);
        core::sync::atomic::fence(Ordering::SeqCst);
        if epi.holds() != 0 && self.note(epi) {
            self.wake_up(0);
        }
    }

    /// Takes an item that has just left the tree off everything else. `file` is what it watches, unless that is gone.
    #[doc(alias = "__ep_remove")]
    fn removed(&self, interest: &mut Interest, epi: &Epitem, file: Option<&File>) {
        interest.unwatch(epi);
        if let Some(file) = file {
            watchers(file).detach(epi);
        }
        self.forget(&mut interest.ready, epi);
        self.user.uncharge();
    }

    /// Takes the item of `file` under `fd` off.
    #[doc(alias = "ep_remove")]
    fn delete(&self, (file, fd): (&FileRef, i32)) -> Result<(), Errno> {
        let mut interest = self.interest.lock();
        let key = FileRef::as_ptr(file);
        let Place::Occupied(place) = interest.tree.descend(|epi| epi.place_of(key, fd)) else {
            return Err(Errno::ENOENT);
        };
        let epi = place.remove();
        self.removed(&mut interest, &epi, Some(file));
        Ok(())
    }

    /// Changes the item of `file` under `fd`.
    fn change(&self, (file, fd): (&FileRef, i32), event: EpollEvent) -> Result<(), Errno> {
        let interest = self.interest.lock();
        let epi = interest.find(file, fd).ok_or(Errno::ENOENT)?;
        if epi.has(EPOLLEXCLUSIVE) {
            return Err(Errno::EINVAL);
        }
        self.modify(&epi, event);
        Ok(())
    }

    /// The set's file is gone: every item goes.
    #[doc(alias = "ep_clear_and_put")]
    pub(super) fn clear(&self) {
        let mut interest = self.interest.lock();
        while let Some(epi) = interest.tree.pop_first() {
            // Without its file, that end takes the item off its list.
            let file = epi.file.upgrade();
            self.removed(&mut interest, &epi, file.as_deref());
        }
    }
}

/// What a set watches: numbers, interests, files that still are.
pub(super) fn items(set: &Eventpoll) -> Vec<(i32, EpollEvent, FileRef)> {
    let interest = set.interest.lock();
    let show = |epi: &Epitem| Some((epi.fd(), EpollEvent { events: epi.events(), data: epi.data() }, epi.file.upgrade()?));
    interest.tree.iter().filter_map(show).collect()
}

/// The last reference to a file is gone: it leaves every set, before anything else of it ends. A scan that is asking it is waited
/// for.
#[doc(alias = "eventpoll_release_file")]
pub fn release_file(file: &mut File) {
    while let Some(epi) = file.epoll.pop_mut() {
        leave(&epi);
    }
    if let Some(set) = as_set(file) {
        while let Some(epi) = set.refs.pop() {
            leave(&epi);
        }
    }
}

/// Takes an item whose file is gone out of its set, unless that has let it go.
fn leave(epi: &Arc<Epitem>) {
    let mut interest = epi.ep.interest.lock();
    if interest.tree.remove(epi).is_some() {
        epi.ep.removed(&mut interest, epi, None);
    }
}

/// `epoll_ctl` on files: what `epoll` (a set, if all is well) shall do with `target` under the number `fd`.
///
/// # Errors
/// Those of `epoll_ctl`; `ENOSPC` when the user watches `max` files already.
#[doc(alias = "do_epoll_ctl")]
pub fn control(
    epolls: &Epolls,
    max: u64,
    epoll: &FileRef,
    (target, fd): (&FileRef, i32),
    operation: Operation,
) -> Result<(), Errno> {
    if !target.ops.can_poll() {
        return Err(Errno::EPERM);
    }
    let Some(set) = as_set(epoll).filter(|_| !FileRef::ptr_eq(epoll, target)) else {
        return Err(Errno::EINVAL);
    };
    operation.check_exclusive(target)?;
    let event = match operation {
        Operation::Add(event) => event,
        Operation::Modify(event) => return set.change((target, fd), event),
        Operation::Delete => return set.delete((target, fd)),
        Operation::Unknown => return Err(Errno::EINVAL),
    };
    let nested = as_set(target);
    if nested.is_none() && set.refs.is_empty() && !epolls.nesting.is_checking(set) {
        return set.insert((target, fd), event, max, None);
    }
    let mut check = epolls.nesting.begin();
    if let Some(nested) = nested
        && !check.may_nest(set, nested)
    {
        return Err(Errno::ELOOP);
    }
    set.insert((target, fd), event, max, Some(&mut check))
}

pub fn sys_epoll_ctl(epfd: Fd, operation: i32, fd: Fd, event: UserAddr) -> SysResult {
    // Nothing of ours suspends the machine: as on a Linux without `CONFIG_PM_SLEEP`.
    let awake = |event: EpollEvent| EpollEvent { events: event.events & !EPOLLWAKEUP, ..event };
    let read = || event.read().map(awake);
    let operation = match operation {
        EPOLL_CTL_DEL => Operation::Delete,
        EPOLL_CTL_ADD => Operation::Add(read()?),
        EPOLL_CTL_MOD => Operation::Modify(read()?),
        _ => read().map(|_| Operation::Unknown)?,
    };
    let max = kernel().sysctl.epoll_max_user_watches.get();
    with_files([epfd.0, fd.0], |[epoll, target]| control(&kernel().epoll, max, epoll, (target, fd.0), operation))??;
    Ok(0)
}
