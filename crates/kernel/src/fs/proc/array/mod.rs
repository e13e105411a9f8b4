//! /proc/PID/{stat,status,statm,comm,children}.
//!
//! Mirrors: fs/proc/array.c, Linux 6.18.
//! Differs: CPU time, faults, scheduling and resident pages are the host's account of the host thread; everything else is
//! ours. Gathering and writing are apart, so that the formats can be tested.
//! Locking: each piece is read under its own lock, one after the other, as in Linux.

mod stat;

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_kcore::sched::state;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::resource::RLIMIT_SIGPENDING;
use acrida_uapi::signal::{_NSIG, SIG_DFL, SIG_IGN, SigSet};

use crate::current;
use crate::fs::proc::account::{host_process, host_task};
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::Target;
use crate::host::proc::HostStatus;
use crate::kernel::cred::Cred;
use crate::mm::MmStruct;
use crate::mm::task_mmu::MmSizes;
use crate::mm::vma::{Backing, PAGE_SHIFT};

pub use stat::stat;

/// The letter for what the task does.
#[doc(alias = "get_task_state")]
pub fn state_letter(target: &Target, host: Option<u8>) -> u8 {
    if target.has_left() {
        return b'Z';
    }
    let Some(task) = &target.task else { return b'S' };
    if target.process.job.lock().stopped.is_some() {
        return b'T';
    }
    match task.thread.state.load(Ordering::Acquire) {
        state::INTERRUPTIBLE | state::IN_HOST => b'S',
        state::UNINTERRUPTIBLE | state::LENT => b'D',
        state::STOPPED => b'T',
        state::DEAD => b'Z',
        // It may wait in another call of the host.
        _ => host.filter(|letter| b"SD".contains(letter)).unwrap_or(b'R'),
    }
}

fn state_name(letter: u8) -> &'static str {
    match letter {
        b'S' => "S (sleeping)",
        b'D' => "D (disk sleep)",
        b'T' => "T (stopped)",
        b'Z' => "Z (zombie)",
        _ => "R (running)",
    }
}

/// Numbers of the relatives: parent, group, session.
struct Relatives {
    ppid: u32,
    pgrp: u32,
    session: u32,
    tty: u64,
    /// -1 without a terminal.
    tty_pgrp: i64,
}

impl Relatives {
    fn of(target: &Target) -> Relatives {
        let relations = target.process.relations.lock();
        let (parent, tty) = (relations.parent.upgrade(), relations.tty.clone());
        let (pgrp, session) = (relations.pgrp, relations.session);
        drop(relations);
        Relatives {
            ppid: parent.map_or(0, |parent| parent.tgid),
            pgrp,
            session,
            tty: tty.as_ref().map_or(0, |tty| tty.device_number()),
            tty_pgrp: tty.map_or(-1, |tty| i64::from(tty.foreground_pgrp())),
        }
    }
}

/// The task's signal masks.
#[derive(Default)]
struct Signals {
    queued: usize,
    pending: SigSet,
    shared: SigSet,
    blocked: SigSet,
    ignored: SigSet,
    caught: SigSet,
}

impl Signals {
    #[doc(alias = "collect_sigign_sigcatch")]
    fn of(target: &Target) -> Signals {
        let Some(task) = &target.task else { return Signals::default() };
        let sighand = target.process.sighand.lock();
        let own = task.signals.lock();
        let mut signals = Signals {
            queued: sighand.shared.len() + own.pending.len(),
            pending: own.pending.set(),
            shared: sighand.shared.set(),
            blocked: own.blocked,
            ..Signals::default()
        };
        for signo in 1..=_NSIG as i32 {
            match sighand.action(signo).sa_handler {
                SIG_IGN => signals.ignored.add(signo),
                SIG_DFL => {}
                _ => signals.caught.add(signo),
            }
        }
        signals
    }
}

/// Resident memory, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Resident {
    peak: u64,
    anon: u64,
    file: u64,
    shmem: u64,
}

impl Resident {
    /// What of the host's account is the guest's: the kernel's own memory is shared memory to the host, but for its text
    /// of `kernel_text` bytes on large pages, or in a file. `mapped` is the size of the guest's areas with something
    /// behind them.
    fn of(host: &HostStatus, mapped: u64, kernel_text: u64) -> Resident {
        let (all_anon, all_file, all_shmem) = (host.number("RssAnon"), host.number("RssFile"), host.number("RssShmem"));
        let anon = all_anon.saturating_sub(kernel_text >> 10);
        let file = all_file.min(mapped >> 10);
        let shmem = all_shmem.min((mapped >> 10).saturating_sub(file));
        let foreign = (all_anon - anon) + (all_file - file) + (all_shmem - shmem);
        let peak = host.number("VmHWM").saturating_sub(foreign).max(anon + file + shmem);
        Resident { peak, anon, file, shmem }
    }

    fn total(&self) -> u64 {
        self.anon + self.file + self.shmem
    }
}

/// Bytes of areas that are not private zero pages.
fn mapped(mm: &MmStruct) -> u64 {
    let state = mm.lock();
    let backed = state.areas.iter().filter(|(_, vma)| !matches!(vma.backing, Backing::Anonymous));
    backed.map(|(start, vma)| vma.end - start).sum()
}

#[doc(alias = "proc_pid_statm")]
pub fn statm(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else {
        out.put(b"0 0 0 0 0 0 0\n");
        return Ok(());
    };
    let sizes = mm.sizes();
    let resident = Resident::of(&host_process(target).status(), mapped(&mm), platform().anonymous_text());
    let shared = resident.file + resident.shmem;
    let pages = |bytes: u64| bytes >> PAGE_SHIFT;
    let [total, text, data] = [sizes.size, sizes.text, sizes.data + sizes.stack].map(pages);
    seq_printf!(out, "{total} {} {} {text} 0 {data} 0\n", pages(resident.total() << 10), pages(shared << 10));
    Ok(())
}

/// A name that cannot break the line it stands in.
#[doc(alias = "proc_task_name")]
fn show_name(comm: &[u8], out: &mut SeqFile) {
    for &byte in comm {
        match byte {
            b'\n' => out.put(b"\\n"),
            b'\\' => out.put(b"\\\\"),
            byte => out.put(&[byte]),
        }
    }
}

fn show_ids(cred: &Cred, fd_size: u32, out: &mut SeqFile) {
    seq_printf!(out, "Uid:\t{}\t{}\t{}\t{}\n", cred.uid, cred.euid, cred.suid, cred.fsuid);
    seq_printf!(out, "Gid:\t{}\t{}\t{}\t{}\n", cred.gid, cred.egid, cred.sgid, cred.fsgid);
    seq_printf!(out, "FDSize:\t{fd_size}\nGroups:\t");
    for (index, group) in cred.groups.iter().enumerate() {
        seq_printf!(out, "{}{group}", if index == 0 { "" } else { " " });
    }
    out.put(b" \n");
}

fn show_memory(sizes: &MmSizes, resident: &Resident, host: &HostStatus, out: &mut SeqFile) {
    let mut line = |name: &str, kib: u64| seq_printf!(out, "{name}:\t{kib:>8} kB\n");
    line("VmPeak", sizes.peak >> 10);
    line("VmSize", sizes.size >> 10);
    line("VmLck", sizes.locked >> 10);
    line("VmPin", host.number("VmPin"));
    line("VmHWM", resident.peak);
    line("VmRSS", resident.total());
    line("RssAnon", resident.anon);
    line("RssFile", resident.file);
    line("RssShmem", resident.shmem);
    line("VmData", sizes.data >> 10);
    line("VmStk", sizes.stack >> 10);
    line("VmExe", sizes.text >> 10);
    line("VmLib", sizes.lib >> 10);
    for name in ["VmPTE", "VmSwap", "HugetlbPages"] {
        line(name, host.number(name));
    }
    out.put(b"CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
}

fn show_signals(signals: &Signals, limit: u64, threads: usize, out: &mut SeqFile) {
    seq_printf!(out, "Threads:\t{threads}\nSigQ:\t{}/{limit}\n", signals.queued);
    let masks = [
        ("SigPnd", signals.pending),
        ("ShdPnd", signals.shared),
        ("SigBlk", signals.blocked),
        ("SigIgn", signals.ignored),
        ("SigCgt", signals.caught),
    ];
    for (name, set) in masks {
        seq_printf!(out, "{name}:\t{:016x}\n", set.bits());
    }
}

fn show_caps(cred: &Cred, out: &mut SeqFile) {
    let sets = [
        ("CapInh", cred.cap_inheritable),
        ("CapPrm", cred.cap_permitted),
        ("CapEff", cred.cap_effective),
        ("CapBnd", cred.cap_bset),
        ("CapAmb", cred.cap_ambient),
    ];
    for (name, set) in sets {
        seq_printf!(out, "{name}:\t{set:016x}\n");
    }
    seq_printf!(out, "NoNewPrivs:\t{}\nSeccomp:\t0\nSeccomp_filters:\t0\n", u8::from(cred.no_new_privs));
}

fn fd_size(target: &Target) -> u32 {
    target.files().map_or(0, |files| files.capacity() as u32)
}

#[doc(alias = "proc_pid_status")]
pub fn status(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let host = host_task(target);
    let state = state_letter(target, host.stat().map(|stat| stat.state));
    let status = host.status();
    let relatives = Relatives::of(target);
    let (tgid, pid) = (target.process.tgid, target.tid());
    out.put(b"Name:\t");
    show_name(&target.comm(), out);
    out.put(b"\n");
    if let Some(fs) = target.fs() {
        seq_printf!(out, "Umask:\t{:04o}\n", fs.umask());
    }
    seq_printf!(out, "State:\t{}\nTgid:\t{tgid}\nNgid:\t0\nPid:\t{pid}\n", state_name(state));
    seq_printf!(out, "PPid:\t{}\nTracerPid:\t0\n", relatives.ppid);
    show_ids(&target.cred(), fd_size(target), out);
    seq_printf!(out, "NStgid:\t{tgid}\nNSpid:\t{pid}\nNSpgid:\t{}\nNSsid:\t{}\n", relatives.pgrp, relatives.session);
    out.put(b"Kthread:\t0\n");
    if let Some(mm) = target.mm() {
        show_memory(&mm.sizes(), &Resident::of(&status, mapped(&mm), platform().anonymous_text()), &status, out);
    }
    let limit = target.process.rlimit(RLIMIT_SIGPENDING as usize).rlim_cur;
    show_signals(&Signals::of(target), limit, target.thread_count(), out);
    show_caps(&target.cred(), out);
    // Processors, memory nodes and context switches are the host's from here to the end.
    out.put(status.tail_from(&["Speculation_Store_Bypass:", "Cpus_allowed:"]));
    Ok(())
}

pub fn comm(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    out.put(&target.comm());
    out.put(b"\n");
    Ok(())
}

/// Threads may name each other, nobody else.
#[doc(alias = "comm_write")]
pub fn set_comm(target: &Target, bytes: &[u8]) -> Result<(), Error> {
    let task = target.task.as_ref().filter(|task| task.process.tgid == current().process.tgid).ok_or(Errno::EINVAL)?;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()).min(15);
    if task.tid() == current().tid() {
        crate::kernel::prctl::set_comm(&bytes[..end]);
    } else {
        *task.comm.lock() = bytes[..end].to_vec();
    }
    Ok(())
}

/// Processes made by this thread's process; a process's children are shown for its leader.
#[doc(alias = "children_seq_show")]
pub fn children(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    if target.tid() != target.process.tgid {
        return Ok(());
    }
    let mut pids: Vec<u32> = target.process.relations.lock().children.iter().map(|child| child.tgid).collect();
    pids.sort_unstable();
    for pid in pids {
        seq_printf!(out, "{pid} ");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fill: impl FnOnce(&mut SeqFile)) -> alloc::string::String {
        let mut out = SeqFile::new();
        fill(&mut out);
        alloc::string::String::from_utf8(out.into_bytes()).unwrap()
    }

    #[test]
    fn names_stay_in_their_line() {
        assert_eq!(text(|out| show_name(b"a\\b\nc", out)), "a\\\\b\\nc");
    }

    #[test]
    fn groups_end_with_a_blank() {
        let mut cred = Cred { suid: 3, sgid: 7, euid: 2, egid: 6, fsuid: 4, fsgid: 8, ..Cred::plain(1, 5) };
        let none = text(|out| show_ids(&cred, 64, out));
        assert_eq!(none, "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t \n");
        cred.groups = alloc::vec![4, 20];
        assert!(text(|out| show_ids(&cred, 64, out)).ends_with("Groups:\t4 20 \n"));
    }

    #[test]
    fn the_kernels_own_memory_is_not_the_guests() {
        let host = HostStatus::new(b"VmHWM:\t14748 kB\nRssAnon:\t2148 kB\nRssFile:\t600 kB\nRssShmem:\t12000 kB\n".to_vec());
        let resident = Resident::of(&host, 2000 << 10, 2 << 20);
        assert_eq!(resident, Resident { peak: 2100, anon: 100, file: 600, shmem: 1400 });
        assert_eq!(resident.total(), 2100);
    }

    #[test]
    fn memory_lines_are_aligned() {
        let sizes = MmSizes { peak: 3060 << 10, size: 3060 << 10, data: 360 << 10, stack: 132 << 10, ..MmSizes::default() };
        let lines = text(|out| show_memory(&sizes, &Resident::default(), &HostStatus::default(), out));
        assert!(lines.starts_with("VmPeak:\t    3060 kB\nVmSize:\t    3060 kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\n"));
        assert!(lines.contains("VmStk:\t     132 kB\n"));
    }
}
