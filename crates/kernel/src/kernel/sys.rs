//! Calls about the system as a whole, and what happens to calls that nobody serves.
//!
//! Mirrors: kernel/sys.c, kernel/sys_ni.c, Linux 6.18.
//! Locking: leaves.

use alloc::vec;
use core::sync::atomic::Ordering;

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::regs::UserFrame;
use acrida_kcore::uaccess::UserAddr;
use acrida_trace_format::boot::flags;
use acrida_uapi::capability::CAP_SYS_ADMIN;
use acrida_uapi::errno::Errno;

use crate::abi::{ArgKind, SysResult};
use crate::fs::iov_iter::IovIter;
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
