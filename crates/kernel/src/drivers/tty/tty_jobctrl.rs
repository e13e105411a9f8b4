//! Job control: which session a terminal belongs to, and what its background may do.
//!
//! Mirrors: drivers/tty/tty_jobctrl.c, Linux 6.18.
//! Differs: works on [`ControllingTty`], so that the host's terminal and our own follow one set of rules.
//! Locking: a process's relations for one look at a time; the pid table while a group is told, so that no child is missed.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::thread::work;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_ADMIN;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::ioctl::{TIOCGPGRP, TIOCGSID, TIOCNOTTY, TIOCSCTTY, TIOCSPGRP};
use acrida_uapi::siginfo::SigInfo;
use acrida_uapi::signal::{SIG_IGN, SIGCONT, SIGHUP, SIGTTIN, SIGTTOU};

use crate::abi::SysResult;
use crate::fs::file::{ControllingTty, File};
use crate::kernel::signal;
use crate::kernel::state::Kernel;
use crate::kernel::task::{Pid, Process};
use crate::{current, kernel};

/// A terminal by any of its ends.
pub type Tty = Arc<dyn ControllingTty>;

/// From which end a command comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Terminal,
    /// The master of a pseudo-terminal: asks about the other end.
    Master,
}

fn is_same(one: &Tty, other: &Tty) -> bool {
    core::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

/// Whether `tty` is the caller's controlling terminal.
pub fn is_current(tty: &Tty) -> bool {
    current().process.relations.lock().tty.as_ref().is_some_and(|own| is_same(own, tty))
}

/// Sends a signal of the kernel's own to every member of a group.
pub fn kill_pgrp(kernel: &Kernel, pgrp: Pid, signo: i32) {
    if pgrp == 0 {
        return;
    }
    // Under the table's lock, as kill: no child of a member is missed.
    let tables = kernel.pids.lock();
    for member in &tables.group(pgrp) {
        signal::send_to_process(SigInfo::kernel(signo), member);
    }
}

/// Tells a group that its terminal is gone, and that it may go on.
pub fn hang_up_pgrp(kernel: &Kernel, pgrp: Pid) {
    for signo in [SIGHUP, SIGCONT] {
        kill_pgrp(kernel, pgrp, signo);
    }
}

fn is_signal_ignored(signo: i32) -> bool {
    let task = current();
    let sighand = task.process.sighand.lock();
    let blocked = task.signals.lock().blocked.has(signo);
    blocked || sighand.action(signo).sa_handler == SIG_IGN
}

/// Stops a background group that wants to use its terminal; `Ok` when the caller may go on.
///
/// # Errors
/// `EIO` when nobody could continue the group; else the call is restarted behind `signo`.
#[doc(alias = "__tty_check_change")]
pub fn check_change(tty: &Tty, signo: i32) -> Result<(), Error> {
    let own_pgrp = {
        let relations = current().process.relations.lock();
        if !relations.tty.as_ref().is_some_and(|own| is_same(own, tty)) {
            return Ok(());
        }
        relations.pgrp
    };
    let foreground = tty.foreground_pgrp();
    if foreground == 0 || foreground == own_pgrp {
        return Ok(());
    }
    if is_signal_ignored(signo) {
        return if signo == SIGTTIN { Err(Errno::EIO.into()) } else { Ok(()) };
    }
    if kernel().pids.lock().is_orphaned(own_pgrp, None) {
        return Err(Errno::EIO.into());
    }
    kill_pgrp(kernel(), own_pgrp, signo);
    current().thread.set_work(work::SIGPENDING);
    Err(Restart::ERESTARTSYS.into())
}

/// Makes `tty` the controlling terminal of the caller's session.
#[doc(alias = "__proc_set_tty")]
fn acquire(tty: &Tty) {
    let (session, pgrp) = {
        let mut relations = current().process.relations.lock();
        relations.tty = Some(tty.clone());
        relations.lost_pgrp = 0;
        (relations.session, relations.pgrp)
    };
    tty.set_session(session);
    tty.set_foreground_pgrp(pgrp);
}

/// What an open without `O_NOCTTY` does: a session leader without a terminal takes a free one.
#[doc(alias = "tty_open_proc_set_tty")]
pub fn opened(tty: &Tty) {
    let process = &current().process;
    let free_leader = {
        let relations = process.relations.lock();
        relations.session == process.tgid && relations.tty.is_none()
    };
    if free_leader && tty.session() == 0 {
        acquire(tty);
    }
}

/// Takes the terminal from every process of a session.
#[doc(alias = "session_clear_tty")]
pub fn clear_session(kernel: &Kernel, session: Pid) {
    let mut lost = Vec::new();
    let tables = kernel.pids.lock();
    for member in tables.processes.values() {
        let mut relations = member.relations.lock();
        if relations.session == session {
            lost.extend(relations.tty.take());
        }
    }
    drop(tables);
    drop(lost);
}

fn set_controlling(tty: &Tty, file: &File, force: u64) -> SysResult {
    let process = &current().process;
    let (leader, session, has_tty) = {
        let relations = process.relations.lock();
        (relations.session == process.tgid, relations.session, relations.tty.is_some())
    };
    if leader && tty.session() == session {
        return Ok(0);
    }
    if !leader || has_tty {
        return Err(Errno::EPERM.into());
    }
    let is_admin = current().cred().capable(CAP_SYS_ADMIN);
    if tty.session() != 0 {
        if force != 1 || !is_admin {
            return Err(Errno::EPERM.into());
        }
        clear_session(kernel(), tty.session());
    }
    if !file.readable() && !is_admin {
        return Err(Errno::EPERM.into());
    }
    acquire(tty);
    Ok(0)
}

/// Why a process has no more use for its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It has ended.
    Exit,
    /// `TIOCNOTTY`.
    Ioctl,
}

/// Takes the terminal from the session of the leader `process`, and tells the foreground group. Others who write to it still
/// can: only the master's end, or `vhangup`, keeps them from it.
pub fn disassociate_ctty(kernel: &Kernel, process: &Process, leaving: Leaving) {
    let (session, tty, lost_pgrp) = {
        let mut relations = process.relations.lock();
        let lost_pgrp = core::mem::take(&mut relations.lost_pgrp);
        (relations.session, relations.tty.clone(), lost_pgrp)
    };
    if session != process.tgid {
        return;
    }
    let Some(tty) = tty else {
        if leaving == Leaving::Exit {
            hang_up_pgrp(kernel, lost_pgrp);
        }
        return;
    };
    let foreground = tty.foreground_pgrp();
    match leaving {
        // Who is stopped stays so, unless the leader's end orphans the group.
        Leaving::Exit => kill_pgrp(kernel, foreground, SIGHUP),
        Leaving::Ioctl => hang_up_pgrp(kernel, foreground),
    }
    tty.set_session(0);
    tty.set_foreground_pgrp(0);
    clear_session(kernel, session);
}

/// Gives the caller's terminal up; a session leader takes it from its whole session.
#[doc(alias = "no_tty")]
fn give_up() {
    let process = &current().process;
    disassociate_ctty(kernel(), process, Leaving::Ioctl);
    let lost = process.relations.lock().tty.take();
    drop(lost);
}

fn set_foreground(tty: &Tty, arg: UserAddr) -> SysResult {
    match check_change(tty, SIGTTOU) {
        Err(error) if error == Errno::EIO => return Err(Errno::ENOTTY.into()),
        other => other?,
    }
    let pgrp: i32 = arg.read()?;
    let pgrp = Pid::try_from(pgrp).map_err(|_| Errno::EINVAL)?;
    let session = current().process.relations.lock().session;
    if !is_current(tty) || tty.session() != session {
        return Err(Errno::ENOTTY.into());
    }
    let members = kernel().pids.lock().group(pgrp);
    let member = members.first().ok_or(Errno::ESRCH)?;
    if member.relations.lock().session != session {
        return Err(Errno::EPERM.into());
    }
    tty.set_foreground_pgrp(pgrp);
    Ok(0)
}

/// The commands of job control; `None`: none of them.
#[doc(alias = "tty_jobctrl_ioctl")]
pub fn ioctl(tty: &Tty, end: End, file: &File, cmd: u32, arg: u64) -> Option<SysResult> {
    // A terminal answers only those whose terminal it is; a master anybody who has it.
    let known = || if end == End::Master || is_current(tty) { Ok(()) } else { Err(Error::from(Errno::ENOTTY)) };
    let put = |pid: Pid| UserAddr(arg).write(&pid).map(|()| 0).map_err(Error::from);
    Some(match cmd {
        TIOCSCTTY => set_controlling(tty, file, arg),
        TIOCNOTTY if end == End::Master || !is_current(tty) => Err(Errno::ENOTTY.into()),
        TIOCNOTTY => {
            give_up();
            Ok(0)
        }
        TIOCGPGRP => known().and_then(|()| put(tty.foreground_pgrp())),
        TIOCSPGRP => set_foreground(tty, UserAddr(arg)),
        TIOCGSID => known().and_then(|()| match tty.session() {
            0 => Err(Errno::ENOTTY.into()),
            session => put(session),
        }),
        _ => return None,
    })
}
