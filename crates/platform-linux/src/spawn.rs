//! New host threads and processes.
//!
//! Mirrors: arch/x86/kernel/process.c (`copy_thread`), Linux 6.18.
//! Differs: the child's frame is prepared by the kernel; here it only gets `%gs`, a signal stack and dispatch.
//! Locking: none. Every signal is blocked from before the clone until the child is complete.

use core::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::life::Life;
use acrida_kcore::platform::SpawnKind;
use acrida_kcore::thread::Thread;
use acrida_trace_format::layout::{ARENA_BASE, DATA_OFFSET, HEAP_OFFSET, LARGE_PAGE};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::{boot, dispatch, raw, signal};

/// Bytes at the beginning of the heap that every process uses: one slab of each class.
const HOT_HEAP: u64 = 384 << 10;
/// How many processes a world starts before its hot memory gets a large page: that costs half a millisecond and more, and makes
/// each later start 20 us cheaper.
const MANY: u32 = 16;

const CLONE_VM: u64 = 0x100;
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_SIGHAND: u64 = 0x800;
const CLONE_PARENT: u64 = 0x8000;
const CLONE_THREAD: u64 = 0x10000;
const CLONE_SYSVSEM: u64 = 0x40000;
const CLONE_PARENT_SETTID: u64 = 0x100000;
const SIGCHLD: u64 = 17;

/// What the host is asked for. It stores the number of a new process in the record itself: who makes it may be killed as soon as
/// there is one.
pub fn host_flags(kind: SpawnKind) -> u64 {
    const PROCESS: u64 = CLONE_FS | CLONE_FILES | CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD;
    match kind {
        SpawnKind::Thread | SpawnKind::Kernel => CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
        SpawnKind::Process => PROCESS,
        SpawnKind::SharingProcess => PROCESS | CLONE_VM,
    }
}

/// Processes started so far.
static PROCESSES: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn acrida_clone(flags: u64, unused: u64, child: *const ()) -> i64;
}

/// Starts `child` in a new host thread or process.
pub fn spawn(child: &'static Thread, kind: SpawnKind) -> Result<u32, Errno> {
    let is_process = matches!(kind, SpawnKind::Process | SpawnKind::SharingProcess);
    child.platform_data.store(u64::from(is_process) | u64::from(kind == SpawnKind::Kernel) << 1, Ordering::Relaxed);
    child.mark_started();
    let mask = signal::block_all();
    // SAFETY: the child runs on its own stack from `acrida_thread_start` on and never returns into this frame.
    let result = raw::check(unsafe { acrida_clone(host_flags(kind), 0, core::ptr::from_ref(child).cast()) });
    signal::set_mask(mask);
    match result {
        Ok(tid) => {
            if kind == SpawnKind::Process {
                let started = PROCESSES.fetch_add(1, Ordering::Relaxed) + 1;
                // Once more at each doubling: the host refuses while a page is busy.
                if started >= MANY && started.is_power_of_two() {
                    collapse_hot_memory();
                }
            }
            Ok(tid as u32)
        }
        Err(errno) => {
            child.life.end();
            Err(errno)
        }
    }
}

/// First Rust code of a new host thread; returns to go to the guest.
pub extern "C" fn acrida_child_start(thread: &'static Thread) {
    let data = thread.platform_data.load(Ordering::Relaxed);
    attach(thread, data & 1 != 0, data & 2 == 0);
    signal::set_mask(0);
    if let Some(entry) = thread.take_entry() {
        entry();
    }
}

/// Puts the image's data and the beginning of the heap on one large page, which a new process has whole after one fault: of small
/// ones it takes a fault for every 64 KiB that it uses.
fn collapse_hot_memory() {
    const MADV_COLLAPSE: u64 = 25;
    // SAFETY: the bytes stay as they are. Where the host cannot (before Linux 6.1) or will not do it, small pages stay.
    let _ = unsafe { raw::syscall(nr::madvise, &[ARENA_BASE + DATA_OFFSET, LARGE_PAGE, MADV_COLLAPSE]) };
}

/// Looks at the kernel's hottest memory. The pages of a shared object are not in a forked process's page tables. A fault
/// for reading maps all pages around that exist, one for writing (as most of the kernel's first accesses are) a single one.
fn touch_hot_pages() {
    /// What the host maps around a fault.
    const FAULT_AROUND: u64 = 64 << 10;
    let heap = ARENA_BASE + HEAP_OFFSET;
    for at in (ARENA_BASE + DATA_OFFSET..heap + HOT_HEAP).step_by(FAULT_AROUND as usize) {
        // SAFETY: the image's data and the beginning of the heap, mapped in every process; the value does not matter.
        unsafe { (at as *const u64).read_volatile() };
    }
}

/// The host will mark `thread`'s life when the calling host thread, which is its own, ends.
pub fn begin_life(thread: &Thread) {
    thread.life.begin(thread.host_tid.load(Ordering::Relaxed));
    // SAFETY: the list lies in the record, which outlives the host thread.
    let _ = unsafe { raw::syscall(nr::set_robust_list, &[thread.life.head(), Life::HEAD_LEN as u64]) };
}

/// Makes the calling host thread `thread`: `%gs`, ids, signal stack, dispatch of system calls.
pub fn attach(thread: &'static Thread, new_process: bool, guest: bool) {
    const ARCH_SET_GS: u64 = 0x1001;
    const PR_SET_PDEATHSIG: u64 = 1;
    if new_process {
        boot::leave_host_stack();
        touch_hot_pages();
    }
    let at = core::ptr::from_ref(thread) as u64;
    // SAFETY: only the calling thread's GS base changes; nothing used it before.
    let _ = unsafe { raw::syscall(nr::arch_prctl, &[ARCH_SET_GS, at]) };
    // SAFETY: a plain id.
    let tid = unsafe { raw::syscall6(nr::gettid, [0; 6]) };
    // SAFETY: a plain id.
    let pid = if new_process { tid } else { unsafe { raw::syscall6(nr::getpid, [0; 6]) } };
    thread.host_tid.store(tid as u32, Ordering::Relaxed);
    thread.host_pid.store(pid as u32, Ordering::Relaxed);
    begin_life(thread);
    let (base, len) = thread.altstack();
    let stack: [u64; 3] = [base as u64, 0, len as u64];
    // SAFETY: the stack is arena memory of this thread; the structure is the host's stack_t.
    let _ = unsafe { raw::syscall(nr::sigaltstack, &[(&raw const stack) as u64, 0]) };
    if new_process {
        // SAFETY: no memory involved.
        let _ = unsafe { raw::syscall(nr::prctl, &[PR_SET_PDEATHSIG, 9, 0, 0, 0]) };
        // SAFETY: plain id.
        let parent = unsafe { raw::syscall6(nr::getppid, [0; 6]) };
        if parent as u32 != boot::supervisor_pid() {
            // The supervisor died before the death signal was armed.
            // SAFETY: ends the process.
            let _ = unsafe { raw::syscall(nr::exit_group, &[137]) };
        }
    }
    if guest {
        dispatch::start_thread();
    }
}
