//! What the kernel proper stands on: the platform's contract, threads, locks and wait queues.
//!
//! Everything here lives in the shared arena of one world and is used by several host processes at once, so a
//! pointer stored here must be valid in all of them: arena, image and physical-memory window only.
#![no_std]

extern crate alloc;

pub mod arena;
pub mod change_lock;
pub mod frame;
pub mod host;
pub mod life;
pub mod light;
pub mod loan;
pub mod platform;
pub mod primitive;
pub mod regs;
pub mod sched;
pub mod seq_cell;
pub mod solo;
pub mod stable;
pub mod sync;
pub mod task_work;
pub mod thread;
pub mod trace_ring;
pub mod uaccess;
pub mod wait;
pub mod wake_q;

pub use platform::{Platform, platform};
pub use thread::{Thread, current};
