//! Tasks and what they do to each other: the files of Linux's `kernel/`.

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
