//! Waiting for children.
//!
//! Mirrors: kernel/exit.c (`do_wait`), Linux 6.18.
//! Differs: children are listed by process; the thread that made them is a number beside (`__WNOTHREAD`).
//! Locking: candidates are looked at under the pid table's lock; the waiter that takes a zombie off its parent's list there
//! has it.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::resource::Rusage;
use acrida_uapi::siginfo::{CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, SigInfo};
use acrida_uapi::signal::{SIGCHLD, SIGCONT};
use acrida_uapi::wait::*;

use crate::abi::{Fd, SysResult};
use crate::kernel::exit::{release_process, unhash_process};
use crate::kernel::resource::add_usage;
use crate::kernel::task::Process;
use crate::{current, kernel};

/// Whom to wait for.
#[derive(Clone)]
enum Which {
    Any,
    Pid(u32),
    Group(u32),
    Exactly(Arc<Process>),
}

/// What a waiter found.
struct Found {
    pid: u32,
    uid: u32,
    status: WaitStatus,
    rusage: Rusage,
}

enum Look {
    Found(Found),
    /// Children exist, none has news.
    Later,
    NoChild,
}

const KNOWN_WAIT4: u32 = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;

pub fn sys_wait4(pid: i32, status: UserAddr, options: u32, rusage: UserAddr) -> SysResult {
    if options & !KNOWN_WAIT4 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let which = match pid {
        i32::MIN => return Err(Errno::ESRCH.into()),
        -1 => Which::Any,
        0 => Which::Group(current().process.relations.lock().pgrp),
        p if p < 0 => Which::Group(p.unsigned_abs()),
        p => Which::Pid(p as u32),
    };
    let Some(found) = do_wait(which, options | WEXITED)? else { return Ok(0) };
    status.write_opt(&found.status.raw())?;
    rusage.write_opt(&found.rusage)?;
    Ok(found.pid as usize)
}

pub fn sys_waitid(idtype: i32, id: i32, info: UserAddr, options: u32, rusage: UserAddr) -> SysResult {
    report_waitid(kernel_waitid(idtype, id, options), info, rusage)
}

fn kernel_waitid(idtype: i32, id: i32, options: u32) -> Result<Option<Found>, Error> {
    const KNOWN: u32 = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
    if options & !KNOWN != 0 || options & (WEXITED | WSTOPPED | WCONTINUED) == 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut options = options;
    let which = match idtype {
        P_ALL => Which::Any,
        P_PID if id > 0 => Which::Pid(id as u32),
        P_PGID if id > 0 => Which::Group(id as u32),
        P_PGID if id == 0 => Which::Group(current().process.relations.lock().pgrp),
        P_PIDFD if id >= 0 => {
            let (process, nonblock) = crate::kernel::pidfd::process_of(Fd(id))?;
            // Who asks with WNOHANG hears of nothing new as any other waiter.
            let nonblock = nonblock && options & WNOHANG == 0;
            if nonblock {
                options |= WNOHANG;
            }
            return wait_pidfd(process, options, nonblock);
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    do_wait(which, options)
}

/// A non-blocking pidfd answers `EAGAIN` where `WNOHANG` would answer nothing.
fn wait_pidfd(process: Arc<Process>, options: u32, nonblock: bool) -> Result<Option<Found>, Error> {
    match do_wait(Which::Exactly(process), options)? {
        None if nonblock => Err(Errno::EAGAIN.into()),
        found => Ok(found),
    }
}

/// Stores the report; without one the fields that would tell of a child read as zero, even beside an error.
fn report_waitid(found: Result<Option<Found>, Error>, info: UserAddr, rusage: UserAddr) -> SysResult {
    let (siginfo, result) = match found {
        Ok(Some(found)) => {
            rusage.write_opt(&found.rusage)?;
            let (code, status) = cld_code(found.status);
            (Some(SigInfo::chld(code, found.pid as i32, found.uid, status, 0, 0)), Ok(0))
        }
        Ok(None) => (None, Ok(0)),
        Err(error) => (None, Err(error)),
    };
    if info.is_null() {
        return result;
    }
    match siginfo {
        Some(siginfo) => info.write(&siginfo)?,
        None => {
            // si_signo, si_errno, si_code, then pid, uid, status.
            info.write_bytes(&[0; 12])?;
            info.add(16).write_bytes(&[0; 12])?;
        }
    }
    result
}

/// `si_code` and `si_status` of a wait status.
pub fn cld_code(status: WaitStatus) -> (i32, i32) {
    if let Some(code) = status.exit_code() {
        (CLD_EXITED, code)
    } else if let Some(signo) = status.stop_signal() {
        (CLD_STOPPED, signo)
    } else if status.is_continued() {
        (CLD_CONTINUED, SIGCONT)
    } else {
        let code = if status.core_dumped() { CLD_DUMPED } else { CLD_KILLED };
        (code, status.term_signal().unwrap_or(0))
    }
}

/// Waits as `options` say; `None`: `WNOHANG` and nothing new.
fn do_wait(which: Which, options: u32) -> Result<Option<Found>, Error> {
    let me = current();
    let queue: Arc<WaitQueueHead> = me.process.wait_chldexit.clone();
    let mut look = || match look(&which, options) {
        Look::Found(found) => Some(Ok(Some(found))),
        Look::NoChild => Some(Err(Error::from(Errno::ECHILD))),
        Look::Later if options & WNOHANG != 0 => Some(Ok(None)),
        Look::Later => None,
    };
    match queue.wait_event(WaitOptions::interruptible("do_wait"), &mut look) {
        Ok(result) => result,
        Err(_) => Err(Restart::ERESTARTSYS.into()),
    }
}

fn look(which: &Which, options: u32) -> Look {
    let me = current();
    let kernel = kernel();
    let mut tables = kernel.pids.lock();
    let mut any = false;
    let first = me.process.relations.lock().children.iter().find_map(|child| {
        let matches = match which {
            Which::Any => true,
            Which::Pid(pid) => child.tgid == *pid,
            Which::Group(group) => child.relations.lock().pgrp == *group,
            Which::Exactly(process) => Arc::ptr_eq(child, process),
        };
        let others = options & __WNOTHREAD != 0 && child.relations.lock().parent_tid != me.tid();
        if !matches || others || !kind_matches(child, options) {
            return None;
        }
        // A zombie is no reason to wait: it will never stop or continue.
        any |= !child.is_dead();
        Some((child.clone(), news(child, options)?))
    });
    let Some((child, status)) = first else {
        return if any { Look::Later } else { Look::NoChild };
    };
    // Before another waiter looks.
    let reaped = (child.is_dead() && options & WNOWAIT == 0).then(|| unhash_process(&mut tables, &child));
    drop(tables);
    let uid = child.uid.load(Ordering::Relaxed);
    let found = Found { pid: child.tgid, uid, status, rusage: child.usage_total() };
    if let Some(zombie) = reaped {
        add_usage(&mut me.process.child_usage.lock(), &found.rusage);
        release_process(kernel, zombie);
    }
    Look::Found(found)
}

/// `__WCLONE` waits for children that do not end with SIGCHLD, `__WALL` for both kinds.
fn kind_matches(child: &Process, options: u32) -> bool {
    let clone_child = child.exit_signal.load(Ordering::Relaxed) != SIGCHLD;
    options & __WALL != 0 || clone_child == (options & __WCLONE != 0)
}

/// What there is to tell of a child, as a wait status.
fn news(child: &Process, options: u32) -> Option<WaitStatus> {
    let consume = options & WNOWAIT == 0;
    if child.is_dead() {
        return (options & WEXITED != 0).then(|| WaitStatus::from_raw(child.exit_status.load(Ordering::Acquire)));
    }
    let mut job = child.job.lock();
    match (job.stopped, job.continued) {
        (Some(signo), _) if job.stop_unreported && options & WSTOPPED != 0 => {
            job.stop_unreported = !consume;
            Some(WaitStatus::stopped(signo))
        }
        (_, true) if options & WCONTINUED != 0 => {
            job.continued = !consume;
            Some(WaitStatus::continued())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        assert_eq!(cld_code(WaitStatus::exited(3)), (CLD_EXITED, 3));
        assert_eq!(cld_code(WaitStatus::signaled(9, false)), (CLD_KILLED, 9));
        assert_eq!(cld_code(WaitStatus::signaled(11, true)), (CLD_DUMPED, 11));
        assert_eq!(cld_code(WaitStatus::stopped(19)), (CLD_STOPPED, 19));
        assert_eq!(cld_code(WaitStatus::continued()), (CLD_CONTINUED, SIGCONT));
    }
}
