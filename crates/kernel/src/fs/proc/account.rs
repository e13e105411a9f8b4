//! What a task uses and how it is run: /proc/PID/{io,sched,schedstat,wchan,syscall,stack,timers,personality,...}.
//!
//! Mirrors: fs/proc/base.c, Linux 6.18.
//! Differs: accounts are the host's of the host thread.

use core::sync::atomic::Ordering;

use acrida_kcore::sched::state;
use acrida_uapi::errno::{Errno, Error};

use crate::fs::proc::base::parse_int;
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::{Scope, Target};
use crate::host::proc::HostTask;

/// The host thread (or process) behind a target.
pub fn host_task(target: &Target) -> HostTask {
    let pid = target.process.host_pid();
    if pid == 0 {
        return HostTask { pid, tid: None };
    }
    let tid = match (target.scope, &target.task) {
        (Scope::Thread, Some(task)) => Some(task.thread.host_tid.load(Ordering::Relaxed)),
        _ => None,
    };
    HostTask { pid, tid }
}

/// The host process behind a target, whichever thread of it is meant.
pub fn host_process(target: &Target) -> HostTask {
    HostTask { tid: None, ..host_task(target) }
}

pub fn personality(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{:08x}\n", target.process.personality.load(Ordering::Relaxed));
    Ok(())
}

/// Where the task sleeps; `0` when it does not, or when the caller may not know.
#[doc(alias = "proc_pid_wchan")]
pub fn wchan(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let name = match &target.task {
        Some(task) if target.may_access() && !target.is_zombie() => task.thread.wchan(),
        _ => "",
    };
    out.put(if name.is_empty() { b"0" } else { name.as_bytes() });
    Ok(())
}

/// The call a sleeping task is in, with its arguments.
#[doc(alias = "proc_pid_syscall")]
pub fn syscall(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(task) = target.task.as_ref().filter(|_| !target.is_zombie()) else {
        out.put(b"0 0x0 0x0\n");
        return Ok(());
    };
    let myself = task.tid() == crate::current().tid();
    if !myself && task.thread.state.load(Ordering::Acquire) == state::RUNNING {
        out.put(b"running\n");
        return Ok(());
    }
    let regs = task.thread.frame().regs;
    let [a, b, c, d, e, f] = regs.args();
    seq_printf!(out, "{} {a:#x} {b:#x} {c:#x} {d:#x} {e:#x} {f:#x} {:#x} {:#x}\n", regs.orig_rax, regs.rsp, regs.rip);
    Ok(())
}

/// There is no kernel stack to show: a task of ours sleeps in one place.
pub fn stack(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    if let Some(task) = &target.task {
        let name = task.thread.wchan();
        if !name.is_empty() {
            seq_printf!(out, "[<0>] {name}\n");
        }
    }
    Ok(())
}

/// The host's text, or nothing when the task has ended.
fn host_text(target: &Target, name: &str, out: &mut SeqFile) -> bool {
    let text = host_task(target).read(name);
    out.put(text.as_deref().unwrap_or(&[]));
    text.is_some()
}

pub fn schedstat(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    if !host_text(target, "schedstat", out) {
        out.put(b"0 0 0\n");
    }
    Ok(())
}

/// The host's text under our name and number.
pub fn sched(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(text) = host_task(target).read("sched") else { return Ok(()) };
    let body = text.iter().position(|&byte| byte == b'\n').map_or(&[][..], |end| &text[end..]);
    out.put(&target.comm());
    seq_printf!(out, " ({}, #threads: {})", target.tid(), target.thread_count());
    out.put(body);
    Ok(())
}

/// Linux clears the numbers; ours are the host's.
pub fn sched_reset(_target: &Target, _bytes: &[u8]) -> Result<(), Error> {
    Ok(())
}

/// Bytes and calls as the host saw them: what never left our kernel is not in it.
pub fn io(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    if !host_text(target, "io", out) {
        let names = ["rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"];
        for name in names {
            seq_printf!(out, "{name}: 0\n");
        }
    }
    Ok(())
}

/// Sleeps are not stretched.
pub fn timerslack(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"50000\n");
    Ok(())
}

pub fn set_timerslack(_target: &Target, bytes: &[u8]) -> Result<(), Error> {
    if parse_int(bytes)? < 0 { Err(Errno::EINVAL.into()) } else { Ok(()) }
}

/// /proc/PID/timers.
pub fn timers(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    crate::kernel::time::posix_timers::show_timers(&target.process, out);
    Ok(())
}
