//! Signals.
//!
//! Mirrors: kernel/signal.c, arch/x86/kernel/signal*.c, Linux 6.18, cut by what is done.
//! Differs: everything about a signal is the world's own: masks, actions, queues, frames. The host's signals only make a
//! thread enter the kernel; `host` turns those that mean something into signals of the world.
//!
//! ```text
//!  kill, timers, faults, children          host signals (noted by the platform)
//!        │ send_signal                            │ translate_host_signals
//!        ▼                                        ▼
//!  prepare: dropped? stop ⇄ cont ──► queue: task's or process's ──► complete: choose thread, wake, or mark group exit
//!                                        │
//!        way to user mode: exit_work ──► get_signal ──► ignored │ stop_here │ do_group_exit │ frame on the guest's stack
//!                                                                                                   │ handler returns
//!                                                                         rt_sigreturn: mask and registers come back
//! ```
//!
//! A task looks only when `work::SIGPENDING` is set. Senders set it under `sighand`, and the way out clears it under `sighand`
//! after it found nothing, so no signal is overlooked.
//!
//! Locking: pid table → `Process::sighand` → `Process::threads` → `Task::signals`, `Process::job`, timer states → timer queue.

mod action;
mod altstack;
mod deliver;
mod frame;
mod host;
mod kill;
mod mask;
mod parent;
mod queue;
pub mod restart;
mod send;
mod sighand;
mod stop;
mod wait;

pub use action::{sys_rt_sigaction, sys_rt_sigpending, sys_rt_sigprocmask};
pub use altstack::sys_sigaltstack;
pub use deliver::{dequeue, exit_work};
pub use frame::sys_rt_sigreturn;
pub use host::{fault, translate_host_signals};
pub use kill::{sys_kill, sys_pidfd_send_signal, sys_rt_sigqueueinfo, sys_rt_tgsigqueueinfo, sys_tgkill, sys_tkill};
pub use mask::{is_deliverable, recalc_sigpending, restore_saved_sigmask, set_current_blocked, set_user_sigmask};
pub use parent::{is_auto_reaped, notify_parent, notify_parent_cldstop};
pub use queue::{Queued, SigPending};
pub use send::{
    Sent, Target, force_fatal_sig, force_sig, send_sig_self, send_signal, send_timer_signal, send_to_process, send_to_task,
};
pub use sighand::{AltStack, ChildNews, Sharing, Sighand, TaskSignals, flush_signal_handlers};
pub use stop::exit_signals;
pub use wait::{sys_pause, sys_restart_syscall, sys_rt_sigsuspend, sys_rt_sigtimedwait};
