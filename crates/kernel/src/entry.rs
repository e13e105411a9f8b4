//! Where the platform hands over: one system call, and the work before a return to the guest.
//!
//! Mirrors: arch/x86/entry/common.c, kernel/entry/common.c, Linux 6.18.
//! Differs: a restart code is a type of its own; it travels from the call to [`exit_to_user`] in the task, never in `rax`.

use acrida_kcore::regs::UserFrame;
use acrida_kcore::thread::{self, work};
use acrida_uapi::errno::{Error, Restart};

use crate::abi::SysResult;

use crate::current;
use crate::kernel::signal;
use crate::{syscalls, trace};

/// Serves the call in `frame` and leaves its result in `rax`.
#[inline]
pub fn syscall(frame: &mut UserFrame) {
    frame.full_restore = 0;
    if trace::is_on() {
        let result = trace::observed(frame);
        return finish(frame, result);
    }
    syscalls::serve(frame);
}

/// Leaves the result of a call in the frame.
#[inline]
pub fn finish(frame: &mut UserFrame, result: SysResult) {
    match result {
        Ok(value) => frame.regs.rax = value as u64,
        Err(Error::Errno(errno)) => frame.regs.rax = (-i64::from(errno.raw())) as u64,
        Err(Error::Restart(restart)) => finish_later(restart),
    }
}

/// The slow way out decides: a handler runs, or the call is made again.
#[cold]
fn finish_later(restart: Restart) {
    current().restart.set(Some(restart));
    thread::current().set_work(work::SIGPENDING);
}

/// Everything that must happen before guest code goes on; the platform calls again while there is work.
#[doc(alias = "exit_to_user_mode_loop")]
pub fn exit_to_user(frame: &mut UserFrame) {
    let me = thread::current();
    let task = current();
    if me.has_work(work::HOST_SIGNAL) {
        me.clear_work(work::HOST_SIGNAL);
        signal::translate_host_signals(task, me);
    }
    if me.has_work(work::UNMAP) {
        me.clear_work(work::UNMAP);
        task.mm().apply_cuts();
    }
    if me.has_work(work::FAULT) {
        me.clear_work(work::FAULT);
        signal::fault(task, me, frame);
    }
    if me.has_work(work::TASK_WORK) {
        me.clear_work(work::TASK_WORK);
        me.task_work.run();
    }
    if me.has_work(work::MOVE_OUT) {
        me.clear_work(work::MOVE_OUT);
        // Without a host process to be had it stays, and the parent waits.
        let _ = crate::kernel::lend::own_host_process();
    }
    if me.has_work(work::SIGPENDING | work::STOP | work::EXIT) {
        signal::exit_work(task, frame);
    }
}
