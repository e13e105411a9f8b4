//! `mq_notify`: one process is told when a message comes into an empty queue.
//!
//! Mirrors: ipc/mqueue.c (`do_mq_notify`, `__do_notify`), Linux 6.18.
//! Differs: `SIGEV_THREAD`, which glibc builds on a netlink socket, is refused: the world's netlink sockets are the host's,
//! and nobody but the host can put a message into them.

use alloc::sync::{Arc, Weak};

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::siginfo::{SI_MESGQ, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SigInfo, Sigevent};
use acrida_uapi::signal::valid_signal;

use super::calls::queue_file;
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::kernel::signal;
use crate::kernel::task::{Pid, Process};

/// Who wants to be told, and how.
pub struct Notification {
    process: Weak<Process>,
    pub pid: Pid,
    /// `SIGEV_NONE` or `SIGEV_SIGNAL`.
    pub how: i32,
    pub signo: i32,
    value: u64,
}

/// What happened.
pub enum Notice {
    /// A message came into the empty queue.
    Message,
}

impl Notification {
    /// Tells the process, once.
    #[doc(alias = "__do_notify")]
    pub fn tell(self, notice: Notice) {
        let Notice::Message = notice;
        let Some(process) = self.process.upgrade() else { return };
        if self.how == SIGEV_SIGNAL && self.signo != 0 {
            let task = current();
            let (pid, uid) = (task.process.tgid.cast_signed(), task.cred().uid);
            signal::send_to_process(SigInfo::rt(self.signo, SI_MESGQ, pid, uid, self.value), &process);
        }
    }

    fn new(event: &Sigevent) -> Notification {
        let process: &Arc<Process> = &current().process;
        Notification {
            process: Arc::downgrade(process),
            pid: process.tgid,
            how: event.sigev_notify,
            signo: event.sigev_signo,
            value: event.sigev_value,
        }
    }
}

pub fn sys_mq_notify(fd: Fd, event: UserAddr) -> SysResult {
    let event: Option<Sigevent> = event.read_opt()?;
    if let Some(event) = &event {
        match event.sigev_notify {
            SIGEV_NONE => {}
            SIGEV_SIGNAL if valid_signal(event.sigev_signo) || event.sigev_signo == 0 => {}
            SIGEV_THREAD => return Err(Errno::ENOSYS.into()),
            _ => return Err(Errno::EINVAL.into()),
        }
    }
    let file = queue_file(fd.0)?;
    let queue = file.queue();
    let mut state = queue.state.lock();
    match event {
        None if state.notification.as_ref().is_some_and(|owner| owner.pid == current().process.tgid) => {
            state.notification = None;
        }
        None => {}
        Some(_) if state.notification.is_some() => return Err(Errno::EBUSY.into()),
        Some(event) => state.notification = Some(Notification::new(&event)),
    }
    Ok(0)
}
