//! Numbers of tasks, processes, groups and sessions.
//!
//! Mirrors: kernel/pid.c, Linux 6.18.
//! Differs: one table under one lock, which is also Linux's `tasklist_lock`: relations between processes change only
//! under it. Number 1 is the world's init: a process without threads that inherits and reaps orphans.
//! Locking: taken before any lock of a process or task.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_uapi::errno::Errno;

use crate::kernel::task::{Pid, Process, Task};

/// Linux's `pid_max` on a small machine.
pub const PID_MAX: Pid = 32768;

/// The world's init.
pub const INIT_PID: Pid = 1;

/// Everything that has a number.
#[derive(Default)]
pub struct Tables {
    pub tasks: BTreeMap<Pid, Arc<Task>>,
    pub processes: Processes,
    last: Pid,
}

/// Processes by their numbers, and by those of their groups and sessions.
///
/// # Invariants
/// The pairs say what the [`Relations`](crate::kernel::task::Relations) of the processes say: those change only by `regroup`.
#[derive(Default)]
pub struct Processes {
    by_number: BTreeMap<Pid, Arc<Process>>,
    /// Pairs of a group and a member.
    #[doc(alias = "PIDTYPE_PGID")]
    groups: BTreeSet<(Pid, Pid)>,
    /// Pairs of a session and a member.
    #[doc(alias = "PIDTYPE_SID")]
    sessions: BTreeSet<(Pid, Pid)>,
}

impl Deref for Processes {
    type Target = BTreeMap<Pid, Arc<Process>>;

    fn deref(&self) -> &Self::Target {
        &self.by_number
    }
}

impl Processes {
    #[doc(alias = "attach_pid")]
    pub fn insert(&mut self, process: Arc<Process>) {
        let (pgrp, session) = process.relations.lock().group_and_session();
        self.groups.insert((pgrp, process.tgid));
        self.sessions.insert((session, process.tgid));
        self.by_number.insert(process.tgid, process);
    }

    #[doc(alias = "detach_pid")]
    pub fn remove(&mut self, tgid: Pid) {
        if let Some(process) = self.by_number.remove(&tgid) {
            let (pgrp, session) = process.relations.lock().group_and_session();
            self.groups.remove(&(pgrp, tgid));
            self.sessions.remove(&(session, tgid));
        }
    }

    /// Puts a process of the table into another group, and perhaps session.
    #[doc(alias = "change_pid")]
    pub fn regroup(&mut self, process: &Process, pgrp: Pid, session: Pid) {
        let mut relations = process.relations.lock();
        self.groups.remove(&(relations.pgrp, process.tgid));
        self.sessions.remove(&(relations.session, process.tgid));
        (relations.pgrp, relations.session) = (pgrp, session);
        self.groups.insert((pgrp, process.tgid));
        self.sessions.insert((session, process.tgid));
    }

    fn members(&self, pgrp: Pid) -> impl Iterator<Item = &Arc<Process>> {
        self.groups.range((pgrp, 0)..=(pgrp, Pid::MAX)).filter_map(|(_, tgid)| self.by_number.get(tgid))
    }

    /// Whether a group or a session has the number: it keeps its leader's as long as a member lives.
    fn is_group(&self, number: Pid) -> bool {
        let all = (number, 0)..=(number, Pid::MAX);
        [&self.groups, &self.sessions].iter().any(|pairs| pairs.range(all.clone()).next().is_some())
    }
}

/// The table and its lock.
#[derive(Default)]
pub struct PidTable {
    tables: SpinLock<Tables>,
}

impl PidTable {
    #[doc(alias = "tasklist_lock")]
    pub fn lock(&self) -> SpinLockGuard<'_, Tables> {
        self.tables.lock()
    }

    #[doc(alias = "find_task_by_vpid")]
    pub fn task(&self, tid: Pid) -> Option<Arc<Task>> {
        self.lock().tasks.get(&tid).cloned()
    }

    /// A process, also a zombie that was not yet waited for.
    pub fn process(&self, tgid: Pid) -> Option<Arc<Process>> {
        self.lock().processes.get(&tgid).cloned()
    }

    pub fn processes(&self) -> Vec<Arc<Process>> {
        self.lock().processes.values().cloned().collect()
    }
}

/// The first guest's number is this or more: Linux's own answer to `fcntl(F_GETOWN)` cannot tell a smaller group's negated
/// number from an errno, and programs on a real system hardly ever meet one.
const FIRST_GUEST: Pid = 4097;

impl Tables {
    /// Init has its number; guests start well above.
    pub fn start_guests(&mut self) {
        self.last = FIRST_GUEST - 1;
    }

    /// The next free number, in rising order with a wrap, as Linux's cyclic allocation.
    #[doc(alias = "alloc_pid")]
    pub fn alloc(&mut self) -> Result<Pid, Errno> {
        for _ in 0..PID_MAX {
            self.last = if self.last >= PID_MAX - 1 { FIRST_GUEST } else { self.last + 1 };
            if !self.in_use(self.last) {
                return Ok(self.last);
            }
        }
        Err(Errno::EAGAIN)
    }

    /// A number that the caller chose.
    pub fn claim(&mut self, pid: Pid) -> Result<Pid, Errno> {
        if self.in_use(pid) { Err(Errno::EEXIST) } else { Ok(pid) }
    }

    /// The number given last.
    pub fn last_pid(&self) -> Pid {
        self.last
    }

    /// Whether it is the number of anything.
    pub fn in_use(&self, pid: Pid) -> bool {
        self.tasks.contains_key(&pid) || self.processes.contains_key(&pid) || self.processes.is_group(pid)
    }

    /// Members of a process group, zombies too.
    #[doc(alias = "do_each_pid_task")]
    pub fn group(&self, pgrp: Pid) -> Vec<Arc<Process>> {
        self.processes.members(pgrp).cloned().collect()
    }

    /// Whether nobody in the group has a parent in the same session but another group: nobody could continue it.
    #[doc(alias = "will_become_orphaned_pgrp")]
    pub fn is_orphaned(&self, pgrp: Pid, except: Option<Pid>) -> bool {
        !self.processes.members(pgrp).any(|process| {
            if Some(process.tgid) == except || process.is_dead() {
                return false;
            }
            let (session, parent) = {
                let relations = process.relations.lock();
                (relations.session, relations.parent.upgrade())
            };
            parent.is_some_and(|parent| {
                if parent.tgid == INIT_PID || Some(parent.tgid) == except {
                    return false;
                }
                let relations = parent.relations.lock();
                relations.session == session && relations.pgrp != pgrp
            })
        })
    }
}
