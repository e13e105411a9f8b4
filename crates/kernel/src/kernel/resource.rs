//! What processes use, and how much they may.
//!
//! Mirrors: kernel/sys.c (`getrusage`, `do_prlimit`), Linux 6.18.
//! Differs: limits are ours; those that the host enforces on our behalf are set there too.
//! Locking: the limits of a process, over the host call that sets one.

use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_RESOURCE;
use acrida_uapi::errno::Errno;
use acrida_uapi::resource::{
    RLIM_NLIMITS, RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_RTPRIO, RLIMIT_RTTIME,
    RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD, Rlimit64, Rusage,
};
use acrida_uapi::time::Timeval;

use crate::abi::SysResult;
use crate::fs::fdtable::NR_OPEN;
use crate::kernel::cred::Cred;
use crate::kernel::lend::own_host_process;
use crate::kernel::pid::INIT_PID;
use crate::kernel::task::{Pid, Process};
use crate::{current, host, kernel};

/// Adds another process's use; memory is the largest of any.
#[doc(alias = "k_getrusage")]
pub fn add_usage(sum: &mut Rusage, other: &Rusage) {
    let add = |a: Timeval, b: Timeval| {
        let usec = a.tv_usec + b.tv_usec;
        Timeval { tv_sec: a.tv_sec + b.tv_sec + usec / 1_000_000, tv_usec: usec % 1_000_000 }
    };
    sum.ru_utime = add(sum.ru_utime, other.ru_utime);
    sum.ru_stime = add(sum.ru_stime, other.ru_stime);
    sum.ru_maxrss = sum.ru_maxrss.max(other.ru_maxrss);
    sum.ru_minflt += other.ru_minflt;
    sum.ru_majflt += other.ru_majflt;
    sum.ru_inblock += other.ru_inblock;
    sum.ru_oublock += other.ru_oublock;
    sum.ru_nvcsw += other.ru_nvcsw;
    sum.ru_nivcsw += other.ru_nivcsw;
}

/// User and system time, ns.
pub fn cpu_times(usage: &Rusage) -> [u64; 2] {
    [usage.ru_utime, usage.ru_stime].map(|time| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000)
}

pub fn sys_getrusage(who: i32, usage: UserAddr) -> SysResult {
    let process = &current().process;
    let report = match who {
        RUSAGE_SELF | RUSAGE_THREAD => host::rusage(who),
        RUSAGE_CHILDREN => *process.child_usage.lock(),
        _ => return Err(Errno::EINVAL.into()),
    };
    usage.write(&report)?;
    Ok(0)
}

pub fn sys_getrlimit(which: u32, limit: UserAddr) -> SysResult {
    if which as usize >= RLIM_NLIMITS as usize {
        return Err(Errno::EINVAL.into());
    }
    limit.write(&current().process.rlimit(which as usize))?;
    Ok(0)
}

pub fn sys_setrlimit(which: u32, limit: UserAddr) -> SysResult {
    let new: Rlimit64 = limit.read()?;
    do_prlimit(&current().process, which, Some(new))?;
    Ok(0)
}

pub fn sys_prlimit64(pid: i32, which: u32, new: UserAddr, old: UserAddr) -> SysResult {
    let new: Option<Rlimit64> = new.read_opt()?;
    let me = current();
    let process = match pid {
        0 => me.process.clone(),
        pid => {
            let (process, cred) = named(pid.cast_unsigned()).ok_or(Errno::ESRCH)?;
            may_set_limits(&me.cred(), &cred, process.tgid == me.process.tgid)?;
            process
        }
    };
    let before = do_prlimit(&process, which, new)?;
    old.write_opt(&before)?;
    Ok(0)
}

/// The process with a thread of that number, and whose it is. Init has no thread, and is root's.
fn named(pid: Pid) -> Option<(Arc<Process>, Arc<Cred>)> {
    let pids = &kernel().pids;
    match pids.task(pid) {
        Some(task) => Some((task.process.clone(), task.cred())),
        None if pid == INIT_PID => Some((pids.process(pid)?, Arc::new(Cred::of_root()))),
        None => None,
    }
}

#[doc(alias = "check_prlimit_permission")]
fn may_set_limits(mine: &Cred, theirs: &Cred, own: bool) -> Result<(), Errno> {
    let same_uid = [theirs.uid, theirs.euid, theirs.suid].iter().all(|&uid| uid == mine.uid);
    let same_gid = [theirs.gid, theirs.egid, theirs.sgid].iter().all(|&gid| gid == mine.gid);
    if own || (same_uid && same_gid) || mine.capable(CAP_SYS_RESOURCE) { Ok(()) } else { Err(Errno::EPERM) }
}

/// Sets a limit if `new` is given; the one before.
fn do_prlimit(process: &Process, which: u32, new: Option<Rlimit64>) -> Result<Rlimit64, Errno> {
    if which as usize >= RLIM_NLIMITS as usize {
        return Err(Errno::EINVAL);
    }
    if let Some(new) = new {
        if new.rlim_cur > new.rlim_max {
            return Err(Errno::EINVAL);
        }
        if which == RLIMIT_NOFILE as u32 && new.rlim_max > u64::from(NR_OPEN) {
            return Err(Errno::EPERM);
        }
    }
    if new.is_some() && HOST_ENFORCED.contains(&which) && core::ptr::eq(process, &*current().process) {
        own_host_process()?;
    }
    let host_pid = process.host_pid();
    let mut limits = process.rlimits.lock();
    let old = limits[which as usize];
    if let Some(new) = new {
        if new.rlim_max > old.rlim_max && !current().cred().capable(CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
        limits[which as usize] = new;
        // Init's host process is the kernel's own.
        if HOST_ENFORCED.contains(&which) && process.tgid != INIT_PID {
            host::set_rlimit(host_pid, which, &new);
        }
    }
    Ok(old)
}

/// Limits that the host enforces on our behalf: CPU time, the size of host files, locked memory, priorities.
const HOST_ENFORCED: [u32; 6] = [
    RLIMIT_CPU as u32,
    RLIMIT_FSIZE as u32,
    RLIMIT_MEMLOCK as u32,
    RLIMIT_NICE as u32,
    RLIMIT_RTPRIO as u32,
    RLIMIT_RTTIME as u32,
];
