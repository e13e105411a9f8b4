//! A set as a file: making it, waiting for it, looking at it, its end.
//!
//! Mirrors: fs/eventpoll.c (`eventpoll_fops`, `do_epoll_create`, `ep_show_fdinfo`, `ep_eventpoll_ioctl`), Linux 6.18.
//! Differs: the parameters of busy polling are kept and shown; there is no device to poll.
//! Locking: see the module.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_NET_ADMIN;
use acrida_uapi::epoll::{EPIOCGPARAMS, EPIOCSPARAMS, EPOLL_CLOEXEC, EPOLLIN, EPOLLRDNORM, EpollParams};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_RDWR;
use acrida_uapi::stat::new_decode_dev;

use super::ctl;
use super::{Eventpoll, UserWatches};
use crate::abi::{Flags, SysResult};
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::poll::PollTable;
use crate::{current, kernel};

/// A set's file.
struct EpollFile(Arc<Eventpoll>);

/// The set behind a file, if it is one.
#[doc(alias = "is_file_epoll")]
#[inline]
pub fn as_set(file: &File) -> Option<&Arc<Eventpoll>> {
    file.private::<EpollFile>().map(|file| &file.0)
}

/// Most packets of one busy poll that needs no privilege (`NAPI_POLL_WEIGHT`).
const BUSY_POLL_BUDGET: u16 = 64;

/// How the set would poll network devices.
#[derive(Clone, Copy, Debug, Default)]
pub struct BusyPoll(EpollParams);

impl BusyPoll {
    #[doc(alias = "ep_eventpoll_bp_ioctl")]
    fn checked(params: EpollParams) -> Result<BusyPoll, Errno> {
        if params.__pad != 0 || params.busy_poll_usecs > i32::MAX as u32 || params.prefer_busy_poll > 1 {
            return Err(Errno::EINVAL);
        }
        if params.busy_poll_budget > BUSY_POLL_BUDGET && !current().cred().capable(CAP_NET_ADMIN) {
            return Err(Errno::EPERM);
        }
        Ok(BusyPoll(params))
    }
}

impl FileOperations for EpollFile {
    #[doc(alias = "ep_eventpoll_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.0.poll_wait);
        Some(if self.0.any_event() { EPOLLIN | EPOLLRDNORM } else { 0 })
    }

    fn can_poll(&self) -> bool {
        true
    }

    /// Seeks succeed and do nothing.
    #[doc(alias = "noop_llseek")]
    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    #[doc(alias = "ep_eventpoll_ioctl")]
    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        match cmd {
            EPIOCSPARAMS => *self.0.busy_poll.lock() = BusyPoll::checked(UserAddr(arg).read()?)?,
            EPIOCGPARAMS => UserAddr(arg).write(&self.0.busy_poll.lock().0)?,
            _ => return Err(Errno::EINVAL.into()),
        }
        Ok(0)
    }

    #[doc(alias = "ep_eventpoll_release")]
    fn release(&self, _file: &File) {
        self.0.clear();
    }

    #[doc(alias = "ep_show_fdinfo")]
    fn show_fdinfo(&self, _file: &File, out: &mut String) {
        for (fd, event, file) in ctl::items(&self.0) {
            let stat = file.ops.stat(&file).unwrap_or_default();
            let (ino, (major, minor)) = (stat.ino, new_decode_dev(stat.dev));
            let (events, data, pos) = (event.events, event.data, File::position(&file));
            // Linux shows its own form of a device's number. Writing to a String cannot fail.
            let sdev = major << 20 | minor;
            let _ = writeln!(out, "tfd: {fd:8} events: {events:8x} data: {data:16x}  pos:{pos} ino:{ino:x} sdev:{sdev:x}");
        }
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(String::from("anon_inode:[eventpoll]"))
    }
}

/// A new set, counted for `user`, as a file.
pub fn new_set(user: Arc<UserWatches>) -> FileRef {
    File::anon(Arc::new(EpollFile(Eventpoll::new(user))), O_RDWR)
}

#[doc(alias = "do_epoll_create")]
pub fn sys_epoll_create1(flags: Flags) -> SysResult {
    if flags.0 & !EPOLL_CLOEXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = new_set(kernel().epoll.watches_of(current().cred().uid));
    Ok(current().files().install(file, flags.0 & EPOLL_CLOEXEC != 0)? as usize)
}

pub fn sys_epoll_create(size: i32) -> SysResult {
    if size <= 0 {
        return Err(Errno::EINVAL.into());
    }
    sys_epoll_create1(Flags(0))
}
