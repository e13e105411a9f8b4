//! The task or process that a directory of /proc speaks of, and who may look into it.
//!
//! Mirrors: fs/proc/internal.h (`get_proc_task`), fs/proc/base.c (`task_dump_owner`), Linux 6.18.
//! Differs: pid 1 is a process without a task; whatever needs one is empty for it.
//! Locking: look-ups take the pid table's lock and nothing else under it.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_uapi::errno::Errno;
use acrida_uapi::stat::S_IFDIR;

use crate::fs::fdtable::FilesStruct;
use crate::fs::fs_struct::FsStruct;
use crate::kernel::cred::Cred;
use crate::kernel::ptrace::{AccessMode, DUMP_USER, is_allowed};
use crate::kernel::task::{Pid, Process, Task, current, kernel};
use crate::mm::MmStruct;

/// Whether a directory shows a whole process or one thread of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Process,
    Thread,
}

/// Names a task without keeping it alive.
#[derive(Clone)]
pub struct Subject {
    pub(super) process: Weak<Process>,
    pub tgid: Pid,
    pub tid: Pid,
    pub scope: Scope,
}

/// A task that was found alive (or a zombie).
pub struct Target {
    pub process: Arc<Process>,
    /// `None` for pid 1.
    pub task: Option<Arc<Task>>,
    pub scope: Scope,
}

impl Subject {
    /// The process `pid` belongs to: `/proc/PID`, where PID may also be a thread's number.
    pub fn find(pid: Pid) -> Option<Subject> {
        let tables = kernel().pids.lock();
        let process = match tables.tasks.get(&pid) {
            Some(task) => &task.process,
            None => tables.processes.get(&pid)?,
        };
        Some(Subject { process: Arc::downgrade(process), tgid: process.tgid, tid: pid, scope: Scope::Process })
    }

    /// The thread `tid` of the same process.
    pub fn thread(&self, tid: Pid) -> Option<Subject> {
        let found = Subject { tid, scope: Scope::Thread, ..self.clone() };
        found.get().ok().filter(|target| target.task.is_some())?;
        Some(found)
    }

    /// The task, or `ESRCH` when it is gone.
    #[doc(alias = "get_proc_task")]
    pub fn get(&self) -> Result<Target, Errno> {
        let tables = kernel().pids.lock();
        let same = |process: &Arc<Process>| core::ptr::eq(Arc::as_ptr(process), self.process.as_ptr());
        if let Some(task) = tables.tasks.get(&self.tid)
            && same(&task.process)
        {
            return Ok(Target { process: task.process.clone(), task: Some(task.clone()), scope: self.scope });
        }
        let process = tables.processes.get(&self.tid).filter(|process| same(process)).ok_or(Errno::ESRCH)?;
        Ok(Target { process: process.clone(), task: None, scope: self.scope })
    }

    pub fn is_live(&self) -> bool {
        self.get().is_ok()
    }

    /// The number of an inode below this directory: `row` of its table, `sub` below that.
    pub fn ino(&self, row: usize, sub: u32) -> u64 {
        let scope = u64::from(self.scope == Scope::Thread) << 63;
        scope | u64::from(self.tid) << 40 | (row as u64 + 1) << 24 | u64::from(sub)
    }
}

impl Target {
    pub fn tid(&self) -> Pid {
        self.task.as_ref().map_or(self.process.tgid, |task| task.tid())
    }

    /// Whether nothing of the task is left but its status.
    pub fn has_left(&self) -> bool {
        self.process.is_dead() || self.task.as_ref().is_some_and(|task| task.has_left())
    }

    /// Whether the task is at its end, and was not waited for.
    pub fn is_zombie(&self) -> bool {
        self.process.is_dead() || self.exiting()
    }

    fn exiting(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.exiting.load(Ordering::Acquire))
    }

    /// The task, unless it has given its memory, files and place in the tree up.
    fn running(&self) -> Option<&Arc<Task>> {
        if self.is_zombie() { None } else { self.task.as_ref() }
    }

    pub fn mm(&self) -> Option<Arc<MmStruct>> {
        Some(self.running()?.mm())
    }

    pub fn files(&self) -> Option<Arc<FilesStruct>> {
        Some(self.running()?.files())
    }

    pub fn fs(&self) -> Option<Arc<FsStruct>> {
        Some(self.running()?.fs())
    }

    pub fn cred(&self) -> Arc<Cred> {
        match &self.task {
            Some(task) => task.cred(),
            // Pid 1 is everybody's superior and has the powers of none.
            None => Arc::new(Cred::plain(self.process.uid.load(Ordering::Relaxed), 0)),
        }
    }

    pub fn comm(&self) -> Vec<u8> {
        self.task.as_ref().map_or_else(|| b"acrida".to_vec(), |task| task.comm.lock().clone())
    }

    /// Threads of the process; the leader counts until it is waited for.
    pub fn thread_count(&self) -> usize {
        self.process.threads.lock().len().max(1)
    }

    /// Numbers of the threads, in order.
    pub fn thread_ids(&self) -> Vec<Pid> {
        let mut ids: Vec<Pid> = self.process.threads.lock().iter().map(|task| task.tid()).collect();
        if !ids.contains(&self.process.tgid) && self.task.is_some() {
            ids.push(self.process.tgid);
        }
        ids.sort_unstable();
        ids
    }

    fn dumpable(&self) -> bool {
        self.process.dumpable.load(Ordering::Relaxed) == DUMP_USER
    }

    /// Who owns the entries of the task's directory; directories anybody may enter belong to the task's user in any case.
    #[doc(alias = "task_dump_owner")]
    pub fn dump_owner(&self, mode: u32) -> (u32, u32) {
        let cred = self.cred();
        let public = mode == S_IFDIR | 0o555;
        if public || (!self.is_zombie() && self.dumpable()) { (cred.euid, cred.egid) } else { (0, 0) }
    }

    /// Whether the caller may look into the task.
    #[doc(alias = "ptrace_may_access")]
    pub fn may_access(&self) -> bool {
        let me = current();
        if me.process.tgid == self.process.tgid {
            return true;
        }
        is_allowed(&me.cred(), &self.cred(), self.is_zombie() || self.dumpable(), AccessMode::File)
    }

    pub fn check_access(&self) -> Result<(), Errno> {
        if self.may_access() { Ok(()) } else { Err(Errno::EACCES) }
    }
}
