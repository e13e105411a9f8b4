//! What happens to processes besides their calls: signals, stops, ends.
//!
//! Mirrors: include/trace/events/signal.h, sched.h in role, Linux 6.18.

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::trace_ring;
use acrida_trace_format::boot::flags;
use acrida_trace_format::ring::{Record, kind};
use acrida_uapi::siginfo::SigInfo;
use acrida_uapi::wait::WaitStatus;

use super::has;
use crate::kernel::task::{Process, Task, try_current};

fn record(kind: u16, pid: u32) -> Record {
    let mut record = Record::new(kind);
    record.pid = pid;
    record.tid = try_current().filter(|task| task.process.tgid == pid).map_or(pid, |task| task.tid());
    record.start_ns = platform().now(ClockId::Monotonic);
    record
}

/// The task has taken a signal from its queue and is about to act on it.
pub fn signal_taken(task: &Task, info: &SigInfo, handler: u64) {
    if !has(flags::TRACE) {
        return;
    }
    let mut record = record(kind::SIGNAL, task.process.tgid);
    record.number = info.si_signo as u32;
    record.args[0] = i64::from(info.si_code) as u64;
    record.args[1] = u64::from(info.si_pid() as u32) | u64::from(info.si_uid()) << 32;
    record.args[2] = handler;
    trace_ring::push(&record);
}

/// No thread of the process is left.
pub fn process_ended(process: &Process, status: WaitStatus) {
    if !has(flags::TRACE) {
        return;
    }
    let mut record = record(kind::EXIT, process.tgid);
    record.result = i64::from(status.raw());
    trace_ring::push(&record);
}

/// Every thread of the process has stopped because of `signo`.
pub fn process_stopped(process: &Process, signo: i32) {
    if !has(flags::TRACE) {
        return;
    }
    let mut record = record(kind::STOPPED, process.tgid);
    record.number = signo as u32;
    trace_ring::push(&record);
}
