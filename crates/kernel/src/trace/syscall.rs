//! One observed call: recorded, counted, timed.
//!
//! Mirrors: kernel/entry/common.c (`syscall_trace_enter`, `syscall_exit_work`), Linux 6.18.
//! Differs: one record a call, written when it comes back; what it points to is captured before (inputs) and after
//! (outputs) the handler.

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::regs::UserFrame;
use acrida_kcore::{thread, trace_ring};
use acrida_trace_format::boot::flags;
use acrida_trace_format::counters::CallCounters;
use acrida_trace_format::ring::{Record, kind};
use acrida_uapi::errno::Error;
use acrida_uapi::nr;

use super::{capture, has, wants};
use crate::abi::SysResult;
use crate::current;
use crate::syscalls::{self, TABLE};

/// Serves the call in `frame` as `syscalls::dispatch` does, and tells of it.
#[cold]
#[inline(never)]
pub fn observed(frame: &mut UserFrame) -> SysResult {
    let number = frame.regs.orig_rax;
    let traced = has(flags::TRACE) && wants(number);
    let args = frame.regs.args();
    let entry = TABLE.get(number as usize);
    let kinds = entry.map_or(&[][..], |entry| entry.args);
    let mut record = traced.then(|| begin(number, args));
    if let Some(record) = &mut record {
        capture::inputs(record, kinds);
    }
    if matches!(u32::try_from(number), Ok(nr::exit | nr::exit_group)) {
        if let Some(record) = &mut record {
            record.kind = kind::CALL_NO_RETURN;
            trace_ring::push(record);
        }
        trace_ring::count(number as usize, &CallCounters { calls: 1, ..CallCounters::default() });
        return syscalls::dispatch(frame);
    }
    let host = &thread::current().host_calls;
    let before = host.snapshot();
    let start = platform().now(ClockId::Monotonic);
    let result = syscalls::dispatch(frame);
    let ns = platform().now(ClockId::Monotonic).saturating_sub(start);
    let after = host.snapshot();
    let [plain, waits, maps] = core::array::from_fn(|n| after[n].wrapping_sub(before[n]));
    if has(flags::STATS) {
        let counters = CallCounters {
            calls: 1,
            errors: u64::from(result.is_err()),
            ns,
            host_calls: plain,
            host_waits: waits,
            host_maps: maps,
        };
        trace_ring::count(number as usize, &counters);
    }
    if let Some(record) = &mut record {
        record.start_ns = start;
        record.duration_ns = ns;
        record.result = raw(&result);
        record.host_calls = (plain + waits + maps) as u32;
        capture::outputs(record, kinds);
        trace_ring::push(record);
    }
    result
}

fn begin(number: u64, args: [u64; 6]) -> Record {
    let task = current();
    let mut record = Record::new(kind::CALL);
    record.number = u32::try_from(number).unwrap_or(u32::MAX);
    record.pid = task.process.tgid;
    record.tid = task.tid();
    record.start_ns = platform().now(ClockId::Monotonic);
    record.args = args;
    record
}

/// The result as a tracer on Linux sees it: restart codes included.
fn raw(result: &SysResult) -> i64 {
    match result {
        Ok(value) => *value as i64,
        Err(Error::Errno(errno)) => -i64::from(errno.raw()),
        Err(Error::Restart(restart)) => -i64::from(restart.raw()),
    }
}
