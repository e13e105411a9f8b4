//! Scheduling calls: the host schedules the threads, so what it knows is asked of it under the host's number.
//!
//! Mirrors: kernel/sched/syscalls.c, kernel/sys.c (`setpriority`), Linux 6.18.
//! Differs: guest numbers are translated and rights are checked here; the policy itself is the host's affair.
//! Locking: the pid table while a group or a user's threads are asked or told something.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_NICE;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::PAGE_SIZE;
use acrida_uapi::nr;
use acrida_uapi::resource::{RLIMIT_NICE, RLIMIT_RTPRIO};
use acrida_uapi::sched::*;
use zerocopy::{FromBytes, IntoBytes};

use crate::abi::SysResult;
use crate::host::sched as host;
use crate::kernel::lend::own_host_process;
use crate::kernel::pid::INIT_PID;
use crate::{Task, current, kernel};

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
        return Ok(init.host_pid().into());
    }
    let task = kernel().pids.task(pid as u32).ok_or(Errno::ESRCH)?;
    match task.thread.host_tid.load(Ordering::Relaxed) {
        0 => Err(Errno::ESRCH),
        tid => Ok(tid.into()),
    }
}

/// Guest task `pid` (0: the caller); `None` for init, which has none.
fn task_of(pid: i32) -> Option<Arc<Task>> {
    kernel().pids.task(if pid == 0 { current().tid() } else { pid.cast_unsigned() })
}

/// Whether the caller may schedule `task` without rights over others.
#[doc(alias = "check_same_owner")]
fn is_same_owner(task: &Task) -> bool {
    let (mine, theirs) = (current().cred(), task.cred());
    mine.euid == theirs.euid || mine.euid == theirs.uid
}

/// Whether the caller may have guest task `pid` scheduled as `wanted`: the host's thread has rights that the guest's may
/// lack. What makes no sense is left to the host, which says so first.
#[doc(alias = "user_check_sched_setscheduler")]
fn check_change(pid: i32, now: &SchedAttr, wanted: &SchedAttr) -> Result<(), Errno> {
    let policy = wanted.sched_policy.cast_signed();
    let is_realtime = matches!(policy, SCHED_FIFO | SCHED_RR);
    let is_valid = match policy {
        SCHED_NORMAL | SCHED_BATCH | SCHED_IDLE => wanted.sched_priority == 0,
        SCHED_FIFO | SCHED_RR => (1..=99).contains(&wanted.sched_priority),
        SCHED_DEADLINE => true,
        _ => false,
    };
    let is_valid = is_valid && wanted.sched_flags & !SCHED_FLAG_ALL == 0;
    if !is_valid || current().cred().capable(CAP_SYS_NICE) {
        return Ok(());
    }
    let Some(task) = task_of(pid) else { return Err(Errno::EPERM) };
    let is_fair = matches!(policy, SCHED_NORMAL | SCHED_BATCH);
    let limit = task.process.rlimit(RLIMIT_RTPRIO as usize).rlim_cur;
    let leaves_idle = now.sched_policy == SCHED_IDLE.cast_unsigned() && policy != SCHED_IDLE;
    let needs_rights = policy == SCHED_DEADLINE
        || is_fair && wanted.sched_nice < now.sched_nice && !is_within_nice_limit(&task, wanted.sched_nice)
        || is_realtime && wanted.sched_policy != now.sched_policy && limit == 0
        || is_realtime && wanted.sched_priority > now.sched_priority && u64::from(wanted.sched_priority) > limit
        || leaves_idle && !is_within_nice_limit(&task, now.sched_nice)
        || now.sched_flags & !wanted.sched_flags & SCHED_FLAG_RESET_ON_FORK != 0;
    if needs_rights || !is_same_owner(&task) { Err(Errno::EPERM) } else { Ok(()) }
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
    let is_allowed = task_of(pid).is_some_and(|task| is_same_owner(&task)) || current().cred().capable(CAP_SYS_NICE);
    if !is_allowed {
        return Err(Errno::EPERM.into());
    }
    call(nr::sched_setaffinity, &mut [Arg::Val(tid), Arg::Val(len as u64), Arg::User(mask, len)])
}

pub fn sys_sched_getaffinity(pid: i32, len: usize, mask: UserAddr) -> SysResult {
    let tid = host_tid_any(pid)?;
    call(nr::sched_getaffinity, &mut [Arg::Val(tid), Arg::Val(len as u64), Arg::User(mask, len)])
}

/// The argument of a call that is wrong without one, whoever it is for.
fn read_param<T: FromBytes + IntoBytes>(pid: i32, param: UserAddr) -> Result<T, Errno> {
    if pid < 0 || param.is_null() { Err(Errno::EINVAL) } else { param.read() }
}

pub fn sys_sched_setparam(pid: i32, param: UserAddr) -> SysResult {
    own_host_process()?;
    let param: SchedParam = read_param(pid, param)?;
    let tid = host_tid(pid)?;
    let now = host::attributes(tid)?;
    let wanted = SchedAttr { sched_priority: param.sched_priority.cast_unsigned(), ..now };
    check_change(pid, &now, &wanted)?;
    host::set_param(tid, &param)?;
    Ok(0)
}

pub fn sys_sched_getparam(pid: i32, param: UserAddr) -> SysResult {
    let tid = host_tid(pid)?;
    call(nr::sched_getparam, &mut [Arg::Val(tid), Arg::User(param, 4)])
}

pub fn sys_sched_setscheduler(pid: i32, policy: i32, param: UserAddr) -> SysResult {
    if policy < 0 {
        return Err(Errno::EINVAL.into());
    }
    own_host_process()?;
    let param: SchedParam = read_param(pid, param)?;
    let tid = host_tid(pid)?;
    let now = host::attributes(tid)?;
    let wanted = SchedAttr {
        sched_policy: (policy & !SCHED_RESET_ON_FORK).cast_unsigned(),
        sched_flags: if policy & SCHED_RESET_ON_FORK != 0 { SCHED_FLAG_RESET_ON_FORK } else { 0 },
        sched_priority: param.sched_priority.cast_unsigned(),
        ..now
    };
    check_change(pid, &now, &wanted)?;
    host::set_scheduler(tid, policy, &param)?;
    Ok(0)
}

pub fn sys_sched_getscheduler(pid: i32) -> SysResult {
    let tid = host_tid(pid)?;
    call(nr::sched_getscheduler, &mut [Arg::Val(tid)])
}

/// A `struct sched_attr` of the guest, of any version.
#[doc(alias = "sched_copy_attr")]
fn read_attributes(attr: UserAddr) -> Result<SchedAttr, Errno> {
    const OURS: usize = size_of::<SchedAttr>();
    let size = match attr.read::<u32>()? {
        0 => SCHED_ATTR_SIZE_VER0,
        size => size as usize,
    };
    let mut wanted = SchedAttr::default();
    let is_known = (SCHED_ATTR_SIZE_VER0..=PAGE_SIZE).contains(&size) && {
        attr.read_bytes(&mut wanted.as_mut_bytes()[..size.min(OURS)])?;
        // Later versions are understood as long as what they added is not used.
        let mut added = [0; PAGE_SIZE - OURS];
        let added = &mut added[..size.saturating_sub(OURS)];
        attr.add(OURS as u64).read_bytes(added)?;
        added.iter().all(|&byte| byte == 0)
    };
    if !is_known {
        attr.write(&(OURS as u32))?;
        return Err(Errno::E2BIG);
    }
    wanted.size = size.min(OURS) as u32;
    Ok(wanted)
}

pub fn sys_sched_setattr(pid: i32, attr: UserAddr, flags: u32) -> SysResult {
    own_host_process()?;
    if pid < 0 || attr.is_null() || flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut wanted = read_attributes(attr)?;
    let tid = host_tid(pid)?;
    let now = host::attributes(tid)?;
    let asked = wanted;
    if wanted.sched_flags & SCHED_FLAG_KEEP_POLICY != 0 {
        wanted.sched_policy = now.sched_policy;
    }
    if wanted.sched_flags & SCHED_FLAG_KEEP_PARAMS != 0 {
        (wanted.sched_priority, wanted.sched_nice) = (now.sched_priority, now.sched_nice);
    }
    check_change(pid, &now, &wanted)?;
    host::set_attributes(tid, &asked)?;
    Ok(0)
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

/// A thread that a `which`, `who` pair names.
struct Named<'a> {
    host_tid: u64,
    /// `None`: init, which is root's.
    task: Option<&'a Task>,
}

/// Does `act` to each thread that the pair names, all at one moment: who makes another one waits, or has made it. What the host
/// has not started gets what its maker has by then.
fn for_each_named(which: i32, who: i32, mut act: impl FnMut(Named<'_>)) -> Result<(), Errno> {
    let me = current();
    let mut matching = |wanted: &dyn Fn(&Task) -> bool| {
        let tables = me.kernel.pids.lock();
        for task in tables.tasks.values().filter(|t| wanted(t) && !t.exiting.load(Ordering::Relaxed)) {
            match task.thread.host_tid.load(Ordering::Relaxed) {
                0 => {}
                host_tid => act(Named { host_tid: host_tid.into(), task: Some(task) }),
            }
        }
    };
    match which {
        PRIO_PROCESS => {
            let host_tid = host_tid(who).map_err(|_| Errno::ESRCH)?;
            act(Named { host_tid, task: task_of(who).as_deref() });
        }
        PRIO_PGRP => {
            let group = if who == 0 { me.process.relations.lock().pgrp } else { who as u32 };
            matching(&|t| t.process.relations.lock().pgrp == group);
        }
        PRIO_USER => {
            let uid = if who == 0 { me.cred().uid } else { who as u32 };
            matching(&|t| t.cred.read(|cred| cred.uid) == uid);
        }
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// Whether `task` may get the nice value `nice` from a caller without rights of its own.
#[doc(alias = "is_nice_reduction")]
fn is_within_nice_limit(task: &Task, nice: i32) -> bool {
    (20 - nice) as u64 <= task.process.rlimit(RLIMIT_NICE as usize).rlim_cur
}

pub fn sys_setpriority(which: i32, who: i32, nice: i32) -> SysResult {
    own_host_process()?;
    let nice = nice.clamp(-20, 19);
    let is_capable = current().cred().capable(CAP_SYS_NICE);
    let set_one = |Named { host_tid, task }: Named<'_>| {
        if !is_capable {
            let task = task.filter(|task| is_same_owner(task)).ok_or(Errno::EPERM)?;
            let now = call(nr::getpriority, &mut [Arg::Val(0), Arg::Val(host_tid)])?;
            if (20 - nice) as usize > now && !is_within_nice_limit(task, nice) {
                return Err(Errno::EACCES.into());
            }
        }
        call(nr::setpriority, &mut [Arg::Val(0), Arg::Val(host_tid), Arg::Val(nice as i64 as u64)])
    };
    let mut result = Err(Errno::ESRCH.into());
    for_each_named(which, who, |named| {
        // Whom it is refused for does not keep the others of a group from theirs.
        match (&result, set_one(named)) {
            (_, Err(error)) if error != Errno::ESRCH => result = Err(error),
            (Err(error), Ok(_)) if *error == Errno::ESRCH => result = Ok(0),
            _ => {}
        }
    })?;
    result
}

/// Answers 20 - nice, the highest priority of those named.
pub fn sys_getpriority(which: i32, who: i32) -> SysResult {
    let mut best = Err(Errno::ESRCH.into());
    for_each_named(which, who, |named| {
        // Whoever ends meanwhile is none of them.
        if let Ok(found) = call(nr::getpriority, &mut [Arg::Val(0), Arg::Val(named.host_tid)]) {
            best = Ok(best.unwrap_or(0).max(found));
        }
    })?;
    best
}
