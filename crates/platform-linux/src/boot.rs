//! From the first instruction of the image to a running world.
//!
//! Mirrors: init/main.c and arch/x86/kernel/head64.c in role.
//! Differs: the "hardware" is the arena object whose descriptor comes in `argv[1]`; the image's own writable data is
//! moved into it, so that statics are shared by every process forked from here. Nothing may use a static before that.
//! Locking: boot runs in one thread; the values set here never change.

use alloc::vec;
use core::arch::asm;
use core::fmt::{self, Write};
use core::mem::offset_of;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::{ClockId, Platform};
use acrida_kcore::thread::{Thread, current};
use acrida_trace_format::boot::{BootBlock, LISTS_OFFSET, Lists, MAGIC, PANIC_MAX, PANIC_OFFSET, flags};
use acrida_trace_format::layout::{ARENA_BASE, ARENA_SIZE, DATA_OFFSET, TASK_SIZE, WINDOW_BASE, WINDOW_SIZE};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::dispatch::{self, Refused, Trap};
use crate::{linux::Linux, park, raw, signal, spawn, text};

unsafe extern "C" {
    static __text_start: u8;
    static __text_end: u8;
    static __data_start: u8;
    static __data_end: u8;
}

static PHYSMEM_FD: AtomicI32 = AtomicI32::new(-1);
static SUPERVISOR: AtomicU32 = AtomicU32::new(0);
static CPUS: AtomicU32 = AtomicU32::new(1);
static VDSO_BASE: AtomicU64 = AtomicU64::new(0);
static VDSO_CLOCK: AtomicU64 = AtomicU64::new(0);
static ANONYMOUS_TEXT: AtomicU64 = AtomicU64::new(0);
/// What the host's execve made for a stack, as long as guest processes have it: its beginning and its end.
static HOST_STACK: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static PANICKED: AtomicU32 = AtomicU32::new(0);
/// How long whoever panics after another thread waits for that one's report to be written.
const REPORT_NS: u64 = 1_000_000_000;

/// Stands in for a [`Thread`] until the heap works; locks need an owner.
#[repr(C, align(64))]
struct FirstThread([u64; size_of::<Thread>() / 8]);
static mut FIRST_THREAD: FirstThread = FirstThread([0; size_of::<Thread>() / 8]);

const AT_EXECFN: u64 = 31;
const AT_SYSINFO_EHDR: u64 = 33;
const PROT_RW: u64 = 3;
const MAP_SHARED_FIXED: u64 = 0x11;
const MAP_NORESERVE: u64 = 0x4000;
const MAP_FIXED_NOREPLACE: u64 = 0x10_0000;

/// The image's text: the range whose system calls go to the host.
#[inline]
pub fn text_range() -> (u64, u64) {
    ((&raw const __text_start) as u64, (&raw const __text_end) as u64)
}

pub fn physmem_fd() -> i32 {
    PHYSMEM_FD.load(Ordering::Relaxed)
}

pub fn supervisor_pid() -> u32 {
    SUPERVISOR.load(Ordering::Relaxed)
}

pub fn cpus() -> u32 {
    CPUS.load(Ordering::Relaxed)
}

pub fn vdso_base() -> u64 {
    VDSO_BASE.load(Ordering::Relaxed)
}

/// Bytes of text that lie on large pages.
pub fn anonymous_text() -> u64 {
    ANONYMOUS_TEXT.load(Ordering::Relaxed)
}

/// Reads a clock through the vdso, in nanoseconds.
#[inline]
pub fn vdso_clock(id: u64) -> Option<u64> {
    let function = VDSO_CLOCK.load(Ordering::Relaxed);
    if function == 0 {
        return None;
    }
    let mut time = [0u64; 2];
    // SAFETY: found as __vdso_clock_gettime in the vdso that the host mapped; it has the C ABI.
    let function: extern "C" fn(u64, *mut u64) -> i32 = unsafe { core::mem::transmute(function as *const ()) };
    (function(id, time.as_mut_ptr()) == 0).then(|| time[0] * 1_000_000_000 + time[1])
}

/// Tells the user something.
fn say(what: &str) {
    for text in ["acrida: ", what, "\n"] {
        // SAFETY: valid bytes.
        let _ = unsafe { raw::syscall6(nr::write, [2, text.as_ptr() as u64, text.len() as u64, 0, 0, 0]) };
    }
}

/// Says why the world cannot start, to the user, and leaves with 125.
fn fail(what: &str) -> ! {
    say(what);
    // SAFETY: ends the process.
    let _ = unsafe { raw::syscall6(nr::exit_group, [125, 0, 0, 0, 0, 0]) };
    loop {
        core::hint::spin_loop();
    }
}

fn map_shared(addr: u64, len: u64, fd: u64, offset: u64, flags: u64, what: &str) {
    // SAFETY: the ranges are reserved for this by the address plan; with NOREPLACE nothing is overwritten.
    let mapped = unsafe { raw::syscall(nr::mmap, &[addr, len, PROT_RW, flags, fd, offset]) };
    if mapped != Ok(addr as usize) {
        fail(what);
    }
}

/// Maps the arena, with the writable data in it.
///
/// # Safety
/// Called once, before anything uses a static.
unsafe fn map_arena(fd: u64) {
    let (start, end) = ((&raw const __data_start) as u64, (&raw const __data_end) as u64);
    if start != ARENA_BASE + DATA_OFFSET {
        fail("the image is linked for another arena");
    }
    // SAFETY: writes the image's own data to the object.
    let wrote = unsafe { raw::syscall(nr::pwrite64, &[fd, start, end - start, DATA_OFFSET]) };
    if wrote != Ok((end - start) as usize) {
        fail("cannot write the world's shared memory");
    }
    // Over the private copy of the data that the host's execve put there.
    map_shared(
        ARENA_BASE,
        ARENA_SIZE,
        fd,
        0,
        MAP_SHARED_FIXED | MAP_NORESERVE,
        "cannot map the world's shared memory (is the address space limited? see `ulimit -v`)",
    );
}

/// First Rust code: `stack` is what the host's execve left.
///
/// # Safety
/// Called once by `_start`.
pub unsafe fn main(stack: *const u64) -> ! {
    // SAFETY: argc, argv, envp, auxv as every Linux program finds them.
    let arg = |index: usize| unsafe { *stack.add(index) };
    if arg(0) < 2 {
        fail("this is acrida's kernel image; use `acrida run -- PROGRAM`");
    }
    let fd = parse(arg(2) as *const u8);
    // SAFETY: the only thread; nothing knows the text's mappings yet.
    let anonymous_text = unsafe { text::move_to_large_pages() };
    // SAFETY: nothing has touched data so far.
    unsafe { map_arena(fd) };
    ANONYMOUS_TEXT.store(anonymous_text, Ordering::Relaxed);
    // SAFETY: the command has written the block at the start of the object.
    let block = unsafe { *(ARENA_BASE as *const BootBlock) };
    if block.magic != MAGIC {
        fail("the boot block is damaged: this image and this command are of different versions");
    }
    PHYSMEM_FD.store(block.physmem_fd, Ordering::Relaxed);
    SUPERVISOR.store(block.supervisor_pid, Ordering::Relaxed);
    map_shared(
        WINDOW_BASE,
        WINDOW_SIZE,
        block.physmem_fd as u64,
        0,
        1 | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
        "cannot map the world's page memory",
    );
    let mut index = 1 + arg(0) as usize + 1;
    while arg(index) != 0 {
        index += 1;
    }
    index += 1;
    while arg(index) != 0 {
        match arg(index) {
            AT_SYSINFO_EHDR => find_vdso(arg(index + 1)),
            AT_EXECFN => note_host_stack(stack as u64, arg(index + 1)),
            _ => {}
        }
        index += 2;
    }
    count_cpus();
    // SAFETY: one thread; the record stands in until `Thread::new` works.
    let first = unsafe { &mut *(&raw mut FIRST_THREAD) };
    first.0[0] = (&raw const first.0) as u64;
    let tid_at = offset_of!(Thread, host_tid);
    // SAFETY: plain id.
    let tid = unsafe { raw::syscall6(nr::gettid, [0; 6]) } as u64;
    first.0[tid_at / 8] |= tid << (8 * (tid_at % 8));
    // SAFETY: ARCH_SET_GS; nothing used it before.
    let _ = unsafe { raw::syscall(nr::arch_prctl, &[0x1001, first.0[0]]) };
    acrida_kcore::platform::set_platform(&Linux);
    let me = Thread::new();
    me.mark_started();
    signal::install();
    choose_trap(block.flags);
    // No death signal here: the kernel process sees the command's end on the control socket and cleans up.
    spawn::attach(me, false, false);
    let mut bytes = vec![0u8; block.lists_len as usize];
    // SAFETY: the command wrote `lists_len` bytes there, inside the arena.
    unsafe { core::ptr::copy_nonoverlapping((ARENA_BASE + LISTS_OFFSET) as *const u8, bytes.as_mut_ptr(), bytes.len()) };
    let Some(lists) = Lists::decode(&bytes) else { fail("the boot block is damaged: its lists are cut short") };
    on_stack(me, move || acrida_kernel::boot::kernel_process(&block, lists))
}

/// Finds a way for calls to come in; says so when it is not the best one, or when there is none.
fn choose_trap(wanted: u64) {
    let name = |errno: Errno| errno.name().unwrap_or("an unknown error");
    match dispatch::choose(wanted & flags::SECCOMP != 0) {
        Ok(Trap::Seccomp) if wanted & (flags::SECCOMP | flags::QUIET) == 0 => say(
            "this system refuses Syscall User Dispatch (Linux 5.11 has it; a container may forbid it); calls come in through a \
             seccomp filter instead, a little slower",
        ),
        Ok(_) => {}
        Err(Refused { dispatch: Some(dispatch), seccomp }) => fail(&alloc::format!(
            "this system allows neither of the two ways to take over a program's system calls: Syscall User Dispatch ({}) \
             and seccomp filters ({}); does a container forbid them?",
            name(dispatch),
            name(seccomp)
        )),
        Err(Refused { dispatch: None, seccomp }) => {
            fail(&alloc::format!("this system refuses seccomp filters ({}); try without --seccomp", name(seccomp)))
        }
    }
}

/// Runs `main` on `thread`'s kernel stack, which other processes can see.
fn on_stack(thread: &'static Thread, main: impl FnOnce() + 'static) -> ! {
    extern "C" fn trampoline<F: FnOnce()>(main: *mut F) -> ! {
        // SAFETY: leaked below for this one call.
        let main = unsafe { alloc::boxed::Box::from_raw(main) };
        main();
        // SAFETY: ends the kernel process: the world is over.
        let _ = unsafe { raw::syscall6(nr::exit_group, [0; 6]) };
        unreachable!("exit_group came back")
    }
    fn pick<F: FnOnce()>(_: &F) -> extern "C" fn(*mut F) -> ! {
        trampoline::<F>
    }
    let function = pick(&main);
    let main = alloc::boxed::Box::into_raw(alloc::boxed::Box::new(main));
    // SAFETY: the new stack is live and unused; the old one is never returned to.
    unsafe {
        asm!("mov rsp, {stack}", "xor ebp, ebp", "call {function}", "ud2", stack = in(reg) thread.frame, function = in(reg) function,
            in("rdi") main, options(noreturn))
    }
}

fn parse(mut digits: *const u8) -> u64 {
    let mut value = 0;
    // SAFETY: a NUL-terminated argument string.
    while let digit @ b'0'..=b'9' = unsafe { *digits } {
        value = value * 10 + u64::from(digit - b'0');
        // SAFETY: not past the NUL.
        digits = unsafe { digits.add(1) };
    }
    value
}

fn count_cpus() {
    let mut mask = [0u64; 128];
    // SAFETY: the buffer is valid.
    let got = unsafe { raw::syscall(nr::sched_getaffinity, &[0, 1024, mask.as_mut_ptr() as u64]) };
    if got.is_ok() {
        CPUS.store(mask.iter().map(|w| w.count_ones()).sum(), Ordering::Relaxed);
    }
}

/// Remembers where the host's stack lies: around `pointer`; the program's path, at `path`, and eight bytes end it.
fn note_host_stack(pointer: u64, path: u64) {
    /// The host maps nothing so close below a stack.
    const GUARD: u64 = 1 << 20;
    const PAGE: u64 = 4096;
    // SAFETY: a NUL-terminated string that the host put there.
    let path_len = unsafe { core::ffi::CStr::from_ptr(path as *const core::ffi::c_char) }.count_bytes() as u64;
    HOST_STACK[0].store((pointer - GUARD).next_multiple_of(PAGE), Ordering::Relaxed);
    HOST_STACK[1].store((path + path_len + 1 + 8).next_multiple_of(PAGE), Ordering::Relaxed);
}

/// Unmaps the host's stack in the world's first guest process, from which all others come: each fork would copy it, though nobody
/// runs on it (4 of 160 us of a fork and exit).
pub fn leave_host_stack() {
    let start = HOST_STACK[0].swap(0, Ordering::Relaxed);
    if start != 0 {
        let end = HOST_STACK[1].load(Ordering::Relaxed);
        // SAFETY: the caller runs on its kernel stack, and nothing of the kernel's points to this one (see `on_stack`).
        let _ = unsafe { raw::syscall(nr::munmap, &[start, end - start]) };
    }
}

/// Finds `__vdso_clock_gettime` in the vdso's symbol table.
fn find_vdso(base: u64) {
    // Where the stack has no limit (`ulimit -s unlimited`) the host puts it among the guest's addresses, and exec unmaps those: the
    // world does without, clocks are calls of the host.
    if base < TASK_SIZE {
        return;
    }
    VDSO_BASE.store(base, Ordering::Relaxed);
    // SAFETY: the host maps a whole, well-formed ELF object there; all offsets read are its own.
    let word = |at: u64| unsafe { ((base + at) as *const u64).read_unaligned() };
    // SAFETY: as above.
    let half = |at: u64| unsafe { ((base + at) as *const u16).read_unaligned() };
    let (phoff, phentsize, phnum) = (word(32), u64::from(half(54)), u64::from(half(56)));
    let mut dynamic = 0;
    for index in 0..phnum {
        let at = phoff + index * phentsize;
        if word(at) as u32 == 2 {
            dynamic = word(at + 16);
        }
    }
    let (mut strings, mut symbols, mut hash) = (0, 0, 0);
    let mut at = dynamic;
    while dynamic != 0 && word(at) != 0 {
        match word(at) {
            5 => strings = word(at + 8),
            6 => symbols = word(at + 8),
            4 => hash = word(at + 8),
            _ => {}
        }
        at += 16;
    }
    if strings == 0 || symbols == 0 || hash == 0 {
        return;
    }
    let count = word(hash) >> 32;
    for index in 0..count {
        let symbol = symbols + index * 24;
        let name = base + strings + (word(symbol) & 0xffff_ffff);
        // SAFETY: a NUL-terminated name in the vdso's string table.
        let name = unsafe { core::ffi::CStr::from_ptr(name as *const core::ffi::c_char) };
        if name == c"__vdso_clock_gettime" {
            VDSO_CLOCK.store(base + word(symbol + 8), Ordering::Relaxed);
        }
    }
}

struct Report {
    len: usize,
}

impl Write for Report {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = PANIC_MAX as usize - self.len;
        let n = text.len().min(room);
        let at = (ARENA_BASE + PANIC_OFFSET) as usize + self.len;
        // SAFETY: inside the report's page of the arena.
        unsafe { core::ptr::copy_nonoverlapping(text.as_ptr(), at as *mut u8, n) };
        self.len += n;
        Ok(())
    }
}

/// Leaves a report for the command and ends this process; the command ends the rest.
pub fn stop_world(message: fmt::Arguments<'_>) -> ! {
    signal::block_all();
    if PANICKED.swap(1, Ordering::SeqCst) == 0 {
        let mut report = Report { len: 0 };
        let me = current();
        let _ = writeln!(report, "{message}");
        let _ = writeln!(report, "host thread {}", me.host_tid.load(Ordering::Relaxed));
        let _ = write!(report, "backtrace:");
        let mut rbp: u64;
        // SAFETY: reads the frame pointer.
        unsafe { asm!("mov {}, rbp", out(reg) rbp, options(nomem, nostack)) };
        let stacks = [me.stack(), me.altstack()];
        for _ in 0..24 {
            let inside = stacks.iter().any(|&(base, len)| (base as u64..base as u64 + len as u64 - 16).contains(&rbp));
            if rbp % 8 != 0 || !inside {
                break;
            }
            // SAFETY: inside one of this thread's stacks.
            let (next, address) = unsafe { (*(rbp as *const u64), *((rbp + 8) as *const u64)) };
            let _ = write!(report, " {address:#x}");
            rbp = next;
        }
        let _ = writeln!(report);
        // SAFETY: an aligned word of the block, which is shared with the command and used by nobody else here.
        let len = unsafe { &*((ARENA_BASE as usize + offset_of!(BootBlock, panic_len)) as *const AtomicU64) };
        len.store(report.len as u64, Ordering::Release);
    } else {
        // Perhaps a thread of this process: its report must not be cut off. Its end is this one's, too.
        let soon = Linux.now(ClockId::Monotonic) + REPORT_NS;
        let _ = park::wait(&PANICKED, 1, Some(soon));
    }
    // SAFETY: ends the process.
    let _ = unsafe { raw::syscall6(nr::exit_group, [125, 0, 0, 0, 0, 0]) };
    loop {
        core::hint::spin_loop();
    }
}
