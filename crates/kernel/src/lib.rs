//! The kernel proper, free of unsafe code: tasks, files, memory, signals, as Linux has them.
//!
//! Paths mirror Linux's source (`fs/pipe`, `kernel/fork`, `mm/mmap`). All state hangs on one [`Kernel`]; the only
//! ambient thing is the calling task, [`current`]. The machine below is reached through `acrida_kcore::platform`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod abi;
pub mod boot;
pub mod drivers;
pub mod entry;
pub mod fs;
pub mod host;
pub mod ipc;
pub mod kernel;
pub mod mm;
pub mod net;
pub mod syscalls;
pub mod trace;

// Defines the calling thread for unit tests.
#[cfg(test)]
use acrida_platform_sim as _;

pub use kernel::state::Kernel;
pub use kernel::task::{Process, Task, current, kernel};
