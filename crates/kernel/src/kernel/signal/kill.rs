//! kill and its relatives: who may send what to whom.
//!
//! Mirrors: kernel/signal.c (`kill_something_info`, `check_kill_permission`, `do_send_specific`, `do_rt_sigqueueinfo`),
//! Linux 6.18.
//! Differs: processes are found and signalled under one hold of the pid table's lock. So a child is either there, or the
//! process that forks it has the signal before it is and forks again behind it (`fork.rs`).
//! Locking: the pid table over all that one call sends, so that no child of a receiver is missed; then as in `send`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_KILL;
use acrida_uapi::errno::Errno;
use acrida_uapi::pidfd::{PIDFD_SIGNAL_PROCESS_GROUP, PIDFD_SIGNAL_THREAD, PIDFD_SIGNAL_THREAD_GROUP};
use acrida_uapi::siginfo::{SI_TKILL, SI_USER, SigInfo};
use acrida_uapi::signal::{SIGCONT, valid_signal};

use super::send::{Target, send_signal};
use crate::abi::{Fd, Flags, Signo, SysResult};
use crate::current;
use crate::kernel::cred::Cred;
use crate::kernel::pid::{INIT_PID, Tables};
use crate::kernel::pidfd;
use crate::kernel::task::{Process, Task};

/// Who the members of `process` are, as far as permission goes: a zombie is still its leader's. `None`: init.
fn cred_of(tables: &Tables, process: &Process) -> Option<Arc<Cred>> {
    let member = process.threads.lock().first().cloned();
    member.or_else(|| tables.tasks.get(&process.tgid).cloned()).map(|task| task.cred())
}

#[doc(alias = "kill_ok_by_cred")]
fn may_kill(sender: &Cred, target: Option<&Cred>) -> bool {
    let (uid, suid) = target.map_or((0, 0), |cred| (cred.uid, cred.suid));
    [sender.euid, sender.uid].iter().any(|&id| id == uid || id == suid) || sender.capable(CAP_KILL)
}

/// Whether the calling task may send `info` to `process`.
///
/// # Errors
/// `EINVAL` for no signal number, `EPERM`.
fn check_kill_permission(tables: &Tables, info: &SigInfo, process: &Process) -> Result<(), Errno> {
    let signo = info.si_signo;
    if signo != 0 && !valid_signal(signo) {
        return Err(Errno::EINVAL);
    }
    let me = current();
    if !info.is_from_user() || process.tgid == me.process.tgid {
        return Ok(());
    }
    let target = cred_of(tables, process);
    if may_kill(&me.cred(), target.as_deref()) {
        return Ok(());
    }
    let session = |process: &Process| process.relations.lock().session;
    if signo == SIGCONT && session(process) == session(&me.process) { Ok(()) } else { Err(Errno::EPERM) }
}

/// Sends from the calling task, with the permission checked; signal 0 only checks.
fn kill_checked(tables: &Tables, info: SigInfo, process: &Process, target: Target<'_>) -> Result<(), Errno> {
    check_kill_permission(tables, &info, process)?;
    if info.si_signo != 0 {
        send_signal(target, info.into())?;
    }
    Ok(())
}

#[doc(alias = "group_send_sig_info")]
fn kill_process(tables: &Tables, info: SigInfo, process: &Arc<Process>) -> Result<(), Errno> {
    kill_checked(tables, info, process, Target::Process(process))
}

/// The process that `pid` names, by its own number or that of one of its threads.
fn find_process(tables: &Tables, pid: i32) -> Result<&Arc<Process>, Errno> {
    let pid = u32::try_from(pid).map_err(|_| Errno::ESRCH)?;
    let of_thread = || tables.tasks.get(&pid).filter(|task| !is_gone(task)).map(|task| &task.process);
    tables.processes.get(&pid).or_else(of_thread).ok_or(Errno::ESRCH)
}

/// Whether a thread's number is free as far as anybody can tell: whoever joined it finds it gone.
fn is_gone(task: &Task) -> bool {
    !task.is_leader() && task.exiting.load(Ordering::SeqCst)
}

/// What kill sends.
fn sender_info(signo: i32, code: i32) -> SigInfo {
    let me = current();
    SigInfo::kill(signo, code, me.process.tgid as i32, me.cred().uid)
}

/// `kill(pid, sig)`.
pub fn sys_kill(pid: i32, signo: Signo) -> SysResult {
    let info = sender_info(signo.0, SI_USER);
    let own_group = current().process.relations.lock().pgrp;
    let tables = current().kernel.pids.lock();
    match pid {
        1.. => kill_process(&tables, info, find_process(&tables, pid)?)?,
        0 => kill_group(&tables, info, own_group)?,
        -1 => kill_all(&tables, info)?,
        i32::MIN => return Err(Errno::ESRCH.into()),
        _ => kill_group(&tables, info, pid.unsigned_abs())?,
    }
    Ok(0)
}

/// Sends to every member of a group; one success is enough.
#[doc(alias = "__kill_pgrp_info")]
fn kill_group(tables: &Tables, info: SigInfo, pgrp: u32) -> Result<(), Errno> {
    let mut result = Err(Errno::ESRCH);
    for member in &tables.group(pgrp) {
        let sent = kill_process(tables, info, member);
        if result.is_err() {
            result = sent;
        }
    }
    result
}

/// Sends to everybody but init and the caller's own process.
fn kill_all(tables: &Tables, info: SigInfo) -> Result<(), Errno> {
    let me = current().process.tgid;
    let mut result = None;
    for process in tables.processes.values().filter(|process| process.tgid != INIT_PID && process.tgid != me) {
        match kill_process(tables, info, process) {
            // Those that may not be signalled do not count.
            Err(Errno::EPERM) => result = result.or(Some(Ok(()))),
            sent => result = Some(sent),
        }
    }
    result.unwrap_or(Err(Errno::ESRCH))
}

/// Sends to one thread, of the process `tgid` if that is given.
#[doc(alias = "do_send_specific")]
fn kill_thread(info: SigInfo, tgid: Option<i32>, tid: i32) -> Result<(), Errno> {
    if tid <= 0 || tgid.is_some_and(|tgid| tgid <= 0) {
        return Err(Errno::EINVAL);
    }
    let tables = current().kernel.pids.lock();
    let task = tables.tasks.get(&tid.cast_unsigned()).ok_or(Errno::ESRCH)?;
    if is_gone(task) || tgid.is_some_and(|tgid| tgid as u32 != task.process.tgid) {
        return Err(Errno::ESRCH);
    }
    kill_checked(&tables, info, &task.process, Target::Task(task))
}

/// `tgkill(tgid, pid, sig)`.
pub fn sys_tgkill(tgid: i32, tid: i32, signo: Signo) -> SysResult {
    kill_thread(sender_info(signo.0, SI_TKILL), Some(tgid), tid)?;
    Ok(0)
}

/// `tkill(pid, sig)`.
pub fn sys_tkill(tid: i32, signo: Signo) -> SysResult {
    kill_thread(sender_info(signo.0, SI_TKILL), None, tid)?;
    Ok(0)
}

/// What a sender may claim: codes of the kernel and of tkill only towards itself.
fn check_claim(claimed: &SigInfo, tid: i32) -> Result<(), Errno> {
    let reserved = claimed.si_code >= 0 || claimed.si_code == SI_TKILL;
    if reserved && i64::from(current().tid()) != i64::from(tid) {
        return Err(Errno::EPERM);
    }
    Ok(())
}

/// The sender's block, with the call's own signal number.
fn read_info(signo: i32, info: UserAddr) -> Result<SigInfo, Errno> {
    let mut info: SigInfo = info.read()?;
    info.si_signo = signo;
    Ok(info)
}

/// `rt_sigqueueinfo(pid, sig, uinfo)`.
pub fn sys_rt_sigqueueinfo(pid: i32, signo: Signo, info: UserAddr) -> SysResult {
    let info = read_info(signo.0, info)?;
    check_claim(&info, pid)?;
    let tables = current().kernel.pids.lock();
    kill_process(&tables, info, find_process(&tables, pid)?)?;
    Ok(0)
}

/// `rt_tgsigqueueinfo(tgid, pid, sig, uinfo)`.
pub fn sys_rt_tgsigqueueinfo(tgid: i32, tid: i32, signo: Signo, info: UserAddr) -> SysResult {
    let info = read_info(signo.0, info)?;
    if tid <= 0 || tgid <= 0 {
        return Err(Errno::EINVAL.into());
    }
    check_claim(&info, tid)?;
    kill_thread(info, Some(tgid), tid)?;
    Ok(0)
}

/// What a pidfd's signal is meant for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Thread,
    Process,
    Group,
}

impl Scope {
    fn from_flags(flags: u32) -> Result<Scope, Errno> {
        match flags {
            0 | PIDFD_SIGNAL_THREAD_GROUP => Ok(Scope::Process),
            PIDFD_SIGNAL_THREAD => Ok(Scope::Thread),
            PIDFD_SIGNAL_PROCESS_GROUP => Ok(Scope::Group),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// `pidfd_send_signal(pidfd, sig, info, flags)`: to that very process, whoever has its number now.
pub fn sys_pidfd_send_signal(pidfd: Fd, signo: Signo, info: UserAddr, flags: Flags) -> SysResult {
    let scope = Scope::from_flags(flags.0)?;
    let process = pidfd::signal_target(pidfd)?;
    let info = if info.is_null() {
        sender_info(signo.0, if scope == Scope::Thread { SI_TKILL } else { SI_USER })
    } else {
        let info: SigInfo = info.read()?;
        if info.si_signo != signo.0 {
            return Err(Errno::EINVAL.into());
        }
        check_claim(&info, if scope == Scope::Group { 0 } else { process.tgid as i32 })?;
        info
    };
    let tables = current().kernel.pids.lock();
    let is_known = tables.processes.get(&process.tgid).is_some_and(|found| Arc::ptr_eq(found, &process));
    match (scope, tables.tasks.get(&process.tgid)) {
        (Scope::Group, _) => kill_group(&tables, info, process.tgid)?,
        (_, _) if !is_known => return Err(Errno::ESRCH.into()),
        (Scope::Thread, Some(leader)) => kill_checked(&tables, info, &process, Target::Task(leader))?,
        _ => kill_process(&tables, info, &process)?,
    }
    Ok(0)
}
