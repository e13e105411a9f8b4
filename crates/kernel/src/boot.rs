//! The kernel process: boots the world, starts its first guest process, and stays to serve what needs a host thread of
//! the kernel's own.
//!
//! Mirrors: init/main.c (`start_kernel`, `kernel_init`), Linux 6.18.
//! Differs: pid 1 is a process without threads; guests' numbers start at `FIRST_GUEST`. The command and this process talk over a
//! socket; when the command is gone, so is the world.
//! Locking: boot runs in one thread.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::host::HostFd;
use acrida_kcore::platform::{ClockId, SpawnKind, platform};
use acrida_kcore::sync::SpinLock;
use acrida_kcore::thread::Thread;
use acrida_trace_format::boot::{BootBlock, Lists, flags};
use acrida_trace_format::control::{self, Message};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::resource::{RLIMIT_NOFILE, Rlimit64};
use acrida_uapi::signal::SigSet;
use acrida_uapi::wait::WaitStatus;
use zerocopy::{FromZeros, IntoBytes};

use crate::fs::fs_struct::FsStruct;
use crate::fs::hostfs::watch::HostWatch;
use crate::fs::init_mount::covered_by;
use crate::fs::namespace::{Mount, MountNamespace};
use crate::fs::tmpfs::memfd::Unnamed;
use crate::kernel::cred::Cred;
use crate::kernel::kthread::become_kthread;
use crate::kernel::pid::{INIT_PID, PidTable};
use crate::kernel::signal::TaskSignals;
use crate::kernel::state::Kernel;
use crate::kernel::task::{Context, Process, Relations, Task};
use crate::net::unix::UnixTable;

/// Runs in the kernel process, on its first thread; returns when the world is over.
pub fn kernel_process(block: &BootBlock, lists: Lists) {
    acrida_kcore::uaccess::set_fault_in(crate::mm::fault::fault_in);
    let control = HostFd(block.control_fd);
    crate::trace::start(block.flags, &lists);
    let world_file = lists.option("world-file").map(<[u8]>::to_vec);
    let rlimits = crate::host::rlimits();
    crate::host::make_room_for_fds(&rlimits[RLIMIT_NOFILE as usize]);
    let host_sockets = lists.options("host-socket");
    let mounts = match MountNamespace::new_world(&lists.mounts, &host_sockets) {
        Ok(mounts) => mounts,
        Err(refused) => {
            platform().console(&format!("acrida: cannot mount {refused}\n"));
            send(control, Message { kind: control::INIT_EXITED, status: 125 << 8, ..Message::new_zeroed() });
            return;
        }
    };
    let host_watch = match HostWatch::new() {
        Ok(host_watch) => host_watch,
        Err(errno) => {
            platform().console(&format!("acrida: the host refused a pipe: {errno}\n"));
            send(control, Message { kind: control::INIT_EXITED, status: 125 << 8, ..Message::new_zeroed() });
            return;
        }
    };
    let timers = Arc::default();
    let kernel = Arc::new(Kernel {
        pids: PidTable::default(),
        mounts,
        renames: Default::default(),
        anon_inode: Default::default(),
        anon_mount: Mount::internal(crate::fs::anon_inodes::instance(), b"none"),
        shm: Unnamed::new().expect("a tmpfs without limits has a root"),
        hostname: SpinLock::new(crate::host::nodename()),
        control,
        sysctl: Default::default(),
        boot_id: SpinLock::new(None),
        boot_time: platform().now(ClockId::Monotonic),
        flags: block.flags,
        next_ino: AtomicU64::new(1),
        lock_waits: SpinLock::default(),
        first_process: AtomicU32::new(0),
        unix: UnixTable::new(&timers, host_sockets),
        ipc: Default::default(),
        host_watch,
        epoll: Default::default(),
        dead_threads: Default::default(),
        inotify: Default::default(),
        host_tty_pgrp: AtomicU32::new(0),
        unknown_calls: SpinLock::default(),
        clock_set: crate::kernel::time::clock_set::ClockSet::new(&timers),
        timers,
        text_images: crate::mm::patch::TextImages::new(lists.option("texts")),
    });
    let init = new_init(block, rlimits);
    {
        let mut tables = kernel.pids.lock();
        let pid = tables.alloc();
        assert!(pid == Ok(INIT_PID), "the first number is init's");
        tables.processes.insert(init.clone());
        tables.start_guests();
    }
    become_kthread(&kernel);
    crate::kernel::time::start_timer_thread(&kernel);
    crate::fs::hostfs::watch::start(&kernel);
    let first = first_task(&kernel, &init, block, lists);
    match platform().spawn(first.thread, SpawnKind::Process) {
        Ok(_) => has_host_process(&kernel, &first.process),
        Err(errno) => {
            platform().console(&format!("acrida: cannot start a process: {}\n", errno.name().unwrap_or("?")));
            send(control, Message { kind: control::INIT_EXITED, status: 125 << 8, ..Message::new_zeroed() });
        }
    }
    drop(first);
    serve(&kernel);
    if let Some(path) = world_file {
        crate::host::fs::remove_own(&path);
    }
}

fn send(control: HostFd, message: Message) {
    // The command may be gone: then this process is about to be killed.
    let _ = crate::host::write(control, message.as_bytes());
}

/// The kernel process's service: news of dead host processes, until the command closes its end.
fn serve(kernel: &Arc<Kernel>) {
    loop {
        let mut message = Message::new_zeroed();
        match crate::host::read_blocking(kernel.control, message.as_mut_bytes()) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::EINTR) => {
                acrida_kcore::thread::current().clear_work(u32::MAX);
                continue;
            }
            Err(_) => break,
        }
        match message.kind {
            control::PROCESS_DIED => {
                crate::kernel::exit::exit_killed(kernel, message.pid, WaitStatus::from_raw(message.status as i32));
            }
            control::SHUT_DOWN => break,
            control::VIEW => crate::trace::views::answer(kernel, message.status, message.pid),
            _ => {}
        }
        acrida_kcore::thread::current().task_work.run();
    }
    for process in kernel.pids.processes() {
        // More than one, if they were killed and end by themselves.
        let mut hosts: Vec<u32> =
            process.threads.lock().iter().map(|task| task.thread.host_pid.load(Ordering::Relaxed)).collect();
        hosts.dedup();
        hosts.into_iter().for_each(|host| crate::host::kill(host, acrida_uapi::signal::SIGKILL));
    }
}

/// Called when a process has got a host process, its first or another: signals for the command are passed on to the world's
/// first one.
pub fn has_host_process(kernel: &Kernel, process: &Process) {
    if kernel.first_process.load(Ordering::Relaxed) == process.tgid {
        let pid = process.host_pid();
        send(kernel.control, Message { kind: control::BOOTED, pid, ..Message::new_zeroed() });
    }
}

/// Called when the first guest process is dead.
pub fn first_process_ended(kernel: &Kernel, status: WaitStatus) {
    report_unknown_calls(kernel);
    send(kernel.control, Message { kind: control::INIT_EXITED, status: status.raw() as u32, ..Message::new_zeroed() });
}

/// Called when any process is dead: a world that lingers ends with its last one.
pub fn process_ended(kernel: &Kernel) {
    if kernel.flags & flags::LINGER != 0 && kernel.pids.processes().iter().all(|p| p.tgid == INIT_PID || p.is_dead()) {
        report_unknown_calls(kernel);
        send(kernel.control, Message { kind: control::ALL_EXITED, ..Message::new_zeroed() });
    }
}

/// Called when every thread of a process has stopped: the command shows the first one's stop to the shell it runs under.
pub fn process_stopped(task: &Task, signo: i32) {
    let kernel = &task.kernel;
    if kernel.first_process.load(Ordering::Relaxed) == task.process.tgid {
        send(kernel.control, Message { kind: control::INIT_STOPPED, status: signo as u32, ..Message::new_zeroed() });
    }
}

/// Names the calls that nobody serves to the command, once each. (The guests may have closed standard error by now.)
fn report_unknown_calls(kernel: &Kernel) {
    let calls = core::mem::take(&mut *kernel.unknown_calls.lock());
    for nr in calls {
        let status = u32::try_from(nr).unwrap_or(u32::MAX);
        send(kernel.control, Message { kind: control::UNKNOWN_CALL, status, ..Message::new_zeroed() });
    }
}

fn root_cred(block: &BootBlock) -> Cred {
    let caps = if block.uid == 0 { crate::host::capabilities() } else { [0; 3] };
    Cred {
        uid: block.uid,
        gid: block.gid,
        suid: block.uid,
        sgid: block.gid,
        euid: block.uid,
        egid: block.gid,
        fsuid: block.uid,
        fsgid: block.gid,
        groups: crate::host::groups(),
        cap_inheritable: 0,
        cap_permitted: caps[0],
        cap_effective: caps[1],
        cap_bset: caps[2],
        cap_ambient: 0,
        securebits: 0,
        no_new_privs: false,
    }
}

fn new_init(block: &BootBlock, rlimits: [Rlimit64; 16]) -> Arc<Process> {
    let relations = Relations { pgrp: INIT_PID, session: INIT_PID, ..Relations::default() };
    let kernel_process = acrida_kcore::thread::current().host_pid.load(Ordering::Relaxed);
    Arc::new(Process { kernel_process, ..Process::new(INIT_PID, relations, rlimits, block.uid) })
}

/// The first guest process: a group and session of its own, as a login shell would have started it.
fn first_task(kernel: &Arc<Kernel>, init: &Arc<Process>, block: &BootBlock, lists: Lists) -> Arc<Task> {
    let pid = kernel.pids.lock().alloc().unwrap_or_else(|_| unreachable!("an empty pid table"));
    kernel.first_process.store(pid, Ordering::Relaxed);
    kernel.host_tty_pgrp.store(pid, Ordering::Relaxed);
    let relations =
        Relations { parent: Arc::downgrade(init), parent_tid: INIT_PID, pgrp: pid, session: pid, ..Relations::default() };
    let process = Arc::new(Process::new(pid, relations, *init.rlimits.lock(), block.uid));
    process.did_exec.store(true, Ordering::Relaxed);
    process.sighand.lock().ignore(SigSet::from_bits(block.ignored));
    let root = kernel.mounts.root();
    let fs = FsStruct::new(root.clone(), root, block.umask);
    let thread = Thread::new();
    let context = Context { files: Arc::default(), fs, cred: Arc::new(root_cred(block)) };
    let task = Arc::new(Task {
        signals: SpinLock::new(TaskSignals::blocking(SigSet::from_bits(block.blocked))),
        comm: SpinLock::new(b"acrida".to_vec()),
        ..Task::new(pid, thread, process.clone(), kernel.clone(), context)
    });
    thread.set_ext(task.clone());
    thread.set_entry(Box::new(move || run_first(lists)));
    process.threads.lock().push(task.clone());
    init.relations.lock().children.push(process.clone());
    let mut tables = kernel.pids.lock();
    tables.tasks.insert(pid, task.clone());
    tables.processes.insert(process);
    drop(tables);
    task
}

/// In the first guest process: its descriptors, directory and program.
fn run_first(lists: Lists) {
    let task = crate::current();
    let files = task.files();
    crate::drivers::tty::host_tty::give_to_first(&task.kernel, &task.process);
    for fd in 0..3 {
        if crate::host::is_open(HostFd(fd)) {
            let Ok(file) = crate::fs::hostfs::wrap_inherited(HostFd(fd)) else { continue };
            // The table is empty and the number below every limit but a zero one.
            let _ = files.replace(fd as u32, file, false);
        }
    }
    if let Some(cwd) = lists.option("cwd") {
        // Going on in another directory would let `rm -r *` work on the wrong files.
        if let Err(error) = crate::fs::access::do_chdir(cwd) {
            return refuse(125, cwd, &reason(error, cwd));
        }
    }
    // A search that finds a file it may not run says so unless a later directory has a better one.
    let mut outcome: Error = Errno::ENOENT.into();
    for candidate in lists.option("path").unwrap_or(b"").split(|&b| b == b'\n').filter(|p| !p.is_empty()) {
        match crate::fs::exec::exec_first(candidate, &lists.argv, &lists.envp) {
            Ok(()) => return,
            Err(error) => {
                if error != Error::Errno(Errno::ENOENT) && error != Error::Errno(Errno::ENOTDIR) {
                    outcome = error;
                }
            }
        }
    }
    let program = lists.argv.first().map_or(&b""[..], |program| program);
    let (code, why) = match outcome {
        Error::Errno(Errno::ENOENT | Errno::ENOTDIR) => (127, reason(outcome, program)),
        Error::Errno(Errno::EACCES) => (126, "permission denied; is it an executable file?".into()),
        Error::Errno(Errno::ENOEXEC) => (126, "not a program that can be executed here".into()),
        Error::Errno(Errno::EMFILE | Errno::ENFILE) => (126, "too many open files; see `ulimit -n`".into()),
        outcome => (126, reason(outcome, program)),
    };
    refuse(code, program, &why);
}

/// Why the world has no use of a path that the command gave.
fn reason(error: Error, path: &[u8]) -> Cow<'static, str> {
    match (error, covered_by(path)) {
        (Error::Errno(Errno::ENOENT | Errno::ENOTDIR), Some(own)) => {
            format!("not in the world, whose {own} is its own; `--mount host:DIRECTORY` shows one of the host's there").into()
        }
        (Error::Errno(Errno::ENOENT | Errno::ENOTDIR), None) => "not found".into(),
        (Error::Errno(errno), _) => errno.name().unwrap_or("cannot be used").into(),
        (Error::Restart(_), _) => "interrupted".into(),
    }
}

/// Ends the world before its program has begun.
fn refuse(code: i32, what: &[u8], why: &str) {
    platform().console(&format!("acrida: {}: {why}\n", String::from_utf8_lossy(what)));
    crate::kernel::exit::do_group_exit(WaitStatus::exited(code));
}
