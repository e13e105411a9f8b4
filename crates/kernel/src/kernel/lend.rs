//! The child of a `vfork` on its parent's host thread, in its parent's memory.
//!
//! Mirrors: kernel/fork.c (`CLONE_VM | CLONE_VFORK`), Linux 6.1.
//! Differs: on Linux the child is scheduled while the parent sleeps; here it runs in the parent's place (see
//! `acrida_kcore::loan`). It gets a host process when it runs another program, and that process is forked without the
//! guest's memory. It gets one with a copy of the memory, and is from then on what vfork.rs describes, when it is about to
//! change what the host keeps for a thread or process, and when its parent is killed.
//! Locking: `MmStruct`'s lock over the fork.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::loan::Wish;
use acrida_kcore::platform::platform;
use acrida_kcore::thread::state;
use acrida_uapi::errno::Errno;

use crate::kernel::cred::Cred;
use crate::kernel::task::Task;
use crate::mm::MmStruct;
use crate::{current, host};

/// How a child let its parent go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It has ended, or runs another program.
    Released,
    /// It has a copy of the memory: the parent has to wait for it.
    MovedOut,
}

/// Runs `child`, which shares the caller's memory, on the caller's host thread.
pub fn run_child(child: &Arc<Task>) -> Outcome {
    let me = current();
    let host_pid = me.process.host_pid.load(Ordering::Relaxed);
    child.process.host_pid.store(host_pid, Ordering::Relaxed);
    let fs_base = platform().fs_base();
    me.thread.set_wchan("do_vfork");
    me.thread.state.store(state::LENT, Ordering::SeqCst);
    let mut cred;
    let outcome = loop {
        platform().lend(child.thread);
        // What this host thread has now; the child's next program may have others.
        cred = child.cred();
        match child.thread.loan.wish() {
            Wish::End => {
                child.thread.host_alive.store(0, Ordering::Release);
                break Outcome::Released;
            }
            Wish::EmptyProcess => {
                if give_process(child, |old, _| old.fork_without_memory(|| platform().spawn_borrower(child.thread))) {
                    break Outcome::Released;
                }
            }
            Wish::CopiedProcess => {
                if give_process(child, |old, new| old.copy_to(new, || platform().spawn_borrower(child.thread))) {
                    break Outcome::MovedOut;
                }
            }
        }
    };
    me.thread.state.store(state::RUNNING, Ordering::SeqCst);
    me.thread.set_wchan("");
    take_back(me, &cred, fs_base);
    outcome
}

/// Starts a host process for `child`; whether that worked. It gets its new memory before it can run there.
fn give_process(child: &Task, fork: impl FnOnce(&MmStruct, &MmStruct) -> Result<u32, Errno>) -> bool {
    let new = MmStruct::new();
    let old = core::mem::replace(&mut *child.mm.lock(), new.clone());
    match fork(&old, &new) {
        Ok(host) => {
            child.process.host_pid.store(host, Ordering::Relaxed);
            true
        }
        Err(_) => {
            *child.mm.lock() = old;
            false
        }
    }
}

/// Puts right what a borrower may have changed of the host thread.
fn take_back(me: &Task, left: &Cred, fs_base: u64) {
    if platform().fs_base() != fs_base {
        platform().set_fs_base(fs_base);
    }
    let mine = me.cred();
    if (mine.fsuid, mine.fsgid) != (left.fsuid, left.fsgid) {
        host::set_fs_ids(mine.fsuid, mine.fsgid);
    }
    if mine.groups != left.groups {
        host::set_groups(&mine.groups);
    }
}

/// Whether the caller runs on its parent's host thread.
pub fn is_borrower() -> bool {
    current().thread.loan.lender().is_some()
}

/// Gives the caller a host process of its own if it has none.
///
/// # Errors
/// `EAGAIN` when the host refuses it; then everything is as before.
pub fn leave_lender(wish: Wish) -> Result<(), Errno> {
    let me = current();
    if me.thread.loan.lender().is_none() {
        return Ok(());
    }
    me.thread.loan.set_wish(wish);
    platform().hand_back();
    if me.thread.loan.lender().is_some() {
        return Err(Errno::EAGAIN);
    }
    me.process.host_pid.store(me.thread.host_pid.load(Ordering::Relaxed), Ordering::Relaxed);
    Ok(())
}

/// For calls that change what the host keeps for the calling thread or process: it must be the caller's own.
pub fn own_host_process() -> Result<(), Errno> {
    leave_lender(Wish::CopiedProcess)
}
