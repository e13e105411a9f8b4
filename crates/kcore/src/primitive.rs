//! The machine under what sleeps and wakes: atomics and fences.
//!
//! Mirrors: include/linux/atomic.h, arch/x86/include/asm/barrier.h, Linux 6.18.
//! Differs: a module, so that a checker can stand in its place: tests/loom compiles `sched`, `wait` and epoll's `ready`
//! against loom's.

pub use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
