//! New tasks.
//!
//! Mirrors: kernel/fork.c, Linux 6.18.
//! Differs: a process is a host process with a copy of the memory, or in the same memory; see lend.rs for the child of a
//! `vfork`.
//! Locking: the child becomes visible once everything else of it is complete, under the pid table and the maker's `sighand`:
//! whoever tells a group or all threads something holds one of them, and the maker looks under both whether it was told.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::{SpawnKind, platform};
use acrida_kcore::regs::UserFrame;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::Thread;
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::capability::{CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::resource::RLIMIT_NPROC;
use acrida_uapi::sched::*;
use acrida_uapi::signal::SIGCHLD;

use crate::abi::SysResult;
use crate::kernel::lend::Outcome;
use crate::kernel::pid::PID_MAX;
use crate::kernel::pidfd;
use crate::kernel::signal::Sharing;
use crate::kernel::task::{Context, Process, Relations, Task};
use crate::kernel::vfork::VforkDone;
use crate::mm::MmUser;
use crate::{current, kernel};

/// Arguments in the order of `clone`'s meaning.
#[derive(Clone, Copy, Debug, Default)]
#[doc(alias = "kernel_clone_args")]
pub struct CloneRequest {
    pub flags: u64,
    pub exit_signal: i32,
    /// Stack pointer of the child; 0: the caller's.
    pub stack: u64,
    pub parent_tid: UserAddr,
    pub child_tid: UserAddr,
    pub pidfd: UserAddr,
    pub tls: u64,
    /// The child's number; 0: any.
    pub set_tid: u32,
}

pub fn sys_fork(frame: &mut UserFrame) -> SysResult {
    kernel_clone(frame, CloneRequest { exit_signal: SIGCHLD, ..CloneRequest::default() })
}

pub fn sys_vfork(frame: &mut UserFrame) -> SysResult {
    kernel_clone(frame, CloneRequest { flags: CLONE_VFORK | CLONE_VM, exit_signal: SIGCHLD, ..CloneRequest::default() })
}

pub fn sys_clone(frame: &mut UserFrame) -> SysResult {
    let [flags, stack, parent_tid, child_tid, tls, _] = frame.regs.args();
    let request = CloneRequest {
        flags: flags & 0xffff_ff00,
        exit_signal: (flags & CSIGNAL) as i32,
        stack,
        parent_tid: UserAddr(parent_tid),
        child_tid: UserAddr(child_tid),
        pidfd: UserAddr(parent_tid),
        tls,
        set_tid: 0,
    };
    kernel_clone(frame, request)
}

pub fn sys_clone3(frame: &mut UserFrame) -> SysResult {
    let [at, size, ..] = frame.regs.args();
    let size = size as usize;
    if size > 4096 {
        return Err(Errno::E2BIG.into());
    }
    if size < CLONE_ARGS_SIZE_VER0 {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = vec![0u8; size.max(size_of::<CloneArgs>())];
    UserAddr(at).read_bytes(&mut bytes[..size])?;
    if bytes[size_of::<CloneArgs>()..].iter().any(|&b| b != 0) {
        return Err(Errno::E2BIG.into());
    }
    let args: CloneArgs = zerocopy::FromBytes::read_from_bytes(&bytes[..size_of::<CloneArgs>()]).map_err(|_| Errno::EINVAL)?;
    let set_tid = clone3_args(&args, size)?;
    let request = CloneRequest {
        flags: args.flags,
        exit_signal: args.exit_signal as i32,
        stack: args.stack.wrapping_add(args.stack_size),
        parent_tid: UserAddr(args.parent_tid),
        child_tid: UserAddr(args.child_tid),
        pidfd: UserAddr(args.pidfd),
        tls: args.tls,
        set_tid,
    };
    kernel_clone(frame, request)
}

/// Checks what only `clone3` can say; the number wished for the child, 0 for any.
#[doc(alias = "copy_clone_args_from_user")]
#[doc(alias = "clone3_args_valid")]
fn clone3_args(args: &CloneArgs, size: usize) -> Result<u32, Errno> {
    const MAX_PID_NS_LEVEL: u64 = 32;
    const CLONE_LEGACY_FLAGS: u64 = 0xffff_ffff;
    if args.set_tid_size > MAX_PID_NS_LEVEL || (args.set_tid == 0) != (args.set_tid_size == 0) {
        return Err(Errno::EINVAL);
    }
    if args.exit_signal > 64 {
        return Err(Errno::EINVAL);
    }
    if args.flags & CLONE_INTO_CGROUP != 0 && (args.cgroup > i32::MAX as u64 || size < CLONE_ARGS_SIZE_VER2) {
        return Err(Errno::EINVAL);
    }
    let mut tids = vec![0u32; args.set_tid_size as usize];
    UserAddr(args.set_tid).read_bytes(zerocopy::IntoBytes::as_mut_bytes(&mut tids[..]))?;
    if args.flags & !(CLONE_LEGACY_FLAGS | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP) != 0 {
        return Err(Errno::EINVAL);
    }
    if args.flags & (CLONE_DETACHED | (CSIGNAL & !CLONE_NEWTIME)) != 0 {
        return Err(Errno::EINVAL);
    }
    if args.flags & (CLONE_THREAD | CLONE_PARENT) != 0 && args.exit_signal != 0 {
        return Err(Errno::EINVAL);
    }
    let stack_end = args.stack.checked_add(args.stack_size).ok_or(Errno::EINVAL)?;
    if (args.stack == 0) != (args.stack_size == 0) || stack_end > TASK_SIZE {
        return Err(Errno::EINVAL);
    }
    // The world has no control groups whose directories could be open.
    if args.flags & CLONE_INTO_CGROUP != 0 {
        return Err(Errno::EBADF);
    }
    match tids[..] {
        [] => Ok(0),
        [tid] if !(1..PID_MAX).contains(&tid) => Err(Errno::EINVAL),
        [_] if !current().cred().capable(CAP_CHECKPOINT_RESTORE) && !current().cred().capable(CAP_SYS_ADMIN) => Err(Errno::EPERM),
        [tid] => Ok(tid),
        // One pid namespace a world.
        _ => Err(Errno::EINVAL),
    }
}

const NAMESPACES: u64 = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

fn check(request: &CloneRequest) -> Result<(), Errno> {
    let flags = request.flags;
    let has = |bits| flags & bits == bits;
    if has(CLONE_NEWNS | CLONE_FS) || has(CLONE_NEWUSER | CLONE_FS) {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_THREAD) && !has(CLONE_SIGHAND) {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_SIGHAND) && !has(CLONE_VM) {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_CLEAR_SIGHAND | CLONE_SIGHAND) {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_THREAD) && flags & (CLONE_NEWUSER | CLONE_NEWPID) != 0 {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_PIDFD) && flags & (CLONE_DETACHED | CLONE_THREAD) != 0 {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_PIDFD | CLONE_PARENT_SETTID) && request.pidfd == request.parent_tid {
        return Err(Errno::EINVAL);
    }
    if has(CLONE_NEWIPC | CLONE_SYSVSEM) {
        return Err(Errno::EINVAL);
    }
    // One set of namespaces a world.
    if flags & NAMESPACES != 0 {
        return Err(Errno::EPERM);
    }
    Ok(())
}

/// Makes the child and starts it; its number.
pub fn kernel_clone(frame: &mut UserFrame, request: CloneRequest) -> SysResult {
    check(&request)?;
    if request.flags & CLONE_THREAD != 0 {
        // A process with several threads needs a host process.
        crate::kernel::lend::own_host_process()?;
    }
    let parent = current();
    let kernel = kernel();
    crate::kernel::exit::reap_threads(kernel);
    check_nproc(parent)?;
    let vfork = (request.flags & CLONE_VFORK != 0).then(|| VforkDone::new());
    let pidfd = match request.flags & CLONE_PIDFD != 0 {
        true => Some(parent.files().reserve()?),
        false => None,
    };
    if let Some(pidfd) = &pidfd {
        request.pidfd.write(&pidfd.fd())?;
    }
    let child = copy_process(frame, &request, vfork.clone())?;
    let tid = child.tid();
    let publish = |child: &Arc<Task>| {
        if let Some(pidfd) = pidfd {
            pidfd.publish(pidfd::new_file(child.process.clone(), 0), true);
        }
    };
    if request.flags & CLONE_PARENT_SETTID != 0 {
        // Linux does not check it either.
        let _ = request.parent_tid.write(&tid);
    }
    if shares_memory_until_exec(request.flags) {
        publish(&child);
        let outcome = crate::kernel::lend::run_child(&child);
        drop(child);
        if let (Some(vfork), Outcome::MovedOut) = (vfork, outcome) {
            vfork.wait();
        }
        return Ok(tid as usize);
    }
    let start = |kind| platform().spawn(child.thread, kind);
    let spawned = match request.flags & (CLONE_VM | CLONE_THREAD) {
        0 => parent.mm().copy_to(&child.mm(), || start(SpawnKind::Process)),
        CLONE_VM => start(SpawnKind::SharingProcess),
        _ => start(SpawnKind::Thread),
    };
    match spawned {
        Ok(host) => {
            // Whoever finds the child may ask the host about it before it runs. Once it has, it may have moved.
            let _ = child.thread.host_tid.compare_exchange(0, host, Ordering::Relaxed, Ordering::Relaxed);
            publish(&child);
        }
        Err(errno) => {
            crate::kernel::exit::forget_unstarted(&child);
            return Err(if errno == Errno::ENOMEM { Errno::ENOMEM } else { Errno::EAGAIN }.into());
        }
    }
    drop(child);
    if let Some(vfork) = vfork {
        vfork.wait();
    }
    Ok(tid as usize)
}

/// The child of a `vfork`, which the parent waits for.
fn shares_memory_until_exec(flags: u64) -> bool {
    flags & (CLONE_VM | CLONE_VFORK | CLONE_THREAD) == CLONE_VM | CLONE_VFORK
}

fn check_nproc(parent: &Task) -> Result<(), Errno> {
    let limit = parent.process.rlimit(RLIMIT_NPROC as usize).rlim_cur;
    let cred = parent.cred();
    if cred.uid == 0 || limit == u64::MAX {
        return Ok(());
    }
    let tables = parent.kernel.pids.lock();
    let mine = tables.tasks.values().filter(|t| t.cred.read(|own| own.uid) == cred.uid).count();
    if mine as u64 >= limit { Err(Errno::EAGAIN) } else { Ok(()) }
}

/// A thread's record with its stacks; freed unless a task takes it.
struct ThreadRecord(&'static Thread);

impl Drop for ThreadRecord {
    fn drop(&mut self) {
        self.0.free();
    }
}

/// A complete child task that has not started.
///
/// # Errors
/// `ERESTARTNOINTR` when the caller has a signal to take first: one for the whole group, and the end or the stop of its
/// process, would miss the child.
fn copy_process(frame: &UserFrame, request: &CloneRequest, vfork: Option<Arc<VforkDone>>) -> Result<Arc<Task>, Error> {
    let parent = current();
    let flags = request.flags;
    let has = |bit: u64| flags & bit != 0;
    let record = ThreadRecord(Thread::new());
    let thread = record.0;
    // Until the host gives it another: if its maker is killed before, so is the child.
    thread.host_pid.store(parent.thread.host_pid.load(Ordering::Relaxed), Ordering::Relaxed);
    let mut child_frame = *frame;
    child_frame.regs.rax = 0;
    if request.stack != 0 {
        child_frame.regs.rsp = request.stack;
    }
    thread.init_frame(&child_frame);

    let files = parent.files();
    let files = if has(CLONE_FILES) {
        files.share();
        files
    } else {
        files.copy(thread)
    };
    let fs = parent.fs();
    let fs = if has(CLONE_FS) {
        fs.share();
        fs
    } else {
        fs.copy(thread)
    };
    // A new process's memory is copied together with the host's, when it starts.
    let mm = if has(CLONE_VM) { parent.mm.lock().clone() } else { MmUser::new() };
    let mut tables = parent.kernel.pids.lock();
    let process = (!has(CLONE_THREAD)).then(|| new_process(parent, request));
    let sighand = parent.process.sighand.lock();
    if parent.thread.signal_pending() {
        return Err(Restart::ERESTARTNOINTR.into());
    }
    let tid = if request.set_tid == 0 { tables.alloc()? } else { tables.claim(request.set_tid)? };
    let process = match process {
        None => parent.process.clone(),
        Some(process) => Arc::new(Process { tgid: tid, ..process }),
    };
    if has(CLONE_FILES) {
        files.add_user();
    }
    let context = Context { files, fs, cred: parent.cred() };
    let task = Arc::new(Task {
        mm: SpinLock::new(mm),
        signals: SpinLock::new(parent.signals.lock().for_child(has(CLONE_VM) && !has(CLONE_VFORK))),
        comm: SpinLock::new(parent.comm.lock().clone()),
        clear_child_tid: AtomicU64::new(if has(CLONE_CHILD_CLEARTID) { request.child_tid.0 } else { 0 }),
        sysvsem: SpinLock::new(has(CLONE_SYSVSEM).then(|| parent.undo_list())),
        vfork_done: SpinLock::new(vfork),
        ..Task::new(tid, thread, process.clone(), parent.kernel.clone(), context)
    });
    core::mem::forget(record);
    thread.set_ext(task.clone());
    thread.set_entry(child_entry(flags, *request, tid));
    process.threads.lock().push(task.clone());
    drop(sighand);
    tables.tasks.insert(tid, task.clone());
    if !has(CLONE_THREAD) {
        let home =
            if has(CLONE_PARENT) { parent.process.relations.lock().parent.upgrade() } else { Some(parent.process.clone()) };
        let home = home.unwrap_or_else(|| parent.process.clone());
        process.set_parent(&mut process.relations.lock(), &home);
        home.relations.lock().children.push(process.clone());
        tables.processes.insert(process);
    }
    Ok(task)
}

/// What the child does in its own context before it goes to the guest.
fn child_entry(flags: u64, request: CloneRequest, tid: u32) -> Box<dyn FnOnce() + Send> {
    Box::new(move || {
        if flags & CLONE_SETTLS != 0 {
            platform().set_fs_base(request.tls);
        }
        if flags & CLONE_CHILD_SETTID != 0 {
            // Linux ignores a bad address here too.
            let _ = request.child_tid.write(&tid);
        }
    })
}

/// The new thread group before it has a number.
fn new_process(parent: &Task, request: &CloneRequest) -> Process {
    let old = &parent.process;
    let relations = old.relations.lock();
    let has = |bit: u64| request.flags & bit != 0;
    let mut sighand = old.sighand.lock().for_child(if has(CLONE_SIGHAND) { Sharing::Same } else { Sharing::Copy });
    if has(CLONE_CLEAR_SIGHAND) {
        // What was ignored stays so.
        sighand.flush_handlers();
    }
    let exit_signal = if has(CLONE_PARENT) { old.exit_signal.load(Ordering::Relaxed) } else { request.exit_signal };
    let relations = Relations {
        parent_tid: if has(CLONE_PARENT) { relations.parent_tid } else { parent.tid() },
        pgrp: relations.pgrp,
        session: relations.session,
        tty: relations.tty.clone(),
        ..Relations::default()
    };
    Process {
        sighand: SpinLock::new(sighand),
        exit_signal: AtomicI32::new(exit_signal),
        dumpable: AtomicU32::new(old.dumpable.load(Ordering::Relaxed)),
        personality: AtomicU32::new(old.personality.load(Ordering::Relaxed)),
        oom_score_adj: AtomicI32::new(old.oom_score_adj.load(Ordering::Relaxed)),
        coredump_filter: AtomicU32::new(old.coredump_filter.load(Ordering::Relaxed)),
        exe: SpinLock::new(old.exe.lock().clone()),
        ..Process::new(0, relations, *old.rlimits.lock(), parent.cred.read(|cred| cred.uid))
    }
}

/// `unshare(flags)`: the caller gets what it shared for itself.
#[doc(alias = "ksys_unshare")]
pub fn sys_unshare(flags: u64) -> SysResult {
    const MEMORY: u64 = CLONE_SIGHAND | CLONE_VM;
    const KNOWN: u64 = MEMORY | CLONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWTIME | NAMESPACES;
    if flags & !KNOWN != 0 {
        return Err(Errno::EINVAL.into());
    }
    let task = current();
    // These cannot be given up: asking for them says that they are not shared.
    if flags & (MEMORY | CLONE_THREAD | CLONE_NEWUSER) != 0 && task.process.threads.lock().len() > 1 {
        return Err(Errno::EINVAL.into());
    }
    if flags & MEMORY != 0 && task.process.sighand.lock().shares_actions() {
        return Err(Errno::EINVAL.into());
    }
    if flags & CLONE_VM != 0 && task.mm().is_shared() {
        return Err(Errno::EINVAL.into());
    }
    // One set of namespaces a world.
    if flags & (NAMESPACES | CLONE_NEWTIME) != 0 {
        return Err(Errno::EPERM.into());
    }
    if flags & CLONE_FS != 0 {
        unshare_fs(task);
    }
    if flags & CLONE_FILES != 0 {
        crate::fs::dup::unshare_files();
    }
    if flags & CLONE_SYSVSEM != 0 {
        crate::ipc::sem::undo::exit_sem(task);
    }
    Ok(0)
}

fn unshare_fs(task: &Task) {
    let fs = task.fs();
    // Two references are the task's and ours.
    if Arc::strong_count(&fs) > 2 {
        let shared = core::mem::replace(&mut *task.fs.lock(), fs.copy(task.thread));
        drop(shared);
    }
}
