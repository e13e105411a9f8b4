//! Processes that share memory: the child of a `vfork` on its parent's host thread, and the way out of the memory at exec.
//!
//! Mirrors: kernel/fork.c (`CLONE_VM | CLONE_VFORK`), fs/exec.c (`exec_mmap`), Linux 6.18.
//! Differs: on Linux the child of a `vfork` is scheduled while the parent sleeps; here it runs in the parent's place (see
//! `acrida_kcore::loan`). It gets a host process that shares the memory, as any child by `CLONE_VM` has, when it is about to
//! change what the host keeps for a thread or process, and when its parent is killed.
//! A host process cannot change its memory for another, so whoever runs another program while others use the memory goes on in
//! a new one, forked without the guest's memory: the child of a `vfork` is forked by its parent, who gets its thread back;
//! everybody else switches to an *agent*, a record that forks it and then ends the old host process.
//! Locking: `MmStruct`'s lock over the fork.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::loan::Wish;
use acrida_kcore::platform::{SpawnKind, platform};
use acrida_kcore::sched::state;
use acrida_kcore::thread::{self, Thread};
use acrida_uapi::errno::Errno;

use crate::kernel::cred::Cred;
use crate::kernel::kthread::Kthread;
use crate::kernel::task::Task;
use crate::mm::MmUser;
use crate::{current, host};

/// How a child let its parent go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It has ended, or runs another program.
    Released,
    /// It goes on in the memory in a host process of its own: the parent has to wait for it.
    MovedOut,
}

/// Runs `child`, which shares the caller's memory, on the caller's host thread.
pub fn run_child(child: &Arc<Task>) -> Outcome {
    let me = current();
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
                child.thread.life.end();
                break Outcome::Released;
            }
            Wish::EmptyProcess => {
                if give_empty_process(child) {
                    break Outcome::Released;
                }
            }
            Wish::SharingProcess => {
                if platform().spawn_switched(child.thread, SpawnKind::SharingProcess).is_ok() {
                    break Outcome::MovedOut;
                }
            }
        }
    };
    me.thread.state.store(state::RUNNING, Ordering::SeqCst);
    take_back(me, &cred, fs_base);
    outcome
}

/// Starts a host process with nothing in guest memory for `task`, which has switched away; whether that worked.
fn give_empty_process(task: &Task) -> bool {
    // It gets its new memory before it can run there.
    let old = task.replace_mm(MmUser::new());
    match old.mm().fork_without_memory(|| platform().spawn_switched(task.thread, SpawnKind::Process)) {
        Ok(()) => true,
        Err(_) => {
            let unused = task.replace_mm(old);
            drop(unused);
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

/// Gives the caller, a borrower, a host process.
///
/// # Errors
/// `EAGAIN` when the host refuses it; then everything is as before.
fn leave_lender(wish: Wish) -> Result<(), Errno> {
    current().thread.loan.set_wish(wish);
    platform().hand_back();
    if is_borrower() { Err(Errno::EAGAIN) } else { Ok(()) }
}

/// For calls that change what the host keeps for the calling thread or process: it must be the caller's own.
///
/// # Errors
/// `EAGAIN` when the host refuses another process.
pub fn own_host_process() -> Result<(), Errno> {
    if is_borrower() { leave_lender(Wish::SharingProcess) } else { Ok(()) }
}

/// Gives the caller, the only thread of its process, an address space that nobody else uses. What was in it is gone if others
/// did.
///
/// # Errors
/// `EAGAIN` when the host refuses the process that this needs; then everything is as before.
#[doc(alias = "exec_mmap")]
pub fn leave_shared_memory() -> Result<(), Errno> {
    let me = current();
    if is_borrower() {
        leave_lender(Wish::EmptyProcess)?;
    } else if me.mm().is_shared() {
        leave_by_agent(me)?;
        crate::boot::has_host_process(&me.kernel, &me.process);
    }
    Ok(())
}

fn leave_by_agent(me: &Task) -> Result<(), Errno> {
    let agent = Thread::new();
    agent.set_ext(Kthread::new(&me.kernel));
    agent.set_entry(Box::new(|| serve_as_agent()));
    platform().lend(agent);
    let moved = agent.host_pid.load(Ordering::Relaxed) != me.thread.host_pid.load(Ordering::Relaxed);
    if !moved {
        agent.life.end();
    }
    me.kernel.dead_threads.add_agent(agent);
    if moved { Ok(()) } else { Err(Errno::EAGAIN) }
}

/// On an agent's stack: forks for the task that lent it its host thread, and ends what is left.
fn serve_as_agent() -> ! {
    let lender = thread::current().loan.lender().and_then(|lender| lender.ext::<Task>());
    let task = lender.unwrap_or_else(|| panic!("an agent without a task"));
    if give_empty_process(task) {
        // What the memory held.
        thread::current().task_work.run();
        platform().exit_process(0);
    }
    platform().hand_back();
    unreachable!("an agent is asked once")
}
