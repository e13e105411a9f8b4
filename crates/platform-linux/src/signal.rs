//! Host signals: noted or redirected, never handled in place.
//!
//! Mirrors: the role of arch/x86/entry's interrupt entries.
//! Differs: a handler runs on the thread's signal stack with everything but processor faults blocked and only edits the
//! interrupted registers. In guest text it copies them to the frame and makes the thread enter the kernel; in kernel text
//! it notes the signal and, if the thread stands in a window (see `entry`), moves `rip` to the window's way out.
//! Locking: none; it may interrupt code that holds any lock.

use core::sync::atomic::Ordering;

use acrida_kcore::thread::{Thread, current, work};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::dispatch::AUDIT_ARCH_X86_64;
use crate::{entry, loan, raw};

/// The host signal that makes a thread look at its work.
pub const KICK: u32 = 64;

const SIGILL: u32 = 4;
const SIGTRAP: u32 = 5;
const SIGBUS: u32 = 7;
const SIGFPE: u32 = 8;
const SIGSEGV: u32 = 11;
const SIGCHLD: u32 = 17;
const SIGSYS: u32 = 31;

#[repr(C)]
pub struct Siginfo {
    signo: i32,
    errno: i32,
    code: i32,
    _pad: i32,
    /// Sender's pid and uid, the fault address, or the address of the call.
    field: u64,
    /// Of `SIGSYS`: the call's number and architecture.
    call: u64,
}

impl Siginfo {
    fn arch(&self) -> u32 {
        (self.call >> 32) as u32
    }
}

/// The host's `struct ucontext` up to the saved registers.
#[repr(C)]
pub struct Ucontext {
    flags: u64,
    link: u64,
    stack: [u64; 3],
    r8: u64,
    r9: u64,
    r10: u64,
    r11: u64,
    r12: u64,
    r13: u64,
    r14: u64,
    r15: u64,
    rdi: u64,
    rsi: u64,
    rbp: u64,
    rbx: u64,
    rdx: u64,
    rax: u64,
    rcx: u64,
    rsp: u64,
    rip: u64,
    eflags: u64,
    segments: u64,
    err: u64,
    trapno: u64,
    oldmask: u64,
    cr2: u64,
}

#[repr(C)]
struct KernelSigaction {
    handler: u64,
    flags: u64,
    restorer: u64,
    mask: u64,
}

const SYNCHRONOUS: u64 = bit(SIGILL) | bit(SIGTRAP) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGSEGV) | bit(SIGSYS);

const fn bit(signo: u32) -> u64 {
    1 << (signo - 1)
}

/// Installs the handler for every signal that can have one.
pub fn install() {
    const SA_SIGINFO: u64 = 4;
    const SA_RESTORER: u64 = 0x0400_0000;
    const SA_ONSTACK: u64 = 0x0800_0000;
    const SA_NODEFER: u64 = 0x4000_0000;
    let action = KernelSigaction {
        handler: entry::signal(),
        flags: SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER,
        restorer: entry::restorer(),
        mask: !SYNCHRONOUS,
    };
    for signo in 1..=64u32 {
        // SIGKILL, SIGSTOP; SIGCHLD stays ignored (the supervisor is the parent of all host processes).
        if matches!(signo, 9 | 19 | SIGCHLD) {
            continue;
        }
        // SAFETY: the structure is valid; the handler follows the host's ABI.
        let set = unsafe { raw::syscall(nr::rt_sigaction, &[signo.into(), (&raw const action) as u64, 0, 8]) };
        debug_assert!(set.is_ok());
    }
}

/// Blocks every host signal of the calling thread; gives the old mask.
pub fn block_all() -> u64 {
    let all = !0u64;
    let mut old = 0u64;
    // SAFETY: both words are valid; SIG_BLOCK.
    let _ = unsafe { raw::syscall(nr::rt_sigprocmask, &[0, (&raw const all) as u64, (&raw mut old) as u64, 8]) };
    old
}

pub fn set_mask(mask: u64) {
    // SAFETY: the word is valid; SIG_SETMASK.
    let _ = unsafe { raw::syscall(nr::rt_sigprocmask, &[2, (&raw const mask) as u64, 0, 8]) };
}

/// Where [`install`]ed signals arrive, by way of `acrida_signal`.
pub extern "C" fn acrida_signal_handler(signo: u32, info: *const Siginfo, context: *mut Ucontext) {
    // SAFETY: the host passes valid structures that live during the handler, and nobody else sees them.
    let (info, context) = unsafe { (&*info, &mut *context) };
    let me = current();
    let rip = context.rip;
    if signo == SIGSYS && info.code > 0 {
        if on_kernel_stack(me, context.rsp) {
            // The vdso fell back to a real call while the kernel was asking it for the time.
            let args = [context.rdi, context.rsi, context.rdx, context.r10, context.r8, context.r9];
            // SAFETY: the vdso's own call with its own arguments.
            context.rax = unsafe { raw::syscall6(context.rax as u32, args) } as u64;
            return;
        }
        if info.arch() != AUDIT_ARCH_X86_64 {
            // `int 0x80`: numbers of another table, which nobody serves.
            context.rax = (-i64::from(Errno::ENOSYS.raw())) as u64;
            return;
        }
        // A system call of the guest: go on at the kernel's entry as the `syscall` instruction would leave things.
        context.rcx = rip;
        context.rip = entry::kernel_entry();
        return;
    }
    // The kernel reads clocks through the vdso, whose text lies outside the image.
    if in_image(rip) || on_kernel_stack(me, context.rsp) {
        in_kernel_text(me, signo, info, context);
    } else {
        in_guest_text(me, signo, info, context);
    }
}

fn in_image(rip: u64) -> bool {
    let (start, end) = crate::boot::text_range();
    (start..end).contains(&rip)
}

/// Whether the stack pointer is that of kernel code; the guest's own never points there.
fn on_kernel_stack(me: &Thread, rsp: u64) -> bool {
    (me.stack().0 as u64..me.frame as u64).contains(&rsp)
}

fn is_fault(signo: u32, info: &Siginfo) -> bool {
    info.code > 0 && matches!(signo, SIGILL | SIGTRAP | SIGBUS | SIGFPE | SIGSEGV)
}

fn in_kernel_text(me: &Thread, signo: u32, info: &Siginfo, context: &mut Ucontext) {
    let rip = context.rip;
    if is_fault(signo, info) {
        // A single-step trap at the entry of a guest that is being debugged is no fault of ours.
        if signo == SIGTRAP {
            context.eflags &= !0x100;
            return;
        }
        if (entry::user_window()..entry::user_tail()).contains(&rip) {
            context.rip = entry::user_tail();
        } else if (entry::user_tail()..entry::user_fixup()).contains(&rip) {
            context.rip = entry::user_fixup();
        } else if (entry::cmpxchg_window()..entry::cmpxchg_window_end()).contains(&rip) {
            context.rip = entry::cmpxchg_fixup();
        } else {
            panic!(
                "kernel text faulted: signal {signo} code {} at {rip:#x}, address {:#x}, rsp {:#x}",
                info.code, info.field, context.rsp
            );
        }
        return;
    }
    note(me, signo, info);
    if (entry::abort_window()..=entry::abort_syscall()).contains(&rip) {
        context.rip = entry::abort();
    } else if (entry::exit_window()..entry::exit_window_end()).contains(&rip) {
        context.rip = entry::exit_restart();
        context.rsp = me.frame as u64;
        context.eflags &= !entry::CLEARED_FLAGS;
    }
}

fn in_guest_text(me: &Thread, signo: u32, info: &Siginfo, context: &mut Ucontext) {
    if is_fault(signo, info) {
        let fault = &me.fault;
        fault.signo.store(signo, Ordering::Relaxed);
        fault.code.store(info.code as u32, Ordering::Relaxed);
        fault.addr.store(info.field, Ordering::Relaxed);
        fault.trapno.store(context.trapno, Ordering::Relaxed);
        fault.error.store(context.err, Ordering::Relaxed);
        fault.cr2.store(context.cr2, Ordering::Relaxed);
        me.set_work(work::FAULT);
    } else {
        note(me, signo, info);
    }
    // SAFETY: the thread runs guest code, so its frame is free for the next entry; nobody else touches it.
    let frame = unsafe { &mut *me.frame };
    let regs = &mut frame.regs;
    regs.r15 = context.r15;
    regs.r14 = context.r14;
    regs.r13 = context.r13;
    regs.r12 = context.r12;
    regs.rbp = context.rbp;
    regs.rbx = context.rbx;
    regs.r11 = context.r11;
    regs.r10 = context.r10;
    regs.r9 = context.r9;
    regs.r8 = context.r8;
    regs.rax = context.rax;
    regs.rcx = context.rcx;
    regs.rdx = context.rdx;
    regs.rsi = context.rsi;
    regs.rdi = context.rdi;
    regs.rip = context.rip;
    regs.rsp = context.rsp;
    regs.eflags = context.eflags;
    regs.cs = context.segments & 0xffff;
    regs.ss = context.segments >> 48;
    regs.orig_rax = u64::MAX;
    frame.full_restore = 1;
    context.rip = entry::interrupt();
    context.rsp = me.frame as u64;
    context.eflags &= !entry::CLEARED_FLAGS;
}

fn note(me: &Thread, signo: u32, info: &Siginfo) {
    /// `si_code` of what the host itself sends, to a whole group as a rule.
    const SI_KERNEL: i32 = 0x80;
    let lender = me.loan.lender();
    loan::look_at_lender(me);
    if let Some(lender) = lender
        && signo != KICK
    {
        // The host knows the process by its lender.
        keep(lender, signo, info);
    }
    if signo != KICK && (lender.is_none() || info.code == SI_KERNEL) {
        keep(me, signo, info);
    }
    // Whoever is about to park finds a token; whoever is parked is woken by the signal itself.
    me.park.store(1, Ordering::Release);
}

/// Remembers a signal for `thread`'s way out of the kernel.
fn keep(thread: &Thread, signo: u32, info: &Siginfo) {
    let origin = (info.field << 32) | u64::from(info.code as u32);
    thread.host_signals.origin[signo as usize].store(origin, Ordering::Relaxed);
    thread.host_signals.pending.fetch_or(bit(signo), Ordering::Release);
    thread.set_work(work::HOST_SIGNAL);
}
