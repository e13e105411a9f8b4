//! poll and ppoll.
//!
//! Mirrors: fs/select.c (`do_sys_poll`), Linux 6.18.

use alloc::boxed::Box;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLNVAL};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::poll::Pollfd;
use acrida_uapi::resource::RLIMIT_NOFILE;

use super::timeout::{Timeout, TimeoutArg, with_sigmask};
use super::{Round, wait_for_events};
use crate::abi::SysResult;
use crate::current;
use crate::fs::user_array::UserArray;

/// Elements that lie on the stack.
const FAST: usize = 32;

/// Asks for one element's events and notes them; whether there are any.
#[doc(alias = "do_pollfd")]
fn ask(entry: &mut Pollfd, round: &mut Round<'_>) -> bool {
    let wanted = u32::from(entry.events) | EPOLLERR | EPOLLHUP;
    let events = match entry.fd {
        ..0 => 0,
        fd => round.events(fd, wanted).map_or(EPOLLNVAL, |events| events & wanted),
    };
    // The low half holds every event that a program can ask for.
    entry.revents = events as u16;
    entry.revents != 0
}

/// Fills in `revents` of every element; how many are not zero.
fn ask_all(entries: &mut [Pollfd], round: &mut Round<'_>) -> usize {
    let mut ready = 0;
    for entry in entries {
        if ask(entry, round) {
            ready += 1;
            round.stop_registering();
        }
    }
    ready
}

fn do_sys_poll(fds: UserAddr, count: u32, timeout: Timeout) -> SysResult {
    if u64::from(count) > current().process.rlimit(RLIMIT_NOFILE as usize).rlim_cur {
        return Err(Errno::EINVAL.into());
    }
    let mut entries = UserArray::<Pollfd, FAST>::read(fds, count as usize)?;
    let ready = wait_for_events(timeout, "do_poll", |round| ask_all(&mut entries, round));
    for (index, entry) in entries.iter().enumerate() {
        let at = fds.add((index * size_of::<Pollfd>() + core::mem::offset_of!(Pollfd, revents)) as u64);
        at.write(&entry.revents)?;
    }
    Ok(ready?)
}

pub fn sys_poll(fds: UserAddr, count: u32, millis: i32) -> SysResult {
    restartable(fds, count, Timeout::after_millis(millis))
}

/// poll that goes on with the same end after a signal without a handler.
#[doc(alias = "do_restart_poll")]
fn restartable(fds: UserAddr, count: u32, timeout: Timeout) -> SysResult {
    let result = do_sys_poll(fds, count, timeout);
    if result == Err(Error::Restart(Restart::ERESTARTNOHAND)) {
        current().restart_block.set(Some(Box::new(move || restartable(fds, count, timeout))));
        return Err(Restart::ERESTART_RESTARTBLOCK.into());
    }
    result
}

pub fn sys_ppoll(fds: UserAddr, count: u32, timeout: UserAddr, mask: UserAddr, mask_size: usize) -> SysResult {
    let arg = TimeoutArg::Timespec(timeout);
    let timeout = arg.read()?;
    with_sigmask(mask, mask_size, || arg.finish(timeout, do_sys_poll(fds, count, timeout)))
}
