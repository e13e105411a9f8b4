//! /proc/PID/stat.
//!
//! Mirrors: fs/proc/array.c (`do_task_stat`), Linux 6.18.
//! Locking: as for the rest of `array`.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_uapi::errno::Error;
use acrida_uapi::resource::RLIMIT_RSS;
use acrida_uapi::signal::SigSet;

use super::{Relatives, Resident, Signals, mapped, state_letter};
use crate::fs::proc::account::{host_process, host_task};
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::{Scope, Target};
use crate::host::proc::HostStat;
use crate::kernel::resource::cpu_times;
use crate::mm::MmStruct;
use crate::mm::vma::PAGE_SHIFT;

/// Nanoseconds in a clock tick of user space.
const TICK: u64 = 10_000_000;
const PF_FORKNOEXEC: u32 = 0x40;
const PF_RANDOMIZE: u32 = 0x40_0000;

/// The addresses `stat` shows to those who may look into the task.
#[derive(Default)]
struct Addresses {
    code: [u64; 2],
    stack: u64,
    data: [u64; 2],
    brk: u64,
    args: [u64; 2],
    env: [u64; 2],
}

impl Addresses {
    /// What others see of a process with memory.
    fn hidden(mm: Option<&MmStruct>) -> Addresses {
        Addresses { code: [u64::from(mm.is_some()); 2], ..Addresses::default() }
    }

    fn of(mm: Option<&MmStruct>) -> Addresses {
        let Some(mm) = mm else { return Addresses::default() };
        let brk = mm.lock().brk.start;
        let p = mm.program.lock();
        Addresses {
            code: [p.start_code, p.end_code],
            stack: p.start_stack,
            data: [p.start_data, p.end_data],
            brk,
            args: [p.arg_start, p.arg_end],
            env: [p.env_start, p.env_end],
        }
    }
}

/// Every number of the line that is not constant.
struct Stat {
    pid: u32,
    comm: Vec<u8>,
    state: u8,
    relatives: Relatives,
    flags: u32,
    host: HostStat,
    /// Ticks: user, system, children's user and system.
    times: [u64; 4],
    threads: usize,
    start: u64,
    vsize: u64,
    /// In pages.
    rss: u64,
    rss_limit: u64,
    addresses: Addresses,
    signals: Signals,
    waits: bool,
    exit_signal: i32,
    exit_code: i32,
}

impl Stat {
    fn of(target: &Target) -> Stat {
        let process = &target.process;
        let permitted = target.may_access();
        let host = host_task(target).stat().unwrap_or(HostStat { priority: 20, ..HostStat::default() });
        let ended = *process.final_usage.lock();
        let own = ended.map_or([host.utime, host.stime], |usage| cpu_times(&usage).map(|ns| ns / TICK));
        let children = cpu_times(&process.child_usage.lock()).map(|ns| ns / TICK);
        let state = state_letter(target, Some(host.state));
        let fork_only = !process.did_exec.load(Ordering::Relaxed);
        let exit_code = match process.exit_status.load(Ordering::Acquire) {
            -1 => target.task.as_ref().map_or(0, |task| task.exit_code.load(Ordering::Relaxed)),
            status => status,
        };
        let whole = target.scope == Scope::Process;
        let mm = target.mm();
        let mm = mm.as_deref();
        let resident =
            mm.map_or(0, |mm| Resident::of(&host_process(target).status(), mapped(mm), platform().anonymous_text()).total());
        Stat {
            pid: target.tid(),
            comm: target.comm(),
            state,
            relatives: Relatives::of(target),
            flags: PF_RANDOMIZE | if fork_only { PF_FORKNOEXEC } else { 0 },
            host,
            times: [own[0], own[1], children[0], children[1]],
            threads: target.thread_count(),
            start: process.start_time / TICK,
            vsize: mm.map_or(0, |mm| mm.lock().total_vm()),
            rss: resident << 10 >> PAGE_SHIFT,
            rss_limit: process.rlimit(RLIMIT_RSS as usize).rlim_cur,
            addresses: if permitted { Addresses::of(mm) } else { Addresses::hidden(mm) },
            signals: Signals::of(target),
            waits: state != b'R',
            exit_signal: if whole { process.exit_signal.load(Ordering::Relaxed) } else { -1 },
            exit_code: if permitted { exit_code } else { 0 },
        }
    }

    fn show(&self, out: &mut SeqFile) {
        let old = |set: SigSet| set.bits() & 0x7fff_ffff;
        let (r, h, a, s) = (&self.relatives, &self.host, &self.addresses, &self.signals);
        seq_printf!(out, "{} (", self.pid);
        out.put(&self.comm);
        seq_printf!(out, ") {} {} {} {} {} {}", char::from(self.state), r.ppid, r.pgrp, r.session, r.tty, r.tty_pgrp);
        seq_printf!(out, " {} {} 0 {} 0", self.flags, h.minflt, h.majflt);
        let [utime, stime, cutime, cstime] = self.times;
        seq_printf!(out, " {utime} {stime} {cutime} {cstime} {} {} {} 0", h.priority, h.nice, self.threads);
        seq_printf!(out, " {} {} {} {}", self.start, self.vsize, self.rss, self.rss_limit);
        seq_printf!(out, " {} {} {} 0 0", a.code[0], a.code[1], a.stack);
        seq_printf!(out, " {} {} {} {}", old(s.pending), old(s.blocked), old(s.ignored), old(s.caught));
        seq_printf!(out, " {} 0 0 {} {}", u8::from(self.waits), self.exit_signal, h.processor);
        seq_printf!(out, " {} {} {} {} 0", h.rt_priority, h.policy, h.delayacct_blkio_ticks, h.guest_time);
        seq_printf!(out, " {} {} {}", a.data[0], a.data[1], a.brk);
        seq_printf!(out, " {} {} {} {} {}\n", a.args[0], a.args[1], a.env[0], a.env[1], self.exit_code);
    }
}

#[doc(alias = "do_task_stat")]
pub fn stat(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    Stat::of(target).show(out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stat_line_has_all_fields_in_their_places() {
        let stat = Stat {
            pid: 7,
            comm: b"a b".to_vec(),
            state: b'S',
            relatives: Relatives { ppid: 2, pgrp: 3, session: 4, tty: 34816, tty_pgrp: -1 },
            flags: 4194304,
            host: HostStat { minflt: 10, majflt: 12, priority: 20, nice: 0, processor: 39, policy: 41, ..HostStat::default() },
            times: [14, 15, 16, 17],
            threads: 20,
            start: 22,
            vsize: 23,
            rss: 24,
            rss_limit: u64::MAX,
            addresses: Addresses { code: [26, 27], stack: 28, data: [45, 46], brk: 47, args: [48, 49], env: [50, 51] },
            signals: Signals { blocked: SigSet::from_bits(1 << 40 | 32), ..Signals::default() },
            waits: true,
            exit_signal: 17,
            exit_code: 52,
        };
        let mut out = SeqFile::new();
        stat.show(&mut out);
        let line = alloc::string::String::from_utf8(out.into_bytes()).unwrap();
        assert_eq!(
            line,
            "7 (a b) S 2 3 4 34816 -1 4194304 10 0 12 0 14 15 16 17 20 0 20 0 22 23 24 18446744073709551615 26 27 28 0 0 \
             0 32 0 0 1 0 0 17 39 0 41 0 0 0 45 46 47 48 49 50 51 52\n"
        );
        assert_eq!(line.rsplit(')').next().unwrap().split_whitespace().count() + 2, 52);
    }
}
