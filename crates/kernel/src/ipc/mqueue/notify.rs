//! `mq_notify`: one process is told when a message comes into an empty queue.
//!
//! Mirrors: ipc/mqueue.c (`do_mq_notify`, `__do_notify`), Linux 6.18.
//! `SIGEV_THREAD` is a matter of the C library: it gives a netlink socket and a cookie, and gets the cookie back through
//! the socket, where a thread of its own waits for it.
//! Locking: `Queue::state`, then `Process::threads`, to see whether the one to notify still lives; the signal is sent after it.

use alloc::sync::{Arc, Weak};

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::mqueue::{NOTIFY_COOKIE_LEN, NOTIFY_REMOVED, NOTIFY_WOKENUP};
use acrida_uapi::siginfo::{SI_MESGQ, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SigInfo, Sigevent};
use acrida_uapi::signal::valid_signal;

use super::calls::queue_file;
use super::queue::Queue;
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::file::{File, FileRef};
use crate::kernel::signal;
use crate::kernel::task::{Pid, Process, try_current};
use crate::net::netlink::NetlinkSocket;
use crate::net::socket::Socket;

/// Who wants to be told, and how.
pub struct Notification {
    process: Weak<Process>,
    pub pid: Pid,
    /// `SIGEV_*`.
    pub how: i32,
    pub signo: i32,
    value: u64,
    thread: Option<ThreadNotice>,
}

/// Where a cookie goes for `SIGEV_THREAD`.
struct ThreadNotice {
    socket: FileRef,
    cookie: [u8; NOTIFY_COOKIE_LEN],
}

impl ThreadNotice {
    /// The socket and the cookie that `event` names.
    fn new(event: &Sigevent) -> Result<ThreadNotice, Errno> {
        let mut cookie = [0; NOTIFY_COOKIE_LEN];
        UserAddr(event.sigev_value).read_bytes(&mut cookie)?;
        let socket = current().files().get(event.sigev_signo)?;
        match netlink_socket(&socket) {
            _ if socket.private::<Socket>().is_none() => Err(Errno::ENOTSOCK),
            Some(_) => Ok(ThreadNotice { socket, cookie }),
            None => Err(Errno::EINVAL),
        }
    }

    #[doc(alias = "set_cookie")]
    fn post(mut self, code: u8) {
        self.cookie[NOTIFY_COOKIE_LEN - 1] = code;
        if let Some(socket) = netlink_socket(&self.socket) {
            socket.post(&self.cookie);
        }
    }
}

/// The netlink socket behind a file.
#[doc(alias = "netlink_getsockbyfd")]
fn netlink_socket(file: &File) -> Option<&NetlinkSocket> {
    let any: &dyn core::any::Any = file.private::<Socket>()?.proto();
    any.downcast_ref::<NetlinkSocket>()
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message came into the empty queue.
    Message,
    /// The registration was taken back.
    Removed,
}

impl Notification {
    /// Tells the process, once.
    #[doc(alias = "__do_notify")]
    pub fn tell(self, notice: Notice) {
        if let Some(thread) = self.thread {
            return thread.post(if notice == Notice::Message { NOTIFY_WOKENUP } else { NOTIFY_REMOVED });
        }
        let Some(process) = self.process.upgrade() else { return };
        if notice == Notice::Message && self.how == SIGEV_SIGNAL && self.signo != 0 {
            let task = current();
            let (pid, uid) = (task.process.tgid.cast_signed(), task.cred().uid);
            signal::send_to_process(SigInfo::rt(self.signo, SI_MESGQ, pid, uid, self.value), &process);
        }
    }

    /// Whether the owner is the caller; or has no threads any more, when the kernel closes the files of the dead.
    fn is_leaving(&self) -> bool {
        let lives = |process: Arc<Process>| !process.threads.lock().is_empty();
        match try_current() {
            Some(task) => task.process.tgid == self.pid,
            None => !self.process.upgrade().is_some_and(lives),
        }
    }

    fn new(event: &Sigevent, thread: Option<ThreadNotice>) -> Notification {
        let process: &Arc<Process> = &current().process;
        Notification {
            process: Arc::downgrade(process),
            pid: process.tgid,
            how: event.sigev_notify,
            signo: event.sigev_signo,
            value: event.sigev_value,
            thread,
        }
    }
}

/// The caller's process is told no more, nor one that was killed.
#[doc(alias = "remove_notification")]
pub fn forget(queue: &Queue) {
    let gone = queue.state.lock().notification.take_if(|owner| owner.is_leaving());
    if let Some(notification) = gone {
        notification.tell(Notice::Removed);
    }
}

pub fn sys_mq_notify(fd: Fd, event: UserAddr) -> SysResult {
    let event: Option<Sigevent> = event.read_opt()?;
    let mut thread = None;
    if let Some(event) = &event {
        match event.sigev_notify {
            SIGEV_NONE => {}
            SIGEV_SIGNAL if valid_signal(event.sigev_signo) || event.sigev_signo == 0 => {}
            SIGEV_THREAD => thread = Some(ThreadNotice::new(event)?),
            _ => return Err(Errno::EINVAL.into()),
        }
    }
    let file = queue_file(fd.0)?;
    let queue = file.queue();
    let mut state = queue.state.lock();
    match event {
        None => {
            drop(state);
            forget(queue);
        }
        Some(_) if state.notification.is_some() => return Err(Errno::EBUSY.into()),
        Some(event) => state.notification = Some(Notification::new(&event, thread)),
    }
    Ok(0)
}
