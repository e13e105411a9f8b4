//! Scheduling calls: the host schedules the threads, so what it knows is asked of it under the host's number.
//!
//! Mirrors: kernel/sched/core.c (the calls), Linux 6.1.
//! Differs: guest numbers are translated; the policy itself is the host's affair.

use core::sync::atomic::Ordering;

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_NICE;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use acrida_uapi::resource::RLIMIT_NICE;

use crate::abi::SysResult;
use crate::kernel::lend::own_host_process;
use crate::kernel::pid::INIT_PID;
use crate::{current, kernel};

/// The host thread of guest task `pid` (0: the caller), as the affinity calls look it up.
fn host_tid_any(pid: i32) -> Result<u64, Errno> {
    if pid < 0 { Err(Errno::ESRCH) } else { host_tid(pid) }
}

/// The host thread of guest task `pid` (0: the caller). The kernel process stands for init.
fn host_tid(pid: i32) -> Result<u64, Errno> {
    if pid < 0 {
        return Err(Errno::EINVAL);
    }
    if pid == 0 {
        return Ok(0);
    }
    if pid as u32 == INIT_PID {
        let init = kernel().pids.process(INIT_PID).ok_or(Errno::ESRCH)?;
        return Ok(init.host_pid.load(Ordering::Relaxed).into());
    }
    let task = kernel().pids.task(pid as u32).ok_or(Errno::ESRCH)?;
    match task.thread.host_tid.load(Ordering::Relaxed) {
        0 => Err(Errno::ESRCH),
        tid => Ok(tid.into()),
    }
}

fn call(number: u32, args: &mut [Arg<'_>]) -> SysResult {
    Ok(platform().host().call(number, args)?)
}

pub fn sys_sched_yield() -> SysResult {
    call(nr::sched_yield, &mut [])
}

pub fn sys_sched_setaffinity(pid: i32, len: usize, mask: UserAddr) -> SysResult {
    own_host_process()?;
    let tid = host_tid_any(pid)?;
    call(nr::sched_setaffinity, &mut [Arg::Val(tid), Arg::Val(len as u64), Arg::User(mask, len)])
}

pub fn sys_sched_getaffinity(pid: i32, len: usize, mask: UserAddr) -> SysResult {
    let tid = host_tid_any(pid)?;
    call(nr::sched_getaffinity, &mut [Arg::Val(tid), Arg::Val(len as u64), Arg::User(mask, len)])
}

pub fn sys_sched_setparam(pid: i32, param: UserAddr) -> SysResult {
    own_host_process()?;
    let tid = host_tid(pid)?;
    call(nr::sched_setparam, &mut [Arg::Val(tid), Arg::User(param, 4)])
}

pub fn sys_sched_getparam(pid: i32, param: UserAddr) -> SysResult {
    let tid = host_tid(pid)?;
    call(nr::sched_getparam, &mut [Arg::Val(tid), Arg::User(param, 4)])
}

pub fn sys_sched_setscheduler(pid: i32, policy: i32, param: UserAddr) -> SysResult {
    own_host_process()?;
    let tid = host_tid(pid)?;
    call(nr::sched_setscheduler, &mut [Arg::Val(tid), Arg::Val(policy as u64), Arg::User(param, 4)])
}

pub fn sys_sched_getscheduler(pid: i32) -> SysResult {
    let tid = host_tid(pid)?;
    call(nr::sched_getscheduler, &mut [Arg::Val(tid)])
}

pub fn sys_sched_setattr(pid: i32, attr: UserAddr, flags: u32) -> SysResult {
    own_host_process()?;
    let tid = host_tid(pid)?;
    call(nr::sched_setattr, &mut [Arg::Val(tid), Arg::User(attr, 48), Arg::Val(flags.into())])
}

pub fn sys_sched_getattr(pid: i32, attr: UserAddr, size: u32, flags: u32) -> SysResult {
    let tid = host_tid(pid)?;
    call(nr::sched_getattr, &mut [Arg::Val(tid), Arg::User(attr, size as usize), Arg::Val(size.into()), Arg::Val(flags.into())])
}

pub fn sys_sched_rr_get_interval(pid: i32, interval: UserAddr) -> SysResult {
    let tid = host_tid(pid)?;
    call(nr::sched_rr_get_interval, &mut [Arg::Val(tid), Arg::User(interval, 16)])
}

const PRIO_PROCESS: i32 = 0;
const PRIO_PGRP: i32 = 1;
const PRIO_USER: i32 = 2;

/// Host threads that a `which`, `who` pair names.
fn who_threads(which: i32, who: i32) -> Result<alloc::vec::Vec<u64>, Errno> {
    let me = current();
    let matching = |wanted: &dyn Fn(&crate::Task) -> bool| -> alloc::vec::Vec<u64> {
        let tables = me.kernel.pids.lock();
        let tasks = tables.tasks.values().filter(|t| wanted(t) && !t.exiting.load(Ordering::Relaxed));
        tasks.map(|t| t.thread.host_tid.load(Ordering::Relaxed).into()).filter(|&tid| tid != 0).collect()
    };
    let found = match which {
        PRIO_PROCESS => return host_tid(who).map(|tid| alloc::vec![tid]).map_err(|_| Errno::ESRCH),
        PRIO_PGRP => {
            let group = if who == 0 { me.process.relations.lock().pgrp } else { who as u32 };
            matching(&|t| t.process.relations.lock().pgrp == group)
        }
        PRIO_USER => {
            let uid = if who == 0 { me.cred().uid } else { who as u32 };
            matching(&|t| t.cred.read(|cred| cred.uid) == uid)
        }
        _ => return Err(Errno::EINVAL),
    };
    if found.is_empty() { Err(Errno::ESRCH) } else { Ok(found) }
}

/// Whether the caller may raise a priority to `nice`.
fn can_nice(nice: i32) -> bool {
    let me = current();
    let limit = me.process.rlimit(RLIMIT_NICE as usize).rlim_cur;
    (20 - nice) as u64 <= limit || me.cred().capable(CAP_SYS_NICE)
}

pub fn sys_setpriority(which: i32, who: i32, nice: i32) -> SysResult {
    own_host_process()?;
    let nice = nice.clamp(-20, 19);
    for tid in who_threads(which, who)? {
        // The host's thread has rights that the guest's may lack.
        let now = call(nr::getpriority, &mut [Arg::Val(0), Arg::Val(tid)])?;
        if (20 - nice) as usize > now && !can_nice(nice) {
            return Err(Errno::EACCES.into());
        }
        call(nr::setpriority, &mut [Arg::Val(0), Arg::Val(tid), Arg::Val(nice as i64 as u64)])?;
    }
    Ok(0)
}

/// Answers 20 - nice, the highest priority of those named.
pub fn sys_getpriority(which: i32, who: i32) -> SysResult {
    let mut best = None;
    for tid in who_threads(which, who)? {
        best = best.max(Some(call(nr::getpriority, &mut [Arg::Val(0), Arg::Val(tid)])?));
    }
    best.ok_or(Errno::ESRCH.into())
}
