//! The end of tasks and processes.
//!
//! Mirrors: kernel/exit.c, Linux 6.18.
//! Differs: a host thread ends by itself once nothing of it is needed; its record is freed by a later fork or exit
//! (`reap_threads`). A process that the host killed is brought to the same end by the kernel process, by its own sleeping threads
//! where it has any.
//! Locking: relations under the pid table's lock; files and memory are let go before it is taken. A process becomes a zombie
//! and its parent gets the signal under one hold of it. The other threads are told to exit under `sighand`, as they are made.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_kcore::sched::state;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::{self, Thread, work};
use acrida_uapi::errno::Errno;
use acrida_uapi::poll::{POLLHUP, POLLIN};
use acrida_uapi::siginfo::{SI_USER, SigInfo};
use acrida_uapi::wait::WaitStatus;

use crate::abi::SysResult;
use crate::current;
use crate::drivers::tty::tty_jobctrl::{self, Leaving};
use crate::fs::fdtable::FilesStruct;
use crate::kernel::pid::{INIT_PID, Tables};
use crate::kernel::signal;
use crate::kernel::state::Kernel;
use crate::kernel::task::{Process, Task};

/// What host threads may still be on their last instructions of.
#[derive(Default)]
pub struct DeadThreads {
    tasks: SpinLock<Vec<Arc<Task>>>,
    /// Records without a task.
    agents: SpinLock<Vec<&'static Thread>>,
    /// The last tasks of their processes, until these have ended: if one is killed at that, somebody else has to do it.
    ending: SpinLock<Vec<Arc<Task>>>,
}

impl DeadThreads {
    pub fn add_agent(&self, agent: &'static Thread) {
        self.agents.lock().push(agent);
    }
}

/// Frees the records of tasks whose host threads are gone and that nobody refers to.
pub fn reap_threads(kernel: &Kernel) {
    let gone: Vec<Arc<Task>> = {
        let mut dead = kernel.dead_threads.tasks.lock();
        // Two references: this list and the record itself.
        let is_gone = |task: &mut Arc<Task>| task.thread.life.is_over() && Arc::strong_count(task) == 2;
        dead.extract_if(.., is_gone).collect()
    };
    let agents: Vec<_> = kernel.dead_threads.agents.lock().extract_if(.., |agent| agent.life.is_over()).collect();
    for thread in agents {
        thread.free();
    }
    for task in gone {
        let thread = task.thread;
        drop(task);
        thread.free();
    }
}

/// Takes back a child that could not be started.
pub fn forget_unstarted(child: &Arc<Task>) {
    let kernel = &child.kernel;
    let mut tables = kernel.pids.lock();
    tables.tasks.remove(&child.tid());
    child.process.threads.lock().retain(|t| t.tid() != child.tid());
    if child.is_leader() {
        tables.processes.remove(child.tid());
        forget_child(&child.process);
    }
    drop(tables);
    child.exit_mm();
    child.thread.life.end();
    exit_files(child);
    kernel.dead_threads.tasks.lock().push(child.clone());
}

pub fn sys_exit(code: i32) -> SysResult {
    do_exit(WaitStatus::exited(code & 0xff))
}

pub fn sys_exit_group(code: i32) -> SysResult {
    do_group_exit(WaitStatus::exited(code & 0xff))
}

/// Ends the whole process with `status`, unless it is ending with another.
pub fn do_group_exit(status: WaitStatus) -> ! {
    let process = &current().process;
    if process.exec_tid.load(Ordering::SeqCst) != 0 {
        // Another thread's program runs on.
        do_exit(status);
    }
    // Who comes later finds that the others have been told.
    if process.group_exit.compare_exchange(-1, status.raw(), Ordering::SeqCst, Ordering::SeqCst).is_ok() {
        zap_other_threads(process);
    }
    do_exit(WaitStatus::from_raw(process.group_exit.load(Ordering::SeqCst)))
}

/// Tells every other thread of the process to exit. A thread that is being made is told as well, or not made: `sighand` says
/// which comes first.
pub fn zap_other_threads(process: &Process) {
    let me = crate::kernel::task::try_current().map(|t| t.tid());
    let _sighand = process.sighand.lock();
    for task in process.threads.lock().iter().filter(|task| Some(task.tid()) != me) {
        task.thread.set_work(work::EXIT);
        if !task.thread.wake_up_state(state::NORMAL | state::STOPPED) {
            platform().interrupt(task.thread);
        }
    }
}

/// Ends the calling task; the last one of a process ends it with `status`.
pub fn do_exit(status: WaitStatus) -> ! {
    let task = current();
    signal::exit_signals(task);
    task.exit_code.store(status.raw(), Ordering::Relaxed);
    crate::kernel::futex::mm_release(task);
    task.exit_mm();
    let vfork = task.vfork_done.lock().take();
    if let Some(vfork) = vfork {
        vfork.complete();
    }
    crate::ipc::sem::undo::exit_sem(task);
    crate::ipc::shm::exit_shm(task);
    exit_files(task);
    task.thread.task_work.run();
    let me = leave_group(task);
    task.thread.task_work.run();
    task.thread.state.store(state::DEAD, Ordering::SeqCst);
    if let Some(me) = me {
        task.kernel.dead_threads.tasks.lock().push(me);
    }
    // Nothing of the world is touched from here on.
    platform().exit_thread()
}

/// Takes the task off its process, which ends with it if it was the last one; the task's entry in the pid table.
fn leave_group(task: &Task) -> Option<Arc<Task>> {
    let mut tables = task.kernel.pids.lock();
    let me = tables.tasks.get(&task.tid()).cloned();
    let last = {
        let mut threads = task.process.threads.lock();
        if let [last] = &threads[..] {
            task.kernel.dead_threads.ending.lock().push(last.clone());
        }
        threads.retain(|t| t.tid() != task.tid());
        threads.is_empty()
    };
    // A leader that dies first stays visible as long as its process.
    if !task.is_leader() {
        tables.tasks.remove(&task.tid());
    }
    let left = if last { Vec::new() } else { hand_over_children(task) };
    drop(tables);
    for child in &left {
        send_death_signal(child, &task.process);
    }
    if last {
        exit_process(task);
    } else {
        task.process.threads_gone.wake_all(0);
    }
    me
}

/// Gives the task's descriptor table up.
fn exit_files(task: &Task) {
    let empty = Arc::new(FilesStruct::default());
    // Without effect unless somebody else buries a killed task.
    task.files.read(|files| files.forfeit(task.thread));
    task.files.forfeit(task.thread);
    let files = core::mem::replace(&mut *task.files.lock(), empty);
    files.put();
}

/// What is left to do once no thread of the process runs any more but `last`. If that is killed, it is done again from the
/// beginning.
fn exit_process(last: &Task) {
    let (kernel, process) = (&last.kernel, &last.process);
    let status = match process.group_exit.load(Ordering::SeqCst) {
        -1 => WaitStatus::from_raw(last.exit_code.load(Ordering::Relaxed)),
        group => WaitStatus::from_raw(group),
    };
    process.timers.cancel_all();
    crate::fs::locust::swarm::process_ended(process);
    let usage = process.own_usage();
    *process.final_usage.lock() = Some(usage);
    *process.exe.lock() = None;
    // Who waits for the process may rely on its files being closed.
    thread::current().task_work.run();
    tty_jobctrl::disassociate_ctty(kernel, process, Leaving::Exit);
    let orphans = reparent_children(kernel, process);
    hang_up_orphaned_groups(kernel, process, &orphans.children);
    crate::trace::process_ended(process, status);
    let (parent, unwanted) = {
        let mut tables = kernel.pids.lock();
        process.exit_status.store(status.raw(), Ordering::SeqCst);
        match tables.processes.get(&process.tgid).is_some_and(|now| Arc::ptr_eq(now, process)) {
            true => (signal::notify_parent(process), unhash_unwanted(&mut tables, process)),
            // `last` was killed behind this, and the zombie may have been waited for.
            false => (process.relations.lock().parent.upgrade(), None),
        }
    };
    process.threads_gone.wake_all(0);
    process.wait_pidfd.wake_all(u32::from(POLLIN));
    if let Some(parent) = parent {
        parent.wait_chldexit.wake_all(0);
    }
    if kernel.first_process.load(Ordering::Relaxed) == process.tgid {
        crate::boot::first_process_ended(kernel, status);
    }
    crate::boot::process_ended(kernel);
    for unhashed in unwanted.into_iter().chain(orphans.unwanted) {
        release_process(kernel, unhashed);
    }
    let is_over = |task: &mut Arc<Task>| Arc::ptr_eq(&task.process, process);
    let over: Vec<_> = kernel.dead_threads.ending.lock().extract_if(.., is_over).collect();
    drop(over);
}

/// A zombie that nobody finds any more.
pub struct Unhashed {
    process: Arc<Process>,
    /// Perhaps the last reference to it, and to its files.
    leader: Option<Arc<Task>>,
}

/// Takes a zombie off its parent's list and out of the pid table: its number is free in the same moment in which no wait
/// finds it.
#[doc(alias = "__unhash_process")]
pub fn unhash_process(tables: &mut Tables, process: &Arc<Process>) -> Unhashed {
    forget_child(process);
    tables.processes.remove(process.tgid);
    Unhashed { process: process.clone(), leader: tables.tasks.remove(&process.tgid) }
}

/// A zombie that nobody will wait for goes at once.
fn unhash_unwanted(tables: &mut Tables, zombie: &Arc<Process>) -> Option<Unhashed> {
    signal::is_auto_reaped(zombie).then(|| unhash_process(tables, zombie))
}

/// Takes the process off its parent's list; the caller holds the pid table.
pub fn forget_child(process: &Process) {
    let parent = process.relations.lock().parent.upgrade();
    if let Some(parent) = parent {
        parent.relations.lock().children.retain(|p| p.tgid != process.tgid);
    }
}

/// Tells stopped groups that nobody can continue them any more: the process's own, and those of its children in the same
/// session, which have a new parent by now.
#[doc(alias = "kill_orphaned_pgrp")]
fn hang_up_orphaned_groups(kernel: &Kernel, process: &Process, children: &[Arc<Process>]) {
    let place = |process: &Process| {
        let relations = process.relations.lock();
        (relations.session, relations.pgrp)
    };
    let (session, pgrp) = place(process);
    let parent = process.relations.lock().parent.upgrade();
    let parent_watched = parent.is_some_and(|parent| {
        let (its_session, its_pgrp) = place(&parent);
        its_session == session && its_pgrp != pgrp
    });
    let mut lost: Vec<(u32, Option<u32>)> = Vec::new();
    if parent_watched {
        lost.push((pgrp, Some(process.tgid)));
    }
    for (its_session, group) in children.iter().map(|child| place(child)) {
        if its_session == session && group != pgrp && !lost.contains(&(group, None)) {
            lost.push((group, None));
        }
    }
    for (group, except) in lost {
        let has_stopped_members = {
            let tables = kernel.pids.lock();
            let stopped = |member: &Arc<Process>| member.tgid != process.tgid && member.job.lock().stopped.is_some();
            tables.is_orphaned(group, except) && tables.group(group).iter().any(stopped)
        };
        if has_stopped_members {
            // The ending process takes nothing any more.
            tty_jobctrl::hang_up_pgrp(kernel, group);
        }
    }
}

/// Another thread of the process becomes the parent of what the ending `task` made; the caller holds the pid table.
fn hand_over_children(task: &Task) -> Vec<Arc<Process>> {
    let Some(heir) = task.process.threads.lock().first().map(|t| t.tid()) else { return Vec::new() };
    let children = task.process.relations.lock().children.clone();
    let mine = |child: &Arc<Process>| {
        let mut relations = child.relations.lock();
        let mine = relations.parent_tid == task.tid();
        if mine {
            relations.parent_tid = heir;
        }
        mine
    };
    children.into_iter().filter(mine).collect()
}

/// Tells `child` that the thread of `parent` that made it has ended, once for each of its threads that wants to know.
fn send_death_signal(child: &Arc<Process>, parent: &Process) {
    let signals: Vec<i32> = child.threads.lock().iter().map(|task| task.pdeath_signal.load(Ordering::Relaxed)).collect();
    for signo in signals.into_iter().filter(|&signo| signo != 0) {
        let info = SigInfo::kill(signo, SI_USER, parent.tgid as i32, parent.uid.load(Ordering::Relaxed));
        signal::send_to_process(info, child);
    }
}

/// Children that an ending process leaves.
#[derive(Default)]
struct Orphans {
    children: Vec<Arc<Process>>,
    /// Zombies among them that nobody will wait for.
    unwanted: Vec<Unhashed>,
}

/// Gives the children to the nearest subreaper, or to init.
#[doc(alias = "forget_original_parent")]
fn reparent_children(kernel: &Arc<Kernel>, process: &Arc<Process>) -> Orphans {
    let mut tables = kernel.pids.lock();
    let children = core::mem::take(&mut process.relations.lock().children);
    if children.is_empty() {
        return Orphans::default();
    }
    let mut reaper = process.relations.lock().parent.upgrade();
    while let Some(candidate) = &reaper {
        if candidate.tgid == INIT_PID || (candidate.is_subreaper.load(Ordering::Relaxed) && !candidate.is_dead()) {
            break;
        }
        let next = candidate.relations.lock().parent.upgrade();
        reaper = next;
    }
    let reaper = reaper.or_else(|| tables.processes.get(&INIT_PID).cloned());
    for child in &children {
        if let Some(reaper) = &reaper {
            let mut relations = child.relations.lock();
            child.set_parent(&mut relations, reaper);
            relations.parent_tid = reaper.tgid;
            drop(relations);
            reaper.relations.lock().children.push(child.clone());
        }
        child.exit_signal.store(acrida_uapi::signal::SIGCHLD, Ordering::Relaxed);
    }
    let zombies = children.iter().filter(|child| child.is_dead());
    let parents: Vec<_> = zombies.clone().filter_map(|zombie| signal::notify_parent(zombie)).collect();
    let unwanted = zombies.filter_map(|zombie| unhash_unwanted(&mut tables, zombie)).collect();
    drop(tables);
    parents.iter().for_each(|parent| parent.wait_chldexit.wake_all(0));
    children.iter().for_each(|child| send_death_signal(child, process));
    Orphans { children, unwanted }
}

/// What is left to do for a zombie that is out of sight; called without a lock.
#[doc(alias = "release_task")]
pub fn release_process(kernel: &Arc<Kernel>, zombie: Unhashed) {
    zombie.process.wait_pidfd.wake_all(u32::from(POLLIN | POLLHUP));
    drop(zombie.leader);
    reap_threads(kernel);
}

/// Brings the threads to their end that ran in host process `host_pid`, which has ended: without their having run `do_exit` to its
/// end, if there are any.
pub fn exit_killed(kernel: &Arc<Kernel>, host_pid: u32, status: WaitStatus) {
    let ran_there = |task: &&Arc<Task>| task.thread.host_pid.load(Ordering::Relaxed) == host_pid;
    // More than one: the child of a vfork has no host process of its own at first.
    for process in kernel.pids.processes() {
        let threads: Vec<Arc<Task>> = process.threads.lock().iter().filter(ran_there).cloned().collect();
        if !threads.is_empty() {
            exit_killed_threads(&process, threads, status);
        }
    }
    let ending: Vec<Arc<Task>> = kernel.dead_threads.ending.lock().iter().filter(ran_there).cloned().collect();
    for last in ending {
        // Whom it has woken the host may not have.
        last.thread.wake_q.flush();
        exit_process(&last);
    }
}

/// A thread that slept goes on in a new host process, leaves what it waited for and ends by itself. The others are buried here:
/// what they referred to from their stacks stays referred to.
fn exit_killed_threads(process: &Process, threads: Vec<Arc<Task>>, status: WaitStatus) {
    let _ = process.group_exit.compare_exchange(-1, status.raw(), Ordering::SeqCst, Ordering::SeqCst);
    for task in &threads {
        task.thread.life.kill();
        // Whoever the host has woken may have been killed too.
        platform().wake_life(task.thread.life.word());
        task.thread.wake_q.flush();
        task.clear_child_tid.store(0, Ordering::Relaxed);
        task.robust_list.store(0, Ordering::Relaxed);
        task.exit_mm();
        task.thread.set_work(work::EXIT);
        task.thread.state.store(state::RUNNING, Ordering::SeqCst);
    }
    for task in threads {
        if platform().revive(task.thread).is_err() {
            bury(&task);
        }
    }
}

/// Does what `do_exit` has to do for a task that runs no more.
fn bury(task: &Arc<Task>) {
    task.thread.state.store(state::DEAD, Ordering::SeqCst);
    if let Some(vfork) = task.vfork_done.lock().take() {
        vfork.complete();
    }
    crate::ipc::sem::undo::exit_sem(task);
    crate::ipc::shm::exit_shm(task);
    exit_files(task);
    task.thread.task_work.run();
    drop(leave_group(task));
    task.kernel.dead_threads.tasks.lock().push(task.clone());
}

/// Makes the calling thread the only one of its process, and its leader.
///
/// # Errors
/// `EAGAIN` when the process ends, or another thread was first to run another program: the caller ends too.
pub fn de_thread() -> Result<(), Errno> {
    let task = current();
    let process = &task.process;
    let options = acrida_kcore::wait::WaitOptions::uninterruptible("de_thread");
    // The first to come runs its program. Who comes later must not hear of it: the first is about to end it.
    let first = || process.exec_tid.compare_exchange(0, task.tid(), Ordering::SeqCst, Ordering::SeqCst).is_ok();
    let decided = || (task.thread.has_work(work::EXIT) || first()).then_some(());
    let waited = process.threads_gone.wait_event(options, decided);
    if waited.is_err() || task.thread.has_work(work::EXIT) || process.group_exit.load(Ordering::SeqCst) != -1 {
        // Nobody sees the answer, even if whoever ends the process has not come to this thread yet.
        task.thread.set_work(work::EXIT);
        let _ = process.exec_tid.compare_exchange(task.tid(), 0, Ordering::SeqCst, Ordering::SeqCst);
        return Err(Errno::EAGAIN);
    }
    let alone = || process.threads.lock().len() == 1;
    if !alone() {
        zap_other_threads(process);
        let ready = || (alone() || task.thread.has_work(work::EXIT)).then(alone);
        if !matches!(process.threads_gone.wait_event(options, ready), Ok(true)) {
            return Err(Errno::EAGAIN);
        }
    }
    become_leader(task);
    process.exec_tid.store(0, Ordering::SeqCst);
    Ok(())
}

/// The only thread of a process takes the number of the leader that has ended.
fn become_leader(task: &Task) {
    let tgid = task.process.tgid;
    if task.is_leader() {
        return;
    }
    let mut tables = task.kernel.pids.lock();
    let me = tables.tasks.remove(&task.tid());
    task.tid.store(tgid, Ordering::Relaxed);
    let old_leader = me.and_then(|me| tables.tasks.insert(tgid, me));
    for child in &task.process.relations.lock().children {
        child.relations.lock().parent_tid = tgid;
    }
    drop(tables);
    drop(old_leader);
}
