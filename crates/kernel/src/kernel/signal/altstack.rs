//! Alternate signal stacks.
//!
//! Mirrors: kernel/signal.c (`do_sigaltstack`), Linux 6.18.
//! Locking: `Task::signals`; only the task itself uses its stack's description.

use acrida_kcore::regs::UserFrame;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::signal::{MINSIGSTKSZ, SS_DISABLE, SS_FLAG_BITS, SS_ONSTACK, StackT};

use super::sighand::AltStack;
use crate::abi::SysResult;
use crate::current;
use crate::kernel::task::Task;

/// Sets the task's alternate stack; `sp` is its stack pointer.
///
/// # Errors
/// `EPERM` while it runs on the old one, `EINVAL` for unknown flags, `ENOMEM` for one that is too small.
#[doc(alias = "do_sigaltstack")]
pub(super) fn set(task: &Task, new: &StackT, sp: u64) -> Result<(), Errno> {
    let mut signals = task.signals.lock();
    if signals.altstack.is_in_use(sp) {
        return Err(Errno::EPERM);
    }
    let mode = new.ss_flags & !SS_FLAG_BITS;
    if mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0 {
        return Err(Errno::EINVAL);
    }
    if signals.altstack == (AltStack { sp: new.ss_sp, size: new.ss_size, flags: new.ss_flags }) {
        return Ok(());
    }
    if mode == SS_DISABLE {
        signals.altstack = AltStack { sp: 0, size: 0, flags: new.ss_flags };
        return Ok(());
    }
    if new.ss_size < MINSIGSTKSZ {
        return Err(Errno::ENOMEM);
    }
    signals.altstack = AltStack { sp: new.ss_sp, size: new.ss_size, flags: new.ss_flags };
    Ok(())
}

/// `sigaltstack(ss, old_ss)`.
pub fn sys_sigaltstack(frame: &mut UserFrame) -> SysResult {
    let [new, old, ..] = frame.regs.args().map(UserAddr);
    let task = current();
    let sp = frame.regs.rsp;
    let new: Option<StackT> = new.read_opt()?;
    let before = task.signals.lock().altstack;
    if let Some(new) = new {
        set(task, &new, sp)?;
    }
    let flags = before.state(sp) | before.flags & SS_FLAG_BITS;
    old.write_opt(&StackT { ss_sp: before.sp, ss_flags: flags, _pad0: 0, ss_size: before.size })?;
    Ok(0)
}
