//! The acrida kernel on a Linux host.
//!
//! Guest threads are host threads. They come in through Syscall User Dispatch or patched call sites (`entry`), host
//! signals are only noted or redirected (`signal`), host calls go out through `raw`, and `boot` lays out the address space
//! that every process of a world shares. The project's SAFETY.md argues each unsafe module.
#![no_std]

extern crate alloc;

pub mod boot;
mod dispatch;
pub mod entry;
mod fpu;
mod host;
mod linux;
mod loan;
mod lock_word;
mod park;
pub mod raw;
mod signal;
mod spawn;
mod string;
mod text;

pub use linux::Linux;
