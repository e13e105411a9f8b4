//! Signals of the host process, and faults of guest code, as signals of the world.
//!
//! Mirrors: nothing in Linux (the first half); arch/x86/kernel/traps.c, arch/x86/mm/fault.c (the second), Linux 6.18.
//! Differs: the platform only notes host signals; here they get a receiver in the world.
//! Locking: none of its own.

use core::sync::atomic::Ordering;

use acrida_kcore::regs::UserFrame;
use acrida_kcore::thread::Thread;
use acrida_uapi::siginfo::{BUS_ADRERR, SI_KERNEL, SigInfo};
use acrida_uapi::signal::{
    SIGBUS, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGSEGV, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH, SIGXFSZ, SigSet,
};

use super::send::{force_sig, send_to_process, send_to_task};
use crate::kernel::task::Task;
use crate::mm::{self, FaultAction};

/// The processor's number of a page fault.
const X86_TRAP_PF: u64 = 14;
/// What a host terminal sends to its foreground group, that is, to every host process of the world.
const FROM_TERMINAL: SigSet = SigSet::of(&[SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH]);
/// What the host sends to the very thread whose call failed.
const FROM_CALL: SigSet = SigSet::of(&[SIGPIPE, SIGXFSZ]);

/// Turns the host signals noted for `thread` into signals of its process.
pub fn translate_host_signals(task: &Task, thread: &Thread) {
    let noted = SigSet::from_bits(thread.host_signals.pending.swap(0, Ordering::AcqRel));
    for signo in noted.iter() {
        let origin = thread.host_signals.origin[signo as usize].load(Ordering::Relaxed);
        let code = origin as u32 as i32;
        if code == SI_KERNEL && FROM_TERMINAL.has(signo) && !in_host_foreground(task) {
            continue;
        }
        // The host's sender has no number in the world.
        let info = SigInfo::kill(signo, code, 0, 0);
        if FROM_CALL.has(signo) {
            send_to_task(info, task);
        } else {
            send_to_process(info, &task.process);
        }
    }
}

/// Whether the process belongs to the world's foreground group of the host's terminal.
fn in_host_foreground(task: &Task) -> bool {
    let foreground = task.kernel.host_tty_pgrp.load(Ordering::Relaxed);
    task.process.relations.lock().pgrp == foreground
}

/// A guest instruction faulted: memory that can be made present is, anything else becomes a signal.
#[doc(alias = "exc_page_fault")]
pub fn fault(task: &Task, thread: &Thread, frame: &mut UserFrame) {
    let fault = &thread.fault;
    let signo = fault.signo.load(Ordering::Relaxed) as i32;
    let code = fault.code.load(Ordering::Relaxed) as i32;
    let addr = fault.addr.load(Ordering::Relaxed);
    let is_page_fault = signo == SIGSEGV && fault.trapno.load(Ordering::Relaxed) == X86_TRAP_PF;
    let action = match is_page_fault {
        true => mm::handle_fault(addr, fault.error.load(Ordering::Relaxed)),
        false => FaultAction::Deliver,
    };
    match action {
        // The frame is the interrupted instruction's own.
        FaultAction::Retry => frame.full_restore = 1,
        FaultAction::Deliver => force_sig(SigInfo::fault(signo, code, addr), task),
        FaultAction::Bus => force_sig(SigInfo::fault(SIGBUS, BUS_ADRERR, addr), task),
    }
}
