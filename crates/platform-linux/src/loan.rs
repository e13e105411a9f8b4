//! Two records on one host thread: the switch between them, and a host process for the one that does not run.
//!
//! Mirrors: arch/x86/entry/entry_64.S (`__switch_to_asm`), Linux 6.18, in role.
//! Differs: it happens at the two ends of a `vfork` child and where a process leaves memory that others use (see
//! `acrida_kcore::loan`). A sleeping thread leaves its registers as a switch does, so that it can go on in another host process
//! if the host kills its own.
//! Locking: none. A host signal between the steps of a switch finds kernel text and is noted for one of the two; what is
//! noted is looked at again before either goes to its guest.

use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::{Parked, SpawnKind};
use acrida_kcore::thread::{Thread, current, work};
use acrida_uapi::errno::Errno;

use crate::{park, raw, signal, spawn};

/// What both a switch and a sleep leave on the stack, and `acrida_switched` takes back.
macro_rules! leave_registers {
    () => {
        "push rbp
         push rbx
         push r12
         push r13
         push r14
         push r15
         sub rsp, 8
         stmxcsr [rsp]"
    };
}

global_asm!(
    ".pushsection .text.acrida_loan,\"ax\",@progbits",
    // switch(rdi = where this stack pointer goes, rsi = the other's stack pointer, rdx = the other's record)
    ".globl acrida_switch",
    "acrida_switch:",
    leave_registers!(),
    "mov [rdi], rsp",
    "mov rsp, rsi",
    "mov rsi, rdx",
    "mov edi, {ARCH_SET_GS}",
    "mov eax, 158",
    "syscall",
    "acrida_switched:",
    "ldmxcsr [rsp]",
    "add rsp, 8",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    // sleep(rdi = where this stack pointer is meanwhile, rsi and rdx = arguments of park)
    ".globl acrida_sleep",
    "acrida_sleep:",
    leave_registers!(),
    "mov rbx, rdi",
    "mov [rbx], rsp",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "call {parked}",
    "mov qword ptr [rbx], 0",
    "jmp acrida_switched",
    // Where a borrower's first switch returns to.
    ".globl acrida_borrower_start",
    "acrida_borrower_start:",
    "mov rbx, gs:[0]",
    "mov rdi, rbx",
    "xor ebp, ebp",
    "call {borrower_start}",
    "mov rsp, [rbx + {FRAME}]",
    "jmp acrida_exit_restart",
    // clone(rdi = flags, rsi = stack pointer that a record left, rdx = the record): as `acrida_clone`, but the child goes
    // on where the record switched away.
    ".globl acrida_clone_switched",
    "acrida_clone_switched:",
    "push r12",
    "mov r12, rdx",
    "lea rdx, [rdx + {HOST_PID}]",
    "xor r10d, r10d",
    "xor r8d, r8d",
    "mov eax, 56",
    "syscall",
    "test rax, rax",
    "jz 2f",
    "pop r12",
    "ret",
    "2: mov rdi, r12",
    "xor ebp, ebp",
    "call {own_process}",
    // Of a sleep: it was woken.
    "xor eax, eax",
    "jmp acrida_switched",
    ".popsection",
    ARCH_SET_GS = const 0x1001,
    FRAME = const offset_of!(Thread, frame),
    HOST_PID = const offset_of!(Thread, host_pid),
    borrower_start = sym borrower_start,
    own_process = sym own_process,
    parked = sym parked,
);

unsafe extern "C" {
    fn acrida_switch(from_sp: *mut u64, to_sp: u64, to: *const ());
    fn acrida_sleep(sp: *mut u64, me: *const (), deadline: u64) -> u32;
    fn acrida_borrower_start();
    fn acrida_clone_switched(flags: u64, sp: u64, child: *const ()) -> i64;
}

/// Words that `acrida_switch` leaves on a stack: control word, six registers, return address.
const SWITCH_WORDS: usize = 8;

/// Runs `borrower` on the calling host thread until it hands it back.
pub fn lend(borrower: &'static Thread) {
    if borrower.loan.switch_sp.load(Ordering::Relaxed) == 0 {
        prepare(borrower);
    }
    borrower.life.begin_on(&current().life);
    switch(borrower);
}

/// Gives the host thread back to its lender; returns when it is lent again, or in a host process of the caller's own.
pub fn hand_back() {
    let me = current();
    let lender = me.loan.lender().unwrap_or_else(|| panic!("a thread handed back that was not lent"));
    me.life.leave(&lender.life);
    switch(lender);
    if me.loan.lender().is_some() {
        look_at_lender(me);
    }
}

/// Lets a borrower go to a host process of its own if its lender has to end. Whoever told the lender so may have found the
/// host thread between the two, so this is asked behind each switch to a borrower, too.
pub fn look_at_lender(borrower: &Thread) {
    if borrower.loan.lender().is_some_and(|lender| lender.has_work(work::EXIT)) {
        borrower.set_work(work::MOVE_OUT);
    }
}

fn switch(to: &'static Thread) {
    let from = current().loan.switch_sp.as_ptr();
    // SAFETY: `to` left its registers at its stack pointer (or `prepare` did), and does not run: this host thread was the
    // only one that could run it. The caller's own pointer is written before its stack is left.
    unsafe { acrida_switch(from, to.loan.switch_sp.load(Ordering::Relaxed), core::ptr::from_ref(to).cast()) };
}

/// Lays out the stack of a borrower that has not run, and makes this host thread its own.
fn prepare(borrower: &'static Thread) {
    let lender = current();
    borrower.host_tid.store(lender.host_tid.load(Ordering::Relaxed), Ordering::Relaxed);
    borrower.host_pid.store(lender.host_pid.load(Ordering::Relaxed), Ordering::Relaxed);
    borrower.loan.set_lender(Some(lender));
    borrower.mark_started();
    let mut control = 0u32;
    // SAFETY: stores the vector control word, which the child inherits.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack)) };
    let mut words = [0u64; SWITCH_WORDS];
    words[0] = control.into();
    words[SWITCH_WORDS - 1] = acrida_borrower_start as *const () as u64;
    let sp = borrower.frame as u64 - size_of_val(&words) as u64;
    // SAFETY: below the frame, inside the borrower's stack, which nobody uses yet.
    unsafe { (sp as *mut [u64; SWITCH_WORDS]).write(words) };
    borrower.loan.switch_sp.store(sp, Ordering::Relaxed);
}

/// Starts a host process for a record that has switched away, which goes on in it behind its switch.
pub fn spawn_switched(thread: &'static Thread, kind: SpawnKind) -> Result<(), Errno> {
    let lender = thread.loan.lender();
    thread.loan.set_lender(None);
    let me = current();
    let is_agent = me.loan.lender().is_some_and(|lent| core::ptr::eq(lent, thread));
    if is_agent {
        // The host thread is the agent's now.
        spawn::begin_life(me);
    }
    let mask = signal::block_all();
    // SAFETY: the child runs on the record's stack, which nobody else runs on from here on.
    let result = unsafe {
        acrida_clone_switched(
            spawn::host_flags(kind),
            thread.loan.switch_sp.load(Ordering::Relaxed),
            core::ptr::from_ref(thread).cast(),
        )
    };
    let result = raw::check(result);
    if result.is_err() {
        thread.loan.set_lender(lender);
        if is_agent {
            spawn::begin_life(thread);
            me.life.begin_on(&thread.life);
        }
    }
    // The signal stack of an agent's host thread is that of the record which has left: it takes no signal any more.
    if result.is_err() || !is_agent {
        signal::set_mask(mask);
    }
    result.map(drop)
}

const WOKEN: u32 = 0;
const TIMED_OUT: u32 = 1;

/// [`park::park`], from which [`revive`] can bring the thread back.
pub fn sleep(me: &Thread, deadline: Option<u64>) -> Parked {
    // SAFETY: `parked` gets the record and the deadline; the stack pointer is kept in the record while it runs.
    match unsafe { acrida_sleep(me.parked_at.as_ptr(), core::ptr::from_ref(me).cast(), deadline.unwrap_or(u64::MAX)) } {
        TIMED_OUT => Parked::TimedOut,
        _ => Parked::Woken,
    }
}

extern "C" fn parked(me: &Thread, deadline: u64) -> u32 {
    match park::park(me, (deadline != u64::MAX).then_some(deadline)) {
        Parked::TimedOut => TIMED_OUT,
        Parked::Woken => WOKEN,
    }
}

/// Lets a thread whose host thread was killed in [`sleep`] go on behind it, in a new host process.
pub fn revive(thread: &'static Thread) -> Result<(), Errno> {
    match thread.parked_at.swap(0, Ordering::Relaxed) {
        0 => Err(Errno::ESRCH),
        sp => {
            thread.loan.switch_sp.store(sp, Ordering::Relaxed);
            spawn_switched(thread, SpawnKind::Process)
        }
    }
}

/// First Rust code of a borrower: what a new thread does before it goes to the guest.
extern "C" fn borrower_start(thread: &'static Thread) {
    look_at_lender(thread);
    if let Some(entry) = thread.take_entry() {
        entry();
    }
}

/// First Rust code of a record that has switched away, in a host process of its own.
extern "C" fn own_process(thread: &'static Thread) {
    spawn::attach(thread, true, true);
    signal::set_mask(0);
}
