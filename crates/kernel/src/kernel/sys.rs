//! Calls about the system as a whole, and what happens to calls that nobody serves.
//!
//! Mirrors: kernel/sys.c, kernel/sys_ni.c, Linux 6.1.

use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::regs::UserFrame;
use acrida_kcore::uaccess::UserAddr;
use acrida_trace_format::boot::flags;
use acrida_uapi::errno::Errno;

use acrida_uapi::capability::{CAP_LAST_CAP, CAP_SETPCAP, CAP_SYS_ADMIN, CAP_SYS_RESOURCE};
use acrida_uapi::prctl::*;
use acrida_uapi::resource::{
    RLIM_NLIMITS, RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_RTPRIO, RLIMIT_RTTIME,
    RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD, Rlimit64, Rusage,
};
use acrida_uapi::signal::valid_signal;
use acrida_uapi::time::Timeval;

use crate::abi::{ArgKind, SysResult};
use crate::fs::fdtable::NR_OPEN;
use crate::fs::iov_iter::IovIter;
use crate::kernel::cred::Cred;
use crate::kernel::lend::own_host_process;
use crate::{current, host, kernel};

/// A call in nobody's table.
#[doc(alias = "sys_ni_syscall")]
pub fn unknown_call(nr: u64) -> SysResult {
    const ACRIDA_PANIC: u64 = 0xac1d;
    if nr == ACRIDA_PANIC && crate::kernel().flags & flags::DEBUG_PANIC != 0 {
        panic!("a guest asked for it: call {nr:#x} with --debug-panic");
    }
    crate::kernel().unknown_calls.lock().insert(nr);
    Err(Errno::ENOSYS.into())
}

/// Hands a call to the host as it is; addresses must be the guest's, descriptors are never passed on.
pub fn pass_to_host(frame: &UserFrame, kinds: &[ArgKind]) -> SysResult {
    let regs = frame.regs.args();
    let mut args = [const { Arg::Null }; 6];
    for ((arg, kind), reg) in args.iter_mut().zip(kinds).zip(regs) {
        *arg = match kind {
            ArgKind::Addr | ArgKind::Path | ArgKind::BufIn | ArgKind::BufOut => Arg::User(UserAddr(reg), 0),
            _ => Arg::Val(reg),
        };
    }
    let host = platform().host();
    Ok(host.call(frame.regs.orig_rax as u32, &mut args[..kinds.len()])?)
}

pub fn sys_uname(buf: UserAddr) -> SysResult {
    let mut names = host::uname();
    names.nodename = [0; 65];
    let hostname = kernel().hostname.lock().clone();
    names.nodename[..hostname.len()].copy_from_slice(&hostname);
    buf.write(&names)?;
    Ok(0)
}

pub fn sys_sethostname(name: UserAddr, len: i32) -> SysResult {
    if !current().cred().capable(CAP_SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    if !(0..=64).contains(&len) {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = vec![0; len as usize];
    name.read_bytes(&mut bytes)?;
    *kernel().hostname.lock() = bytes;
    Ok(0)
}

pub fn sys_sysinfo(info: UserAddr) -> SysResult {
    let mut report = host::sysinfo();
    report.procs = kernel().pids.lock().tasks.len() as u16;
    info.write(&report)?;
    Ok(0)
}

pub fn sys_getrandom(buf: UserAddr, len: usize, flags: u32) -> SysResult {
    const GRND_ALL: u32 = 7;
    const GRND_RANDOM_AND_INSECURE: u32 = 6;
    if flags & !GRND_ALL != 0 || flags & GRND_RANDOM_AND_INSECURE == GRND_RANDOM_AND_INSECURE {
        return Err(Errno::EINVAL.into());
    }
    let len = len.min(i32::MAX as usize);
    crate::drivers::char::random::read(&mut IovIter::user(buf, len))
}

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
            let task = me.kernel.pids.task(pid as u32).ok_or(Errno::ESRCH)?;
            may_set_limits(&me.cred(), &task.cred(), task.process.tgid == me.process.tgid)?;
            task.process.clone()
        }
    };
    let before = do_prlimit(&process, which, new)?;
    old.write_opt(&before)?;
    Ok(0)
}

#[doc(alias = "check_prlimit_permission")]
fn may_set_limits(mine: &Cred, theirs: &Cred, own: bool) -> Result<(), Errno> {
    let same_uid = [theirs.uid, theirs.euid, theirs.suid].iter().all(|&uid| uid == mine.uid);
    let same_gid = [theirs.gid, theirs.egid, theirs.sgid].iter().all(|&gid| gid == mine.gid);
    if own || (same_uid && same_gid) || mine.capable(CAP_SYS_RESOURCE) { Ok(()) } else { Err(Errno::EPERM) }
}

/// Sets a limit if `new` is given; the one before.
fn do_prlimit(process: &crate::Process, which: u32, new: Option<Rlimit64>) -> Result<Rlimit64, Errno> {
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
    let mut limits = process.rlimits.lock();
    let old = limits[which as usize];
    if let Some(new) = new {
        if new.rlim_max > old.rlim_max && !current().cred().capable(CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
        limits[which as usize] = new;
        if HOST_ENFORCED.contains(&which) {
            host::set_rlimit(process.host_pid.load(Ordering::Relaxed), which, &new);
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

pub fn sys_personality(persona: u32) -> SysResult {
    let process = &current().process;
    let old = process.personality.load(Ordering::Relaxed);
    if persona != u32::MAX {
        process.personality.store(persona, Ordering::Relaxed);
    }
    Ok(old as usize)
}

pub fn sys_getcpu(cpu: UserAddr, node: UserAddr) -> SysResult {
    cpu.write_opt(&host::current_cpu())?;
    node.write_opt(&0u32)?;
    Ok(0)
}

/// The name of a task as `PR_SET_NAME` takes it: at most 15 bytes.
pub fn set_comm(name: &[u8]) {
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len()).min(15);
    let name: Vec<u8> = name[..end].to_vec();
    host::set_thread_name(&name);
    *current().comm.lock() = name;
}

pub fn sys_prctl(option: i32, a2: u64, a3: u64, a4: u64, a5: u64) -> SysResult {
    let me = current();
    let process = &me.process;
    let only = |rest: &[u64]| if rest.iter().any(|&a| a != 0) { Err(Errno::EINVAL) } else { Ok(()) };
    match option {
        PR_SET_PDEATHSIG => {
            if a2 > 64 || (a2 != 0 && !valid_signal(a2 as i32)) {
                return Err(Errno::EINVAL.into());
            }
            process.pdeath_signal.store(a2 as i32, Ordering::Relaxed);
        }
        PR_GET_PDEATHSIG => UserAddr(a2).write(&process.pdeath_signal.load(Ordering::Relaxed))?,
        PR_GET_DUMPABLE => return Ok(process.dumpable.load(Ordering::Relaxed) as usize),
        PR_SET_DUMPABLE => {
            if a2 > 1 {
                return Err(Errno::EINVAL.into());
            }
            process.dumpable.store(a2 as u32, Ordering::Relaxed);
        }
        PR_SET_NAME => {
            let mut name = UserAddr(a2).read_cstr(15, Errno::E2BIG).or_else(|errno| match errno {
                Errno::E2BIG => {
                    let mut name = vec![0; 15];
                    UserAddr(a2).read_bytes(&mut name).map(|()| name)
                }
                other => Err(other),
            })?;
            name.truncate(15);
            set_comm(&name);
        }
        PR_GET_NAME => {
            let mut name = [0u8; 16];
            let comm = me.comm.lock().clone();
            name[..comm.len()].copy_from_slice(&comm);
            UserAddr(a2).write_bytes(&name)?;
        }
        PR_SET_CHILD_SUBREAPER => process.is_subreaper.store(a2 != 0, Ordering::Relaxed),
        PR_GET_CHILD_SUBREAPER => {
            UserAddr(a2).write(&i32::from(process.is_subreaper.load(Ordering::Relaxed)))?;
        }
        PR_SET_NO_NEW_PRIVS => {
            only(&[a3, a4, a5])?;
            if a2 != 1 {
                return Err(Errno::EINVAL.into());
            }
            edit_cred(|cred| cred.no_new_privs = true);
        }
        PR_GET_NO_NEW_PRIVS => {
            only(&[a2, a3, a4, a5])?;
            return Ok(usize::from(me.cred().no_new_privs));
        }
        PR_GET_KEEPCAPS => return Ok(usize::from(me.cred().securebits & 16 != 0)),
        PR_SET_KEEPCAPS => {
            if a2 > 1 {
                return Err(Errno::EINVAL.into());
            }
            edit_cred(|cred| cred.securebits = (cred.securebits & !16) | (a2 as u32) << 4);
        }
        PR_GET_SECUREBITS => return Ok(me.cred().securebits as usize),
        PR_CAPBSET_READ => {
            if a2 > u64::from(CAP_LAST_CAP) {
                return Err(Errno::EINVAL.into());
            }
            return Ok(usize::from(me.cred().cap_bset & 1 << a2 != 0));
        }
        PR_CAPBSET_DROP => {
            if !me.cred().capable(CAP_SETPCAP) {
                return Err(Errno::EPERM.into());
            }
            if a2 > u64::from(CAP_LAST_CAP) {
                return Err(Errno::EINVAL.into());
            }
            edit_cred(|cred| cred.cap_bset &= !(1 << a2));
        }
        PR_CAP_AMBIENT => {
            only(&[a4, a5])?;
            return cap_ambient(a2, a3);
        }
        PR_GET_SECCOMP => return Ok(0),
        // Plain numbers that the host keeps for its thread or its memory, and hands on as we fork.
        PR_GET_TIMERSLACK | PR_SET_TIMERSLACK | PR_GET_THP_DISABLE | PR_SET_THP_DISABLE | PR_MCE_KILL | PR_MCE_KILL_GET => {
            own_host_process()?;
            return Ok(host::prctl(option, [a2, a3, a4, a5])?);
        }
        PR_SET_PTRACER => {}
        PR_GET_TID_ADDRESS => UserAddr(a2).write(&me.clear_child_tid.load(Ordering::Relaxed))?,
        PR_GET_TSC => UserAddr(a2).write(&1i32)?,
        PR_GET_TIMING => return Ok(0),
        PR_SET_TIMING if a2 == 0 => {}
        // Names of anonymous areas are for views only.
        PR_SET_VMA => only(&[])?,
        // Seccomp and dispatch are the kernel's own way in.
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}

fn edit_cred(edit: impl FnOnce(&mut Cred)) {
    let mut slot = current().cred.lock();
    let mut cred = (**slot).clone();
    edit(&mut cred);
    *slot = alloc::sync::Arc::new(cred);
}

fn cap_ambient(op: u64, cap: u64) -> SysResult {
    const IS_SET: u64 = 1;
    const RAISE: u64 = 2;
    const LOWER: u64 = 3;
    const CLEAR_ALL: u64 = 4;
    if op == CLEAR_ALL {
        if cap != 0 {
            return Err(Errno::EINVAL.into());
        }
        edit_cred(|cred| cred.cap_ambient = 0);
        return Ok(0);
    }
    if cap > u64::from(CAP_LAST_CAP) {
        return Err(Errno::EINVAL.into());
    }
    let cred = current().cred();
    match op {
        IS_SET => Ok(usize::from(cred.cap_ambient & 1 << cap != 0)),
        RAISE if cred.cap_permitted & cred.cap_inheritable & 1 << cap == 0 => Err(Errno::EPERM.into()),
        RAISE => {
            edit_cred(|cred| cred.cap_ambient |= 1 << cap);
            Ok(0)
        }
        LOWER => {
            edit_cred(|cred| cred.cap_ambient &= !(1 << cap));
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
