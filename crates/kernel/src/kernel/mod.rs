//! Tasks and what they do to each other: the files of Linux's `kernel/`.
//!
//! In Linux a task runs, a thread group shares signals, and parents, groups and sessions relate them. Here a task is a host thread
//! and a thread group ([`task::Process`]) a host process, but the numbers, the relations and the signals are ours; the host
//! only schedules.
//! ```text
//!          copy_process           host thread          exit_signals, exit_files       last thread       the parent waits
//! (record) ────────────► in the tables ───► runs ─────────────────────► dying ─────────────► zombie ──────► gone
//!                                                                                            (or gone at once: nobody waits)
//! ```
//! - [`fork`], [`lend`], [`vfork`], [`exit`], [`wait`]: the line above
//! - [`task`], [`pid`], [`ids`], [`cred`], [`setid`]: what a task is, and who may do what
//! - [`signal`], [`ptrace`], [`pidfd`]: what tasks tell each other
//! - [`futex`], [`time`], [`sched`]: waiting, clocks, the host's scheduler
//! - [`state`], [`sys`], [`sysctl`], [`prctl`], [`resource`], [`kthread`]: the kernel itself
//!
//! Mirrors: kernel/, Linux 6.18.
//! Differs: a thread group is an object of its own; scheduling is the host's.
//! Locking: docs/locking.md, level 2.

pub mod cred;
pub mod exit;
pub mod fork;
pub mod futex;
pub mod ids;
pub mod kthread;
pub mod lend;
pub mod pid;
pub mod pidfd;
pub mod prctl;
pub mod ptrace;
pub mod resource;
pub mod sched;
pub mod setid;
pub mod signal;
pub mod state;
pub mod sys;
pub mod sysctl;
pub mod task;
pub mod time;
pub mod vfork;
pub mod wait;
