//! A machine for tests: the kernel's threads run one at a time, a seed decides which, and time is virtual.
//!
//! ```text
//!   sim::run(seed, |sim| ...)          one world of simulated threads
//!        │ spawn, note, sleep
//!   board.rs    who holds the baton; what the others wait for; the clock; the log
//!        ▲ park, unpark, wait_lock, wake_lock, now
//!   machine.rs  `Platform` for the kernel, found through the calling host thread
//! ```
//!
//! Every simulated thread is a host thread, but only the one that holds the baton runs. It passes the baton on where it
//! sleeps, and may lose it wherever it asks something of the machine: those are the places where the kernel's order of
//! events can differ. When nobody can run, the clock jumps to the earliest deadline; when there is none, the world is
//! deadlocked, and the run fails with what each thread waits for. The same seed gives the same run and the same log.
//!
//! Host threads that belong to no world (ordinary unit tests) get a thread record each, so that locks can be taken.
//!
//! Mirrors: nothing in Linux.
//! Differs: there is no guest code; guest memory is an array of bytes per world, and the host below answers `ENOSYS`.
//! Locking: one mutex per world, never held while kernel code runs.

mod board;
mod host;
mod machine;
mod memory;
mod sim;

pub use machine::install;
pub use memory::USER_BASE;
pub use sim::{Join, Sim, preempt, run};
