//! /proc/PID and /proc/PID/task/TID: one table of what is in them.
//!
//! Mirrors: fs/proc/base.c, Linux 6.18.
//! Differs: a row says what kind of thing it is; the two directories are the rows marked for them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::IntErrorKind;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFREG};

use crate::current;
use crate::fs::attr::{Owner, generic_permission};
use crate::fs::file::{File, FileOperations};
use crate::fs::inode::Link;
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef, node_of};
use crate::fs::proc::seq_file::{SeqFile, TextFile};
use crate::fs::proc::subject::{Scope, Subject, Target};
use crate::fs::proc::{
    account, array, cgroup, fd, limits, links, map_files, mem, namespaces, oom, proc_namespace, proc_net, task_args, task_mmu,
    user_ids,
};
use crate::kernel::cred::Cred;
use crate::kernel::task::Process;

/// Writes a file's text.
pub type Show = fn(&Target, &mut SeqFile) -> Result<(), Error>;
/// Takes what was written to a file.
pub type Store = fn(&Target, &[u8]) -> Result<(), Error>;

/// What stands behind a name.
pub enum What {
    /// Text for everybody the mode lets in.
    Text(Show),
    /// Text for those who may look into the task, asked at open.
    Guarded(Show),
    /// The same of a task's memory: a task that has none cannot be opened.
    Memory(Show),
    /// Text that can be written.
    Edit(Show, Store),
    /// Nothing to read.
    Order(Store),
    /// Leads to an object.
    Link(fn(&Target) -> Result<Link, Error>),
    Dir(fn(Subject, usize, u32) -> ProcRef),
    /// A file with operations of its own.
    Open(fn(&Subject, u32) -> Result<Arc<dyn FileOperations>, Error>),
    /// Text about the mounts, whose changes `poll` tells.
    Polled(Show),
}

/// Where a row appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum In {
    Both,
    Process,
    Thread,
}

/// A name in the directories.
#[doc(alias = "pid_entry")]
pub struct Row {
    name: &'static str,
    mode: u32,
    place: In,
    what: What,
}

impl Row {
    const fn text(name: &'static str, show: Show) -> Row {
        Row { name, mode: S_IFREG | 0o444, place: In::Both, what: What::Text(show) }
    }

    const fn guarded(name: &'static str, mode: u32, show: Show) -> Row {
        Row { name, mode: S_IFREG | mode, place: In::Both, what: What::Guarded(show) }
    }

    const fn edit(name: &'static str, mode: u32, show: Show, store: Store) -> Row {
        Row { name, mode: S_IFREG | mode, place: In::Both, what: What::Edit(show, store) }
    }

    const fn link(name: &'static str, get: fn(&Target) -> Result<Link, Error>) -> Row {
        Row { name, mode: S_IFLNK | 0o777, place: In::Both, what: What::Link(get) }
    }

    const fn dir(name: &'static str, mode: u32, make: fn(Subject, usize, u32) -> ProcRef) -> Row {
        Row { name, mode: S_IFDIR | mode, place: In::Both, what: What::Dir(make) }
    }

    const fn process(self) -> Row {
        Row { place: In::Process, ..self }
    }

    const fn thread(self) -> Row {
        Row { place: In::Thread, ..self }
    }

    const fn mode(self, mode: u32) -> Row {
        Row { mode: S_IFREG | mode, ..self }
    }

    fn is_in(&self, scope: Scope) -> bool {
        match self.place {
            In::Both => true,
            In::Process => scope == Scope::Process,
            In::Thread => scope == Scope::Thread,
        }
    }
}

/// In Linux's order.
#[doc(alias = "tgid_base_stuff")]
#[doc(alias = "tid_base_stuff")]
static ROWS: &[Row] = &[
    Row::dir("task", 0o555, TaskDir::make).process(),
    Row::dir("fd", 0o500, fd::FdDir::make),
    Row::dir("map_files", 0o500, map_files::MapFilesDir::make).process(),
    Row::dir("fdinfo", 0o555, fd::FdInfoDir::make),
    Row::dir("ns", 0o511, namespaces::NsDir::make),
    Row::dir("net", 0o555, proc_net::make),
    Row { name: "environ", mode: S_IFREG | 0o400, place: In::Both, what: What::Memory(task_args::environ) },
    Row { name: "auxv", mode: S_IFREG | 0o400, place: In::Both, what: What::Memory(task_args::auxv) },
    Row::text("status", array::status),
    Row::guarded("personality", 0o400, account::personality),
    Row::text("limits", limits::limits),
    Row::edit("sched", 0o644, account::sched, account::sched_reset),
    Row::edit("comm", 0o644, array::comm, array::set_comm),
    Row::guarded("syscall", 0o400, account::syscall),
    Row::text("cmdline", task_args::cmdline),
    Row::text("stat", array::stat),
    Row::text("statm", array::statm),
    Row::guarded("maps", 0o444, task_mmu::maps),
    Row::text("children", array::children).thread(),
    Row { name: "mem", mode: S_IFREG | 0o600, place: In::Both, what: What::Open(mem::open) },
    Row::link("cwd", links::cwd),
    Row::link("root", links::root),
    Row::link("exe", links::exe),
    Row { name: "mounts", mode: S_IFREG | 0o444, place: In::Both, what: What::Polled(proc_namespace::mounts) },
    Row { name: "mountinfo", mode: S_IFREG | 0o444, place: In::Both, what: What::Polled(proc_namespace::mountinfo) },
    Row::text("mountstats", proc_namespace::mountstats).mode(0o400).process(),
    Row { name: "clear_refs", mode: S_IFREG | 0o200, place: In::Both, what: What::Order(task_mmu::clear_refs) },
    Row::guarded("smaps", 0o444, task_mmu::smaps),
    Row::guarded("smaps_rollup", 0o444, task_mmu::smaps_rollup),
    Row { name: "pagemap", mode: S_IFREG | 0o400, place: In::Both, what: What::Open(mem::open_pagemap) },
    Row::text("wchan", account::wchan),
    Row::guarded("stack", 0o400, account::stack),
    Row::text("schedstat", account::schedstat),
    Row::text("cgroup", cgroup::cgroup),
    Row::text("cpuset", cgroup::cpuset),
    Row::text("oom_score", oom::score),
    Row::edit("oom_adj", 0o644, oom::adj, oom::set_adj),
    Row::edit("oom_score_adj", 0o644, oom::score_adj, oom::set_score_adj),
    Row::edit("loginuid", 0o644, user_ids::loginuid, user_ids::set_loginuid),
    Row::text("sessionid", user_ids::sessionid),
    Row::edit("coredump_filter", 0o644, oom::coredump_filter, oom::set_coredump_filter).process(),
    Row::guarded("io", 0o400, account::io),
    Row::edit("uid_map", 0o644, user_ids::id_map, user_ids::refuse),
    Row::edit("gid_map", 0o644, user_ids::id_map, user_ids::refuse),
    Row::edit("projid_map", 0o644, user_ids::id_map, user_ids::refuse),
    Row::edit("setgroups", 0o644, user_ids::setgroups, user_ids::set_setgroups),
    Row::text("timers", account::timers).process(),
    Row::edit("timerslack_ns", 0o666, account::timerslack, account::set_timerslack).process(),
];

fn rows(scope: Scope) -> impl Iterator<Item = (usize, &'static Row)> {
    ROWS.iter().enumerate().filter(move |(_, row)| row.is_in(scope))
}

/// /proc/PID or /proc/PID/task/TID.
pub struct PidDir(Subject);

impl PidDir {
    /// The directory's inode.
    pub fn make(subject: Subject, dev: u32) -> ProcRef {
        let ino = subject.ino(ROWS.len(), 0);
        PidDir(subject).inode(dev, ino)
    }

    /// The number that `make` gives its inode.
    pub fn ino(subject: &Subject) -> u64 {
        subject.ino(ROWS.len(), 0)
    }
}

/// The process behind an open `/proc/PID`, which `pidfd_send_signal` takes in place of a pidfd.
///
/// # Errors
/// `EBADF` for any other file, `ESRCH` once the process is gone.
pub fn tgid_pidfd_to_process(file: &File) -> Result<Arc<Process>, Errno> {
    let dir: &PidDir = node_of(file).ok_or(Errno::EBADF)?;
    if dir.0.scope != Scope::Process || dir.0.tid != dir.0.tgid {
        return Err(Errno::EBADF);
    }
    Ok(dir.0.get()?.process)
}

impl Node for PidDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o555
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.0, self.mode())
    }

    fn nlink(&self) -> u32 {
        2 + rows(self.0.scope).filter(|(_, row)| matches!(row.what, What::Dir(_))).count() as u32
    }

    fn is_live(&self) -> bool {
        self.0.is_live()
    }

    #[doc(alias = "proc_pid_permission")]
    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        let target = self.0.get()?;
        let (uid, gid) = target.dump_owner(self.mode());
        generic_permission(cred, Owner { mode: self.mode(), uid, gid }, mask)
    }

    #[doc(alias = "proc_pident_lookup")]
    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        if !self.0.is_live() {
            return Ok(None);
        }
        let Some((index, row)) = rows(self.0.scope).find(|(_, row)| row.name.as_bytes() == name) else { return Ok(None) };
        let subject = self.0.clone();
        Ok(Some(match row.what {
            What::Dir(make) => make(subject, index, dev),
            _ => {
                let ino = subject.ino(index, 0);
                PidEntry { subject, row }.inode(dev, ino)
            }
        }))
    }

    #[doc(alias = "proc_pident_readdir")]
    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        for (index, row) in rows(self.0.scope).skip_while(|(index, _)| (*index as u64) < from) {
            let (ino, next) = (self.0.ino(index, 0), index as u64 + 1);
            if !emit(Entry { name: row.name.as_bytes(), ino, mode: row.mode, next }) {
                break;
            }
        }
        Ok(())
    }
}

/// Who owns an entry; a vanished task's belongs to root.
pub fn owner(subject: &Subject, mode: u32) -> (u32, u32) {
    subject.get().map_or((0, 0), |target| target.dump_owner(mode))
}

/// A file or link in a [`PidDir`].
struct PidEntry {
    subject: Subject,
    row: &'static Row,
}

impl Node for PidEntry {
    fn mode(&self) -> u32 {
        self.row.mode
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.row.mode)
    }

    fn is_live(&self) -> bool {
        self.subject.is_live()
    }

    /// Threads may write each other's names.
    #[doc(alias = "proc_tid_comm_permission")]
    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        let (uid, gid) = self.ids();
        let owner = Owner { mode: self.row.mode, uid, gid };
        let own = current().process.tgid == self.subject.tgid;
        generic_permission(cred, owner, mask).or_else(|errno| if own && self.row.name == "comm" { Ok(()) } else { Err(errno) })
    }

    fn link(&self) -> Result<Link, Error> {
        let What::Link(get) = self.row.what else { return Err(Errno::EINVAL.into()) };
        let target = self.subject.get().map_err(|_| Errno::EACCES)?;
        target.check_access()?;
        get(&target)
    }

    fn open(&self, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        if let What::Guarded(_) | What::Memory(_) = self.row.what {
            let target = self.subject.get()?;
            target.check_access()?;
            if matches!(self.row.what, What::Memory(_)) && target.mm().is_none() {
                return Err(Errno::ESRCH.into());
            }
        }
        let subject = self.subject.clone();
        let showing = |show: Show| -> crate::fs::proc::seq_file::ShowFn {
            let subject = subject.clone();
            Box::new(move |out| show(&subject.get()?, out))
        };
        let storing = |store: Store| -> crate::fs::proc::seq_file::StoreFn {
            let subject = subject.clone();
            Box::new(move |bytes| store(&subject.get()?, bytes))
        };
        Ok(match self.row.what {
            What::Text(show) | What::Guarded(show) | What::Memory(show) => Arc::new(TextFile::new(showing(show))),
            What::Polled(show) => Arc::new(TextFile::new(showing(show)).watching(crate::kernel().mounts.changes())),
            What::Edit(show, store) => Arc::new(TextFile::with(Some(showing(show)), Some(storing(store)))),
            What::Order(store) => Arc::new(TextFile::with(None, Some(storing(store)))),
            What::Open(open) => open(&self.subject, flags)?,
            What::Link(_) | What::Dir(_) => return Err(Errno::ELOOP.into()),
        })
    }
}

/// /proc/PID/task.
struct TaskDir(Subject);

impl TaskDir {
    fn make(subject: Subject, row: usize, dev: u32) -> ProcRef {
        let ino = subject.ino(row, 0);
        TaskDir(subject).inode(dev, ino)
    }
}

impl Node for TaskDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o555
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.0, self.mode())
    }

    #[doc(alias = "proc_task_getattr")]
    fn nlink(&self) -> u32 {
        2 + self.0.get().map_or(0, |target| target.thread_ids().len() as u32)
    }

    fn is_live(&self) -> bool {
        self.0.is_live()
    }

    #[doc(alias = "proc_task_lookup")]
    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        Ok(number(name).and_then(|tid| self.0.thread(tid)).map(|subject| PidDir::make(subject, dev)))
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        let ids: Vec<u32> = self.0.get().map_err(|_| Errno::ENOENT)?.thread_ids();
        for tid in ids.into_iter().filter(|&tid| u64::from(tid) >= from) {
            let subject = Subject { tid, scope: Scope::Thread, ..self.0.clone() };
            let name = alloc::format!("{tid}");
            let entry = Entry { name: name.as_bytes(), ino: PidDir::ino(&subject), mode: S_IFDIR, next: u64::from(tid) + 1 };
            if !emit(entry) {
                break;
            }
        }
        Ok(())
    }
}

/// A name that is a number, written as the kernel writes it.
#[doc(alias = "name_to_int")]
pub fn number(name: &[u8]) -> Option<u32> {
    if name.is_empty() || (name[0] == b'0' && name.len() > 1) {
        return None;
    }
    name.iter().try_fold(0u32, |sum, &byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// A number as `kstrtoll` takes it: a sign, `0x` or `0` in front, a newline behind.
///
/// # Errors
/// `ERANGE` when it is too large, `EINVAL` when it is none.
#[doc(alias = "kstrtoll")]
pub fn parse_int(text: &[u8]) -> Result<i64, Errno> {
    let text = core::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => (16, hex),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return Err(Errno::EINVAL);
    }
    let value = i64::from_str_radix(digits, radix).map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow => Errno::ERANGE,
        _ => Errno::EINVAL,
    })?;
    Ok(if negative { -value } else { value })
}

/// The same with blanks around it.
#[doc(alias = "strstrip")]
pub fn parse_stripped(text: &[u8]) -> Result<i64, Errno> {
    parse_int(text.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_numbers_are_exact() {
        assert_eq!(number(b"0"), Some(0));
        assert_eq!(number(b"32767"), Some(32767));
        for wrong in [&b""[..], b"03", b"-1", b"1x", b"4294967296"] {
            assert_eq!(number(wrong), None);
        }
    }

    #[test]
    fn written_numbers_are_read_as_c_writes_them() {
        assert_eq!(parse_int(b"-1000\n"), Ok(-1000));
        assert_eq!(parse_stripped(b" 0x20 \n"), Ok(32));
        assert_eq!(parse_int(b" 5"), Err(Errno::EINVAL));
        assert_eq!(parse_int(b"99999999999999999999"), Err(Errno::ERANGE));
        assert_eq!(parse_int(b"010"), Ok(8));
        assert_eq!(parse_int(b"0"), Ok(0));
        assert_eq!(parse_int(b""), Err(Errno::EINVAL));
        assert_eq!(parse_int(b"--1"), Err(Errno::EINVAL));
        assert_eq!(parse_int(b"1 2"), Err(Errno::EINVAL));
    }

    #[test]
    fn every_name_appears_once() {
        for scope in [Scope::Process, Scope::Thread] {
            let mut names: Vec<_> = rows(scope).map(|(_, row)| row.name).collect();
            let before = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), before);
        }
    }
}
