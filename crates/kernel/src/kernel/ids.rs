//! Numbers of the caller, process groups and sessions.
//!
//! Mirrors: kernel/sys.c (getpid, setpgid, setsid...), Linux 6.18.
//! Locking: groups and sessions change under the pid table's lock.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_uapi::errno::Errno;

use crate::abi::SysResult;
use crate::kernel::task::{Pid, Process};
use crate::{current, kernel};

pub fn sys_getpid() -> SysResult {
    Ok(current().process.tgid as usize)
}

pub fn sys_gettid() -> SysResult {
    Ok(current().tid() as usize)
}

pub fn sys_getppid() -> SysResult {
    Ok(current().process.ppid.load(Ordering::Relaxed) as usize)
}

/// The process that `pid` names: 0 is the caller's.
fn process_or_own(pid: i32) -> Result<Arc<Process>, Errno> {
    match pid {
        0 => Ok(current().process.clone()),
        pid if pid < 0 => Err(Errno::ESRCH),
        pid => {
            let kernel = kernel();
            let by_task = || kernel.pids.task(pid as Pid).map(|t| t.process.clone());
            kernel.pids.process(pid as Pid).or_else(by_task).ok_or(Errno::ESRCH)
        }
    }
}

pub fn sys_getpgid(pid: i32) -> SysResult {
    Ok(process_or_own(pid)?.relations.lock().pgrp as usize)
}

pub fn sys_getpgrp() -> SysResult {
    sys_getpgid(0)
}

pub fn sys_getsid(pid: i32) -> SysResult {
    Ok(process_or_own(pid)?.relations.lock().session as usize)
}

pub fn sys_setpgid(pid: i32, pgid: i32) -> SysResult {
    let me = current();
    let pid = if pid == 0 { me.process.tgid as i32 } else { pid };
    let pgid = if pgid == 0 { pid } else { pgid };
    if pgid < 0 {
        return Err(Errno::EINVAL.into());
    }
    if pid < 0 {
        return Err(Errno::ESRCH.into());
    }
    let mut tables = me.kernel.pids.lock();
    let target = match tables.processes.get(&(pid as Pid)) {
        Some(process) => process.clone(),
        // A thread that is no leader.
        None if tables.tasks.contains_key(&(pid as Pid)) => return Err(Errno::EINVAL.into()),
        None => return Err(Errno::ESRCH.into()),
    };
    let my_session = me.process.relations.lock().session;
    if target.tgid != me.process.tgid {
        let parent = target.relations.lock().parent.upgrade();
        if !parent.is_some_and(|p| Arc::ptr_eq(&p, &me.process)) {
            return Err(Errno::ESRCH.into());
        }
        if target.relations.lock().session != my_session {
            return Err(Errno::EPERM.into());
        }
        if target.did_exec.load(Ordering::Relaxed) {
            return Err(Errno::EACCES.into());
        }
    }
    if target.relations.lock().session == target.tgid {
        return Err(Errno::EPERM.into());
    }
    if pgid as Pid != target.tgid {
        let in_session = tables.group(pgid as Pid).iter().any(|p| p.relations.lock().session == my_session);
        if !in_session {
            return Err(Errno::EPERM.into());
        }
    }
    tables.processes.regroup(&target, pgid as Pid, my_session);
    Ok(0)
}

pub fn sys_setsid() -> SysResult {
    let process = &current().process;
    let mut tables = kernel().pids.lock();
    // Fails for a group leader, and while an older group has the number.
    if process.relations.lock().session == process.tgid || !tables.group(process.tgid).is_empty() {
        return Err(Errno::EPERM.into());
    }
    tables.processes.regroup(process, process.tgid, process.tgid);
    let tty = process.relations.lock().tty.take();
    drop(tables);
    drop(tty);
    Ok(process.tgid as usize)
}
