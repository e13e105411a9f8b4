//! Views of a running world, for `acrida ps` and `acrida ls-fd`: lines of fields with tabs between them.
//!
//! Mirrors: fs/proc in role; the same questions, asked from outside.
//! Differs: answered by the kernel process between its other duties; nothing of the world stops for it, so a view is a
//! mixture of close moments.
//! Locking: processes are collected under the pid table's lock, everything else is looked at afterwards, one lock at a
//! time.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;

use acrida_trace_format::control::{self, Message, PACKET_MAX, view};
use acrida_uapi::fcntl::{O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH, O_RDWR, O_WRONLY};
use zerocopy::{FromZeros, IntoBytes};

use crate::fs::anon_inodes::path_of;
use crate::fs::d_path::d_path_from;
use crate::fs::file::File;
use crate::fs::proc::array::state_letter;
use crate::fs::proc::seq_file::SeqFile;
use crate::fs::proc::subject::{Scope, Target};
use crate::fs::proc::task_args;
use crate::kernel::pid::INIT_PID;
use crate::kernel::state::Kernel;
use crate::kernel::task::Process;

/// Makes view `what` of process `pid` (0: all) and sends it to the command.
pub fn answer(kernel: &Arc<Kernel>, what: u32, pid: u32) {
    let mut text = String::new();
    for target in targets(kernel, pid) {
        match what {
            view::PROCESSES => process_line(&target, &mut text),
            view::FILES => file_lines(kernel, &target, &mut text),
            _ => {}
        }
    }
    let parts = text.as_bytes().chunks(PACKET_MAX - size_of::<Message>());
    for part in parts.chain([&[][..]]) {
        let message = Message { kind: control::VIEW_PART, status: part.len() as u32, ..Message::new_zeroed() };
        let packet = [message.as_bytes(), part].concat();
        // A command that is gone wants no answer.
        if crate::host::write(kernel.control, &packet).is_err() {
            return;
        }
    }
}

fn targets(kernel: &Kernel, pid: u32) -> Vec<Target> {
    let tables = kernel.pids.lock();
    let wanted = |process: &&Arc<Process>| process.tgid != INIT_PID && (pid == 0 || process.tgid == pid);
    let target = |process: &Arc<Process>| Target {
        process: process.clone(),
        task: tables.tasks.get(&process.tgid).cloned(),
        scope: Scope::Process,
    };
    tables.processes.values().filter(wanted).map(target).collect()
}

/// Bytes of the world as text in one field: no tabs, no line ends.
fn field(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// pid, parent, group, session, terminal, state, threads, wait channel, host process, command line.
fn process_line(target: &Target, out: &mut String) {
    let process = &target.process;
    let (parent, pgrp, session, tty) = {
        let relations = process.relations.lock();
        (relations.parent.upgrade(), relations.pgrp, relations.session, relations.tty.clone())
    };
    let tty = tty.map_or_else(|| String::from("-"), |tty| tty_name(tty.device_number()));
    let ppid = parent.map_or(0, |parent| parent.tgid);
    let state = char::from(state_letter(target, None));
    let wchan = target.task.as_ref().filter(|_| !target.is_zombie()).map_or("", |task| task.thread.wchan());
    let wchan = if wchan.is_empty() { "-" } else { wchan };
    let host = process.host_pid();
    let _ = writeln!(
        out,
        "{}\t{ppid}\t{pgrp}\t{session}\t{tty}\t{state}\t{}\t{wchan}\t{host}\t{}",
        process.tgid,
        target.thread_count(),
        command(target)
    );
}

fn tty_name(device: u64) -> String {
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff);
    match major {
        136 => alloc::format!("pts/{minor}"),
        4 => alloc::format!("tty{minor}"),
        _ => alloc::format!("{major}:{minor}"),
    }
}

/// The command line, or the short name in brackets when there is none (a zombie).
fn command(target: &Target) -> String {
    let mut args = SeqFile::new();
    let _ = task_args::cmdline(target, &mut args);
    let mut bytes = args.into_bytes();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    for byte in bytes.iter_mut().filter(|byte| **byte == 0) {
        *byte = b' ';
    }
    if bytes.is_empty() { alloc::format!("[{}]", field(&target.comm())) } else { field(&bytes) }
}

/// pid, short name, descriptor, flags, position, host descriptor, object.
fn file_lines(kernel: &Kernel, target: &Target, out: &mut String) {
    let Some(files) = target.files() else { return };
    let comm = field(&target.comm());
    let root = kernel.mounts.root();
    for (fd, file, cloexec) in files.snapshot() {
        let host = file.ops.host_fd().map_or_else(|| String::from("-"), |fd| alloc::format!("{}", fd.0));
        let name = field(&d_path_from(&path_of(&file), &root));
        // The largest number: the position is kept elsewhere (by the host) or there is none.
        let pos = Some(*file.pos.lock())
            .filter(|&pos| pos != u64::MAX)
            .map_or_else(|| String::from("-"), |pos| alloc::format!("{pos}"));
        let _ = writeln!(out, "{}\t{comm}\t{fd}\t{}\t{pos}\t{host}\t{name}", target.process.tgid, flags(&file, cloexec));
    }
}

/// `r`, `w` or `u` as in lsof, then letters for append, nonblocking, path-only and close-on-exec.
fn flags(file: &File, cloexec: bool) -> String {
    let bits = file.flags();
    let mut text = String::from(match bits & O_ACCMODE {
        _ if bits & O_PATH != 0 => "p",
        O_WRONLY => "w",
        O_RDWR => "u",
        _ => "r",
    });
    for (on, letter) in [(bits & O_APPEND != 0, 'a'), (bits & O_NONBLOCK != 0, 'n'), (cloexec, 'c')] {
        if on {
            text.push(letter);
        }
    }
    text
}
