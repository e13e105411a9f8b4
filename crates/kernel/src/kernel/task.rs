//! Tasks and processes.
//!
//! Mirrors: include/linux/sched.h (`task_struct`), include/linux/sched/signal.h (`signal_struct`), Linux 6.18.
//! Differs: a thread group is an object of its own, [`Process`]; parents, children, groups and sessions are relations
//! between processes. The run state is in `acrida_kcore::thread::Thread`, where `acrida_kcore::sched` changes it.
//! Locking: relations between processes are under `PidTable`'s lock (Linux's `tasklist_lock`); signal state under
//! `Process::sighand`; each other field has its own lock, taken last.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::solo::SoloLock;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::{self, Thread};
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::errno::Restart;
use acrida_uapi::resource::{RUSAGE_SELF, Rlimit64, Rusage};
use acrida_uapi::signal::SIGCHLD;

use crate::fs::fdtable::FilesStruct;
use crate::fs::file::FileRef;
use crate::fs::fs_struct::FsStruct;
use crate::kernel::cred::Cred;
use crate::kernel::kthread::Kthread;
use crate::kernel::ptrace::DUMP_USER;
use crate::kernel::resource::add_usage;
use crate::kernel::signal::{Sighand, TaskSignals};
use crate::kernel::state::Kernel;
use crate::kernel::time::ProcessTimers;
use crate::mm::{MmStruct, MmUser};

/// Anonymous memory and ELF headers, as `coredump_filter` starts.
pub const MMF_DUMP_FILTER_DEFAULT: u32 = 0x33;

/// Number of a task, process, group or session.
pub type Pid = u32;

/// A slot only the task itself uses.
#[derive(Default)]
pub struct Own<T>(SpinLock<Option<T>>);

impl<T> Own<T> {
    pub const fn new() -> Self {
        Own(SpinLock::new(None))
    }
    pub fn set(&self, value: Option<T>) {
        *self.0.lock() = value;
    }
    pub fn take(&self) -> Option<T> {
        self.0.lock().take()
    }
}

/// One guest thread.
#[doc(alias = "task_struct")]
pub struct Task {
    /// Changes once at most: exec makes the thread that calls it the leader.
    pub tid: AtomicU32,
    pub thread: &'static Thread,
    pub process: Arc<Process>,
    pub kernel: Arc<Kernel>,
    pub files: SoloLock<Arc<FilesStruct>>,
    pub fs: SoloLock<Arc<FsStruct>>,
    pub mm: SpinLock<MmUser>,
    pub cred: SoloLock<Arc<Cred>>,
    /// Blocked mask, private pending signals, alternate stack: under `process.sighand`.
    pub signals: SpinLock<TaskSignals>,
    /// At most 15 bytes.
    pub comm: SpinLock<Vec<u8>>,
    pub clear_child_tid: AtomicU64,
    pub robust_list: AtomicU64,
    /// How the call that is about to be left must be restarted.
    pub restart: Own<Restart>,
    /// What `restart_syscall` continues.
    pub restart_block: Own<alloc::boxed::Box<dyn FnOnce() -> crate::abi::SysResult + Send>>,
    /// The mask to put back after `sigsuspend`, `ppoll`...
    pub saved_sigmask: Own<acrida_uapi::signal::SigSet>,
    /// Its end has begun.
    pub exiting: AtomicBool,
    pub exit_code: AtomicI32,
    /// Sent to its process when the thread that made that ends; 0: none.
    pub pdeath_signal: AtomicI32,
    /// What `SEM_UNDO` takes back at the end; shared with `CLONE_SYSVSEM`.
    pub sysvsem: SpinLock<Option<Arc<crate::ipc::sem::undo::UndoList>>>,
    /// Set while a vfork parent waits for this task to exec or exit.
    pub vfork_done: SpinLock<Option<Arc<crate::kernel::vfork::VforkDone>>>,
}

/// What every task has from its first moment.
pub struct Context {
    pub files: Arc<FilesStruct>,
    pub fs: Arc<FsStruct>,
    pub cred: Arc<Cred>,
}

/// One thread group.
#[doc(alias = "signal_struct")]
pub struct Process {
    pub tgid: Pid,
    pub threads: SpinLock<Vec<Arc<Task>>>,
    /// Parent, children, group, session: under the pid table's lock.
    pub relations: SpinLock<Relations>,
    /// Number of the parent in `relations`, set with it: `getppid` needs neither the lock nor the parent (17 of 35 ns).
    pub ppid: AtomicU32,
    /// Signal dispositions and the shared queue.
    pub sighand: SpinLock<Sighand>,
    /// Where `wait4` of this process's children sleeps.
    pub wait_chldexit: Arc<WaitQueueHead>,
    /// Waited for by pidfd polls.
    pub wait_pidfd: Arc<WaitQueueHead>,
    pub rlimits: SpinLock<[Rlimit64; 16]>,
    /// Signal to the parent at exit.
    pub exit_signal: AtomicI32,
    pub is_subreaper: AtomicBool,
    pub dumpable: AtomicU32,
    /// `PER_*` with flags.
    pub personality: AtomicU32,
    /// The thread that ends all others to run another program; 0: none.
    #[doc(alias = "group_exec_task")]
    pub exec_tid: AtomicU32,
    /// Wait status of a group exit under way; -1: none.
    #[doc(alias = "group_exit_code")]
    pub group_exit: AtomicI32,
    /// Job control as `wait4` sees it.
    pub job: SpinLock<JobState>,
    /// Where a thread waits for the others of its group to be gone (exec), and the last one is announced.
    pub threads_gone: Arc<WaitQueueHead>,
    /// Wait status once every thread is gone; -1 before.
    pub exit_status: AtomicI32,
    /// Monotonic ns.
    pub start_time: u64,
    pub did_exec: AtomicBool,
    /// Shown and kept for programs that set them.
    pub oom_score_adj: AtomicI32,
    pub coredump_filter: AtomicU32,
    pub timers: ProcessTimers,
    pub locust_openings: crate::fs::locust::Openings,
    /// The program as /proc/PID/exe and cmdline show it.
    pub exe: SpinLock<Option<FileRef>>,
    /// Of init, which has no threads: the kernel's own host process. 0 for all others.
    pub kernel_process: u32,
    /// Real user of the leader, for siginfo and wait.
    pub uid: AtomicU32,
    /// What the host charged the process with, once it has ended.
    pub final_usage: SpinLock<Option<Rusage>>,
    /// Sum over the children that were waited for, and theirs.
    pub child_usage: SpinLock<Rusage>,
}

/// Job control state of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobState {
    /// The signal that stopped every thread, if stopped.
    pub stopped: Option<i32>,
    /// The stop was not yet reported to a `WUNTRACED` waiter.
    pub stop_unreported: bool,
    /// A continue was not yet reported to a `WCONTINUED` waiter.
    pub continued: bool,
}

/// Where a process stands among the others.
#[derive(Default)]
pub struct Relations {
    pub parent: Weak<Process>,
    /// The thread of the parent that made this process, or that took over from one that ended.
    #[doc(alias = "real_parent")]
    pub parent_tid: Pid,
    pub children: Vec<Arc<Process>>,
    /// This and the session change with the pid table's lists (`Processes::regroup`).
    pub pgrp: Pid,
    pub session: Pid,
    /// Controlling terminal.
    pub tty: Option<Arc<dyn crate::fs::file::ControllingTty>>,
    /// The foreground group of a terminal that hung up under this session leader, which tells the group when it ends.
    #[doc(alias = "tty_old_pgrp")]
    pub lost_pgrp: Pid,
}

impl Relations {
    pub fn group_and_session(&self) -> (Pid, Pid) {
        (self.pgrp, self.session)
    }
}

impl Task {
    /// A task without memory that owes nothing to another.
    pub fn new(tid: Pid, thread: &'static Thread, process: Arc<Process>, kernel: Arc<Kernel>, context: Context) -> Task {
        Task {
            tid: AtomicU32::new(tid),
            thread,
            process,
            kernel,
            files: SoloLock::owned_by(thread, context.files),
            fs: SoloLock::owned_by(thread, context.fs),
            mm: SpinLock::new(MmUser::new()),
            cred: SoloLock::owned_by(thread, context.cred),
            signals: SpinLock::default(),
            comm: SpinLock::default(),
            clear_child_tid: AtomicU64::new(0),
            robust_list: AtomicU64::new(0),
            restart: Own::new(),
            restart_block: Own::new(),
            saved_sigmask: Own::new(),
            exiting: AtomicBool::new(false),
            exit_code: AtomicI32::new(0),
            pdeath_signal: AtomicI32::new(0),
            sysvsem: SpinLock::new(None),
            vfork_done: SpinLock::new(None),
        }
    }

    pub fn mm(&self) -> Arc<MmStruct> {
        self.mm.lock().mm().clone()
    }

    /// Another address space for the task; the one it had.
    pub fn replace_mm(&self, new: MmUser) -> MmUser {
        core::mem::replace(&mut *self.mm.lock(), new)
    }

    /// The task runs no guest code any more.
    pub fn exit_mm(&self) {
        // Dropped without the lock: files may go with it.
        let left = self.replace_mm(MmUser::new());
        drop(left);
    }

    pub fn files(&self) -> Arc<FilesStruct> {
        self.files.read(Arc::clone)
    }

    pub fn fs(&self) -> Arc<FsStruct> {
        self.fs.read(Arc::clone)
    }

    pub fn cred(&self) -> Arc<Cred> {
        self.cred.read(Arc::clone)
    }

    pub fn tid(&self) -> Pid {
        self.tid.load(Ordering::Relaxed)
    }

    pub fn is_leader(&self) -> bool {
        self.tid() == self.process.tgid
    }

    /// Whether the task has given everything up at its end: the locks that it held, its memory and files.
    pub fn has_left(&self) -> bool {
        self.exiting.load(Ordering::SeqCst) && !self.process.threads.lock().iter().any(|task| core::ptr::eq(&**task, self))
    }
}

impl Process {
    /// A process without threads that owes nothing to another.
    pub fn new(tgid: Pid, relations: Relations, rlimits: [Rlimit64; 16], uid: u32) -> Process {
        Process {
            tgid,
            threads: SpinLock::default(),
            ppid: AtomicU32::new(relations.parent.upgrade().map_or(0, |parent| parent.tgid)),
            relations: SpinLock::new(relations),
            sighand: SpinLock::default(),
            wait_chldexit: Arc::new(WaitQueueHead::new()),
            wait_pidfd: Arc::new(WaitQueueHead::new()),
            rlimits: SpinLock::new(rlimits),
            exit_signal: AtomicI32::new(SIGCHLD),
            is_subreaper: AtomicBool::new(false),
            dumpable: AtomicU32::new(DUMP_USER),
            personality: AtomicU32::new(0),
            exec_tid: AtomicU32::new(0),
            group_exit: AtomicI32::new(-1),
            job: SpinLock::new(JobState::default()),
            threads_gone: Arc::new(WaitQueueHead::new()),
            exit_status: AtomicI32::new(-1),
            start_time: platform().now(ClockId::Boottime),
            did_exec: AtomicBool::new(false),
            oom_score_adj: AtomicI32::new(0),
            coredump_filter: AtomicU32::new(MMF_DUMP_FILTER_DEFAULT),
            timers: Default::default(),
            exe: SpinLock::new(None),
            kernel_process: 0,
            uid: AtomicU32::new(uid),
            locust_openings: Default::default(),
            final_usage: SpinLock::new(None),
            child_usage: SpinLock::default(),
        }
    }

    /// What the process's own threads used.
    pub fn own_usage(&self) -> Rusage {
        if let Some(usage) = *self.final_usage.lock() {
            return usage;
        }
        if try_current().is_some_and(|task| core::ptr::eq(&*task.process, self)) {
            if crate::kernel::lend::is_borrower() {
                // What it used so far is charged to its parent.
                return Rusage::default();
            }
            return crate::host::rusage(RUSAGE_SELF);
        }
        match self.host_pid() {
            0 => Rusage::default(),
            host_pid => crate::host::other_process_usage(host_pid),
        }
    }

    /// The host process in which its threads run; 0 when none is left. (If it was killed from outside they may end in several.)
    pub fn host_pid(&self) -> u32 {
        let first = self.threads.lock().first().map(|task| task.thread.host_pid.load(Ordering::Relaxed));
        first.unwrap_or(self.kernel_process)
    }

    /// As `wait4` reports a child: itself and its waited-for children.
    pub fn usage_total(&self) -> Rusage {
        let mut total = self.own_usage();
        add_usage(&mut total, &self.child_usage.lock());
        total
    }

    /// Makes `parent` the parent; its list of children is the caller's affair.
    pub fn set_parent(&self, relations: &mut Relations, parent: &Arc<Process>) {
        relations.parent = Arc::downgrade(parent);
        self.ppid.store(parent.tgid, Ordering::Relaxed);
    }

    pub fn rlimit(&self, which: usize) -> Rlimit64 {
        self.rlimits.lock()[which]
    }

    pub fn is_dead(&self) -> bool {
        self.exit_status.load(Ordering::Acquire) != -1
    }
}

/// The calling task.
///
/// # Panics
/// In a kernel thread, which has none.
#[inline]
pub fn current() -> &'static Task {
    try_current().unwrap_or_else(|| panic!("current() in a kernel thread"))
}

/// The calling task, or `None` in a kernel thread.
#[inline]
pub fn try_current() -> Option<&'static Task> {
    thread::current().ext::<Task>()
}

/// The calling thread's kernel.
///
/// # Panics
/// In a thread that belongs to none.
#[inline]
pub fn kernel() -> &'static Arc<Kernel> {
    try_kernel().unwrap_or_else(|| panic!("a thread that belongs to no kernel"))
}

/// The calling thread's kernel; `None` while it is being made.
#[inline]
pub fn try_kernel() -> Option<&'static Arc<Kernel>> {
    match try_current() {
        Some(task) => Some(&task.kernel),
        None => Kthread::kernel(),
    }
}
