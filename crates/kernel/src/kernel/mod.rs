//! Tasks and what they do to each other: the files of Linux's `kernel/`.

pub mod cred;
pub mod fork;
pub mod pid;
pub mod signal;
pub mod state;
pub mod sys;
pub mod task;
pub mod time;
